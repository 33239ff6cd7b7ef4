//! Placeholders in texts: `{{$.inputs.parameters['x']}}` and its kin. What is none stays text.

use serde_json::Value as Json;

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text as it stands.
    Text(String),
    /// `{{$.inputs.parameters['x']}}`
    InputParameter(String),
    /// `{{$.inputs.artifacts['x'].path}}`
    InputPath(String),
    /// `{{$.inputs.artifacts['x'].uri}}`
    InputUri(String),
    /// `{{$.outputs.artifacts['x'].path}}`
    OutputPath(String),
    /// `{{$.outputs.artifacts['x'].uri}}`
    OutputUri(String),
    /// `{{$.outputs.parameters['x'].output_file}}`
    OutputFile(String),
    /// `{{$}}`: everything that a task is given, as JSON.
    ExecutorInput,
    /// Any other placeholder, as it is written.
    Other(String),
}

/// Cuts a text into plain text and placeholders.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{$") {
        let Some((inside, behind)) = after.split_once("}}") else {
            break;
        };
        // A brace or a line break in it means that the opening was no placeholder at all.
        if inside.contains(['{', '\n']) {
            push_text(&mut pieces, before);
            push_text(&mut pieces, "{{$");
            rest = after;
            continue;
        }
        push_text(&mut pieces, before);
        pieces.push(placeholder(inside));
        rest = behind;
    }
    push_text(&mut pieces, rest);
    pieces
}

/// Joins the parts of `{"Concat": […]}`, an argument that is written as JSON; nothing where that cannot be.
pub(super) fn concatenated(argument: &str) -> Option<String> {
    let json: Json = serde_json::from_str(argument).ok()?;
    let items = json.as_object()?.get("Concat")?.as_array()?;
    items.iter().map(Json::as_str).collect()
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if text.is_empty() {
        return;
    }
    if let Some(Piece::Text(before)) = pieces.last_mut() {
        before.push_str(text);
    } else {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

/// What stands before and after a key, and what it makes.
type Form = (&'static str, &'static str, fn(String) -> Piece);

fn placeholder(inside: &str) -> Piece {
    let inside = inside.trim_end();
    if inside.is_empty() {
        return Piece::ExecutorInput;
    }
    let forms: [Form; 6] = [
        (".inputs.parameters[", "", Piece::InputParameter),
        (".inputs.artifacts[", ".path", Piece::InputPath),
        (".inputs.artifacts[", ".uri", Piece::InputUri),
        (".outputs.artifacts[", ".path", Piece::OutputPath),
        (".outputs.artifacts[", ".uri", Piece::OutputUri),
        (".outputs.parameters[", ".output_file", Piece::OutputFile),
    ];
    for (before, after, make) in forms {
        let key = inside
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after))
            .and_then(|rest| rest.strip_suffix(']'))
            .and_then(unquoted);
        if let Some(key) = key {
            return make(key.to_owned());
        }
    }
    Piece::Other(format!("{{{{${inside}}}}}"))
}

fn unquoted(text: &str) -> Option<&str> {
    ['\'', '"'].into_iter().find_map(|quote| {
        let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
        (!inner.contains(quote)).then_some(inner)
    })
}

#[cfg(test)]
mod tests {
    use super::{Piece, concatenated, pieces};

    #[test]
    fn placeholders_are_found_within_text() {
        let found = pieces("a{{$.inputs.parameters['x']}}b{{$.outputs.artifacts['m'].path}}{{$}}");
        let expected = [
            Piece::Text("a".to_owned()),
            Piece::InputParameter("x".to_owned()),
            Piece::Text("b".to_owned()),
            Piece::OutputPath("m".to_owned()),
            Piece::ExecutorInput,
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_no_placeholder_stays_text() {
        for text in ["{{x}}", "{{$", "{{$ {", "}}{{", "{{$\n}}"] {
            assert_eq!(pieces(text), [Piece::Text(text.to_owned())], "{text}");
        }
        assert_eq!(pieces("{{$.foo}}"), [Piece::Other("{{$.foo}}".to_owned())]);
        assert_eq!(pieces(""), []);
    }

    #[test]
    fn concatenations_are_joined() {
        let joined = concatenated(r#"{"Concat": ["--x=", "{{$.inputs.parameters['x']}}"]}"#);
        assert_eq!(joined.as_deref(), Some("--x={{$.inputs.parameters['x']}}"));
        assert_eq!(concatenated(r#"{"Concat": [{"IfPresent": {}}]}"#), None);
    }
}
