//! The model card: what a version is for, how good it is, for whom, and where it comes from. Markdown, from the record
//! alone; it judges nothing.

use std::fmt::Write as _;

use mlp::types::Value;
use serde_json::Value as Json;

use super::Version;
use crate::metrics::{Estimate, MetricsReport};

/// Renders the card.
pub(super) fn render(version: &Version, docs: Option<&str>) -> String {
    let metrics = version.gate.as_ref().and_then(|gate| gate.get("metrics"));
    let metrics: Option<MetricsReport> = metrics.and_then(|metrics| serde_json::from_value(metrics.clone()).ok());
    let sections = [
        head(version),
        section(
            "Intended use",
            docs.unwrap_or("The project does not say. Write a doc comment (`///`) above the model."),
        ),
        section(
            "Metrics",
            &metrics.as_ref().map_or_else(|| NOT_RECORDED.to_owned(), quality),
        ),
        section(
            "Fairness",
            &metrics.as_ref().map_or_else(|| NOT_RECORDED.to_owned(), fairness),
        ),
        section("Gate", &conditions(version.gate.as_ref())),
        section("Challenge", &challenge(version)),
        section("Lineage", &lineage(version)),
    ];
    sections.concat()
}

const NOT_RECORDED: &str =
    "Not recorded: the evidence was attested by a step of the project, or comes from another registry.";

fn head(version: &Version) -> String {
    format!(
        "# {} version {}\n\nModel `{}`, registered {}.\n",
        version.name, version.version, version.model, version.created
    )
}

fn section(title: &str, body: &str) -> String {
    format!("\n## {title}\n\n{}\n", body.trim_end())
}

/// The metrics with their intervals, and by protected group.
pub(crate) fn quality(report: &MetricsReport) -> String {
    let mut text = format!(
        "On {} rows (data `{}`), with 95 % confidence intervals.\n\n{}",
        report.data.rows,
        report.data.digest,
        table(report.metrics.iter().map(|(name, estimate)| (name.clone(), estimate)))
    );
    for grouped in &report.groups {
        let _ = write!(text, "\nBy `{}`:\n\n| group | rows |", grouped.column);
        let names: Vec<&String> = grouped.groups.iter().flat_map(|group| group.metrics.keys()).collect();
        let shown: Vec<&str> = SHOWN_BY_GROUP
            .iter()
            .copied()
            .filter(|name| names.iter().any(|each| each == name))
            .collect();
        for name in &shown {
            let _ = write!(text, " {name} |");
        }
        let _ = writeln!(text, "\n|---|---|{}", "---|".repeat(shown.len()));
        for group in &grouped.groups {
            let _ = write!(text, "| {} | {} |", cell(&group.name), group.rows);
            for name in &shown {
                let value = group
                    .metrics
                    .get(*name)
                    .map_or_else(|| "too few rows".to_owned(), Estimate::brief);
                let _ = write!(text, " {} |", cell(&value));
            }
            text.push('\n');
        }
    }
    text
}

/// Of the metrics by group a card shows those that people compare.
const SHOWN_BY_GROUP: [&str; 8] = [
    "auc",
    "recall",
    "precision",
    "selection_rate",
    "ece",
    "accuracy",
    "rmse",
    "mae",
];

/// The fairness metrics with their intervals.
pub(crate) fn fairness(report: &MetricsReport) -> String {
    let rows: Vec<_> = report
        .groups
        .iter()
        .flat_map(|grouped| {
            let column = &grouped.column;
            grouped
                .fairness
                .iter()
                .map(move |(name, estimate)| (format!("{name}({column})"), estimate))
        })
        .collect();
    if rows.is_empty() {
        return "No fairness metric was computed: the data has no `@protected` column, or the task is no binary \
                classification."
            .to_owned();
    }
    table(rows.into_iter())
}

fn table<'a>(rows: impl Iterator<Item = (String, &'a Estimate)>) -> String {
    let mut text = "| metric | value | n |\n|---|---|---|\n".to_owned();
    for (name, estimate) in rows {
        let _ = writeln!(text, "| {name} | {} | {} |", cell(&estimate.brief()), estimate.n);
    }
    text
}

fn conditions(record: Option<&Json>) -> String {
    let Some(conditions) = record
        .and_then(|record| record.get("conditions"))
        .and_then(Json::as_array)
    else {
        return NOT_RECORDED.to_owned();
    };
    let mut text = "| condition | verdict |\n|---|---|\n".to_owned();
    for condition in conditions {
        let of = |name: &str| {
            condition
                .get(name)
                .and_then(Json::as_str)
                .unwrap_or_default()
                .replace('_', " ")
        };
        let written = condition.get("text").and_then(Json::as_str).unwrap_or_default();
        let _ = writeln!(text, "| `{}` | {} |", cell(written), of("verdict"));
    }
    text
}

fn challenge(version: &Version) -> String {
    let Some(record) = &version.challenge else {
        return NOT_RECORDED.to_owned();
    };
    let of = |name: &str| record.get(name).cloned().unwrap_or_default();
    let champion = of("champion");
    let against = if of("same_model") == Json::Bool(true) {
        "Against the champion, which is the same model".to_owned()
    } else {
        format!("Against the model `{}`", champion.as_str().unwrap_or("unknown"))
    };
    let data = of("data");
    let rows = data.get("rows").and_then(Json::as_u64).unwrap_or_default();
    format!(
        "{against}, paired on {rows} rows, one-sided confidence {}.\n\n{}",
        of("confidence"),
        conditions(Some(record))
    )
}

fn lineage(version: &Version) -> String {
    let lineage = &version.lineage;
    let mut text = "| | |\n|---|---|\n".to_owned();
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(text, "| {name} | `{}` |", cell(value));
    };
    row("Artifact", &version.digest);
    row("Run", &lineage.run);
    row("Pipeline", &lineage.pipeline);
    match &lineage.commit {
        Some(commit) if lineage.dirty => row("Commit", &format!("{commit}, with changes that are not committed")),
        Some(commit) => row("Commit", commit),
        None => row("Commit", "none"),
    }
    for (name, value) in &lineage.parameters {
        row(&format!("Parameter `{name}`"), &parameter(value));
    }
    for (name, digest) in &lineage.artifacts {
        row(&format!("Artifact `{name}`"), digest);
    }
    for (node, packages) in &lineage.environments {
        row(&format!("Packages of `{node}`"), &packages.join(", "));
    }
    text
}

/// A parameter's value for people; compound values as JSON.
fn parameter(value: &Value) -> String {
    match value {
        Value::None => "none".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::String(text) | Value::Date(text) | Value::Datetime(text) | Value::Enum(text) => text.clone(),
        Value::Duration(milliseconds) => crate::data::duration::text(*milliseconds),
        Value::Size(bytes) => format!("{bytes} bytes"),
        Value::Money { .. } | Value::List(_) | Value::Map(_) => serde_json::to_string(value).unwrap_or_default(),
    }
}

/// Text that stays within its cell of a table.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}
