//! The operation `approve`: what was shown to a person goes on only with a yes, given before the run or to the platform that
//! asks. Nothing waits here.

use std::collections::BTreeMap;

use super::scoring;
use super::{Approval, Context, OperationError, Report, Verdict, gate};

/// `model` → `output`, the same.
pub(super) fn run(by: &str, message: &str, context: &Context) -> Result<Report, OperationError> {
    let model = scoring::artifact(context, "model")?;
    let record = serde_json::json!({ "by": by, "message": message, "digest": model.digest });
    let Approval { node, given } = context.approval;
    if !given {
        let mut details = vec![format!("`{by}` is asked: {}", question(message, context))];
        details.push(format!(
            "Who may say yes starts the run again with `--approve {node}`; what has run is not run again."
        ));
        return Err(OperationError::Refused {
            verdict: Verdict::Fail,
            summary: format!("`{by}` has not said yes"),
            details,
            record,
        });
    }
    gate::pass_on(context, model)?;
    Ok(Report {
        summary: format!("approved for `{by}`"),
        record,
        values: BTreeMap::new(),
    })
}

fn question(message: &str, context: &Context) -> String {
    match message.is_empty() {
        true => format!("May the model of `{}` go on?", context.approval.node),
        false => message.to_owned(),
    }
}
