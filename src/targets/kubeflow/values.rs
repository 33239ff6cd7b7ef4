//! Types and constants of the language as the platforms know them: six kinds of parameters, a few kinds of artifacts.

use serde_json::Value as Json;

use crate::plan::PortType;
use crate::targets::pipeline_spec::{ArtifactDefinition, ArtifactSchema, InputParameter, ParameterType};
use crate::types::{DataKind, DataType, Value};

/// The largest integer that a number of the platform holds exactly: 2^53 - 1.
pub(super) const LARGEST_INTEGER: i64 = (1 << 53) - 1;

/// What runs along an edge.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wire {
    /// Its type in the language.
    pub(super) ty: PortType,
    /// Whether a value that may be absent is a list of none or one: every value but a pipeline's own parameter.
    pub(super) boxed: bool,
}

impl Wire {
    /// What a node gives.
    pub(super) fn output(ty: &PortType) -> Self {
        Self {
            ty: ty.clone(),
            boxed: matches!(ty, PortType::Value(of) if of.optional),
        }
    }

    /// What stands for itself.
    pub(super) fn plain(ty: PortType) -> Self {
        Self { ty, boxed: false }
    }

    /// The parameter's type, for a value.
    pub(super) fn parameter(&self) -> Option<ParameterType> {
        match &self.ty {
            PortType::Value(_) if self.boxed => Some(ParameterType::List),
            PortType::Value(of) => Some(parameter_type(of)),
            list @ PortType::List(_) if list.is_value() => Some(ParameterType::List),
            PortType::List(_)
            | PortType::Dataset { .. }
            | PortType::Model { .. }
            | PortType::Metrics { .. }
            | PortType::File
            | PortType::Directory
            | PortType::Html
            | PortType::Markdown
            | PortType::Opaque
            | PortType::Custom { .. }
            | PortType::Deployment { .. } => None,
        }
    }

    /// Whether the platform lets the one stand for the other.
    pub(super) fn fits(&self, other: &Self) -> bool {
        match (self.parameter(), other.parameter()) {
            (Some(own), Some(other)) => own == other,
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// The input that takes it; nothing for an artifact.
    pub(super) fn input(&self) -> Option<InputParameter> {
        let optional = matches!(&self.ty, PortType::Value(of) if of.optional) && !self.boxed;
        Some(InputParameter {
            default_value: None,
            description: None,
            is_optional: optional,
            literals: Vec::new(),
            parameter_type: self.parameter()?,
        })
    }
}

/// The type of a value that is present.
pub(super) fn parameter_type(ty: &DataType) -> ParameterType {
    match &ty.kind {
        DataKind::Bool => ParameterType::Boolean,
        DataKind::Int => ParameterType::Integer,
        DataKind::Float => ParameterType::Double,
        DataKind::String
        | DataKind::Date
        | DataKind::Datetime
        | DataKind::Duration
        | DataKind::Size
        | DataKind::Money
        | DataKind::Enum(_) => ParameterType::String,
        DataKind::List(_) => ParameterType::List,
        DataKind::Map(_) | DataKind::Record(_) => ParameterType::Struct,
    }
}

/// Whether a type says more than the platform checks.
pub(super) fn says_more(ty: &DataType) -> bool {
    if !ty.refinements.is_empty() {
        return true;
    }
    match &ty.kind {
        DataKind::Bool | DataKind::Int | DataKind::Float | DataKind::String => false,
        DataKind::Date
        | DataKind::Datetime
        | DataKind::Duration
        | DataKind::Size
        | DataKind::Money
        | DataKind::Enum(_)
        | DataKind::Record(_) => true,
        DataKind::List(of) | DataKind::Map(of) => says_more(of),
    }
}

/// An artifact's definition; that of its items, with a mark, for a list.
pub(super) fn artifact(ty: &PortType) -> ArtifactDefinition {
    let mut innermost = ty;
    while let PortType::List(of) = innermost {
        innermost = of;
    }
    ArtifactDefinition {
        artifact_type: schema(innermost),
        is_artifact_list: matches!(ty, PortType::List(_)),
        ..ArtifactDefinition::default()
    }
}

fn schema(ty: &PortType) -> ArtifactSchema {
    let title = match ty {
        PortType::Dataset { .. } => "system.Dataset",
        PortType::Model { .. } => "system.Model",
        PortType::Metrics { .. } => "system.Metrics",
        PortType::Html => "system.HTML",
        PortType::Markdown => "system.Markdown",
        PortType::Custom {
            schema_title, version, ..
        } => {
            return ArtifactSchema {
                schema_title: Some(schema_title.clone()),
                schema_version: Some(version.clone()),
                ..ArtifactSchema::default()
            };
        }
        PortType::Value(_)
        | PortType::File
        | PortType::Directory
        | PortType::Opaque
        | PortType::Deployment { .. }
        | PortType::List(_) => "system.Artifact",
    };
    ArtifactSchema::titled(title)
}

/// A constant in the platform's JSON; an integer that it cannot hold is given back.
pub(super) fn constant(value: &Value) -> Result<Json, i64> {
    Ok(match value {
        Value::None => Json::Null,
        Value::Bool(value) => Json::from(*value),
        Value::Int(value) if value.unsigned_abs() > LARGEST_INTEGER.unsigned_abs() => return Err(*value),
        Value::Int(value) => Json::from(*value),
        Value::Float(value) => Json::from(*value),
        Value::String(text) | Value::Date(text) | Value::Datetime(text) | Value::Enum(text) => {
            Json::from(text.as_str())
        }
        Value::Duration(_) | Value::Size(_) | Value::Money { .. } => Json::from(value.to_string()),
        Value::List(items) => Json::Array(items.iter().map(constant).collect::<Result<_, _>>()?),
        Value::Map(entries) => {
            let entry = |(key, value): (&String, &Value)| Ok((key.clone(), constant(value)?));
            Json::Object(entries.iter().map(entry).collect::<Result<_, i64>>()?)
        }
    })
}

/// JSON in which no platform finds a placeholder: `{{` occurs only inside strings, where the second may be escaped.
pub(super) fn without_placeholders(json: &str) -> String {
    json.replace("{{", "{\\u007b")
}

/// Whether a platform would look for a placeholder in a text.
pub(super) fn looks_like_placeholder(text: &str) -> bool {
    text.contains("{{")
}

/// Whether any text of a value does.
pub(super) fn holds_placeholder(value: &Value) -> bool {
    match value {
        Value::String(text) | Value::Date(text) | Value::Datetime(text) | Value::Enum(text) => {
            looks_like_placeholder(text)
        }
        Value::List(items) => items.iter().any(holds_placeholder),
        Value::Map(entries) => entries
            .iter()
            .any(|(key, value)| looks_like_placeholder(key) || holds_placeholder(value)),
        Value::None
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Duration(_)
        | Value::Size(_)
        | Value::Money { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_that_a_double_cannot_hold_are_refused() {
        assert_eq!(constant(&Value::Int(LARGEST_INTEGER)), Ok(Json::from(LARGEST_INTEGER)));
        assert_eq!(constant(&Value::Int(1 << 53)), Err(1 << 53));
        assert_eq!(constant(&Value::List(vec![Value::Int(i64::MIN)])), Err(i64::MIN));
    }

    #[test]
    fn no_placeholder_is_left_in_json_and_its_meaning_stays() {
        for text in ["{{$}}", "{{{", "{{{{x}}}}", "{ {", "\\{{"] {
            let escaped = without_placeholders(&Json::from(text).to_string());
            assert!(!escaped.contains("{{"), "{escaped}");
            assert_eq!(serde_json::from_str::<Json>(&escaped).unwrap(), Json::from(text));
        }
    }
}
