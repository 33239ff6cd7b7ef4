//! Operators with two operands.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each takes a few kinds of values, and has one answer for every other"
)]

use jiff::SignedDuration;
use mlp::plan::{BinaryOperator, Expression};
use mlp::types::Value;

use super::{Lookup, evaluate};
use crate::values::{compare, parse_date, parse_datetime, value_text};

/// Computes `left operator right`; the right operand of a logical operator is not computed when the left one decides.
pub(super) fn binary(
    operator: BinaryOperator,
    left: &Expression,
    right: &Expression,
    lookup: &Lookup,
) -> Result<Value, String> {
    let left = evaluate(left, lookup)?;
    let decided = match operator {
        BinaryOperator::Coalesce => left != Value::None,
        BinaryOperator::Or => left == Value::Bool(true),
        BinaryOperator::And => left == Value::Bool(false),
        BinaryOperator::Equal
        | BinaryOperator::NotEqual
        | BinaryOperator::Less
        | BinaryOperator::LessEqual
        | BinaryOperator::Greater
        | BinaryOperator::GreaterEqual
        | BinaryOperator::Add
        | BinaryOperator::Subtract
        | BinaryOperator::Multiply
        | BinaryOperator::Divide
        | BinaryOperator::Remainder => false,
    };
    if decided {
        return Ok(left);
    }
    let right = evaluate(right, lookup)?;
    match operator {
        BinaryOperator::Coalesce => Ok(right),
        BinaryOperator::Or => Ok(or(truth(&left)?, truth(&right)?)),
        BinaryOperator::And => Ok(and(truth(&left)?, truth(&right)?)),
        _ if left == Value::None || right == Value::None => Ok(Value::None),
        BinaryOperator::Equal => Ok(Value::Bool(equal(&left, &right))),
        BinaryOperator::NotEqual => Ok(Value::Bool(!equal(&left, &right))),
        BinaryOperator::Less => ordered(&left, &right, std::cmp::Ordering::is_lt),
        BinaryOperator::LessEqual => ordered(&left, &right, std::cmp::Ordering::is_le),
        BinaryOperator::Greater => ordered(&left, &right, std::cmp::Ordering::is_gt),
        BinaryOperator::GreaterEqual => ordered(&left, &right, std::cmp::Ordering::is_ge),
        BinaryOperator::Add => add(&left, &right),
        BinaryOperator::Subtract => subtract(&left, &right),
        BinaryOperator::Multiply => multiply(&left, &right),
        BinaryOperator::Divide => divide(&left, &right),
        BinaryOperator::Remainder => remainder(&left, &right),
    }
}

/// SQL's `AND`.
pub(super) fn and(left: Option<bool>, right: Option<bool>) -> Value {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Value::Bool(false),
        (Some(true), Some(true)) => Value::Bool(true),
        (None, _) | (_, None) => Value::None,
    }
}

/// SQL's `OR`.
fn or(left: Option<bool>, right: Option<bool>) -> Value {
    match (left, right) {
        (Some(true), _) | (_, Some(true)) => Value::Bool(true),
        (Some(false), Some(false)) => Value::Bool(false),
        (None, _) | (_, None) => Value::None,
    }
}

fn truth(value: &Value) -> Result<Option<bool>, String> {
    match value {
        Value::Bool(value) => Ok(Some(*value)),
        Value::None => Ok(None),
        other => Err(format!("{} is no condition", value_text(other))),
    }
}

fn equal(left: &Value, right: &Value) -> bool {
    compare(left, right).map_or_else(|| left == right, std::cmp::Ordering::is_eq)
}

fn ordered(left: &Value, right: &Value, holds: fn(std::cmp::Ordering) -> bool) -> Result<Value, String> {
    compare(left, right)
        .map(|order| Value::Bool(holds(order)))
        .ok_or_else(|| format!("{} and {} have no order", value_text(left), value_text(right)))
}

/// A number as a float.
#[expect(
    clippy::cast_precision_loss,
    reason = "an `int` beside a `float` becomes the nearest `float`"
)]
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

/// A float that is a value: a result that is not a number is absent.
pub(super) fn float(value: f64) -> Value {
    if value.is_nan() {
        Value::None
    } else {
        Value::Float(value)
    }
}

fn cannot(operator: &str, left: &Value, right: &Value) -> String {
    format!(
        "{} {operator} {} cannot be computed",
        value_text(left),
        value_text(right)
    )
}

fn too_large(operator: &str, left: &Value, right: &Value) -> impl FnOnce() -> String {
    let text = format!("{} {operator} {} is too large", value_text(left), value_text(right));
    move || text
}

fn add(left: &Value, right: &Value) -> Result<Value, String> {
    let overflow = too_large("+", left, right);
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => a.checked_add(*b).map(Value::Int).ok_or_else(overflow),
        (Value::Duration(a), Value::Duration(b)) => a.checked_add(*b).map(Value::Duration).ok_or_else(overflow),
        (Value::Size(a), Value::Size(b)) => a.checked_add(*b).map(Value::Size).ok_or_else(overflow),
        (Value::String(a), Value::String(b)) => Ok(Value::String(format!("{a}{b}"))),
        (
            Value::Money { amount: a, currency },
            Value::Money {
                amount: b,
                currency: other,
            },
        ) if currency == other => {
            let amount = a.checked_add(*b).ok_or_else(overflow)?;
            Ok(Value::Money {
                amount,
                currency: currency.clone(),
            })
        }
        (Value::Datetime(_) | Value::Date(_), Value::Duration(b)) => shift(left, *b).ok_or_else(overflow),
        (Value::Duration(a), Value::Datetime(_) | Value::Date(_)) => shift(right, *a).ok_or_else(overflow),
        _ => match (number(left), number(right)) {
            (Some(a), Some(b)) => Ok(float(a + b)),
            _ => Err(cannot("+", left, right)),
        },
    }
}

fn subtract(left: &Value, right: &Value) -> Result<Value, String> {
    let overflow = too_large("-", left, right);
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => a.checked_sub(*b).map(Value::Int).ok_or_else(overflow),
        (Value::Duration(a), Value::Duration(b)) => a.checked_sub(*b).map(Value::Duration).ok_or_else(overflow),
        (Value::Size(a), Value::Size(b)) => a.checked_sub(*b).map(Value::Size).ok_or_else(overflow),
        (
            Value::Money { amount: a, currency },
            Value::Money {
                amount: b,
                currency: other,
            },
        ) if currency == other => {
            let amount = a.checked_sub(*b).ok_or_else(overflow)?;
            Ok(Value::Money {
                amount,
                currency: currency.clone(),
            })
        }
        (Value::Datetime(_) | Value::Date(_), Value::Duration(b)) => {
            b.checked_neg().and_then(|b| shift(left, b)).ok_or_else(overflow)
        }
        (Value::Datetime(a), Value::Datetime(b)) => {
            let difference = parse_datetime(a)
                .zip(parse_datetime(b))
                .map(|(a, b)| a.duration_since(b));
            let milliseconds = difference.and_then(|duration| i64::try_from(duration.as_millis()).ok());
            milliseconds.map(Value::Duration).ok_or_else(overflow)
        }
        (Value::Date(a), Value::Date(b)) => {
            let difference = parse_date(a).zip(parse_date(b)).map(|(a, b)| a.duration_since(b));
            let milliseconds = difference.and_then(|duration| i64::try_from(duration.as_millis()).ok());
            milliseconds.map(Value::Duration).ok_or_else(overflow)
        }
        _ => match (number(left), number(right)) {
            (Some(a), Some(b)) => Ok(float(a - b)),
            _ => Err(cannot("-", left, right)),
        },
    }
}

fn shift(time: &Value, milliseconds: i64) -> Option<Value> {
    let by = SignedDuration::from_millis(milliseconds);
    match time {
        Value::Datetime(text) => Some(Value::Datetime(parse_datetime(text)?.checked_add(by).ok()?.to_string())),
        Value::Date(text) => Some(Value::Date(parse_date(text)?.checked_add(by).ok()?.to_string())),
        _ => None,
    }
}

fn multiply(left: &Value, right: &Value) -> Result<Value, String> {
    let overflow = too_large("*", left, right);
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => a.checked_mul(*b).map(Value::Int).ok_or_else(overflow),
        (Value::Duration(a), Value::Int(b)) | (Value::Int(a), Value::Duration(b)) => {
            a.checked_mul(*b).map(Value::Duration).ok_or_else(overflow)
        }
        (Value::Size(a), Value::Int(b)) | (Value::Int(b), Value::Size(a)) => {
            let factor = u64::try_from(*b).ok();
            factor
                .and_then(|b| a.checked_mul(b))
                .map(Value::Size)
                .ok_or_else(overflow)
        }
        (Value::Money { amount, currency }, Value::Int(b)) | (Value::Int(b), Value::Money { amount, currency }) => {
            let amount = amount.checked_mul(*b).ok_or_else(overflow)?;
            Ok(Value::Money {
                amount,
                currency: currency.clone(),
            })
        }
        _ => match (number(left), number(right)) {
            (Some(a), Some(b)) => Ok(float(a * b)),
            _ => Err(cannot("*", left, right)),
        },
    }
}

fn divide(left: &Value, right: &Value) -> Result<Value, String> {
    #[expect(clippy::cast_precision_loss, reason = "the quotient is a float")]
    let pair = match (left, right) {
        (Value::Duration(a), Value::Duration(b)) => Some((*a as f64, *b as f64)),
        (Value::Size(a), Value::Size(b)) => Some((*a as f64, *b as f64)),
        _ => number(left).zip(number(right)),
    };
    match pair {
        Some((_, 0.0)) => Ok(Value::None),
        Some((a, b)) => Ok(float(a / b)),
        None => Err(cannot("/", left, right)),
    }
}

fn remainder(left: &Value, right: &Value) -> Result<Value, String> {
    match (left, right) {
        (Value::Int(_), Value::Int(0)) => Ok(Value::None),
        (Value::Int(a), Value::Int(b)) => {
            let rest = a.wrapping_rem(*b);
            let crosses = rest != 0 && (rest < 0) != (*b < 0);
            Ok(Value::Int(if crosses { rest.wrapping_add(*b) } else { rest }))
        }
        _ => match (number(left), number(right)) {
            (Some(_), Some(0.0)) => Ok(Value::None),
            (Some(a), Some(b)) => Ok(float(a - b * (a / b).floor())),
            _ => Err(cannot("%", left, right)),
        },
    }
}
