//! How far one distribution has moved from another. Each name is one formula, the same on every target. Whether a
//! distance is too far is not said here.
//!
//! Counts of categories or bins (p the reference's shares, q the other's, over the union of categories):
//!
//! | name | formula | range |
//! |---|---|---|
//! | `psi` | Σ (pᵢ − qᵢ) ln(pᵢ / qᵢ), an empty share counted as 0.0001 | 0 … |
//! | `js_divergence` | ½ KL₂(p‖m) + ½ KL₂(q‖m), m = ½ (p + q); bits | 0 … 1 |
//! | `js_distance` | √ of the divergence in bits | 0 … 1 |
//! | `chi2` | Pearson's statistic of homogeneity of the 2 × k table of counts | 0 … |
//! | `l_infinity` | max \|pᵢ − qᵢ\| | 0 … 1 |
//!
//! Numbers themselves (F, G the empirical distribution functions):
//!
//! | name | formula | range |
//! |---|---|---|
//! | `ks` | sup \|F − G\| | 0 … 1 |
//! | `wasserstein` | ∫ \|F − G\|, in the column's own unit | 0 … |

/// The share that stands for an empty one, so that the logarithm is defined.
const EMPTY: f64 = 1e-4;

/// Two rows of counts over the same categories, none of them empty as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Counts<'a> {
    reference: &'a [u64],
    other: &'a [u64],
    totals: (f64, f64),
}

impl<'a> Counts<'a> {
    /// Nothing when the rows differ in length, or one of them counts nothing.
    #[must_use]
    pub fn new(reference: &'a [u64], other: &'a [u64]) -> Option<Self> {
        let total = |counts: &[u64]| counts.iter().map(|count| *count as f64).sum::<f64>();
        let totals = (total(reference), total(other));
        let usable = reference.len() == other.len() && totals.0 > 0.0 && totals.1 > 0.0;
        usable.then_some(Self {
            reference,
            other,
            totals,
        })
    }

    fn shares(&self) -> impl Iterator<Item = (f64, f64)> {
        let (reference, other) = self.totals;
        let pairs = self.reference.iter().zip(self.other);
        pairs.map(move |(left, right)| (*left as f64 / reference, *right as f64 / other))
    }

    /// The population stability index.
    #[must_use]
    pub fn psi(&self) -> f64 {
        let filled = |share: f64| if share == 0.0 { EMPTY } else { share };
        let filled = self
            .shares()
            .filter(|(p, q)| *p > 0.0 || *q > 0.0)
            .map(|(p, q)| (filled(p), filled(q)));
        filled.map(|(p, q)| (p - q) * (p / q).ln()).sum()
    }

    /// The Jensen–Shannon divergence in bits.
    #[must_use]
    pub fn js_divergence(&self) -> f64 {
        let half = |share: f64, middle: f64| {
            if share == 0.0 {
                0.0
            } else {
                0.5 * share * (share / middle).log2()
            }
        };
        let terms = self.shares().map(|(p, q)| {
            let middle = 0.5 * (p + q);
            half(p, middle) + half(q, middle)
        });
        terms.sum::<f64>().clamp(0.0, 1.0)
    }

    /// The Jensen–Shannon distance: the root of the divergence in bits.
    #[must_use]
    pub fn js_distance(&self) -> f64 {
        self.js_divergence().sqrt()
    }

    /// Pearson's statistic of homogeneity. Categories that neither row has are left out.
    #[must_use]
    pub fn chi2(&self) -> f64 {
        let (reference, other) = self.totals;
        let all = reference + other;
        let pairs = self
            .reference
            .iter()
            .zip(self.other)
            .map(|(left, right)| (*left as f64, *right as f64));
        let terms = pairs.filter(|(left, right)| left + right > 0.0).map(|(left, right)| {
            let expected = ((left + right) * reference / all, (left + right) * other / all);
            (left - expected.0).powi(2) / expected.0 + (right - expected.1).powi(2) / expected.1
        });
        terms.sum()
    }

    /// The largest difference of two shares.
    #[must_use]
    pub fn l_infinity(&self) -> f64 {
        self.shares().map(|(p, q)| (p - q).abs()).fold(0.0, f64::max)
    }
}

/// The Kolmogorov–Smirnov statistic of two sorted samples; nothing when one is empty or holds what is no number.
#[must_use]
pub fn ks(reference: &[f64], other: &[f64]) -> Option<f64> {
    let mut largest = 0.0_f64;
    walk(reference, other, |_, difference| {
        largest = largest.max(difference.abs())
    })?;
    Some(largest)
}

/// The first Wasserstein distance of two sorted samples; nothing when one is empty or holds what is no number.
#[must_use]
pub fn wasserstein(reference: &[f64], other: &[f64]) -> Option<f64> {
    let mut area = 0.0;
    walk(reference, other, |width, difference| area += width * difference.abs())?;
    Some(area)
}

/// Visits each step of the two distribution functions: the width to the next value, and the difference over it.
fn walk(reference: &[f64], other: &[f64], mut visit: impl FnMut(f64, f64)) -> Option<()> {
    if reference.is_empty() || other.is_empty() || reference.iter().chain(other).any(|value| value.is_nan()) {
        return None;
    }
    let (mut left, mut right) = (0, 0);
    loop {
        let next = match (reference.get(left), other.get(right)) {
            (Some(own), Some(its)) => own.min(*its),
            (Some(own), None) => *own,
            (None, Some(its)) => *its,
            (None, None) => return Some(()),
        };
        left += reference.iter().skip(left).take_while(|value| **value <= next).count();
        right += other.iter().skip(right).take_while(|value| **value <= next).count();
        let difference = left as f64 / reference.len() as f64 - right as f64 / other.len() as f64;
        let after = match (reference.get(left), other.get(right)) {
            (Some(own), Some(its)) => own.min(*its),
            (Some(one), None) | (None, Some(one)) => *one,
            (None, None) => next,
        };
        visit(after - next, difference);
    }
}

/// The inner edges of ten bins that hold a tenth of a sorted sample each; equal edges are one.
#[must_use]
pub fn decile_edges(sorted: &[f64]) -> Vec<f64> {
    let rank = |decile: usize| (sorted.len() * decile).div_ceil(10).saturating_sub(1);
    let mut edges: Vec<f64> = (1..10).filter_map(|decile| sorted.get(rank(decile)).copied()).collect();
    edges.dedup();
    edges
}

/// How many values lie in each bin; a value on an edge lies below it.
#[must_use]
pub fn binned(values: &[f64], edges: &[f64]) -> Vec<u64> {
    let mut counts = vec![0; edges.len() + 1];
    for value in values {
        let bin = edges.partition_point(|edge| edge < value);
        if let Some(count) = counts.get_mut(bin) {
            *count += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::{Counts, binned, decile_edges, ks, wasserstein};

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    }

    /// The expected numbers are those of numpy and SciPy 1.17: `jensenshannon(base=2)`, `chi2_contingency`, `ks_2samp`,
    /// `wasserstein_distance`.
    #[test]
    fn statistics_agree_with_scipy() {
        let counts = Counts::new(&[40, 30, 20, 10], &[20, 30, 25, 25]).unwrap();
        near(counts.psi(), 0.287_230_223_458_822_76);
        near(counts.js_divergence(), 0.050_473_036_820_892_665);
        near(counts.js_distance(), 0.224_662_050_246_348_17);
        near(counts.chi2(), 13.650_793_650_793_652);
        near(counts.l_infinity(), 0.2);
        let (reference, other) = ([1.0, 2.0, 2.0, 3.0, 5.0, 8.0, 13.0], [2.0, 3.0, 3.0, 7.0, 9.0, 9.0]);
        near(ks(&reference, &other).unwrap(), 0.261_904_761_904_761_9);
        near(wasserstein(&reference, &other).unwrap(), 1.785_714_285_714_285_8);
    }

    #[test]
    fn equal_distributions_are_at_no_distance() {
        let counts = Counts::new(&[1, 2, 3], &[10, 20, 30]).unwrap();
        for distance in [counts.psi(), counts.js_divergence(), counts.l_infinity(), counts.chi2()] {
            near(distance, 0.0);
        }
        near(ks(&[1.0, 2.0], &[1.0, 2.0]).unwrap(), 0.0);
    }

    #[test]
    fn distributions_without_a_common_category_are_at_the_largest() {
        let counts = Counts::new(&[5, 0], &[0, 7]).unwrap();
        near(counts.js_divergence(), 1.0);
        near(counts.l_infinity(), 1.0);
        assert!(counts.psi().is_finite());
    }

    #[test]
    fn nothing_is_at_no_distance_that_could_be_told() {
        assert!(Counts::new(&[], &[]).is_none());
        assert!(Counts::new(&[0], &[1]).is_none());
        assert!(ks(&[], &[1.0]).is_none());
        assert!(wasserstein(&[1.0], &[]).is_none());
    }

    #[test]
    fn deciles_hold_a_tenth_each() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let edges = decile_edges(&values);
        assert_eq!(binned(&values, &edges), vec![10; 10]);
        assert_eq!(decile_edges(&[1.0; 50]), [1.0]);
        assert_eq!(binned(&[0.0, 1.0, 2.0], &[1.0]), [2, 1]);
    }
}
