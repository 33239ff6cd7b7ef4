//! What the shim is told: where inputs are, where outputs go, and of what types they are.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::{Plan, PythonFunction, Step, shim_request};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::environment::Environment;
use crate::process::mask_text;

/// A call of the shim, ready to be run.
pub(crate) struct ShimCall {
    /// The argument vector.
    pub(crate) arguments: Vec<String>,
    failure: Utf8PathBuf,
}

/// Why the shim could not do what it was asked.
#[derive(Debug, Deserialize)]
pub(crate) struct ShimFailure {
    /// A sentence without its subject: `raised ValueError: …`.
    pub(crate) summary: String,
    /// The user's traceback.
    pub(crate) details: Vec<String>,
    /// What to do.
    pub(crate) help: Option<String>,
}

impl ShimCall {
    /// What the shim left when it failed.
    pub(crate) fn failure(&self) -> Option<ShimFailure> {
        serde_json::from_slice(&fs::read(&self.failure).ok()?).ok()
    }
}

impl ShimFailure {
    /// Without the secrets that a traceback may show.
    pub(crate) fn masked(self, secrets: &[String]) -> Self {
        let masked = |text: String| mask_text(&text, secrets);
        Self {
            summary: masked(self.summary),
            details: self.details.into_iter().map(masked).collect(),
            help: self.help.map(masked),
        }
    }
}

/// The request of a step. Inputs are `{"value": …}`, `{"path": …}` or `{"items": […]}` by name.
pub(crate) fn step_request(
    plan: &Plan,
    step: &Step,
    function: &PythonFunction,
    inputs: &BTreeMap<String, Json>,
    project: &Utf8Path,
    output_path: impl Fn(&mlp::plan::Port) -> Utf8PathBuf,
) -> Json {
    let mut request = shim_request(plan, step, function);
    request["project"] = json!(project);
    request["inputs"] = completed(&request["inputs"], |name| inputs.get(name).cloned());
    request["outputs"] = completed(&request["outputs"], |name| {
        let port = step.outputs.iter().find(|port| port.name == name)?;
        Some(json!({ "path": output_path(port) }))
    });
    request
}

/// The ports of a list, each with more of what is known of it; those of which nothing is known are left out.
fn completed(ports: &Json, more: impl Fn(&str) -> Option<Json>) -> Json {
    let complete = |port: &Json| {
        let mut port = port.as_object()?.clone();
        let known = more(port.get("name")?.as_str()?)?;
        port.extend(known.as_object()?.clone());
        Some(Json::Object(port))
    };
    ports.as_array().into_iter().flatten().filter_map(complete).collect()
}

/// Writes a request beside the outputs; names that begin with a dot are no outputs' names.
pub(crate) fn write_request(environment: &Environment, scratch: &Utf8Path, request: &Json) -> io::Result<ShimCall> {
    let path = scratch.join(".request.json");
    let failure = scratch.join(".failure.json");
    let mut request = request.clone();
    request["failure"] = json!(failure);
    fs::write(&path, request.to_string())?;
    let arguments = vec![
        environment.python.to_string(),
        environment.shim.to_string(),
        path.to_string(),
    ];
    Ok(ShimCall { arguments, failure })
}

/// Variables of every Python process: nothing is written beside the sources, output is not held back, and sets of texts
/// have one order in every run. What the step declares itself wins.
pub(crate) fn add_variables(variables: &mut BTreeMap<String, String>, environment: &Environment) {
    let mut add = |name: &str, value: &str| {
        variables.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    };
    add("PYTHONDONTWRITEBYTECODE", "1");
    add("PYTHONUNBUFFERED", "1");
    add("PYTHONHASHSEED", "0");
    add("PYTHONUTF8", "1");
    if let Some(folder) = environment.python.parent() {
        let inherited = std::env::var("PATH").unwrap_or_default();
        add("PATH", &format!("{folder}:{inherited}"));
    }
}
