//! SARIF 2.1.0: the log that code hosts and security dashboards read.
//! Source: OASIS, *Static Analysis Results Interchange Format (SARIF) Version 2.1.0*.

use serde_json::{Value, json};

use crate::diagnostics::{Code, Declaration, ResolvedDiagnostic, ResolvedEdit, ResolvedFix, ResolvedLabel, Severity};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// One log with one run; its rules are the whole registry.
pub(super) fn render(diagnostics: &[ResolvedDiagnostic]) -> String {
    let rules: Vec<Value> = Code::ALL.iter().map(|code| rule(code.declaration())).collect();
    let results: Vec<Value> = diagnostics.iter().map(result).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "mlp", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": { "PROJECT": { "description": { "text": "The folder that holds mlp.toml." } } },
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn rule(declaration: &Declaration) -> Value {
    json!({
        "id": declaration.code,
        "shortDescription": { "text": declaration.summary },
        "help": { "text": declaration.page, "markdown": declaration.page },
        "defaultConfiguration": { "level": level(declaration.severity) },
    })
}

fn result(diagnostic: &ResolvedDiagnostic) -> Value {
    let paragraphs = std::iter::once(&diagnostic.message)
        .chain(&diagnostic.notes)
        .chain(&diagnostic.help);
    let message: Vec<&str> = paragraphs.map(String::as_str).collect();
    let index = Code::ALL.iter().position(|code| *code == diagnostic.code);
    let mut result = json!({
        "ruleId": diagnostic.code.declaration().code,
        "ruleIndex": index,
        "level": level(diagnostic.severity),
        "message": { "text": message.join("\n\n") },
        "locations": [location(&diagnostic.primary)],
    });
    if !diagnostic.secondary.is_empty() {
        let related: Vec<Value> = diagnostic.secondary.iter().map(location).collect();
        result["relatedLocations"] = Value::Array(related);
    }
    if let Some(fix) = &diagnostic.fix {
        result["fixes"] = json!([fix_object(fix)]);
    }
    result
}

fn location(label: &ResolvedLabel) -> Value {
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": artifact(label.path.as_str()),
            "region": {
                "startLine": label.start.line,
                "startColumn": label.start.column,
                "endLine": label.end.line,
                "endColumn": label.end.column,
                "byteOffset": label.range.start,
                "byteLength": label.range.len(),
            },
        },
    });
    if !label.message.is_empty() {
        location["message"] = json!({ "text": label.message });
    }
    location
}

fn fix_object(fix: &ResolvedFix) -> Value {
    let mut changes: Vec<(&str, Vec<Value>)> = Vec::new();
    for edit in &fix.edits {
        let replacement = replacement(edit);
        match changes.iter_mut().find(|(path, _)| *path == edit.path.as_str()) {
            Some((_, replacements)) => replacements.push(replacement),
            None => changes.push((edit.path.as_str(), vec![replacement])),
        }
    }
    let changes: Vec<Value> = changes
        .into_iter()
        .map(|(path, replacements)| json!({ "artifactLocation": artifact(path), "replacements": replacements }))
        .collect();
    json!({ "description": { "text": fix.title }, "artifactChanges": changes })
}

fn replacement(edit: &ResolvedEdit) -> Value {
    json!({
        "deletedRegion": { "byteOffset": edit.range.start, "byteLength": edit.range.len() },
        "insertedContent": { "text": edit.text },
    })
}

fn artifact(path: &str) -> Value {
    json!({ "uri": uri(path), "uriBaseId": "PROJECT" })
}

/// A relative path as a URI reference (RFC 3986): everything but unreserved characters and `/` is percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("a b/ä:c.mlp"), "a%20b/%C3%A4%3Ac.mlp");
    }
}
