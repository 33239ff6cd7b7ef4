//! Pieces → lines: where lines break, how far they are indented, what stands between two tokens.
//!
//! Line breaks inside brackets are the writer's, as far as they leave one style: a bracket with a break directly inside
//! it has each bracket on a line of its own, and a line that is too long is broken at its outermost bracket.

use std::collections::BTreeSet;

use super::pieces::{Piece, Role};
use crate::syntax::{ITEM_WORDS, NodeKind, TokenKind};

/// Lines are no longer than this, where a bracket lets them break.
pub const WIDTH: usize = 110;

/// What aligns the entry that begins a line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entry {
    /// The bracket it stands in.
    pub block: usize,
    /// Where its value (`name: value`) or its `=` begins.
    pub value: Option<usize>,
    /// Whether `value` is that of an `=`.
    pub defined: bool,
    /// Where its tags begin.
    pub tag: Option<usize>,
    /// How many entries stand on the line.
    pub count: usize,
}

/// A line of the result.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// Levels of indentation.
    pub indent: usize,
    /// The text without indentation.
    pub text: String,
    /// Whether an empty line stands before it.
    pub blank_before: bool,
    /// The entry at its beginning.
    pub entry: Option<Entry>,
    /// Brackets that open on it, with the length of what they hold when they close on it too.
    brackets: Vec<(usize, usize)>,
}

impl Line {
    /// Its width in characters.
    pub fn width(&self) -> usize {
        self.indent * 2 + self.text.chars().count()
    }
}

/// Lays out all pieces. `keep_commas`: commas at the end of lines stay, for the rare text that means something else
/// without them.
pub fn lay_out(pieces: &[Piece<'_>], keep_commas: bool) -> Vec<Line> {
    let mut broken: BTreeSet<usize> = (0..pieces.len()).filter(|index| is_broken(pieces, *index)).collect();
    let mut forced: BTreeSet<usize> = BTreeSet::new();
    loop {
        let layout = Layout {
            pieces,
            broken: &broken,
            forced: &forced,
            keep_commas,
            lines: Vec::new(),
            open: Vec::new(),
        };
        let lines = layout.run();
        let too_long: Vec<usize> = lines
            .iter()
            .filter(|line| line.width() > WIDTH)
            .filter_map(|line| {
                line.brackets
                    .iter()
                    .max_by_key(|(index, length)| (*length, usize::MAX - *index))
            })
            .filter(|(_, length)| *length > 1)
            .map(|(index, _)| *index)
            .collect();
        if too_long.is_empty() {
            return lines;
        }
        broken.extend(&too_long);
        forced.extend(&too_long);
    }
}

/// Whether the bracket at `index` stands over several lines: the writer broke a line directly inside it, or it holds
/// several entries of a kind that has a line each.
fn is_broken(pieces: &[Piece<'_>], index: usize) -> bool {
    let Some((bracket, close)) = pieces.get(index).and_then(|piece| Some((piece, piece.partner?))) else {
        return false;
    };
    if bracket.kind != TokenKind::Open {
        return false;
    }
    let inner = pieces.get(index + 1..close).unwrap_or_default();
    let direct = || inner.iter().filter(|piece| piece.inside == Some(index));
    let lines = bracket.begins(NodeKind::Lines) && direct().filter(|piece| piece.entry.is_some()).count() > 1;
    let breaks = pieces.get(close).is_some_and(|close| close.breaks > 0)
        || direct().any(|piece| piece.is_comment() || piece.breaks > 0 && !joins_line(piece));
    lines || breaks && !inner.is_empty()
}

/// Pieces that stand on the line of what is before them, wherever they are written.
fn joins_line(piece: &Piece<'_>) -> bool {
    piece.text == "else"
        || matches!(
            piece.role,
            Role::First(NodeKind::Entries | NodeKind::Lines | NodeKind::Columns)
        )
        || matches!(piece.kind, TokenKind::Close)
}

struct Layout<'a, 't> {
    pieces: &'a [Piece<'t>],
    broken: &'a BTreeSet<usize>,
    forced: &'a BTreeSet<usize>,
    keep_commas: bool,
    lines: Vec<Line>,
    /// Open brackets with the indentation of the line they opened on.
    open: Vec<(usize, usize)>,
}

impl Layout<'_, '_> {
    fn run(mut self) -> Vec<Line> {
        let mut before: Option<usize> = None;
        for index in 0..self.pieces.len() {
            if self.is_dropped(index) {
                continue;
            }
            self.piece(before, index);
            before = Some(index);
        }
        self.lines
    }

    fn get(&self, index: usize) -> Option<&Piece<'_>> {
        self.pieces.get(index)
    }

    /// A comma at the end of a line or before a closing bracket, where entries need none.
    fn is_dropped(&self, index: usize) -> bool {
        let Some(piece) = self
            .get(index)
            .filter(|piece| piece.text == "," && piece.kind == TokenKind::Mark)
        else {
            return false;
        };
        let Some(bracket) = piece.inside else { return false };
        let next = (index + 1..self.pieces.len()).find(|next| self.get(*next).is_some_and(|next| !next.is_comment()));
        let Some(next) = next else { return false };
        let closes = self.get(bracket).and_then(|bracket| bracket.partner) == Some(next);
        let in_body = self
            .get(bracket)
            .is_some_and(|bracket| bracket.begins(NodeKind::Entries) || bracket.begins(NodeKind::Lines));
        let in_columns = self
            .get(bracket)
            .is_some_and(|bracket| bracket.begins(NodeKind::Columns));
        if in_body {
            return !self.keep_commas && (closes || self.breaks_before(index, next));
        }
        closes && (in_columns || !self.broken.contains(&bracket))
    }

    /// Whether a line ends between two neighbours.
    fn breaks_before(&self, before: usize, index: usize) -> bool {
        let (Some(last), Some(piece)) = (self.get(before), self.get(index)) else {
            return false;
        };
        let is_broken = |bracket: Option<usize>| bracket.is_some_and(|bracket| self.broken.contains(&bracket));
        if last.is_comment() || piece.is_comment() && piece.breaks > 0 {
            return true;
        }
        if piece.is_comment() {
            return false;
        }
        if piece.kind == TokenKind::Close {
            return is_broken(piece.partner);
        }
        if last.kind == TokenKind::Open {
            return self.broken.contains(&before);
        }
        if piece.begins_item {
            return true;
        }
        if piece.entry.is_some() && is_broken(piece.inside) {
            let forced = piece.inside.is_some_and(|bracket| self.forced.contains(&bracket));
            let lines = piece
                .inside
                .and_then(|bracket| self.get(bracket))
                .is_some_and(|it| it.begins(NodeKind::Lines));
            return lines || forced || piece.breaks > 0 || last.breaks > 0 && last.text == ",";
        }
        if last.text == ","
            && piece.inside == last.inside
            && piece.inside.is_some_and(|bracket| self.forced.contains(&bracket))
        {
            return true;
        }
        piece.breaks > 0 && !joins_line(piece)
    }

    fn piece(&mut self, before: Option<usize>, index: usize) {
        let Some(piece) = self.pieces.get(index).copied() else {
            return;
        };
        let inner = self.open.last().map_or(0, |(_, indent)| indent + 1);
        let closed = if piece.kind == TokenKind::Close {
            self.open.pop()
        } else {
            None
        };
        match before {
            Some(before) if !self.breaks_before(before, index) => self.same_line(before, index),
            _ => self.new_line(before, index, closed.map_or(inner, |(_, indent)| indent)),
        }
        let Some(line) = self.lines.last_mut() else { return };
        if piece.tag
            && let Some(entry) = &mut line.entry
        {
            entry.tag.get_or_insert(line.text.chars().count());
        }
        let is_value = line
            .entry
            .is_some_and(|entry| entry.value.is_none() && Some(entry.block) == piece.inside);
        if is_value
            && piece.text == "="
            && let Some(entry) = &mut line.entry
        {
            entry.value = Some(line.text.chars().count());
            entry.defined = true;
        }
        line.text.push_str(piece.text);
        if is_value
            && piece.text == ":"
            && let Some(entry) = &mut line.entry
        {
            entry.value = Some(line.text.chars().count() + 1);
        }
        let indent = line.indent;
        if piece.kind == TokenKind::Open {
            self.open.push((index, indent));
        } else if piece.kind == TokenKind::Close {
            self.close(index, piece.partner);
        }
    }

    /// Notes a bracket that opened and closed on one line.
    fn close(&mut self, index: usize, partner: Option<usize>) {
        let Some(opener) = partner.filter(|opener| !self.broken.contains(opener)) else {
            return;
        };
        let inside = self.pieces.get(opener..index).unwrap_or_default();
        let multi_line = (opener..index).any(|inner| self.broken.contains(&inner));
        let length: usize = inside.iter().map(|piece| piece.text.len()).sum();
        if !multi_line && let Some(line) = self.lines.last_mut() {
            line.brackets.push((opener, if inside.len() > 1 { length } else { 0 }));
        }
    }

    fn same_line(&mut self, before: usize, index: usize) {
        let (Some(last), Some(piece)) = (self.pieces.get(before), self.pieces.get(index)) else {
            return;
        };
        let in_body = piece
            .inside
            .and_then(|bracket| self.pieces.get(bracket))
            .is_some_and(|bracket| bracket.begins(NodeKind::Entries) || bracket.begins(NodeKind::Columns));
        let comma = piece.entry.is_some() && in_body && last.text != "," && last.kind != TokenKind::Open;
        let opener = piece.partner.and_then(|partner| self.pieces.get(partner));
        let closes_names =
            opener.is_some_and(|opener| opener.begins(NodeKind::Names)) && piece.kind == TokenKind::Close;
        let space = needs_space(last, piece, closes_names);
        let Some(line) = self.lines.last_mut() else { return };
        if comma {
            line.text.push(',');
        }
        if let Some(entry) = line
            .entry
            .as_mut()
            .filter(|entry| piece.entry.is_some() && Some(entry.block) == piece.inside)
        {
            entry.count += 1;
        }
        if space || comma {
            line.text.push(' ');
        }
    }

    /// Begins a line; `margin` is where entries of the innermost bracket stand, or where a closing bracket does.
    fn new_line(&mut self, before: Option<usize>, index: usize, margin: usize) {
        let Some(piece) = self.pieces.get(index) else { return };
        let last = before.and_then(|before| self.pieces.get(before));
        let in_list = self.open.last().is_some_and(|(bracket, _)| {
            self.pieces
                .get(*bracket)
                .is_some_and(|it| !it.begins(NodeKind::Entries) && !it.begins(NodeKind::Lines))
        });
        let begins = piece.is_comment()
            || piece.begins_item
            || piece.entry.is_some()
            || last.is_none_or(|last| last.kind == TokenKind::Open || last.text == "," && in_list)
            || last.is_some_and(Piece::is_comment) && (self.open.is_empty() || in_list);
        let indent = if begins || piece.kind == TokenKind::Close {
            margin
        } else {
            margin + 1
        };
        let after_opener = last.is_none_or(|last| last.kind == TokenKind::Open);
        let blank = piece.breaks > 1 || piece.begins_item && self.parts_items(before, index);
        let entry = piece.entry.filter(|_| piece.inside.is_some()).map(|_| Entry {
            block: piece.inside.unwrap_or_default(),
            count: 1,
            ..Entry::default()
        });
        self.lines.push(Line {
            indent,
            blank_before: blank && !after_opener && piece.kind != TokenKind::Close,
            entry,
            ..Line::default()
        });
    }

    /// Whether an empty line must stand between two items: always, but between two one-line items of one kind.
    fn parts_items(&self, before: Option<usize>, index: usize) -> bool {
        let Some(before) = before else { return false };
        if self.get(before).is_some_and(Piece::is_comment) {
            return false;
        }
        let word = |from: usize| {
            let rest = self.pieces.get(from..).unwrap_or_default();
            rest.iter().find(|piece| !piece.is_comment()).map(|piece| piece.text)
        };
        let last_start = (0..=before)
            .rev()
            .find(|at| self.get(*at).is_some_and(|piece| piece.begins_item));
        let one_line = self
            .lines
            .last()
            .is_some_and(|line| ITEM_WORDS.iter().any(|word| line.text.starts_with(word)));
        let documented = self.get(index).is_some_and(Piece::is_comment);
        !one_line || documented || last_start.and_then(word) != word(index)
    }
}

/// Whether a space stands between two neighbours on one line.
fn needs_space(last: &Piece<'_>, piece: &Piece<'_>, closes_names: bool) -> bool {
    if piece.is_comment() {
        return true;
    }
    if closes_names || last.text == "::" {
        return false;
    }
    if matches!(last.text, "(" | "[" | "." | "@" | "::" | "..=")
        || matches!(
            last.role,
            Role::First(NodeKind::Prefix | NodeKind::Angles | NodeKind::Names)
        )
    {
        return false;
    }
    if last.text == ".." {
        return last.role == Role::First(NodeKind::OpenEnd)
            && piece.parted
            && piece.kind != TokenKind::Close
            && piece.text != ",";
    }
    if matches!(piece.text, ")" | "]" | "," | ":" | "::" | "." | "?" | "??") && piece.text != "??" {
        return false;
    }
    if matches!(piece.text, "..=" | "..") {
        return piece.role == Role::First(NodeKind::Prefix);
    }
    match piece.role {
        Role::First(NodeKind::Angles | NodeKind::Index) | Role::AngleEnd => false,
        Role::First(NodeKind::Parentheses) => {
            !matches!(last.kind, TokenKind::Name | TokenKind::QuotedName) && last.role != Role::AngleEnd
                || last.text == "return"
        }
        Role::First(_) | Role::Plain => !(last.text == "{" && piece.text == "}"),
    }
}
