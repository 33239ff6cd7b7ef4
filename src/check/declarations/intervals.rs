//! Arithmetic on ranges of numbers: what is known of a result from what is known of its operands.
//!
//! Ends are 64-bit floats; a range of integers that floats cannot hold exactly is forgotten, never rounded.

use crate::types::{Bound, DataKind, DataType, Refinement, Value};

/// An end of an interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct End {
    at: f64,
    included: bool,
}

/// The numbers between two ends; an absent end is open.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub(crate) struct Interval {
    low: Option<End>,
    high: Option<End>,
}

/// The integers up to here are floats exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Interval {
    /// What a type says about its numbers.
    pub(crate) fn of(ty: &DataType) -> Self {
        let range = ty.range();
        let end = |bound: Option<Bound>| {
            let bound = bound?;
            let at = bound.value.as_number().filter(|at| at.abs() < EXACT)?;
            // Zero has one sign here: `1 / -0.0` would point the wrong way.
            Some(End {
                at: at + 0.0,
                included: bound.inclusive,
            })
        };
        Self {
            low: end(range.minimum),
            high: end(range.maximum),
        }
    }

    /// All numbers from one on.
    pub(crate) fn from(low: f64) -> Self {
        Self::between(low, f64::INFINITY)
    }

    /// The numbers between two, ends included.
    pub(crate) fn between(low: f64, high: f64) -> Self {
        let end = |at: f64| at.is_finite().then_some(End { at, included: true });
        Self {
            low: end(low),
            high: end(high),
        }
    }

    /// The type of the numbers in the interval.
    pub(crate) fn number(self, kind: DataKind) -> DataType {
        let whole = kind == DataKind::Int;
        let bound = |end: Option<End>| {
            let end = end.filter(|end| end.at.is_finite() && (!whole || end.at.abs() < EXACT))?;
            #[expect(clippy::cast_possible_truncation, reason = "integers below 2^53 are exact")]
            let value = if whole {
                Value::Int(end.at as i64)
            } else {
                Value::Float(end.at)
            };
            Some(Bound {
                value,
                inclusive: end.included,
            })
        };
        let (minimum, maximum) = (bound(self.low), bound(self.high));
        let mut ty = DataType::plain(kind);
        if minimum.is_some() || maximum.is_some() {
            ty.refinements.push(Refinement::Range { minimum, maximum });
        }
        ty
    }

    /// Whether 0 lies outside.
    pub(crate) fn excludes_zero(self) -> bool {
        self.above(0.0)
            || self
                .high
                .is_some_and(|high| high.at < 0.0 || (high.at == 0.0 && !high.included))
    }

    /// Whether every number is above `limit`.
    pub(crate) fn above(self, limit: f64) -> bool {
        self.low
            .is_some_and(|low| low.at > limit || (low.at == limit && !low.included))
    }

    /// Whether every number is `limit` or above.
    pub(crate) fn at_least(self, limit: f64) -> bool {
        self.low.is_some_and(|low| low.at >= limit)
    }

    /// Whether every number is `limit` or below.
    pub(crate) fn at_most(self, limit: f64) -> bool {
        self.high.is_some_and(|high| high.at <= limit)
    }

    pub(crate) fn negated(self) -> Self {
        let flip = |end: Option<End>| {
            end.map(|end| End {
                at: 0.0 - end.at,
                ..end
            })
        };
        Self {
            low: flip(self.high),
            high: flip(self.low),
        }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        let add = |one: Option<End>, other: Option<End>| {
            let (one, other) = (one?, other?);
            Some(End {
                at: one.at + other.at,
                included: one.included && other.included,
            })
        };
        Self {
            low: add(self.low, other.low),
            high: add(self.high, other.high),
        }
    }

    pub(crate) fn times(self, other: Self) -> Self {
        self.corners(
            other,
            |one, other| if one == 0.0 || other == 0.0 { 0.0 } else { one * other },
        )
    }

    /// The quotient, for a divisor that excludes 0.
    pub(crate) fn over(self, other: Self) -> Self {
        if !other.excludes_zero() {
            return Self::default();
        }
        if other.at_most(0.0) {
            return self.negated().over(other.negated());
        }
        self.corners(other, |one, other| if one == 0.0 { 0.0 } else { one / other })
    }

    /// The span of an operation that is monotone in each operand, from its values at the corners. An end that is not
    /// known is infinite; a corner that is no number leaves everything open.
    fn corners(self, other: Self, operation: impl Fn(f64, f64) -> f64) -> Self {
        let ends = |interval: Self| {
            let open = |at| End { at, included: false };
            [
                interval.low.unwrap_or(open(f64::NEG_INFINITY)),
                interval.high.unwrap_or(open(f64::INFINITY)),
            ]
        };
        let mut low: Option<End> = None;
        let mut high: Option<End> = None;
        for one in ends(self) {
            for two in ends(other) {
                let at = operation(one.at, two.at);
                if at.is_nan() {
                    return Self::default();
                }
                // A product with an included zero is zero, however open the other end is.
                let zero = (one.at == 0.0 && one.included) || (two.at == 0.0 && two.included);
                let corner = End {
                    at,
                    included: (one.included && two.included) || (at == 0.0 && zero),
                };
                low = Some(low.map_or(corner, |low| outermost(low, corner, |new, old| new < old)));
                high = Some(high.map_or(corner, |high| outermost(high, corner, |new, old| new > old)));
            }
        }
        Self {
            low: low.filter(|end| end.at.is_finite()),
            high: high.filter(|end| end.at.is_finite()),
        }
    }

    /// The values of an increasing function.
    pub(crate) fn increasing(self, function: impl Fn(f64) -> f64) -> Self {
        let apply = |end: Option<End>| {
            let end = end?;
            let at = function(end.at);
            at.is_finite().then_some(End { at, ..end })
        };
        Self {
            low: apply(self.low),
            high: apply(self.high),
        }
    }

    /// The values of a rounding function: ends that were left out can be reached.
    pub(crate) fn rounded(self, function: impl Fn(f64) -> f64) -> Self {
        let closed = |end: Option<End>| end.map(|end| End { included: true, ..end });
        Self {
            low: closed(self.low),
            high: closed(self.high),
        }
        .increasing(function)
    }

    pub(crate) fn absolute(self) -> Self {
        if self.at_least(0.0) {
            return self;
        }
        if self.at_most(0.0) {
            return self.negated();
        }
        let far = match (self.low, self.high) {
            (Some(low), Some(high)) => Some(outermost(End { at: -low.at, ..low }, high, |new, old| new > old)),
            (None, _) | (_, None) => None,
        };
        Self {
            low: Some(End {
                at: 0.0,
                included: true,
            }),
            high: far,
        }
    }

    /// The smallest interval that holds both.
    pub(crate) fn union(self, other: Self) -> Self {
        Self {
            low: self
                .low
                .zip(other.low)
                .map(|(one, two)| outermost(one, two, |new, old| new < old)),
            high: self
                .high
                .zip(other.high)
                .map(|(one, two)| outermost(one, two, |new, old| new > old)),
        }
    }

    /// What the smaller of two numbers can be.
    pub(crate) fn smaller(self, other: Self) -> Self {
        let high = match (self.high, other.high) {
            (Some(one), Some(two)) => Some(outermost(one, two, |new, old| new < old)),
            (one, two) => one.or(two),
        };
        Self {
            low: self.union(other).low,
            high,
        }
    }

    /// What the larger of two numbers can be.
    pub(crate) fn larger(self, other: Self) -> Self {
        self.negated().smaller(other.negated()).negated()
    }
}

/// The end that lies further out; of equal ones, the included.
fn outermost(old: End, new: End, further: impl Fn(f64, f64) -> bool) -> End {
    if further(new.at, old.at) {
        new
    } else if new.at == old.at {
        End {
            included: old.included || new.included,
            ..old
        }
    } else {
        old
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::Interval;
    use crate::types::{DataKind, DataType, Value};

    fn holds(interval: Interval, value: f64) -> bool {
        let ty: DataType = interval.number(DataKind::Float);
        ty.range().holds(&Value::Float(value))
    }

    proptest! {
        #[test]
        fn results_lie_in_the_interval_of_the_result(
            a in -50.0..50.0f64, b in -50.0..50.0f64, c in -50.0..50.0f64, d in -50.0..50.0f64, s in 0.0..=1.0f64, t in 0.0..=1.0f64,
        ) {
            let (one, two) = (Interval::between(a.min(b), a.max(b)), Interval::between(c.min(d), c.max(d)));
            let (x, y) = (a.min(b) + (a.max(b) - a.min(b)) * s, c.min(d) + (c.max(d) - c.min(d)) * t);
            let (x, y) = (x.clamp(a.min(b), a.max(b)), y.clamp(c.min(d), c.max(d)));
            prop_assert!(holds(one.plus(two), x + y));
            prop_assert!(holds(one.times(two), x * y));
            prop_assert!(holds(one.plus(two.negated()), x - y));
            prop_assert!(holds(one.absolute(), x.abs()));
            prop_assert!(holds(one.smaller(two), x.min(y)));
            prop_assert!(holds(one.larger(two), x.max(y)));
            prop_assert!(holds(one.union(two), x) && holds(one.union(two), y));
            if two.excludes_zero() {
                prop_assert!(holds(one.over(two), x / y));
            }
        }
    }

    #[test]
    fn a_positive_number_divided_by_a_positive_one_is_positive() {
        let positive = Interval {
            low: Some(super::End {
                at: 0.0,
                included: false,
            }),
            high: None,
        };
        assert!(positive.over(Interval::between(1.0, 120.0)).above(0.0));
        assert!(!positive.plus(Interval::default()).above(0.0));
    }
}
