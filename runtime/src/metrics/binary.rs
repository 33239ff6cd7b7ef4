//! Metrics of binary classification: a probability of the positive class for each row.
//!
//! Definitions are scikit-learn's where it has one, except that a quotient of nothing is undefined there and here alike but
//! never replaced by 0. Label metrics decide at [`THRESHOLD`].

use std::cell::OnceCell;

use super::{
    Better, CalibrationBin, Definition, IntervalMethod, Measure, Undefined, calibration_bin,
    expected_calibration_error, ratio, surprise,
};

/// A row is predicted positive from this probability on.
pub const THRESHOLD: f64 = 0.5;

/// Labels and predicted probabilities, with what is computed once for all metrics and all replicates of a bootstrap.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    labels: Vec<bool>,
    probabilities: Vec<f64>,
    rows: Vec<Row>,
    /// Probability, label and row, highest probability first.
    ranked: Vec<(f64, bool, usize)>,
}

/// What the metrics need of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row {
    label: bool,
    probability: f64,
    surprise: f64,
    squared_error: f64,
    bin: usize,
}

impl Row {
    fn new(label: bool, probability: f64) -> Self {
        Self {
            label,
            probability,
            surprise: surprise(if label { probability } else { 1.0 - probability }),
            squared_error: (probability - f64::from(u8::from(label))).powi(2),
            bin: calibration_bin(probability),
        }
    }
}

impl Sample {
    /// Rows of labels and probabilities of the positive class; a surplus on either side is ignored.
    #[must_use]
    pub fn new(labels: Vec<bool>, probabilities: Vec<f64>) -> Self {
        let pairs = || labels.iter().copied().zip(probabilities.iter().copied());
        let mut ranked: Vec<_> = pairs().enumerate().map(|(row, (label, p))| (p, label, row)).collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        Self {
            rows: pairs().map(|(label, p)| Row::new(label, p)).collect(),
            ranked,
            labels,
            probabilities,
        }
    }

    /// The labels: whether the row is positive.
    #[must_use]
    pub fn labels(&self) -> &[bool] {
        &self.labels
    }

    /// The probabilities of the positive class.
    #[must_use]
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// Some of the rows.
    #[must_use]
    pub fn pick(&self, rows: &[usize]) -> Self {
        let rows = || rows.iter().filter_map(|row| self.rows.get(*row));
        let labels = rows().map(|row| row.label).collect();
        Self::new(labels, rows().map(|row| row.probability).collect())
    }

    /// The sample with each row counted as often as `weights` says.
    #[must_use]
    pub fn view<'a>(&'a self, weights: &'a [u32]) -> View<'a> {
        let mut tally = Tally::default();
        for (row, weight) in self.rows.iter().zip(weights) {
            tally.add(row, *weight);
        }
        View {
            sample: self,
            weights,
            confusion: tally.confusion,
            tally,
            precision_recall: OnceCell::new(),
        }
    }

    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }
}

/// What one pass over weighted rows adds up.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tally {
    pub confusion: Confusion,
    pub bins: [CalibrationBin; 10],
    pub surprise: f64,
    pub squared_error: f64,
}

impl Tally {
    pub(super) fn add(&mut self, row: &Row, weight: u32) {
        if weight == 0 {
            return;
        }
        self.confusion.add(row.label, row.probability, weight);
        self.surprise += f64::from(weight) * row.surprise;
        self.squared_error += f64::from(weight) * row.squared_error;
        if let Some(bin) = self.bins.get_mut(row.bin) {
            bin.add(weight, row.probability, row.label);
        }
    }

    fn mean(&self, sum: f64) -> Measure {
        match self.confusion.rows() {
            0 => Undefined::because(NO_ROWS),
            rows => Ok(sum / rows as f64),
        }
    }
}

/// Decisions against labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Confusion {
    /// Positive and predicted so.
    pub true_positives: u64,
    /// Negative, predicted positive.
    pub false_positives: u64,
    /// Negative and predicted so.
    pub true_negatives: u64,
    /// Positive, predicted negative.
    pub false_negatives: u64,
}

const NO_ROWS: &str = "there are no rows";
const NO_POSITIVE: &str = "no row has a positive label";
const NO_NEGATIVE: &str = "no row has a negative label";
const NO_PREDICTED: &str = "no row is predicted positive";

impl Confusion {
    pub(super) fn add(&mut self, label: bool, probability: f64, weight: u32) {
        let cell = match (label, probability >= THRESHOLD) {
            (true, true) => &mut self.true_positives,
            (true, false) => &mut self.false_negatives,
            (false, true) => &mut self.false_positives,
            (false, false) => &mut self.true_negatives,
        };
        *cell += u64::from(weight);
    }

    /// Rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.positives() + self.negatives()
    }

    /// Rows with a positive label.
    #[must_use]
    pub fn positives(&self) -> u64 {
        self.true_positives + self.false_negatives
    }

    /// Rows with a negative label.
    #[must_use]
    pub fn negatives(&self) -> u64 {
        self.true_negatives + self.false_positives
    }

    /// Rows predicted positive.
    #[must_use]
    pub fn predicted(&self) -> u64 {
        self.true_positives + self.false_positives
    }

    /// `(TP + TN) / n`
    pub fn accuracy(&self) -> Measure {
        ratio(self.true_positives + self.true_negatives, self.rows(), NO_ROWS)
    }

    /// `TP / (TP + FP)`
    pub fn precision(&self) -> Measure {
        ratio(self.true_positives, self.predicted(), NO_PREDICTED)
    }

    /// True positive rate: `TP / (TP + FN)`
    pub fn recall(&self) -> Measure {
        ratio(self.true_positives, self.positives(), NO_POSITIVE)
    }

    /// True negative rate: `TN / (TN + FP)`
    pub fn specificity(&self) -> Measure {
        ratio(self.true_negatives, self.negatives(), NO_NEGATIVE)
    }

    /// False positive rate: `FP / (TN + FP)`
    pub fn false_positive_rate(&self) -> Measure {
        ratio(self.false_positives, self.negatives(), NO_NEGATIVE)
    }

    /// Share of rows predicted positive.
    pub fn selection_rate(&self) -> Measure {
        ratio(self.predicted(), self.rows(), NO_ROWS)
    }

    /// `2TP / (2TP + FP + FN)`
    pub fn f1(&self) -> Measure {
        let errors = self.false_positives + self.false_negatives;
        ratio(
            2 * self.true_positives,
            2 * self.true_positives + errors,
            "no row has a positive label or is predicted positive",
        )
    }

    /// Mean of recall and specificity.
    pub fn balanced_accuracy(&self) -> Measure {
        Ok(f64::midpoint(self.recall()?, self.specificity()?))
    }

    /// Matthews' correlation (1975): `(TP·TN − FP·FN) / √((TP+FP)(TP+FN)(TN+FP)(TN+FN))`
    pub fn mcc(&self) -> Measure {
        let [tp, fp, tn, fn_] = [
            self.true_positives,
            self.false_positives,
            self.true_negatives,
            self.false_negatives,
        ]
        .map(|count| count as f64);
        let margins = [tp + fp, tp + fn_, tn + fp, tn + fn_];
        if margins.contains(&0.0) {
            return Undefined::because("all labels, or all decisions, are the same");
        }
        Ok((tp * tn - fp * fn_) / margins.iter().map(|margin| margin.sqrt()).product::<f64>())
    }
}

/// A weighted sample with its confusion counts.
pub struct View<'a> {
    sample: &'a Sample,
    weights: &'a [u32],
    tally: Tally,
    /// Decisions against labels.
    pub confusion: Confusion,
    /// Average precision and the trapezoids, which one pass gives together.
    precision_recall: OnceCell<(f64, f64)>,
}

/// A formula over a weighted sample.
pub type Function = fn(&View<'_>) -> Measure;
/// Successes and trials of a proportion.
pub type Counts = fn(&Confusion) -> (u64, u64);

const fn define(
    name: &'static str,
    better: Better,
    interval: IntervalMethod<Counts>,
    function: Function,
) -> Definition<Function, Counts> {
    Definition {
        name,
        better,
        interval,
        function,
    }
}

/// The metrics of binary classification.
pub static METRICS: &[Definition<Function, Counts>] = {
    use Better::{Higher, Lower};
    use IntervalMethod::{Bootstrap, DeLong, Wilson};
    &[
        define("auc", Higher, DeLong, |v| v.auc()),
        define("average_precision", Higher, Bootstrap, |v| v.average_precision()),
        define("pr_auc_trapezoid", Higher, Bootstrap, |v| v.pr_auc_trapezoid()),
        define("log_loss", Lower, Bootstrap, |v| v.log_loss()),
        define("brier", Lower, Bootstrap, |v| v.brier()),
        define("ece", Lower, Bootstrap, |v| v.ece()),
        define(
            "accuracy",
            Higher,
            Wilson(|c| (c.true_positives + c.true_negatives, c.rows())),
            |v| v.confusion.accuracy(),
        ),
        define(
            "precision",
            Higher,
            Wilson(|c| (c.true_positives, c.predicted())),
            |v| v.confusion.precision(),
        ),
        define("recall", Higher, Wilson(|c| (c.true_positives, c.positives())), |v| {
            v.confusion.recall()
        }),
        define(
            "specificity",
            Higher,
            Wilson(|c| (c.true_negatives, c.negatives())),
            |v| v.confusion.specificity(),
        ),
        define("f1", Higher, Bootstrap, |v| v.confusion.f1()),
        define("balanced_accuracy", Higher, Bootstrap, |v| {
            v.confusion.balanced_accuracy()
        }),
        define("mcc", Higher, Bootstrap, |v| v.confusion.mcc()),
        define("selection_rate", Higher, Wilson(|c| (c.predicted(), c.rows())), |v| {
            v.confusion.selection_rate()
        }),
    ]
};

impl View<'_> {
    /// Area under the ROC curve (Mann-Whitney with midranks): the share of pairs of a positive and a negative row in which
    /// the positive one has the higher probability; ties count half.
    pub fn auc(&self) -> Measure {
        let (positives, negatives) = (self.confusion.positives(), self.confusion.negatives());
        if positives == 0 {
            return Undefined::because(NO_POSITIVE);
        }
        if negatives == 0 {
            return Undefined::because(NO_NEGATIVE);
        }
        // Twice the number of pairs in the wrong order, so that halves stay whole.
        let (mut seen_negatives, mut wrong) = (0_u64, 0_u128);
        self.each_threshold(|tied_positives, tied_negatives, _| {
            wrong += u128::from(tied_positives) * u128::from(2 * seen_negatives + tied_negatives);
            seen_negatives += tied_negatives;
        });
        Ok(1.0 - wrong as f64 / (2.0 * positives as f64 * negatives as f64))
    }

    /// Average precision: `Σ (Rₖ − Rₖ₋₁) Pₖ` over descending thresholds; not interpolated.
    pub fn average_precision(&self) -> Measure {
        Ok(self.precision_recall()?.0)
    }

    /// Area under the precision-recall curve by trapezoids from the point (0, 1): optimistic where average precision is not,
    /// since precision does not change linearly between thresholds (Davis, Goadrich 2006).
    pub fn pr_auc_trapezoid(&self) -> Measure {
        Ok(self.precision_recall()?.1)
    }

    fn precision_recall(&self) -> Result<(f64, f64), Undefined> {
        let positives = self.confusion.positives();
        if positives == 0 {
            return Undefined::because(NO_POSITIVE);
        }
        Ok(*self.precision_recall.get_or_init(|| {
            let (mut true_positives, mut predicted, mut before) = (0_u64, 0_u64, 1.0);
            let (mut steps, mut trapezoids) = (0.0, 0.0);
            self.each_threshold(|tied_positives, tied_negatives, _| {
                true_positives += tied_positives;
                predicted += tied_positives + tied_negatives;
                let precision = true_positives as f64 / predicted as f64;
                let width = tied_positives as f64 / positives as f64;
                steps += width * precision;
                trapezoids += width * f64::midpoint(before, precision);
                before = precision;
            });
            (steps, trapezoids)
        }))
    }

    /// `−mean ln p(label)`
    pub fn log_loss(&self) -> Measure {
        self.tally.mean(self.tally.surprise)
    }

    /// `mean (p − y)²` (Brier 1950)
    pub fn brier(&self) -> Measure {
        self.tally.mean(self.tally.squared_error)
    }

    /// Expected calibration error over ten bins of the probability of the positive class, equally wide, closed on the right.
    pub fn ece(&self) -> Measure {
        expected_calibration_error(&self.tally.bins)
    }

    /// The ten calibration bins.
    #[must_use]
    pub fn calibration(&self) -> [CalibrationBin; 10] {
        self.tally.bins
    }

    /// The ROC curve from (0, 0) to (1, 1): false positive rate, true positive rate and threshold at each distinct
    /// probability; none when a class is missing.
    #[must_use]
    pub fn roc(&self) -> Vec<(f64, f64, Option<f64>)> {
        let (positives, negatives) = (self.confusion.positives(), self.confusion.negatives());
        if positives == 0 || negatives == 0 {
            return Vec::new();
        }
        let mut points = vec![(0.0, 0.0, None)];
        let (mut true_positives, mut false_positives) = (0_u64, 0_u64);
        self.each_threshold(|tied_positives, tied_negatives, threshold| {
            true_positives += tied_positives;
            false_positives += tied_negatives;
            let point = (
                false_positives as f64 / negatives as f64,
                true_positives as f64 / positives as f64,
            );
            points.push((point.0, point.1, Some(threshold)));
        });
        points
    }

    /// Calls back with the weights of positives and negatives at each distinct probability, highest first, and with the
    /// probability. Rows that weigh nothing are passed over.
    fn each_threshold(&self, mut visit: impl FnMut(u64, u64, f64)) {
        let (mut positives, mut negatives, mut current) = (0_u64, 0_u64, f64::NAN);
        for (probability, label, row) in &self.sample.ranked {
            let Some(weight) = self.weights.get(*row) else { continue };
            if *weight == 0 {
                continue;
            }
            if *probability != current && positives + negatives > 0 {
                visit(positives, negatives, current);
                (positives, negatives) = (0, 0);
            }
            current = *probability;
            *(if *label { &mut positives } else { &mut negatives }) += u64::from(*weight);
        }
        if positives + negatives > 0 {
            visit(positives, negatives, current);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(labels: &[bool], probabilities: &[f64], weights: &[u32], name: &str) -> Measure {
        let sample = Sample::new(labels.to_vec(), probabilities.to_vec());
        let definition = METRICS.iter().find(|metric| metric.name == name).unwrap();
        (definition.function)(&sample.view(weights))
    }

    #[test]
    fn one_class_leaves_ranking_undefined() {
        for name in ["auc", "recall", "balanced_accuracy", "mcc", "average_precision"] {
            let reason = measure(&[false, false], &[0.9, 0.2], &[1, 1], name).unwrap_err();
            assert!(!reason.0.is_empty(), "{name}");
        }
        assert_eq!(
            measure(&[true, true], &[0.9, 0.2], &[1, 1], "specificity")
                .unwrap_err()
                .0,
            NO_NEGATIVE
        );
        assert_eq!(
            measure(&[true, false], &[0.1, 0.2], &[1, 1], "precision")
                .unwrap_err()
                .0,
            NO_PREDICTED
        );
    }

    #[test]
    fn no_rows_leave_everything_undefined() {
        for metric in METRICS {
            assert!(measure(&[], &[], &[], metric.name).is_err(), "{}", metric.name);
        }
    }

    #[test]
    fn a_weight_is_a_repetition() {
        let (labels, probabilities) = ([true, false, true, false, true], [0.9, 0.6, 0.6, 0.3, 0.2]);
        let repeated_labels = [true, true, false, true, true, true, true];
        let repeated = [0.9, 0.9, 0.6, 0.6, 0.2, 0.2, 0.2];
        for metric in METRICS {
            let weighted = measure(&labels, &probabilities, &[2, 1, 1, 0, 3], metric.name).unwrap();
            let plain = measure(&repeated_labels, &repeated, &[1; 7], metric.name).unwrap();
            assert!((weighted - plain).abs() < 1e-12, "{}: {weighted} {plain}", metric.name);
        }
    }

    #[test]
    fn certainty_that_is_wrong_costs_much_but_not_infinitely() {
        let loss = measure(&[true], &[0.0], &[1], "log_loss").unwrap();
        assert!((36.0..36.1).contains(&loss), "{loss}");
    }

    #[test]
    fn bins_are_closed_on_the_right() {
        assert_eq!(
            [0.0, 0.1, 0.100_001, 0.3, 0.7, 1.0].map(calibration_bin),
            [0, 0, 1, 2, 6, 9]
        );
    }

    #[test]
    fn the_roc_curve_runs_from_corner_to_corner() {
        let sample = Sample::new(vec![true, false, true], vec![0.8, 0.8, 0.3]);
        let points = sample.view(&[1, 1, 1]).roc();
        assert_eq!(points, [(0.0, 0.0, None), (1.0, 0.5, Some(0.8)), (1.0, 1.0, Some(0.3))]);
    }
}
