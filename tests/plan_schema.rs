//! The published JSON Schema of the plan is up to date, and describes the plans that are written.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests read the repository's own files, and fail by panicking"
)]

use std::collections::BTreeMap;

use mlp::plan::{self, Plan};
use serde_json::{Value, json};

/// `MLP_BLESS=1` writes it anew.
#[test]
fn the_published_schema_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/plan.schema.json");
    let schema = plan::json_schema().unwrap();
    if std::env::var_os("MLP_BLESS").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    let present = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        present == schema,
        "docs/plan.schema.json is stale: run the test again with MLP_BLESS=1"
    );
}

fn sample() -> Plan {
    let column = json!({"name": "id", "ty": {"kind": "string"}, "tags": [{"name": "key"}]});
    let number = json!({"kind": "int", "optional": true, "refinements": [
        {"range": {"minimum": {"value": {"int": 1}, "inclusive": true}}},
    ]});
    let dataset = json!({"dataset": {"schema": "Row", "evidence": "validated"}});
    let reference = json!({"reference": {"output": {"node": "raw", "port": "output"}}});
    let nodes = json!([
        {"id": "raw", "callee": "read", "kind": {"operation": {"read": {"schema": "Row"}}},
         "inputs": [{"name": "source", "value": {"value": {"string": "a.csv"}}, "ty": {"value": {"kind": "string"}}}],
         "outputs": [{"name": "output", "ty": {"dataset": {"schema": "Row", "evidence": "none"}}}]},
        {"id": "clean", "callee": "validate", "kind": {"operation": {"validate": {"schema": "Row", "checks": null}}},
         "inputs": [{"name": "data", "value": reference, "ty": dataset}],
         "outputs": [{"name": "output", "ty": dataset}], "after": ["raw"]},
        {"id": "work", "callee": "work", "kind": {"step": {"step": "work"}}},
        {"id": "end", "callee": "finally", "kind": {"finally": {"nodes": []}}},
    ]);
    let command = json!([[{"text": "cat"}], [{"hole": "data"}]]);
    let plan = json!({
        "version": 1,
        "project": {"name": "p", "version": "0.1.0"},
        "pipelines": {"main": {
            "name": "main", "docs": "Docs.",
            "parameters": [{"name": "n", "ty": number, "default": {"float": 0.5}}],
            "graph": {"nodes": nodes},
            "origins": {"raw": {"file": "main.mlp", "line": 3}},
        }},
        "steps": {"work": {
            "name": "work", "inputs": [{"name": "data", "ty": dataset}], "outputs": [],
            "run": {"command": command}, "resources": {"cpu_millis": 500, "gpu": ["nvidia-t4", 1]},
            "retries": {"count": 2, "backoff": {"first": 1, "factor": 2.0, "longest": 9}}, "cache": {"key": "k"},
        }},
        "models": {}, "services": {},
        "schemas": {"Row": {"name": "Row", "columns": [column]}},
    });
    serde_json::from_value(plan).unwrap()
}

#[test]
fn a_plan_survives_being_written_and_read() {
    let plan = sample();
    let text = plan::to_json(&plan).unwrap();
    assert_eq!(plan::from_json(&text).unwrap(), plan);
    assert_eq!(
        plan::to_json(&plan::from_json(&text).unwrap()).unwrap(),
        text,
        "writing is stable"
    );
    assert!(text.ends_with("}\n"));
}

#[test]
fn a_written_plan_keeps_the_schema() {
    let schema: Value = serde_json::from_str(&plan::json_schema().unwrap()).unwrap();
    let mut written = serde_json::to_value(sample()).unwrap();
    assert_eq!(Checker { root: &schema }.problem(&schema, &written), None);

    written["pipelines"]["main"]["graph"]["nodes"][0]["kind"] = json!({"operation": {"write": {}}});
    assert!(Checker { root: &schema }.problem(&schema, &written).is_some());
    let without = BTreeMap::from([("version", 1)]);
    assert!(Checker { root: &schema }.problem(&schema, &json!(without)).is_some());
}

/// The part of JSON Schema that the plan's uses; an unknown keyword fails the test, so that none is skipped silently.
struct Checker<'a> {
    root: &'a Value,
}

impl Checker<'_> {
    fn problem(&self, schema: &Value, value: &Value) -> Option<String> {
        let Value::Object(keywords) = schema else {
            return (schema == &json!(false)).then(|| "nothing is allowed here".to_owned());
        };
        keywords
            .iter()
            .find_map(|(keyword, rule)| self.keyword(keyword, rule, schema, value))
    }

    fn keyword(&self, keyword: &str, rule: &Value, schema: &Value, value: &Value) -> Option<String> {
        match keyword {
            "$schema" | "$defs" | "title" | "description" | "default" | "format" => None,
            "$ref" => {
                let pointer = rule.as_str().unwrap().trim_start_matches('#');
                self.problem(self.root.pointer(pointer).expect("references resolve"), value)
            }
            "type" => {
                let kinds = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                let fits = kinds.iter().any(|kind| is_kind(kind.as_str().unwrap(), value));
                (!fits).then(|| format!("{value} is no {rule}"))
            }
            "enum" => (!rule.as_array().unwrap().contains(value)).then(|| format!("{value} is none of {rule}")),
            "const" => (rule != value).then(|| format!("{value} is not {rule}")),
            "minimum" => (value.as_f64() < rule.as_f64()).then(|| format!("{value} is too small")),
            "maximum" => (value.as_f64() > rule.as_f64()).then(|| format!("{value} is too large")),
            "minItems" | "maxItems" => {
                let (length, bound) = (
                    value.as_array()?.len(),
                    usize::try_from(rule.as_u64().unwrap()).unwrap(),
                );
                let wrong = if keyword == "minItems" {
                    length < bound
                } else {
                    length > bound
                };
                wrong.then(|| format!("{length} items"))
            }
            "oneOf" | "anyOf" => {
                let problems: Vec<_> = rule
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|each| self.problem(each, value))
                    .collect();
                let fits = problems.iter().filter(|problem| problem.is_none()).count();
                let wrong = if keyword == "oneOf" { fits != 1 } else { fits == 0 };
                wrong.then(|| format!("{fits} alternatives fit {value}: {problems:?}"))
            }
            "required" => {
                let object = value.as_object()?;
                let missing = rule
                    .as_array()
                    .unwrap()
                    .iter()
                    .find(|name| !object.contains_key(name.as_str().unwrap()));
                missing.map(|name| format!("{name} is missing"))
            }
            "properties" => {
                let object = value.as_object()?;
                object
                    .iter()
                    .find_map(|(name, inner)| self.problem(rule.get(name)?, inner))
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                let mut others = value.as_object()?.iter();
                others.find_map(|(name, inner)| {
                    let is_known = known.is_some_and(|known| known.contains_key(name));
                    if is_known { None } else { self.problem(rule, inner) }
                })
            }
            "items" => value.as_array()?.iter().find_map(|inner| self.problem(rule, inner)),
            "prefixItems" => {
                let pairs = rule.as_array().unwrap().iter().zip(value.as_array()?);
                pairs.into_iter().find_map(|(rule, inner)| self.problem(rule, inner))
            }
            other => panic!("the checker does not know the keyword {other}"),
        }
    }
}

fn is_kind(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("no such type: {other}"),
    }
}
