//! Values as plain JSON, the form in which Python steps take and give them.
//!
//! A plan's own JSON is another: there every value carries its kind.

use std::collections::BTreeMap;

use mlp::types::{DataKind, DataType, Value};
use serde_json::Value as Json;

use super::parse_argument;

/// A value from plain JSON by its type; the inverse of [`mlp::plan::plain_json`]. Refinements are the caller's to check.
///
/// # Errors
/// A sentence that names the JSON and the type.
pub fn from_json(ty: &DataType, json: &Json) -> Result<Value, String> {
    let mismatch = || format!("{json} is not of type `{}`", ty);
    match (&ty.kind, json) {
        (_, Json::Null) => Ok(Value::None),
        (DataKind::Bool, Json::Bool(value)) => Ok(Value::Bool(*value)),
        (DataKind::Int, Json::Number(number)) => number.as_i64().map(Value::Int).ok_or_else(mismatch),
        (DataKind::Duration, Json::Number(number)) => number.as_i64().map(Value::Duration).ok_or_else(mismatch),
        (DataKind::Size, Json::Number(number)) => number.as_u64().map(Value::Size).ok_or_else(mismatch),
        (DataKind::Float, Json::Number(number)) => number.as_f64().map(Value::Float).ok_or_else(mismatch),
        (DataKind::String, Json::String(text)) => Ok(Value::String(text.clone())),
        (DataKind::Enum(_), Json::String(text)) => Ok(Value::Enum(text.clone())),
        (
            DataKind::Date | DataKind::Datetime | DataKind::Duration | DataKind::Size | DataKind::Money,
            Json::String(text),
        ) => parse_argument(&DataType::plain(ty.kind.clone()), text),
        (DataKind::Money, Json::Object(fields)) => {
            let amount = fields.get("amount").and_then(Json::as_f64).ok_or_else(mismatch)?;
            let currency = fields.get("currency").and_then(Json::as_str).ok_or_else(mismatch)?;
            #[expect(clippy::cast_possible_truncation, reason = "amounts beyond saturate")]
            let amount = (amount * 10_000.0).round() as i64;
            Ok(Value::Money {
                amount,
                currency: currency.to_owned(),
            })
        }
        (DataKind::List(of), Json::Array(items)) => items
            .iter()
            .map(|item| from_json(of, item))
            .collect::<Result<_, _>>()
            .map(Value::List),
        (DataKind::Map(of), Json::Object(entries)) => entries
            .iter()
            .map(|(key, entry)| Ok((key.clone(), from_json(of, entry)?)))
            .collect::<Result<_, String>>()
            .map(Value::Map),
        (DataKind::Record(of), Json::Object(entries)) => {
            let mut fields = BTreeMap::new();
            for (key, entry) in entries {
                let field = of.fields.iter().find(|field| field.name == *key);
                let field = field.ok_or_else(|| format!("`{}` has no field `{key}`", ty))?;
                fields.insert(key.clone(), from_json(&field.ty, entry)?);
            }
            Ok(Value::Map(fields))
        }
        _ => Err(mismatch()),
    }
}
