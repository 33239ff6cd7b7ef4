//! Confidence intervals in closed form.

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, Normal};

/// Two ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The standard normal distribution's quantile.
#[must_use]
pub fn normal_quantile(probability: f64) -> f64 {
    Normal::standard().inverse_cdf(probability)
}

/// Wilson's score interval of a proportion (Wilson 1927); `None` without trials.
///
/// `(p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)`
#[must_use]
pub fn wilson(successes: u64, trials: u64, confidence: f64) -> Option<Interval> {
    if trials == 0 {
        return None;
    }
    let z = normal_quantile(f64::midpoint(1.0, confidence));
    let n = trials as f64;
    let p = successes as f64 / n;
    let centre = p + z * z / (2.0 * n);
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    // The ends are exact at 0 and 1; rounding would leave them a hair beside.
    let low = if successes == 0 { 0.0 } else { (centre - half) / scale };
    let high = if successes == trials {
        1.0
    } else {
        (centre + half) / scale
    };
    Some(Interval { low, high })
}

/// One-based ranks of the order statistics that hold the quantile between them with at least the given confidence,
/// whatever the distribution: the number of values at or below the quantile is binomial. `None` when even the smallest and
/// the largest of `n` values do not.
#[must_use]
pub fn order_statistics(n: u64, quantile: f64, confidence: f64) -> Option<(u64, u64)> {
    let binomial = Binomial::new(quantile, n).ok()?;
    let tail = (1.0 - confidence) / 2.0;
    // Lower rank: the largest l with P(B ≤ l−1) ≤ tail; upper rank: the smallest u with P(B ≥ u) ≤ tail.
    let lower = smallest(n, |count| binomial.cdf(count) > tail);
    let upper = smallest(n, |count| binomial.cdf(count) >= 1.0 - tail).checked_add(1)?;
    (lower >= 1 && upper <= n).then_some((lower, upper))
}

/// The smallest count up to `n` for which a monotone condition holds.
fn smallest(n: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low.midpoint(high);
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// How many values are needed before the largest of them lies above the quantile with 95 % confidence:
/// `⌈ln 0.05 / ln q⌉` — 299 for the 99th percentile.
#[must_use]
pub fn smallest_sample(quantile: f64) -> u64 {
    (0.05_f64.ln() / quantile.ln()).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_agrees_with_a_hand_computation() {
        let interval = wilson(8, 10, 0.95).unwrap();
        assert!((interval.low - 0.490_162_471_536_642_3).abs() < 1e-9, "{interval:?}");
        assert!((interval.high - 0.943_317_848_545_625_4).abs() < 1e-9, "{interval:?}");
        assert_eq!(wilson(0, 10, 0.95).unwrap().low, 0.0);
        assert_eq!(wilson(10, 10, 0.95).unwrap().high, 1.0);
        assert_eq!(wilson(0, 0, 0.95), None);
    }

    #[test]
    fn ranks_hold_the_quantile() {
        assert_eq!(order_statistics(2_000, 0.99, 0.95), Some((1_971, 1_989)));
        assert_eq!(order_statistics(5, 0.5, 0.95), None);
        assert_eq!(order_statistics(6, 0.5, 0.95), Some((1, 6)));
    }

    #[test]
    fn few_values_cannot_show_a_high_percentile() {
        assert_eq!(smallest_sample(0.99), 299);
        assert_eq!(smallest_sample(0.95), 59);
        assert_eq!(smallest_sample(0.5), 5);
    }
}
