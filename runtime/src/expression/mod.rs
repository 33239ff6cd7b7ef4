//! Expressions over run-time values: conditions of branches, interpolated text, arithmetic in arguments.
//!
//! Columns and metrics do not occur here; operations compute those over whole batches. The meaning of every operator is
//! that of [`mlp::plan::BinaryOperator`] and [`mlp::plan::Function`]: absent operands make absent results.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each takes a few kinds of values, and has one answer for every other"
)]

mod function;
mod operator;

use mlp::plan::{Expression, Reference, TextPart, UnaryOperator};
use mlp::types::Value;

use crate::values::{compare, value_text};

/// Where references get their values from.
pub(crate) type Lookup<'a> = dyn Fn(&Reference) -> Result<Value, String> + 'a;

/// Computes an expression.
///
/// # Errors
/// A sentence, when a reference has no value, an integer overflows, or a value is of a kind that the operator has not.
pub(crate) fn evaluate(expression: &Expression, lookup: &Lookup) -> Result<Value, String> {
    match expression {
        Expression::Value(value) => Ok(value.clone()),
        Expression::Reference(reference) => lookup(reference),
        Expression::Column(name) => Err(format!("the column `{name}` has no value outside of a dataset")),
        Expression::Metric(metric) => Err(format!("the metric `{}` has no value here", metric.metric)),
        Expression::Unary { operator, operand } => unary(*operator, &evaluate(operand, lookup)?),
        Expression::Binary { operator, left, right } => operator::binary(*operator, left, right, lookup),
        Expression::Between {
            value,
            low,
            high,
            inclusive,
        } => {
            let value = evaluate(value, lookup)?;
            let above = end(low.as_deref(), lookup, |bound| Some(compare(&value, bound)?.is_ge()))?;
            let below = end(high.as_deref(), lookup, |bound| {
                let order = compare(&value, bound)?;
                Some(order.is_lt() || (*inclusive && order.is_eq()))
            })?;
            Ok(operator::and(above, below))
        }
        Expression::Call { function, arguments } => {
            let arguments = arguments
                .iter()
                .map(|argument| evaluate(argument, lookup))
                .collect::<Result<Vec<_>, _>>()?;
            function::call(*function, &arguments)
        }
        Expression::If {
            condition,
            then,
            otherwise,
        } => match evaluate(condition, lookup)? {
            Value::Bool(true) => evaluate(then, lookup),
            // As in SQL, a condition that is absent does not hold.
            Value::Bool(false) | Value::None => evaluate(otherwise, lookup),
            other => Err(format!("{} is no condition", value_text(&other))),
        },
        Expression::Text(parts) => {
            let mut text = String::new();
            for part in parts {
                match part {
                    TextPart::Text(plain) => text.push_str(plain),
                    TextPart::Hole(hole) => text.push_str(&value_text(&evaluate(hole, lookup)?)),
                }
            }
            Ok(Value::String(text))
        }
        Expression::Field { base, name } => match evaluate(base, lookup)? {
            Value::Map(mut fields) => Ok(fields.remove(name).unwrap_or(Value::None)),
            Value::None => Ok(Value::None),
            other => Err(format!("{} has no field `{name}`", value_text(&other))),
        },
    }
}

/// Whether a value lies on the right side of an end of a range; an open end always holds.
fn end(
    bound: Option<&Expression>,
    lookup: &Lookup,
    holds: impl Fn(&Value) -> Option<bool>,
) -> Result<Option<bool>, String> {
    match bound {
        None => Ok(Some(true)),
        Some(bound) => Ok(holds(&evaluate(bound, lookup)?)),
    }
}

fn unary(operator: UnaryOperator, operand: &Value) -> Result<Value, String> {
    let overflow = || format!("-({}) is too large for an `int`", value_text(operand));
    match (operator, operand) {
        (_, Value::None) => Ok(Value::None),
        (UnaryOperator::Not, Value::Bool(value)) => Ok(Value::Bool(!value)),
        (UnaryOperator::Negate, Value::Int(value)) => value.checked_neg().map(Value::Int).ok_or_else(overflow),
        (UnaryOperator::Negate, Value::Float(value)) => Ok(Value::Float(-value)),
        (UnaryOperator::Negate, Value::Duration(value)) => {
            value.checked_neg().map(Value::Duration).ok_or_else(overflow)
        }
        (UnaryOperator::Not, other) => Err(format!("`!` takes a bool, not {}", value_text(other))),
        (UnaryOperator::Negate, other) => Err(format!("`-` takes a number, not {}", value_text(other))),
    }
}

#[cfg(test)]
mod tests {
    use mlp::plan::{BinaryOperator, Function};

    use super::*;

    fn constant(value: Value) -> Box<Expression> {
        Box::new(Expression::Value(value))
    }

    fn binary(operator: BinaryOperator, left: Value, right: Value) -> Result<Value, String> {
        let expression = Expression::Binary {
            operator,
            left: constant(left),
            right: constant(right),
        };
        evaluate(&expression, &|_| Err("no references here".to_owned()))
    }

    #[test]
    fn three_valued_logic_and_coalesce() {
        let absent = Value::None;
        assert_eq!(
            binary(BinaryOperator::And, Value::Bool(false), absent.clone()),
            Ok(Value::Bool(false))
        );
        assert_eq!(
            binary(BinaryOperator::And, Value::Bool(true), absent.clone()),
            Ok(Value::None)
        );
        assert_eq!(
            binary(BinaryOperator::Or, absent.clone(), Value::Bool(true)),
            Ok(Value::Bool(true))
        );
        assert_eq!(
            binary(BinaryOperator::Coalesce, absent.clone(), Value::Int(3)),
            Ok(Value::Int(3))
        );
        assert_eq!(binary(BinaryOperator::Less, absent, Value::Int(3)), Ok(Value::None));
    }

    #[test]
    fn arithmetic_is_exact_or_refused() {
        assert_eq!(
            binary(BinaryOperator::Divide, Value::Int(7), Value::Int(2)),
            Ok(Value::Float(3.5))
        );
        assert_eq!(
            binary(BinaryOperator::Divide, Value::Int(7), Value::Int(0)),
            Ok(Value::None)
        );
        assert_eq!(
            binary(BinaryOperator::Remainder, Value::Int(-7), Value::Int(3)),
            Ok(Value::Int(2))
        );
        assert_eq!(
            binary(BinaryOperator::Remainder, Value::Int(7), Value::Int(-3)),
            Ok(Value::Int(-2))
        );
        assert_eq!(
            binary(BinaryOperator::Remainder, Value::Int(i64::MIN), Value::Int(-1)),
            Ok(Value::Int(0))
        );
        assert!(binary(BinaryOperator::Add, Value::Int(i64::MAX), Value::Int(1)).is_err());
        let time = Value::Datetime("2026-01-31T08:00:00Z".to_owned());
        assert_eq!(
            binary(BinaryOperator::Add, time.clone(), Value::Duration(3_600_000)),
            Ok(Value::Datetime("2026-01-31T09:00:00Z".to_owned()))
        );
        assert_eq!(
            binary(BinaryOperator::Subtract, time.clone(), time),
            Ok(Value::Duration(0))
        );
    }

    #[test]
    fn an_outcome_equals_the_enum_value_of_its_name() {
        let equal = binary(
            BinaryOperator::Equal,
            Value::Enum("failed".to_owned()),
            Value::String("failed".to_owned()),
        );
        assert_eq!(equal, Ok(Value::Bool(true)));
    }

    #[test]
    fn functions_of_scalars() {
        let call = |function, arguments: Vec<Value>| {
            let arguments = arguments.into_iter().map(Expression::Value).collect();
            evaluate(&Expression::Call { function, arguments }, &|_| Err(String::new()))
        };
        assert_eq!(call(Function::Round, vec![Value::Float(-2.5)]), Ok(Value::Int(-3)));
        assert_eq!(call(Function::Floor, vec![Value::Float(-2.5)]), Ok(Value::Int(-3)));
        assert_eq!(call(Function::Ln, vec![Value::Float(0.0)]), Ok(Value::None));
        assert_eq!(
            call(Function::Length, vec![Value::String("größe".to_owned())]),
            Ok(Value::Int(5))
        );
        assert_eq!(
            call(Function::Weekday, vec![Value::Date("2026-02-01".to_owned())]),
            Ok(Value::Int(7))
        );
        assert_eq!(call(Function::IsNone, vec![Value::None]), Ok(Value::Bool(true)));
        assert_eq!(
            call(Function::Bucket, vec![Value::Int(-7), Value::Int(5)]),
            Ok(Value::Int(-10))
        );
        assert!(call(Function::Floor, vec![Value::Float(1e300)]).is_err());
    }
}
