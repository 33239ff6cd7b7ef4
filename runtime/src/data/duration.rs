//! Durations as the language writes them: `2h30min`, `1d`, `250ms`. No calendar: a day is 24 hours.

const UNITS: [(&str, i64); 6] = [
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("min", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Milliseconds of a text such as `2h30min`; a bare number is milliseconds.
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    if text.is_empty() {
        return None;
    }
    let (negative, mut rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    if let Ok(milliseconds) = rest.parse::<i64>() {
        return if negative {
            milliseconds.checked_neg()
        } else {
            Some(milliseconds)
        };
    }
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let letters = after
            .find(|character: char| character.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, next) = after.split_at(letters);
        let factor = UNITS.iter().find(|(name, _)| *name == unit)?.1;
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(factor)?)?;
        rest = next;
    }
    if negative { total.checked_neg() } else { Some(total) }
}

/// Milliseconds as the language writes them.
#[must_use]
pub fn text(milliseconds: i64) -> String {
    if milliseconds == 0 {
        return "0s".to_owned();
    }
    let mut text = if milliseconds < 0 { "-" } else { "" }.to_owned();
    let mut rest = milliseconds.unsigned_abs();
    for (name, factor) in UNITS.iter().skip(1) {
        let factor = factor.unsigned_abs();
        if rest >= factor {
            text.push_str(&format!("{}{name}", rest / factor));
            rest %= factor;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{parse, text};

    #[test]
    fn durations_read_as_they_are_written() {
        for (written, milliseconds) in [
            ("2h30min", 9_000_000),
            ("1d", 86_400_000),
            ("250ms", 250),
            ("-1min", -60_000),
            ("0s", 0),
        ] {
            assert_eq!(parse(written), Some(milliseconds), "{written}");
            assert_eq!(text(milliseconds), written);
        }
        assert_eq!(parse("1500"), Some(1_500));
        assert_eq!(parse("1w"), Some(604_800_000));
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for wrong in [
            "",
            "h",
            "2x",
            "2h30",
            "99999999999999999999d",
            "9223372036854775807d",
            "é",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
