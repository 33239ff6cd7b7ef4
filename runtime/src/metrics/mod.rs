//! What a model is worth: metrics as pure functions over slices, each with its formula, and their confidence intervals.
//!
//! Nothing here reads files or knows models. A metric that the data cannot tell is [`Undefined`] with the reason, never 0
//! or NaN.

pub mod binary;
pub mod fairness;
pub mod latency;
pub mod multiclass;
pub mod regression;

mod estimate;
mod evaluation;
mod report;

use std::fmt;

pub(crate) use estimate::short;
pub use estimate::{CONFIDENCE, Estimate};
pub use evaluation::{Evaluation, Grouping, MetricId, Sample};
pub use report::{Curves, DataSummary, GroupMetrics, GroupReport, MetricsReport, ModelSummary, REPORT_FORMAT};

/// A metric's value, or why there is none.
pub type Measure = Result<f64, Undefined>;

/// Why a metric has no value on some data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undefined(pub String);

impl Undefined {
    fn because<T>(reason: impl Into<String>) -> Result<T, Self> {
        Err(Self(reason.into()))
    }
}

impl fmt::Display for Undefined {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Which way a metric gets better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// `auc`, `accuracy`
    Higher,
    /// `log_loss`, `rmse`, `latency.p95`
    Lower,
}

/// How a metric's confidence interval is found.
pub enum IntervalMethod<Counts> {
    /// `DeLong`'s variance; the area under the ROC curve only.
    DeLong,
    /// Wilson's score interval; the function gives successes and trials.
    Wilson(Counts),
    /// The percentile bootstrap over rows.
    Bootstrap,
}

/// A metric of a task: a row of the task's table.
pub struct Definition<Function, Counts> {
    /// Its name in the language.
    pub name: &'static str,
    /// Which way it gets better.
    pub better: Better,
    /// How its interval is found.
    pub interval: IntervalMethod<Counts>,
    /// Its formula.
    pub function: Function,
}

/// A quotient that is undefined for the reason given when nothing is counted.
fn ratio(part: u64, whole: u64, reason: &str) -> Measure {
    if whole == 0 {
        Undefined::because(reason)
    } else {
        Ok(part as f64 / whole as f64)
    }
}

/// `Σ weight · value / Σ weight`
fn weighted_mean(values: &[f64], weights: &[u32]) -> Measure {
    let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    if total == 0 {
        return Undefined::because("there are no rows");
    }
    let sum: f64 = values
        .iter()
        .zip(weights)
        .map(|(value, weight)| value * f64::from(*weight))
        .sum();
    Ok(sum / total as f64)
}

/// The rows in descending order of a score.
fn descending(scores: &[f64]) -> Vec<u32> {
    let mut order: Vec<(f64, u32)> = (0..).zip(scores).map(|(row, score)| (*score, row)).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    order.into_iter().map(|(_, row)| row).collect()
}

/// Probabilities so close to 0 and 1 that their logarithm says nothing are clipped, as scikit-learn clips 64-bit floats.
fn surprise(probability: f64) -> f64 {
    -probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()
}

/// The bin of a confidence among ten of equal width, closed on the right: `[0, 0.1], (0.1, 0.2], …, (0.9, 1]`.
fn calibration_bin(confidence: f64) -> usize {
    /// The upper ends, as literals: `0.1 * 3` is not `0.3`.
    const ENDS: [f64; 9] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
    ENDS.iter().take_while(|end| confidence > **end).count()
}

/// What fell into a bin of predicted probability.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CalibrationBin {
    /// How many rows.
    pub rows: u64,
    /// The sum of their predicted probabilities.
    pub confidence: f64,
    /// How many of them came true.
    pub hits: u64,
}

impl CalibrationBin {
    fn add(&mut self, weight: u32, confidence: f64, hit: bool) {
        self.rows += u64::from(weight);
        self.confidence += f64::from(weight) * confidence;
        self.hits += u64::from(weight) * u64::from(hit);
    }
}

/// The expected calibration error (Naeini, Cooper, Hauskrecht 2015): `Σ n_b/n · |hits_b/n_b − confidence_b/n_b|`.
fn expected_calibration_error(bins: &[CalibrationBin]) -> Measure {
    let rows: u64 = bins.iter().map(|bin| bin.rows).sum();
    if rows == 0 {
        return Undefined::because("there are no rows");
    }
    let gaps: f64 = bins.iter().map(|bin| (bin.hits as f64 - bin.confidence).abs()).sum();
    Ok(gaps / rows as f64)
}
