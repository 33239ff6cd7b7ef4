//! What a node takes, checked once more where it enters: refinements of run-time values, kinds of artifacts.

use mlp::plan::PortType;
use mlp::types::{DataKind, Value};

use crate::events::Failure;
use crate::store::Datum;
use crate::values;

/// Checks what is passed to a parameter against its type. An `int` passed where a `float` is taken becomes one.
///
/// # Errors
/// What does not fit, as at compile time.
pub(crate) fn check(ty: &PortType, datum: Datum) -> Result<Datum, String> {
    match (ty, datum) {
        (PortType::Value(of), Datum::Value(value)) => {
            let value = match (&of.kind, value) {
                #[expect(clippy::cast_precision_loss, reason = "as the language widens `int` to `float`")]
                (DataKind::Float, Value::Int(value)) => Value::Float(value as f64),
                (_, value) => value,
            };
            values::check(of, &value)?;
            Ok(Datum::Value(value))
        }
        (PortType::List(of), Datum::List(items)) => items
            .into_iter()
            .map(|item| check(of, item))
            .collect::<Result<_, _>>()
            .map(Datum::List),
        (PortType::List(of), Datum::Value(Value::List(items))) => {
            let items = items.into_iter().map(|item| check(of, Datum::Value(item)));
            items.collect::<Result<Vec<_>, _>>().map(super::operands::list)
        }
        (PortType::Value(_), Datum::Artifact(_) | Datum::List(_)) => Err("an artifact is no value".to_owned()),
        (_, Datum::Value(value)) => Err(format!("{value} is no artifact")),
        (_, datum) => Ok(datum),
    }
}

/// The failure of a node whose input does not fit.
pub(crate) fn failure(callee: &str, input: &str, message: &str) -> Failure {
    Failure::new(
        format!("`{callee}` cannot take `{input}`: {message}."),
        "The value comes from a parameter or from another step; mend it there, or widen the type.",
    )
}
