//! A metric's value with its confidence interval.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Measure, Undefined};
use crate::statistics::Interval;

/// The confidence of every interval.
pub const CONFIDENCE: f64 = 0.95;

/// What is known of a metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Its value on the data; absent when undefined.
    pub value: Option<f64>,
    /// Lower end of its 95 % confidence interval; absent when the data cannot tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Rows (or predictions) it was computed from.
    pub n: u64,
    /// Why it has no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undefined: Option<String>,
}

impl Estimate {
    /// A value with its interval, or the reason why there is none.
    #[must_use]
    pub fn new(measure: Measure, interval: Option<Interval>, n: u64) -> Self {
        match measure {
            // JSON has no infinity, and no decision rests on one.
            Ok(value) if value.is_finite() => Self {
                value: Some(value),
                low: interval.map(|interval| interval.low),
                high: interval.map(|interval| interval.high),
                n,
                undefined: None,
            },
            Ok(_) => Self::undefined("its value is not finite", n),
            Err(Undefined(reason)) => Self::undefined(reason, n),
        }
    }

    /// No value.
    #[must_use]
    pub fn undefined(reason: impl Into<String>, n: u64) -> Self {
        Self {
            value: None,
            low: None,
            high: None,
            n,
            undefined: Some(reason.into()),
        }
    }
}

impl Estimate {
    /// `0.74 [0.68, 0.8]`, or why it is undefined.
    #[must_use]
    pub fn brief(&self) -> String {
        match (self.value, self.low, self.high) {
            (Some(value), Some(low), Some(high)) => format!("{} [{}, {}]", short(value), short(low), short(high)),
            (Some(value), _, _) => short(value),
            (None, _, _) => format!(
                "undefined: {}",
                self.undefined.as_deref().unwrap_or("no reason is recorded")
            ),
        }
    }
}

impl fmt::Display for Estimate {
    /// `0.74 [0.68, 0.8], n = 250`
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.brief())?;
        if self.value.is_some() {
            write!(formatter, ", n = {}", self.n)?;
        }
        Ok(())
    }
}

/// A number for people: four significant digits, no trailing zeros.
pub(crate) fn short(value: f64) -> String {
    let magnitude = if value == 0.0 { 0.0 } else { value.abs().log10().floor() };
    if !(-5.0..15.0).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let decimals = (3.0 - magnitude).clamp(0.0, 8.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let texts = [0.74, 0.123_456, 20.0, 12_345.678, 0.000_123_46, 0.0, -0.5, 1e20].map(short);
        assert_eq!(
            texts,
            ["0.74", "0.1235", "20", "12346", "0.0001235", "0", "-0.5", "1.000e20"]
        );
    }

    #[test]
    fn reads_as_people_write_it() {
        let interval = Some(Interval { low: 0.68, high: 0.8 });
        assert_eq!(
            Estimate::new(Ok(0.74), interval, 250).to_string(),
            "0.74 [0.68, 0.8], n = 250"
        );
        assert_eq!(Estimate::new(Ok(0.74), None, 250).to_string(), "0.74, n = 250");
        assert_eq!(Estimate::undefined("no rows", 0).to_string(), "undefined: no rows");
        assert_eq!(Estimate::new(Ok(f64::INFINITY), None, 1).value, None);
    }
}
