//! A place where pest could not go on → one error in the user's words, with a mend where one is mechanical.
//!
//! Habits from other languages and slips of the keyboard come first, each by its own function; what none of them knows
//! is said in general: what was expected, after what, and what stands there.

use std::ops::Range;

use super::RESERVED_WORDS;
use super::error::{SyntaxError, SyntaxErrorKind};
use super::expected::{Expectation, expectations, listed};
use super::grammar::Rule;
use super::lexer::{Token, TokenKind};
use super::lower::{DURATION_UNITS, SIZE_UNITS};
use super::segments::ITEM_WORDS;
use crate::source::TextRange;

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
const DETECTORS: [Detector; 17] = [
    open_string,
    inside_string,
    unknown_item,
    spaced_unit,
    foreign_character,
    single_equals,
    python_colon,
    foreign_let,
    missing_let,
    missing_arrow,
    misspelt_word,
    reserved_name,
    missing_colon,
    missing_comma,
    quoted_key,
    called_member,
    stray_closer,
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
    let expected = listed(&failure.expected);
    let expected = if expected.is_empty() {
        next_in(failure.bracket()).to_owned()
    } else {
        expected
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
        None => "but nothing follows".to_owned(),
    };
    unexpected(failure.found_range(), format!("I expected {expected}{after}, {found}."))
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

fn open_string(failure: &Failure<'_>) -> Option<SyntaxError> {
    let token = failure
        .found_token()
        .filter(|token| token.kind == TokenKind::OpenString)?;
    let text = token.text(failure.text);
    let (mark, help) = if text.starts_with("\"\"\"") {
        ("\"\"\"", "Write `\"\"\"` where the text ends.")
    } else {
        (
            "\"",
            "Write `\"` where the text ends. A string that goes over several lines stands between `\"\"\"`.",
        )
    };
    Some(
        SyntaxError::new(
            SyntaxErrorKind::UnclosedString,
            range_of(token),
            "This string has no end.",
        )
        .with_help(help)
        .with_related(TextRange::new(token.start, token.start + mark.len()), "it begins here"),
    )
}

fn inside_string(failure: &Failure<'_>) -> Option<SyntaxError> {
    let token = failure.found_token()?;
    if token.kind != TokenKind::String || failure.position <= token.start {
        return None;
    }
    let before = failure.text.get(token.start..failure.position)?;
    let hole = token.start + before.rfind('{')?;
    Some(
        unexpected(
            TextRange::new(hole, failure.position.max(hole + 1)),
            "A `{` in a string opens a hole for a value, and what follows is not a value with its `}`.",
        )
        .with_help("Write `\\{` for a brace that is only text, or put the text between `\"\"\"`.")
        .with_fix(TextRange::new(hole, hole + 1), "\\{"),
    )
}

/// Words of other languages that begin a declaration, with what they are here.
const FOREIGN_ITEMS: [(&str, &str); 12] = [
    ("def", "step"),
    ("fn", "step"),
    ("function", "step"),
    ("func", "step"),
    ("task", "step"),
    ("component", "step"),
    ("import", "use"),
    ("include", "use"),
    ("class", "record"),
    ("struct", "record"),
    ("table", "schema"),
    ("dag", "pipeline"),
];

fn unknown_item(failure: &Failure<'_>) -> Option<SyntaxError> {
    let first = failure.tokens.first()?;
    let word = first.text(failure.text);
    if failure.piece.start != 0 || ITEM_WORDS.contains(&word) {
        return None;
    }
    let range = range_of(first);
    let error = |message: String| SyntaxError::new(SyntaxErrorKind::UnknownItem, range, message);
    if matches!(word, "from" | "import") {
        return Some(
            error(format!("`{word}` begins no item: modules are brought in with `use`."))
                .with_help("Write `use module::Name`, or `use module::{Name, other}` for several names."),
        );
    }
    if let Some((_, meant)) = FOREIGN_ITEMS.iter().find(|(foreign, _)| *foreign == word) {
        return Some(
            error(format!("`{word}` begins no item of the language."))
                .with_help(format!("What `{word}` is elsewhere is a `{meant}` here."))
                .with_fix(range, *meant),
        );
    }
    if matches!(word, "let" | "if" | "for" | "return" | "finally") {
        return Some(
            error(format!(
                "`{word}` is a statement, and statements stand inside a pipeline."
            ))
            .with_help("Move it into `pipeline name(…) { … }`."),
        );
    }
    if let Some(meant) = nearest(word, &ITEM_WORDS) {
        return Some(
            error(format!("`{word}` begins no item."))
                .with_help(format!("Did you mean `{meant}`?"))
                .with_fix(range, meant),
        );
    }
    if first.kind == TokenKind::Close {
        return Some(
            SyntaxError::new(
                SyntaxErrorKind::UnclosedBracket,
                range,
                format!("This `{word}` closes nothing."),
            )
            .with_help(format!("Leave the `{word}` out, or open its partner.")),
        );
    }
    let words = ITEM_WORDS.map(|word| format!("`{word}`")).join(", ");
    Some(error(format!("`{}` begins no item.", shown(word))).with_help(format!("An item begins with one of {words}.")))
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

/// `16 GiB` for `16GiB`.
fn spaced_unit(failure: &Failure<'_>) -> Option<SyntaxError> {
    let is_unit = |token: &Token| {
        let text = token.text(failure.text);
        DURATION_UNITS.iter().any(|(unit, _)| *unit == text) || SIZE_UNITS.iter().any(|(unit, _)| *unit == text)
    };
    [failure.found, failure.found.checked_sub(1)?]
        .into_iter()
        .find_map(|index| {
            let unit = failure.token(index).filter(|token| is_unit(token))?;
            let number = failure
                .token(index.checked_sub(1)?)
                .filter(|token| token.kind == TokenKind::Number)?;
            let whole = format!("{}{}", number.text(failure.text), unit.text(failure.text));
            Some(
                SyntaxError::new(
                    SyntaxErrorKind::BadNumber,
                    range_of(number).cover(range_of(unit)),
                    format!("The unit `{}` is parted from its number.", unit.text(failure.text)),
                )
                .with_help(format!("Write `{whole}`, without a space."))
                .with_fix(range_of(number).cover(range_of(unit)), whole),
            )
        })
}

fn foreign_character(failure: &Failure<'_>) -> Option<SyntaxError> {
    let token = failure.found_token()?;
    let text = token.text(failure.text);
    let range = range_of(token);
    match (token.kind, text) {
        (TokenKind::Mark, "&" | "|") => Some(
            unexpected(range, format!("`{text}` is not an operator of the language."))
                .with_help(format!("Write `{text}{text}`."))
                .with_fix(range, format!("{text}{text}")),
        ),
        (TokenKind::Mark, "'") => Some(
            SyntaxError::new(
                SyntaxErrorKind::ForeignQuotes,
                range,
                "This quote has no partner on its line.",
            )
            .with_help("A string stands between straight double quotes: `\"text\"`."),
        ),
        (TokenKind::Mark, "#") => Some(
            unexpected(range, "A comment does not begin with `#`.")
                .with_help("Write `//`.")
                .with_fix(range, "//"),
        ),
        (TokenKind::Mark, "$" | "\\" | "~" | "^") => Some(unexpected(
            range,
            format!("The language does not use the character `{text}`."),
        )),
        (TokenKind::Unknown, "`") => Some(
            SyntaxError::new(
                SyntaxErrorKind::UnclosedString,
                range,
                "This name in back-ticks has no end on its line.",
            )
            .with_help("Write a back-tick where the name ends."),
        ),
        (TokenKind::Unknown, "“" | "”" | "‘" | "’") => Some(
            SyntaxError::new(
                SyntaxErrorKind::ForeignQuotes,
                range,
                "This quote has no partner on its line.",
            )
            .with_help("A string stands between straight double quotes: `\"text\"`."),
        ),
        (TokenKind::Unknown, _) if text.chars().all(char::is_alphanumeric) => Some(
            unexpected(
                range,
                format!("`{text}` cannot stand in a name: names are of the letters a to z, digits and `_`."),
            )
            .with_help("Put a name with other letters between back-ticks, as in `` `größe` ``."),
        ),
        (TokenKind::Unknown, _) => {
            let code = text.chars().next().map_or(0, u32::from);
            Some(unexpected(
                range,
                format!("The language does not use the character `{text}` (U+{code:04X})."),
            ))
        }
        _ => None,
    }
}

/// `a = b` where a condition or argument stands.
fn single_equals(failure: &Failure<'_>) -> Option<SyntaxError> {
    if failure.found_text() != "=" || failure.found == failure.piece.start {
        return None;
    }
    let range = failure.found_range();
    let argument =
        failure.bracket() == "(" && matches!(failure.before_text(2), "(" | ",") && is_name(failure.before(1));
    if argument {
        let name = failure.before_text(1);
        let spaces = TextRange::new(failure.end_before(), range.end as usize);
        return Some(
            SyntaxError::new(
                SyntaxErrorKind::WrongSeparator,
                range,
                format!("The argument `{name}` is given its value with `:`, not with `=`."),
            )
            .with_help(format!("Write `{name}: …`."))
            .with_fix(spaces, ":"),
        );
    }
    let statement = failure
        .before(1)
        .is_some_and(|_| failure.found == failure.piece.start + 1)
        && is_name(failure.before(1));
    let comparison = failure.expects(Expectation::More) && !statement && !failure.expects(Expectation::Mark(":"));
    comparison.then(|| {
        SyntaxError::new(
            SyntaxErrorKind::WrongSeparator,
            range,
            "`=` binds a name; two values are compared with `==`.",
        )
        .with_help("Write `==`.")
        .with_fix(range, "==")
    })
}

/// `if x:` and `for x in xs:`
fn python_colon(failure: &Failure<'_>) -> Option<SyntaxError> {
    let first = failure.text_at(failure.piece.start);
    let header =
        matches!(first, "if" | "for" | "finally" | "elif") || ITEM_WORDS.contains(&first) && failure.piece.start == 0;
    let last_on_line = failure
        .found_token()
        .and_then(|token| failure.text.get(token.end..))
        .is_some_and(|rest| rest.trim_start_matches([' ', '\t', '\r']).starts_with('\n'));
    (header && failure.found_text() == ":" && last_on_line).then(|| {
        unexpected(
            failure.found_range(),
            format!("The body of `{first}` does not begin with `:`."),
        )
        .with_help("Put the body between `{` and `}`.")
    })
}

/// `lett x = …`, `var x = …`
fn foreign_let(failure: &Failure<'_>) -> Option<SyntaxError> {
    let start = failure.piece.start;
    let (word, equals) = (failure.token(start)?, failure.text_at(start + 2));
    let text = word.text(failure.text);
    let bound =
        start > 0 && word.kind == TokenKind::Name && is_name(failure.token(start + 1)) && matches!(equals, "=" | ":");
    let meant = matches!(text, "var" | "const" | "val" | "set" | "auto") || nearest(text, &["let"]).is_some();
    (bound && meant && text != "let").then(|| {
        unexpected(range_of(word), format!("`{text}` begins no statement."))
            .with_help("Did you mean `let`?")
            .with_fix(range_of(word), "let")
    })
}

/// `x = f()` in a pipeline.
fn missing_let(failure: &Failure<'_>) -> Option<SyntaxError> {
    let start = failure.piece.start;
    let name = failure.token(start).filter(|token| token.kind == TokenKind::Name)?;
    if start == 0 || failure.found != start + 1 || failure.found_text() != "=" || failure.text_at(0) != "pipeline" {
        return None;
    }
    let text = name.text(failure.text);
    Some(
        unexpected(range_of(name), format!("`{text}` is given a value without `let`."))
            .with_help(format!("Write `let {text} = …`; a name is bound once."))
            .with_fix(TextRange::empty(name.start), "let "),
    )
}

fn missing_arrow(failure: &Failure<'_>) -> Option<SyntaxError> {
    let header = matches!(failure.text_at(0), "step" | "pipeline") && failure.piece.start == 0;
    if !header || failure.before_text(1) != ")" || failure.bracket() != "" {
        return None;
    }
    let range = failure.found_range();
    let error = |message: &str| unexpected(range, message).with_help("Write `->` and the type, as in `-> Dataset<S>`.");
    match failure.found_text() {
        ":" | "-" | "=" | ">" => {
            let next = failure
                .token(failure.found + 1)
                .filter(|next| next.text(failure.text) == ">");
            let arrow = next.map_or(range, |next| range.cover(range_of(next)));
            Some(error("The output's type stands behind `->`.").with_fix(arrow, "->"))
        }
        text if is_name(failure.found_token()) && nearest(text, &["attests"]).is_none() => {
            let gap = TextRange::empty(range.start as usize);
            Some(error(&format!("`->` is missing before the output's type `{text}`.")).with_fix(gap, "-> "))
        }
        _ => None,
    }
}

fn misspelt_word(failure: &Failure<'_>) -> Option<SyntaxError> {
    let expected: Vec<&str> = failure
        .expected
        .iter()
        .flat_map(|expectation| match expectation {
            Expectation::Word(word) => vec![*word],
            Expectation::Thing("`require`, `forbid` or `limit`") => vec!["require", "forbid", "limit"],
            Expectation::Thing("`run` or `expect`") => vec!["run", "expect"],
            Expectation::Thing(_) | Expectation::Mark(_) | Expectation::More => Vec::new(),
        })
        .collect();
    let outcomes = ["succeeded", "failed", "skipped", "cached"];
    let in_test = failure.text_at(failure.piece.start) == "expect";
    let candidates = if in_test { outcomes.to_vec() } else { expected };
    let token = failure.found_token().filter(|token| token.kind == TokenKind::Name)?;
    let text = token.text(failure.text);
    let range = range_of(token);
    if let Some(meant) = nearest(text, &candidates) {
        return Some(
            unexpected(range, format!("`{text}` does not belong here."))
                .with_help(format!("Did you mean `{meant}`?"))
                .with_fix(range, meant),
        );
    }
    in_test.then(|| {
        unexpected(range, format!("`{text}` is no outcome of a step."))
            .with_help("A step has `succeeded`, `failed`, was `skipped` or `cached`.")
    })
}

fn reserved_name(failure: &Failure<'_>) -> Option<SyntaxError> {
    let token = failure
        .found_token()
        .filter(|token| RESERVED_WORDS.contains(&token.text(failure.text)))?;
    let text = token.text(failure.text);
    let named_next = matches!(
        failure.text_at(failure.found + 1),
        ":" | "=" | "," | ")" | "}" | "{" | "("
    );
    let wants_name = failure.expects(Expectation::Thing("a name"))
        || failure.expected.iter().any(|expectation| {
            matches!(expectation, Expectation::Thing(thing) if thing.contains("name") || thing.contains("enum") || thing.contains("column"))
        });
    (wants_name && named_next).then(|| {
        unexpected(
            range_of(token),
            format!("`{text}` is a word of the language and cannot be a name."),
        )
        .with_help(format!(
            "Choose another name, or put it between back-ticks: `` `{text}` ``."
        ))
        .with_fix(range_of(token), format!("`{text}`"))
    })
}

fn missing_colon(failure: &Failure<'_>) -> Option<SyntaxError> {
    let name = failure.before(1).filter(|token| is_name(Some(token)))?;
    let found = failure.found_token()?;
    let begins_value = matches!(
        found.kind,
        TokenKind::Name | TokenKind::QuotedName | TokenKind::Number | TokenKind::String | TokenKind::RawString
    ) || matches!(found.text(failure.text), "{" | "[" | "-");
    if !failure.expects(Expectation::Mark(":")) || !begins_value {
        return None;
    }
    let text = name.text(failure.text);
    Some(
        unexpected(
            TextRange::new(name.start, found.end),
            format!("There is no `:` after `{text}`."),
        )
        .with_help(format!("Write `{text}: {}`.", shown(found.text(failure.text))))
        .with_fix(TextRange::empty(name.end), ":"),
    )
}

fn missing_comma(failure: &Failure<'_>) -> Option<SyntaxError> {
    let bracket = failure.bracket();
    let found = failure.found_token()?;
    let begins_value = matches!(
        found.kind,
        TokenKind::Name | TokenKind::QuotedName | TokenKind::Number | TokenKind::String | TokenKind::RawString
    );
    let complete = !failure.expects_value() && !failure.expects(Expectation::Thing("a type"));
    let separated = matches!(bracket, "(" | "[") && begins_value && complete && failure.before_text(1) != bracket;
    if !separated || failure.before_text(1) == "," {
        return None;
    }
    let (last, next) = (failure.before_text(1), found.text(failure.text));
    Some(
        unexpected(
            range_of(found),
            format!("There is no `,` between `{}` and `{}`.", shown(last), shown(next)),
        )
        .with_help("Write a comma between them.")
        .with_fix(TextRange::empty(failure.end_before()), ","),
    )
}

/// `{ "a": 1 }`
fn quoted_key(failure: &Failure<'_>) -> Option<SyntaxError> {
    let key = failure.found_token().filter(|token| token.kind == TokenKind::String)?;
    if failure.text_at(failure.found + 1) != ":" {
        return None;
    }
    let name = key.text(failure.text).trim_matches('"');
    let mend = crate::format::name(name);
    Some(
        unexpected(range_of(key), format!("The name `{name}` stands between quotes."))
            .with_help(format!(
                "A name has no quotes, and back-ticks where it is not a plain word: write `{mend}`."
            ))
            .with_fix(range_of(key), mend),
    )
}

fn called_member(failure: &Failure<'_>) -> Option<SyntaxError> {
    let is_call = failure.found_text() == "(" && failure.before_text(2) == "." && is_name(failure.before(1));
    is_call.then(|| {
        let name = failure.before_text(1);
        unexpected(
            failure.found_range(),
            format!("`{name}` is called behind a dot, but a value has no functions."),
        )
        .with_help(format!("Pass the value as an argument, as in `{name}(value)`; order between steps is written `step(…) after other`."))
    })
}

fn stray_closer(failure: &Failure<'_>) -> Option<SyntaxError> {
    let token = failure.found_token().filter(|token| token.kind == TokenKind::Close)?;
    let closer = token.text(failure.text);
    let opener = match closer {
        ")" => "(",
        "]" => "[",
        _ => "{",
    };
    let bracket = failure.bracket();
    if bracket == opener {
        return None;
    }
    let message = if bracket.is_empty() {
        format!("This `{closer}` closes nothing.")
    } else {
        format!("This `{closer}` stands where `{bracket}` is to be closed.")
    };
    Some(
        SyntaxError::new(SyntaxErrorKind::UnclosedBracket, range_of(token), message)
            .with_help(format!("Leave the `{closer}` out, or write its `{opener}`.")),
    )
}
