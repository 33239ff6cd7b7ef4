//! The operation `read`: lands a CSV, Parquet or JSON Lines file as a dataset. It judges no constraint: data is dirty
//! until validated.
//!
//! `source` → `output`. The source is a path, from the project's root unless absolute, or a file that a step wrote.

use camino::{Utf8Path, Utf8PathBuf};
use mlp::types::Value;
use serde_json::json;

use super::{Context, Item, OperationError, Report, input, schema};
use crate::data::reading::{Format, Source, land};
use crate::data::words;

pub(super) fn run(name: &str, context: &Context) -> Result<Report, OperationError> {
    let schema = schema(context, name)?;
    let (path, shown, format) = source(context)?;
    let source = Source {
        path: &path,
        name: &shown,
        format,
        schema,
        cancelled: context.cancelled,
        log: context.log,
    };
    let rows = land(&source, &context.outputs.join("output"))?;
    let columns = schema.columns.len() as u64;
    Ok(Report {
        summary: format!("{}, {}", words::counted(rows, "row"), words::counted(columns, "column")),
        record: json!({ "source": shown, "rows": rows, "columns": columns }),
        ..Report::default()
    })
}

/// The file, how messages call it, and its form.
fn source(context: &Context) -> Result<(Utf8PathBuf, String, Format), OperationError> {
    match input(context, "source")? {
        Item::Value(Value::String(text)) => {
            let path = context.project.join(text);
            let format = Format::of_extension(Utf8Path::new(text)).ok_or_else(|| unknown_form(text, &path))?;
            Ok((path, text.clone(), format))
        }
        Item::Artifact { path, .. } => {
            let format = match Format::of_extension(path) {
                Some(format) => format,
                None => Format::of_content(path)?,
            };
            Ok((path.clone(), path.to_string(), format))
        }
        Item::Value(_) | Item::List(_) => Err(OperationError::Input {
            summary: "`read` was given neither a path nor a file.".to_owned(),
            help: "Pass a string with the path of a .csv, .parquet, .jsonl or .ndjson file.".to_owned(),
        }),
    }
}

fn unknown_form(text: &str, path: &Utf8Path) -> OperationError {
    if path.is_dir() {
        return OperationError::Input {
            summary: format!("{text} is a folder."),
            help: "Name a .csv, .parquet, .jsonl or .ndjson file.".to_owned(),
        };
    }
    OperationError::Input {
        summary: format!("The extension of {text} names no form that `read` knows."),
        help: "It reads .csv, .parquet, .jsonl and .ndjson; unpack a compressed file first.".to_owned(),
    }
}
