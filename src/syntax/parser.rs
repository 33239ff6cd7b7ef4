//! The text of one item → its tree. Total: what pest refuses becomes error nodes.
//!
//! Recovery stands in `recover`; the words of errors in `expected`.

use pest::Parser;

use super::ParsedItem;
use super::ast::{Item, ItemKind};
use super::error::{SyntaxError, SyntaxErrorKind};
use super::grammar::{Grammar, Rule};
use super::lexer::{Token, significant};
use super::lower::Lowering;
use crate::source::TextRange;

/// Parses one item with its doc comment.
#[must_use]
pub fn parse_item(text: &str) -> ParsedItem {
    let tokens: Vec<Token> = significant(text).collect();
    let mut lowering = Lowering::new(text, &tokens);
    let range = match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => TextRange::new(first.start, last.end),
        _ => TextRange::default(),
    };
    let id = lowering.node(range);
    let docs = lowering.docs_before(range.start as usize);
    let kind = parse_kind(text, &mut lowering);
    let (spans, errors) = lowering.finish();
    ParsedItem {
        item: Item { id, docs, kind },
        spans,
        errors,
    }
}

fn parse_kind(text: &str, lowering: &mut Lowering<'_>) -> ItemKind {
    match Grammar::parse(Rule::item, text) {
        Ok(mut pairs) => pairs.next().map_or(ItemKind::Broken(None), |pair| lowering.item(pair)),
        Err(error) => {
            let at = match error.location {
                pest::error::InputLocation::Pos(at) | pest::error::InputLocation::Span((at, _)) => at,
            };
            lowering.report(SyntaxError::new(
                SyntaxErrorKind::Unexpected,
                TextRange::empty(at),
                error.to_string(),
            ));
            ItemKind::Broken(None)
        }
    }
}
