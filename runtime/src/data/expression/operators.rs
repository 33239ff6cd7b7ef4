//! Operators over columns.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, TimestampMicrosecondArray, new_null_array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::kernels::{cmp, numeric};
use arrow::compute::kernels::{concat_elements::concat_elements_utf8, zip::zip};
use arrow::compute::{and_kleene, cast, is_not_null, nullif, or_kleene};
use arrow::datatypes::{
    DataType as ArrowType, DurationMillisecondType, Float64Type, Int64Type, TimestampMicrosecondType,
};
use arrow::error::ArrowError;
use mlp::plan::{BinaryOperator, UnaryOperator};

use super::{Cells, Evaluator, ExpressionError, untyped};

type Logic = fn(&BooleanArray, &BooleanArray) -> Result<BooleanArray, ArrowError>;
type CheckedOperation = fn(i64, i64) -> Option<i64>;

/// The operators that give a bool from two values of one type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// The operators of numbers, times, durations and texts.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// Brings two operands to one type where the language lets them meet: absent with anything, int with float, a text kept
/// once with a text.
pub(super) fn harmonise(left: &mut Cells, right: &mut Cells) -> Result<(), ExpressionError> {
    let common = match (left.ty(), right.ty()) {
        (same, other) if same == other => return Ok(()),
        (ArrowType::Null, other) => other.clone(),
        (other, ArrowType::Null) => other.clone(),
        (ArrowType::Int64, ArrowType::Float64) | (ArrowType::Float64, ArrowType::Int64) => ArrowType::Float64,
        (ArrowType::Dictionary(..), ArrowType::Utf8) | (ArrowType::Utf8, ArrowType::Dictionary(..)) => ArrowType::Utf8,
        (left, right) => return Err(untyped(&format!("{left} and {right} do not meet"))),
    };
    *left = left.with(cast(&left.array, &common)?);
    *right = right.with(cast(&right.array, &common)?);
    Ok(())
}

impl Evaluator<'_> {
    pub(super) fn unary(&self, operator: UnaryOperator, operand: &Cells) -> Result<Cells, ExpressionError> {
        if operand.is_absent() {
            return Ok(operand.clone());
        }
        match operator {
            UnaryOperator::Not => Ok(operand.with(Arc::new(arrow::compute::not(booleans(operand)?)?))),
            UnaryOperator::Negate => match numeric::neg(&operand.array) {
                Ok(array) => Ok(operand.with(array)),
                Err(_) => Err(self.beyond(0, "the negative of the smallest int")),
            },
        }
    }

    pub(super) fn binary(
        &self,
        operator: BinaryOperator,
        left: &Cells,
        right: &Cells,
    ) -> Result<Cells, ExpressionError> {
        match operator {
            BinaryOperator::Coalesce => self.coalesce(left, right),
            BinaryOperator::And => self.logic(and_kleene, left, right),
            BinaryOperator::Or => self.logic(or_kleene, left, right),
            BinaryOperator::Equal => self.compare(Comparison::Equal, left, right),
            BinaryOperator::NotEqual => self.compare(Comparison::NotEqual, left, right),
            BinaryOperator::Less => self.compare(Comparison::Less, left, right),
            BinaryOperator::LessEqual => self.compare(Comparison::LessEqual, left, right),
            BinaryOperator::Greater => self.compare(Comparison::Greater, left, right),
            BinaryOperator::GreaterEqual => self.compare(Comparison::GreaterEqual, left, right),
            BinaryOperator::Add => self.arithmetic(Arithmetic::Add, left, right),
            BinaryOperator::Subtract => self.arithmetic(Arithmetic::Subtract, left, right),
            BinaryOperator::Multiply => self.arithmetic(Arithmetic::Multiply, left, right),
            BinaryOperator::Divide => self.arithmetic(Arithmetic::Divide, left, right),
            BinaryOperator::Remainder => self.arithmetic(Arithmetic::Remainder, left, right),
        }
    }

    fn coalesce(&self, left: &Cells, right: &Cells) -> Result<Cells, ExpressionError> {
        let (mut left, mut right) = (left.clone(), right.clone());
        harmonise(&mut left, &mut right)?;
        let first = left.expanded(self.len());
        let present = is_not_null(&first)?;
        Ok(Cells::column(zip(&present, &first, &right)?))
    }

    fn logic(&self, operator: Logic, left: &Cells, right: &Cells) -> Result<Cells, ExpressionError> {
        let side = |cells: &Cells| cast(&cells.expanded(self.len()), &ArrowType::Boolean);
        let (left, right) = (side(left)?, side(right)?);
        let result = operator(left.as_boolean(), right.as_boolean())?;
        Ok(Cells::column(Arc::new(result)))
    }

    pub(super) fn compare(&self, operator: Comparison, left: &Cells, right: &Cells) -> Result<Cells, ExpressionError> {
        let rows = self.len();
        if left.is_absent() || right.is_absent() {
            return Ok(Cells::column(new_null_array(&ArrowType::Boolean, rows)));
        }
        let (mut left, mut right) = (left.clone(), right.clone());
        if !is_text(left.ty()) || !is_text(right.ty()) {
            harmonise(&mut left, &mut right)?;
        }
        if *left.ty() == ArrowType::Float64 {
            let (left, right) = (left.expanded(rows), right.expanded(rows));
            let (left, right) = (left.as_primitive::<Float64Type>(), right.as_primitive::<Float64Type>());
            return Ok(Cells::column(Arc::new(compare_floats(operator, left, right))));
        }
        let result = match operator {
            Comparison::Equal => cmp::eq(&left, &right),
            Comparison::NotEqual => cmp::neq(&left, &right),
            Comparison::Less => cmp::lt(&left, &right),
            Comparison::LessEqual => cmp::lt_eq(&left, &right),
            Comparison::Greater => cmp::gt(&left, &right),
            Comparison::GreaterEqual => cmp::gt_eq(&left, &right),
        }?;
        Ok(Cells {
            array: Arc::new(result),
            constant: left.constant && right.constant,
        })
    }

    fn arithmetic(&self, operator: Arithmetic, left: &Cells, right: &Cells) -> Result<Cells, ExpressionError> {
        let constant = left.constant && right.constant;
        let rows = if constant { 1 } else { self.len() };
        let (mut left, mut right) = (Cells::column(left.expanded(rows)), Cells::column(right.expanded(rows)));
        if let Some(array) = self.times(operator, &left, &right)? {
            return Ok(Cells { array, constant });
        }
        harmonise(&mut left, &mut right)?;
        if operator == Arithmetic::Divide {
            left = Cells::column(cast(&left.array, &ArrowType::Float64)?);
            right = Cells::column(cast(&right.array, &ArrowType::Float64)?);
        }
        let array: ArrayRef = match left.ty() {
            ArrowType::Null => Arc::clone(&left.array),
            ArrowType::Int64 => self.integers(operator, left.array.as_primitive(), right.array.as_primitive())?,
            ArrowType::Float64 => floats(operator, left.array.as_primitive(), right.array.as_primitive())?,
            ArrowType::Utf8 if operator == Arithmetic::Add => Arc::new(concat_elements_utf8(
                left.array.as_string::<i32>(),
                right.array.as_string(),
            )?),
            other => return Err(untyped(&format!("{operator:?} of {other}"))),
        };
        Ok(Cells { array, constant })
    }

    /// Arithmetic of times (microseconds) and durations (milliseconds); nothing when neither is one.
    fn times(&self, operator: Arithmetic, left: &Cells, right: &Cells) -> Result<Option<ArrayRef>, ExpressionError> {
        use Arithmetic::{Add, Divide, Multiply, Subtract};
        use ArrowType::{Duration, Int64, Timestamp};
        let whole = |operator, left: &Int64Array, right: &Int64Array| {
            let array = self.integers(operator, left, right)?;
            Ok::<Int64Array, ExpressionError>(array.as_primitive::<Int64Type>().clone())
        };
        let thousand = Int64Array::from(vec![1_000; left.array.len()]);
        let micro = |cells: &Cells| whole(Multiply, &ticks(cells), &thousand);
        Ok(Some(match (left.ty(), operator, right.ty()) {
            (Timestamp(..), Subtract, Timestamp(..)) => {
                let micro = whole(Subtract, &ticks(left), &ticks(right))?;
                duration(&micro.unary::<_, Int64Type>(|micro| micro.div_euclid(1_000)))
            }
            (Timestamp(..), Add | Subtract, Duration(_)) => instant(&whole(operator, &ticks(left), &micro(right)?)?),
            (Duration(_), Add, Timestamp(..)) => instant(&whole(Add, &micro(left)?, &ticks(right))?),
            (Duration(_), Add | Subtract, Duration(_))
            | (Duration(_), Multiply, Int64)
            | (Int64, Multiply, Duration(_)) => duration(&whole(operator, &ticks(left), &ticks(right))?),
            (Duration(_), Divide, Duration(_)) => {
                let float = |cells: &Cells| ticks(cells).unary::<_, Float64Type>(|ticks| ticks as f64);
                floats(Divide, &float(left), &float(right))?
            }
            _ => return Ok(None),
        }))
    }

    fn integers(
        &self,
        operator: Arithmetic,
        left: &Int64Array,
        right: &Int64Array,
    ) -> Result<ArrayRef, ExpressionError> {
        let (sign, checked): (&str, CheckedOperation) = match operator {
            Arithmetic::Add => ("+", i64::checked_add),
            Arithmetic::Subtract => ("-", i64::checked_sub),
            Arithmetic::Multiply => ("*", i64::checked_mul),
            Arithmetic::Divide | Arithmetic::Remainder => {
                let pairs = left
                    .iter()
                    .zip(right)
                    .map(|(left, right)| floored_remainder(left?, right?));
                return Ok(Arc::new(pairs.collect::<Int64Array>()));
            }
        };
        let mut overflow = None;
        let result: Int64Array = left
            .iter()
            .zip(right)
            .enumerate()
            .map(|(index, (left, right))| {
                let (left, right) = (left?, right?);
                let value = checked(left, right);
                if value.is_none() && overflow.is_none() {
                    overflow = Some((index, left, right));
                }
                value
            })
            .collect();
        match overflow {
            Some((index, left, right)) => Err(self.beyond(index, &format!("{left} {sign} {right}"))),
            None => Ok(Arc::new(result)),
        }
    }
}

/// The number below a time, a duration or an int.
fn ticks(cells: &Cells) -> Int64Array {
    if let Some(times) = cells.array.as_primitive_opt::<TimestampMicrosecondType>() {
        times.reinterpret_cast()
    } else if let Some(durations) = cells.array.as_primitive_opt::<DurationMillisecondType>() {
        durations.reinterpret_cast()
    } else {
        cells.array.as_primitive::<Int64Type>().clone()
    }
}

fn instant(micro: &Int64Array) -> ArrayRef {
    let times: TimestampMicrosecondArray = micro.reinterpret_cast();
    Arc::new(times.with_timezone(crate::data::layout::UTC))
}

fn duration(milliseconds: &Int64Array) -> ArrayRef {
    Arc::new(milliseconds.reinterpret_cast::<DurationMillisecondType>())
}

fn booleans(cells: &Cells) -> Result<&BooleanArray, ExpressionError> {
    cells
        .array
        .as_boolean_opt()
        .ok_or_else(|| untyped("an operand is not a bool"))
}

fn is_text(ty: &ArrowType) -> bool {
    matches!(ty, ArrowType::Utf8 | ArrowType::Dictionary(..))
}

/// The remainder with the sign of the divisor, absent for a zero divisor.
fn floored_remainder(left: i64, right: i64) -> Option<i64> {
    match left.checked_rem(right) {
        Some(rest) if rest != 0 && (rest < 0) != (right < 0) => Some(rest + right),
        Some(rest) => Some(rest),
        // Only the smallest int by -1 leaves the range on the way; its remainder is 0.
        None => (right != 0).then_some(0),
    }
}

fn floats(operator: Arithmetic, left: &Float64Array, right: &Float64Array) -> Result<ArrayRef, ExpressionError> {
    let result = match operator {
        Arithmetic::Add => numeric::add(left, right)?,
        Arithmetic::Subtract => numeric::sub(left, right)?,
        Arithmetic::Multiply => numeric::mul(left, right)?,
        Arithmetic::Divide => {
            let zero = BooleanBuffer::collect_bool(right.len(), |row| right.value(row) == 0.0);
            nullif(&numeric::div(left, right)?, &BooleanArray::new(zero, None))?
        }
        Arithmetic::Remainder => {
            let pairs = left.iter().zip(right).map(|(left, right)| {
                let (left, right) = (left?, right?);
                (right != 0.0).then(|| left - right * (left / right).floor())
            });
            Arc::new(pairs.collect::<Float64Array>())
        }
    };
    present_numbers(&result)
}

/// Floats with absent values in place of those that are no number.
pub(super) fn present_numbers(array: &ArrayRef) -> Result<ArrayRef, ExpressionError> {
    let numbers = array.as_primitive::<Float64Type>();
    if !numbers.values().iter().any(|number| number.is_nan()) {
        return Ok(Arc::clone(array));
    }
    let no_number = BooleanBuffer::collect_bool(numbers.len(), |row| numbers.value(row).is_nan());
    Ok(nullif(array, &BooleanArray::new(no_number, None))?)
}

/// Compares by IEEE 754: zeros of either sign are equal.
fn compare_floats(operator: Comparison, left: &Float64Array, right: &Float64Array) -> BooleanArray {
    let (a, b) = (left.values(), right.values());
    let with = |holds: fn(&f64, &f64) -> bool| BooleanBuffer::collect_bool(a.len(), |row| holds(&a[row], &b[row]));
    let values = match operator {
        Comparison::Equal => with(f64::eq),
        Comparison::NotEqual => with(f64::ne),
        Comparison::Less => with(f64::lt),
        Comparison::LessEqual => with(f64::le),
        Comparison::Greater => with(f64::gt),
        Comparison::GreaterEqual => with(f64::ge),
    };
    BooleanArray::new(values, NullBuffer::union(left.nulls(), right.nulls()))
}
