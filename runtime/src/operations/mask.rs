//! The operation `mask`: replaces the values of columns. Absent values stay absent; other columns are untouched.
//!
//! `data` → `output`. A hash turns any column into text; every other method keeps the column's type and says so where
//! it cannot: there are no last four characters of a number.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "Arrow has forty types, the language a few"
)]

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, DurationMillisecondArray, Float64Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::compute::{is_null, nullif};
use arrow::datatypes::{DataType as ArrowType, Date32Type, Field, Schema as ArrowSchema, TimestampMicrosecondType};
use mlp::plan::MaskMethod;
use serde_json::json;

use super::{Context, OperationError, Report, misbuilt, open_dataset};
use crate::data::dataset::{DatasetWriter, Wanted};
use crate::data::secret::HashKey;
use crate::data::{cell, layout, words};

pub(super) fn run(columns: &[String], method: MaskMethod, context: &Context) -> Result<Report, OperationError> {
    let dataset = open_dataset(context, "data")?;
    let key = HashKey::new(context.project);
    let wanted: Vec<Wanted> = dataset
        .fields()
        .iter()
        .map(|field| Wanted {
            name: field.name().clone(),
            ty: dataset.natural_type(field.name()),
        })
        .collect();
    let names: Vec<&str> = wanted.iter().map(|one| one.name.as_str()).collect();
    if let Some(missing) = columns.iter().find(|column| !names.contains(&column.as_str())) {
        return Err(OperationError::Input {
            summary: format!("The input `data` has no column `{missing}` to mask."),
            help: format!("It has {}.", words::listed(names, 30)),
        });
    }
    let fields: Vec<Field> = wanted
        .iter()
        .map(|one| {
            let hashed = method == MaskMethod::Hash && columns.contains(&one.name);
            Field::new(&one.name, if hashed { ArrowType::Utf8 } else { one.ty.clone() }, true)
        })
        .collect();
    let schema = Arc::new(ArrowSchema::new(fields));
    let mut writer = DatasetWriter::create(&context.outputs.join("output"), Arc::clone(&schema))?;
    for batch in dataset.read(&wanted, None, context.cancelled)? {
        let records = batch?.records;
        let arrays = wanted.iter().zip(records.columns()).map(|(one, array)| {
            if columns.contains(&one.name) {
                masked(array, method, &one.name, &key)
            } else {
                Ok(Arc::clone(array))
            }
        });
        let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(misbuilt)?)?;
    }
    let rows = writer.finish()?;
    Ok(Report {
        summary: format!(
            "{}, {} masked",
            words::counted(rows, "row"),
            words::counted(columns.len() as u64, "column")
        ),
        record: json!({ "rows": rows, "columns": columns, "method": method }),
        ..Report::default()
    })
}

fn masked(array: &ArrayRef, method: MaskMethod, column: &str, key: &HashKey) -> Result<ArrayRef, OperationError> {
    match method {
        MaskMethod::Hash => {
            let hashes = (0..array.len())
                .map(|row| {
                    cell::present_text(array.as_ref(), row)
                        .map(|text| key.hash(&text))
                        .transpose()
                })
                .collect::<Result<StringArray, _>>()?;
            Ok(Arc::new(hashes))
        }
        MaskMethod::Null => Ok(new_null_array(array.data_type(), array.len())),
        MaskMethod::Default => {
            let plain = plain_values(array.data_type(), array.len()).ok_or_else(|| misfit(array, method, column))?;
            nullif(&plain, &is_null(array).map_err(misbuilt)?).map_err(misbuilt)
        }
        MaskMethod::LastFour => texts(array, method, column, |text| format!("XXXX{}", last_four(text))),
        MaskMethod::FirstFour => texts(array, method, column, |text| {
            format!("{}XXXX", text.chars().take(4).collect::<String>())
        }),
        MaskMethod::Email => texts(array, method, column, |text| match text.rsplit_once('@') {
            Some((_, domain)) => format!("XXXXX@{domain}"),
            None => "XXXXX".to_owned(),
        }),
        MaskMethod::Year => first_of_year(array).ok_or_else(|| misfit(array, method, column)),
    }
}

/// Values that tell nothing.
fn plain_values(ty: &ArrowType, rows: usize) -> Option<ArrayRef> {
    Some(match ty {
        ArrowType::Boolean => Arc::new(BooleanArray::from(vec![false; rows])),
        ArrowType::Int64 => Arc::new(Int64Array::from(vec![0; rows])),
        ArrowType::Float64 => Arc::new(Float64Array::from(vec![0.0; rows])),
        ArrowType::Utf8 => Arc::new(StringArray::from(vec![""; rows])),
        ArrowType::Date32 => Arc::new(Date32Array::from(vec![0; rows])),
        ArrowType::Timestamp(..) => Arc::new(TimestampMicrosecondArray::from(vec![0; rows]).with_timezone(layout::UTC)),
        ArrowType::Duration(_) => Arc::new(DurationMillisecondArray::from(vec![0; rows])),
        _ => return None,
    })
}

/// The last four characters; of a text of four or fewer, none, for they would be all of it.
fn last_four(text: &str) -> String {
    let count = text.chars().count();
    if count <= 4 {
        String::new()
    } else {
        text.chars().skip(count - 4).collect()
    }
}

fn texts(
    array: &ArrayRef,
    method: MaskMethod,
    column: &str,
    mask: impl Fn(&str) -> String,
) -> Result<ArrayRef, OperationError> {
    let texts = array
        .as_string_opt::<i32>()
        .ok_or_else(|| misfit(array, method, column))?;
    Ok(Arc::new(
        texts.iter().map(|text| text.map(&mask)).collect::<StringArray>(),
    ))
}

fn first_of_year(array: &ArrayRef) -> Option<ArrayRef> {
    const DAY: i64 = 86_400_000_000;
    let first_day = |day: i64| {
        let time = jiff::Timestamp::from_second(day.checked_mul(86_400)?).ok()?;
        let year = jiff::tz::Offset::UTC.to_datetime(time).date().year();
        crate::data::parse::date_of(&format!("{year:04}-01-01"))
    };
    Some(match array.data_type() {
        ArrowType::Date32 => {
            let days = array.as_primitive::<Date32Type>().iter();
            Arc::new(days.map(|day| first_day(i64::from(day?))).collect::<Date32Array>())
        }
        ArrowType::Timestamp(..) => {
            let times = array.as_primitive::<TimestampMicrosecondType>().iter();
            let times = times.map(|time| Some(i64::from(first_day(time?.div_euclid(DAY))?) * DAY));
            Arc::new(times.collect::<TimestampMicrosecondArray>().with_timezone(layout::UTC))
        }
        _ => return None,
    })
}

fn misfit(array: &ArrayRef, method: MaskMethod, column: &str) -> OperationError {
    let name = serde_json::to_value(method)
        .ok()
        .and_then(|name| name.as_str().map(str::to_owned))
        .unwrap_or_default();
    OperationError::Input {
        summary: format!(
            "The column `{column}` holds {}, which the method `{name}` cannot mask.",
            layout::arrow_text(array.data_type())
        ),
        help: "Use `hash` or `null`, which mask every column.".to_owned(),
    }
}
