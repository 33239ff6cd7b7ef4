//! Functions of scalars.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each takes a few kinds of values, and has one answer for every other"
)]

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use mlp::plan::Function;
use mlp::types::Value;

use super::operator::{float, number};
use crate::values::{compare, parse_date, parse_datetime, value_text};

/// Calls a function; every one but [`Function::IsNone`] is absent when an argument is.
pub(super) fn call(function: Function, arguments: &[Value]) -> Result<Value, String> {
    if function == Function::IsNone {
        return Ok(Value::Bool(matches!(arguments.first(), None | Some(Value::None))));
    }
    if arguments.contains(&Value::None) {
        return Ok(Value::None);
    }
    let result = match arguments {
        [only] => of_one(function, only),
        [first, second] => of_two(function, first, second),
        _ => None,
    };
    result.ok_or_else(|| {
        let arguments: Vec<String> = arguments.iter().map(value_text).collect();
        format!("`{function:?}` of {} cannot be computed", arguments.join(", "))
    })
}

fn of_one(function: Function, argument: &Value) -> Option<Value> {
    match function {
        Function::Floor => whole(argument, f64::floor),
        Function::Ceil => whole(argument, f64::ceil),
        Function::Round => whole(argument, f64::round),
        Function::ToInt => match argument {
            Value::String(text) => Some(text.trim().parse().map_or(Value::None, Value::Int)),
            Value::Bool(value) => Some(Value::Int((*value).into())),
            other => whole(other, f64::trunc),
        },
        Function::Abs => absolute(argument),
        Function::Ln => real(argument, |x| x > 0.0, f64::ln),
        Function::Ln1p => real(argument, |x| x > -1.0, f64::ln_1p),
        Function::Exp => real(argument, |_| true, f64::exp),
        Function::Sqrt => real(argument, |x| x >= 0.0, f64::sqrt),
        Function::Lower => text(argument).map(|text| Value::String(text.to_lowercase())),
        Function::Upper => text(argument).map(|text| Value::String(text.to_uppercase())),
        Function::Trim => text(argument).map(|text| Value::String(text.trim().to_owned())),
        Function::Length => length(argument)
            .and_then(|length| i64::try_from(length).ok())
            .map(Value::Int),
        Function::Year => date(argument).map(|date| Value::Int(date.year().into())),
        Function::Month => date(argument).map(|date| Value::Int(date.month().into())),
        Function::Day => date(argument).map(|date| Value::Int(date.day().into())),
        Function::Weekday => date(argument).map(|date| Value::Int(date.weekday().to_monday_one_offset().into())),
        Function::Hour => time(argument).map(|time| Value::Int(time.hour().into())),
        Function::Minute => time(argument).map(|time| Value::Int(time.minute().into())),
        Function::Days => duration(argument).map(|milliseconds| Value::Int(milliseconds / 86_400_000)),
        #[expect(clippy::cast_precision_loss, reason = "the result is a float")]
        Function::Hours => duration(argument).map(|milliseconds| Value::Float(milliseconds as f64 / 3_600_000.0)),
        #[expect(clippy::cast_precision_loss, reason = "the result is a float")]
        Function::Minutes => duration(argument).map(|milliseconds| Value::Float(milliseconds as f64 / 60_000.0)),
        Function::ToFloat => match argument {
            Value::String(text) => Some(text.trim().parse().map_or(Value::None, float)),
            Value::Bool(value) => Some(float(f64::from(u8::from(*value)))),
            other => number(other).map(float),
        },
        Function::ToString => Some(Value::String(value_text(argument))),
        Function::Hash
        | Function::Min
        | Function::Max
        | Function::StartsWith
        | Function::Contains
        | Function::Bucket
        | Function::IsNone => None,
    }
}

fn of_two(function: Function, first: &Value, second: &Value) -> Option<Value> {
    match function {
        Function::Min => Some(if compare(first, second)?.is_le() { first } else { second }.clone()),
        Function::Max => Some(if compare(first, second)?.is_ge() { first } else { second }.clone()),
        Function::StartsWith => Some(Value::Bool(text(first)?.starts_with(text(second)?))),
        Function::Contains => Some(Value::Bool(text(first)?.contains(text(second)?))),
        Function::Bucket => bucket(first, second),
        Function::Floor
        | Function::Ceil
        | Function::Round
        | Function::Abs
        | Function::Ln
        | Function::Ln1p
        | Function::Exp
        | Function::Sqrt
        | Function::Lower
        | Function::Upper
        | Function::Trim
        | Function::Length
        | Function::Year
        | Function::Month
        | Function::Day
        | Function::Hour
        | Function::Minute
        | Function::Weekday
        | Function::Days
        | Function::Hours
        | Function::Minutes
        | Function::ToFloat
        | Function::ToInt
        | Function::ToString
        | Function::Hash
        | Function::IsNone => None,
    }
}

fn whole(argument: &Value, rounding: fn(f64) -> f64) -> Option<Value> {
    match argument {
        Value::Int(value) => Some(Value::Int(*value)),
        Value::Float(value) => {
            let rounded = rounding(*value);
            #[expect(clippy::cast_possible_truncation, reason = "a float in this range converts exactly")]
            (rounded.abs() < 9.223_372_036_854_775e18).then_some(Value::Int(rounded as i64))
        }
        _ => None,
    }
}

fn absolute(argument: &Value) -> Option<Value> {
    match argument {
        Value::Int(value) => value.checked_abs().map(Value::Int),
        Value::Float(value) => Some(Value::Float(value.abs())),
        Value::Duration(value) => value.checked_abs().map(Value::Duration),
        _ => None,
    }
}

fn real(argument: &Value, defined: fn(f64) -> bool, function: fn(f64) -> f64) -> Option<Value> {
    let x = number(argument)?;
    Some(if defined(x) { float(function(x)) } else { Value::None })
}

fn bucket(value: &Value, width: &Value) -> Option<Value> {
    match (value, width) {
        (Value::Int(value), Value::Int(width)) if *width > 0 => {
            value.checked_sub(value.rem_euclid(*width)).map(Value::Int)
        }
        _ => {
            let (value, width) = (number(value)?, number(width)?);
            Some(if width > 0.0 {
                float((value / width).floor() * width)
            } else {
                Value::None
            })
        }
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) | Value::Enum(text) => Some(text),
        _ => None,
    }
}

fn length(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) | Value::Enum(text) => Some(text.chars().count()),
        Value::List(items) => Some(items.len()),
        Value::Map(entries) => Some(entries.len()),
        _ => None,
    }
}

fn duration(value: &Value) -> Option<i64> {
    match value {
        Value::Duration(milliseconds) => Some(*milliseconds),
        _ => None,
    }
}

fn date(value: &Value) -> Option<Date> {
    match value {
        Value::Date(text) => parse_date(text),
        Value::Datetime(text) => Some(in_utc(parse_datetime(text)?).0),
        _ => None,
    }
}

fn time(value: &Value) -> Option<Time> {
    match value {
        Value::Datetime(text) => Some(in_utc(parse_datetime(text)?).1),
        _ => None,
    }
}

fn in_utc(time: Timestamp) -> (Date, Time) {
    let civil = TimeZone::UTC.to_datetime(time);
    (civil.date(), civil.time())
}
