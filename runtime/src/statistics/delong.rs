//! `DeLong`'s variance of the area under the ROC curve (`DeLong`, `DeLong`, Clarke-Pearson 1988), by midranks (Sun, Xu 2014).

/// For each positive the share of negatives it outranks, and for each negative the share of positives above it; ties
/// count half.
#[derive(Clone, Debug, PartialEq)]
pub struct Placements {
    positives: Vec<f64>,
    negatives: Vec<f64>,
}

impl Placements {
    /// The placements of scores; `None` unless both classes occur at least twice.
    #[must_use]
    pub fn new(labels: &[bool], scores: &[f64]) -> Option<Self> {
        let of = |class: bool| -> Vec<f64> {
            let rows = labels.iter().zip(scores).filter(|(label, _)| **label == class);
            rows.map(|(_, score)| *score).collect()
        };
        let (positives, negatives) = (of(true), of(false));
        if positives.len() < 2 || negatives.len() < 2 {
            return None;
        }
        let all = midranks(&[positives.as_slice(), negatives.as_slice()].concat());
        let (among_positives, among_negatives) = (midranks(&positives), midranks(&negatives));
        let (ranks_of_positives, ranks_of_negatives) = all.split_at(positives.len());
        let (m, n) = (positives.len() as f64, negatives.len() as f64);
        let below = ranks_of_positives
            .iter()
            .zip(&among_positives)
            .map(|(all, own)| (all - own) / n);
        let above = ranks_of_negatives
            .iter()
            .zip(&among_negatives)
            .map(|(all, own)| 1.0 - (all - own) / m);
        Some(Self {
            positives: below.collect(),
            negatives: above.collect(),
        })
    }

    /// The area under the ROC curve.
    #[must_use]
    pub fn auc(&self) -> f64 {
        mean(&self.positives)
    }

    /// The variance of the area.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.covariance(self)
    }

    /// The covariance of the areas of two models on the same rows.
    #[must_use]
    pub fn covariance(&self, other: &Self) -> f64 {
        covariance(&self.positives, &other.positives) / self.positives.len() as f64
            + covariance(&self.negatives, &other.negatives) / self.negatives.len() as f64
    }

    /// How many rows of the rarer class there are.
    #[must_use]
    pub fn rarer(&self) -> usize {
        self.positives.len().min(self.negatives.len())
    }

    /// The variance of the difference of the areas of two models on the same rows.
    #[must_use]
    pub fn variance_of_difference(&self, other: &Self) -> f64 {
        let differences =
            |own: &[f64], others: &[f64]| -> Vec<f64> { own.iter().zip(others).map(|(a, b)| a - b).collect() };
        let difference = Self {
            positives: differences(&self.positives, &other.positives),
            negatives: differences(&self.negatives, &other.negatives),
        };
        // The variance of the differences, not S₁₁ + S₂₂ − 2S₁₂: that would cancel, even below zero, for similar models.
        difference.variance()
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn covariance(left: &[f64], right: &[f64]) -> f64 {
    let (mean_left, mean_right) = (mean(left), mean(right));
    let products: f64 = left
        .iter()
        .zip(right)
        .map(|(a, b)| (a - mean_left) * (b - mean_right))
        .sum();
    products / (left.len() as f64 - 1.0)
}

/// Ranks from 1; equal values share the mean of their ranks.
fn midranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<(f64, usize)> = values
        .iter()
        .enumerate()
        .map(|(index, value)| (*value, index))
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for ties in order.chunk_by(|a, b| a.0 == b.0) {
        let rank = before as f64 + (ties.len() as f64 + 1.0) / 2.0;
        for (_, index) in ties {
            if let Some(slot) = ranks.get_mut(*index) {
                *slot = rank;
            }
        }
        before += ties.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_rank() {
        assert_eq!(midranks(&[0.3, 0.1, 0.3, 0.9]), [2.5, 1.0, 2.5, 4.0]);
    }

    #[test]
    fn constant_scores_rank_nothing() {
        let placements = Placements::new(&[true, false, true, false], &[0.5; 4]).unwrap();
        assert_eq!((placements.auc(), placements.variance()), (0.5, 0.0));
    }

    #[test]
    fn needs_two_of_each_class() {
        assert_eq!(Placements::new(&[true, false, false], &[0.1, 0.2, 0.3]), None);
    }

    #[test]
    fn the_difference_agrees_with_the_sum_of_covariances() {
        let labels = [true, true, true, false, false, false, true];
        let left = Placements::new(&labels, &[0.9, 0.4, 0.6, 0.5, 0.2, 0.1, 0.5]).unwrap();
        let right = Placements::new(&labels, &[0.8, 0.7, 0.3, 0.5, 0.4, 0.2, 0.9]).unwrap();
        let sum = left.variance() + right.variance() - 2.0 * left.covariance(&right);
        assert!((left.variance_of_difference(&right) - sum).abs() < 1e-15);
    }
}
