//! How the columns of an `mlp` schema lie in Arrow and Parquet.
//!
//! | type | Arrow |
//! |---|---|
//! | `bool` | Boolean |
//! | `int`, `size` | Int64 |
//! | `float` | Float64 |
//! | `string`, `enum` (its text) | Utf8 |
//! | `date` | Date32 |
//! | `datetime` | Timestamp(µs, "UTC") |
//! | `duration` | Duration(ms) |
//! | `list<T>`, `map<T>`, `record` | List, Map, Struct |
//!
//! Every field is nullable: data is dirty until validated, so a dataset can hold what its schema forbids.

use std::sync::Arc;

use arrow::datatypes::{DataType as ArrowType, Field, Fields, Schema as ArrowSchema, SchemaRef, TimeUnit};
use mlp::types::{DataKind, DataType, Schema};

use crate::operations::OperationError;

/// The time zone of every `datetime` column.
pub const UTC: &str = "UTC";

/// The Arrow type of a `datetime`.
#[must_use]
pub fn datetime() -> ArrowType {
    ArrowType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
}

/// The Arrow type of a text whose distinct values are kept once.
#[must_use]
pub fn dictionary() -> ArrowType {
    ArrowType::Dictionary(Box::new(ArrowType::Int32), Box::new(ArrowType::Utf8))
}

/// The Arrow type of a column.
///
/// # Errors
/// For `money`, which has no column form: the currency would be lost.
pub fn arrow_type(ty: &DataType, column: &str) -> Result<ArrowType, OperationError> {
    Ok(match &ty.kind {
        DataKind::Bool => ArrowType::Boolean,
        DataKind::Int | DataKind::Size => ArrowType::Int64,
        DataKind::Float => ArrowType::Float64,
        DataKind::String | DataKind::Enum(_) => ArrowType::Utf8,
        DataKind::Date => ArrowType::Date32,
        DataKind::Datetime => datetime(),
        DataKind::Duration => ArrowType::Duration(TimeUnit::Millisecond),
        DataKind::List(of) => ArrowType::List(Arc::new(field("item", of, column)?)),
        DataKind::Map(of) => map_type(arrow_type(of, column)?),
        DataKind::Record(record) => ArrowType::Struct(
            record
                .fields
                .iter()
                .map(|part| field(&part.name, &part.ty, column))
                .collect::<Result<Fields, _>>()?,
        ),
        DataKind::Money => {
            return Err(OperationError::Input {
                summary: format!("The column `{column}` is of the type `money`, which a dataset cannot hold."),
                help: "Declare it as `float` with `@unit(\"EUR\")`, or as an `int` of cents.".to_owned(),
            });
        }
    })
}

/// The Arrow schema of a dataset.
///
/// # Errors
/// As [`arrow_type`].
pub fn arrow_schema(schema: &Schema) -> Result<SchemaRef, OperationError> {
    let fields = schema
        .columns
        .iter()
        .map(|column| field(&column.name, &column.ty, &column.name))
        .collect::<Result<Fields, _>>()?;
    Ok(Arc::new(ArrowSchema::new(fields)))
}

fn field(name: &str, ty: &DataType, column: &str) -> Result<Field, OperationError> {
    Ok(Field::new(name, arrow_type(ty, column)?, true))
}

fn map_type(value: ArrowType) -> ArrowType {
    let entries = Fields::from(vec![
        Field::new("key", ArrowType::Utf8, false),
        Field::new("value", value, true),
    ]);
    ArrowType::Map(
        Arc::new(Field::new("entries", ArrowType::Struct(entries), false)),
        false,
    )
}

/// What the language calls a kind: `int`, `enum { own, rent }`.
#[must_use]
pub fn kind_text(kind: &DataKind) -> String {
    match kind {
        DataKind::Bool => "bool".to_owned(),
        DataKind::Int => "int".to_owned(),
        DataKind::Float => "float".to_owned(),
        DataKind::String => "string".to_owned(),
        DataKind::Date => "date".to_owned(),
        DataKind::Datetime => "datetime".to_owned(),
        DataKind::Duration => "duration".to_owned(),
        DataKind::Size => "size".to_owned(),
        DataKind::Money => "money".to_owned(),
        DataKind::Enum(of) => of.name.clone().unwrap_or_else(|| "enum".to_owned()),
        DataKind::List(of) => format!("list<{}>", kind_text(&of.kind)),
        DataKind::Map(of) => format!("map<{}>", kind_text(&of.kind)),
        DataKind::Record(of) => of.name.clone().unwrap_or_else(|| "record".to_owned()),
    }
}

/// What the language calls an Arrow type, or Arrow's own name where it has none.
#[must_use]
pub fn arrow_text(ty: &ArrowType) -> String {
    let known = match ty {
        ArrowType::Boolean => "bool",
        ArrowType::Int64 => "int",
        ArrowType::Float64 => "float",
        ArrowType::Utf8 => "string",
        ArrowType::Date32 => "date",
        ArrowType::Timestamp(TimeUnit::Microsecond, Some(_)) => "datetime",
        ArrowType::Duration(TimeUnit::Millisecond) => "duration",
        other => return other.to_string(),
    };
    known.to_owned()
}
