//! How the end of a step's process is told.

use mlp::plan::Step;
use mlp::types::Value;

use crate::events::Failure;
use crate::process::{Ending, status_text};
use crate::python::ShimFailure;

/// Nothing when the step was cancelled.
///
/// # Errors
/// When it did not end well.
pub(crate) fn ended_well(
    step: &Step,
    ending: Ending,
    timeout: Option<u64>,
    told: Option<ShimFailure>,
    printed: Printed,
) -> Result<Option<()>, Failure> {
    match ending {
        Ending::Cancelled => Ok(None),
        Ending::TimedOut => Err(Failure {
            summary: format!(
                "`{}` was ended because it ran longer than its timeout of {}.",
                step.name,
                Value::Duration(timeout.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(0))
            ),
            details: printed.last_lines,
            help: Some("Give it more time with `timeout`, or make it faster.".to_owned()),
        }),
        Ending::Exited(status) if status.success() => Ok(Some(())),
        Ending::Exited(status) => Err(match told {
            Some(told) => Failure {
                summary: format!("`{}` {}", step.name, told.summary),
                details: told.details,
                help: told.help,
            },
            None => Failure {
                summary: format!("`{}` ended with {}.", step.name, status_text(status)),
                details: printed.last_lines,
                help: Some(printed.where_all.to_owned()),
            },
        }),
    }
}

/// What a step printed.
pub(crate) struct Printed {
    /// The last lines, where they are not in sight already.
    pub(crate) last_lines: Vec<String>,
    /// Where everything is, as a sentence.
    pub(crate) where_all: &'static str,
}

/// The failure of a step whose program cannot be started.
pub(crate) fn cannot_start(step: &Step, arguments: &[String], error: &std::io::Error) -> Failure {
    let program = arguments.first().map(String::as_str).unwrap_or_default();
    if error.kind() == std::io::ErrorKind::NotFound {
        return Failure::new(
            format!("`{}` cannot start: there is no program `{program}`.", step.name),
            "Install it, or write its path from the project's folder with a `/` in it, as `./tools/prepare`.",
        );
    }
    Failure::new(
        format!("`{}` cannot start `{program}`: {error}.", step.name),
        "See that the file is a program and may be executed.",
    )
}
