//! The lossless tree of a file: every token, white space and comments included, under the constructs it belongs to.
//!
//! It is for tools that write text back, such as the formatter; it carries no meaning beyond the kinds of its nodes. An
//! item with syntax errors is one node of kind [`NodeKind::Error`] over its tokens.

use pest::Parser;
use pest::iterators::Pair;

use super::grammar::{Grammar, Rule};
use super::lexer::{Token, TokenKind, tokens};
use super::parser::is_too_deep;
use super::segments;

/// What a node of the tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// A top-level item.
    Item,
    /// An item that could not be read.
    Error,
    /// `{ name: type … }`, `{ name: value … }`, `{ a, b = "text" }`: entries that commas may part.
    Entries,
    /// `{ a, b, @tag }`
    Columns,
    /// `{a, b}` of a `use`.
    Names,
    /// `{ … }` of conditions, statements, features, rules, test lines: one entry a line.
    Lines,
    /// An entry `name: …`.
    Named,
    /// An entry `name = …`, with `let` or without.
    Defined,
    /// Any other entry.
    Entry,
    /// `@tag`, `@tag(…)`
    Tag,
    /// `<…>` of types.
    Angles,
    /// `(…)` of a call, a tag or a declaration.
    Parentheses,
    /// `[…]` behind a value.
    Index,
    /// `-`, `!`, `..=` before a value.
    Prefix,
    /// `..` behind a value.
    OpenEnd,
}

/// What an element of the tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementKind {
    /// A node: the elements up to `end` (an index) are inside it.
    Node {
        /// What it is.
        kind: NodeKind,
        /// The index of the first element behind it.
        end: usize,
    },
    /// A token.
    Token(TokenKind),
}

/// A node or token with its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// What it is.
    pub kind: ElementKind,
    /// Offset of its first byte.
    pub start: usize,
    /// Offset after its last byte.
    pub end: usize,
}

/// The tree as a flat list: each node stands before what is inside it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Tree {
    /// The elements in source order.
    pub elements: Vec<Element>,
}

impl Tree {
    /// The text of the tree: always the text it was made of.
    #[must_use]
    pub fn text(&self, source: &str) -> String {
        let leaves = self
            .elements
            .iter()
            .filter(|element| matches!(element.kind, ElementKind::Token(_)));
        leaves.filter_map(|leaf| source.get(leaf.start..leaf.end)).collect()
    }
}

/// The lossless tree of a file.
#[must_use]
pub fn tree(text: &str) -> Tree {
    let all: Vec<Token> = tokens(text).collect();
    let mut builder = Builder {
        tokens: &all,
        next: 0,
        base: 0,
        elements: Vec::with_capacity(all.len() * 2),
    };
    for segment in segments(text).items {
        let range = segment.range.as_usize();
        builder.tokens_before(range.start);
        builder.item(text.get(range.clone()).unwrap_or_default(), range.start, range.end);
    }
    builder.tokens_before(text.len());
    Tree {
        elements: builder.elements,
    }
}

struct Builder<'a> {
    tokens: &'a [Token],
    /// The first token that is not in the tree yet.
    next: usize,
    /// Where the item that is being built begins.
    base: usize,
    elements: Vec<Element>,
}

impl Builder<'_> {
    fn tokens_before(&mut self, offset: usize) {
        while let Some(token) = self.tokens.get(self.next).filter(|token| token.start < offset) {
            self.elements.push(Element {
                kind: ElementKind::Token(token.kind),
                start: token.start,
                end: token.end,
            });
            self.next += 1;
        }
    }

    fn item(&mut self, text: &str, start: usize, end: usize) {
        self.base = start;
        let parsed = if is_too_deep(text) {
            None
        } else {
            Grammar::parse(Rule::item, text).ok()
        };
        match parsed {
            None => self.node(NodeKind::Error, start, end, |_| {}),
            Some(pairs) => self.node(NodeKind::Item, start, end, |builder| {
                pairs.for_each(|pair| builder.pair(pair));
            }),
        }
    }

    fn node(&mut self, kind: NodeKind, start: usize, end: usize, inside: impl FnOnce(&mut Self)) {
        self.tokens_before(start);
        let index = self.elements.len();
        self.elements.push(Element {
            kind: ElementKind::Node { kind, end: index },
            start,
            end,
        });
        inside(self);
        self.tokens_before(end);
        let last = self.elements.len();
        if let Some(element) = self.elements.get_mut(index) {
            element.kind = ElementKind::Node { kind, end: last };
        }
    }

    fn pair(&mut self, pair: Pair<'_, Rule>) {
        if matches!(pair.as_rule(), Rule::string | Rule::text | Rule::name | Rule::EOI) {
            return;
        }
        let span = pair.as_span();
        let (start, end) = (
            span.start() + self.base,
            self.base + span.start() + span.as_str().trim_end().len(),
        );
        let inside = |builder: &mut Self| pair.clone().into_inner().for_each(|inner| builder.pair(inner));
        match node_kind(pair.as_rule()) {
            Some(kind) => self.node(kind, start, end, inside),
            None => inside(self),
        }
    }
}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "all other rules leave no node in the tree"
)]
fn node_kind(rule: Rule) -> Option<NodeKind> {
    Some(match rule {
        Rule::fields_body | Rule::variants_body | Rule::model_body | Rule::settings_body | Rule::record => {
            NodeKind::Entries
        }
        Rule::column_set => NodeKind::Columns,
        Rule::use_names => NodeKind::Names,
        Rule::conditions_body
        | Rule::block
        | Rule::features_body
        | Rule::monitor_body
        | Rule::policy_body
        | Rule::test_body => NodeKind::Lines,
        Rule::field | Rule::setting | Rule::model_input | Rule::model_output => NodeKind::Named,
        Rule::variant | Rule::derived | Rule::let_statement => NodeKind::Defined,
        Rule::keep
        | Rule::condition
        | Rule::for_statement
        | Rule::finally_statement
        | Rule::return_statement
        | Rule::policy_rule
        | Rule::test_run
        | Rule::test_expect
        | Rule::rename_pair
        | Rule::if_expression
        | Rule::expression => NodeKind::Entry,
        Rule::tag => NodeKind::Tag,
        Rule::generics | Rule::type_arguments => NodeKind::Angles,
        Rule::parameters | Rule::arguments | Rule::tag_arguments => NodeKind::Parentheses,
        Rule::index => NodeKind::Index,
        Rule::negate | Rule::not | Rule::range_to => NodeKind::Prefix,
        Rule::open_end => NodeKind::OpenEnd,
        _ => return None,
    })
}
