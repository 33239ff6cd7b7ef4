//! Single cells of Arrow arrays as text and as values, for messages, examples and keys. Nothing here is fast.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType as ArrowType, Date32Type, DurationMillisecondType, Float64Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use jiff::civil::Date;

use super::duration;

/// A cell as the language writes it; `none` for an absent one.
#[must_use]
pub fn text(array: &dyn Array, row: usize) -> String {
    present_text(array, row).unwrap_or_else(|| "none".to_owned())
}

/// A cell as the language writes it, unless it is absent.
#[must_use]
pub fn present_text(array: &dyn Array, row: usize) -> Option<String> {
    if row >= array.len() || array.is_null(row) {
        return None;
    }
    Some(match array.data_type() {
        ArrowType::Boolean => array.as_boolean().value(row).to_string(),
        ArrowType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        ArrowType::Float64 => float_text(array.as_primitive::<Float64Type>().value(row)),
        ArrowType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        ArrowType::Date32 => date_text(array.as_primitive::<Date32Type>().value(row)),
        ArrowType::Timestamp(..) => datetime_text(array.as_primitive::<TimestampMicrosecondType>().value(row)),
        ArrowType::Duration(_) => duration::text(array.as_primitive::<DurationMillisecondType>().value(row)),
        ArrowType::Dictionary(..) => {
            let dictionary = array.as_dictionary::<Int32Type>();
            return present_text(dictionary.values().as_ref(), dictionary.key(row)?);
        }
        _ => arrow::util::display::array_value_to_string(array, row).ok()?,
    })
}

/// A float as the language writes it: with a point or an exponent, so that it stays a float.
#[must_use]
pub fn float_text(value: f64) -> String {
    format!("{value:?}")
}

/// A day as `YYYY-MM-DD`.
#[must_use]
pub fn date_text(days: i32) -> String {
    const EPOCH: Date = Date::constant(1970, 1, 1);
    EPOCH
        .checked_add(jiff::SignedDuration::from_hours(i64::from(days) * 24))
        .map_or_else(|_| format!("day {days} since 1970"), |date| date.to_string())
}

/// A point in time as RFC 3339 in UTC.
#[must_use]
pub fn datetime_text(microseconds: i64) -> String {
    jiff::Timestamp::from_microsecond(microseconds).map_or_else(
        |_| format!("{microseconds} microseconds since 1970"),
        |time| time.to_string(),
    )
}
