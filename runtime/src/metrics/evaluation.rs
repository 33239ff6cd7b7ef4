//! A model's predictions on rows with labels and groups: every metric of the task, with intervals. It reads no files.

use std::collections::BTreeMap;
use std::fmt;

use super::{
    Better, CONFIDENCE, Definition, Estimate, IntervalMethod, Measure, binary, fairness, multiclass, regression,
};
use crate::statistics::{Interval, Placements, bootstrap, normal_quantile, wilson};

/// The seed of every bootstrap: equal data gives equal intervals.
const SEED: u64 = 0x6D6C_7020_6D65_7472;

/// Labels and predictions of a task.
#[derive(Clone, Debug, PartialEq)]
pub enum Sample {
    /// Binary classification.
    Binary(binary::Sample),
    /// Multiclass classification.
    Multiclass(multiclass::Sample),
    /// Regression.
    Regression(regression::Sample),
}

impl Sample {
    /// How many rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        match self {
            Self::Binary(sample) => sample.labels().len(),
            Self::Multiclass(sample) => sample.labels().len(),
            Self::Regression(sample) => sample.labels().len(),
        }
    }

    /// Some of the rows.
    #[must_use]
    pub fn pick(&self, rows: &[usize]) -> Self {
        match self {
            Self::Binary(sample) => Self::Binary(sample.pick(rows)),
            Self::Multiclass(sample) => Self::Multiclass(sample.pick(rows)),
            Self::Regression(sample) => Self::Regression(sample.pick(rows)),
        }
    }
}

/// The rows by group of a protected column.
#[derive(Clone, Debug, PartialEq)]
pub struct Grouping {
    /// The column.
    pub column: String,
    /// The groups' names.
    pub names: Vec<String>,
    /// The group of each row, an index of `names`.
    pub of_row: Vec<usize>,
}

/// The group of rows in which the column is absent.
const ABSENT: &str = "(absent)";
/// A numeric column of more distinct values than this is cut into bands.
const MOST_DISTINCT_NUMBERS: usize = 4;

impl Grouping {
    /// A group for each value, in order of their text; absent values are a group of their own.
    #[must_use]
    pub fn by_value(column: &str, values: &[Option<String>]) -> Self {
        let mut names: Vec<&str> = values.iter().map(|value| value.as_deref().unwrap_or(ABSENT)).collect();
        names.sort_unstable();
        names.dedup();
        let of = |value: &Option<String>| names.binary_search(&value.as_deref().unwrap_or(ABSENT)).unwrap_or(0);
        Self {
            column: column.to_owned(),
            of_row: values.iter().map(of).collect(),
            names: names.into_iter().map(str::to_owned).collect(),
        }
    }

    /// Bands between the quartiles (nearest rank) of the values at hand, closed on the right: `[19, 27]`, `(27, 33]`, … A
    /// column of up to four distinct values is grouped by value.
    #[must_use]
    pub fn by_number(column: &str, values: &[Option<f64>]) -> Self {
        let mut sorted: Vec<f64> = values.iter().flatten().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let distinct = sorted.chunk_by(|a, b| a == b).count();
        if distinct <= MOST_DISTINCT_NUMBERS {
            let texts: Vec<_> = values
                .iter()
                .map(|value| value.map(|value| value.to_string()))
                .collect();
            return Self::by_value(column, &texts);
        }
        let mut ends: Vec<f64> = [0.25, 0.5, 0.75, 1.0]
            .iter()
            .filter_map(|share| super::latency::nearest_rank(&sorted, *share))
            .collect();
        ends.dedup();
        let mut names = Vec::new();
        let mut start = sorted.first().copied().unwrap_or_default();
        for (index, end) in ends.iter().enumerate() {
            names.push(format!("{}{start}, {end}]", if index == 0 { '[' } else { '(' }));
            start = *end;
        }
        let absent = names.len();
        if values.iter().any(Option::is_none) {
            names.push(ABSENT.to_owned());
        }
        let band = |value: f64| ends.partition_point(|end| *end < value).min(ends.len() - 1);
        Self {
            column: column.to_owned(),
            names,
            of_row: values.iter().map(|value| value.map_or(absent, band)).collect(),
        }
    }

    /// The rows of each group.
    #[must_use]
    pub fn rows(&self) -> Vec<Vec<usize>> {
        let mut rows = vec![Vec::new(); self.names.len()];
        for (row, group) in self.of_row.iter().enumerate() {
            if let Some(rows) = rows.get_mut(*group) {
                rows.push(row);
            }
        }
        rows
    }
}

/// A metric of an evaluation: `auc`, `demographic_parity(sex)`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricId {
    /// Its name.
    pub name: String,
    /// The protected column of a fairness metric.
    pub column: Option<String>,
}

impl fmt::Display for MetricId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column {
            Some(column) => write!(formatter, "{}({column})", self.name),
            None => formatter.write_str(&self.name),
        }
    }
}

/// Predictions and the groups they are judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Labels and predictions.
    pub sample: Sample,
    /// The protected columns.
    pub groupings: Vec<Grouping>,
}

/// A metric as [`Evaluation::each`] meets it; the measure is computed only when asked for.
struct Met<'a> {
    name: &'static str,
    column: Option<&'a str>,
    better: Better,
    interval: Closed,
    measure: &'a dyn Fn() -> Measure,
}

impl Met<'_> {
    fn is(&self, id: &MetricId) -> bool {
        self.name == id.name && self.column == id.column.as_deref()
    }

    fn id(&self) -> MetricId {
        MetricId {
            name: self.name.to_owned(),
            column: self.column.map(str::to_owned),
        }
    }
}

/// How an interval is found, with the counts of a proportion.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Closed {
    DeLong,
    Proportion(u64, u64),
    Bootstrap,
}

fn meet<Function, Counts>(
    table: &'static [Definition<Function, Counts>],
    column: Option<&str>,
    measure: impl Fn(&Function) -> Measure,
    counts: impl Fn(&Counts) -> (u64, u64),
    visit: &mut dyn FnMut(&Met<'_>),
) {
    for definition in table {
        let interval = match &definition.interval {
            IntervalMethod::DeLong => Closed::DeLong,
            IntervalMethod::Wilson(of) => {
                let (successes, trials) = counts(of);
                Closed::Proportion(successes, trials)
            }
            IntervalMethod::Bootstrap => Closed::Bootstrap,
        };
        visit(&Met {
            name: definition.name,
            column,
            better: definition.better,
            interval,
            measure: &|| measure(&definition.function),
        });
    }
}

impl Evaluation {
    /// Visits every metric of the weighted rows, in a fixed order.
    fn each(&self, weights: &[u32], visit: &mut dyn FnMut(&Met<'_>)) {
        match &self.sample {
            Sample::Binary(sample) => {
                let view = sample.view(weights);
                meet(binary::METRICS, None, |of| of(&view), |of| of(&view.confusion), visit);
                for grouping in &self.groupings {
                    let groups = fairness::groups(sample, grouping, weights);
                    meet(
                        fairness::METRICS,
                        Some(&grouping.column),
                        |of| of(&groups),
                        |never| match *never {},
                        visit,
                    );
                }
            }
            Sample::Multiclass(sample) => {
                let view = sample.view(weights);
                meet(multiclass::METRICS, None, |of| of(&view), |of| of(&view), visit);
            }
            Sample::Regression(sample) => {
                let view = sample.view(weights);
                meet(
                    regression::METRICS,
                    None,
                    |of| of(&view),
                    |never| match *never {},
                    visit,
                );
            }
        }
    }

    fn once(&self) -> Vec<u32> {
        vec![1; self.sample.rows()]
    }

    /// One metric over weighted rows; `None` when the task has no such metric.
    #[must_use]
    pub fn measure(&self, id: &MetricId, weights: &[u32]) -> Option<Measure> {
        let mut found = None;
        self.each(weights, &mut |met| {
            if met.is(id) {
                found = Some((met.measure)());
            }
        });
        found
    }

    /// Every metric of the task and which way it gets better.
    #[must_use]
    pub fn catalogue(&self) -> Vec<(MetricId, Better)> {
        let mut found = Vec::new();
        self.each(&[], &mut |met| found.push((met.id(), met.better)));
        found
    }

    /// Why the metric must not be judged although it may have a value: a protected group is too small.
    #[must_use]
    pub fn unjudgeable(&self, id: &MetricId) -> Option<super::Undefined> {
        let Sample::Binary(sample) = &self.sample else {
            return None;
        };
        let grouping = self
            .groupings
            .iter()
            .find(|grouping| Some(&grouping.column) == id.column.as_ref())?;
        fairness::too_small(&fairness::groups(sample, grouping, &self.once()))
    }

    /// Every metric of the task with its confidence interval.
    #[must_use]
    pub fn estimates(&self) -> BTreeMap<MetricId, Estimate> {
        let once = self.once();
        let mut points = Vec::new();
        self.each(&once, &mut |met| points.push((met.id(), (met.measure)(), met.interval)));
        let replicates = bootstrap(self.sample.rows(), SEED, |weights| {
            let mut values = Vec::new();
            self.each(weights, &mut |met| {
                if met.interval == Closed::Bootstrap {
                    values.push((met.measure)().ok());
                }
            });
            values
        });
        let rows = self.sample.rows() as u64;
        let mut bootstrapped = 0;
        let mut estimates = BTreeMap::new();
        for (id, point, interval) in points {
            let interval = match interval {
                Closed::DeLong => self.delong(),
                Closed::Proportion(successes, trials) => wilson(successes, trials, CONFIDENCE),
                Closed::Bootstrap => {
                    bootstrapped += 1;
                    let interval = replicates.interval(bootstrapped - 1, CONFIDENCE);
                    interval.map(|interval| hold(interval, &point))
                }
            };
            let point = self.unjudgeable(&id).map_or(point, Err);
            estimates.insert(id, Estimate::new(point, interval, rows));
        }
        estimates
    }

    /// `AUC ± z · √variance`, within 0 and 1.
    fn delong(&self) -> Option<Interval> {
        let Sample::Binary(sample) = &self.sample else {
            return None;
        };
        let placements = Placements::new(sample.labels(), sample.probabilities())?;
        let half = normal_quantile(f64::midpoint(1.0, CONFIDENCE)) * placements.variance().sqrt();
        Some(Interval {
            low: (placements.auc() - half).max(0.0),
            high: (placements.auc() + half).min(1.0),
        })
    }
}

/// Widens an interval so that it holds the value itself: resampling pushes extremes apart, so the difference between the
/// luckiest and the unluckiest group is larger in almost every replicate than in the data.
fn hold(interval: Interval, point: &Measure) -> Interval {
    match point {
        Ok(value) => Interval {
            low: interval.low.min(*value),
            high: interval.high.max(*value),
        },
        Err(_) => interval,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(values: &[i32]) -> Vec<Option<f64>> {
        values.iter().map(|value| Some(f64::from(*value))).collect()
    }

    #[test]
    fn numbers_are_cut_at_their_quartiles() {
        let grouping = Grouping::by_number("age", &numbers(&[19, 27, 33, 75, 20, 28, 34, 60]));
        assert_eq!(grouping.names, ["[19, 20]", "(20, 28]", "(28, 34]", "(34, 75]"]);
        assert_eq!(grouping.of_row, [0, 1, 2, 3, 0, 1, 2, 3]);
    }

    #[test]
    fn equal_quartiles_are_one_end() {
        let grouping = Grouping::by_number("children", &numbers(&[0, 0, 0, 0, 0, 1, 2, 3, 4]));
        assert_eq!(grouping.names, ["[0, 0]", "(0, 2]", "(2, 4]"]);
    }

    #[test]
    fn few_numbers_are_values_and_absent_is_a_group() {
        let grouping = Grouping::by_number("rating", &[Some(1.0), None, Some(2.0), Some(1.0)]);
        assert_eq!(grouping.names, ["(absent)", "1", "2"]);
        assert_eq!(grouping.of_row, [1, 0, 2, 1]);
        assert_eq!(grouping.rows(), [vec![1], vec![0, 3], vec![2]]);
    }

    #[test]
    fn absent_numbers_are_a_group_beside_the_bands() {
        let mut values = numbers(&[1, 2, 3, 4, 5, 6, 7, 8]);
        values.push(None);
        let grouping = Grouping::by_number("age", &values);
        assert_eq!(grouping.names.last().unwrap(), "(absent)");
        assert_eq!(grouping.of_row.last(), Some(&4));
    }

    fn evaluation(rows: usize, female_every: usize) -> Evaluation {
        let labels: Vec<bool> = (0..rows).map(|row| row % 3 == 0).collect();
        let scores =
            (0..rows).map(|row| ((row * 37) % 101) as f64 / 101.0 * 0.7 + if row % 3 == 0 { 0.3 } else { 0.0 });
        let sex: Vec<_> = (0..rows)
            .map(|row| Some(if row % female_every == 0 { "female" } else { "male" }.to_owned()))
            .collect();
        Evaluation {
            sample: Sample::Binary(binary::Sample::new(labels.clone(), scores.collect())),
            groupings: vec![Grouping::by_value("sex", &sex)],
        }
    }

    #[test]
    fn every_estimate_lies_in_its_interval() {
        let estimates = evaluation(400, 4).estimates();
        assert_eq!(estimates.len(), binary::METRICS.len() + fairness::METRICS.len());
        for (id, estimate) in &estimates {
            let (low, value, high) = (estimate.low.unwrap(), estimate.value.unwrap(), estimate.high.unwrap());
            assert!(low <= value && value <= high, "{id} {estimate}");
        }
    }

    #[test]
    fn a_small_group_is_not_judged() {
        let evaluation = evaluation(100, 10);
        let id = MetricId {
            name: "demographic_parity".to_owned(),
            column: Some("sex".to_owned()),
        };
        let estimate = &evaluation.estimates()[&id];
        assert_eq!(
            estimate.undefined.as_deref(),
            Some("group `female` has 10 rows; a group takes at least 30")
        );
        assert!(
            evaluation.measure(&id, &[1; 100]).unwrap().is_ok(),
            "the formula itself has a value"
        );
    }

    #[test]
    fn an_unknown_metric_is_none() {
        let id = MetricId {
            name: "rmse".to_owned(),
            column: None,
        };
        assert!(evaluation(100, 2).measure(&id, &[1; 100]).is_none());
    }
}
