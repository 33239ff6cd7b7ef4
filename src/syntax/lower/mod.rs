//! pest's pairs → the abstract syntax of `ast`, with every node's range in a table beside it.
//!
//! It also reports what the grammar reads but the language refuses: the rules under "mistakes" in the grammar, numbers,
//! escapes. It resolves no names and checks no types.

mod expressions;
mod items;
mod literals;
mod statements;
mod strings;
mod types;

pub use literals::{DURATION_UNITS, SIZE_UNITS};

use std::collections::BTreeSet;

use pest::iterators::Pair;

use super::ast::{Ident, NodeId, SpanTable};
use super::error::{SyntaxError, SyntaxErrorKind};
use super::grammar::Rule;
use super::lexer::{Token, is_name_byte};
use super::segments::doc_line;
use crate::source::{Name, TextRange};

/// The state of lowering one item.
pub struct Lowering<'t> {
    /// The item's text.
    text: &'t str,
    /// Ends of the significant tokens, in order: where trimmed ranges may end.
    token_ends: Vec<usize>,
    /// Where the text that pest parsed begins in `text`.
    base: usize,
    spans: SpanTable,
    errors: Vec<SyntaxError>,
    /// Expressions that stand in parentheses, which leave no node.
    parenthesised: BTreeSet<NodeId>,
    /// Entries that stand side by side and were reported: what they hold means nothing.
    apart: Vec<TextRange>,
}

impl<'t> Lowering<'t> {
    /// Lowering of an item with these significant tokens.
    pub fn new(text: &'t str, tokens: &[Token]) -> Self {
        Self {
            text,
            token_ends: tokens.iter().map(|token| token.end).collect(),
            base: 0,
            spans: SpanTable::default(),
            errors: Vec::new(),
            parenthesised: BTreeSet::new(),
            apart: Vec::new(),
        }
    }

    /// From here on, pairs come from a parse of the text from `base`.
    pub fn set_base(&mut self, base: usize) {
        self.base = base;
    }

    /// What was made.
    pub fn finish(mut self) -> (SpanTable, Vec<SyntaxError>) {
        self.errors.sort_by_key(|error| error.range.start);
        (self.spans, self.errors)
    }

    /// Reports an error.
    pub fn report(&mut self, error: SyntaxError) {
        self.errors.push(error);
    }

    /// A new node over `range`.
    pub fn node(&mut self, range: TextRange) -> NodeId {
        let id = NodeId(u32::try_from(self.spans.ranges.len()).unwrap_or(u32::MAX));
        self.spans.ranges.push(range);
        id
    }

    /// Widens or moves a node.
    pub fn set_range(&mut self, node: NodeId, range: TextRange) {
        if let Some(place) = self.spans.ranges.get_mut(node.0 as usize) {
            *place = range;
        }
    }

    fn range_of(&self, node: NodeId) -> TextRange {
        self.spans.get(node)
    }

    fn node_of(&mut self, pair: &Pair<'_, Rule>) -> NodeId {
        let range = self.range(pair);
        self.node(range)
    }

    /// The range of a pair without the white space and comments that pest leaves at its end.
    fn range(&self, pair: &Pair<'_, Rule>) -> TextRange {
        let span = pair.as_span();
        let (start, end) = (span.start() + self.base, span.end() + self.base);
        let tokens_before_end = self.token_ends.partition_point(|token_end| *token_end <= end);
        let last = tokens_before_end
            .checked_sub(1)
            .and_then(|index| self.token_ends.get(index));
        let trimmed = last.copied().filter(|last| *last > start).unwrap_or(end);
        // A pair may end inside a token, as names do in the holes of a string.
        let in_token = !span.as_str().ends_with(char::is_whitespace) && !span.as_str().contains("//");
        TextRange::new(start, if in_token { end } else { trimmed })
    }

    /// A name as written, at a range of the item.
    pub fn ident_at(&mut self, range: TextRange) -> Ident {
        let written = self.text.get(range.as_usize()).unwrap_or_default();
        let text = Name::from(written.trim_matches('`'));
        Ident {
            id: self.node(range),
            text,
        }
    }

    fn ident(&mut self, pair: &Pair<'_, Rule>) -> Ident {
        let range = self.range(pair);
        self.ident_at(range)
    }

    /// The doc comment that stands on the lines directly before `offset`.
    pub fn docs_before(&self, offset: usize) -> Option<String> {
        let before = self.text.get(..offset)?;
        let mut lines: Vec<&str> = before
            .trim_end()
            .lines()
            .rev()
            .map(str::trim)
            .take_while(|line| line.starts_with("///") && !line.starts_with("////"))
            .map(doc_line)
            .collect();
        lines.reverse();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    fn docs_of(&self, pair: &Pair<'_, Rule>) -> Option<String> {
        self.docs_before(pair.as_span().start() + self.base)
    }

    /// Reports the rules of the grammar that stand for a mistake in place of a mark.
    fn report_mistake(&mut self, pair: &Pair<'_, Rule>) {
        let range = self.range(pair);
        let error = match pair.as_rule() {
            Rule::equals_for_colon => SyntaxError::new(
                SyntaxErrorKind::WrongSeparator,
                range,
                "A name is given its value with `:` here, not with `=`.",
            )
            .with_help("Write `:`. Only `let`, defaults and features take `=`.")
            .with_fix(self.glued(range), ":"),
            Rule::colon_for_equals => SyntaxError::new(
                SyntaxErrorKind::WrongSeparator,
                range,
                "A feature is defined with `=`, not with `:`.",
            )
            .with_help("Write `=`, as in `age_decade = floor(age / 10)`.")
            .with_fix(
                range,
                if self
                    .text
                    .get(..range.start as usize)
                    .is_some_and(|before| before.ends_with(' '))
                {
                    "="
                } else {
                    " ="
                },
            ),
            Rule::semicolon => SyntaxError::new(SyntaxErrorKind::Semicolon, range, "A line ends without `;`.")
                .with_help("Leave the `;` out: each statement and setting ends where the next begins.")
                .with_fix(range, ""),
            _ => return,
        };
        self.report(error);
    }

    /// Runs over the entries of a body. They need nothing between them, but some that share a line are one that was
    /// broken: `every 1h`, `a.b(c)`.
    fn check_body(&mut self, body: &Pair<'_, Rule>) {
        let mut last: Option<TextRange> = None;
        for entry in body.clone().into_inner() {
            let range = self.range(&entry);
            if let Some(last) = last
                && matches!(entry.as_rule(), Rule::condition | Rule::expression)
            {
                self.check_neighbours(last, range);
            }
            last = Some(range);
        }
    }

    fn check_neighbours(&mut self, first: TextRange, second: TextRange) {
        let text = |range: TextRange| self.text.get(range.as_usize()).unwrap_or_default();
        let between = text(TextRange::new(first.end as usize, second.start as usize));
        let (word, next) = (text(first), text(second));
        let is_word = word.bytes().all(is_name_byte);
        if between.contains(['\n', ',', ';']) || !(is_word || next.starts_with('(')) {
            return;
        }
        if self.stands_apart(first) {
            self.apart.push(first.cover(second));
            return;
        }
        let error = if next.starts_with('(') {
            SyntaxError::new(
                SyntaxErrorKind::Unexpected,
                TextRange::new(second.start as usize, second.start as usize + 1),
                "A parenthesis stands here, and nothing before it can be called.",
            )
            .with_help(
                "Only a name is called, as in `step(value)`: a value has no functions of its own. Order between steps is \
                 written `step(…) after other`.",
            )
        } else {
            SyntaxError::new(
                SyntaxErrorKind::Unexpected,
                first.cover(second),
                format!("`{word}` and `{next}` stand side by side, and nothing joins them."),
            )
            .with_help(format!(
                "Write `{word}: {next}` for a setting, an operator for a condition, or a line for each."
            ))
        };
        self.report(error);
        self.apart.push(first.cover(second));
    }

    /// Whether an expression belongs to entries that stand side by side.
    fn stands_apart(&self, range: TextRange) -> bool {
        self.apart
            .iter()
            .any(|apart| apart.start <= range.start && range.end <= apart.end)
    }

    /// A range with the spaces before it: `a = 1` becomes `a: 1`.
    fn glued(&self, range: TextRange) -> TextRange {
        let before = self.text.get(..range.start as usize).unwrap_or_default();
        TextRange::new(before.trim_end_matches(' ').len(), range.end as usize)
    }
}
