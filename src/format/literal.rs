//! Literals and names as they are written in source.

use crate::syntax::ast::Literal;
use crate::syntax::{DURATION_UNITS, RESERVED_WORDS, SIZE_UNITS};

/// A name, in back-ticks where it is not a word of the language's alphabet or is reserved.
#[must_use]
pub fn name(text: &str) -> String {
    let mut characters = text.chars();
    let begins_well = characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    let goes_on_well = characters.all(|character| character.is_ascii_alphanumeric() || character == '_');
    if begins_well && goes_on_well && !RESERVED_WORDS.contains(&text) {
        text.to_owned()
    } else {
        format!("`{text}`")
    }
}

/// A text between quotes, escaped, so that no brace in it opens a hole.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

pub(super) fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => written.push_str("\\n"),
            '\t' => written.push_str("\\t"),
            '\r' => written.push_str("\\r"),
            '"' | '\\' | '{' | '}' => {
                written.push('\\');
                written.push(character);
            }
            _ => written.push(character),
        }
    }
    written
}

/// Milliseconds as a duration: `2h30min`.
#[must_use]
pub fn duration(milliseconds: i64) -> String {
    let sign = if milliseconds < 0 { "-" } else { "" };
    let mut rest = milliseconds.unsigned_abs();
    let mut written = String::from(sign);
    for (unit, length) in DURATION_UNITS {
        let count = rest / length.unsigned_abs();
        rest %= length.unsigned_abs();
        if count > 0 {
            written.push_str(&format!("{count}{unit}"));
        }
    }
    if milliseconds == 0 {
        written.push_str("0s");
    }
    written
}

/// Bytes in the unit that takes the fewest digits: `16GiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    SIZE_UNITS
        .iter()
        .filter(|(_, factor)| bytes.is_multiple_of(*factor))
        .map(|(unit, factor)| (bytes / factor, unit))
        .min_by_key(|(count, _)| *count)
        .map_or_else(|| format!("{bytes}B"), |(count, unit)| format!("{count}{unit}"))
}

/// A literal other than a string.
pub(super) fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Bool(value) => value.to_string(),
        Literal::Int(value) => integer(*value),
        Literal::Float(value) => format!("{value:?}"),
        Literal::Percent(value) => format!("{}%", hundredfold(*value)),
        Literal::Duration(milliseconds) => duration(*milliseconds),
        Literal::Size(bytes) => size(*bytes),
        Literal::Money(amount, currency) => format!("{} {currency}", ten_thousandths(*amount)),
        Literal::None => "none".to_owned(),
        Literal::Error => "…".to_owned(),
    }
}

/// Digits in groups of three from five digits on: `5_000_000`.
fn integer(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let sign = if value < 0 { "-" } else { "" };
    if digits.len() < 5 {
        return format!("{sign}{digits}");
    }
    let mut grouped = String::from(sign);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push('_');
        }
        grouped.push(digit);
    }
    grouped
}

/// The value times 100, moved in its decimal digits so that 0.29 gives 29 and not 28.999999999999996.
fn hundredfold(value: f64) -> f64 {
    let written = format!("{value:e}");
    let moved = written.split_once('e').and_then(|(digits, exponent)| {
        let exponent: i32 = exponent.parse().ok()?;
        format!("{digits}e{}", exponent + 2).parse().ok()
    });
    moved.unwrap_or(value * 100.0)
}

fn ten_thousandths(amount: i64) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let (whole, fraction) = (amount.unsigned_abs() / 10_000, amount.unsigned_abs() % 10_000);
    let decimals = format!("{fraction:04}");
    match decimals.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        decimals => format!("{sign}{whole}.{decimals}"),
    }
}
