//! Metrics of regression: a number for each row. Definitions are scikit-learn's, except that a quotient by zero is undefined.

use super::{Better, Definition, IntervalMethod, Measure, Undefined, weighted_mean};

/// True and predicted values, with what is computed once for all metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    labels: Vec<f64>,
    predictions: Vec<f64>,
    absolute_errors: Vec<f64>,
    squared_errors: Vec<f64>,
    /// Rows in ascending order of their absolute error.
    order: Vec<u32>,
}

impl Sample {
    /// Rows of true and predicted values.
    #[must_use]
    pub fn new(labels: Vec<f64>, predictions: Vec<f64>) -> Self {
        let errors = || {
            labels
                .iter()
                .zip(&predictions)
                .map(|(label, prediction)| prediction - label)
        };
        let absolute_errors: Vec<f64> = errors().map(f64::abs).collect();
        let mut order = super::descending(&absolute_errors);
        order.reverse();
        Self {
            squared_errors: errors().map(|error| error * error).collect(),
            absolute_errors,
            order,
            labels,
            predictions,
        }
    }

    /// The true values.
    #[must_use]
    pub fn labels(&self) -> &[f64] {
        &self.labels
    }

    /// The predicted values.
    #[must_use]
    pub fn predictions(&self) -> &[f64] {
        &self.predictions
    }

    /// Some of the rows.
    #[must_use]
    pub fn pick(&self, rows: &[usize]) -> Self {
        let of = |values: &[f64]| rows.iter().filter_map(|row| values.get(*row)).copied().collect();
        Self::new(of(&self.labels), of(&self.predictions))
    }

    /// The sample with each row counted as often as `weights` says.
    #[must_use]
    pub fn view<'a>(&'a self, weights: &'a [u32]) -> View<'a> {
        View { sample: self, weights }
    }
}

/// A weighted sample.
pub struct View<'a> {
    sample: &'a Sample,
    weights: &'a [u32],
}

/// A formula over a weighted sample.
pub type Function = fn(&View<'_>) -> Measure;
/// No metric of regression is a proportion.
pub type Counts = std::convert::Infallible;

const fn define(name: &'static str, better: Better, function: Function) -> Definition<Function, Counts> {
    Definition {
        name,
        better,
        interval: IntervalMethod::Bootstrap,
        function,
    }
}

/// The metrics of regression.
pub static METRICS: &[Definition<Function, Counts>] = {
    use Better::{Higher, Lower};
    &[
        define("rmse", Lower, |v| v.rmse()),
        define("mae", Lower, |v| v.mae()),
        define("median_absolute_error", Lower, |v| v.median_absolute_error()),
        define("r2", Higher, |v| v.r2()),
        define("mape", Lower, |v| v.mape()),
        define("wape", Lower, |v| v.wape()),
        define("rmsle", Lower, |v| v.rmsle()),
    ]
};

impl View<'_> {
    /// `√ mean (ŷ − y)²`
    pub fn rmse(&self) -> Measure {
        weighted_mean(&self.sample.squared_errors, self.weights).map(f64::sqrt)
    }

    /// `mean |ŷ − y|`
    pub fn mae(&self) -> Measure {
        weighted_mean(&self.sample.absolute_errors, self.weights)
    }

    /// The median of `|ŷ − y|`; of an even number of rows the mean of the two in the middle.
    pub fn median_absolute_error(&self) -> Measure {
        let total: u64 = self.weights.iter().map(|weight| u64::from(*weight)).sum();
        if total == 0 {
            return Undefined::because("there are no rows");
        }
        let (lower, upper) = ((total - 1) / 2, total / 2);
        Ok(f64::midpoint(
            self.absolute_error_at(lower),
            self.absolute_error_at(upper),
        ))
    }

    /// The absolute error at a zero-based rank.
    fn absolute_error_at(&self, rank: u64) -> f64 {
        let mut seen = 0;
        for row in &self.sample.order {
            let row = *row as usize;
            seen += self.weights.get(row).map_or(0, |weight| u64::from(*weight));
            if seen > rank {
                return self.sample.absolute_errors.get(row).copied().unwrap_or(0.0);
            }
        }
        0.0
    }

    /// `1 − Σ(ŷ − y)² / Σ(y − ȳ)²`; undefined when all true values are equal.
    pub fn r2(&self) -> Measure {
        let mean = weighted_mean(&self.sample.labels, self.weights)?;
        let residual = weighted_mean(&self.sample.squared_errors, self.weights)?;
        let total = self.mean_over_rows(|label, _| (label - mean).powi(2))?;
        if total == 0.0 {
            return Undefined::because("all true values are equal");
        }
        Ok(1.0 - residual / total)
    }

    /// `mean |ŷ − y| / |y|`; undefined when a true value is 0 (use `wape`).
    pub fn mape(&self) -> Measure {
        let mut counted = self
            .sample
            .labels
            .iter()
            .zip(self.weights)
            .filter(|(_, weight)| **weight > 0);
        if counted.any(|(label, _)| *label == 0.0) {
            return Undefined::because("a true value is 0, and an error is no percentage of that; use `wape`");
        }
        self.mean_over_rows(|label, prediction| (prediction - label).abs() / label.abs())
    }

    /// `Σ|ŷ − y| / Σ|y|`; undefined when all true values are 0.
    pub fn wape(&self) -> Measure {
        let size = self.mean_over_rows(|label, _| label.abs())?;
        if size == 0.0 {
            return Undefined::because("all true values are 0");
        }
        Ok(self.mae()? / size)
    }

    /// `√ mean (ln(1 + ŷ) − ln(1 + y))²`; undefined when a value is −1 or below.
    pub fn rmsle(&self) -> Measure {
        let values = self
            .sample
            .labels
            .iter()
            .zip(&self.sample.predictions)
            .zip(self.weights);
        let mut counted = values.filter(|(_, weight)| **weight > 0);
        if counted.any(|((label, prediction), _)| label.min(*prediction) <= -1.0) {
            return Undefined::because("a true or predicted value is −1 or below, where ln(1 + value) is undefined");
        }
        self.mean_over_rows(|label, prediction| (prediction.ln_1p() - label.ln_1p()).powi(2))
            .map(f64::sqrt)
    }

    fn mean_over_rows(&self, of: impl Fn(f64, f64) -> f64) -> Measure {
        let rows = self
            .sample
            .labels
            .iter()
            .zip(&self.sample.predictions)
            .zip(self.weights);
        let (sum, total) = rows.filter(|(_, weight)| **weight > 0).fold(
            (0.0, 0_u64),
            |(sum, total), ((label, prediction), weight)| {
                (
                    sum + f64::from(*weight) * of(*label, *prediction),
                    total + u64::from(*weight),
                )
            },
        );
        if total == 0 {
            return Undefined::because("there are no rows");
        }
        Ok(sum / total as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(labels: &[f64], predictions: &[f64], weights: &[u32], name: &str) -> Measure {
        let sample = Sample::new(labels.to_vec(), predictions.to_vec());
        let definition = METRICS.iter().find(|metric| metric.name == name).unwrap();
        (definition.function)(&sample.view(weights))
    }

    #[test]
    fn quotients_by_zero_are_undefined() {
        assert!(measure(&[0.0, 1.0], &[1.0, 1.0], &[1, 1], "mape").is_err());
        assert!(
            measure(&[0.0, 1.0], &[1.0, 1.0], &[0, 1], "mape").is_ok(),
            "a row that is not counted does no harm"
        );
        assert!(measure(&[0.0, 0.0], &[1.0, 1.0], &[1, 1], "wape").is_err());
        assert!(measure(&[2.0, 2.0], &[1.0, 1.0], &[1, 1], "r2").is_err());
        assert!(measure(&[-1.0, 2.0], &[1.0, 1.0], &[1, 1], "rmsle").is_err());
    }

    #[test]
    fn a_weight_is_a_repetition() {
        let (labels, predictions) = ([1.0, 2.5, 4.0, 8.0], [1.5, 2.0, 7.0, 8.25]);
        for metric in METRICS {
            let weighted = measure(&labels, &predictions, &[2, 1, 0, 3], metric.name).unwrap();
            let plain = measure(
                &[1.0, 1.0, 2.5, 8.0, 8.0, 8.0],
                &[1.5, 1.5, 2.0, 8.25, 8.25, 8.25],
                &[1; 6],
                metric.name,
            )
            .unwrap();
            assert!((weighted - plain).abs() < 1e-12, "{}: {weighted} {plain}", metric.name);
        }
    }

    #[test]
    fn no_rows_leave_everything_undefined() {
        for metric in METRICS {
            assert!(measure(&[], &[], &[], metric.name).is_err(), "{}", metric.name);
        }
    }
}
