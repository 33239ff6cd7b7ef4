//! Arguments that are structures: `{"Concat": […]}` and `{"IfPresent": {…}}`.

use serde_json::Value as Json;

/// An argument that the platform is to evaluate.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Structure {
    /// Whether it joins texts.
    pub(super) joins: bool,
    /// Inputs whose presence it asks for.
    pub(super) asks: Vec<String>,
    /// The texts in it.
    pub(super) texts: Vec<String>,
    /// What is wrong with it.
    pub(super) wrong: Option<String>,
}

/// Reads an argument: `None` when it is plain text.
pub(super) fn structure(argument: &str) -> Option<Structure> {
    if !(argument.starts_with("{\"Concat\":") || argument.starts_with("{\"IfPresent\":")) {
        return None;
    }
    let mut structure = Structure::default();
    match serde_json::from_str::<Json>(argument) {
        Ok(value) => read(&value, &mut structure),
        Err(error) => structure.wrong = Some(format!("is no JSON: {error}")),
    }
    Some(structure)
}

/// A walk with a stack of its own; JSON that was parsed is at most 128 deep, and still.
fn read(value: &Json, structure: &mut Structure) {
    let mut stack = vec![value];
    while let Some(value) = stack.pop() {
        match value {
            Json::String(text) => structure.texts.push(text.clone()),
            Json::Array(items) => stack.extend(items),
            Json::Object(fields) => {
                let concat = fields.get("Concat");
                let present = fields.get("IfPresent").and_then(Json::as_object);
                match (concat, present) {
                    (Some(Json::Array(items)), None) => {
                        structure.joins = true;
                        stack.extend(items);
                    }
                    (None, Some(present)) => {
                        match present.get("InputName").and_then(Json::as_str) {
                            Some(name) => structure.asks.push(name.to_owned()),
                            None => structure.wrong = Some("asks for the presence of no input".to_owned()),
                        }
                        stack.extend(present.get("Then").into_iter().chain(present.get("Else")));
                    }
                    _ => structure.wrong = Some("has a part that is neither `Concat` nor `IfPresent`".to_owned()),
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {
                structure.wrong = Some("has a part that is no text".to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Structure, structure};

    #[test]
    fn structures_are_read() {
        let text = r#"{"IfPresent": {"InputName": "x", "Then": ["--x", {"Concat": ["a", "b"]}], "Else": ["c"]}}"#;
        let Some(Structure {
            joins,
            asks,
            mut texts,
            wrong,
        }) = structure(text)
        else {
            unreachable!("it begins as one")
        };
        texts.sort();
        assert!(joins);
        assert_eq!(asks, ["x"]);
        assert_eq!(texts, ["--x", "a", "b", "c"]);
        assert_eq!(wrong, None);
        assert_eq!(structure("{\"a\": 1}"), None);
        for wrong in [
            "{\"Concat\":",
            "{\"Concat\": 1}",
            "{\"IfPresent\": {}}",
            "{\"Concat\": [1]}",
        ] {
            assert!(
                structure(wrong).is_some_and(|structure| structure.wrong.is_some()),
                "{wrong}"
            );
        }
    }
}
