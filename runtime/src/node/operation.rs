//! How the end of a built-in operation is told, and what of it is a decision that goes into the audit trail.

use mlp::plan::Operation;
use serde_json::Value as Json;

use crate::events::Failure;
use crate::operations::{OperationError, Report, Verdict};

/// Why an operation did not succeed, as a run tells it.
pub(crate) enum Told {
    /// The data or the model did not pass; the record has the verdict.
    Refused(Failure, Box<Json>),
    /// It broke.
    Failed(Failure),
    /// The run was cancelled.
    Cancelled,
}

/// Tells the error of an operation.
pub(crate) fn tell(error: OperationError, callee: &str, cancelled: bool) -> Told {
    match error {
        OperationError::Cancelled => Told::Cancelled,
        OperationError::Refused {
            verdict,
            summary,
            details,
            record,
        } => {
            let failure = Failure {
                summary,
                details,
                help: None,
            };
            Told::Refused(failure, Box::new(with_verdict(record, verdict)))
        }
        OperationError::Input { summary, help } => Told::Failed(Failure::new(summary, help)),
        error @ OperationError::Io { .. } => Told::Failed(Failure::new(
            format!("`{callee}` could not go on: {error}."),
            "Make room on the disk, and see that the files may be read and written; nothing was left half-written.",
        )),
        OperationError::Predict(_) if cancelled => Told::Cancelled,
        OperationError::Predict(error) => Told::Failed(Failure {
            summary: error.summary,
            details: error.details,
            help: None,
        }),
    }
}

fn with_verdict(mut record: Json, verdict: Verdict) -> Json {
    if record.is_null() {
        record = serde_json::json!({});
    }
    if let Some(fields) = record.as_object_mut() {
        fields.entry("verdict").or_insert_with(|| serde_json::json!(verdict));
    }
    record
}

/// What an operation decided.
pub(crate) struct Decision<'r> {
    /// The operation.
    pub(crate) action: &'static str,
    /// How it came out.
    pub(crate) verdict: &'static str,
    /// In one line.
    pub(crate) summary: &'r str,
    /// The facts.
    pub(crate) record: &'r Json,
}

/// The decision of an operation; nothing for one that decides nothing, or that could not decide.
pub(crate) fn decision<'r>(operation: &Operation, result: &'r Result<Report, OperationError>) -> Option<Decision<'r>> {
    let action = match operation {
        Operation::Validate { .. } => "validate",
        Operation::Gate { .. } => "gate",
        Operation::Challenge(_) => "challenge",
        Operation::Approve { .. } => "approve",
        Operation::Register { .. } => "register",
        Operation::Deploy { .. } => "deploy",
        Operation::Read { .. }
        | Operation::Features(_)
        | Operation::Project(_)
        | Operation::Split { .. }
        | Operation::Mask { .. }
        | Operation::Predict { .. }
        | Operation::Evaluate { .. }
        | Operation::Champion { .. }
        | Operation::Prior { .. } => return None,
    };
    let (verdict, summary, record) = match result {
        Ok(report) => ("pass", &report.summary, &report.record),
        Err(OperationError::Refused {
            verdict,
            summary,
            record,
            ..
        }) => {
            let verdict = match verdict {
                Verdict::Pass => "pass",
                Verdict::Fail => "fail",
                Verdict::InsufficientData => "insufficient_data",
            };
            (verdict, summary, record)
        }
        Err(
            OperationError::Input { .. }
            | OperationError::Io { .. }
            | OperationError::Predict(_)
            | OperationError::Cancelled,
        ) => return None,
    };
    Some(Decision {
        action,
        verdict,
        summary,
        record,
    })
}
