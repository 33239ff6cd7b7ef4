//! Constant values.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A value of the language, as it stands in a plan: `{"int": 5}`, `{"string": "x"}`, `"none"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// The absent value of an optional type.
    None,
    /// `true` or `false`
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// A 64-bit float, never NaN.
    Float(f64),
    /// Text.
    String(String),
    /// A day, `YYYY-MM-DD`.
    Date(String),
    /// A point in time, RFC 3339 in UTC with a trailing `Z`.
    Datetime(String),
    /// Milliseconds.
    Duration(i64),
    /// Bytes.
    Size(u64),
    /// An amount of money.
    Money {
        /// In 1/10,000 of the unit.
        amount: i64,
        /// ISO 4217 code.
        currency: String,
    },
    /// An enum value, by its text in the data (its name, unless a label says otherwise).
    Enum(String),
    /// A list.
    List(Vec<Value>),
    /// A map or record, by key.
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// The field of a map or record; nothing for any other value.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Self> {
        if let Self::Map(fields) = self {
            fields.get(name)
        } else {
            None
        }
    }

    /// The text of a string.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::String(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// The number of an integer.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        if let Self::Int(number) = self {
            Some(*number)
        } else {
            None
        }
    }
}
