//! Values as JSON outside of plans, where a value does not carry its kind: for platforms and for Python.
//!
//! Reading either form is the runtime's, since it needs the parser of texts.

use serde_json::Value as Json;

use crate::types::Value;

/// A value as JSON for a platform, which knows numbers, texts, lists and structs alone: a duration, a size, an amount of
/// money, a day or a point in time is its text in the language, an enum value its text in the data.
#[must_use]
pub fn exchange_json(value: &Value) -> Json {
    match value {
        Value::None => Json::Null,
        Value::Bool(value) => Json::from(*value),
        Value::Int(value) => Json::from(*value),
        Value::Float(value) => Json::from(*value),
        Value::String(text) | Value::Date(text) | Value::Datetime(text) | Value::Enum(text) => Json::from(text.clone()),
        Value::Duration(_) | Value::Size(_) | Value::Money { .. } => Json::from(value.to_string()),
        Value::List(items) => Json::Array(items.iter().map(exchange_json).collect()),
        Value::Map(entries) => Json::Object(
            entries
                .iter()
                .map(|(key, value)| (key.clone(), exchange_json(value)))
                .collect(),
        ),
    }
}

/// A value as plain JSON: durations in milliseconds, sizes in bytes, money as `{"amount", "currency"}` with the amount
/// in units, dates and datetimes as text.
#[must_use]
pub fn plain_json(value: &Value) -> Json {
    match value {
        Value::None => Json::Null,
        Value::Bool(value) => Json::from(*value),
        Value::Int(value) | Value::Duration(value) => Json::from(*value),
        Value::Float(value) => Json::from(*value),
        Value::String(text) | Value::Date(text) | Value::Datetime(text) | Value::Enum(text) => Json::from(text.clone()),
        Value::Size(bytes) => Json::from(*bytes),
        Value::Money { amount, currency } => {
            #[expect(clippy::cast_precision_loss, reason = "amounts are read as floats on the other side")]
            let amount = *amount as f64 / 10_000.0;
            serde_json::json!({ "amount": amount, "currency": currency })
        }
        Value::List(items) => Json::Array(items.iter().map(plain_json).collect()),
        Value::Map(entries) => Json::Object(
            entries
                .iter()
                .map(|(key, value)| (key.clone(), plain_json(value)))
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_json_has_no_kind_for_is_its_text() {
        let money = Value::Money {
            amount: 405_000,
            currency: "USD".to_owned(),
        };
        let values = Value::List(vec![
            Value::Duration(9_000_000),
            Value::Size(16 << 30),
            money,
            Value::Enum("for free".to_owned()),
            Value::None,
            Value::Float(3.0),
        ]);
        let expected = json!(["2h30min", "16GiB", "40.5 USD", "for free", null, 3.0]);
        assert_eq!(exchange_json(&values), expected);
    }
}
