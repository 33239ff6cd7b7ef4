//! A place where pest could not go on → one error in the user's words, with a mend where one is mechanical.
//!
//! Habits from other languages and slips of the keyboard come first, each by its own function; what none of them knows
//! is said in general: what was expected, after what, and what stands there.

mod habits;
mod slips;

use std::ops::Range;

use crate::source::TextRange;
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::expected::{Expectation, expectations, listed};
use crate::syntax::grammar::Rule;
use crate::syntax::lexer::{Token, TokenKind};

/// Where and why the parse of a piece of an item ended.
pub struct Failure<'a> {
    text: &'a str,
    tokens: &'a [Token],
    /// The tokens of the piece that was parsed.
    piece: Range<usize>,
    /// The token that could not be read; the end of the piece when it is too short.
    found: usize,
    /// The byte that could not be read: inside `found` for strings.
    position: usize,
    expected: Vec<Expectation>,
}

impl<'a> Failure<'a> {
    /// A failure at `position`, where `rules` were tried.
    pub fn new(text: &'a str, tokens: &'a [Token], piece: Range<usize>, position: usize, rules: &[Rule]) -> Self {
        let found = tokens
            .partition_point(|token| token.end <= position)
            .clamp(piece.start, piece.end);
        Self {
            text,
            tokens,
            piece,
            found,
            position,
            expected: expectations(rules),
        }
    }

    fn token(&self, index: usize) -> Option<&'a Token> {
        self.tokens.get(index).filter(|_| self.piece.contains(&index))
    }

    fn text_at(&self, index: usize) -> &'a str {
        self.token(index).map_or("", |token| token.text(self.text))
    }

    fn found_token(&self) -> Option<&'a Token> {
        self.token(self.found)
    }

    fn found_text(&self) -> &'a str {
        self.text_at(self.found)
    }

    /// The token `back` places before the one that could not be read.
    fn before(&self, back: usize) -> Option<&'a Token> {
        self.found.checked_sub(back).and_then(|index| self.token(index))
    }

    fn before_text(&self, back: usize) -> &'a str {
        self.before(back).map_or("", |token| token.text(self.text))
    }

    fn found_range(&self) -> TextRange {
        self.found_token()
            .map_or_else(|| TextRange::empty(self.end_before()), range_of)
    }

    /// The end of what could be read.
    fn end_before(&self) -> usize {
        self.before(1).map_or(self.position, |token| token.end)
    }

    /// The word that begins the item.
    fn item_word(&self) -> &'a str {
        self.tokens.first().map_or("", |token| token.text(self.text))
    }

    /// Whether the token begins a value.
    fn begins_value(&self, token: &Token) -> bool {
        matches!(
            token.kind,
            TokenKind::Name | TokenKind::QuotedName | TokenKind::Number | TokenKind::String | TokenKind::RawString
        ) || matches!(token.text(self.text), "{" | "[" | "-")
    }

    fn expects(&self, expectation: Expectation) -> bool {
        self.expected.contains(&expectation)
    }

    fn expects_value(&self) -> bool {
        self.expects(Expectation::Thing("a value"))
    }

    /// The innermost bracket of the piece that is open at the failure.
    fn bracket(&self) -> &'a str {
        let mut open = Vec::new();
        for index in self.piece.start..self.found {
            match self.token(index).map(|token| token.kind) {
                Some(TokenKind::Open) => open.push(self.text_at(index)),
                Some(TokenKind::Close) => {
                    open.pop();
                }
                _ => {}
            }
        }
        open.last().copied().unwrap_or("")
    }
}

fn range_of(token: &Token) -> TextRange {
    TextRange::new(token.start, token.end)
}

fn is_name(token: Option<&Token>) -> bool {
    token.is_some_and(|token| matches!(token.kind, TokenKind::Name | TokenKind::QuotedName))
}

type Detector = fn(&Failure<'_>) -> Option<SyntaxError>;

/// From the most certain to the least.
const DETECTORS: [Detector; 28] = [
    slips::open_string,
    slips::inside_string,
    habits::unknown_item,
    slips::spaced_unit,
    habits::foreign_character,
    habits::python_colon,
    habits::foreign_let,
    habits::missing_let,
    slips::missing_equals,
    slips::missing_arrow,
    habits::turned_sign,
    habits::column_default,
    habits::condition_sign,
    habits::conditional,
    habits::several_names,
    habits::square_type,
    habits::single_equals,
    habits::module_path,
    slips::missing_output,
    slips::unclosed_angle,
    slips::misspelt_word,
    slips::suffix_operand,
    slips::reserved_name,
    slips::missing_colon,
    slips::missing_comma,
    habits::quoted_key,
    habits::called_member,
    slips::stray_closer,
];

/// The error for a failure.
pub fn explain(failure: &Failure<'_>) -> SyntaxError {
    DETECTORS
        .iter()
        .find_map(|detect| detect(failure))
        .unwrap_or_else(|| in_general(failure))
}

fn unexpected(range: TextRange, message: impl Into<String>) -> SyntaxError {
    SyntaxError::new(SyntaxErrorKind::Unexpected, range, message)
}

fn in_general(failure: &Failure<'_>) -> SyntaxError {
    let wanted = listed(&failure.expected);
    // Where an entry could have gone on, it is complete: what is wanted is what may follow it.
    let complete = failure.found > failure.piece.start
        && failure.expects(Expectation::More)
        && !failure.expected.iter().any(is_mark_or_word);
    let expected = if wanted.is_empty() || complete {
        next_in(failure.bracket()).to_owned()
    } else {
        wanted
    };
    let after = match (failure.before(2), failure.before(1)) {
        (Some(name), Some(mark)) if matches!(mark.text(failure.text), ":" | "=" | "::" | ".") => {
            let glue = if mark.text(failure.text) == "=" { " " } else { "" };
            format!(
                " after `{}{glue}{}`",
                shown(name.text(failure.text)),
                mark.text(failure.text)
            )
        }
        (_, Some(token)) => format!(" after `{}`", shown(token.text(failure.text))),
        (_, None) => String::new(),
    };
    let found = match failure.found_token() {
        Some(token) => format!("but found `{}`", shown(token.text(failure.text))),
        None => match failure.tokens.get(failure.piece.end) {
            Some(next) => format!("but found `{}`", shown(next.text(failure.text))),
            None => "but nothing follows".to_owned(),
        },
    };
    unexpected(failure.found_range(), format!("I expected {expected}{after}, {found}."))
}

fn is_mark_or_word(expectation: &Expectation) -> bool {
    match expectation {
        Expectation::Mark(_) | Expectation::Word(_) => true,
        Expectation::Thing(_) | Expectation::More => false,
    }
}

fn next_in(bracket: &str) -> &'static str {
    match bracket {
        "(" => "`,` or `)`",
        "[" => "`,` or `]`",
        "{" => "the next entry or `}`",
        _ => "the end of the line",
    }
}

/// A token short enough for a sentence.
fn shown(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

/// The nearest of some words, if it is near enough to have been meant.
fn nearest<'w>(word: &str, words: &[&'w str]) -> Option<&'w str> {
    let limit = if word.len() > 5 { 2 } else { 1 };
    words
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(candidate, word), *candidate))
        .filter(|(distance, candidate)| *distance > 0 && *distance <= limit && *distance < candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
