//! The operation `validate`: every constraint of the schema and every check must hold. The output is the same bytes.
//!
//! `data` → `output`. One streaming pass over the columns that some condition reads, row groups in parallel; a second
//! one, over key columns only, when a key seems to repeat. Everything that does not hold is told at once, with counts and
//! examples. Nothing is mended here, and nothing is dropped.

mod checks;
mod constraints;
mod drift;
mod measures;
mod report;
mod scan;
mod unique;

use camino::Utf8Path;
use mlp::plan::Checks;

use super::{Context, OperationError, Report, open_dataset, schema};

pub(super) fn run(name: &str, checks: Option<&Checks>, context: &Context) -> Result<Report, OperationError> {
    let schema = schema(context, name)?;
    let dataset = open_dataset(context, "data")?;
    let scan = scan::Scan::new(schema, checks, &dataset)?;
    let found = scan.run(context)?;
    let findings = checks::judge(&scan, found, context)?;
    let report = report::report(schema, &dataset, findings)?;
    pass_on(dataset.path(), &context.outputs.join("output"))?;
    Ok(report)
}

/// Gives the same bytes under another name: a second name for the file where the file system allows, else a copy.
fn pass_on(input: &Utf8Path, output: &Utf8Path) -> Result<(), OperationError> {
    let file = input.canonicalize_utf8().unwrap_or_else(|_| input.to_owned());
    if std::fs::hard_link(&file, output).is_ok() {
        return Ok(());
    }
    match std::fs::copy(&file, output) {
        Ok(_) => Ok(()),
        Err(source) => Err(OperationError::Io {
            action: format!("cannot copy {file} to {output}"),
            source,
        }),
    }
}
