//! The operation `evaluate`: the metrics of a model's task on data, with intervals, and by protected group.

use std::collections::BTreeMap;

use mlp::plan::Task;
use mlp::types::Value;

use super::scoring::{self, Scratch, Target};
use super::{Context, OperationError, PredictRequest, Report};
use crate::data::words::thousands;
use crate::metrics::{MetricsReport, ModelSummary};
use crate::registry::write_atomically;

/// How many rows are predicted one at a time: enough for the 99th percentile of latency.
pub(super) const LATENCY_SAMPLES: usize = 300;

/// `model`, `data` → `output`.
pub(super) fn run(
    model: &str,
    label: &str,
    positive: Option<&Value>,
    protected: &[String],
    context: &Context,
) -> Result<Report, OperationError> {
    let model = scoring::model(context, model)?;
    let artifact = scoring::artifact(context, "model")?;
    let digest = scoring::artifact(context, "data")?.digest;
    let data = super::open_dataset(context, "data")?;
    let scratch = Scratch::new(context)?;
    let input = scratch.file("input.parquet");
    scoring::model_input(context, model, &data, &input)?;
    let request = PredictRequest {
        model,
        artifact: artifact.path,
        data: &input,
        output: &scratch.file("predictions.parquet"),
        latency_samples: LATENCY_SAMPLES.min(usize::try_from(data.rows()).unwrap_or(LATENCY_SAMPLES)),
    };
    let target = Target {
        label,
        positive,
        protected,
    };
    let scored = scoring::score(context, &request, &data, target)?;
    let summary = ModelSummary {
        name: model.name.clone(),
        digest: artifact.digest.to_owned(),
    };
    let report = MetricsReport::new(summary, digest, model.task, &scored.evaluation, &scored.latencies);
    let path = context.outputs.join("output");
    let failed = |source| OperationError::Io {
        action: format!("writing {path}"),
        source,
    };
    let record = serde_json::to_value(&report).map_err(|error| failed(error.into()))?;
    write_atomically(&path, format!("{record:#}\n").as_bytes()).map_err(failed)?;
    Ok(Report {
        summary: summarise(&report),
        record,
        values: BTreeMap::new(),
    })
}

/// `auc 0.79 [0.73, 0.85], accuracy …, on 250 rows`
fn summarise(report: &MetricsReport) -> String {
    let told: &[&str] = match report.task {
        Task::BinaryClassification => &["auc", "log_loss"],
        Task::MulticlassClassification => &["accuracy", "log_loss"],
        Task::Regression => &["rmse", "r2"],
    };
    let mut parts: Vec<String> = Vec::new();
    for name in told {
        if let Some(estimate) = report.metrics.get(*name) {
            parts.push(format!("{name} {}", estimate.brief()));
        }
    }
    format!("{} on {} rows", parts.join(", "), thousands(report.data.rows))
}
