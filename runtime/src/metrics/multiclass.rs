//! Metrics of multiclass classification: a probability of each class for each row. The decision is the most probable class,
//! the first of equals.
//!
//! Averages go over the classes that occur among labels or decisions, as in scikit-learn: `macro` weighs them equally,
//! `weighted` by their labels, `micro` pools the counts. A class that is never decided has a precision of 0 there, since its
//! rows were missed.

use super::{
    Better, CalibrationBin, Definition, IntervalMethod, Measure, Undefined, binary, calibration_bin,
    expected_calibration_error, ratio, surprise, weighted_mean,
};

/// Labels and predicted probabilities, with what is computed once for all metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    classes: Vec<String>,
    labels: Vec<usize>,
    /// One row after the other.
    probabilities: Vec<f64>,
    decisions: Vec<usize>,
    confidences: Vec<f64>,
    surprises: Vec<f64>,
    squared_errors: Vec<f64>,
    against_rest: Vec<binary::Sample>,
}

impl Sample {
    /// Rows of labels (indices of `classes`) and probabilities, row by row, one for each class.
    #[must_use]
    pub fn new(classes: Vec<String>, labels: Vec<usize>, probabilities: Vec<f64>) -> Self {
        let width = classes.len().max(1);
        let rows = || labels.iter().zip(probabilities.chunks_exact(width));
        let most_probable = |row: &[f64]| {
            row.iter()
                .enumerate()
                .fold(0, |best, (class, p)| if *p > row[best] { class } else { best })
        };
        let squared_error = |(label, row): (&usize, &[f64])| -> f64 {
            row.iter()
                .enumerate()
                .map(|(class, p)| (p - f64::from(u8::from(class == *label))).powi(2))
                .sum()
        };
        let against_rest = |class: usize| {
            let labels = labels.iter().map(|label| *label == class).collect();
            binary::Sample::new(
                labels,
                probabilities.iter().skip(class).step_by(width).copied().collect(),
            )
        };
        Self {
            decisions: rows().map(|(_, row)| most_probable(row)).collect(),
            confidences: rows().map(|(_, row)| row.iter().copied().fold(0.0, f64::max)).collect(),
            surprises: rows()
                .map(|(label, row)| surprise(row.get(*label).copied().unwrap_or(0.0)))
                .collect(),
            squared_errors: rows().map(squared_error).collect(),
            against_rest: (0..classes.len()).map(against_rest).collect(),
            classes,
            labels,
            probabilities,
        }
    }

    /// The classes in order.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The labels, as indices of the classes.
    #[must_use]
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// The most probable class of each row.
    #[must_use]
    pub fn decisions(&self) -> &[usize] {
        &self.decisions
    }

    /// The probabilities, row by row.
    #[must_use]
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// Some of the rows.
    #[must_use]
    pub fn pick(&self, rows: &[usize]) -> Self {
        let width = self.classes.len();
        let labels = rows.iter().filter_map(|row| self.labels.get(*row)).copied().collect();
        let probabilities = rows
            .iter()
            .filter_map(|row| self.probabilities.get(row * width..(row + 1) * width));
        Self::new(self.classes.clone(), labels, probabilities.flatten().copied().collect())
    }

    /// The sample with each row counted as often as `weights` says.
    #[must_use]
    pub fn view<'a>(&'a self, weights: &'a [u32]) -> View<'a> {
        let width = self.classes.len();
        let mut confusion = vec![0_u64; width * width];
        for ((label, decision), weight) in self.labels.iter().zip(&self.decisions).zip(weights) {
            if let Some(cell) = confusion.get_mut(label * width + decision) {
                *cell += u64::from(*weight);
            }
        }
        let count = |label: usize, decision: usize| confusion.get(label * width + decision).copied().unwrap_or(0);
        let per_class = |class: usize| ClassCounts {
            hits: count(class, class),
            labels: (0..width).map(|decision| count(class, decision)).sum(),
            decisions: (0..width).map(|label| count(label, class)).sum(),
        };
        View {
            sample: self,
            weights,
            counts: (0..width).map(per_class).collect(),
            confusion,
        }
    }
}

/// The counts of a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassCounts {
    /// Labelled and decided so.
    pub hits: u64,
    /// Labelled so.
    pub labels: u64,
    /// Decided so.
    pub decisions: u64,
}

impl ClassCounts {
    fn precision(&self) -> f64 {
        quotient(self.hits, self.decisions)
    }

    fn recall(&self) -> f64 {
        quotient(self.hits, self.labels)
    }

    fn f1(&self) -> f64 {
        quotient(2 * self.hits, self.labels + self.decisions)
    }
}

fn quotient(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// A weighted sample with its confusion counts.
pub struct View<'a> {
    sample: &'a Sample,
    weights: &'a [u32],
    counts: Vec<ClassCounts>,
    /// Rows by label and decision, label by label.
    pub confusion: Vec<u64>,
}

/// A formula over a weighted sample.
pub type Function = fn(&View<'_>) -> Measure;
/// Successes and trials of a proportion.
pub type Counts = fn(&View<'_>) -> (u64, u64);

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

/// The metrics of multiclass classification. Micro averages of precision, recall and F1 all equal accuracy.
pub static METRICS: &[Definition<Function, Counts>] = {
    use Better::{Higher, Lower};
    use IntervalMethod::{Bootstrap, Wilson};
    &[
        define("accuracy", Higher, Wilson(|v| v.hits_and_rows()), |v| v.accuracy()),
        define("balanced_accuracy", Higher, Bootstrap, |v| v.balanced_accuracy()),
        define("precision.macro", Higher, Bootstrap, |v| {
            v.macro_average(ClassCounts::precision)
        }),
        define("precision.micro", Higher, Wilson(|v| v.hits_and_rows()), |v| {
            v.accuracy()
        }),
        define("precision.weighted", Higher, Bootstrap, |v| {
            v.weighted_average(ClassCounts::precision)
        }),
        define("recall.macro", Higher, Bootstrap, |v| {
            v.macro_average(ClassCounts::recall)
        }),
        define("recall.micro", Higher, Wilson(|v| v.hits_and_rows()), |v| v.accuracy()),
        define("recall.weighted", Higher, Bootstrap, |v| {
            v.weighted_average(ClassCounts::recall)
        }),
        define("f1.macro", Higher, Bootstrap, |v| v.macro_average(ClassCounts::f1)),
        define("f1.micro", Higher, Wilson(|v| v.hits_and_rows()), |v| v.accuracy()),
        define("f1.weighted", Higher, Bootstrap, |v| {
            v.weighted_average(ClassCounts::f1)
        }),
        define("auc.ovr_macro", Higher, Bootstrap, |v| v.auc_one_versus_rest()),
        define("log_loss", Lower, Bootstrap, |v| {
            weighted_mean(&v.sample.surprises, v.weights)
        }),
        define("brier", Lower, Bootstrap, |v| {
            weighted_mean(&v.sample.squared_errors, v.weights)
        }),
        define("ece", Lower, Bootstrap, |v| {
            expected_calibration_error(&v.calibration())
        }),
    ]
};

impl View<'_> {
    fn hits_and_rows(&self) -> (u64, u64) {
        let sum = |of: fn(&ClassCounts) -> u64| self.counts.iter().map(of).sum();
        (sum(|class| class.hits), sum(|class| class.labels))
    }

    /// Share of rows decided rightly.
    pub fn accuracy(&self) -> Measure {
        let (hits, rows) = self.hits_and_rows();
        ratio(hits, rows, "there are no rows")
    }

    /// Mean recall of the classes that have labels.
    pub fn balanced_accuracy(&self) -> Measure {
        mean(
            self.counts
                .iter()
                .filter(|class| class.labels > 0)
                .map(ClassCounts::recall),
        )
    }

    fn macro_average(&self, of: fn(&ClassCounts) -> f64) -> Measure {
        mean(
            self.counts
                .iter()
                .filter(|class| class.labels + class.decisions > 0)
                .map(of),
        )
    }

    fn weighted_average(&self, of: fn(&ClassCounts) -> f64) -> Measure {
        let (_, rows) = self.hits_and_rows();
        if rows == 0 {
            return Undefined::because("there are no rows");
        }
        Ok(self
            .counts
            .iter()
            .map(|class| of(class) * class.labels as f64)
            .sum::<f64>()
            / rows as f64)
    }

    /// Mean over the classes of the area under the ROC curve of the class against all others. Undefined when a class has no
    /// label.
    pub fn auc_one_versus_rest(&self) -> Measure {
        let mut areas = Vec::new();
        for (class, sample) in self.sample.classes.iter().zip(&self.sample.against_rest) {
            let area = sample.view(self.weights).auc();
            areas.push(area.map_err(|reason| Undefined(format!("class `{class}` against the rest: {reason}")))?);
        }
        mean(areas.into_iter())
    }

    /// The ten calibration bins of the probability of the decided class.
    #[must_use]
    pub fn calibration(&self) -> [CalibrationBin; 10] {
        let mut bins = [CalibrationBin::default(); 10];
        let sample = self.sample;
        let rows = sample
            .labels
            .iter()
            .zip(&sample.decisions)
            .zip(&sample.confidences)
            .zip(self.weights);
        for (((label, decision), confidence), weight) in rows {
            if let Some(bin) = bins.get_mut(calibration_bin(*confidence)) {
                bin.add(*weight, *confidence, label == decision);
            }
        }
        bins
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Measure {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    if count == 0 {
        return Undefined::because("there are no rows");
    }
    Ok(sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Sample {
        let classes = ["a", "b", "c"].map(str::to_owned).to_vec();
        Sample::new(
            classes,
            vec![0, 1, 0],
            vec![0.8, 0.1, 0.1, 0.3, 0.3, 0.4, 0.5, 0.5, 0.0],
        )
    }

    fn measure(name: &str) -> Measure {
        let definition = METRICS.iter().find(|metric| metric.name == name).unwrap();
        (definition.function)(&sample().view(&[1, 1, 1]))
    }

    #[test]
    fn the_first_of_equals_is_decided() {
        assert_eq!(sample().decisions(), [0, 2, 0]);
    }

    #[test]
    fn a_class_without_labels_leaves_its_ranking_undefined() {
        assert_eq!(
            measure("auc.ovr_macro").unwrap_err().0,
            "class `c` against the rest: no row has a positive label"
        );
    }

    #[test]
    fn averages_go_over_labelled_and_decided_classes() {
        assert!((measure("precision.macro").unwrap() - 1.0 / 3.0).abs() < 1e-15);
        assert!((measure("recall.weighted").unwrap() - 2.0 / 3.0).abs() < 1e-15);
        assert!((measure("balanced_accuracy").unwrap() - 0.5).abs() < 1e-15);
    }

    #[test]
    fn no_rows_leave_everything_undefined() {
        let empty = Sample::new(vec!["a".to_owned(), "b".to_owned()], Vec::new(), Vec::new());
        for metric in METRICS {
            assert!((metric.function)(&empty.view(&[])).is_err(), "{}", metric.name);
        }
    }
}
