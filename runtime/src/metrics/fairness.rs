//! Fairness of binary decisions between the groups of a protected column. Definitions are fairlearn's.
//!
//! A group that is too small to judge, or that lacks the rows a rate is of, makes the metric undefined: it fails closed.

use super::{
    Better, Definition, IntervalMethod, Measure, Undefined,
    binary::{Confusion, Sample, Tally},
    evaluation::Grouping,
    expected_calibration_error,
};

/// A group of fewer rows than this is not judged.
pub const SMALLEST_GROUP: u64 = 30;

/// What is counted of a group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupView {
    /// The group's name.
    pub name: String,
    tally: Tally,
}

/// A formula over the groups of a column.
pub type Function = fn(&[GroupView]) -> Measure;
/// No fairness metric is a proportion.
pub type Counts = std::convert::Infallible;

const fn define(name: &'static str, better: Better, function: Function) -> Definition<Function, Counts> {
    Definition {
        name,
        better,
        interval: IntervalMethod::Bootstrap,
        function,
    }
}

/// The fairness metrics; s is a group's selection rate P(ŷ=1), TPR and FPR its true and false positive rates.
pub static METRICS: &[Definition<Function, Counts>] = {
    use Better::{Higher, Lower};
    &[
        // max s − min s
        define("demographic_parity", Lower, |groups| {
            difference(groups, Confusion::selection_rate)
        }),
        // min s / max s
        define("demographic_parity_ratio", Higher, |groups| {
            quotient(groups, Confusion::selection_rate)
        }),
        // The worst-treated group against the best, as the four-fifths rule asks: at least 0.8.
        define("disparate_impact", Higher, |groups| {
            quotient(groups, Confusion::selection_rate)
        }),
        // max(ΔTPR, ΔFPR)
        define("equalized_odds", Lower, |groups| {
            Ok(difference(groups, Confusion::recall)?.max(difference(groups, Confusion::false_positive_rate)?))
        }),
        // min of the ratios of TPR and of FPR
        define("equalized_odds_ratio", Higher, |groups| {
            Ok(quotient(groups, Confusion::recall)?.min(quotient(groups, Confusion::false_positive_rate)?))
        }),
        // ½(ΔTPR + ΔFPR)
        define("average_odds", Lower, |groups| {
            Ok(f64::midpoint(
                difference(groups, Confusion::recall)?,
                difference(groups, Confusion::false_positive_rate)?,
            ))
        }),
        // ΔTPR
        define("equal_opportunity", Lower, |groups| {
            difference(groups, Confusion::recall)
        }),
        // Δ precision
        define("predictive_parity", Lower, |groups| {
            difference(groups, Confusion::precision)
        }),
        // Δ expected calibration error
        define("calibration_difference", Lower, calibration_difference),
    ]
};

/// Counts every group of a column.
#[must_use]
pub fn groups(sample: &Sample, grouping: &Grouping, weights: &[u32]) -> Vec<GroupView> {
    let named = |name: &String| GroupView {
        name: name.clone(),
        ..GroupView::default()
    };
    let mut groups: Vec<GroupView> = grouping.names.iter().map(named).collect();
    for ((row, weight), group) in sample.rows().iter().zip(weights).zip(&grouping.of_row) {
        if let Some(group) = groups.get_mut(*group) {
            group.tally.add(row, *weight);
        }
    }
    groups
}

/// Why the groups cannot be judged, if they cannot.
#[must_use]
pub fn too_small(groups: &[GroupView]) -> Option<Undefined> {
    if groups.len() < 2 {
        return Some(Undefined("there are not two groups to compare".to_owned()));
    }
    let small = groups
        .iter()
        .find(|group| group.tally.confusion.rows() < SMALLEST_GROUP)?;
    Some(Undefined(format!(
        "group `{}` has {} rows; a group takes at least {SMALLEST_GROUP}",
        small.name,
        small.tally.confusion.rows()
    )))
}

fn extremes(groups: &[GroupView], rate: impl Fn(&GroupView) -> Measure) -> Result<(f64, f64), Undefined> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for group in groups {
        let value = rate(group).map_err(|reason| Undefined(format!("in group `{}` {reason}", group.name)))?;
        low = low.min(value);
        high = high.max(value);
    }
    if low > high {
        return Undefined::because("there are no groups");
    }
    Ok((low, high))
}

fn difference(groups: &[GroupView], rate: fn(&Confusion) -> Measure) -> Measure {
    let (low, high) = extremes(groups, |group| rate(&group.tally.confusion))?;
    Ok(high - low)
}

fn quotient(groups: &[GroupView], rate: fn(&Confusion) -> Measure) -> Measure {
    let (low, high) = extremes(groups, |group| rate(&group.tally.confusion))?;
    if high == 0.0 {
        return Undefined::because("the rate is 0 in every group, and 0/0 is no ratio");
    }
    Ok(low / high)
}

fn calibration_difference(groups: &[GroupView]) -> Measure {
    let (low, high) = extremes(groups, |group| expected_calibration_error(&group.tally.bins))?;
    Ok(high - low)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str, [tp, fp, tn, fn_]: [u64; 4]) -> GroupView {
        GroupView {
            name: name.to_owned(),
            tally: Tally {
                confusion: Confusion {
                    true_positives: tp,
                    false_positives: fp,
                    true_negatives: tn,
                    false_negatives: fn_,
                },
                ..Tally::default()
            },
        }
    }

    fn measure(groups: &[GroupView], name: &str) -> Measure {
        (METRICS.iter().find(|metric| metric.name == name).unwrap().function)(groups)
    }

    #[test]
    fn a_group_without_positives_leaves_odds_undefined() {
        let groups = [group("female", [10, 5, 20, 5]), group("male", [0, 5, 35, 0])];
        let reason = measure(&groups, "equal_opportunity").unwrap_err();
        assert_eq!(reason.0, "in group `male` no row has a positive label");
        assert!(measure(&groups, "equalized_odds").is_err());
        assert!(measure(&groups, "demographic_parity").is_ok());
    }

    #[test]
    fn nobody_selected_is_no_ratio() {
        let groups = [group("a", [0, 0, 30, 5]), group("b", [0, 0, 30, 5])];
        assert!(measure(&groups, "disparate_impact").is_err());
        assert_eq!(measure(&groups, "demographic_parity"), Ok(0.0));
    }

    #[test]
    fn small_and_single_groups_are_not_judged() {
        let large = group("a", [10, 10, 10, 10]);
        assert!(too_small(std::slice::from_ref(&large)).is_some());
        let reason = too_small(&[large.clone(), group("b", [5, 5, 5, 5])]).unwrap();
        assert_eq!(reason.0, "group `b` has 20 rows; a group takes at least 30");
        assert_eq!(too_small(&[large.clone(), large]), None);
    }
}
