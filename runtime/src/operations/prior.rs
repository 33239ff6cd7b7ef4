//! The operation `prior`: a baseline that predicts the training distribution of the label, whatever the features say.
//!
//! Its artifact is a folder with a `model.json` of the format `prior`; it predicts natively, without Python.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::builder::{Float64Builder, MapFieldNames};
use arrow::array::{ArrayRef, Float64Array, MapBuilder, RecordBatch, StringBuilder};
use arrow::datatypes::Schema as ArrowSchema;
use camino::Utf8Path;
use mlp::plan::Task;
use mlp::types::Value;
use serde::{Deserialize, Serialize};

use super::scoring::{self, Labels, Target};
use super::{Context, OperationError, PredictError, PredictRequest, PredictResponse, Report};
use crate::data::dataset::{BATCH_ROWS, Dataset, DatasetWriter};
use crate::data::words::thousands;
use crate::metrics::short;
use crate::registry::write_atomically;

/// The content of a baseline's `model.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PriorModel {
    /// `prior`
    pub format: String,
    /// The learning task.
    pub task: Task,
    /// What it predicts, by output field.
    pub values: BTreeMap<String, PriorValue>,
}

/// A constant prediction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PriorValue {
    /// A probability or a value.
    Number(f64),
    /// A probability for each class.
    Classes(BTreeMap<String, f64>),
}

/// `data` → `output`.
pub(super) fn run(
    model: &str,
    label: &str,
    positive: Option<&Value>,
    context: &Context,
) -> Result<Report, OperationError> {
    let model = scoring::model(context, model)?;
    let data = super::open_dataset(context, "data")?;
    if data.rows() == 0 {
        return Err(OperationError::Input {
            summary: format!("The data has no rows, so the label `{label}` has no distribution."),
            help: "Give `prior` the training part of the split.".to_owned(),
        });
    }
    let target = Target {
        label,
        positive,
        protected: &[],
    };
    let (usual, value, told) = distribution(scoring::labels(context, &data, model.task, target)?, label);
    let prior = PriorModel {
        format: "prior".to_owned(),
        task: model.task,
        values: BTreeMap::from([(scoring::output_field(model, usual).to_owned(), value)]),
    };
    let record = serde_json::json!({ "label": label, "rows": data.rows(), "values": prior.values });
    let path = context.outputs.join("output").join("model.json");
    let failed = |source| OperationError::Io {
        action: format!("writing {path}"),
        source,
    };
    let text = serde_json::to_string_pretty(&prior).map_err(|error| failed(error.into()))?;
    write_atomically(&path, text.as_bytes()).map_err(failed)?;
    Ok(Report {
        summary: format!("{told}, from {} rows", thousands(data.rows())),
        record,
        values: BTreeMap::new(),
    })
}

/// The usual output field, what it always predicts, and the same in words.
fn distribution(labels: Labels, label: &str) -> (&'static str, PriorValue, String) {
    match labels {
        Labels::Binary(labels) => {
            let positives = labels.iter().filter(|label| **label).count();
            let share = positives as f64 / labels.len() as f64;
            let told = format!("predicts `{label}` with probability {}", short(share));
            ("probability", PriorValue::Number(share), told)
        }
        Labels::Classes(labels) => {
            let rows = labels.len() as f64;
            let mut shares: BTreeMap<String, f64> = BTreeMap::new();
            for label in labels {
                *shares.entry(label).or_default() += 1.0;
            }
            shares.values_mut().for_each(|count| *count /= rows);
            let told = format!("predicts the shares of {} classes", shares.len());
            ("probabilities", PriorValue::Classes(shares), told)
        }
        Labels::Numbers(labels) => {
            let mean = labels.iter().sum::<f64>() / labels.len() as f64;
            let told = format!("predicts the mean {}", short(mean));
            ("value", PriorValue::Number(mean), told)
        }
    }
}

/// Whether a model artifact is a baseline.
#[must_use]
pub fn is_prior(artifact: &Utf8Path) -> bool {
    read(artifact).is_ok_and(|prior| prior.format == "prior")
}

fn read(artifact: &Utf8Path) -> Result<PriorModel, std::io::Error> {
    let text = fs::read(artifact.join("model.json"))?;
    serde_json::from_slice(&text).map_err(std::io::Error::from)
}

/// Predicts with a baseline: every row gets the same.
///
/// # Errors
/// When the artifact is no baseline, or a file cannot be read or written.
pub fn prior_predict(request: &PredictRequest<'_>) -> Result<PredictResponse, PredictError> {
    let failed = |error: &dyn std::fmt::Display| PredictError {
        summary: format!(
            "The baseline of the model `{}` cannot predict: {error}",
            request.model.name
        ),
        details: vec![format!("Its artifact is {}.", request.artifact)],
    };
    let prior = read(request.artifact).map_err(|error| failed(&error))?;
    let rows = Dataset::open(request.data).map_err(|error| failed(&error))?.rows();
    write(&prior, rows, request.output).map_err(|error| failed(&error))?;
    let latencies = (0..request.latency_samples).map(|_| {
        let start = Instant::now();
        // A black box, or else there is nothing to measure.
        std::hint::black_box(batch(&prior, 1)).map(|_| start.elapsed().as_secs_f64() * 1e3)
    });
    Ok(PredictResponse {
        latencies: latencies.collect::<Result<_, _>>().map_err(|error| failed(&error))?,
    })
}

fn write(prior: &PriorModel, rows: u64, output: &Utf8Path) -> Result<(), OperationError> {
    let schema = batch(prior, 0)?.schema();
    let mut writer = DatasetWriter::create(output, schema)?;
    let mut left = rows;
    while left > 0 {
        let rows = usize::try_from(left).unwrap_or(BATCH_ROWS).min(BATCH_ROWS);
        writer.write(&batch(prior, rows)?)?;
        left -= rows as u64;
    }
    writer.finish()?;
    Ok(())
}

fn batch(prior: &PriorModel, rows: usize) -> Result<RecordBatch, OperationError> {
    let columns = prior
        .values
        .iter()
        .map(|(field, value)| Ok((field, constant(value, rows)?)));
    let columns = columns.collect::<Result<Vec<_>, OperationError>>()?;
    if columns.is_empty() {
        return Ok(RecordBatch::new_empty(Arc::new(ArrowSchema::empty())));
    }
    RecordBatch::try_from_iter(columns).map_err(super::misbuilt)
}

fn constant(value: &PriorValue, rows: usize) -> Result<ArrayRef, OperationError> {
    match value {
        PriorValue::Number(number) => Ok(Arc::new(Float64Array::from(vec![*number; rows]))),
        PriorValue::Classes(classes) => {
            let names = MapFieldNames {
                entry: "entries".to_owned(),
                key: "key".to_owned(),
                value: "value".to_owned(),
            };
            let mut builder = MapBuilder::new(Some(names), StringBuilder::new(), Float64Builder::new());
            for _ in 0..rows {
                for (class, share) in classes {
                    builder.keys().append_value(class);
                    builder.values().append_value(*share);
                }
                builder.append(true).map_err(super::misbuilt)?;
            }
            Ok(Arc::new(builder.finish()))
        }
    }
}
