//! The lossless tree → pieces: tokens and comments with what the layout must know about each.
//!
//! It decides nothing about lines and spaces.

use std::collections::BTreeMap;

use crate::syntax::{ElementKind, NodeKind, TokenKind, tree};

/// What a token is to the layout, beyond its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Nothing special.
    Plain,
    /// The first token of a node of this kind.
    First(NodeKind),
    /// The `>` of `<…>`.
    AngleEnd,
}

/// A token or comment.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'t> {
    /// Its text, without white space at the end.
    pub text: &'t str,
    /// What it is.
    pub kind: TokenKind,
    /// Its role.
    pub role: Role,
    /// The kind of the entry that begins here.
    pub entry: Option<NodeKind>,
    /// Whether a tag begins here.
    pub tag: bool,
    /// Line breaks before it.
    pub breaks: usize,
    /// Whether white space or a comment stands before it.
    pub parted: bool,
    /// Whether an item begins here, its doc comment included.
    pub begins_item: bool,
    /// For brackets: the index of the partner.
    pub partner: Option<usize>,
    /// The innermost bracket around it.
    pub inside: Option<usize>,
}

impl Piece<'_> {
    /// Whether it is a comment.
    pub fn is_comment(&self) -> bool {
        self.kind.is_trivia()
    }

    /// Whether it begins a node of this kind.
    pub fn begins(&self, kind: NodeKind) -> bool {
        self.role == Role::First(kind)
    }
}

#[derive(Default)]
struct Roles {
    roles: BTreeMap<usize, Role>,
    entries: BTreeMap<usize, NodeKind>,
    tags: BTreeMap<usize, ()>,
    items: BTreeMap<usize, ()>,
}

/// The pieces of a text without syntax errors.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let elements = tree(text).elements;
    let mut roles = Roles::default();
    let mut parents: Vec<(NodeKind, usize)> = Vec::new();
    for (index, element) in elements.iter().enumerate() {
        while parents.last().is_some_and(|(_, end)| *end <= index) {
            parents.pop();
        }
        if let ElementKind::Node { kind, end } = element.kind {
            note(
                &mut roles,
                kind,
                parents.last().map(|(kind, _)| *kind),
                element.start,
                element.end,
            );
            parents.push((kind, end));
        }
    }
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    let (mut breaks, mut parted) = (0, false);
    for element in &elements {
        let ElementKind::Token(kind) = element.kind else {
            continue;
        };
        let written = text.get(element.start..element.end).unwrap_or_default();
        if kind == TokenKind::Space {
            breaks += written.matches('\n').count();
            parted = true;
            continue;
        }
        pieces.push(Piece {
            text: if kind.is_trivia() { written.trim_end() } else { written },
            kind,
            role: roles.roles.get(&element.start).copied().unwrap_or(Role::Plain),
            entry: roles.entries.get(&element.start).copied(),
            tag: roles.tags.contains_key(&element.start),
            breaks,
            parted,
            begins_item: roles.items.contains_key(&element.start),
            partner: None,
            inside: None,
        });
        (breaks, parted) = (0, false);
    }
    match_brackets(&mut pieces);
    pieces
}

fn note(roles: &mut Roles, kind: NodeKind, parent: Option<NodeKind>, start: usize, end: usize) {
    match kind {
        NodeKind::Item | NodeKind::Error => {
            roles.items.insert(start, ());
        }
        NodeKind::Named | NodeKind::Defined | NodeKind::Entry => {
            if matches!(parent, Some(NodeKind::Entries | NodeKind::Lines)) {
                roles.entries.insert(start, kind);
            }
        }
        NodeKind::Tag => {
            roles.tags.insert(start, ());
        }
        NodeKind::Angles => {
            roles.roles.insert(start, Role::First(kind));
            roles.roles.insert(end.saturating_sub(1), Role::AngleEnd);
        }
        NodeKind::Entries
        | NodeKind::Columns
        | NodeKind::Names
        | NodeKind::Lines
        | NodeKind::Parentheses
        | NodeKind::Index
        | NodeKind::Prefix
        | NodeKind::OpenEnd => {
            roles.roles.insert(start, Role::First(kind));
        }
    }
}

fn match_brackets(pieces: &mut [Piece<'_>]) {
    let mut open: Vec<usize> = Vec::new();
    for index in 0..pieces.len() {
        let kind = pieces.get(index).map(|piece| piece.kind);
        let opener = if kind == Some(TokenKind::Close) {
            open.pop()
        } else {
            None
        };
        let around = open.last().copied();
        if let Some(opener) = opener.and_then(|opener| pieces.get_mut(opener)) {
            opener.partner = Some(index);
        }
        if let Some(piece) = pieces.get_mut(index) {
            piece.inside = around;
            piece.partner = opener;
        }
        if kind == Some(TokenKind::Open) {
            open.push(index);
        }
    }
    columns_as_entries(pieces);
}

/// A name in a set of columns is an entry, though it is no node.
fn columns_as_entries(pieces: &mut [Piece<'_>]) {
    let mut before: Option<Piece<'_>> = None;
    for index in 0..pieces.len() {
        let bracket = pieces.get(index).and_then(|piece| pieces.get(piece.inside?)).copied();
        let Some(piece) = pieces.get_mut(index) else { continue };
        let named = matches!(piece.kind, TokenKind::Name | TokenKind::QuotedName);
        let after_at = before.is_some_and(|before| before.text == "@");
        if bracket.is_some_and(|bracket| bracket.begins(NodeKind::Columns)) && (piece.text == "@" || named && !after_at)
        {
            piece.entry = Some(NodeKind::Entry);
        }
        before = Some(*piece);
    }
}
