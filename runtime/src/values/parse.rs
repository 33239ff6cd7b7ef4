//! Values from text, by their declared type: command-line arguments and the value outputs of commands.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use mlp::types::{DataKind, DataType, Value};

use super::{check, from_json};

/// Parses the text of a command-line argument by the declared type, and checks its refinements.
///
/// Texts and enum values are taken as they are; numbers may have `_` between digits and `%` at the end; durations are
/// `2h30min`, sizes `16GiB`, money `40 USD`, dates `2026-01-31`, datetimes RFC 3339 (UTC where no offset is given).
/// Lists are items between commas, or JSON; maps and records are JSON. An empty text or `none` is the absent value of an
/// optional type that is not a text.
///
/// # Errors
/// A sentence that says what was expected; the caller names the parameter.
pub fn parse_argument(ty: &DataType, text: &str) -> Result<Value, String> {
    let absent = text == "none" || (text.is_empty() && !matches!(ty.kind, DataKind::String));
    if ty.optional && absent {
        return Ok(Value::None);
    }
    let value = parse_kind(ty, text)?;
    check(ty, &value)?;
    Ok(value)
}

fn parse_kind(ty: &DataType, text: &str) -> Result<Value, String> {
    let trimmed = text.trim();
    let expected = |example: &str| format!("`{text}` is not of type `{}`; write it like {example}", ty);
    match &ty.kind {
        DataKind::String => Ok(Value::String(text.to_owned())),
        DataKind::Bool => match trimmed {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(expected("`true` or `false`")),
        },
        DataKind::Int => parse_int(trimmed).map(Value::Int).ok_or_else(|| expected("`1_000`")),
        DataKind::Float => parse_float(trimmed)
            .map(Value::Float)
            .ok_or_else(|| expected("`0.5` or `50%`")),
        DataKind::Date => parse_date(trimmed)
            .map(|date| Value::Date(date.to_string()))
            .ok_or_else(|| expected("`2026-01-31`")),
        DataKind::Datetime => parse_datetime(trimmed)
            .map(|time| Value::Datetime(time.to_string()))
            .ok_or_else(|| expected("`2026-01-31T08:00:00Z`")),
        DataKind::Duration => parse_duration(trimmed)
            .map(Value::Duration)
            .ok_or_else(|| expected("`2h30min`")),
        DataKind::Size => parse_size(trimmed).map(Value::Size).ok_or_else(|| expected("`16GiB`")),
        DataKind::Money => parse_money(trimmed).ok_or_else(|| expected("`40 USD`")),
        DataKind::Enum(of) => Ok(Value::Enum(
            of.variants
                .iter()
                .find(|variant| variant.text == text || variant.name == trimmed)
                .map_or_else(|| text.to_owned(), |variant| variant.text.clone()),
        )),
        DataKind::List(of) if !trimmed.starts_with('[') => {
            let items = trimmed.split(',').filter(|_| !trimmed.is_empty());
            items
                .map(|item| parse_argument(of, item.trim()))
                .collect::<Result<_, _>>()
                .map(Value::List)
        }
        DataKind::List(_) | DataKind::Map(_) | DataKind::Record(_) => {
            let json: serde_json::Value =
                serde_json::from_str(trimmed).map_err(|error| format!("`{text}` is not JSON: {error}"))?;
            from_json(ty, &json)
        }
    }
}

fn parse_int(text: &str) -> Option<i64> {
    digits(text)?.parse().ok()
}

fn parse_float(text: &str) -> Option<f64> {
    let (number, factor) = match text.strip_suffix('%') {
        Some(number) => (number.trim_end(), 100.0),
        None => (text, 1.0),
    };
    let value = digits(number)?.parse::<f64>().ok()? / factor;
    value.is_finite().then_some(value)
}

/// The text without `_`, if every `_` stands between two digits.
fn digits(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |index: Option<usize>| index.and_then(|index| bytes.get(index)).is_some_and(u8::is_ascii_digit);
    let placed = (0..bytes.len())
        .filter(|&index| bytes.get(index) == Some(&b'_'))
        .all(|index| digit(index.checked_sub(1)) && digit(index.checked_add(1)));
    placed.then(|| text.replace('_', ""))
}

/// A day, `YYYY-MM-DD`.
pub(crate) fn parse_date(text: &str) -> Option<Date> {
    text.parse().ok()
}

/// A point in time: RFC 3339, or a date and time without an offset, taken as UTC.
pub(crate) fn parse_datetime(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let local: DateTime = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(local).ok()
}

/// Milliseconds of `2h30min`, `1.5h`, `250ms`.
fn parse_duration(text: &str) -> Option<i64> {
    const UNITS: [(&str, f64); 6] = [
        ("ms", 1.0),
        ("min", 60_000.0),
        ("s", 1_000.0),
        ("h", 3_600_000.0),
        ("d", 86_400_000.0),
        ("w", 604_800_000.0),
    ];
    let (mut rest, sign) = match text.strip_prefix('-') {
        Some(rest) => (rest, -1.0),
        None => (text, 1.0),
    };
    if rest.is_empty() {
        return None;
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let (number, after) = split_number(rest)?;
        let (unit, length) = UNITS.iter().find(|(unit, _)| {
            after
                .strip_prefix(unit)
                .is_some_and(|tail| tail.is_empty() || tail.starts_with(|next: char| next.is_ascii_digit()))
        })?;
        total += number * length;
        rest = after.strip_prefix(unit)?;
    }
    let rounded = (sign * total).round();
    #[expect(clippy::cast_possible_truncation, reason = "a float in this range converts exactly")]
    (rounded.abs() < 9e15).then_some(rounded as i64)
}

/// Bytes of `16GiB`, `500MB`, `10B`.
fn parse_size(text: &str) -> Option<u64> {
    const UNITS: [(&str, f64); 9] = [
        ("KiB", 1024.0),
        ("MiB", 1_048_576.0),
        ("GiB", 1_073_741_824.0),
        ("TiB", 1_099_511_627_776.0),
        ("KB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("TB", 1e12),
        ("B", 1.0),
    ];
    let (number, unit) = split_number(text)?;
    let (_, length) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
    let bytes = (number * length).round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be in range"
    )]
    (0.0..9e15).contains(&bytes).then_some(bytes as u64)
}

fn parse_money(text: &str) -> Option<Value> {
    let (number, currency) = text.rsplit_once(' ')?;
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let amount = (digits(number.trim())?.parse::<f64>().ok()? * 10_000.0).round();
    #[expect(clippy::cast_possible_truncation, reason = "a float in this range converts exactly")]
    (amount.abs() < 9e15).then(|| Value::Money {
        amount: amount as i64,
        currency: currency.to_owned(),
    })
}

/// A number at the beginning of a text, and what follows it.
fn split_number(text: &str) -> Option<(f64, &str)> {
    let end = text
        .find(|character: char| !(character.is_ascii_digit() || character == '.' || character == '_'))
        .unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(end)?;
    Some((digits(number)?.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use mlp::types::{EnumType, EnumVariant};

    use super::*;

    fn parse(kind: DataKind, text: &str) -> Result<Value, String> {
        parse_argument(&DataType::plain(kind), text)
    }

    #[test]
    fn numbers_take_separators_and_percent() {
        assert_eq!(parse(DataKind::Int, "1_000"), Ok(Value::Int(1000)));
        assert_eq!(parse(DataKind::Float, "25%"), Ok(Value::Float(0.25)));
        assert_eq!(parse(DataKind::Float, "3"), Ok(Value::Float(3.0)));
        for wrong in ["1__0", "_1", "1_", "x", "", "nan", "inf", "99999999999999999999"] {
            assert!(parse(DataKind::Int, wrong).is_err(), "{wrong}");
        }
        assert!(parse(DataKind::Float, "nan").is_err());
        assert!(parse(DataKind::Float, "1e999").is_err());
    }

    #[test]
    fn durations_sizes_and_money_read_as_they_are_written() {
        assert_eq!(parse(DataKind::Duration, "2h30min"), Ok(Value::Duration(9_000_000)));
        assert_eq!(parse(DataKind::Duration, "1500ms"), Ok(Value::Duration(1_500)));
        assert_eq!(parse(DataKind::Size, "16GiB"), Ok(Value::Size(16 << 30)));
        assert_eq!(parse(DataKind::Size, "1.5KiB"), Ok(Value::Size(1536)));
        assert_eq!(
            parse(DataKind::Money, "40.5 USD"),
            Ok(Value::Money {
                amount: 405_000,
                currency: "USD".to_owned()
            })
        );
        for wrong in ["2", "h", "2x", "", "-", "2h3", "1..2h"] {
            assert!(parse(DataKind::Duration, wrong).is_err(), "{wrong}");
        }
        assert!(parse(DataKind::Size, "16").is_err());
    }

    #[test]
    fn dates_become_canonical() {
        assert_eq!(
            parse(DataKind::Date, "2026-01-31"),
            Ok(Value::Date("2026-01-31".to_owned()))
        );
        assert!(parse(DataKind::Date, "2026-02-31").is_err());
        assert_eq!(
            parse(DataKind::Datetime, "2026-01-31T08:00:00+01:00"),
            Ok(Value::Datetime("2026-01-31T07:00:00Z".to_owned()))
        );
        assert_eq!(
            parse(DataKind::Datetime, "2026-01-31T08:00:00"),
            Ok(Value::Datetime("2026-01-31T08:00:00Z".to_owned()))
        );
    }

    #[test]
    fn enums_are_taken_by_name_or_text_and_lists_by_comma_or_json() {
        let housing = DataKind::Enum(EnumType {
            name: None,
            variants: vec![
                EnumVariant {
                    name: "own".to_owned(),
                    text: "own".to_owned(),
                },
                EnumVariant {
                    name: "for_free".to_owned(),
                    text: "for free".to_owned(),
                },
            ],
        });
        assert_eq!(
            parse(housing.clone(), "for_free"),
            Ok(Value::Enum("for free".to_owned()))
        );
        assert_eq!(
            parse(housing.clone(), "rent"),
            Err("`rent` is none of `own`, `for free`".to_owned())
        );
        let list = DataKind::List(Box::new(DataType::plain(DataKind::Int)));
        let expected = Ok(Value::List(vec![Value::Int(1), Value::Int(2)]));
        assert_eq!(parse(list.clone(), "1, 2"), expected);
        assert_eq!(parse(list.clone(), "[1, 2]"), expected);
        assert_eq!(parse(list, ""), Ok(Value::List(Vec::new())));
    }
}
