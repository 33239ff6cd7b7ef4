//! The argument vector of a command: its holes filled, each text as it is, never looked through again.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::{ArgumentPart, Port, Step};
use mlp::types::Value;

use super::Places;
use crate::store::{Artifact, Datum};
use crate::values::value_text;

/// The argument vector with its holes filled. A list that is an argument of its own becomes as many arguments.
pub(crate) fn fill(
    step: &Step,
    parts: &[Vec<ArgumentPart>],
    inputs: &BTreeMap<String, Datum>,
    places: &dyn Places,
) -> Vec<String> {
    let texts = |part: &ArgumentPart| match part {
        ArgumentPart::Text(text) => vec![text.clone()],
        ArgumentPart::Hole(name) => match output(step, name) {
            Some(port) => vec![places.output(port).into_string()],
            None => given(inputs, name, &|artifact| content(&places.path(artifact)).into_string()),
        },
        ArgumentPart::Uri(name) => match output(step, name) {
            Some(port) => vec![places.output_address(port)],
            None => given(inputs, name, &|artifact| places.address(artifact)),
        },
    };
    parts
        .iter()
        .flat_map(|argument| match argument.as_slice() {
            [only] => texts(only),
            several => vec![several.iter().map(|part| texts(part).join(",")).collect()],
        })
        .collect()
}

fn output<'s>(step: &'s Step, name: &str) -> Option<&'s Port> {
    step.outputs.iter().find(|port| port.name == name)
}

fn given(inputs: &BTreeMap<String, Datum>, name: &str, artifact: &dyn Fn(&Artifact) -> String) -> Vec<String> {
    inputs.get(name).map(|datum| texts(datum, artifact)).unwrap_or_default()
}

fn texts(datum: &Datum, artifact: &dyn Fn(&Artifact) -> String) -> Vec<String> {
    match datum {
        Datum::Value(Value::List(items)) => items.iter().map(value_text).collect(),
        Datum::Value(value) => vec![value_text(value)],
        Datum::Artifact(found) => vec![artifact(found)],
        Datum::List(items) => items.iter().flat_map(|item| texts(item, artifact)).collect(),
    }
}

/// Where a step finds an artifact: a model that is one file is given as that file.
pub(crate) fn content(path: &Utf8Path) -> Utf8PathBuf {
    let file = fs::read(path.join("model.json"))
        .ok()
        .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok())
        .and_then(|model| model.get("file")?.as_str().map(str::to_owned));
    match file.as_deref() {
        None | Some(".") => path.to_owned(),
        Some(file) => path.join(file),
    }
}
