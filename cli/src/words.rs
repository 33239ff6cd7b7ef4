//! Durations, sizes, states and counts as short text.

use mlp_runtime::events::{NodeState, Outcome};

use crate::output::Style;

/// `3 ms`, `1.2 s`, `2 min 5 s`, `1 h 3 min`
pub fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100),
        60_000..3_600_000 => format!("{} min {} s", milliseconds / 60_000, milliseconds % 60_000 / 1_000),
        _ => format!(
            "{} h {} min",
            milliseconds / 3_600_000,
            milliseconds % 3_600_000 / 60_000
        ),
    }
}

/// `512 B`, `1.5 KiB`, `3.0 GiB`
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut tenths = bytes.saturating_mul(10) / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    let unit = UNITS.get(unit).copied().unwrap_or_default();
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// `1 step`, `2 steps`
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// `2026-11-23 14:17:03` of an RFC 3339 time in UTC.
pub fn time(text: &str) -> String {
    text.get(..19).unwrap_or(text).replace('T', " ")
}

/// The sign of a node's state, and its colour.
pub fn sign(state: NodeState) -> (&'static str, Style) {
    match state {
        NodeState::Queued => ("·", Style::Quiet),
        NodeState::Running => ("▸", Style::Strong),
        NodeState::Succeeded => ("✓", Style::Good),
        NodeState::Failed => ("✗", Style::Bad),
        NodeState::Refused => ("■", Style::Warn),
        NodeState::Skipped => ("–", Style::Quiet),
        NodeState::Cancelled => ("○", Style::Warn),
    }
}

/// The colour of a run's outcome.
pub fn outcome_style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Running => Style::Strong,
        Outcome::Succeeded => Style::Good,
        Outcome::Failed | Outcome::Interrupted => Style::Bad,
        Outcome::Refused | Outcome::Cancelled => Style::Warn,
    }
}

/// Without characters that would move the cursor or change the terminal.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|each| if each.is_control() && each != '\t' { '·' } else { each })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{duration, plain, size, time};

    #[test]
    fn numbers_read_well() {
        assert_eq!(duration(7), "7 ms");
        assert_eq!(duration(1_250), "1.2 s");
        assert_eq!(duration(125_000), "2 min 5 s");
        assert_eq!(duration(3_780_000), "1 h 3 min");
        assert_eq!(size(512), "512 B");
        assert_eq!(size(1_536), "1.5 KiB");
        assert_eq!(size(3 << 30), "3.0 GiB");
        assert_eq!(size(u64::MAX), "1677721.5 TiB");
        assert_eq!(time("2026-11-23T14:17:03.5Z"), "2026-11-23 14:17:03");
        assert_eq!(plain("a\u{1b}[2Jb"), "a·[2Jb");
    }
}
