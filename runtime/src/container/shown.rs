//! What a platform shows beside artifacts: numbers of metrics, confusion matrices and curves in the form that Kubeflow's
//! pages draw, and pages for people. It is written also when a stage does not pass.

use std::collections::BTreeMap;

use mlp::plan::{Operation, Port};
use serde_json::{Map, Value as Json, json};

use super::assignment::Assignment;
use super::message::clear;
use super::{pages, unwritable};
use crate::events::Failure;
use crate::metrics::MetricsReport;
use crate::node::Places;
use crate::registry::write_atomically;

/// What is to be shown.
#[derive(Default)]
pub(super) struct Shown {
    /// The types of the outputs on the platform, by output.
    titles: BTreeMap<String, String>,
    metadata: BTreeMap<String, Map<String, Json>>,
    /// Contents of the outputs that the platform has beyond the node's own.
    files: BTreeMap<String, String>,
}

impl Shown {
    /// What is known of an operation's end.
    pub(super) fn of(
        operation: &Operation,
        assignment: &Assignment,
        verdict: &str,
        summary: &str,
        details: &[String],
        record: &Json,
    ) -> Self {
        let mut shown = Self::default();
        let own = &assignment.task.node.outputs;
        for (name, list) in &assignment.message.outputs.artifacts {
            let Some(artifact) = list.artifacts.first() else {
                continue;
            };
            let title = artifact.schema.schema_title.as_str();
            shown.titles.insert(name.clone(), title.to_owned());
            if own.iter().any(|port| port.name == *name) {
                continue;
            }
            let metadata = metadata(title, record);
            let text = match title {
                "system.Markdown" => pages::page(&pages::Told {
                    operation,
                    node: &assignment.task.node.id,
                    verdict,
                    summary,
                    details,
                    record,
                }),
                _ => format!("{:#}\n", Json::Object(metadata.clone())),
            };
            shown.files.insert(name.clone(), text);
            shown.metadata.insert(name.clone(), metadata);
        }
        shown
    }

    /// Adds an output of the node's own, which is written already.
    pub(super) fn output(&mut self, port: &Port, record: &Json) {
        let title = self.titles.get(&port.name).map(String::as_str).unwrap_or_default();
        let metadata = metadata(title, record);
        self.metadata.insert(port.name.clone(), metadata);
    }

    /// Adds an artifact with what is known of it already.
    pub(super) fn artifact(&mut self, name: &str, metadata: &Map<String, Json>) {
        self.metadata.insert(name.to_owned(), metadata.clone());
    }

    /// Writes the pages and the platform's message.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn write(&self, assignment: &Assignment) -> Result<(), Failure> {
        for (name, text) in &self.files {
            let Some(artifact) = assignment.message.output(name) else {
                continue;
            };
            let path = artifact.path();
            let written = clear(&path).and_then(|()| write_atomically(&path, text.as_bytes()));
            written.map_err(|error| unwritable(&path, &error))?;
        }
        let written = assignment.message.write_output(&self.metadata);
        written.map_err(|error| unwritable(assignment.message.outputs.output_file.as_str().into(), &error))
    }
}

impl Assignment {
    /// What the platform knows of an artifact that was brought.
    pub(super) fn metadata(&self, artifact: &crate::store::Artifact) -> Map<String, Json> {
        let address = self.address(artifact);
        let lists = self.message.inputs.artifacts.values();
        let mut all = lists.flat_map(|list| &list.artifacts);
        all.find(|each| each.uri == address)
            .map(|each| each.metadata.clone())
            .unwrap_or_default()
    }
}

/// What is shown beside an artifact of a type.
fn metadata(title: &str, record: &Json) -> Map<String, Json> {
    match title {
        "system.Metrics" => numbers(record),
        "system.ClassificationMetrics" => classification(record),
        "system.Dataset" => picked(record, &["rows", "columns"]),
        "system.Model" => picked(
            record.get("registered").unwrap_or(record),
            &["name", "version", "digest"],
        ),
        _ => Map::new(),
    }
}

fn picked(record: &Json, names: &[&str]) -> Map<String, Json> {
    let found = names
        .iter()
        .filter_map(|&name| Some((name.to_owned(), record.get(name)?.clone())));
    found
        .filter(|(_, value)| !value.is_object() && !value.is_array())
        .collect()
}

/// The metrics that a record holds: it is a report, or has the one that was judged.
pub(super) fn report(record: &Json) -> Option<MetricsReport> {
    let held = record.get("metrics").filter(|metrics| metrics.get("format").is_some());
    serde_json::from_value(held.unwrap_or(record).clone()).ok()
}

/// The numbers of a record, by name.
pub(crate) fn numbers(record: &Json) -> Map<String, Json> {
    let mut numbers = picked(record, &["rows"]);
    if let Some(verdict) = record.get("verdict") {
        numbers.insert("verdict".to_owned(), verdict.clone());
    }
    let Some(report) = report(record) else { return numbers };
    numbers.insert("rows".to_owned(), json!(report.data.rows));
    let mut add = |name: String, value: Option<f64>| {
        if let Some(value) = value {
            numbers.insert(name, json!(value));
        }
    };
    for (name, estimate) in &report.metrics {
        add(name.clone(), estimate.value);
    }
    for grouped in &report.groups {
        for (name, estimate) in &grouped.fairness {
            add(format!("{name}({})", grouped.column), estimate.value);
        }
    }
    numbers
}

/// The confusion matrix and the curve of a record, as `system.ClassificationMetrics` has them.
fn classification(record: &Json) -> Map<String, Json> {
    let mut shown = Map::new();
    let Some(report) = report(record) else { return shown };
    let curves = report.curves;
    if !curves.classes.is_empty() {
        let specs: Vec<Json> = curves
            .classes
            .iter()
            .map(|class| json!({ "displayName": class }))
            .collect();
        let rows: Vec<Json> = curves.confusion.iter().map(|row| json!({ "row": row })).collect();
        shown.insert(
            "confusionMatrix".to_owned(),
            json!({ "annotationSpecs": specs, "rows": rows }),
        );
    }
    if !curves.roc.is_empty() {
        let point = |(false_positives, recall, threshold): &(f64, f64, Option<f64>)| {
            // A curve begins above every prediction, which are probabilities.
            json!({
                "confidenceThreshold": threshold.unwrap_or(1.0),
                "falsePositiveRate": false_positives,
                "recall": recall,
            })
        };
        let points: Vec<Json> = curves.roc.iter().map(point).collect();
        shown.insert("confidenceMetrics".to_owned(), Json::Array(points));
    }
    shown
}
