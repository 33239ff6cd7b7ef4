//! Parameters as `Param` with the JSON schema of their types: Airflow's own form and API refuse what the language would.

use serde_json::{Map, Value as Json, json};

use super::python;
use crate::plan::{Parameter, exchange_json};
use crate::types::{Bound, DataKind, DataType, Refinement, Value};

/// `Param(200, type="integer", minimum=1)`; `given` is what a schedule gives.
pub(super) fn param(parameter: &Parameter, given: Option<&Value>) -> String {
    let mut arguments = Vec::new();
    match given.or(parameter.default.as_ref()) {
        Some(value) => arguments.push(python::literal(&exchange_json(value))),
        None if parameter.ty.optional => arguments.push("None".to_owned()),
        None => {}
    }
    for (key, value) in schema(&parameter.ty) {
        arguments.push(format!("{key}={}", python::literal(&value)));
    }
    if let Some(docs) = &parameter.docs {
        arguments.push(format!("description={}", python::text(docs)));
    }
    format!("Param({})", arguments.join(", "))
}

/// The JSON schema of a type, in the form in which values cross borders (see [`exchange_json`]).
pub(super) fn schema(ty: &DataType) -> Map<String, Json> {
    let (kind, mut rest) = of_kind(&ty.kind);
    for refinement in &ty.refinements {
        refine(&mut rest, &ty.kind, refinement);
    }
    let mut schema = Map::new();
    let kind = if ty.optional {
        if let Some(Json::Array(values)) = rest.get_mut("enum") {
            values.push(Json::Null);
        }
        json!(["null", kind])
    } else {
        json!(kind)
    };
    schema.insert("type".to_owned(), kind);
    schema.extend(rest);
    schema
}

fn of_kind(kind: &DataKind) -> (&'static str, Map<String, Json>) {
    let (name, rest) = match kind {
        DataKind::Bool => ("boolean", json!({})),
        DataKind::Int => ("integer", json!({})),
        DataKind::Float => ("number", json!({})),
        DataKind::String => ("string", json!({})),
        DataKind::Date => ("string", json!({ "format": "date" })),
        DataKind::Datetime => ("string", json!({ "format": "date-time" })),
        DataKind::Duration => ("string", json!({ "pattern": "^-?([0-9]+(ms|s|min|h|d|w))+$" })),
        DataKind::Size => ("string", json!({ "pattern": "^[0-9]+([KMGTP]i?)?B?$" })),
        DataKind::Money => ("string", json!({ "pattern": "^-?[0-9.]+ [A-Z]{3}$" })),
        DataKind::Enum(of) => {
            let texts: Vec<&str> = of.variants.iter().map(|variant| variant.text.as_str()).collect();
            ("string", json!({ "enum": texts }))
        }
        DataKind::List(of) => ("array", json!({ "items": schema(of) })),
        DataKind::Map(of) => ("object", json!({ "additionalProperties": schema(of) })),
        DataKind::Record(of) => {
            let fields = of.fields.iter();
            let properties: Map<String, Json> = fields
                .clone()
                .map(|field| (field.name.clone(), Json::Object(schema(&field.ty))))
                .collect();
            let required: Vec<&str> = fields
                .filter(|field| !field.ty.optional)
                .map(|field| field.name.as_str())
                .collect();
            let rest = json!({ "properties": properties, "required": required, "additionalProperties": false });
            ("object", rest)
        }
    };
    match rest {
        Json::Object(rest) => (name, rest),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => (name, Map::new()),
    }
}

fn refine(schema: &mut Map<String, Json>, kind: &DataKind, refinement: &Refinement) {
    match refinement {
        Refinement::Range { minimum, maximum } => {
            // A duration or a day is a text on the way; the launcher checks its range.
            if matches!(kind, DataKind::Int | DataKind::Float) {
                end(schema, minimum.as_ref(), "minimum", "exclusiveMinimum");
                end(schema, maximum.as_ref(), "maximum", "exclusiveMaximum");
            }
        }
        Refinement::Matches(pattern) => {
            schema.insert("pattern".to_owned(), json!(pattern));
        }
        Refinement::Length { minimum, maximum } => {
            let (least, most) = match kind {
                DataKind::List(_) => ("minItems", "maxItems"),
                DataKind::Map(_) => ("minProperties", "maxProperties"),
                DataKind::Bool
                | DataKind::Int
                | DataKind::Float
                | DataKind::String
                | DataKind::Date
                | DataKind::Datetime
                | DataKind::Duration
                | DataKind::Size
                | DataKind::Money
                | DataKind::Enum(_)
                | DataKind::Record(_) => ("minLength", "maxLength"),
            };
            schema.insert(least.to_owned(), json!(minimum));
            if let Some(maximum) = maximum {
                schema.insert(most.to_owned(), json!(maximum));
            }
        }
    }
}

fn end(schema: &mut Map<String, Json>, bound: Option<&Bound>, inclusive: &str, exclusive: &str) {
    if let Some(bound) = bound {
        let key = if bound.inclusive { inclusive } else { exclusive };
        schema.insert(key.to_owned(), exchange_json(&bound.value));
    }
}
