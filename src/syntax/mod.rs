//! Text → segments → pest → abstract syntax. Never fails, never drops text.
//!
//! A file is cut into items by a scanner, each item is parsed alone, and everything that comes out is plain data: no type
//! of pest leaves this module. It resolves no names and reads no files.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "places that look at one token tell apart the few kinds that matter to them"
)]

pub mod ast;
mod error;
mod expected;
mod grammar;
mod lexer;
mod lines;
mod lower;
mod mistakes;
mod parser;
mod recover;
mod segments;
mod tree;
mod words;

pub use error::{SyntaxError, SyntaxErrorKind};
pub use lexer::TokenKind;
pub use lower::{DURATION_UNITS, SIZE_UNITS};
pub use parser::parse_item;
pub use segments::{ITEM_WORDS, segments};
pub use tree::{Element, ElementKind, NodeKind, Tree, tree};
pub use words::{name_at, words};

use crate::source::TextRange;

/// The words that are never a name unless they stand in back-ticks.
pub const RESERVED_WORDS: [&str; 13] = [
    "let", "if", "else", "for", "in", "finally", "return", "true", "false", "none", "and", "or", "not",
];

/// One top-level item with its doc comment.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Where it stands in the file.
    pub range: TextRange,
}

/// A file cut into items.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Segments {
    /// In source order.
    pub items: Vec<Segment>,
    /// The `//!` comment.
    pub module_docs: Option<String>,
}

/// A parsed item. All positions are relative to the item's text.
#[derive(Clone, Debug, PartialEq)]
pub struct ParsedItem {
    /// The tree.
    pub item: ast::Item,
    /// Where its nodes stand.
    pub spans: ast::SpanTable,
    /// What could not be read; the tree has an error node there.
    pub errors: Vec<SyntaxError>,
}

/// A parsed file.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Parse {
    /// The items with their ranges in the file.
    pub items: Vec<(TextRange, ParsedItem)>,
    /// The `//!` comment.
    pub module_docs: Option<String>,
}

impl Parse {
    /// The errors of all items, with ranges in the file.
    pub fn errors(&self) -> impl Iterator<Item = SyntaxError> + '_ {
        self.items.iter().flat_map(|(range, item)| {
            item.errors
                .iter()
                .map(|error| error.clone().offset(range.start as usize))
        })
    }
}

/// Parses a file.
#[must_use]
pub fn parse(text: &str) -> Parse {
    let segments = segments(text);
    let items = segments.items.iter().map(|segment| {
        let item = text.get(segment.range.as_usize()).unwrap_or_default();
        (segment.range, parse_item(item))
    });
    Parse {
        items: items.collect(),
        module_docs: segments.module_docs,
    }
}
