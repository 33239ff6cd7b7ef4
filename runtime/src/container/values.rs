//! Values as the platforms bring and take them; the rules stand in [`mlp::plan::exchange_json`].

use mlp::plan::{PortType, exchange_json};
use mlp::types::{DataKind, DataType, Value};
use serde_json::Value as Json;

use crate::values::from_json;

/// A value that a platform brought. What may be absent is absent, null, or in a list of none or one (a box), which has to
/// be said of a list. Numbers are doubles: `5.0` is the int 5.
///
/// # Errors
/// What does not fit, in the words of every other border.
pub(crate) fn read(ty: &DataType, boxed: bool, json: Option<&Json>) -> Result<Value, String> {
    let json = match json {
        Some(Json::Array(items)) if ty.optional && (boxed || !is_list(ty)) && items.len() < 2 => items.first(),
        other => other,
    };
    match json {
        None | Some(Json::Null) => Ok(Value::None),
        Some(json) => from_json(ty, &narrowed(ty, json)),
    }
}

/// A value of a port that a platform brought: as [`read`], or a list of such, each of which may be in a box.
///
/// # Errors
/// What does not fit.
pub(crate) fn read_port(ty: &PortType, boxed: bool, json: Option<&Json>) -> Result<Value, String> {
    match ty {
        PortType::Value(of) => read(of, boxed, json),
        PortType::List(of) => match json {
            None | Some(Json::Null) => Ok(Value::None),
            Some(json) => {
                let items = json.as_array().ok_or_else(|| format!("{json} is no list"))?;
                let items = items.iter().map(|item| read_port(of, true, Some(item)));
                items.collect::<Result<_, _>>().map(Value::List)
            }
        },
        PortType::Dataset { .. }
        | PortType::Model { .. }
        | PortType::Metrics { .. }
        | PortType::File
        | PortType::Directory
        | PortType::Html
        | PortType::Markdown
        | PortType::Opaque
        | PortType::Custom { .. }
        | PortType::Deployment { .. } => Err("the platform brought no artifact".to_owned()),
    }
}

fn is_list(ty: &DataType) -> bool {
    matches!(ty.kind, DataKind::List(_))
}

/// The JSON with whole doubles as integers where the type wants integers, and boxes opened.
fn narrowed(ty: &DataType, json: &Json) -> Json {
    match (&ty.kind, json) {
        (DataKind::Int | DataKind::Duration | DataKind::Size, Json::Number(number)) => whole(number),
        (DataKind::List(of), Json::Array(items)) => items.iter().map(|item| narrowed(of, opened(of, item))).collect(),
        (DataKind::Map(of), Json::Object(entries)) => {
            let entries = entries.iter().map(|(key, item)| (key.clone(), narrowed(of, item)));
            Json::Object(entries.collect())
        }
        (DataKind::Record(of), Json::Object(entries)) => {
            let field = |(key, item): (&String, &Json)| {
                let field = of.fields.iter().find(|field| field.name == *key);
                (
                    key.clone(),
                    field.map_or_else(|| item.clone(), |field| narrowed(&field.ty, item)),
                )
            };
            Json::Object(entries.iter().map(field).collect())
        }
        _ => json.clone(),
    }
}

fn opened<'j>(ty: &DataType, json: &'j Json) -> &'j Json {
    match json.as_array() {
        Some(items) if ty.optional && !is_list(ty) && items.len() < 2 => items.first().unwrap_or(&Json::Null),
        Some(_) | None => json,
    }
}

fn whole(number: &serde_json::Number) -> Json {
    /// Whole numbers up to here are doubles of their own.
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(double) if !number.is_i64() && double.fract() == 0.0 && double.abs() <= LARGEST =>
        {
            #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
            Json::from(double as i64)
        }
        Some(_) | None => Json::Number(number.clone()),
    }
}

/// The content of an output's file: text as it is, what may be absent in a list of none or one, everything else JSON.
pub(crate) fn text(ty: &PortType, value: &Value) -> String {
    let json = exchange_json(value);
    let optional = matches!(ty, PortType::Value(of) if of.optional);
    match (value, json) {
        (Value::None, _) if optional => "[]".to_owned(),
        (_, json) if optional => Json::Array(vec![json]).to_string(),
        (_, Json::String(text)) => text,
        (_, json) => json.to_string(),
    }
}

/// The outcome of a run, from the status that the platform gives its last task.
///
/// # Errors
/// When it is none of the states that a run can end in.
pub(crate) fn outcome(json: &Json) -> Result<&'static str, String> {
    let state = json.get("state").unwrap_or(json).as_str().unwrap_or_default();
    match state {
        "SUCCEEDED" | "SKIPPED" | "CACHED" | "succeeded" => Ok("succeeded"),
        "FAILED" | "SYSTEM_ERROR" | "failed" => Ok("failed"),
        "CANCELLED" | "CANCELED" | "CANCELLING" | "cancelled" => Ok("cancelled"),
        _ => Err(format!("the platform's status {json} tells no outcome")),
    }
}

#[cfg(test)]
mod tests {
    use mlp::types::{RecordField, RecordType};
    use serde_json::json;

    use super::*;

    fn optional(kind: DataKind) -> DataType {
        DataType {
            optional: true,
            ..DataType::plain(kind)
        }
    }

    fn list_of(of: DataType) -> DataKind {
        DataKind::List(Box::new(of))
    }

    #[test]
    fn whole_doubles_are_ints_and_others_are_not() {
        let int = DataType::plain(DataKind::Int);
        assert_eq!(read(&int, false, Some(&json!(5.0))), Ok(Value::Int(5)));
        assert_eq!(read(&int, false, Some(&json!(-3))), Ok(Value::Int(-3)));
        assert_eq!(
            read(&int, false, Some(&json!(5.5))),
            Err("5.5 is not of type `int`".to_owned())
        );
        let float = DataType::plain(DataKind::Float);
        assert_eq!(read(&float, false, Some(&json!(5))), Ok(Value::Float(5.0)));
        let ints = DataType::plain(list_of(int.clone()));
        let expected = Value::List(vec![Value::Int(1), Value::Int(2)]);
        assert_eq!(read(&ints, false, Some(&json!([1.0, 2.0]))), Ok(expected));
        let field = |name: &str, ty: DataType| RecordField {
            name: name.to_owned(),
            ty,
        };
        let record = DataType::plain(DataKind::Record(RecordType {
            name: None,
            fields: vec![field("n", int), field("wait", DataType::plain(DataKind::Duration))],
        }));
        let read = read(&record, false, Some(&json!({"n": 2.0, "wait": "30min"}))).unwrap();
        assert_eq!(read.to_string(), "{ n: 2, wait: 30min }");
    }

    #[test]
    fn what_may_be_absent_comes_in_three_forms() {
        let int = optional(DataKind::Int);
        for absent in [None, Some(json!(null)), Some(json!([]))] {
            assert_eq!(read(&int, true, absent.as_ref()), Ok(Value::None), "{absent:?}");
        }
        assert_eq!(read(&int, true, Some(&json!([4.0]))), Ok(Value::Int(4)));
        assert_eq!(read(&int, false, Some(&json!(4.0))), Ok(Value::Int(4)));
        let list = optional(list_of(DataType::plain(DataKind::Int)));
        assert_eq!(read(&list, false, Some(&json!([]))), Ok(Value::List(Vec::new())));
        assert_eq!(read(&list, true, Some(&json!([]))), Ok(Value::None));
        assert_eq!(
            read(&list, true, Some(&json!([[1.0]]))),
            Ok(Value::List(vec![Value::Int(1)]))
        );
    }

    #[test]
    fn outputs_are_written_as_the_platform_reads_them() {
        let plain = |kind| PortType::Value(DataType::plain(kind));
        assert_eq!(
            text(&plain(DataKind::String), &Value::String("a \"b\"".to_owned())),
            "a \"b\""
        );
        assert_eq!(text(&plain(DataKind::Duration), &Value::Duration(1_800_000)), "30min");
        assert_eq!(text(&plain(DataKind::Bool), &Value::Bool(true)), "true");
        assert_eq!(text(&PortType::Value(optional(DataKind::String)), &Value::None), "[]");
        let given = Value::String("x".to_owned());
        assert_eq!(text(&PortType::Value(optional(DataKind::String)), &given), "[\"x\"]");
    }

    #[test]
    fn a_final_status_is_an_outcome() {
        assert_eq!(outcome(&json!({"state": "SUCCEEDED"})), Ok("succeeded"));
        assert_eq!(
            outcome(&json!({"state": "FAILED", "error": {"message": "x"}})),
            Ok("failed")
        );
        assert_eq!(outcome(&json!({"state": "CANCELLED"})), Ok("cancelled"));
        assert!(outcome(&json!({"state": "?"})).is_err());
    }
}
