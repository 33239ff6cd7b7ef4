//! The conditions of a gate or challenge with their values, as a table.

use serde_json::Value;

use crate::output::{Style, Terminal};
use crate::words;

/// One line for each condition of a record; nothing for a record without conditions.
pub fn table(terminal: Terminal, record: &Value, indent: &str) -> String {
    let conditions: Vec<&Value> = record
        .get("conditions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .collect();
    let name = |condition: &Value| words::plain(condition.get("text").and_then(Value::as_str).unwrap_or("?"));
    let width = conditions
        .iter()
        .map(|each| name(each).chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for condition in conditions {
        let (sign, style) = match condition.get("verdict").and_then(Value::as_str) {
            Some("pass") => ("✓", Style::Good),
            Some("fail") => ("✗", Style::Bad),
            _ => ("?", Style::Warn),
        };
        let told = condition
            .get("told")
            .and_then(Value::as_str)
            .map(words::plain)
            .unwrap_or_default();
        let line = format!(
            "{indent}{} {:width$}  {told}",
            terminal.paint(style, sign),
            name(condition)
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
