//! What the shim is told: where inputs are, where outputs go, and of what types they are.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::{Plan, PortType, PythonFunction, Step};
use mlp::types::{DataKind, DataType, RecordField};
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
    let given = step.inputs.iter().filter_map(|port| {
        let mut input = inputs.get(&port.name)?.clone();
        input["name"] = json!(port.name);
        input["type"] = port_type(plan, &port.ty);
        Some(input)
    });
    let wanted = step
        .outputs
        .iter()
        .map(|port| json!({ "name": port.name, "type": port_type(plan, &port.ty), "path": output_path(port) }));
    json!({
        "mode": "step",
        "project": project,
        "file": function.file,
        "function": function.function,
        "inputs": given.collect::<Vec<_>>(),
        "outputs": wanted.collect::<Vec<_>>(),
    })
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

/// The type of a port, as the shim knows it.
fn port_type(plan: &Plan, ty: &PortType) -> Json {
    let kind = match ty {
        PortType::Value(of) => return data_type(of),
        PortType::List(of) => return json!({ "kind": "list", "of": port_type(plan, of) }),
        PortType::Dataset { schema, .. } => {
            let columns = plan
                .schemas
                .get(schema)
                .map(|schema| schema.columns.as_slice())
                .unwrap_or_default();
            let columns: Vec<Json> = columns.iter().map(|column| named(&column.name, &column.ty)).collect();
            return json!({ "kind": "dataset", "columns": columns });
        }
        PortType::Model { .. } => "model",
        PortType::Metrics { .. } => "metrics",
        PortType::File => "file",
        PortType::Directory => "directory",
        PortType::Html => "html",
        PortType::Markdown => "markdown",
        PortType::Opaque | PortType::Custom { .. } => "artifact",
        PortType::Deployment { .. } => "deployment",
    };
    json!({ "kind": kind })
}

/// The output fields of a model.
pub(super) fn fields(fields: &[RecordField]) -> Vec<Json> {
    fields.iter().map(|field| named(&field.name, &field.ty)).collect()
}

fn named(name: &str, ty: &DataType) -> Json {
    let mut described = data_type(ty);
    described["name"] = json!(name);
    described
}

fn data_type(ty: &DataType) -> Json {
    let kind = match &ty.kind {
        DataKind::Bool => "bool",
        DataKind::Int => "int",
        DataKind::Float => "float",
        DataKind::String => "string",
        DataKind::Date => "date",
        DataKind::Datetime => "datetime",
        DataKind::Duration => "duration",
        DataKind::Size => "size",
        DataKind::Money => "money",
        DataKind::Enum(_) => "enum",
        DataKind::List(of) => return json!({ "kind": "list", "of": data_type(of) }),
        DataKind::Map(of) => return json!({ "kind": "map", "of": data_type(of) }),
        DataKind::Record(of) => {
            let fields: serde_json::Map<String, Json> = of
                .fields
                .iter()
                .map(|field| (field.name.clone(), data_type(&field.ty)))
                .collect();
            return json!({ "kind": "record", "fields": fields });
        }
    };
    json!({ "kind": kind })
}
