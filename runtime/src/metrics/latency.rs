//! Percentiles of latency, nearest rank: the smallest measured value that at least the given share of values does not exceed.

use super::{CONFIDENCE, Estimate};
use crate::statistics::{order_statistics, smallest_sample};

/// A percentile by the language's name for it.
pub struct Percentile {
    /// `latency.p95`
    pub name: &'static str,
    /// 0.95
    pub quantile: f64,
}

/// The percentiles that are computed.
pub static PERCENTILES: &[Percentile] = &[
    Percentile {
        name: "latency.p50",
        quantile: 0.5,
    },
    Percentile {
        name: "latency.p90",
        quantile: 0.9,
    },
    Percentile {
        name: "latency.p95",
        quantile: 0.95,
    },
    Percentile {
        name: "latency.p99",
        quantile: 0.99,
    },
];

/// The value at a quantile by nearest rank, `⌈q·n⌉`, of values in ascending order.
#[must_use]
pub fn nearest_rank(sorted: &[f64], quantile: f64) -> Option<f64> {
    // 0.95 · 100 must not become rank 96 by rounding.
    let rank = (quantile * sorted.len() as f64 - 1e-9).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied()
}

/// A percentile of milliseconds with the distribution-free interval of order statistics. Undefined for fewer than
/// `⌈ln 0.05 / ln q⌉` values, of which not even the largest is known to lie above the percentile.
#[must_use]
pub fn percentile(milliseconds: &[f64], quantile: f64) -> Estimate {
    let n = milliseconds.len() as u64;
    let needed = smallest_sample(quantile);
    if n < needed {
        return Estimate::undefined(
            format!("{n} measured predictions; this percentile takes at least {needed}"),
            n,
        );
    }
    let mut sorted = milliseconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |rank: u64| {
        usize::try_from(rank - 1)
            .ok()
            .and_then(|index| sorted.get(index))
            .copied()
    };
    let ranks = order_statistics(n, quantile, CONFIDENCE);
    Estimate {
        value: nearest_rank(&sorted, quantile),
        low: ranks.and_then(|(low, _)| at(low)),
        high: ranks.and_then(|(_, high)| at(high)),
        n,
        undefined: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_rank_is_a_measured_value() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(nearest_rank(&values, 0.99), Some(99.0));
        assert_eq!(nearest_rank(&values, 0.95), Some(95.0));
        assert_eq!(nearest_rank(&values, 0.5), Some(50.0));
        assert_eq!(nearest_rank(&[], 0.5), None);
    }

    #[test]
    fn the_interval_is_of_order_statistics() {
        let values: Vec<f64> = (1..=2_000).rev().map(f64::from).collect();
        let estimate = percentile(&values, 0.99);
        assert_eq!(
            (estimate.value, estimate.low, estimate.high),
            (Some(1_980.0), Some(1_971.0), Some(1_989.0))
        );
    }

    #[test]
    fn few_predictions_show_no_percentile() {
        let estimate = percentile(&[1.0; 298], 0.99);
        assert_eq!(estimate.value, None);
        assert_eq!(
            estimate.undefined.unwrap(),
            "298 measured predictions; this percentile takes at least 299"
        );
        assert_eq!(percentile(&[1.0; 299], 0.99).value, Some(1.0));
    }
}
