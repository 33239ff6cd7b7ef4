//! The text of one item → its tree. Total: what pest refuses becomes error nodes.
//!
//! Recovery stands in `recover`; the words of errors in `expected`.

use pest::Parser;

use super::ParsedItem;
use super::ast::{Item, ItemKind};
use super::error::{SyntaxError, SyntaxErrorKind};
use super::grammar::{Grammar, Rule};
use super::lexer::{Token, TokenKind, significant};
use super::lower::Lowering;
use super::recover::Recovery;
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
    let kind = parse_kind(text, &tokens, &mut lowering);
    let (spans, errors) = lowering.finish();
    ParsedItem {
        item: Item { id, docs, kind },
        spans,
        errors,
    }
}

fn parse_kind<'t>(text: &'t str, tokens: &[Token], lowering: &mut Lowering<'t>) -> ItemKind {
    if let Some(error) = too_deep(text, tokens) {
        lowering.report(error);
        return ItemKind::Broken(None);
    }
    match Grammar::parse(Rule::item, text) {
        Ok(mut pairs) => pairs.next().map_or(ItemKind::Broken(None), |pair| lowering.item(pair)),
        Err(error) => Recovery { text, tokens, lowering }.item(&error),
    }
}

/// Brackets may nest so deeply, and no deeper: pest recurses through them, and stacks are finite.
pub const MAX_DEPTH: usize = 64;

/// Whether an item nests too deeply to be parsed.
pub fn is_too_deep(text: &str) -> bool {
    let tokens: Vec<Token> = significant(text).collect();
    too_deep(text, &tokens).is_some()
}

/// The error for an item that nests too deeply, counting brackets, holes of strings, and `<` as types nest them.
fn too_deep(text: &str, tokens: &[Token]) -> Option<SyntaxError> {
    let mut open = 0_usize;
    let mut angles = 0_usize;
    let mut last = TokenKind::Space;
    for token in tokens {
        match (token.kind, token.text(text)) {
            (TokenKind::Open, _) => open += 1,
            (TokenKind::Close, _) => open = open.saturating_sub(1),
            (TokenKind::Mark, "<") if last == TokenKind::Name => angles += 1,
            (TokenKind::Mark, ">") => angles = angles.saturating_sub(1),
            (TokenKind::Name | TokenKind::QuotedName, _) | (TokenKind::Mark, "," | "?") => {}
            _ => angles = 0,
        }
        last = token.kind;
        if open + angles + token.depth > MAX_DEPTH {
            let range = TextRange::new(token.start, token.end);
            return Some(
                SyntaxError::new(
                    SyntaxErrorKind::TooComplex,
                    range,
                    format!("Brackets nest more than {MAX_DEPTH} deep here."),
                )
                .with_help("Name the inner parts with `let`, or as items of their own."),
            );
        }
    }
    None
}
