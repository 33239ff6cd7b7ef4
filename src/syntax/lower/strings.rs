//! String literals: escapes, holes, and quotes of other languages.

use pest::iterators::Pair;

use super::Lowering;
use crate::source::TextRange;
use crate::syntax::ast::{StringPart, Text};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::Rule;

const RAW: &str = "\"\"\"";

impl Lowering<'_> {
    /// The parts of `string` and `foreign_string`.
    pub(super) fn string_parts(&mut self, pair: Pair<'_, Rule>) -> Vec<StringPart> {
        if pair.as_rule() == Rule::foreign_string {
            return vec![StringPart::Text(self.foreign_string(&pair))];
        }
        let is_raw = pair.as_str().starts_with(RAW);
        if !is_raw && pair.as_str().contains('\n') {
            let range = self.range(&pair);
            self.report(
                SyntaxError::new(SyntaxErrorKind::UnclosedString, range, "This string goes over several lines.")
                    .with_help(format!("Name what stands in the hole with `let`, so that the string ends on its line; text over several lines stands between `{RAW}`.")),
            );
        }
        let mut parts = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::raw_string => parts.push(StringPart::Text(raw_text(part.as_str()))),
                Rule::string_text => parts.push(StringPart::Text(self.unescape(&part))),
                Rule::hole => {
                    parts.extend(part.into_inner().map(|inner| StringPart::Hole(self.expression(inner))));
                }
                _ => {}
            }
        }
        if parts.is_empty() {
            parts.push(StringPart::Text(String::new()));
        }
        parts
    }

    /// A `text`: a string without holes.
    pub(super) fn text_literal(&mut self, pair: &Pair<'_, Rule>) -> Text {
        let id = self.node_of(pair);
        let value = match pair.clone().into_inner().next() {
            Some(part) if part.as_rule() == Rule::raw_string => raw_text(part.as_str()),
            Some(part) if part.as_rule() == Rule::foreign_string => self.foreign_string(&part),
            Some(part) => self.unescape(&part),
            None => String::new(),
        };
        Text { id, value }
    }

    fn foreign_string(&mut self, pair: &Pair<'_, Rule>) -> String {
        let range = self.range(pair);
        let inside: String = {
            let mut characters = pair.as_str().chars();
            characters.next();
            characters.next_back();
            characters.collect()
        };
        let written = inside.replace('"', "\\\"");
        self.report(
            SyntaxError::new(
                SyntaxErrorKind::ForeignQuotes,
                range,
                "A string stands between straight double quotes.",
            )
            .with_help(format!("Write `\"{written}\"`."))
            .with_fix(range, format!("\"{written}\"")),
        );
        inside
    }

    fn unescape(&mut self, pair: &Pair<'_, Rule>) -> String {
        let start = pair.as_span().start() + self.base;
        let mut value = String::with_capacity(pair.as_str().len());
        let mut characters = pair.as_str().char_indices();
        while let Some((offset, character)) = characters.next() {
            if character != '\\' {
                value.push(character);
                continue;
            }
            let Some((_, escaped)) = characters.next() else {
                break;
            };
            match escaped {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                'r' => value.push('\r'),
                '"' | '\\' | '{' | '}' => value.push(escaped),
                _ => {
                    let at = TextRange::new(start + offset, start + offset + 1 + escaped.len_utf8());
                    self.unknown_escape(at, escaped);
                    value.push('\\');
                    value.push(escaped);
                }
            }
        }
        value
    }

    fn unknown_escape(&mut self, at: TextRange, escaped: char) {
        self.report(
            SyntaxError::new(
                SyntaxErrorKind::BadEscape,
                at,
                format!("`\\{escaped}` is no escape of the language."),
            )
            .with_help(format!(
                "Write `\\\\{escaped}` for a backslash before `{escaped}`, or a string between `{RAW}`, which is taken as it stands. \
                 The escapes are `\\n`, `\\t`, `\\r`, `\\\"`, `\\\\`, `\\{{` and `\\}}`."
            ))
            .with_fix(at, format!("\\\\{escaped}")),
        );
    }
}

fn raw_text(written: &str) -> String {
    let inside = written.strip_prefix(RAW).and_then(|inside| inside.strip_suffix(RAW));
    inside.unwrap_or_default().to_owned()
}
