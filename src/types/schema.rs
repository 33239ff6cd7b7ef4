//! Schemas: the columns of a dataset, and the algebra over them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataType, Value};

/// The columns of a dataset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Schema {
    /// How a reader calls it: its declared name, or the algebra that made it (`Applicant without { @pii }`).
    pub name: String,
    /// The columns in order; names are unique.
    pub columns: Vec<Column>,
    /// Whether columns or tags are missing here because of errors that were reported: then nobody may complain that they
    /// are. Never in a plan, which is built only when there is no error.
    #[serde(skip)]
    pub incomplete: bool,
}

/// A column of a schema.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Column {
    /// The name in the data, whatever characters it holds.
    pub name: String,
    /// The type of its values.
    pub ty: DataType,
    /// Its roles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<ColumnTag>,
    /// Its doc comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
}

/// A role of a column: `@label`, `@pii(email)`, `@unit("EUR")`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ColumnTag {
    /// `label`, `key`, `pii`, `protected`, `event_time`, `after`, `unit`
    pub name: String,
    /// Names and constants in its parentheses; a name is a [`Value::String`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<Value>,
}

impl Schema {
    /// The column called `name`.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The columns that carry `tag`.
    pub fn tagged<'a>(&'a self, tag: &'a str) -> impl Iterator<Item = &'a Column> {
        self.columns.iter().filter(move |column| column.has_tag(tag))
    }
}

impl Column {
    /// Whether the column carries `tag`.
    #[must_use]
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.iter().any(|own| own.name == tag)
    }
}
