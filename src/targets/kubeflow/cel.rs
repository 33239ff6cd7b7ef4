//! Conditions in the Common Expression Language, in the subset that cel-go, cel-python and `kfp.local` evaluate alike.
//! What lies outside of it is computed by a task instead.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not listed lies outside of the subset, and is computed"
)]

use super::names;
use super::scope::Types;
use crate::plan::{BinaryOperator, Expression, PortType, Reference, UnaryOperator};
use crate::types::{DataKind, DataType, Value};

/// The condition, when it lies in the subset.
pub(super) fn condition(expression: &Expression, types: &Types) -> Option<String> {
    match expression {
        Expression::Reference(reference) => match plain(reference, types)?.kind {
            DataKind::Bool => Some(format!("{} == true", input(reference))),
            _ => None,
        },
        Expression::Unary {
            operator: UnaryOperator::Not,
            operand,
        } => Some(format!("!({})", condition(operand, types)?)),
        Expression::Binary { operator, left, right } => binary(*operator, left, right, types),
        Expression::Between {
            value,
            low,
            high,
            inclusive,
        } => {
            let upper = if *inclusive { "<=" } else { "<" };
            let low = low.as_deref().map(|low| comparison(value, ">=", low, types));
            let high = high.as_deref().map(|high| comparison(value, upper, high, types));
            let ends: Vec<String> = [low, high].into_iter().flatten().collect::<Option<_>>()?;
            (!ends.is_empty()).then(|| format!("({})", ends.join(" && ")))
        }
        _ => None,
    }
}

fn binary(operator: BinaryOperator, left: &Expression, right: &Expression, types: &Types) -> Option<String> {
    let both = |sign: &str| {
        Some(format!(
            "({} {sign} {})",
            condition(left, types)?,
            condition(right, types)?
        ))
    };
    let (sign, flipped) = match operator {
        BinaryOperator::And => return both("&&"),
        BinaryOperator::Or => return both("||"),
        BinaryOperator::Equal => ("==", "=="),
        BinaryOperator::NotEqual => ("!=", "!="),
        BinaryOperator::Less => ("<", ">"),
        BinaryOperator::LessEqual => ("<=", ">="),
        BinaryOperator::Greater => (">", "<"),
        BinaryOperator::GreaterEqual => (">=", "<="),
        BinaryOperator::Coalesce
        | BinaryOperator::Add
        | BinaryOperator::Subtract
        | BinaryOperator::Multiply
        | BinaryOperator::Divide
        | BinaryOperator::Remainder => return None,
    };
    comparison(left, sign, right, types).or_else(|| comparison(right, flipped, left, types))
}

/// A value of the run against a constant of its type.
fn comparison(value: &Expression, sign: &str, constant: &Expression, types: &Types) -> Option<String> {
    let (Expression::Reference(reference), Expression::Value(constant)) = (value, constant) else {
        return None;
    };
    let ty = plain(reference, types)?;
    let input = input(reference);
    let equality = matches!(sign, "==" | "!=");
    match (&ty.kind, constant) {
        (DataKind::Bool, Value::Bool(value)) if equality => Some(format!("{input} {sign} {value}")),
        (DataKind::Int, Value::Int(value)) if *value >= 0 => Some(format!("int({input}) {sign} {value}")),
        (DataKind::Float, Value::Float(value)) => Some(format!("{input} {sign} {}", double(*value)?)),
        #[expect(clippy::cast_precision_loss, reason = "small integers are exact")]
        (DataKind::Float, Value::Int(value)) => Some(format!("{input} {sign} {}", double(*value as f64)?)),
        (DataKind::String, Value::String(text)) | (DataKind::Enum(_), Value::Enum(text))
            if equality && is_safe(text) =>
        {
            Some(format!("{input} {sign} '{text}'"))
        }
        _ => None,
    }
}

/// A literal with a point and without an exponent.
fn double(value: f64) -> Option<String> {
    let text = format!("{value:?}");
    (value >= 0.0 && !text.contains('e') && text.contains('.')).then_some(text)
}

/// Texts that need no escape anywhere, and in which `kfp.local`, which rewrites the condition as text, finds no operator.
fn is_safe(text: &str) -> bool {
    text.chars().all(|character| {
        character.is_alphanumeric() || matches!(character, ' ' | '_' | '-' | '.' | ',' | ':' | '/' | '@' | '+')
    }) && !text.contains("pipelinechannel--")
}

/// The type of a value that is always present.
fn plain(reference: &Reference, types: &Types) -> Option<DataType> {
    // How a run ended is a record on the platform, not the word.
    if matches!(
        reference,
        Reference::Outcome | Reference::RunId | Reference::ScheduledTime | Reference::Attempt
    ) {
        return None;
    }
    match types.wire(reference).ok()?.ty {
        PortType::Value(of) if !of.optional => Some(of),
        _ => None,
    }
}

fn input(reference: &Reference) -> String {
    format!("inputs.parameter_values['{}']", names::input(reference))
}
