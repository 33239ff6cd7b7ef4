//! Types of values: scalars, enums, lists, maps, records, and how they are narrowed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Value;

/// The type of a value or of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DataType {
    /// What it is when present.
    pub kind: DataKind,
    /// Whether it may be absent (`T?`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// What narrows it; all must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refinements: Vec<Refinement>,
}

/// The kinds of values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DataKind {
    /// `bool`
    Bool,
    /// `int`: 64 bits
    Int,
    /// `float`: 64 bits
    Float,
    /// `string`: UTF-8
    String,
    /// `date`
    Date,
    /// `datetime`: microseconds, UTC
    Datetime,
    /// `duration`
    Duration,
    /// `size`
    Size,
    /// `money`
    Money,
    /// One of a closed set of texts.
    Enum(EnumType),
    /// `list<T>`
    List(Box<DataType>),
    /// `map<T>`, keys are strings
    Map(Box<DataType>),
    /// `record` or `{ field: T }`
    Record(RecordType),
}

/// A closed set of values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnumType {
    /// The declared name; absent for an inline enum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The values in order.
    pub variants: Vec<EnumVariant>,
}

/// One value of an enum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnumVariant {
    /// Its name in the language.
    pub name: String,
    /// Its text in the data.
    pub text: String,
}

/// Named fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordType {
    /// The declared name; absent for an inline record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The fields in order.
    pub fields: Vec<RecordField>,
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordField {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: DataType,
}

/// A condition on a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Refinement {
    /// Between two bounds, either of which may be open.
    Range {
        /// Lower bound.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minimum: Option<Bound>,
        /// Upper bound.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        maximum: Option<Bound>,
    },
    /// A regular expression that is found in the text (anchor it with `^` and `$`); the syntax of the Rust `regex` crate.
    Matches(String),
    /// How many items or characters.
    Length {
        /// At least.
        minimum: u64,
        /// At most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        maximum: Option<u64>,
    },
}

/// An end of a range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bound {
    /// The value; of the kind of the type it bounds.
    pub value: Value,
    /// Whether the value itself is allowed.
    pub inclusive: bool,
}

impl DataType {
    /// A plain type: present and not narrowed.
    #[must_use]
    pub fn plain(kind: DataKind) -> Self {
        Self {
            kind,
            optional: false,
            refinements: Vec::new(),
        }
    }
}
