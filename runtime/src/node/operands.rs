//! What operands stand for; what references stand for is the caller's to say.

use mlp::plan::{Expression, Operand, Reference};
use mlp::types::Value;

use crate::expression;
use crate::store::Datum;

/// Says what a reference stands for.
pub(crate) type Lookup<'a> = &'a dyn Fn(&Reference) -> Result<Datum, String>;

/// The value or artifact that an operand stands for.
///
/// # Errors
/// When a reference stands for nothing, or an expression cannot be computed.
pub(crate) fn resolve(operand: &Operand, lookup: Lookup<'_>) -> Result<Datum, String> {
    match operand {
        Operand::Value(value) => Ok(Datum::Value(value.clone())),
        Operand::Reference(reference) => lookup(reference),
        Operand::Expression(expression) => evaluate(expression, lookup).map(Datum::Value),
        Operand::List(items) => {
            let items = items.iter().map(|item| resolve(item, lookup));
            items.collect::<Result<Vec<_>, _>>().map(list)
        }
    }
}

/// Computes an expression over values.
///
/// # Errors
/// As [`resolve`].
pub(crate) fn evaluate(expression: &Expression, lookup: Lookup<'_>) -> Result<Value, String> {
    expression::evaluate(expression, &|reference| match lookup(reference)? {
        Datum::Value(value) => Ok(value),
        Datum::Artifact(_) | Datum::List(_) => Err("an artifact is no value".to_owned()),
    })
}

/// A list of values is a value; any other list is one of artifacts.
pub(crate) fn list(items: Vec<Datum>) -> Datum {
    let mut values = Vec::with_capacity(items.len());
    for item in &items {
        match item {
            Datum::Value(value) => values.push(value.clone()),
            Datum::Artifact(_) | Datum::List(_) => return Datum::List(items),
        }
    }
    Datum::Value(Value::List(values))
}
