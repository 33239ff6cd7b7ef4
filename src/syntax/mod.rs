//! Text → segments → pest → tree. Never fails, never drops text.

pub mod ast;

use crate::source::TextRange;

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

/// A parsed item.
#[derive(Clone, Debug, PartialEq)]
pub struct ParsedItem {
    /// The tree.
    pub item: ast::Item,
    /// Where its nodes stand.
    pub spans: ast::SpanTable,
}

/// Cuts a file into items.
#[must_use]
pub fn segments(_text: &str) -> Segments {
    Segments::default()
}

/// Parses one item.
#[must_use]
pub fn parse_item(_text: &str) -> ParsedItem {
    ParsedItem {
        item: ast::Item {
            id: ast::NodeId(0),
            docs: None,
            kind: ast::ItemKind::Broken(None),
        },
        spans: ast::SpanTable::default(),
    }
}
