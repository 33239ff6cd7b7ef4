//! The operation `project`: leaves out, keeps or renames columns. It changes no value and no row.
//!
//! `data` → `output`.

use arrow::datatypes::{Field, Schema as ArrowSchema};
use arrow::record_batch::RecordBatch;
use mlp::plan::Projection;
use serde_json::json;
use std::sync::Arc;

use super::{Context, OperationError, Report, open_dataset, schema};
use crate::data::dataset::{DatasetWriter, Wanted};
use crate::data::{layout, words};

pub(super) fn run(projection: &Projection, context: &Context) -> Result<Report, OperationError> {
    let output = layout::arrow_schema(schema(context, &projection.schema)?)?;
    let dataset = open_dataset(context, "data")?;
    let mut wanted = Vec::with_capacity(projection.columns.len());
    let mut fields = Vec::with_capacity(projection.columns.len());
    for (old, new) in &projection.columns {
        let ty = output.field_with_name(new).map_err(|_| OperationError::Input {
            summary: format!("The schema `{}` has no column `{new}`.", projection.schema),
            help: "The plan does not fit this version of mlp; build it again.".to_owned(),
        })?;
        fields.push(Field::new(new, ty.data_type().clone(), true));
        wanted.push(Wanted {
            name: old.clone(),
            ty: ty.data_type().clone(),
        });
    }
    let renamed = Arc::new(ArrowSchema::new(fields));
    let mut writer = DatasetWriter::create(&context.outputs.join("output"), Arc::clone(&renamed))?;
    for batch in dataset.read(&wanted, None, context.cancelled)? {
        let records = batch?.records;
        let (_, columns, _) = records.into_parts();
        writer.write(&RecordBatch::try_new(Arc::clone(&renamed), columns).map_err(super::misbuilt)?)?;
    }
    let rows = writer.finish()?;
    let columns = wanted.len() as u64;
    Ok(Report {
        summary: format!("{}, {}", words::counted(rows, "row"), words::counted(columns, "column")),
        record: json!({ "rows": rows, "columns": columns }),
        ..Report::default()
    })
}
