//! File → items: where each top-level item begins and ends.
//!
//! Works on any text. It looks only at words, brackets and the start of lines; whether an item is well formed is for the
//! parser of that item to say. A bracket that is never closed costs its own item, not the ones after it.

use super::lexer::{Token, TokenKind, tokens};
use super::{Segment, Segments};
use crate::source::TextRange;

/// The words that begin an item.
pub const ITEM_WORDS: [&str; 16] = [
    "use", "schema", "record", "enum", "checks", "features", "model", "artifact", "step", "service", "pipeline",
    "monitor", "trigger", "target", "policy", "test",
];

/// Words that carry an item's header on to the next line.
const CONTINUATIONS: [&str; 9] = [
    "with", "without", "pick", "rename", "join", "on", "for", "from", "attests",
];

/// Cuts a file into items. Total: any text gives segments that do not overlap, in order, and every byte outside them is
/// white space or a comment.
#[must_use]
pub fn segments(text: &str) -> Segments {
    let mut cutter = Cutter::new(text);
    let all: Vec<Token> = tokens(text).collect();
    for (index, token) in all.iter().enumerate() {
        cutter.take(*token, all.get(index + 1..).unwrap_or_default());
    }
    cutter.finish();
    Segments {
        items: cutter.items,
        module_docs: module_docs(text, &all),
    }
}

/// The `//!` lines before the first item, without their marks.
fn module_docs(text: &str, all: &[Token]) -> Option<String> {
    let lines: Vec<&str> = all
        .iter()
        .take_while(|token| token.kind.is_trivia())
        .filter(|token| token.kind == TokenKind::ModuleDoc)
        .map(|token| doc_line(token.text(text)))
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// A doc comment's line without its mark and the space behind it.
pub fn doc_line(comment: &str) -> &str {
    let line = comment.trim_end();
    let line = line
        .strip_prefix("//!")
        .or_else(|| line.strip_prefix("///"))
        .unwrap_or(line);
    line.strip_prefix(' ').unwrap_or(line)
}

struct Cutter<'t> {
    text: &'t str,
    items: Vec<Segment>,
    /// Where the open segment begins, and the end of its last significant token.
    open: Option<(usize, usize)>,
    /// The start of the doc comment that stands directly before the next token.
    docs: Option<usize>,
    brackets: usize,
    last: Option<Token>,
    /// Offset of the first byte of the line, and whether something significant stood on it.
    line_start: usize,
    line_is_used: bool,
}

impl<'t> Cutter<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            items: Vec::new(),
            open: None,
            docs: None,
            brackets: 0,
            last: None,
            line_start: 0,
            line_is_used: false,
        }
    }

    fn take(&mut self, token: Token, after: &[Token]) {
        match token.kind {
            TokenKind::Space => {
                let space = token.text(self.text);
                if let Some(line_break) = space.rfind('\n') {
                    self.line_start = token.start + line_break + 1;
                    self.line_is_used = false;
                }
            }
            TokenKind::Doc => {
                self.docs.get_or_insert(token.start);
            }
            TokenKind::Comment | TokenKind::ModuleDoc => {}
            _ => self.significant(token, after),
        }
    }

    fn significant(&mut self, token: Token, after: &[Token]) {
        if self.begins_item(token, after) {
            self.finish();
            self.brackets = 0;
        }
        match token.kind {
            TokenKind::Open => self.brackets += 1,
            TokenKind::Close => self.brackets = self.brackets.saturating_sub(1),
            _ => {}
        }
        let start = self.docs.unwrap_or(token.start);
        match &mut self.open {
            Some((_, end)) => *end = token.end,
            None => self.open = Some((start, token.end)),
        }
        self.docs = None;
        self.last = Some(token);
        self.line_is_used = true;
    }

    fn begins_item(&self, token: Token, after: &[Token]) -> bool {
        if self.open.is_none() {
            return false;
        }
        if token.kind != TokenKind::Name {
            return self.brackets == 0 && self.begins_garbage(token);
        }
        let word = token.text(self.text);
        let is_item_word = ITEM_WORDS.contains(&word);
        let first_on_line = !self.line_is_used;
        let at_margin = first_on_line && token.start == self.line_start;
        let after_body = self.last.is_some_and(|last| last.text(self.text) == "}");
        if self.brackets > 0 {
            return at_margin && is_item_word && self.has_header(word, after);
        }
        if is_item_word && (at_margin || ((first_on_line || after_body) && self.has_header(word, after))) {
            return true;
        }
        at_margin && !CONTINUATIONS.contains(&word) && !self.expects_more()
    }

    /// Whether the token, which is no name, stands at the margin and cannot go on with an item.
    fn begins_garbage(&self, token: Token) -> bool {
        let at_margin = !self.line_is_used && token.start == self.line_start;
        let goes_on = match token.kind {
            TokenKind::Mark => matches!(token.text(self.text), "->" | "=" | ":" | "::" | "<" | "," | "?"),
            TokenKind::Open | TokenKind::Close | TokenKind::QuotedName => true,
            _ => false,
        };
        at_margin && !goes_on && !self.expects_more()
    }

    /// Whether the last token cannot be an item's last: then a word at the margin goes on with the item.
    fn expects_more(&self) -> bool {
        self.last.is_some_and(|last| match last.kind {
            TokenKind::Mark => last.text(self.text) != "?",
            TokenKind::Name => {
                ITEM_WORDS.contains(&last.text(self.text)) || CONTINUATIONS.contains(&last.text(self.text))
            }
            _ => false,
        })
    }

    /// Whether what follows an item's word looks like its header; a column called `model` is followed by a colon.
    fn has_header(&self, word: &str, after: &[Token]) -> bool {
        let mut rest = after.iter().filter(|token| !token.kind.is_trivia());
        let (Some(name), follower) = (rest.next(), rest.next().map(|token| token.text(self.text))) else {
            return false;
        };
        if word == "test" {
            return name.kind == TokenKind::String && follower == Some("{");
        }
        let named = matches!(name.kind, TokenKind::Name | TokenKind::QuotedName);
        let expected: &[&str] = match word {
            "use" => &["::"],
            "schema" => &["{", "="],
            "step" | "pipeline" => &["(", "<"],
            "checks" | "monitor" => &["on"],
            "features" => &["from", "<"],
            "service" | "trigger" | "policy" => &["for"],
            "target" => &[":"],
            _ => &["{"],
        };
        named && follower.is_some_and(|follower| expected.contains(&follower))
    }

    fn finish(&mut self) {
        if let Some((start, end)) = self.open.take() {
            self.items.push(Segment {
                range: TextRange::new(start, end),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        segments(text)
            .items
            .iter()
            .map(|segment| &text[segment.range.as_usize()])
            .collect()
    }

    #[test]
    fn items_keep_their_docs_and_lose_the_trivia_between() {
        let text = "//! File.\n\n/// A.\nschema A { a: int }\n\n// free\nuse a::B\n/// C\nenum C { x }";
        assert_eq!(
            cut(text),
            ["/// A.\nschema A { a: int }", "use a::B", "/// C\nenum C { x }"]
        );
        assert_eq!(segments(text).module_docs.as_deref(), Some("File."));
    }

    #[test]
    fn an_open_bracket_costs_only_its_item() {
        let text = "step f(a: int -> M {\n  run: builtin\n\nschema A {\n  model: int\n}";
        assert_eq!(
            cut(text),
            ["step f(a: int -> M {\n  run: builtin", "schema A {\n  model: int\n}"]
        );
    }

    #[test]
    fn columns_may_be_called_like_items() {
        let text = "schema A {\nmodel: string\nstep: int\ntest: bool\n}";
        assert_eq!(cut(text), [text]);
    }

    #[test]
    fn a_misspelt_item_is_its_own_segment() {
        assert_eq!(
            cut("use a::B\npipline p() {}\nenum A { b }"),
            ["use a::B", "pipline p() {}", "enum A { b }"]
        );
    }

    #[test]
    fn headers_may_go_on_in_the_next_line() {
        let text = "schema A =\nB\nwithout { x }";
        assert_eq!(cut(text), [text]);
    }
}
