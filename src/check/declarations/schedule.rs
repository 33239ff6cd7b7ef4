//! Schedules in five fields: minute, hour, day of the month, month, day of the week, as `crontab(5)` describes them.
//!
//! What only some schedulers understand (`?`, `L`, `W`, `#`, `@daily`, a sixth field, 7 for Sunday, `5/15`) is refused, so
//! that a schedule means the same on every platform.

/// Why a text is no schedule: what is wrong, and what to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// A full sentence.
    pub(crate) message: String,
    /// A full sentence.
    pub(crate) help: String,
}

/// One of the five fields.
struct Field {
    name: &'static str,
    lowest: u32,
    highest: u32,
    words: &'static [&'static str],
}

const MONTHS: &[&str] = &[
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: [Field; 5] = [
    Field {
        name: "minute",
        lowest: 0,
        highest: 59,
        words: &[],
    },
    Field {
        name: "hour",
        lowest: 0,
        highest: 23,
        words: &[],
    },
    Field {
        name: "day of the month",
        lowest: 1,
        highest: 31,
        words: &[],
    },
    Field {
        name: "month",
        lowest: 1,
        highest: 12,
        words: MONTHS,
    },
    Field {
        name: "day of the week",
        lowest: 0,
        highest: 6,
        words: WEEKDAYS,
    },
];

/// Days of each month, the leap day among them.
const DAYS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Whether a schedule ever starts anything.
///
/// # Errors
/// When the text is no schedule.
pub(crate) fn fires(text: &str) -> Result<bool, Problem> {
    if let Some(word) = text.strip_prefix('@') {
        return Err(Problem {
            message: format!("`@{word}` is not understood by every platform."),
            help: "Write the five fields: `@daily` is \"0 0 * * *\".".to_owned(),
        });
    }
    let written: Vec<&str> = text.split_ascii_whitespace().collect();
    let [_, _, days, months, weekdays] = written.as_slice() else {
        return Err(Problem {
            message: format!("A schedule has five fields, but `{text}` has {}.", written.len()),
            help:
                "Write minute, hour, day of the month, month and day of the week: \"0 2 * * *\" is every night at two."
                    .to_owned(),
        });
    };
    for (field, text) in FIELDS.iter().zip(&written) {
        field.values(text)?;
    }
    let [_, _, day, month, _] = &FIELDS;
    let (days, months) = (day.values(days)?, month.values(months)?);
    let exists = months.iter().any(|month| {
        let index = month.checked_sub(1).and_then(|index| usize::try_from(index).ok());
        let longest = index.and_then(|index| DAYS.get(index).copied()).unwrap_or_default();
        days.iter().any(|day| *day <= longest)
    });
    Ok(exists || !weekdays.starts_with('*'))
}

impl Field {
    /// The values that a field admits, ascending.
    fn values(&self, text: &str) -> Result<Vec<u32>, Problem> {
        let mut values = Vec::new();
        for part in text.split(',') {
            values.extend(self.part(part)?);
        }
        values.sort_unstable();
        values.dedup();
        Ok(values)
    }

    /// `*`, `5`, `1-5`, `*/15`, `8-18/2`
    fn part(&self, text: &str) -> Result<Vec<u32>, Problem> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (text, None),
        };
        let (low, high) = match range.split_once('-') {
            _ if range == "*" => (self.lowest, self.highest),
            Some((low, high)) => (self.value(low)?, self.value(high)?),
            None if step.is_some() => {
                return Err(self.problem(
                    format!("`{text}` has a step, but no range."),
                    format!("Write `{range}-{}/{}`.", self.highest, step.unwrap_or_default()),
                ));
            }
            None => {
                let value = self.value(range)?;
                (value, value)
            }
        };
        if low > high {
            return Err(self.problem(
                format!("the range `{range}` ends before it begins."),
                format!(
                    "Write two ranges, as in `{low}-{},{}-{high}`.",
                    self.highest, self.lowest
                ),
            ));
        }
        let step = match step {
            Some(step) => self.step(step, high - low)?,
            None => 1,
        };
        Ok((low..=high).step_by(step).collect())
    }

    fn step(&self, text: &str, width: u32) -> Result<usize, Problem> {
        let step = number(text).filter(|step| (1..=width).contains(step));
        step.and_then(|step| usize::try_from(step).ok()).ok_or_else(|| {
            self.problem(
                format!("`{text}` is no step in a range of that width."),
                format!("Write a number from 1 to {width}, as in `*/{}`.", width.clamp(1, 2)),
            )
        })
    }

    fn value(&self, text: &str) -> Result<u32, Problem> {
        let word = self.words.iter().position(|word| word.eq_ignore_ascii_case(text));
        let by_word = word.and_then(|index| u32::try_from(index).ok()?.checked_add(self.lowest));
        if let Some(value) = by_word.or_else(|| number(text))
            && (self.lowest..=self.highest).contains(&value)
        {
            return Ok(value);
        }
        let help = match (self.name, text) {
            ("day of the week", "7") => "Sunday is `0`, or `sun`.".to_owned(),
            (_, "?") => "Write `*`.".to_owned(),
            ("month" | "day of the week", _) => format!(
                "It is a number from {} to {}, or a word such as `{}`.",
                self.lowest,
                self.highest,
                self.words.get(1).unwrap_or(&"")
            ),
            _ => format!("It is a number from {} to {}, or `*`.", self.lowest, self.highest),
        };
        Err(self.problem(format!("it cannot be `{text}`."), help))
    }

    fn problem(&self, what: String, help: String) -> Problem {
        Problem {
            message: format!("In the {}: {what}", self.name),
            help,
        }
    }
}

/// A number of at most two digits.
fn number(text: &str) -> Option<u32> {
    let plain = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::{FIELDS, fires};

    #[test]
    fn schedules_that_fire() {
        for text in [
            "0 2 * * *",
            "*/15 8-18/2 1,15 jan-jun MON-fri",
            "0 0 29 2 *",
            "0 0 31 2,3 *",
            "59 23 31 12 6",
            "0 0 30 2 mon",
        ] {
            assert_eq!(fires(text), Ok(true), "{text}");
        }
    }

    #[test]
    fn schedules_that_never_fire() {
        for text in ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 31 feb */2"] {
            assert_eq!(fires(text), Ok(false), "{text}");
        }
    }

    #[test]
    fn what_is_no_schedule() {
        for text in [
            "",
            "0 2 * *",
            "0 2 * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * 32 * *",
            "* * * 13 *",
            "* * * * 7",
            "* * * * fre",
            "@daily",
            "5/15 * * * *",
            "30-10 * * * *",
            "*/0 * * * *",
            "*/60 * * * *",
            "*/x * * * *",
            ", * * * *",
            "- * * * *",
            "1-2-3 * * * *",
            "* * ? * *",
            "* * L * *",
            "+1 * * * *",
            "* * * * 1#2",
            "001 * * * *",
            "/ * * * *",
        ] {
            assert!(fires(text).is_err(), "{text}");
        }
    }

    #[test]
    fn values_are_those_that_are_written() {
        let [minute, _, _, month, weekday] = &FIELDS;
        assert_eq!(minute.values("*/20,5").unwrap(), [0, 5, 20, 40]);
        assert_eq!(minute.values("10-20/5").unwrap(), [10, 15, 20]);
        assert_eq!(month.values("feb-apr").unwrap(), [2, 3, 4]);
        assert_eq!(weekday.values("sun,sat").unwrap(), [0, 6]);
    }
}
