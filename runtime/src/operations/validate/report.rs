//! The report of a validation: one line that says it all, then every condition that does not hold.

use mlp::types::Schema;
use serde_json::{Value as Json, json};

use super::checks::Finding;
use crate::data::dataset::Dataset;
use crate::data::words;
use crate::operations::{OperationError, Report, Verdict};

/// The report when everything holds.
///
/// # Errors
/// When a condition does not hold, or cannot be told.
pub(super) fn report(schema: &Schema, dataset: &Dataset, findings: Vec<Finding>) -> Result<Report, OperationError> {
    let verdict = verdict(&findings);
    let record = json!({
        "verdict": verdict,
        "schema": schema.name,
        "rows": dataset.rows(),
        "constraints": records(&findings, false),
        "checks": records(&findings, true),
    });
    let rows = words::counted(dataset.rows(), "row");
    let counts = [(false, "constraint"), (true, "check")].map(|(check, noun)| {
        let count = findings.iter().filter(|finding| finding.check == check).count();
        words::counted(count as u64, noun)
    });
    if verdict == Verdict::Pass {
        return Ok(Report {
            summary: format!("{rows}: {} hold", counts.join(" and ")),
            record,
            ..Report::default()
        });
    }
    let broken: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.verdict != Verdict::Pass)
        .collect();
    let first: Vec<String> = broken
        .iter()
        .take(3)
        .map(|finding| format!("`{}`", finding.text))
        .collect();
    let more = broken.len().saturating_sub(3);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let not = if verdict == Verdict::Fail {
        "do not hold"
    } else {
        "cannot be told"
    };
    let mut details: Vec<String> = broken
        .iter()
        .map(|finding| format!("{}: {}", finding.text, finding.told))
        .collect();
    details.push(
        "Mend the data where it comes from, or, where it is right, say so in the schema or the checks.".to_owned(),
    );
    Err(OperationError::Refused {
        verdict,
        summary: format!(
            "{} of {} for `{}` {not} in {rows}: {}{more}.",
            broken.len(),
            words::counted(findings.len() as u64, "condition"),
            schema.name,
            first.join(", "),
        ),
        details,
        record,
    })
}

fn verdict(findings: &[Finding]) -> Verdict {
    let any = |verdict: Verdict| findings.iter().any(|finding| finding.verdict == verdict);
    if any(Verdict::Fail) {
        Verdict::Fail
    } else if any(Verdict::InsufficientData) {
        Verdict::InsufficientData
    } else {
        Verdict::Pass
    }
}

fn records(findings: &[Finding], check: bool) -> Vec<&Json> {
    findings
        .iter()
        .filter(|finding| finding.check == check)
        .map(|finding| &finding.record)
        .collect()
}
