//! Whether a value fits a type and its refinements: the check at every border that the compiler cannot see.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a refinement holds for a few kinds of values, and for no other"
)]

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use mlp::types::{DataKind, DataType, Refinement, Value};
use regex::Regex;

/// Checks a value against a type, refinements included.
///
/// # Errors
/// A sentence that names the value and the type: ``5 does not fit `int in 10..=2000` ``.
pub fn check(ty: &DataType, value: &Value) -> Result<(), String> {
    if matches!(value, Value::None) {
        if ty.optional {
            return Ok(());
        }
        return Err(format!("a value is missing: `{}` must be present", ty));
    }
    check_kind(ty, value)?;
    for refinement in &ty.refinements {
        if !holds(refinement, value)? {
            return Err(format!(
                "{} does not fit `{}`: it must be {}",
                value,
                ty,
                refinement.requirement()
            ));
        }
    }
    Ok(())
}

fn check_kind(ty: &DataType, value: &Value) -> Result<(), String> {
    let fits = match (&ty.kind, value) {
        (DataKind::Bool, Value::Bool(_))
        | (DataKind::Int, Value::Int(_))
        | (DataKind::Float, Value::Float(_) | Value::Int(_))
        | (DataKind::String, Value::String(_) | Value::Enum(_))
        | (DataKind::Date, Value::Date(_))
        | (DataKind::Datetime, Value::Datetime(_))
        | (DataKind::Duration, Value::Duration(_))
        | (DataKind::Size, Value::Size(_))
        | (DataKind::Money, Value::Money { .. }) => true,
        (DataKind::Enum(of), Value::Enum(text) | Value::String(text)) => {
            if !of.variants.iter().any(|variant| variant.text == *text) {
                let known: Vec<String> = of
                    .variants
                    .iter()
                    .map(|variant| format!("`{}`", variant.text))
                    .collect();
                return Err(format!("`{text}` is none of {}", known.join(", ")));
            }
            true
        }
        (DataKind::List(of), Value::List(items)) => {
            for (index, item) in items.iter().enumerate() {
                check(of, item).map_err(|message| format!("item {}: {message}", index + 1))?;
            }
            true
        }
        (DataKind::Map(of), Value::Map(entries)) => {
            for (key, entry) in entries {
                check(of, entry).map_err(|message| format!("`{key}`: {message}"))?;
            }
            true
        }
        (DataKind::Record(of), Value::Map(entries)) => {
            for field in &of.fields {
                let entry = entries.get(&field.name).unwrap_or(&Value::None);
                check(&field.ty, entry).map_err(|message| format!("field `{}`: {message}", field.name))?;
            }
            if let Some(name) = entries
                .keys()
                .find(|key| !of.fields.iter().any(|field| field.name == **key))
            {
                return Err(format!("`{}` has no field `{name}`", ty));
            }
            true
        }
        _ => false,
    };
    if fits {
        return Ok(());
    }
    Err(format!("{} is not of type `{}`", value, ty))
}

fn holds(refinement: &Refinement, value: &Value) -> Result<bool, String> {
    match refinement {
        Refinement::Range { minimum, maximum } => {
            let above = minimum.as_ref().is_none_or(|bound| match compare(value, &bound.value) {
                Some(Ordering::Greater) => true,
                Some(Ordering::Equal) => bound.inclusive,
                Some(Ordering::Less) | None => false,
            });
            let below = maximum.as_ref().is_none_or(|bound| match compare(value, &bound.value) {
                Some(Ordering::Less) => true,
                Some(Ordering::Equal) => bound.inclusive,
                Some(Ordering::Greater) | None => false,
            });
            Ok(above && below)
        }
        Refinement::Matches(pattern) => match value {
            Value::String(text) | Value::Enum(text) => matches(pattern, text),
            _ => Ok(false),
        },
        Refinement::Length { minimum, maximum } => {
            let length = match value {
                Value::String(text) => text.chars().count(),
                Value::List(items) => items.len(),
                Value::Map(entries) => entries.len(),
                _ => return Ok(false),
            } as u64;
            Ok(length >= *minimum && maximum.is_none_or(|maximum| length <= maximum))
        }
    }
}

/// Whether a pattern is found in a text; each pattern is compiled once in a process.
fn matches(pattern: &str, text: &str) -> Result<bool, String> {
    static COMPILED: Mutex<BTreeMap<String, Regex>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(regex) = compiled.get(pattern) {
        return Ok(regex.is_match(text));
    }
    let regex = Regex::new(pattern).map_err(|error| format!("the pattern {pattern:?} cannot be used: {error}"))?;
    let found = regex.is_match(text);
    compiled.insert(pattern.to_owned(), regex);
    Ok(found)
}

/// The order of two values of one kind, as [`Value::compare`], and of texts and truth values too.
pub(crate) fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::String(left) | Value::Enum(left), Value::String(right) | Value::Enum(right)) => Some(left.cmp(right)),
        _ => left.compare(right),
    }
}

#[cfg(test)]
mod tests {
    use mlp::types::Bound;

    use super::*;

    fn ranged(kind: DataKind, low: Option<Value>, high: Option<Value>) -> DataType {
        let bound = |value| Bound { value, inclusive: true };
        let refinements = vec![Refinement::Range {
            minimum: low.map(bound),
            maximum: high.map(bound),
        }];
        DataType {
            kind,
            optional: false,
            refinements,
        }
    }

    #[test]
    fn a_value_outside_its_range_is_told_with_the_range() {
        let ty = ranged(DataKind::Int, Some(Value::Int(10)), Some(Value::Int(2000)));
        assert_eq!(check(&ty, &Value::Int(10)), Ok(()));
        assert_eq!(
            check(&ty, &Value::Int(5)),
            Err("5 does not fit `int in 10..=2000`: it must be at least 10 and at most 2000".to_owned())
        );
    }

    #[test]
    fn patterns_and_lengths_hold_or_are_told() {
        let mut ty = DataType::plain(DataKind::String);
        ty.refinements = vec![Refinement::Matches("^[A-Z]{2}$".to_owned())];
        assert_eq!(check(&ty, &Value::String("DE".to_owned())), Ok(()));
        let message = check(&ty, &Value::String("de".to_owned())).unwrap_err();
        assert!(message.contains("\"de\" does not fit"), "{message}");
        ty.refinements = vec![Refinement::Length {
            minimum: 1,
            maximum: Some(2),
        }];
        assert!(check(&ty, &Value::String(String::new())).is_err());
    }

    #[test]
    fn an_absent_value_needs_an_optional_type() {
        let mut ty = DataType::plain(DataKind::Int);
        assert!(check(&ty, &Value::None).is_err());
        ty.optional = true;
        assert_eq!(check(&ty, &Value::None), Ok(()));
    }
}
