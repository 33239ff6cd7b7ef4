//! What a step has given: every declared output must be there, be of the right kind, and fit its type.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::{Plan, Port, PortType};
use mlp::types::DataType;

use crate::data::dataset::Dataset;
use crate::events::Failure;
use crate::operations::OperationError;
use crate::values;

/// The longest text that a value output may have.
const LONGEST_VALUE: u64 = 16 << 20;

/// How a step writes values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueFormat {
    /// As the language writes them: commands.
    Text,
    /// As plain JSON: Python functions.
    Json,
}

/// Checks that every output is there, of the right kind, and readable as what it is declared to be.
///
/// # Errors
/// For the first that is not.
pub(crate) fn check(
    plan: &Plan,
    step: &str,
    ports: &[Port],
    path: &dyn Fn(&Port) -> Utf8PathBuf,
) -> Result<(), Failure> {
    ports
        .iter()
        .try_for_each(|port| check_one(plan, step, port, &path(port)))
}

fn check_one(plan: &Plan, step: &str, port: &Port, path: &Utf8Path) -> Result<(), Failure> {
    let Ok(metadata) = fs::metadata(path) else {
        return Err(Failure::new(
            format!("`{step}` ended well but did not write its output `{}`.", port.name),
            format!("Let it write {} to the path it is given: `{path}`.", expected(&port.ty)),
        ));
    };
    let wrong_kind = match &port.ty {
        PortType::Directory => !metadata.is_dir(),
        PortType::Model { .. } | PortType::Opaque | PortType::Custom { .. } => false,
        PortType::Value(_)
        | PortType::Dataset { .. }
        | PortType::Metrics { .. }
        | PortType::File
        | PortType::Html
        | PortType::Markdown
        | PortType::Deployment { .. }
        | PortType::List(_) => !metadata.is_file(),
    };
    if wrong_kind {
        let found = if metadata.is_dir() { "a folder" } else { "a file" };
        return Err(Failure::new(
            format!(
                "`{step}` wrote {found} as its output `{}`, which is declared as {}.",
                port.name,
                expected(&port.ty)
            ),
            format!(
                "Let it write {} to `{path}`, or change the declaration.",
                expected(&port.ty)
            ),
        ));
    }
    match &port.ty {
        PortType::Dataset { schema, .. } => check_dataset(plan, step, port, schema, path),
        PortType::Metrics { .. } => check_json(step, port, path),
        PortType::Value(_)
        | PortType::Model { .. }
        | PortType::File
        | PortType::Directory
        | PortType::Html
        | PortType::Markdown
        | PortType::Opaque
        | PortType::Custom { .. }
        | PortType::Deployment { .. }
        | PortType::List(_) => Ok(()),
    }
}

/// A dataset has every column of its schema, at a type that fits. Values are for `validate` to judge.
fn check_dataset(plan: &Plan, step: &str, port: &Port, schema: &str, path: &Utf8Path) -> Result<(), Failure> {
    let Some(schema) = plan.schemas.get(schema) else {
        return Err(super::broken_plan(&format!("there is no schema `{schema}`")));
    };
    let name = format!("the output `{}` of `{step}`", port.name);
    let dataset = Dataset::open_named(path, &name).map_err(|error| Failure {
        summary: format!(
            "`{step}` wrote an output `{}` that is no `Dataset<{}>`.",
            port.name, schema.name
        ),
        details: vec![error.to_string()],
        help: Some(format!("A dataset is a Parquet file; let `{step}` write one.")),
    })?;
    dataset.wanted(schema).map(|_| ()).map_err(|error| match error {
        OperationError::Input { summary, help } => Failure {
            summary: format!(
                "`{step}` wrote an output `{}` that is no `Dataset<{}>`.",
                port.name, schema.name
            ),
            details: summary.lines().map(str::to_owned).collect(),
            help: Some(help),
        },
        OperationError::Refused { summary, details, .. } => Failure {
            summary,
            details,
            help: None,
        },
        error @ (OperationError::Io { .. } | OperationError::Predict(_) | OperationError::Cancelled) => Failure {
            summary: error.to_string(),
            ..Failure::default()
        },
    })
}

fn check_json(step: &str, port: &Port, path: &Utf8Path) -> Result<(), Failure> {
    let parsed = fs::read(path)
        .map_err(|error| error.to_string())
        .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).map_err(|error| error.to_string()));
    parsed.map(|_| ()).map_err(|error| {
        Failure::new(
            format!("`{step}` wrote an output `{}` that is no JSON: {error}.", port.name),
            "Metrics are one JSON object.",
        )
    })
}

/// The value that a step wrote as an output.
///
/// # Errors
/// When it is no value of the declared type.
pub(crate) fn read_value(
    step: &str,
    port: &Port,
    ty: &DataType,
    path: &Utf8Path,
    format: ValueFormat,
) -> Result<mlp::types::Value, Failure> {
    let wrong = |message: &str| {
        Failure::new(
            format!("`{step}` gave an output `{}` that does not fit: {message}.", port.name),
            format!("It is declared as `{ty}`; let the step give that, or change the declaration."),
        )
    };
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() > LONGEST_VALUE) {
        return Err(wrong("it is longer than 16MiB; declare what is large as a `File`"));
    }
    let text = fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
    match format {
        // A shell's `echo` ends the text with a line break that is not meant.
        ValueFormat::Text => values::parse_argument(ty, text.strip_suffix('\n').unwrap_or(&text)),
        ValueFormat::Json => serde_json::from_str(&text)
            .map_err(|error| format!("it is no JSON: {error}"))
            .and_then(|json| values::from_json(ty, &json))
            .and_then(|value| values::check(ty, &value).map(|()| value)),
    }
    .map_err(|message| wrong(&message))
}

/// A model is a folder with a `model.json` that describes it. What a command wrote otherwise gets one; a `model.json` that
/// some library wrote for itself stays as it is, one folder deeper.
pub(crate) fn as_model(path: &Utf8Path) -> std::io::Result<()> {
    let description = path.join("model.json");
    if describes_a_model(&description) {
        return Ok(());
    }
    if path.is_dir() && !description.exists() {
        return fs::write(description, r#"{"format":"path","file":"."}"#);
    }
    let content = Utf8PathBuf::from(format!("{path}.content"));
    fs::rename(path, &content)?;
    fs::create_dir(path)?;
    fs::rename(&content, path.join("model"))?;
    fs::write(description, r#"{"format":"path","file":"model"}"#)
}

fn describes_a_model(description: &Utf8Path) -> bool {
    let parsed = fs::read(description).map(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes));
    matches!(parsed, Ok(Ok(json)) if json.get("format").is_some_and(serde_json::Value::is_string))
}

fn expected(ty: &PortType) -> String {
    match ty {
        PortType::Value(of) => format!("a text file with a value of type `{of}`"),
        PortType::Dataset { .. } => "a Parquet file".to_owned(),
        PortType::Model { .. } => "the model, a file or a folder,".to_owned(),
        PortType::Metrics { .. } => "a JSON file of metrics".to_owned(),
        PortType::File => "a file".to_owned(),
        PortType::Directory => "a folder".to_owned(),
        PortType::Html => "an HTML file".to_owned(),
        PortType::Markdown => "a Markdown file".to_owned(),
        PortType::Opaque | PortType::Custom { .. } => "a file or a folder".to_owned(),
        PortType::Deployment { .. } => "a JSON file".to_owned(),
        PortType::List(_) => "a list, which only a loop can give".to_owned(),
    }
}
