//! The metrics of a model on data as a file: what `evaluate` writes and `gate` reads. JSON, without raw predictions.

use std::collections::BTreeMap;

use mlp::plan::{MetricReference, Task};
use serde::{Deserialize, Serialize};

use super::{CalibrationBin, Estimate, Evaluation, MetricId, Sample, fairness, latency};

/// The value of [`MetricsReport::format`].
pub const REPORT_FORMAT: &str = "mlp.metrics/1";

/// Metrics of one model on one dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricsReport {
    /// [`REPORT_FORMAT`]
    pub format: String,
    /// The model they are about.
    pub model: ModelSummary,
    /// The data they come from.
    pub data: DataSummary,
    /// The learning task.
    pub task: Task,
    /// Every metric of the task, and latency, by name.
    pub metrics: BTreeMap<String, Estimate>,
    /// By protected column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupReport>,
    /// What is drawn rather than compared.
    pub curves: Curves,
}

/// A model artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelSummary {
    /// The model type's name in the program.
    pub name: String,
    /// The artifact's digest.
    pub digest: String,
}

/// A dataset artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataSummary {
    /// The artifact's digest.
    pub digest: String,
    /// Its rows.
    pub rows: u64,
}

/// The metrics by group of a protected column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupReport {
    /// The column.
    pub column: String,
    /// Its groups.
    pub groups: Vec<GroupMetrics>,
    /// The fairness metrics between them, by name; none but for binary classification.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fairness: BTreeMap<String, Estimate>,
}

/// The metrics of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupMetrics {
    /// The group.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// The task's metrics on its rows; none when there are fewer than [`fairness::SMALLEST_GROUP`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, Estimate>,
}

/// Curves and tables.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    /// The classes of the confusion matrix, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// Rows by label, then by decision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confusion: Vec<Vec<u64>>,
    /// False positive rate, true positive rate, threshold (absent at the start); at most [`ROC_POINTS`] points.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roc: Vec<(f64, f64, Option<f64>)>,
    /// Ten bins of predicted probability.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calibration: Vec<CalibrationBin>,
}

/// How many points of a ROC curve are kept.
const ROC_POINTS: usize = 200;

impl MetricsReport {
    /// Computes everything.
    #[must_use]
    pub fn new(model: ModelSummary, digest: &str, task: Task, evaluation: &Evaluation, latencies: &[f64]) -> Self {
        let mut metrics = BTreeMap::new();
        let mut fairness: BTreeMap<String, BTreeMap<String, Estimate>> = BTreeMap::new();
        for (MetricId { name, column }, estimate) in evaluation.estimates() {
            match column {
                Some(column) => fairness.entry(column).or_default().insert(name, estimate),
                None => metrics.insert(name, estimate),
            };
        }
        for percentile in latency::PERCENTILES {
            metrics.insert(
                percentile.name.to_owned(),
                latency::percentile(latencies, percentile.quantile),
            );
        }
        let group_report = |grouping: &super::Grouping| GroupReport {
            column: grouping.column.clone(),
            groups: grouping
                .names
                .iter()
                .zip(grouping.rows())
                .map(|(name, rows)| group(evaluation, name, &rows))
                .collect(),
            fairness: fairness.remove(&grouping.column).unwrap_or_default(),
        };
        Self {
            format: REPORT_FORMAT.to_owned(),
            model,
            data: DataSummary {
                digest: digest.to_owned(),
                rows: evaluation.sample.rows() as u64,
            },
            task,
            metrics,
            groups: evaluation.groupings.iter().map(group_report).collect(),
            curves: curves(&evaluation.sample),
        }
    }

    /// The estimate a condition reads; `None` when the report has no such metric.
    #[must_use]
    pub fn estimate(&self, reference: &MetricReference) -> Option<&Estimate> {
        match &reference.column {
            None => self.metrics.get(&reference.metric),
            Some(column) => {
                let report = self.groups.iter().find(|report| report.column == *column)?;
                report.fairness.get(&reference.metric)
            }
        }
    }

    /// Every name a condition may use, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let fairness = self.groups.iter().flat_map(|report| {
            let column = &report.column;
            report.fairness.keys().map(move |name| format!("{name}({column})"))
        });
        self.metrics.keys().cloned().chain(fairness).collect()
    }
}

fn group(evaluation: &Evaluation, name: &str, rows: &[usize]) -> GroupMetrics {
    let large = rows.len() as u64 >= fairness::SMALLEST_GROUP;
    let metrics = if large {
        let alone = Evaluation {
            sample: evaluation.sample.pick(rows),
            groupings: Vec::new(),
        };
        alone
            .estimates()
            .into_iter()
            .map(|(id, estimate)| (id.name, estimate))
            .collect()
    } else {
        BTreeMap::new()
    };
    GroupMetrics {
        name: name.to_owned(),
        rows: rows.len() as u64,
        metrics,
    }
}

fn curves(sample: &Sample) -> Curves {
    let once = vec![1; sample.rows()];
    match sample {
        Sample::Binary(sample) => {
            let view = sample.view(&once);
            let confusion = view.confusion;
            Curves {
                classes: vec!["negative".to_owned(), "positive".to_owned()],
                confusion: vec![
                    vec![confusion.true_negatives, confusion.false_positives],
                    vec![confusion.false_negatives, confusion.true_positives],
                ],
                roc: thin(view.roc()),
                calibration: view.calibration().to_vec(),
            }
        }
        Sample::Multiclass(sample) => {
            let view = sample.view(&once);
            Curves {
                classes: sample.classes().to_vec(),
                confusion: view
                    .confusion
                    .chunks(sample.classes().len().max(1))
                    .map(<[u64]>::to_vec)
                    .collect(),
                roc: Vec::new(),
                calibration: view.calibration().to_vec(),
            }
        }
        Sample::Regression(_) => Curves::default(),
    }
}

/// Keeps the ends and evenly spaced points between.
fn thin<T: Copy>(points: Vec<T>) -> Vec<T> {
    if points.len() <= ROC_POINTS {
        return points;
    }
    let last = points.len() - 1;
    (0..ROC_POINTS)
        .filter_map(|index| points.get(index * last / (ROC_POINTS - 1)).copied())
        .collect()
}
