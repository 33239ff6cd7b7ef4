//! The body of a broken item → its lines: one per entry, by brackets, line breaks and indentation.
//!
//! White space means nothing to the grammar; it is a guide only here, where the grammar has given up.

use std::ops::Range;

use super::lexer::{Token, TokenKind};

/// Words with which a line goes on, rather than begins.
const CONTINUATIONS: [&str; 14] = [
    "else", "in", "after", "since", "without", "pick", "with", "rename", "join", "on", "matches", "length", "and", "or",
];

/// An entry of a body: indices of its tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its tokens.
    pub tokens: Range<usize>,
    /// A bracket in it that is never closed.
    pub unclosed: Option<Token>,
}

/// The entries of a body.
#[derive(Clone, Debug, PartialEq)]
pub struct Lines {
    /// In order.
    pub lines: Vec<Line>,
    /// The token that closes the body, if one does.
    pub close: Option<usize>,
}

/// Cuts the tokens from `start` on, up to the bracket that closes the body.
pub fn cut_lines(text: &str, tokens: &[Token], start: usize) -> Lines {
    let mut cutter = LineCutter {
        text,
        tokens,
        lines: Vec::new(),
        first: start,
        open: Vec::new(),
        indent: tokens.get(start).map_or(0, |token| column(text, token)),
    };
    let close = (start..tokens.len()).find(|index| cutter.closes_body(*index));
    cutter.end_line(close.unwrap_or(tokens.len()));
    let lines = cutter.lines;
    Lines { lines, close }
}

struct LineCutter<'a> {
    text: &'a str,
    tokens: &'a [Token],
    lines: Vec<Line>,
    /// The first token of the line that is being read.
    first: usize,
    /// Brackets that are open in it.
    open: Vec<Token>,
    /// The column of the body's first entry.
    indent: usize,
}

impl LineCutter<'_> {
    /// Takes one token; whether it closes the body.
    fn closes_body(&mut self, index: usize) -> bool {
        let Some(token) = self.tokens.get(index).copied() else {
            return false;
        };
        if self.begins_line(index, &token) {
            self.end_line(index);
        }
        match token.kind {
            TokenKind::Open => self.open.push(token),
            TokenKind::Close => return self.close(token.text(self.text)),
            _ => {}
        }
        false
    }

    fn close(&mut self, closer: &str) -> bool {
        let opener = match closer {
            ")" => "(",
            "]" => "[",
            _ => "{",
        };
        if self.open.last().is_some_and(|open| open.text(self.text) == opener) {
            self.open.pop();
            return false;
        }
        if closer != "}" {
            return false;
        }
        match self.open.iter().rposition(|open| open.text(self.text) == "{") {
            // A `(` inside these braces is never closed; the braces are.
            Some(position) => {
                self.open.remove(position);
                false
            }
            None => true,
        }
    }

    fn begins_line(&self, index: usize, token: &Token) -> bool {
        let Some(before) = index.checked_sub(1).and_then(|before| self.tokens.get(before)) else {
            return false;
        };
        let between = self.text.get(before.end..token.start).unwrap_or_default();
        if index == self.first || !between.contains('\n') {
            return false;
        }
        if !self.open.is_empty() {
            // Only a bracket that is never closed lets a line stand as far left as the entries.
            let outdented = column(self.text, token) <= self.indent;
            return outdented && token.kind == TokenKind::Name && !self.goes_on(index, token);
        }
        !self.goes_on(index, token)
            && (self.is_bound(index, token) || !expects_more(before.text(self.text), before.kind))
    }

    /// `name:` and `name =` begin an entry whatever stands before them.
    fn is_bound(&self, index: usize, token: &Token) -> bool {
        let next = self.tokens.get(index + 1).map(|next| next.text(self.text));
        matches!(token.kind, TokenKind::Name | TokenKind::QuotedName) && matches!(next, Some(":" | "="))
    }

    fn goes_on(&self, index: usize, token: &Token) -> bool {
        let next = self.tokens.get(index + 1).map(|next| next.text(self.text));
        match token.kind {
            TokenKind::Name => CONTINUATIONS.contains(&token.text(self.text)) && !matches!(next, Some(":" | "=")),
            TokenKind::Mark => token.text(self.text) != "!" && token.text(self.text) != "..=",
            TokenKind::Open | TokenKind::Close => true,
            _ => false,
        }
    }

    fn end_line(&mut self, end: usize) {
        if self.first < end {
            self.lines.push(Line {
                tokens: self.first..end,
                unclosed: self.open.first().copied(),
            });
        }
        self.first = end;
        self.open.clear();
    }
}

/// Whether an entry cannot end with this token.
fn expects_more(text: &str, kind: TokenKind) -> bool {
    match kind {
        TokenKind::Mark => !matches!(text, "?" | "," | ";" | ".." | "%"),
        TokenKind::Name => matches!(text, "in" | "let" | "and" | "or" | "not"),
        _ => false,
    }
}

fn column(text: &str, token: &Token) -> usize {
    let before = text.get(..token.start).unwrap_or_default();
    token.start - before.rfind('\n').map_or(0, |line_break| line_break + 1)
}
