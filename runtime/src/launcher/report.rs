//! What an operation found, for people: a page and the numbers beside its outputs, also when the data or the model did not
//! pass. The page is that of the other platforms; here it is made HTML, which every browser shows.

use std::fmt::Write as _;

use mlp::plan::Operation;
use serde_json::Value as Json;

use super::objects::{Objects, ObjectsError};
use crate::container::pages::{Told, page};
use crate::container::shown::numbers;

/// Writes `report.html` and `metrics.json` into the folder of a task.
///
/// # Errors
/// When they cannot be written.
pub(super) fn write(objects: &dyn Objects, folder: &str, told: &Told<'_>) -> Result<(), ObjectsError> {
    let page = html(told.node, &page(told));
    objects.write(&format!("{folder}/report.html"), page.as_bytes())?;
    let numbers = format!("{:#}\n", Json::Object(numbers(told.record)));
    objects.write(&format!("{folder}/metrics.json"), numbers.as_bytes())
}

/// Whether an operation finds anything that is worth a page.
pub(super) fn is_told(operation: &Operation) -> bool {
    match operation {
        Operation::Validate { .. }
        | Operation::Evaluate { .. }
        | Operation::Gate { .. }
        | Operation::Challenge(_)
        | Operation::Register { .. }
        | Operation::Deploy { .. } => true,
        Operation::Read { .. }
        | Operation::Features(_)
        | Operation::Project(_)
        | Operation::Split { .. }
        | Operation::Mask { .. }
        | Operation::Predict { .. }
        | Operation::Champion { .. }
        | Operation::Prior { .. }
        | Operation::Approve { .. } => false,
    }
}

/// What lines of a page belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    Text,
    Table,
    Code,
}

/// A page as HTML. It knows what our own pages are made of (headings, tables, indented lines), and nothing else of Markdown.
fn html(title: &str, page: &str) -> String {
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{}</title>\n<style>\
         body{{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}}\
         table{{border-collapse:collapse}}th,td{{border:1px solid #8884;padding:.25rem .6rem;text-align:left}}</style>\n",
        escaped(title)
    );
    let mut open = Block::Text;
    for line in page.lines() {
        let block = match line {
            line if line.starts_with('|') => Block::Table,
            line if line.starts_with("    ") => Block::Code,
            _ => Block::Text,
        };
        let begins = block != open;
        if begins {
            text.push_str(close(open));
        }
        match block {
            Block::Table if begins => {
                let _ = writeln!(text, "<table>\n<tr>{}</tr>", cells(line, "th"));
            }
            Block::Table if line.starts_with("|---") => {}
            Block::Table => {
                let _ = writeln!(text, "<tr>{}</tr>", cells(line, "td"));
            }
            Block::Code => {
                let line = line.strip_prefix("    ").unwrap_or(line);
                let _ = writeln!(text, "{}{}", if begins { "<pre>" } else { "" }, escaped(line));
            }
            Block::Text => paragraph(&mut text, line),
        }
        open = block;
    }
    text.push_str(close(open));
    text
}

fn close(block: Block) -> &'static str {
    match block {
        Block::Text => "",
        Block::Table => "</table>\n",
        Block::Code => "</pre>\n",
    }
}

fn paragraph(text: &mut String, line: &str) {
    let (element, line) = match line.split_once(' ') {
        Some(("#", rest)) => ("h1", rest),
        Some(("##", rest)) => ("h2", rest),
        Some(("###", rest)) => ("h3", rest),
        Some(_) | None => ("p", line),
    };
    if !line.trim().is_empty() {
        let _ = writeln!(text, "<{element}>{}</{element}>", inline(line));
    }
}

/// The cells of a row; `\|` is a bar within one.
fn cells(line: &str, element: &str) -> String {
    let inner = line.trim().trim_start_matches('|');
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    let mut cells = vec![String::new()];
    let mut characters = inner.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, cells.last_mut()) {
            ('\\', Some(cell)) if characters.peek() == Some(&'|') => {
                cell.extend(characters.next());
            }
            ('|', _) => cells.push(String::new()),
            (character, Some(cell)) => cell.push(character),
            (_, None) => {}
        }
    }
    cells.iter().fold(String::new(), |mut row, cell| {
        let _ = write!(row, "<{element}>{}</{element}>", inline(cell.trim()));
        row
    })
}

/// Text with `code` in it.
fn inline(text: &str) -> String {
    let escaped = escaped(text);
    let parts: Vec<&str> = escaped.split('`').collect();
    // A mark that is never closed is a mark.
    if parts.len().is_multiple_of(2) {
        return escaped;
    }
    let marked = parts.iter().enumerate().map(|(index, part)| match index % 2 {
        0 => (*part).to_owned(),
        _ => format!("<code>{part}</code>"),
    });
    marked.collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::html;

    #[test]
    fn pages_become_html_and_no_text_becomes_markup() {
        let page = "# fit <b>\n\n✗ did not pass: `a < b` & \"c\"\n\n## Checks\n\n| | check | found |\n|---|---|---|\n| ✓ | \
                    `x \\| y` | <script> |\n\n## Details\n\n    row 1\n    <i>\n";
        let html = html("<fit>", page);
        assert!(html.contains("<title>&lt;fit&gt;</title>"), "{html}");
        let (_, body) = html.split_once("</style>\n").unwrap();
        let expected = "<h1>fit &lt;b&gt;</h1>\n<p>✗ did not pass: <code>a &lt; b</code> &amp; &quot;c&quot;</p>\n\
                        <h2>Checks</h2>\n<table>\n<tr><th></th><th>check</th><th>found</th></tr>\n<tr><td>✓</td><td><code>x | \
                        y</code></td><td>&lt;script&gt;</td></tr>\n</table>\n<h2>Details</h2>\n<pre>row 1\n&lt;i&gt;\n</pre>\n";
        assert_eq!(body, expected);
    }
}
