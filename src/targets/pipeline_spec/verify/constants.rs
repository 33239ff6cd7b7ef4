//! Whether a JSON value has a parameter's type.

use serde_json::Value as Json;

use super::super::{InputParameter, ParameterType};
use super::finding::{FindingKind, Findings};

/// The largest integer that a double holds with all its neighbours: 2^53 - 1.
const LARGEST: f64 = 9_007_199_254_740_991.0;

/// How a value does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// It has another type.
    Type,
    /// It is an integer that a double does not hold.
    Range,
}

/// Whether a value has a type.
pub(super) fn fits(value: &Json, wanted: ParameterType) -> Result<(), Misfit> {
    let fits = match wanted {
        ParameterType::Double => value.is_number(),
        ParameterType::Integer => return integer(value),
        ParameterType::String => value.is_string(),
        ParameterType::Boolean => value.is_boolean(),
        ParameterType::List => value.is_array(),
        ParameterType::Struct | ParameterType::TaskFinalStatus | ParameterType::TaskConfig => value.is_object(),
        ParameterType::Unspecified => true,
    };
    if fits { Ok(()) } else { Err(Misfit::Type) }
}

fn integer(value: &Json) -> Result<(), Misfit> {
    let number = value.as_f64().ok_or(Misfit::Type)?;
    if number.fract() != 0.0 {
        return Err(Misfit::Type);
    }
    // An integer that is too large is still too large when it has become a double.
    if number.abs() <= LARGEST {
        Ok(())
    } else {
        Err(Misfit::Range)
    }
}

/// What is checked: the value, and how sentences name it and the input that it is for.
pub(super) struct Checked<'a> {
    /// The value.
    pub(super) value: &'a Json,
    /// `a constant`, `the default`
    pub(super) what: &'a str,
    /// The input that it is for.
    pub(super) input: &'a str,
    /// The kind of finding when the type is wrong.
    pub(super) kind: FindingKind,
}

/// A value has the type, the range and one of the literals that an input declares. `path` says where.
pub(super) fn check(
    checked: &Checked<'_>,
    declared: &InputParameter,
    path: impl Fn() -> String,
    findings: &mut Findings,
) {
    let Checked {
        value,
        what,
        input,
        kind,
    } = *checked;
    let wanted = declared.parameter_type;
    match fits(value, wanted) {
        Ok(()) => {}
        Err(Misfit::Type) => {
            let message = format!(
                "{what} of the input `{input}` is {}, and its type is {}.",
                short(value),
                wanted.name()
            );
            findings.add(kind, path(), message, form(wanted));
            return;
        }
        Err(Misfit::Range) => {
            let message = format!(
                "{what} of the input `{input}` is {}, which is beyond ±9007199254740991: the platforms keep numbers as \
                 doubles, and would change it.",
                short(value)
            );
            findings.add(FindingKind::IntegerRange, path(), message, "Pass it as text.");
            return;
        }
    }
    if !declared.literals.is_empty() && !declared.literals.iter().any(|literal| equal(literal, value)) {
        let literals: Vec<String> = declared.literals.iter().map(short).collect();
        let message = format!(
            "{what} of the input `{input}` is {}, which its literals do not allow.",
            short(value)
        );
        findings.add(
            FindingKind::LiteralValue,
            path(),
            message,
            format!("Take one of {}.", literals.join(", ")),
        );
    }
}

/// Equal as a platform sees it: `1` and `1.0` are one number.
fn equal(left: &Json, right: &Json) -> bool {
    match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => left.total_cmp(&right).is_eq(),
        _ => left == right,
    }
}

/// What to write for a type.
pub(super) fn form(wanted: ParameterType) -> &'static str {
    match wanted {
        ParameterType::Double => "Write a number.",
        ParameterType::Integer => "Write a whole number.",
        ParameterType::String => "Write text; in YAML, put it in quotes.",
        ParameterType::Boolean => "Write `true` or `false`.",
        ParameterType::List => "Write a list.",
        ParameterType::Struct | ParameterType::TaskFinalStatus | ParameterType::TaskConfig => "Write a map.",
        ParameterType::Unspecified => "Declare the input's type first.",
    }
}

/// A value for a sentence; long ones are cut.
pub(super) fn short(value: &Json) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("`{}…`", text.get(..end).unwrap_or_default()),
        None => format!("`{text}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Misfit, fits, short};
    use crate::targets::pipeline_spec::ParameterType;
    use serde_json::json;

    #[test]
    fn integers_are_whole_and_exact() {
        assert_eq!(fits(&json!(5.0), ParameterType::Integer), Ok(()));
        assert_eq!(fits(&json!(9_007_199_254_740_991_i64), ParameterType::Integer), Ok(()));
        assert_eq!(
            fits(&json!(-9_007_199_254_740_992_i64), ParameterType::Integer),
            Err(Misfit::Range)
        );
        assert_eq!(fits(&json!(u64::MAX), ParameterType::Integer), Err(Misfit::Range));
        assert_eq!(fits(&json!(1e300), ParameterType::Integer), Err(Misfit::Range));
        assert_eq!(fits(&json!(1.5), ParameterType::Integer), Err(Misfit::Type));
        assert_eq!(fits(&json!("5"), ParameterType::Integer), Err(Misfit::Type));
        assert_eq!(fits(&json!(true), ParameterType::Integer), Err(Misfit::Type));
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        assert_eq!(short(&json!("é".repeat(100))), format!("`\"{}…`", "é".repeat(59)));
    }
}
