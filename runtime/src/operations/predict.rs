//! The operation `predict`: a dataset with a model's output fields added.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, Schema as ArrowSchema};

use mlp::plan::Model;

use super::scoring::{self, Scratch};
use super::{Context, OperationError, PredictRequest, Report, misbuilt};
use crate::data::dataset::{Dataset, DatasetWriter, Wanted};
use crate::data::layout;
use crate::data::words::thousands;

/// `model`, `data` → `output`.
pub(super) fn run(model: &str, context: &Context) -> Result<Report, OperationError> {
    let model = scoring::model(context, model)?;
    let artifact = scoring::artifact(context, "model")?;
    let data = super::open_dataset(context, "data")?;
    let scratch = Scratch::new(context)?;
    let input = scratch.file("input.parquet");
    scoring::model_input(context, model, &data, &input)?;
    let output = scratch.file("predictions.parquet");
    let request = PredictRequest {
        model,
        artifact: artifact.path,
        data: &input,
        output: &output,
        latency_samples: 0,
    };
    let (predictions, _) = scoring::predict(context, &request, data.rows())?;
    join(context, &data, &predictions, model)?;
    let fields: Vec<&str> = model.output.iter().map(|field| field.name.as_str()).collect();
    Ok(Report {
        summary: format!("{} rows, {} added", thousands(data.rows()), fields.join(", ")),
        record: serde_json::json!({ "rows": data.rows(), "model": artifact.digest, "fields": fields }),
        values: BTreeMap::new(),
    })
}

/// Writes the columns of both side by side. Both are read in batches of equal size, so rows stay together.
fn join(context: &Context, data: &Dataset, predictions: &Dataset, model: &Model) -> Result<(), OperationError> {
    let is_new = |name: &str| model.output.iter().any(|field| field.name == name);
    let kept = data.fields().iter().filter(|field| !is_new(field.name()));
    let kept: Vec<Wanted> = kept
        .map(|field| Wanted {
            name: field.name().clone(),
            ty: field.data_type().clone(),
        })
        .collect();
    let mut added = Vec::new();
    for field in &model.output {
        added.push(Wanted {
            name: field.name.clone(),
            ty: layout::arrow_type(&field.ty, &field.name)?,
        });
    }
    let left = data.read(&kept, None, context.cancelled)?;
    let right = predictions.read(&added, None, context.cancelled)?;
    let fields: Vec<FieldRef> = left
        .schema()
        .fields()
        .iter()
        .chain(right.schema().fields())
        .cloned()
        .collect();
    let schema = Arc::new(ArrowSchema::new(fields));
    let mut writer = DatasetWriter::create(&context.outputs.join("output"), Arc::clone(&schema))?;
    for (left, right) in left.zip(right) {
        let (left, right) = (left?.records, right?.records);
        let columns = left.columns().iter().chain(right.columns()).cloned().collect();
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), columns).map_err(misbuilt)?)?;
    }
    writer.finish()?;
    Ok(())
}
