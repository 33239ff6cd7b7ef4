//! From the types that other programs write to those of [`super::layout`], where nothing is lost.
//!
//! A conversion that may lose something for some values is tried on each value; the first that does not fit is an error
//! with its row. Nanoseconds are cut to microseconds, the finest time of the language.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType as ArrowType, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow::error::ArrowError;

/// A whole number up to here is exact as a float.
const EXACT: u64 = 1 << 53;

/// Whether values of one type can become another.
pub(super) fn is_convertible(from: &ArrowType, to: &ArrowType) -> bool {
    if from == to || *from == ArrowType::Null {
        return true;
    }
    match to {
        ArrowType::Int64 => from.is_integer(),
        ArrowType::Float64 => from.is_integer() || matches!(from, ArrowType::Float16 | ArrowType::Float32),
        ArrowType::Utf8 => is_text(from),
        ArrowType::Dictionary(_, value) => matches!(value.as_ref(), ArrowType::Utf8) && is_text(from),
        ArrowType::Date32 => matches!(from, ArrowType::Date64),
        ArrowType::Timestamp(..) => matches!(from, ArrowType::Timestamp(..)),
        ArrowType::Duration(TimeUnit::Millisecond) => matches!(from, ArrowType::Duration(_) | ArrowType::Int64),
        ArrowType::List(to) => match from {
            ArrowType::List(from) | ArrowType::LargeList(from) => is_convertible(from.data_type(), to.data_type()),
            _ => false,
        },
        ArrowType::Struct(to) => match from {
            ArrowType::Struct(from) => {
                from.len() == to.len()
                    && from
                        .iter()
                        .zip(to)
                        .all(|(from, to)| from.name() == to.name() && is_convertible(from.data_type(), to.data_type()))
            }
            _ => false,
        },
        ArrowType::Map(to, _) => match from {
            ArrowType::Map(from, _) => is_convertible(from.data_type(), to.data_type()),
            _ => false,
        },
        _ => false,
    }
}

fn is_text(ty: &ArrowType) -> bool {
    match ty {
        ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View => true,
        ArrowType::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}

/// Converts an array; the error is the first row that does not fit.
pub(super) fn convert(array: &ArrayRef, to: &ArrowType) -> Result<ArrayRef, usize> {
    let from = array.data_type();
    if from == to {
        return Ok(Arc::clone(array));
    }
    if *from == ArrowType::Null {
        return Ok(new_null_array(to, array.len()));
    }
    if *to == ArrowType::Float64
        && let Some(row) = first_inexact(array)
    {
        return Err(row);
    }
    let options = CastOptions {
        safe: true,
        ..CastOptions::default()
    };
    let converted = match (from, to) {
        (ArrowType::Timestamp(unit, _), ArrowType::Timestamp(..)) => instants(array, *unit, &options),
        _ => cast_with_options(array, to, &options),
    }
    .map_err(|_| 0_usize)?;
    match (0..array.len()).find(|row| array.is_valid(*row) && converted.is_null(*row)) {
        Some(row) if converted.null_count() != array.null_count() => Err(row),
        _ => Ok(converted),
    }
}

/// Times in microseconds, UTC. A time without a zone is taken as UTC; one with a zone is stored as an instant, so the
/// zone's name is dropped and never computed with.
fn instants(array: &ArrayRef, unit: TimeUnit, options: &CastOptions) -> Result<ArrayRef, ArrowError> {
    let bare: ArrayRef = match unit {
        TimeUnit::Second => Arc::new(
            array
                .as_primitive::<TimestampSecondType>()
                .clone()
                .with_timezone_opt::<Arc<str>>(None),
        ),
        TimeUnit::Millisecond => Arc::new(
            array
                .as_primitive::<TimestampMillisecondType>()
                .clone()
                .with_timezone_opt::<Arc<str>>(None),
        ),
        TimeUnit::Microsecond => Arc::new(
            array
                .as_primitive::<TimestampMicrosecondType>()
                .clone()
                .with_timezone_opt::<Arc<str>>(None),
        ),
        TimeUnit::Nanosecond => Arc::new(
            array
                .as_primitive::<TimestampNanosecondType>()
                .clone()
                .with_timezone_opt::<Arc<str>>(None),
        ),
    };
    let micro = cast_with_options(&bare, &ArrowType::Timestamp(TimeUnit::Microsecond, None), options)?;
    let micro = micro.as_primitive::<TimestampMicrosecondType>().clone();
    Ok(Arc::new(micro.with_timezone(super::layout::UTC)))
}

/// The first 64-bit integer that no float equals.
fn first_inexact(array: &ArrayRef) -> Option<usize> {
    if !matches!(array.data_type(), ArrowType::Int64 | ArrowType::UInt64) {
        return None;
    }
    let wide = cast_with_options(array, &ArrowType::Int64, &CastOptions::default()).ok()?;
    let numbers = wide.as_primitive::<Int64Type>();
    (0..array.len())
        .find(|row| array.is_valid(*row) && (numbers.is_null(*row) || numbers.value(*row).unsigned_abs() > EXACT))
}
