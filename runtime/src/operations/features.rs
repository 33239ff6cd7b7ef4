//! The operation `features`: keeps columns and derives new ones, each from source, kept and earlier derived columns.
//! It neither drops nor reorders rows.
//!
//! `data` → `output`. A derived column that may not be absent but is, for some row, is an error that names the rows: a
//! model would otherwise meet it first.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "Arrow has forty types, the language a few"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType as ArrowType, Field, Schema as ArrowSchema};
use mlp::plan::{Derived, Features};
use mlp::types::Value;
use serde_json::json;

use super::{Context, Item, OperationError, Report, misbuilt, open_dataset, schema};
use crate::data::dataset::{Dataset, DatasetWriter, Wanted};
use crate::data::expression::{Scope, columns_read, evaluate};
use crate::data::secret::HashKey;
use crate::data::{layout, words};

/// How many rows an error names.
const SHOWN: usize = 5;

/// Rows of derived columns that are absent and may not be, by column.
#[derive(Default)]
struct Absent {
    count: u64,
    rows: Vec<u64>,
}

pub(super) fn run(features: &Features, context: &Context) -> Result<Report, OperationError> {
    let output = layout::arrow_schema(schema(context, &features.schema)?)?;
    let dataset = open_dataset(context, "data")?;
    let wanted = sources(features, &dataset, &output)?;
    let values = values(context);
    let key = HashKey::new(context.project);
    let mut writer = DatasetWriter::create(&context.outputs.join("output"), Arc::clone(&output))?;
    let mut absent: BTreeMap<&str, Absent> = BTreeMap::new();
    for batch in dataset.read(&wanted, None, context.cancelled)? {
        let batch = batch?;
        let mut records = batch.records;
        for derived in &features.derived {
            let scope = Scope {
                records: &records,
                first_row: batch.first_row,
                values: &values,
                key: &key,
            };
            let array = evaluate(&derived.value, &scope)
                .map_err(|error| error.into_operation_error(&format!("The feature `{}`", derived.column.name)))?;
            let array = typed(&array, derived, &output)?;
            if !derived.column.ty.optional && array.null_count() > 0 {
                let absent = absent.entry(&derived.column.name).or_default();
                absent.count += array.null_count() as u64;
                let rows = (0..array.len()).filter(|row| array.is_null(*row));
                let room = SHOWN - absent.rows.len().min(SHOWN);
                absent
                    .rows
                    .extend(rows.take(room).map(|row| batch.first_row + row as u64 + 1));
            }
            records = with_column(&records, &derived.column.name, array)?;
        }
        if absent.is_empty() {
            writer.write(&chosen(&records, &output)?)?;
        }
    }
    if let Some((column, absent)) = absent.pop_first() {
        return Err(refused(features, column, &absent));
    }
    let rows = writer.finish()?;
    let columns = output.fields().len() as u64;
    Ok(Report {
        summary: format!("{}, {}", words::counted(rows, "row"), words::counted(columns, "column")),
        record: json!({ "rows": rows, "columns": columns, "derived": features.derived.len() }),
        ..Report::default()
    })
}

/// The columns to read: those that are kept, at the type of the output, and those that expressions read and no earlier
/// expression derives, at the type the file has.
fn sources(features: &Features, dataset: &Dataset, output: &ArrowSchema) -> Result<Vec<Wanted>, OperationError> {
    let mut wanted: Vec<Wanted> = Vec::new();
    for name in &features.keep {
        let field = output.field_with_name(name).map_err(misbuilt)?;
        wanted.push(Wanted {
            name: name.clone(),
            ty: field.data_type().clone(),
        });
    }
    let mut derived: Vec<&str> = Vec::new();
    for feature in &features.derived {
        for name in columns_read(&feature.value) {
            if !derived.contains(&name) && wanted.iter().all(|one| one.name != name) {
                wanted.push(Wanted {
                    name: name.to_owned(),
                    ty: dataset.natural_type(name),
                });
            }
        }
        derived.push(&feature.column.name);
    }
    Ok(wanted)
}

/// The run-time values among the inputs.
fn values(context: &Context) -> BTreeMap<String, Value> {
    let values = context.inputs.iter().filter_map(|(name, item)| match item {
        Item::Value(value) => Some((name.clone(), value.clone())),
        Item::Artifact { .. } | Item::List(_) => None,
    });
    values.collect()
}

/// A derived array at the type its column declares.
fn typed(array: &ArrayRef, derived: &Derived, output: &ArrowSchema) -> Result<ArrayRef, OperationError> {
    let declared = layout::arrow_type(&derived.column.ty, &derived.column.name)?;
    let field = output.field_with_name(&derived.column.name);
    let declared = field.map_or(declared, |field| field.data_type().clone());
    let fits = array.data_type() == &declared
        || matches!(
            (array.data_type(), &declared),
            (ArrowType::Null, _)
                | (ArrowType::Int64, ArrowType::Float64)
                | (ArrowType::Dictionary(..), ArrowType::Utf8)
        );
    if !fits {
        return Err(OperationError::Input {
            summary: format!(
                "The feature `{}` is computed as {}, but its column is declared as `{}`.",
                derived.column.name,
                layout::arrow_text(array.data_type()),
                layout::arrow_text(&declared)
            ),
            help: "The plan does not fit this version of mlp; build it again.".to_owned(),
        });
    }
    cast(array, &declared).map_err(misbuilt)
}

/// The rows with one more column; an equally named one is replaced.
fn with_column(records: &RecordBatch, name: &str, array: ArrayRef) -> Result<RecordBatch, OperationError> {
    let mut fields: Vec<Field> = records
        .schema()
        .fields()
        .iter()
        .map(|field| field.as_ref().clone())
        .collect();
    let mut columns = records.columns().to_vec();
    let field = Field::new(name, array.data_type().clone(), true);
    match fields.iter().position(|field| field.name() == name) {
        Some(place) => {
            fields[place] = field;
            columns[place] = array;
        }
        None => {
            fields.push(field);
            columns.push(array);
        }
    }
    RecordBatch::try_new(Arc::new(ArrowSchema::new(fields)), columns).map_err(misbuilt)
}

/// The columns of the output, in its order.
fn chosen(records: &RecordBatch, output: &Arc<ArrowSchema>) -> Result<RecordBatch, OperationError> {
    let columns = output.fields().iter().map(|field| {
        records
            .column_by_name(field.name())
            .cloned()
            .ok_or_else(|| OperationError::Input {
                summary: format!(
                    "The output has a column `{}` that is neither kept nor derived.",
                    field.name()
                ),
                help: "The plan does not fit this version of mlp; build it again.".to_owned(),
            })
    });
    RecordBatch::try_new(Arc::clone(output), columns.collect::<Result<_, _>>()?).map_err(misbuilt)
}

fn refused(features: &Features, column: &str, absent: &Absent) -> OperationError {
    let rows: Vec<String> = absent.rows.iter().map(|row| words::thousands(*row)).collect();
    let more = if absent.count > SHOWN as u64 { ", …" } else { "" };
    OperationError::Input {
        summary: format!(
            "The feature `{column}` of `{}` is absent in {} (row {}{more}), but its type says that it never is.",
            features.name,
            words::counted(absent.count, "row"),
            rows.join(", "),
        ),
        help: "An operand is absent there, a divisor is zero, or a logarithm or root is not defined. Give it a value \
               with `??`, or declare the feature as optional with `?`."
            .to_owned(),
    }
}
