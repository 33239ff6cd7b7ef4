//! The constraints of a schema's columns, and the rows that break them. Uniqueness is not here, nor is anything about
//! the table as a whole.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "Arrow has forty types, the language a few"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayData, ArrayRef, AsArray, UInt64Array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::take;
use arrow::datatypes::{
    DataType as ArrowType, Date32Type, DurationMillisecondType, Float64Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use mlp::types::{Bound, Column, DataKind, DataType, EnumType, Refinement, Schema, Value};
use regex::Regex;

use crate::data::{cell, instants, words};
use crate::operations::OperationError;

/// How many examples a violated constraint shows.
const EXAMPLES: usize = 5;

/// A condition on every value of a column, or of something inside it.
pub(super) struct Constraint {
    /// The column of the schema.
    pub(super) column: String,
    /// What it says: `age in 18..=100`.
    pub(super) text: String,
    /// What a reader may do about it, where there is more to say than the text.
    pub(super) help: Option<String>,
    /// Whether examples may not be shown: the column is personal.
    hidden: bool,
    path: Vec<Inside>,
    test: Test,
}

/// A way into a nested value.
#[derive(Clone)]
enum Inside {
    Items,
    Values,
    Field(usize),
}

enum Test {
    Present,
    Number,
    Whole(Range<i64>),
    Real(Range<f64>),
    Matches(Regex),
    Length { minimum: u64, maximum: u64 },
    Member(BTreeSet<String>),
}

struct Range<T> {
    low: Option<(T, bool)>,
    high: Option<(T, bool)>,
}

/// The rows that break a constraint.
#[derive(Clone, Debug, Default)]
pub(super) struct Violations {
    /// How many values.
    pub(super) count: u64,
    /// The first few: the row, from 1, and the value.
    pub(super) examples: Vec<(u64, String)>,
}

/// Checks one constraint, batch after batch; remembers what it found out about a dictionary.
pub(super) struct Checker<'a> {
    constraint: &'a Constraint,
    dictionary: Option<(ArrayData, Vec<bool>)>,
}

/// The constraints of a schema, in the order of its columns.
///
/// # Errors
/// When a pattern is no regular expression.
pub(super) fn constraints(schema: &Schema) -> Result<Vec<Constraint>, OperationError> {
    let mut all = Vec::new();
    for column in &schema.columns {
        collect(column, &column.ty, &column.name, &[], &mut all)?;
    }
    Ok(all)
}

fn collect(
    column: &Column,
    ty: &DataType,
    name: &str,
    path: &[Inside],
    all: &mut Vec<Constraint>,
) -> Result<(), OperationError> {
    let mut add = |text: String, help: Option<String>, test: Test| {
        all.push(Constraint {
            column: column.name.clone(),
            text,
            help,
            hidden: column.has_tag("pii"),
            path: path.to_vec(),
            test,
        });
    };
    if !ty.optional {
        add(format!("{name} is never absent"), None, Test::Present);
    }
    for refinement in &ty.refinements {
        let (text, test) = refined(name, &ty.kind, refinement)?;
        add(text, None, test);
    }
    let inside = |step: Inside| path.iter().cloned().chain([step]).collect::<Vec<_>>();
    match &ty.kind {
        DataKind::Float => add(
            format!("{name} is a number"),
            Some("NaN is no value; write an absent one.".into()),
            Test::Number,
        ),
        DataKind::Enum(of) => {
            let texts: BTreeSet<String> = of.variants.iter().map(|variant| variant.text.clone()).collect();
            add(format!("{name} is one of {}", variants(of)), None, Test::Member(texts));
        }
        DataKind::List(of) => collect(column, of, &format!("{name}[]"), &inside(Inside::Items), all)?,
        DataKind::Map(of) => collect(column, of, &format!("{name}[]"), &inside(Inside::Values), all)?,
        DataKind::Record(of) => {
            for (index, field) in of.fields.iter().enumerate() {
                collect(
                    column,
                    &field.ty,
                    &format!("{name}.{}", field.name),
                    &inside(Inside::Field(index)),
                    all,
                )?;
            }
        }
        DataKind::Bool
        | DataKind::Int
        | DataKind::String
        | DataKind::Date
        | DataKind::Datetime
        | DataKind::Duration
        | DataKind::Size
        | DataKind::Money => {}
    }
    Ok(())
}

fn variants(of: &EnumType) -> String {
    let texts: Vec<String> = of
        .variants
        .iter()
        .take(20)
        .map(|variant| words::quoted(&variant.text))
        .collect();
    let more = of.variants.len().saturating_sub(20);
    if more > 0 {
        format!("{} and {more} more", texts.join(", "))
    } else {
        texts.join(", ")
    }
}

fn refined(name: &str, kind: &DataKind, refinement: &Refinement) -> Result<(String, Test), OperationError> {
    Ok(match refinement {
        Refinement::Range { minimum, maximum } => {
            let text = instants::range_text(name, minimum.as_ref(), maximum.as_ref());
            let test = if matches!(kind, DataKind::Float) {
                Test::Real(range(minimum.as_ref(), maximum.as_ref(), instants::real)?)
            } else {
                Test::Whole(range(minimum.as_ref(), maximum.as_ref(), instants::whole)?)
            };
            (text, test)
        }
        Refinement::Matches(pattern) => {
            let regex = Regex::new(pattern).map_err(|error| OperationError::Input {
                summary: format!(
                    "The pattern {} of `{name}` is no regular expression.",
                    words::quoted(pattern)
                ),
                help: error.to_string(),
            })?;
            (
                format!("{name} matches {}", words::quoted(pattern)),
                Test::Matches(regex),
            )
        }
        Refinement::Length { minimum, maximum } => {
            let end = maximum.map_or(String::new(), |maximum| format!("={maximum}"));
            let test = Test::Length {
                minimum: *minimum,
                maximum: maximum.unwrap_or(u64::MAX),
            };
            (format!("{name} length {minimum}..{end}"), test)
        }
    })
}

fn range<T>(
    low: Option<&Bound>,
    high: Option<&Bound>,
    read: fn(&Value) -> Option<T>,
) -> Result<Range<T>, OperationError> {
    let end = |bound: Option<&Bound>| {
        let read = |bound: &Bound| match read(&bound.value) {
            Some(value) => Ok((value, bound.inclusive)),
            None => Err(OperationError::Input {
                summary: format!("{} bounds no column.", instants::value_text(&bound.value)),
                help: "The plan does not fit this version of mlp; build it again.".to_owned(),
            }),
        };
        bound.map(read).transpose()
    };
    Ok(Range {
        low: end(low)?,
        high: end(high)?,
    })
}

impl<T: PartialOrd + Copy> Range<T> {
    #[inline]
    fn holds(&self, value: T) -> bool {
        self.low
            .is_none_or(|(low, inclusive)| value > low || (inclusive && value == low))
            && self
                .high
                .is_none_or(|(high, inclusive)| value < high || (inclusive && value == high))
    }

    /// The places of a column that are outside, absent ones not looked at. Without a branch in the loop, for it runs over
    /// every value of the file.
    fn outside(&self, values: &[T], array: &dyn Array) -> Option<BooleanBuffer> {
        if values.iter().fold(true, |all, value| all & self.holds(*value)) {
            return None;
        }
        Some(BooleanBuffer::collect_bool(values.len(), |row| {
            array.is_valid(row) && !self.holds(values[row])
        }))
    }
}

impl Constraint {
    /// Whether only absence is asked about, so that the values need not be read where a file tells how many are absent.
    pub(super) fn is_presence(&self) -> bool {
        matches!(self.test, Test::Present) && self.path.is_empty()
    }
}

impl Violations {
    /// Adds those of a later part of the file.
    pub(super) fn merge(&mut self, later: &Self) {
        self.count += later.count;
        let room = EXAMPLES.saturating_sub(self.examples.len());
        self.examples.extend(later.examples.iter().take(room).cloned());
    }
}

impl<'a> Checker<'a> {
    pub(super) fn new(constraint: &'a Constraint) -> Self {
        Self {
            constraint,
            dictionary: None,
        }
    }

    /// Looks at the rows of a batch, of which the first has this place in the file.
    pub(super) fn check(&mut self, array: &ArrayRef, first_row: u64, violations: &mut Violations) {
        if self.constraint.path.is_empty() {
            self.note(array, |index| first_row + index as u64 + 1, violations);
        } else {
            let (array, rows) = resolve(array, &self.constraint.path);
            self.note(
                &array,
                |index| first_row + rows.get(index).copied().unwrap_or(0) + 1,
                violations,
            );
        }
    }

    fn note(&mut self, array: &ArrayRef, number: impl Fn(usize) -> u64, violations: &mut Violations) {
        let Some(broken) = self.broken(array) else {
            return;
        };
        violations.count += broken.count_set_bits() as u64;
        let room = EXAMPLES.saturating_sub(violations.examples.len());
        for index in broken.set_indices().take(room) {
            let value = if self.constraint.hidden {
                "(personal data, not shown)".to_owned()
            } else {
                self.constraint.test.shown(array, index)
            };
            violations.examples.push((number(index), value));
        }
    }

    /// The places that break the constraint; nothing when none does.
    fn broken(&mut self, array: &ArrayRef) -> Option<BooleanBuffer> {
        let rows = array.len();
        match &self.constraint.test {
            Test::Present => {
                let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0)?;
                Some(BooleanBuffer::collect_bool(rows, |row| nulls.is_null(row)))
            }
            Test::Number => {
                let values = array.as_primitive_opt::<Float64Type>()?.values();
                if !values.iter().fold(false, |any, value| any | value.is_nan()) {
                    return None;
                }
                Some(BooleanBuffer::collect_bool(rows, |row| {
                    array.is_valid(row) && values[row].is_nan()
                }))
            }
            Test::Real(range) => range.outside(array.as_primitive_opt::<Float64Type>()?.values(), array),
            Test::Whole(range) => outside_whole(range, array),
            Test::Length { minimum, maximum } => {
                let fits = |length: usize| (*minimum..=*maximum).contains(&(length as u64));
                if let Some(lists) = array.as_list_opt::<i32>() {
                    return Some(BooleanBuffer::collect_bool(rows, |row| {
                        lists.is_valid(row) && !fits(usize::try_from(lists.value_length(row)).unwrap_or(0))
                    }));
                }
                self.broken_texts(array, |text| fits(text.chars().count()))
            }
            Test::Matches(regex) => self.broken_texts(array, |text| regex.is_match(text)),
            Test::Member(texts) => self.broken_texts(array, |text| texts.contains(text)),
        }
    }

    fn broken_texts(&mut self, array: &ArrayRef, holds: impl Fn(&str) -> bool) -> Option<BooleanBuffer> {
        if let Some(texts) = array.as_string_opt::<i32>() {
            let holds = |row| texts.is_null(row) || holds(texts.value(row));
            let broken = BooleanBuffer::collect_bool(texts.len(), |row| !holds(row));
            return (broken.count_set_bits() > 0).then_some(broken);
        }
        if let Some(texts) = array.as_string_view_opt() {
            let holds = |row| texts.is_null(row) || holds(texts.value(row));
            let broken = BooleanBuffer::collect_bool(texts.len(), |row| !holds(row));
            return (broken.count_set_bits() > 0).then_some(broken);
        }
        let dictionary = array.as_dictionary_opt::<Int32Type>()?;
        let data = dictionary.values().to_data();
        let known = self.dictionary.as_ref().is_some_and(|(own, _)| own.ptr_eq(&data));
        if !known {
            let texts = dictionary.values().as_string::<i32>();
            let fits = texts.iter().map(|text| text.is_none_or(&holds)).collect();
            self.dictionary = Some((data, fits));
        }
        let fits = &self.dictionary.as_ref()?.1;
        if fits.iter().all(|fits| *fits) {
            return None;
        }
        let keys = dictionary.keys();
        Some(BooleanBuffer::collect_bool(keys.len(), |row| {
            keys.is_valid(row) && usize::try_from(keys.value(row)).is_ok_and(|key| fits.get(key) == Some(&false))
        }))
    }
}

fn outside_whole(range: &Range<i64>, array: &ArrayRef) -> Option<BooleanBuffer> {
    match array.data_type() {
        ArrowType::Int64 => range.outside(array.as_primitive::<Int64Type>().values(), array),
        ArrowType::Timestamp(..) => range.outside(array.as_primitive::<TimestampMicrosecondType>().values(), array),
        ArrowType::Duration(_) => range.outside(array.as_primitive::<DurationMillisecondType>().values(), array),
        ArrowType::Date32 => {
            let days: Vec<i64> = array
                .as_primitive::<Date32Type>()
                .values()
                .iter()
                .map(|day| i64::from(*day))
                .collect();
            range.outside(&days, array)
        }
        _ => None,
    }
}

impl Test {
    /// A value that breaks the test, with the text that may have been meant.
    fn shown(&self, array: &ArrayRef, index: usize) -> String {
        let Some(text) = cell::present_text(array.as_ref(), index) else {
            return "none".to_owned();
        };
        let is_text = matches!(
            array.data_type(),
            ArrowType::Utf8 | ArrowType::Utf8View | ArrowType::Dictionary(..)
        );
        match self {
            Self::Member(texts) => match words::nearest(&text, texts.iter().map(String::as_str)) {
                Some(near) => format!("{} (is {} meant?)", words::quoted(&text), words::quoted(near)),
                None => words::quoted(&text),
            },
            Self::Present | Self::Number | Self::Whole(_) | Self::Real(_) | Self::Matches(_) | Self::Length { .. } => {
                if is_text {
                    words::quoted(&text)
                } else {
                    text
                }
            }
        }
    }
}

/// What lies at a path inside each row's value, and the rows it lies in.
fn resolve(array: &ArrayRef, path: &[Inside]) -> (ArrayRef, Vec<u64>) {
    let mut array = Arc::clone(array);
    let mut rows: Vec<u64> = (0..array.len() as u64).collect();
    for step in path {
        let (child, extents): (ArrayRef, Vec<std::ops::Range<u64>>) = match step {
            Inside::Field(field) => {
                let Some(record) = array.as_struct_opt() else { break };
                let Some(child) = record.columns().get(*field) else {
                    break;
                };
                (
                    Arc::clone(child),
                    (0..record.len() as u64).map(|row| row..row + 1).collect(),
                )
            }
            Inside::Items => {
                let Some(list) = array.as_list_opt::<i32>() else { break };
                (Arc::clone(list.values()), extents(list.value_offsets()))
            }
            Inside::Values => {
                let Some(map) = array.as_map_opt() else { break };
                (Arc::clone(map.values()), extents(map.value_offsets()))
            }
        };
        let mut places = Vec::new();
        let mut inner = Vec::new();
        for (index, extent) in extents
            .into_iter()
            .enumerate()
            .filter(|(index, _)| array.is_valid(*index))
        {
            inner.extend(extent.clone().map(|_| rows.get(index).copied().unwrap_or(0)));
            places.extend(extent);
        }
        let Ok(taken) = take(&child, &UInt64Array::from(places), None) else {
            break;
        };
        array = taken;
        rows = inner;
    }
    (array, rows)
}

fn extents(offsets: &[i32]) -> Vec<std::ops::Range<u64>> {
    let place = |offset: i32| u64::try_from(offset).unwrap_or(0);
    offsets
        .array_windows()
        .map(|[start, end]| place(*start)..place(*end))
        .collect()
}
