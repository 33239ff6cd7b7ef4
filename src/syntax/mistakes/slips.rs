//! Slips of the keyboard: something left out, misspelt, or not closed.

use super::{Failure, is_name, nearest, range_of, shown, unexpected};
use crate::source::TextRange;
use crate::syntax::RESERVED_WORDS;
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::expected::Expectation;
use crate::syntax::lexer::{Token, TokenKind};
use crate::syntax::lower::{DURATION_UNITS, SIZE_UNITS};

pub(super) fn open_string(failure: &Failure<'_>) -> Option<SyntaxError> {
    let read = failure.piece.start..(failure.found + 1).min(failure.piece.end);
    let token = failure
        .tokens
        .get(read)?
        .iter()
        .find(|token| token.kind == TokenKind::OpenString)?;
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

pub(super) fn inside_string(failure: &Failure<'_>) -> Option<SyntaxError> {
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

/// `16 GiB` for `16GiB`.
pub(super) fn spaced_unit(failure: &Failure<'_>) -> Option<SyntaxError> {
    let is_unit = |token: &Token| {
        let text = token.text(failure.text);
        text == "%"
            || DURATION_UNITS.iter().any(|(unit, _)| *unit == text)
            || SIZE_UNITS.iter().any(|(unit, _)| *unit == text)
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

pub(super) fn missing_arrow(failure: &Failure<'_>) -> Option<SyntaxError> {
    let header = matches!(failure.item_word(), "step" | "pipeline") && failure.piece.start == 0;
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
        text if is_name(failure.found_token())
            && !RESERVED_WORDS.contains(&text)
            && failure.text_at(failure.found + 1) != ":"
            && nearest(text, &["attests"]).is_none() =>
        {
            let gap = TextRange::empty(range.start as usize);
            Some(error(&format!("`->` is missing before the output's type `{text}`.")).with_fix(gap, "-> "))
        }
        _ => None,
    }
}

/// Words that may go on with what is complete.
const CONTINUATIONS: [&str; 11] = [
    "without", "pick", "with", "rename", "join", "matches", "length", "attests", "after", "since", "else",
];

const OUTCOME: Expectation = Expectation::Thing("`succeeded`, `failed`, `skipped` or `cached`");

pub(super) fn misspelt_word(failure: &Failure<'_>) -> Option<SyntaxError> {
    let token = failure.found_token().filter(|token| token.kind == TokenKind::Name)?;
    let wants_outcome = failure.expects(OUTCOME);
    if matches!(failure.text_at(failure.found + 1), ":" | "=") && !wants_outcome {
        return None;
    }
    let text = token.text(failure.text);
    let range = range_of(token);
    if let Some(meant) = nearest(text, &words_for(failure)) {
        return Some(
            unexpected(range, format!("`{text}` does not belong here."))
                .with_help(format!("Did you mean `{meant}`?"))
                .with_fix(range, meant),
        );
    }
    wants_outcome.then(|| {
        unexpected(range, format!("`{text}` is no outcome of a step."))
            .with_help("A step has `succeeded` or `failed`, or was `skipped` or `cached`.")
    })
}

/// The words of the language that could have stood at the failure.
fn words_for(failure: &Failure<'_>) -> Vec<&'static str> {
    if failure.expects(OUTCOME) {
        return vec!["succeeded", "failed", "skipped", "cached"];
    }
    let mut words = Vec::new();
    for expectation in &failure.expected {
        match expectation {
            Expectation::Word(word) => words.push(*word),
            Expectation::Thing("`require`, `forbid` or `limit`") => words.extend(["require", "forbid", "limit"]),
            Expectation::Thing("`run` or `expect`") => words.extend(["run", "expect"]),
            Expectation::More => words.extend(CONTINUATIONS),
            Expectation::Thing(_) | Expectation::Mark(_) => {}
        }
    }
    words
}

pub(super) fn reserved_name(failure: &Failure<'_>) -> Option<SyntaxError> {
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

pub(super) fn missing_colon(failure: &Failure<'_>) -> Option<SyntaxError> {
    let name = failure.before(1).filter(|token| is_name(Some(token)))?;
    let found = failure.found_token()?;
    if !failure.expects(Expectation::Mark(":")) || !failure.begins_value(found) {
        return None;
    }
    let text = name.text(failure.text);
    if let Some(error) = misspelt_suffix(failure, name) {
        return Some(error);
    }
    Some(
        unexpected(
            TextRange::new(name.start, found.end),
            format!("There is no `:` after `{text}`."),
        )
        .with_help(format!("Write `{text}: {}`.", shown(found.text(failure.text))))
        .with_fix(TextRange::empty(name.end), ":"),
    )
}

/// Words of other languages for what goes on with a type.
const FOREIGN_SUFFIXES: [(&str, &str); 12] = [
    ("match", "matches"),
    ("regex", "matches"),
    ("like", "matches"),
    ("pattern", "matches"),
    ("len", "length"),
    ("size", "length"),
    ("between", "in"),
    ("range", "in"),
    ("exclude", "without"),
    ("drop", "without"),
    ("select", "pick"),
    ("only", "pick"),
];

/// `x: int inn 1..=5`: the word behind a type is taken for the next field.
fn misspelt_suffix(failure: &Failure<'_>, word: &Token) -> Option<SyntaxError> {
    let text = word.text(failure.text);
    let type_before = failure.before(2).filter(|token| {
        let between = failure.text.get(token.end..word.start).unwrap_or("\n");
        let ends_type = is_name(Some(token)) || matches!(token.text(failure.text), ">" | "?" | "}");
        ends_type && !between.contains('\n')
    });
    type_before?;
    let words: Vec<&str> = CONTINUATIONS.into_iter().chain(["in"]).collect();
    let foreign = FOREIGN_SUFFIXES.iter().find(|(foreign, _)| *foreign == text);
    let meant = foreign.map(|(_, meant)| *meant).or_else(|| nearest(text, &words))?;
    Some(
        unexpected(range_of(word), format!("`{text}` does not belong here."))
            .with_help(format!("Did you mean `{meant}`?"))
            .with_fix(range_of(word), meant),
    )
}

const EVIDENCE: [&str; 4] = ["validated", "gated", "proven", "registered"];

pub(super) fn missing_comma(failure: &Failure<'_>) -> Option<SyntaxError> {
    let bracket = failure.bracket();
    let found = failure.found_token()?;
    let complete = !failure.expects_value() && !failure.expects(Expectation::Thing("a type"));
    let separated =
        matches!(bracket, "(" | "[") && failure.begins_value(found) && complete && failure.before_text(1) != bracket;
    if !separated || failure.before_text(1) == "," {
        return None;
    }
    let (last, next) = (failure.before_text(1), found.text(failure.text));
    if let Some(meant) = nearest(last, &EVIDENCE)
        && let Some(word) = failure.before(1)
        && is_name(Some(found))
    {
        return Some(
            unexpected(range_of(word), format!("`{last}` is no evidence."))
                .with_help(format!("Did you mean `{meant}`?"))
                .with_fix(range_of(word), meant),
        );
    }
    Some(
        unexpected(
            range_of(found),
            format!("There is no `,` between `{}` and `{}`.", shown(last), shown(next)),
        )
        .with_help("Write a comma between them.")
        .with_fix(TextRange::empty(failure.end_before()), ","),
    )
}

pub(super) fn stray_closer(failure: &Failure<'_>) -> Option<SyntaxError> {
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

/// `let x f()`
pub(super) fn missing_equals(failure: &Failure<'_>) -> Option<SyntaxError> {
    let name = failure.before(1).filter(|token| is_name(Some(token)))?;
    let found = failure.found_token().filter(|token| failure.begins_value(token))?;
    (failure.before_text(2) == "let").then(|| {
        let text = name.text(failure.text);
        if text == "mut" {
            return unexpected(
                range_of(name),
                "`mut` is no word of the language: a name is bound once.",
            )
            .with_help(format!("Write `let {} = …`.", shown(found.text(failure.text))))
            .with_fix(TextRange::new(name.start, found.start), "");
        }
        unexpected(
            TextRange::new(name.start, found.end),
            format!("There is no `=` after `let {text}`."),
        )
        .with_help(format!("Write `let {text} = {}`.", shown(found.text(failure.text))))
        .with_fix(TextRange::empty(name.end), " =")
    })
}

/// `-> {`: braces where the output's type should stand are the body.
pub(super) fn missing_output(failure: &Failure<'_>) -> Option<SyntaxError> {
    let read = failure.tokens.get(failure.piece.start..failure.found)?;
    let position = read.iter().rposition(|token| token.text(failure.text) == "->")?;
    let (arrow, brace) = read.get(position).zip(read.get(position + 1))?;
    let is_body = failure.piece.start == 0 && failure.bracket() == "{" && brace.text(failure.text) == "{";
    is_body.then(|| {
        unexpected(
            range_of(arrow).cover(range_of(brace)),
            "There is no type between `->` and the body.",
        )
        .with_help(format!(
            "Write what the {} gives after `->`, or leave `->` out.",
            failure.item_word()
        ))
    })
}

/// `list<int`
pub(super) fn unclosed_angle(failure: &Failure<'_>) -> Option<SyntaxError> {
    if !failure.expects(Expectation::More) || failure.expects_value() {
        return None;
    }
    let mut open: Vec<usize> = Vec::new();
    for index in failure.piece.start..failure.found {
        match failure.text_at(index) {
            "<" if index > 0 && is_name(failure.token(index - 1)) => open.push(index),
            ">" => {
                open.pop();
            }
            "(" | ")" | "{" | "}" | "=" => open.clear(),
            _ => {}
        }
    }
    let opener = failure.token(*open.last()?)?;
    let end = TextRange::empty(failure.end_before());
    Some(
        SyntaxError::new(
            SyntaxErrorKind::UnclosedBracket,
            range_of(opener),
            "This `<` is never closed.",
        )
        .with_help("Write `>` where the list of types ends.")
        .with_related(end, "a `>` was expected here at the latest")
        .with_fix(end, ">"),
    )
}

/// Words that go on with a type or a header, and what must stand behind them.
const SUFFIXES: [(&str, &str); 8] = [
    ("matches", "a pattern between double quotes"),
    ("length", "a range such as `1..=5`"),
    ("without", "columns between `{` and `}`"),
    ("pick", "columns between `{` and `}`"),
    ("with", "fields between `{` and `}`"),
    ("rename", "pairs `{ old: new }`"),
    ("join", "a schema and `on` with its columns"),
    ("attests", "what is attested, such as `validated`"),
];

pub(super) fn suffix_operand(failure: &Failure<'_>) -> Option<SyntaxError> {
    let word = failure.before_text(1);
    let (_, operand) = SUFFIXES.iter().find(|(suffix, _)| *suffix == word)?;
    let is_suffix = !matches!(failure.found_text(), ":" | "=") && !matches!(failure.before_text(2), "{" | "," | "");
    is_suffix.then(|| {
        let found = failure.found_token().map_or_else(String::new, |token| {
            format!(", but found `{}`", shown(token.text(failure.text)))
        });
        unexpected(
            failure.found_range(),
            format!("I expected {operand} after `{word}`{found}."),
        )
    })
}
