//! The order of values and the ranges that refinements describe. No message is made here.

use std::cmp::Ordering;

use super::{Bound, DataKind, DataType, Refinement, Value};

impl Value {
    /// Compares two values of one ordered kind; an integer and a float compare as numbers. Nothing for kinds without an
    /// order, for different kinds, and for money of different currencies.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) | (Self::Duration(left), Self::Duration(right)) => {
                Some(left.cmp(right))
            }
            (Self::Size(left), Self::Size(right)) => Some(left.cmp(right)),
            (Self::Date(left), Self::Date(right)) => Some(left.cmp(right)),
            (Self::Datetime(left), Self::Datetime(right)) => compare_times(left, right),
            (
                Self::Money { amount, currency },
                Self::Money {
                    amount: other_amount,
                    currency: other_currency,
                },
            ) => (currency == other_currency).then(|| amount.cmp(other_amount)),
            (left, right) => left.as_number()?.partial_cmp(&right.as_number()?),
        }
    }

    /// The value as a float, for an integer or a float.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "numbers meet as 64-bit floats")]
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            Self::None
            | Self::Bool(_)
            | Self::String(_)
            | Self::Date(_)
            | Self::Datetime(_)
            | Self::Duration(_)
            | Self::Size(_)
            | Self::Money { .. }
            | Self::Enum(_)
            | Self::List(_)
            | Self::Map(_) => None,
        }
    }
}

fn compare_times(left: &str, right: &str) -> Option<Ordering> {
    let left: jiff::Timestamp = left.parse().ok()?;
    let right: jiff::Timestamp = right.parse().ok()?;
    Some(left.cmp(&right))
}

/// The values between two bounds; an absent bound is open.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Range {
    /// Lower bound.
    pub minimum: Option<Bound>,
    /// Upper bound.
    pub maximum: Option<Bound>,
}

impl Range {
    /// Whether `value` lies in the range; a value that cannot be compared does not.
    #[must_use]
    pub fn holds(&self, value: &Value) -> bool {
        let above = |bound: &Bound| match value.compare(&bound.value) {
            Some(Ordering::Greater) => true,
            Some(Ordering::Equal) => bound.inclusive,
            Some(Ordering::Less) | None => false,
        };
        let below = |bound: &Bound| match value.compare(&bound.value) {
            Some(Ordering::Less) => true,
            Some(Ordering::Equal) => bound.inclusive,
            Some(Ordering::Greater) | None => false,
        };
        self.minimum.as_ref().is_none_or(above) && self.maximum.as_ref().is_none_or(below)
    }

    /// Whether no value can lie in the range. Between integers nothing lies between 1 and 2.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let whole = self.whole();
        let (Some(minimum), Some(maximum)) = (&whole.minimum, &whole.maximum) else {
            return false;
        };
        match minimum.value.compare(&maximum.value) {
            Some(Ordering::Less) => false,
            Some(Ordering::Equal) => !(minimum.inclusive && maximum.inclusive),
            Some(Ordering::Greater) | None => true,
        }
    }

    /// Whether every value of this range lies in `other`.
    #[must_use]
    pub fn within(&self, other: &Self) -> bool {
        let (own, other) = (self.whole(), other.whole());
        let end = |own: &Option<Bound>, other: &Option<Bound>, inside: Ordering| match (own, other) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(other)) => match own.value.compare(&other.value) {
                Some(Ordering::Equal) => other.inclusive || !own.inclusive,
                Some(order) => order == inside,
                None => false,
            },
        };
        end(&own.minimum, &other.minimum, Ordering::Greater) && end(&own.maximum, &other.maximum, Ordering::Less)
    }

    /// The values in both.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self {
            minimum: tighter(self.minimum, other.minimum, Ordering::Greater),
            maximum: tighter(self.maximum, other.maximum, Ordering::Less),
        }
    }

    /// The same range of integers with its ends included, so that `> 0` and `>= 1` are one; any other kind is kept.
    fn whole(&self) -> Self {
        let step = |bound: &Bound, by: i64| match (&bound.value, bound.inclusive) {
            (Value::Int(value), false) => value.checked_add(by).map_or_else(
                || bound.clone(),
                |value| Bound {
                    value: Value::Int(value),
                    inclusive: true,
                },
            ),
            _ => bound.clone(),
        };
        Self {
            minimum: self.minimum.as_ref().map(|bound| step(bound, 1)),
            maximum: self.maximum.as_ref().map(|bound| step(bound, -1)),
        }
    }
}

fn tighter(left: Option<Bound>, right: Option<Bound>, wins: Ordering) -> Option<Bound> {
    let (left, right) = match (left, right) {
        (Some(left), Some(right)) => (left, right),
        (one, other) => return one.or(other),
    };
    match left.value.compare(&right.value) {
        Some(Ordering::Equal) => Some(if left.inclusive { right } else { left }),
        Some(order) if order == wins => Some(left),
        Some(_) | None => Some(right),
    }
}

impl DataType {
    /// Everything that the range refinements allow together.
    #[must_use]
    pub fn range(&self) -> Range {
        let ranges = self.refinements.iter().filter_map(|refinement| match refinement {
            Refinement::Range { minimum, maximum } => Some(Range {
                minimum: minimum.clone(),
                maximum: maximum.clone(),
            }),
            Refinement::Matches(_) | Refinement::Length { .. } => None,
        });
        ranges.fold(Range::default(), Range::intersection)
    }

    /// How many items or characters the length refinements allow together; no upper end when nothing bounds it.
    #[must_use]
    pub fn length(&self) -> (u64, Option<u64>) {
        let lengths = self.refinements.iter().filter_map(|refinement| match refinement {
            Refinement::Length { minimum, maximum } => Some((*minimum, *maximum)),
            Refinement::Matches(_) | Refinement::Range { .. } => None,
        });
        lengths.fold((0, None), |(low, high), (minimum, maximum)| {
            let high = match (high, maximum) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
            (low.max(minimum), high)
        })
    }

    /// The regular expressions that a text must match.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.refinements.iter().filter_map(|refinement| match refinement {
            Refinement::Matches(pattern) => Some(pattern.as_str()),
            Refinement::Range { .. } | Refinement::Length { .. } => None,
        })
    }

    /// The same type for values that may be absent.
    #[must_use]
    pub fn or_absent(mut self, optional: bool) -> Self {
        self.optional |= optional;
        self
    }

    /// Whether values are integers or floats.
    #[must_use]
    pub fn is_number(&self) -> bool {
        matches!(self.kind, DataKind::Int | DataKind::Float)
    }
}

#[cfg(test)]
mod tests {
    use super::Range;
    use crate::types::{Bound, Value};

    fn range(minimum: Option<(i64, bool)>, maximum: Option<(i64, bool)>) -> Range {
        let bound = |(value, inclusive)| Bound {
            value: Value::Int(value),
            inclusive,
        };
        Range {
            minimum: minimum.map(bound),
            maximum: maximum.map(bound),
        }
    }

    #[test]
    fn integers_above_zero_are_integers_from_one() {
        assert!(range(Some((0, false)), None).within(&range(Some((1, true)), None)));
        assert!(range(Some((1, true)), None).within(&range(Some((0, false)), None)));
        assert!(range(Some((1, false)), Some((2, false))).is_empty());
    }

    #[test]
    fn an_open_end_is_wider_than_any_bound() {
        assert!(!range(None, Some((5, true))).within(&range(Some((0, true)), Some((5, true)))));
        assert!(range(Some((0, true)), Some((5, true))).within(&range(None, Some((5, true)))));
    }
}
