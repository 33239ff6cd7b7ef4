//! What table-level checks measure: counts, moments, extremes, collections of keys and numbers. Each part of a file is
//! measured on its own, and parts are put together in the order of the file, so the result depends on neither the number
//! of threads nor their pace.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "Arrow has forty types, the language a few"
)]

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType as ArrowType, Date32Type, DurationMillisecondType, Float64Type, Int64Type, TimestampMicrosecondType,
};
use camino::Utf8Path;
use mlp::plan::{Check, CheckKind, Expression};

use crate::data::dataset::Batch;
use crate::data::expression::{Scope, columns_read, evaluate};
use crate::data::keys::{Keys, fingerprints};
use crate::data::numbers::Numbers;
use crate::data::secret::HashKey;
use crate::operations::{OperationError, misbuilt};

/// One thing to measure over the rows.
pub(super) enum Measure<'a> {
    /// Known without reading rows, or not measured here.
    Nothing,
    /// Absent values of a column.
    Absent(&'a str),
    /// Rows for which a condition holds.
    Share(&'a str, &'a Expression),
    /// Count, sum, mean and squared deviations of a column.
    Moments(&'a str),
    /// Smallest and largest of a column.
    Extremes(&'a str),
    /// Every present key.
    Keys(Vec<&'a str>),
    /// Every present number.
    Numbers(&'a str),
}

/// What was measured of a part of the rows.
#[derive(Clone, Debug)]
pub(super) enum Tally {
    Nothing,
    Count(u64),
    Moments(Moments),
    Extremes(Option<(Extreme, Extreme)>),
}

/// An end of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) enum Extreme {
    /// Of ints, dates, datetimes, durations.
    Whole(i64),
    /// Of floats.
    Real(f64),
}

/// Moments that can be put together (Chan, Golub and LeVeque 1979).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moments {
    pub(super) count: u64,
    pub(super) sum: f64,
    /// The sum of ints, exact.
    pub(super) whole_sum: Option<i128>,
    pub(super) mean: f64,
    /// The sum of squared deviations from the mean.
    squares: f64,
}

/// What grows with the rows: keys and numbers, of all parts that one thread has seen.
pub(super) enum Collection {
    Nothing,
    Keys(Keys),
    Numbers(Numbers),
}

impl<'a> Measure<'a> {
    /// What a check needs measured.
    pub(super) fn of(check: &'a Check) -> Self {
        match &check.measure {
            CheckKind::Rows | CheckKind::Drift { .. } => Self::Nothing,
            CheckKind::Unique(columns) => Self::Keys(columns.iter().map(String::as_str).collect()),
            CheckKind::Distinct(column) => Self::Keys(vec![column]),
            CheckKind::NullRate(column) => Self::Absent(column),
            CheckKind::Mean(column) | CheckKind::StandardDeviation(column) | CheckKind::Sum(column) => {
                Self::Moments(column)
            }
            CheckKind::Minimum(column) | CheckKind::Maximum(column) | CheckKind::Freshness(column) => {
                Self::Extremes(column)
            }
            CheckKind::Quantile(column, _) => Self::Numbers(column),
            CheckKind::Share(condition) => Self::Share(&check.text, condition),
        }
    }

    /// The columns it reads.
    pub(super) fn columns(&self) -> Vec<&'a str> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Absent(column) | Self::Moments(column) | Self::Extremes(column) | Self::Numbers(column) => {
                vec![column]
            }
            Self::Share(_, condition) => columns_read(condition),
            Self::Keys(columns) => columns.clone(),
        }
    }

    /// Whether what it collects grows with the rows.
    pub(super) fn grows(&self) -> bool {
        matches!(self, Self::Keys(_) | Self::Numbers(_))
    }

    /// An empty tally.
    pub(super) fn tally(&self) -> Tally {
        match self {
            Self::Nothing | Self::Keys(_) | Self::Numbers(_) => Tally::Nothing,
            Self::Absent(_) | Self::Share(..) => Tally::Count(0),
            Self::Moments(_) => Tally::Moments(Moments::default()),
            Self::Extremes(_) => Tally::Extremes(None),
        }
    }

    /// An empty collection with room for `budget` entries in memory.
    pub(super) fn collection(&self, expected: usize, budget: usize, folder: &Utf8Path) -> Collection {
        match self {
            Self::Nothing | Self::Absent(_) | Self::Share(..) | Self::Moments(_) | Self::Extremes(_) => {
                Collection::Nothing
            }
            Self::Keys(_) => Collection::Keys(Keys::new(expected, budget, folder.to_owned())),
            Self::Numbers(_) => Collection::Numbers(Numbers::new(budget, folder.to_owned())),
        }
    }

    /// Adds a batch.
    pub(super) fn add(
        &self,
        batch: &Batch,
        key: &HashKey,
        tally: &mut Tally,
        collection: &mut Collection,
    ) -> Result<(), OperationError> {
        let records = &batch.records;
        match (self, tally, collection) {
            (Self::Absent(column), Tally::Count(count), _) => *count += named(records, column)?.null_count() as u64,
            (Self::Share(text, condition), Tally::Count(count), _) => {
                let scope = Scope {
                    records,
                    first_row: batch.first_row,
                    values: &BTreeMap::new(),
                    key,
                };
                let holds = evaluate(condition, &scope)
                    .map_err(|error| error.into_operation_error(&format!("The check `{text}`")))?;
                *count += holds.as_boolean_opt().map_or(0, |holds| holds.true_count() as u64);
            }
            (Self::Moments(column), Tally::Moments(moments), _) => {
                moments.merge(&Moments::of(named(records, column)?)?)
            }
            (Self::Extremes(column), Tally::Extremes(extremes), _) => {
                merge_extremes(extremes, extremes_of(named(records, column)?));
            }
            (Self::Keys(columns), _, Collection::Keys(keys)) => {
                let columns = columns
                    .iter()
                    .map(|column| named(records, column))
                    .collect::<Result<Vec<_>, _>>()?;
                keys.extend(fingerprints(&columns).into_iter())?;
            }
            (Self::Numbers(column), _, Collection::Numbers(numbers)) => {
                let floats = floats(named(records, column)?)?;
                numbers.extend(floats.as_primitive::<Float64Type>().iter().flatten())?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn named<'a>(records: &'a RecordBatch, column: &str) -> Result<&'a ArrayRef, OperationError> {
    records.column_by_name(column).ok_or_else(|| OperationError::Input {
        summary: format!("A check reads the column `{column}`, which was not read."),
        help: "The plan does not fit this version of mlp; build it again.".to_owned(),
    })
}

/// Numbers of a column; those below a date, time or duration for these.
pub(super) fn floats(array: &ArrayRef) -> Result<ArrayRef, OperationError> {
    let whole = match array.data_type() {
        ArrowType::Float64 | ArrowType::Int64 => array.clone(),
        ArrowType::Date32 => cast(array, &ArrowType::Int32).map_err(misbuilt)?,
        _ => cast(array, &ArrowType::Int64).map_err(misbuilt)?,
    };
    cast(&whole, &ArrowType::Float64).map_err(misbuilt)
}

impl Moments {
    fn of(array: &ArrayRef) -> Result<Self, OperationError> {
        let whole_sum = array
            .as_primitive_opt::<Int64Type>()
            .map(|ints| ints.iter().flatten().map(i128::from).sum());
        let floats = floats(array)?;
        let floats = floats.as_primitive::<Float64Type>();
        let count = (floats.len() - floats.null_count()) as u64;
        let (sum, mean, squares) = if floats.null_count() == 0 {
            moments_of(floats.values().iter().copied(), count)
        } else {
            moments_of(floats.iter().flatten(), count)
        };
        Ok(Self {
            count,
            sum,
            whole_sum,
            mean,
            squares,
        })
    }

    /// Adds the moments of later rows.
    pub(super) fn merge(&mut self, later: &Self) {
        if later.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *later;
            return;
        }
        let (own, other) = (self.count as f64, later.count as f64);
        let difference = later.mean - self.mean;
        self.count += later.count;
        self.sum += later.sum;
        self.whole_sum = self
            .whole_sum
            .zip(later.whole_sum)
            .and_then(|(own, other)| own.checked_add(other));
        self.mean += difference * other / (own + other);
        self.squares += later.squares + difference * difference * own * other / (own + other);
    }

    /// The sample standard deviation; nothing for fewer than two values.
    pub(super) fn deviation(&self) -> Option<f64> {
        (self.count > 1).then(|| (self.squares / (self.count - 1) as f64).sqrt())
    }
}

fn moments_of(values: impl Iterator<Item = f64> + Clone, count: u64) -> (f64, f64, f64) {
    if count == 0 {
        return (0.0, 0.0, 0.0);
    }
    let sum: f64 = values.clone().sum();
    let mean = sum / count as f64;
    let squares = values.map(|value| (value - mean) * (value - mean)).sum();
    (sum, mean, squares)
}

fn extremes_of(array: &ArrayRef) -> Option<(Extreme, Extreme)> {
    fn ends<T: Copy + PartialOrd>(values: impl Iterator<Item = T>) -> Option<(T, T)> {
        values.fold(None, |ends, value| match ends {
            None => Some((value, value)),
            Some((low, high)) => Some((
                if value < low { value } else { low },
                if value > high { value } else { high },
            )),
        })
    }
    let whole = match array.data_type() {
        ArrowType::Float64 => {
            let floats = array
                .as_primitive::<Float64Type>()
                .iter()
                .flatten()
                .filter(|value| !value.is_nan());
            return ends(floats).map(|(low, high)| (Extreme::Real(low), Extreme::Real(high)));
        }
        ArrowType::Int64 => ends(array.as_primitive::<Int64Type>().iter().flatten()),
        ArrowType::Date32 => ends(array.as_primitive::<Date32Type>().iter().flatten().map(i64::from)),
        ArrowType::Timestamp(..) => ends(array.as_primitive::<TimestampMicrosecondType>().iter().flatten()),
        ArrowType::Duration(_) => ends(array.as_primitive::<DurationMillisecondType>().iter().flatten()),
        _ => None,
    };
    whole.map(|(low, high)| (Extreme::Whole(low), Extreme::Whole(high)))
}

fn merge_extremes(own: &mut Option<(Extreme, Extreme)>, later: Option<(Extreme, Extreme)>) {
    *own = match (*own, later) {
        (Some((low, high)), Some((lower, higher))) => Some((
            if lower < low { lower } else { low },
            if higher > high { higher } else { high },
        )),
        (own, later) => own.or(later),
    };
}

impl Tally {
    /// Adds that of later rows.
    pub(super) fn merge(&mut self, later: &Self) {
        match (self, later) {
            (Self::Count(own), Self::Count(later)) => *own += later,
            (Self::Moments(own), Self::Moments(later)) => own.merge(later),
            (Self::Extremes(own), Self::Extremes(later)) => merge_extremes(own, *later),
            (Self::Nothing | Self::Count(_) | Self::Moments(_) | Self::Extremes(_), _) => {}
        }
    }
}
