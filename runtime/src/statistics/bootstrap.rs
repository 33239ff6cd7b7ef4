//! The percentile bootstrap (Efron 1979): statistics of rows drawn again with replacement.
//!
//! A replicate is how often each row was drawn, so a statistic keeps what it sorted once. Replicate `i` has its own
//! generator, so the work may be shared among threads and still gives the same numbers everywhere.

use std::num::NonZero;
use std::thread;

use super::{Interval, SplitMix64};

/// How many replicates are drawn.
pub const REPLICATES: usize = 1_000;

/// The values of several statistics over all replicates.
#[derive(Clone, Debug, PartialEq)]
pub struct Replicates {
    /// For each statistic its values in ascending order; replicates in which it is undefined are left out.
    sorted: Vec<Vec<f64>>,
}

/// Draws [`REPLICATES`] replicates of `rows` rows. `statistics` gives the values for a count of each row, always as many.
pub fn bootstrap(rows: usize, seed: u64, statistics: impl Fn(&[u32]) -> Vec<Option<f64>> + Sync) -> Replicates {
    if rows == 0 {
        return Replicates { sorted: Vec::new() };
    }
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(8);
    let share = REPLICATES.div_ceil(threads);
    let statistics = &statistics;
    let values: Vec<Vec<Option<f64>>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| (worker * share)..((worker + 1) * share).min(REPLICATES))
            .map(|range| {
                scope.spawn(move || {
                    range
                        .map(|index| statistics(&draw(rows, seed, index)))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let count = values.first().map_or(0, Vec::len);
    let mut sorted = vec![Vec::with_capacity(values.len()); count];
    for replicate in &values {
        for (statistic, value) in sorted.iter_mut().zip(replicate) {
            statistic.extend(value);
        }
    }
    for statistic in &mut sorted {
        statistic.sort_by(f64::total_cmp);
    }
    Replicates { sorted }
}

/// How often each row is drawn in a replicate.
fn draw(rows: usize, seed: u64, replicate: usize) -> Vec<u32> {
    let start = SplitMix64::new(seed ^ (replicate as u64).wrapping_mul(0xD134_2543_DE82_EF95)).next_u64();
    let mut random = SplitMix64::new(start);
    let mut counts = vec![0_u32; rows];
    for _ in 0..rows {
        if let Some(count) = counts.get_mut(random.below(rows)) {
            *count += 1;
        }
    }
    counts
}

impl Replicates {
    /// The two-sided percentile interval of a statistic; `None` when it was undefined in more than one replicate in twenty.
    #[must_use]
    pub fn interval(&self, statistic: usize, confidence: f64) -> Option<Interval> {
        let tail = (1.0 - confidence) / 2.0;
        Some(Interval {
            low: self.quantile(statistic, tail)?,
            high: self.quantile(statistic, 1.0 - tail)?,
        })
    }

    /// A nearest-rank quantile of a statistic's replicates.
    #[must_use]
    pub fn quantile(&self, statistic: usize, probability: f64) -> Option<f64> {
        let values = self.enough(statistic)?;
        // 0.025 · 1000 is 25.000000000000004 in floating point; the rank is 25.
        let rank = (probability * values.len() as f64 - 1e-9).ceil().max(1.0) as usize;
        values.get(rank.min(values.len()) - 1).copied()
    }

    /// The standard deviation of a statistic's replicates: its standard error.
    #[must_use]
    pub fn standard_error(&self, statistic: usize) -> Option<f64> {
        let values = self.enough(statistic)?;
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Some((squares / (n - 1.0)).sqrt())
    }

    fn enough(&self, statistic: usize) -> Option<&[f64]> {
        let values = self.sorted.get(statistic)?;
        (values.len() * 20 >= REPLICATES * 19).then_some(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(values: &[f64]) -> impl Fn(&[u32]) -> Vec<Option<f64>> + Sync {
        move |counts| {
            let sum: f64 = values
                .iter()
                .zip(counts)
                .map(|(value, count)| value * f64::from(*count))
                .sum();
            vec![Some(sum / values.len() as f64), None]
        }
    }

    #[test]
    fn the_interval_of_a_mean_is_close_to_the_normal_one() {
        let values: Vec<f64> = (0..400).map(|i| f64::from(i % 20)).collect();
        let replicates = bootstrap(values.len(), 1, mean(&values));
        let interval = replicates.interval(0, 0.95).unwrap();
        let error = (33.25_f64 / 400.0).sqrt();
        assert!((interval.low - (9.5 - 1.96 * error)).abs() < 0.06, "{interval:?}");
        assert!((interval.high - (9.5 + 1.96 * error)).abs() < 0.06, "{interval:?}");
        assert!((replicates.standard_error(0).unwrap() - error).abs() < 0.02);
        assert_eq!(replicates.interval(1, 0.95), None, "undefined everywhere");
    }

    #[test]
    fn equal_seeds_give_equal_bits() {
        let values: Vec<f64> = (0..50).map(f64::from).collect();
        assert_eq!(bootstrap(50, 9, mean(&values)), bootstrap(50, 9, mean(&values)));
        assert_ne!(bootstrap(50, 9, mean(&values)), bootstrap(50, 10, mean(&values)));
        let interval = bootstrap(50, 9, mean(&values)).interval(0, 0.95).unwrap();
        assert_eq!(
            (interval.low, interval.high),
            STABLE,
            "the draw must not depend on the machine"
        );
    }

    const STABLE: (f64, f64) = (20.66, 28.08);

    #[test]
    fn no_rows_no_interval() {
        assert_eq!(bootstrap(0, 1, |_| vec![Some(1.0)]).interval(0, 0.95), None);
    }
}
