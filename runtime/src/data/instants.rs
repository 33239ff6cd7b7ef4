//! Constants of the language as the numbers that lie in columns, and as text.

use mlp::types::{Bound, Value};

use super::parse::{date_of, datetime_of};
use super::{cell, duration};

/// The number below an int, size, date (days), datetime (microseconds) or duration (milliseconds).
#[must_use]
pub fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) | Value::Duration(value) => Some(*value),
        Value::Size(value) => i64::try_from(*value).ok(),
        Value::Date(text) => date_of(text).map(i64::from),
        Value::Datetime(text) => datetime_of(text),
        Value::None
        | Value::Bool(_)
        | Value::Float(_)
        | Value::String(_)
        | Value::Money { .. }
        | Value::Enum(_)
        | Value::List(_)
        | Value::Map(_) => None,
    }
}

/// As [`whole`], or a float itself.
#[must_use]
pub fn real(value: &Value) -> Option<f64> {
    match value {
        Value::Float(value) => Some(*value),
        Value::None
        | Value::Bool(_)
        | Value::Int(_)
        | Value::String(_)
        | Value::Date(_)
        | Value::Datetime(_)
        | Value::Duration(_)
        | Value::Size(_)
        | Value::Money { .. }
        | Value::Enum(_)
        | Value::List(_)
        | Value::Map(_) => whole(value).map(|value| value as f64),
    }
}

/// A constant as the language writes it.
#[must_use]
pub fn value_text(value: &Value) -> String {
    match value {
        Value::None => "none".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => cell::float_text(*value),
        Value::String(text) => super::words::quoted(text),
        Value::Date(text) | Value::Datetime(text) | Value::Enum(text) => text.clone(),
        Value::Duration(milliseconds) => duration::text(*milliseconds),
        Value::Size(bytes) => format!("{bytes}B"),
        Value::Money { amount, currency } => format!("{} {currency}", *amount as f64 / 10_000.0),
        Value::List(values) => format!("[{}]", values.iter().map(value_text).collect::<Vec<_>>().join(", ")),
        Value::Map(values) => {
            let members = values
                .iter()
                .map(|(key, value)| format!("{key}: {}", value_text(value)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A range as the language writes it: `age in 18..=100`, `amount > 0`.
#[must_use]
pub fn range_text(name: &str, low: Option<&Bound>, high: Option<&Bound>) -> String {
    let above = |bound: &Bound| {
        format!(
            "{name} {} {}",
            if bound.inclusive { ">=" } else { ">" },
            value_text(&bound.value)
        )
    };
    let below = |bound: &Bound| {
        format!(
            "{name} {} {}",
            if bound.inclusive { "<=" } else { "<" },
            value_text(&bound.value)
        )
    };
    match (low, high) {
        (Some(low), Some(high)) if low.inclusive => {
            let equal = if high.inclusive { "=" } else { "" };
            format!(
                "{name} in {}..{equal}{}",
                value_text(&low.value),
                value_text(&high.value)
            )
        }
        (Some(low), Some(high)) => format!("{} and {}", above(low), below(high)),
        (Some(low), None) => above(low),
        (None, Some(high)) => below(high),
        (None, None) => name.to_owned(),
    }
}
