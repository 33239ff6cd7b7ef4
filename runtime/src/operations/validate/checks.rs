//! Judging what was found: each constraint, the key and each check, with its value and a verdict.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "Arrow has forty types, the language a few"
)]

use std::borrow::Cow;

use arrow::datatypes::{DataType as ArrowType, TimeUnit};
use mlp::plan::{Check, CheckKind};
use mlp::types::Bound;
use serde_json::{Value as Json, json};

use super::drift::{self, Drift};
use super::measures::{Collection, Extreme, Moments, Tally};
use super::scan::{Found, Scan};
use super::unique::{self, Repetitions};
use crate::data::dataset::Wanted;
use crate::data::numbers::{Numbers, nearest_rank};
use crate::data::{cell, duration, instants, layout, words};
use crate::operations::{Context, OperationError, Verdict};

/// How one condition came out.
pub(super) struct Finding {
    /// The condition as a reader knows it.
    pub(super) text: String,
    pub(super) verdict: Verdict,
    /// What follows the condition in the report: its value, counts, examples.
    pub(super) told: String,
    pub(super) record: Json,
    /// Whether it is a check of the table rather than a constraint of the schema.
    pub(super) check: bool,
}

/// A measured number.
enum Measured {
    Whole(i128),
    Real(f64),
    /// There are no values to measure.
    Nothing(Cow<'static, str>),
}

/// Judges everything.
pub(super) fn judge(scan: &Scan<'_>, found: Found, context: &Context) -> Result<Vec<Finding>, OperationError> {
    let mut findings = constraints(scan, &found);
    let mut collections = found.collections.into_iter();
    let mut judged = Vec::new();
    for ((check, _), tally) in scan.checks.iter().zip(&found.tallies) {
        let collections = collections.next().unwrap_or_default();
        judged.push(judge_check(scan, check, tally, collections, context)?);
    }
    if !scan.key.is_empty() {
        let repetitions = repetitions(scan, &scan.key, collections.next().unwrap_or_default(), context)?;
        let text = format!("{} is unique (@key)", scan.key.join(", "));
        findings.push(uniqueness(text, &repetitions, scan.dataset.rows(), false));
    }
    findings.extend(judged);
    Ok(findings)
}

fn constraints(scan: &Scan<'_>, found: &Found) -> Vec<Finding> {
    let rows = scan.dataset.rows();
    let pairs = scan.constraints.iter().zip(&found.violations);
    pairs
        .map(|(constraint, violations)| {
            let examples: Vec<String> = violations
                .examples
                .iter()
                .map(|(row, value)| format!("row {}: {value}", words::thousands(*row)))
                .collect();
            let help = constraint
                .help
                .as_ref()
                .map_or(String::new(), |help| format!(" {help}"));
            let of = format!(
                "{} ({} of {})",
                words::counted(violations.count, "value"),
                percent(violations.count, rows),
                words::counted(rows, "row")
            );
            let holds = violations.count == 0;
            Finding {
                text: constraint.text.clone(),
                verdict: if holds { Verdict::Pass } else { Verdict::Fail },
                told: if holds {
                    "holds".to_owned()
                } else {
                    format!("broken by {of}: {}.{help}", examples.join("; "))
                },
                record: json!({
                    "column": constraint.column,
                    "constraint": constraint.text,
                    "passed": holds,
                    "violations": violations.count,
                    "examples": violations.examples.iter()
                        .map(|(row, value)| json!({ "row": row, "value": value })).collect::<Vec<_>>(),
                }),
                check: false,
            }
        })
        .collect()
}

fn repetitions(
    scan: &Scan<'_>,
    columns: &[&str],
    collections: Vec<Collection>,
    context: &Context,
) -> Result<Repetitions, OperationError> {
    let census = unique::counted(collections)?;
    let wanted: Vec<Wanted> = scan
        .dataset
        .wanted(scan.schema)?
        .into_iter()
        .filter(|one| columns.contains(&one.name.as_str()))
        .collect();
    let wanted: Vec<Wanted> = columns
        .iter()
        .filter_map(|name| wanted.iter().find(|one| one.name == *name).cloned())
        .collect();
    let hidden = columns
        .iter()
        .any(|name| scan.schema.column(name).is_some_and(|column| column.has_tag("pii")));
    unique::repetitions(scan.dataset, &wanted, &census, hidden, context.cancelled)
}

fn uniqueness(text: String, repetitions: &Repetitions, rows: u64, check: bool) -> Finding {
    let holds = repetitions.rows == 0;
    let told = if holds {
        "holds".to_owned()
    } else {
        format!(
            "{} ({}) repeat an earlier one: {}.",
            words::counted(repetitions.rows, "row"),
            percent(repetitions.rows, rows),
            repetitions.examples.join("; ")
        )
    };
    Finding {
        record: json!({
            (if check { "check" } else { "constraint" }): text,
            "passed": holds,
            "violations": repetitions.rows,
            "examples": repetitions.examples,
        }),
        text,
        verdict: if holds { Verdict::Pass } else { Verdict::Fail },
        told,
        check,
    }
}

fn judge_check(
    scan: &Scan<'_>,
    check: &Check,
    tally: &Tally,
    collections: Vec<Collection>,
    context: &Context,
) -> Result<Finding, OperationError> {
    let rows = scan.dataset.rows();
    let measured = match &check.measure {
        CheckKind::Unique(columns) => {
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            let repetitions = repetitions(scan, &columns, collections, context)?;
            return Ok(uniqueness(check.text.clone(), &repetitions, rows, true));
        }
        CheckKind::Drift { column, statistic } => match drift::measure(scan, column, statistic, context)? {
            Drift::NoBaseline(why) => return Ok(without_baseline(check, &why)),
            Drift::Untold(why) => Measured::Nothing(why.into()),
            Drift::Distance(distance) => Measured::Real(distance),
        },
        CheckKind::Rows => Measured::Whole(i128::from(rows)),
        CheckKind::Distinct(_) => Measured::Whole(i128::from(unique::counted(collections)?.distinct)),
        CheckKind::NullRate(column) => match (tally, scan.dataset.absent(column)) {
            (_, Some(known)) => share(known, rows),
            (Tally::Count(absent), None) => share(*absent, rows),
            (Tally::Nothing | Tally::Moments(_) | Tally::Extremes(_), None) => share(0, rows),
        },
        CheckKind::Share(_) => match tally {
            Tally::Count(count) => share(*count, rows),
            Tally::Nothing | Tally::Moments(_) | Tally::Extremes(_) => share(0, rows),
        },
        CheckKind::Mean(_) | CheckKind::StandardDeviation(_) | CheckKind::Sum(_) => match tally {
            Tally::Moments(moments) => moment(&check.measure, moments),
            Tally::Nothing | Tally::Count(_) | Tally::Extremes(_) => nothing("there are no values"),
        },
        CheckKind::Minimum(_) | CheckKind::Maximum(_) | CheckKind::Freshness(_) => match tally {
            Tally::Extremes(Some(ends)) => extreme(scan, &check.measure, *ends, context.now),
            Tally::Nothing | Tally::Count(_) | Tally::Moments(_) | Tally::Extremes(None) => {
                nothing("there are no values")
            }
        },
        CheckKind::Quantile(_, quantile) => {
            let numbers = collections.into_iter().filter_map(|collection| match collection {
                Collection::Numbers(numbers) => Some(numbers),
                Collection::Nothing | Collection::Keys(_) => None,
            });
            let mut numbers: Vec<Numbers> = numbers.collect();
            nearest_rank(&mut numbers, *quantile)?.map_or(nothing("there are no values"), Measured::Real)
        }
    };
    Ok(bounded(scan, check, &measured))
}

fn share(count: u64, rows: u64) -> Measured {
    if rows == 0 {
        return nothing("there are no rows");
    }
    Measured::Real(count as f64 / rows as f64)
}

fn moment(kind: &CheckKind, moments: &Moments) -> Measured {
    if matches!(kind, CheckKind::Sum(_)) {
        // The sum of no values is zero, as a reader expects, unlike their mean.
        return moments.whole_sum.map_or(Measured::Real(moments.sum), Measured::Whole);
    }
    if moments.count == 0 {
        return nothing("there are no values");
    }
    if matches!(kind, CheckKind::Mean(_)) {
        return Measured::Real(moments.mean);
    }
    moments
        .deviation()
        .map_or(nothing("there are fewer than two values"), Measured::Real)
}

fn extreme(scan: &Scan<'_>, kind: &CheckKind, ends: (Extreme, Extreme), now: jiff::Timestamp) -> Measured {
    let measured = |end: Extreme| match end {
        Extreme::Whole(value) => Measured::Whole(i128::from(value)),
        Extreme::Real(value) => Measured::Real(value),
    };
    if let CheckKind::Freshness(column) = kind {
        let Extreme::Whole(newest) = ends.1 else {
            return nothing("there are no times");
        };
        let newest = i128::from(newest);
        let newest = if type_of(scan, column) == Some(ArrowType::Date32) {
            newest * 86_400_000
        } else {
            newest.div_euclid(1_000)
        };
        return Measured::Whole(i128::from(now.as_millisecond()) - newest);
    }
    measured(if matches!(kind, CheckKind::Minimum(_)) {
        ends.0
    } else {
        ends.1
    })
}

fn type_of(scan: &Scan<'_>, column: &str) -> Option<ArrowType> {
    layout::arrow_type(&scan.schema.column(column)?.ty, column).ok()
}

const fn nothing(why: &'static str) -> Measured {
    Measured::Nothing(Cow::Borrowed(why))
}

/// The first champion has nothing before it; what it was made from is the baseline of what follows.
fn without_baseline(check: &Check, why: &str) -> Finding {
    Finding {
        text: check.text.clone(),
        verdict: Verdict::Pass,
        told: why.to_owned(),
        record: json!({ "check": check.text, "passed": true, "note": why }),
        check: true,
    }
}

/// Holds the measured number against the bounds of its check.
fn bounded(scan: &Scan<'_>, check: &Check, measured: &Measured) -> Finding {
    let shown = shown(scan, check, measured);
    let (verdict, told, value) = match measured {
        Measured::Nothing(why) => (Verdict::InsufficientData, format!("cannot be told: {why}."), Json::Null),
        Measured::Whole(_) | Measured::Real(_) => {
            let holds = check
                .minimum
                .as_ref()
                .is_none_or(|bound| is_within(measured, bound, std::cmp::Ordering::Greater))
                && check
                    .maximum
                    .as_ref()
                    .is_none_or(|bound| is_within(measured, bound, std::cmp::Ordering::Less));
            let verdict = if holds { Verdict::Pass } else { Verdict::Fail };
            let value = match measured {
                Measured::Whole(value) => {
                    i64::try_from(*value).map_or_else(|_| json!(*value as f64), |value| json!(value))
                }
                Measured::Real(value) => json!(value),
                Measured::Nothing(_) => Json::Null,
            };
            (verdict, format!("it is {shown}."), value)
        }
    };
    Finding {
        text: check.text.clone(),
        verdict,
        record: json!({
            "check": check.text,
            "passed": verdict == Verdict::Pass,
            "verdict": verdict,
            "value": value,
            "shown": shown,
        }),
        told,
        check: true,
    }
}

/// Whether a number lies on the given side of a bound, or on it where that is allowed.
fn is_within(measured: &Measured, bound: &Bound, side: std::cmp::Ordering) -> bool {
    let order = match (measured, instants::whole(&bound.value)) {
        (Measured::Whole(value), Some(limit)) => Some(value.cmp(&i128::from(limit))),
        (Measured::Whole(value), None) => {
            instants::real(&bound.value).and_then(|limit| (*value as f64).partial_cmp(&limit))
        }
        (Measured::Real(value), _) => instants::real(&bound.value).and_then(|limit| value.partial_cmp(&limit)),
        (Measured::Nothing(_), _) => None,
    };
    order.is_some_and(|order| order == side || (bound.inclusive && order.is_eq()))
}

/// A measured number in the unit of its check.
fn shown(scan: &Scan<'_>, check: &Check, measured: &Measured) -> String {
    let column = match &check.measure {
        CheckKind::NullRate(_) | CheckKind::Share(_) => {
            return match measured {
                Measured::Real(value) => percent_text(*value),
                Measured::Whole(_) | Measured::Nothing(_) => "unknown".to_owned(),
            };
        }
        CheckKind::Freshness(_) => None,
        CheckKind::Minimum(column)
        | CheckKind::Maximum(column)
        | CheckKind::Mean(column)
        | CheckKind::StandardDeviation(column)
        | CheckKind::Sum(column)
        | CheckKind::Quantile(column, _) => type_of(scan, column),
        CheckKind::Drift { .. } => Some(ArrowType::Float64),
        CheckKind::Rows | CheckKind::Unique(_) | CheckKind::Distinct(_) => Some(ArrowType::Int64),
    };
    let whole = match measured {
        Measured::Whole(value) => i64::try_from(*value).ok(),
        Measured::Real(value) => Some(value.round() as i64),
        Measured::Nothing(_) => return "unknown".to_owned(),
    };
    match (column, measured, whole) {
        (None | Some(ArrowType::Duration(TimeUnit::Millisecond)), _, Some(value)) => duration::text(value),
        (Some(ArrowType::Date32), _, Some(value)) => cell::date_text(i32::try_from(value).unwrap_or(i32::MAX)),
        (Some(ArrowType::Timestamp(..)), _, Some(value)) => cell::datetime_text(value),
        (_, Measured::Whole(value), _) => value.to_string(),
        (_, Measured::Real(value), _) => significant(*value),
        (_, Measured::Nothing(_), _) => "unknown".to_owned(),
    }
}

/// A float to six significant digits.
fn significant(value: f64) -> String {
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    cell::float_text(rounded)
}

/// A share as a percentage, to four significant digits, but never rounded to the other side of nothing or all.
fn percent_text(share: f64) -> String {
    let rounded: f64 = format!("{:.3e}", share * 100.0).parse().unwrap_or(share * 100.0);
    format!("{rounded}%")
}

fn percent(count: u64, rows: u64) -> String {
    if rows == 0 {
        "0%".to_owned()
    } else {
        percent_text(count as f64 / rows as f64)
    }
}
