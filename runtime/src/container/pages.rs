//! Pages for people about a stage, in Markdown, from its record alone: every condition with its value and verdict, what is
//! wrong with the data and where, metrics with their intervals. They judge nothing.

use std::fmt::Write as _;

use mlp::plan::Operation;
use serde_json::Value as Json;

use super::shown;
use crate::data::words::thousands;
use crate::metrics::MetricsReport;
use crate::registry::{cell, fairness_table, quality_tables};

/// What a page is about.
pub(crate) struct Told<'a> {
    pub(crate) operation: &'a Operation,
    pub(crate) node: &'a str,
    pub(crate) verdict: &'a str,
    pub(crate) summary: &'a str,
    /// The lines below the summary, of a stage that did not pass.
    pub(crate) details: &'a [String],
    pub(crate) record: &'a Json,
}

/// The page.
pub(crate) fn page(told: &Told<'_>) -> String {
    let mut text = format!("# {}\n\n{}\n", cell(told.node), head(told));
    match told.operation {
        Operation::Validate { .. } => validation(&mut text, told.record),
        Operation::Evaluate { .. } => evaluation(&mut text, told.record),
        Operation::Gate { .. } | Operation::Challenge(_) => {
            conditions(&mut text, told.record);
            if let Some(report) = shown::report(told.record) {
                metrics(&mut text, &report);
            }
        }
        Operation::Register { .. } => facts(&mut text, told.record.get("registered"), &["name", "version", "digest"]),
        Operation::Deploy { .. } => {
            let deployment = told.record.get("deployment");
            facts(&mut text, deployment, &["service", "platform", "model", "at", "run"]);
            let version = deployment.and_then(|deployment| deployment.get("version"));
            facts(&mut text, version, &["name", "version", "digest"]);
        }
        Operation::Read { .. }
        | Operation::Features(_)
        | Operation::Project(_)
        | Operation::Split { .. }
        | Operation::Mask { .. }
        | Operation::Predict { .. }
        | Operation::Champion { .. }
        | Operation::Prior { .. }
        | Operation::Approve { .. } => {}
    }
    details(&mut text, told.details);
    text
}

fn head(told: &Told<'_>) -> String {
    let verdict = match (told.operation, told.verdict) {
        (Operation::Validate { .. } | Operation::Gate { .. } | Operation::Challenge(_), "pass") => "✓ passed: ",
        (_, "pass") => "",
        (_, "insufficient_data") => "? the data cannot tell: ",
        (_, _) => "✗ did not pass: ",
    };
    format!("{verdict}{}", cell(told.summary))
}

/// What stands only in the message: where a value lies, what to do.
fn details(text: &mut String, details: &[String]) {
    if details.is_empty() {
        return;
    }
    text.push_str("\n## Details\n\n");
    for line in details.iter().flat_map(|detail| detail.lines()) {
        let _ = writeln!(text, "    {line}");
    }
}

/// Every constraint and check of a validation: whether it holds, how many rows break it, and examples.
fn validation(text: &mut String, record: &Json) {
    for (key, title, name) in [
        ("constraints", "Constraints", "constraint"),
        ("checks", "Checks", "check"),
    ] {
        let found = record
            .get(key)
            .and_then(Json::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        if found.is_empty() {
            continue;
        }
        let _ = write!(
            text,
            "\n## {title}\n\n| | {name} | found | examples |\n|---|---|---|---|\n"
        );
        for finding in found {
            let written = finding.get(name).and_then(Json::as_str).unwrap_or_default();
            let column = finding.get("column").and_then(Json::as_str);
            let condition = match column {
                Some(column) if !written.starts_with(column) => format!("{column}: {written}"),
                Some(_) | None => written.to_owned(),
            };
            let _ = writeln!(
                text,
                "| {} | `{}` | {} | {} |",
                sign(finding),
                cell(&condition),
                cell(&found_words(finding)),
                cell(&examples(finding))
            );
        }
    }
}

fn sign(finding: &Json) -> &'static str {
    match (
        finding.get("verdict").and_then(Json::as_str),
        finding.get("passed").and_then(Json::as_bool),
    ) {
        (Some("pass"), _) | (None, Some(true)) => "✓",
        (Some("insufficient_data"), _) => "?",
        (_, _) => "✗",
    }
}

fn found_words(finding: &Json) -> String {
    if let Some(count) = finding.get("violations").and_then(Json::as_u64) {
        return match count {
            0 => String::new(),
            1 => "1 row".to_owned(),
            count => format!("{} rows", thousands(count)),
        };
    }
    let told = finding
        .get("shown")
        .or_else(|| finding.get("note"))
        .and_then(Json::as_str);
    told.unwrap_or_default().to_owned()
}

fn examples(finding: &Json) -> String {
    let examples = finding
        .get("examples")
        .and_then(Json::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let shown = examples
        .iter()
        .map(|example| match (example.get("row"), example.get("value")) {
            (Some(row), Some(value)) => format!("row {row}: {}", text(value)),
            (_, _) => text(example),
        });
    shown.collect::<Vec<_>>().join("; ")
}

/// Every condition with its values and its verdict.
fn conditions(text: &mut String, record: &Json) {
    let found = record
        .get("conditions")
        .and_then(Json::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    text.push_str("\n## Conditions\n\n| | condition | found |\n|---|---|---|\n");
    for condition in found {
        let of = |name: &str| condition.get(name).and_then(Json::as_str).unwrap_or_default();
        let _ = writeln!(
            text,
            "| {} | `{}` | {} |",
            sign(condition),
            cell(of("text")),
            cell(of("told"))
        );
    }
}

fn evaluation(text: &mut String, record: &Json) {
    let Some(report) = shown::report(record) else { return };
    metrics(text, &report);
    let curves = &report.curves;
    if curves.classes.is_empty() {
        return;
    }
    text.push_str("\n## Confusion matrix\n\nRows are labels, columns decisions.\n\n| |");
    for class in &curves.classes {
        let _ = write!(text, " {} |", cell(class));
    }
    let _ = writeln!(text, "\n|---|{}", "---|".repeat(curves.classes.len()));
    for (class, row) in curves.classes.iter().zip(&curves.confusion) {
        let _ = write!(text, "| {} |", cell(class));
        for count in row {
            let _ = write!(text, " {} |", thousands(*count));
        }
        text.push('\n');
    }
}

fn metrics(text: &mut String, report: &MetricsReport) {
    let _ = write!(text, "\n## Metrics\n\n{}", quality_tables(report));
    if report.groups.iter().any(|grouped| !grouped.fairness.is_empty()) {
        let _ = write!(text, "\n## Fairness\n\n{}", fairness_table(report));
    }
}

fn facts(text: &mut String, record: Option<&Json>, names: &[&str]) {
    let Some(record) = record else { return };
    text.push_str("\n| | |\n|---|---|\n");
    for name in names {
        let value = match record.get(name) {
            Some(Json::String(value)) => value.clone(),
            Some(Json::Null) | None => continue,
            Some(value) => value.to_string(),
        };
        let _ = writeln!(text, "| {name} | {} |", cell(&value));
    }
}
