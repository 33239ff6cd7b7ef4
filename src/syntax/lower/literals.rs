//! Numbers with their units: counts, shares, durations, sizes, money.

use pest::iterators::Pair;

use super::Lowering;
use crate::source::{Name, TextRange};
use crate::syntax::ast::Literal;
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::Rule;

/// Units of time with their milliseconds, longest first, in the order in which they are written.
pub const DURATION_UNITS: [(&str, i64); 6] = [
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("min", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Units of size with their bytes, largest first.
pub const SIZE_UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("B", 1),
];

/// Why a number is none: a sentence, and what to write instead.
struct Refusal {
    message: String,
    help: String,
}

impl Lowering<'_> {
    /// The value of a number; what is wrong with it is reported.
    pub(super) fn number(&mut self, pair: &Pair<'_, Rule>) -> Literal {
        let range = self.range(pair);
        match parse_number(pair.as_str().trim()) {
            Ok(literal) => literal,
            Err(refusal) => {
                self.bad_number(range, refusal);
                Literal::Error
            }
        }
    }

    fn bad_number(&mut self, range: TextRange, refusal: Refusal) {
        self.report(SyntaxError::new(SyntaxErrorKind::BadNumber, range, refusal.message).with_help(refusal.help));
    }
}

fn parse_number(written: &str) -> Result<Literal, Refusal> {
    let digits: String = written.chars().filter(|character| *character != '_').collect();
    if let Some((amount, currency)) = digits.split_once(' ') {
        return money(amount, currency.trim());
    }
    if let Some(share) = digits.strip_suffix('%') {
        return percent(share);
    }
    if let Ok(value) = digits.parse::<i64>() {
        return Ok(Literal::Int(value));
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(too_large(
            written,
            "an `int`, which goes up to 9_223_372_036_854_775_807",
        ));
    }
    match digits.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Literal::Float(value)),
        Ok(_) => Err(too_large(written, "a `float`")),
        Err(_) => quantity(written, &digits),
    }
}

fn too_large(written: &str, what: &str) -> Refusal {
    Refusal {
        message: format!("`{written}` does not fit into {what}."),
        help: "Write a smaller number.".to_owned(),
    }
}

/// `25%` is 0.25, as exactly as a decimal fraction can be: the decimal point moves, nothing is divided.
fn percent(share: &str) -> Result<Literal, Refusal> {
    format!("{share}e-2")
        .parse::<f64>()
        .ok()
        .filter(|value| value.is_finite())
        .map(Literal::Percent)
        .ok_or_else(|| too_large(share, "a share"))
}

/// Amounts are kept in ten-thousandths of the unit.
fn money(amount: &str, currency: &str) -> Result<Literal, Refusal> {
    scaled(amount, 10_000)
        .and_then(|value| i64::try_from(value).ok())
        .map(|value| Literal::Money(value, Name::from(currency)))
        .ok_or_else(|| Refusal {
            message: format!("`{amount} {currency}` is more than an amount can hold, or finer than 0.0001 {currency}."),
            help: "Write an amount with at most four decimals.".to_owned(),
        })
}

/// A decimal number times `factor`, if that is whole and fits.
fn scaled(amount: &str, factor: i128) -> Option<i128> {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    let denominator = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let whole: i128 = whole.parse().ok()?;
    let fraction: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let total = whole
        .checked_mul(denominator)?
        .checked_add(fraction)?
        .checked_mul(factor)?;
    (total % denominator == 0).then_some(total / denominator)
}

/// `2h30min`, `16GiB`: numbers and units in turn.
fn quantity(written: &str, digits: &str) -> Result<Literal, Refusal> {
    let parts = numbers_and_units(digits);
    if let [(amount, unit)] = parts.as_slice()
        && let Some((_, bytes)) = SIZE_UNITS.iter().find(|(name, _)| name == unit)
    {
        return scaled(amount, i128::from(*bytes))
            .and_then(|value| u64::try_from(value).ok())
            .map(Literal::Size)
            .ok_or_else(|| whole_refusal(written, "bytes"));
    }
    let mut total = 0_i128;
    let mut last_position = None;
    for (amount, unit) in &parts {
        let Some(position) = DURATION_UNITS.iter().position(|(name, _)| name == unit) else {
            return Err(unknown_unit(written, unit));
        };
        if last_position.is_some_and(|last| last >= position) {
            return Err(Refusal {
                message: format!("The units of `{written}` are not in order."),
                help: "Write each unit once, from the longest to the shortest, as in `1d12h30min`.".to_owned(),
            });
        }
        last_position = Some(position);
        let milliseconds = DURATION_UNITS
            .get(position)
            .map_or(0, |(_, milliseconds)| i128::from(*milliseconds));
        total += scaled(amount, milliseconds).ok_or_else(|| whole_refusal(written, "milliseconds"))?;
    }
    i64::try_from(total)
        .map(Literal::Duration)
        .map_err(|_| whole_refusal(written, "milliseconds"))
}

fn whole_refusal(written: &str, what: &str) -> Refusal {
    Refusal {
        message: format!("`{written}` is not a whole number of {what}, or more than can be held."),
        help: "Write it in a smaller unit.".to_owned(),
    }
}

fn numbers_and_units(digits: &str) -> Vec<(String, String)> {
    let mut parts: Vec<(String, String)> = Vec::new();
    for character in digits.chars() {
        let numeric = character.is_ascii_digit() || character == '.';
        match parts.last_mut() {
            Some((amount, unit)) if numeric && unit.is_empty() => amount.push(character),
            Some((_, unit)) if !numeric => unit.push(character),
            _ => parts.push((character.to_string(), String::new())),
        }
    }
    parts
}

fn unknown_unit(written: &str, unit: &str) -> Refusal {
    if unit.is_empty() {
        return Refusal {
            message: format!("The last number of `{written}` has no unit."),
            help: "Write a unit after it: `ms`, `s`, `min`, `h`, `d` or `w`.".to_owned(),
        };
    }
    let names = DURATION_UNITS
        .iter()
        .map(|(name, _)| *name)
        .chain(SIZE_UNITS.iter().map(|(name, _)| *name));
    let spoken = match unit.to_ascii_lowercase().as_str() {
        "m" | "mins" | "minute" | "minutes" => Some("min"),
        "sec" | "secs" | "second" | "seconds" => Some("s"),
        "hr" | "hrs" | "hour" | "hours" => Some("h"),
        "day" | "days" => Some("d"),
        "week" | "weeks" => Some("w"),
        "millis" | "msec" => Some("ms"),
        "k" | "kb" => Some("KB"),
        "mb" => Some("MB"),
        "g" | "gb" => Some("GB"),
        "t" | "tb" => Some("TB"),
        "ki" => Some("KiB"),
        "mi" => Some("MiB"),
        "gi" => Some("GiB"),
        "ti" => Some("TiB"),
        _ => None,
    };
    let nearest = spoken.or_else(|| {
        names
            .map(|name| {
                (
                    strsim::damerau_levenshtein(&name.to_ascii_lowercase(), &unit.to_ascii_lowercase()),
                    name,
                )
            })
            .filter(|(distance, _)| *distance <= 1)
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, name)| name)
    });
    Refusal {
        message: format!("`{unit}` in `{written}` is no unit."),
        help: nearest.map_or_else(
            || {
                "Durations are written with `ms`, `s`, `min`, `h`, `d`, `w`; sizes with `B`, `KB`, `MB`, `GB`, `TB`, `KiB`, \
                 `MiB`, `GiB`, `TiB`."
                    .to_owned()
            },
            |name| format!("Did you mean `{name}`?"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(written: &str) -> Literal {
        parse_number(written).unwrap_or_else(|refusal| panic!("{written}: {}", refusal.message))
    }

    #[test]
    fn numbers_resolve_to_base_units() {
        assert_eq!(value("1_000"), Literal::Int(1000));
        assert_eq!(value("1e-3"), Literal::Float(0.001));
        assert_eq!(value("10%"), Literal::Percent(0.1));
        assert_eq!(value("12.5%"), Literal::Percent(0.125));
        assert_eq!(value("2h30min"), Literal::Duration(9_000_000));
        assert_eq!(value("1.5h"), Literal::Duration(5_400_000));
        assert_eq!(value("20ms"), Literal::Duration(20));
        assert_eq!(value("16GiB"), Literal::Size(16 << 30));
        assert_eq!(value("0.5KB"), Literal::Size(500));
        assert_eq!(value("40 USD"), Literal::Money(400_000, "USD".into()));
        assert_eq!(value("0.0001 EUR"), Literal::Money(1, "EUR".into()));
    }

    #[test]
    fn numbers_that_cannot_be_are_refused() {
        for wrong in [
            "99999999999999999999",
            "1e999",
            "5minute",
            "3x",
            "30min2h",
            "1h2",
            "0.1ms",
            "0.00001 EUR",
            "9999999999999w",
        ] {
            assert!(parse_number(wrong).is_err(), "{wrong}");
        }
        let help = |written| parse_number(written).err().map(|refusal| refusal.help);
        assert_eq!(help("5minutes").as_deref(), Some("Did you mean `min`?"));
        assert_eq!(help("4gib").as_deref(), Some("Did you mean `GiB`?"));
    }
}
