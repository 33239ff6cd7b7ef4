//! From text and JSON to typed columns: one builder for each column, one sentence for each value that does not fit.
//!
//! Only what cannot be represented is refused here. An unknown enum text, a number out of range, a NULL where none may
//! be are landed as they are; `validate` judges them.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, DurationMillisecondBuilder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder, new_empty_array,
};
use arrow::datatypes::{DataType as ArrowType, Field, Schema as ArrowSchema};
use serde_json::Value as Json;

use super::{duration, layout};

/// What a value should have been: `an int`, `a date (YYYY-MM-DD)`.
pub(super) type Expected = &'static str;

/// Builds the array of one column.
#[derive(Debug)]
pub(super) enum Builder {
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Text(StringBuilder),
    Date(Date32Builder),
    Datetime(TimestampMicrosecondBuilder),
    Duration(DurationMillisecondBuilder),
    Nested(Vec<Json>, ArrowType),
}

impl Builder {
    /// A builder for one of the types of [`layout`].
    pub(super) fn new(ty: &ArrowType) -> Self {
        match ty {
            ArrowType::Boolean => Self::Bool(BooleanBuilder::new()),
            ArrowType::Int64 => Self::Int(Int64Builder::new()),
            ArrowType::Float64 => Self::Float(Float64Builder::new()),
            ArrowType::Utf8 => Self::Text(StringBuilder::new()),
            ArrowType::Date32 => Self::Date(Date32Builder::new()),
            ArrowType::Timestamp(..) => Self::Datetime(TimestampMicrosecondBuilder::new().with_timezone(layout::UTC)),
            ArrowType::Duration(_) => Self::Duration(DurationMillisecondBuilder::new()),
            nested => Self::Nested(Vec::new(), nested.clone()),
        }
    }

    /// Whether a CSV field cannot hold this type.
    pub(super) fn is_nested(&self) -> bool {
        matches!(self, Self::Nested(..))
    }

    /// Adds an absent value.
    pub(super) fn append_null(&mut self) {
        match self {
            Self::Bool(builder) => builder.append_null(),
            Self::Int(builder) => builder.append_null(),
            Self::Float(builder) => builder.append_null(),
            Self::Text(builder) => builder.append_null(),
            Self::Date(builder) => builder.append_null(),
            Self::Datetime(builder) => builder.append_null(),
            Self::Duration(builder) => builder.append_null(),
            Self::Nested(values, _) => values.push(Json::Null),
        }
    }

    /// Adds a text of a CSV field or a JSON string. The empty text is absent in every column but those of text.
    pub(super) fn append_text(&mut self, text: &str) -> Result<(), Expected> {
        if let Self::Text(builder) = self {
            builder.append_value(text);
            return Ok(());
        }
        if text.is_empty() {
            self.append_null();
            return Ok(());
        }
        match self {
            Self::Bool(builder) => builder.append_value(bool_of(text).ok_or("a bool (true, false, 1 or 0)")?),
            Self::Int(builder) => builder.append_value(text.parse().map_err(|_| "an int")?),
            Self::Float(builder) => builder.append_value(float_of(text).ok_or("a float")?),
            Self::Date(builder) => builder.append_value(date_of(text).ok_or("a date (YYYY-MM-DD)")?),
            Self::Datetime(builder) => {
                builder.append_value(datetime_of(text).ok_or("a datetime (2026-01-31T12:00:00Z)")?);
            }
            Self::Duration(builder) => {
                builder.append_value(duration::parse(text).ok_or("a duration (2h30min, or milliseconds)")?);
            }
            Self::Text(_) | Self::Nested(..) => {
                return Err("a list, map or record, which only JSON Lines and Parquet hold");
            }
        }
        Ok(())
    }

    /// Adds a JSON value; strings are read as CSV fields are, but only where JSON has no type of its own.
    pub(super) fn append_json(&mut self, value: &Json) -> Result<(), Expected> {
        match (self, value) {
            (Self::Nested(values, _), value) => values.push(value.clone()),
            (builder, Json::Null) => builder.append_null(),
            (Self::Bool(builder), value) => builder.append_value(value.as_bool().ok_or("a bool")?),
            (Self::Int(builder), value) => builder.append_value(value.as_i64().ok_or("an int")?),
            (Self::Float(builder), value) => builder.append_value(value.as_f64().ok_or("a float")?),
            (Self::Duration(builder), Json::Number(number)) => {
                builder.append_value(number.as_i64().ok_or("a duration in milliseconds")?);
            }
            (builder @ (Self::Text(_) | Self::Date(_) | Self::Datetime(_) | Self::Duration(_)), Json::String(text)) => {
                builder.append_text(text)?;
            }
            (Self::Text(_), _) => return Err("a string"),
            (Self::Date(_), _) => return Err("a date (\"YYYY-MM-DD\")"),
            (Self::Datetime(_), _) => return Err("a datetime (\"2026-01-31T12:00:00Z\")"),
            (Self::Duration(_), _) => return Err("a duration (\"2h30min\", or milliseconds)"),
        }
        Ok(())
    }

    /// The array of what was added since the last call; for nested columns the place in it and text of a value that
    /// does not fit.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, (usize, String)> {
        Ok(match self {
            Self::Bool(builder) => Arc::new(builder.finish()),
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::Float(builder) => Arc::new(builder.finish()),
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Date(builder) => Arc::new(builder.finish()),
            Self::Datetime(builder) => Arc::new(builder.finish()),
            Self::Duration(builder) => Arc::new(builder.finish()),
            Self::Nested(values, ty) => {
                let values = std::mem::take(values);
                return decode(&values, ty).ok_or_else(|| misfit(&values, ty));
            }
        })
    }
}

fn decode(values: &[Json], ty: &ArrowType) -> Option<ArrayRef> {
    if values.is_empty() {
        return Some(new_empty_array(ty));
    }
    let schema = Arc::new(ArrowSchema::new(vec![Field::new("value", ty.clone(), true)]));
    let rows: Vec<Json> = values
        .iter()
        .map(|value| serde_json::json!({ "value": value }))
        .collect();
    let mut decoder = arrow::json::ReaderBuilder::new(schema)
        .with_batch_size(rows.len())
        .build_decoder()
        .ok()?;
    decoder.serialize(&rows).ok()?;
    let batch = decoder.flush().ok()??;
    (batch.num_rows() == values.len()).then(|| Arc::clone(batch.column(0)))
}

fn misfit(values: &[Json], ty: &ArrowType) -> (usize, String) {
    let index = values
        .iter()
        .position(|value| decode(std::slice::from_ref(value), ty).is_none())
        .unwrap_or(0);
    (index, values.get(index).map(Json::to_string).unwrap_or_default())
}

fn bool_of(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" | "1" => Some(true),
        "false" | "False" | "FALSE" | "0" => Some(false),
        _ => None,
    }
}

/// A finite number: `nan` and `inf` are no values of the language.
fn float_of(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Days since 1970 of `YYYY-MM-DD`.
pub(crate) fn date_of(text: &str) -> Option<i32> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else {
        return None;
    };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0_i16, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + i16::from(digit - b'0'))
        })
    };
    let month = i8::try_from(number(&[m1, m2])?).ok()?;
    let day = i8::try_from(number(&[d1, d2])?).ok()?;
    let date = jiff::civil::Date::new(number(&[y1, y2, y3, y4])?, month, day).ok()?;
    let midnight = date.to_datetime(jiff::civil::Time::midnight());
    let seconds = jiff::tz::Offset::UTC.to_timestamp(midnight).ok()?.as_second();
    i32::try_from(seconds.div_euclid(86_400)).ok()
}

/// Microseconds since 1970 of an RFC 3339 time, or of a time without an offset, which is taken as UTC.
pub(crate) fn datetime_of(text: &str) -> Option<i64> {
    if text.len() < "YYYY-MM-DDTHH:MM".len() {
        return None;
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.as_microsecond());
    }
    let time: jiff::civil::DateTime = text.parse().ok()?;
    Some(jiff::tz::Offset::UTC.to_timestamp(time).ok()?.as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::{bool_of, date_of, datetime_of, float_of};

    #[test]
    fn dates_are_iso_and_real() {
        assert_eq!(date_of("1970-01-01"), Some(0));
        assert_eq!(date_of("2024-02-29"), Some(19_782));
        assert_eq!(date_of("1969-12-31"), Some(-1));
        for wrong in ["2023-02-29", "2024-1-01", "01/02/2024", "2024-13-01", "٢٠٢٤-01", ""] {
            assert_eq!(date_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn datetimes_without_an_offset_are_utc() {
        assert_eq!(datetime_of("1970-01-01T00:00:01Z"), Some(1_000_000));
        assert_eq!(datetime_of("1970-01-01 00:00:01"), Some(1_000_000));
        assert_eq!(datetime_of("1970-01-01T01:00:00.000001+01:00"), Some(1));
        for wrong in ["1970-01-01", "yesterday at noon", "1970-01-01T25:00:00Z"] {
            assert_eq!(datetime_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_are_finite_and_bools_are_few() {
        assert_eq!(float_of("1e3"), Some(1000.0));
        assert_eq!(float_of("nan"), None);
        assert_eq!(float_of("inf"), None);
        assert_eq!(bool_of("yes"), None);
    }
}
