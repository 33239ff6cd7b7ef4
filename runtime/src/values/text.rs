//! Values as text for arguments and interpolated strings.

use mlp::types::Value;

/// A value as it is written into an argument, an interpolated string or a file: text bare, everything else as the
/// language writes it.
#[must_use]
pub fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) | Value::Date(text) | Value::Datetime(text) | Value::Enum(text) => text.clone(),
        Value::None
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Duration(_)
        | Value::Size(_)
        | Value::Money { .. }
        | Value::List(_)
        | Value::Map(_) => value.to_string(),
    }
}
