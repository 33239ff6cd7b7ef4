//! How a node that evaluates nothing itself is given an operand: a plain container, a Python step, a called pipeline.

use super::names;
use super::scope::{Scope, Source, Types};
use super::values::{self, Wire};
use crate::plan::{Expression, Operand, PortType, Reference, TextPart};
use crate::targets::TargetError;
use crate::targets::pipeline_spec::{ParameterInput, ParameterType, RuntimeValue};
use crate::types::{DataKind, DataType, Value};

/// An operand that the platform itself can hand over.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) source: Source,
    pub(super) wire: Wire,
    /// The tasks that must have ended before.
    pub(super) after: Vec<String>,
    /// Inputs beside it that its text names; as `kfp` does it, the component does not declare them.
    pub(super) beside: Vec<(String, Source)>,
}

/// Takes an operand that is passed where `ty` is asked for; nothing when it must be computed first.
pub(super) fn take(
    operand: &Operand,
    ty: &PortType,
    scope: &mut Scope,
    types: &Types,
) -> Result<Option<Taken>, TargetError> {
    match operand {
        Operand::Reference(reference) => {
            let wire = types.wire(reference)?;
            if needs_check(ty, &wire) {
                return Ok(None);
            }
            let reached = scope.reach(reference, types)?;
            Ok(Some(Taken {
                source: reached.source,
                wire: reached.wire,
                after: reached.after,
                beside: Vec::new(),
            }))
        }
        Operand::Value(value) => constant(value, ty).map(Some).map_err(|number| types.too_large(number)),
        Operand::Expression(expression) => {
            if let Expression::Text(parts) = expression.as_ref() {
                inlined(parts, scope, types)
            } else if let Expression::Field { base, name } = expression.as_ref() {
                field(base, name, ty, scope, types)
            } else {
                Ok(None)
            }
        }
        Operand::List(_) => Ok(None),
    }
}

/// Whether a value must be checked before it enters: its type says less than what is asked for.
fn needs_check(ty: &PortType, wire: &Wire) -> bool {
    let (PortType::Value(asked), PortType::Value(given)) = (ty, &wire.ty) else {
        return false;
    };
    let present = |ty: &DataType| DataType {
        optional: false,
        ..ty.clone()
    };
    values::says_more(asked) && present(asked) != present(given)
}

/// A constant as an input of a task; an integer that the platform cannot hold is given back.
pub(super) fn constant(value: &Value, ty: &PortType) -> Result<Taken, i64> {
    let json = values::constant(value)?;
    let (json, present) = if let PortType::Value(of) = ty {
        let present = DataType {
            optional: false,
            ..of.clone()
        };
        let json = match json.as_f64() {
            Some(float) if of.kind == DataKind::Float => float.into(),
            Some(_) | None => json,
        };
        (json, PortType::Value(present))
    } else {
        (json, ty.clone())
    };
    Ok(Taken {
        source: Source::Parameter(ParameterInput {
            runtime_value: Some(RuntimeValue::Constant(json)),
            ..ParameterInput::default()
        }),
        wire: Wire::plain(present),
        after: Vec::new(),
        beside: Vec::new(),
    })
}

/// Plain text with values in it: the platform puts them in. Nothing when a value would not be written as the language
/// writes it, or when the text around it could be taken for a placeholder.
fn inlined(parts: &[TextPart], scope: &mut Scope, types: &Types) -> Result<Option<Taken>, TargetError> {
    let mut holes = Vec::new();
    for part in parts {
        match part {
            TextPart::Text(text) if text.contains('{') => return Ok(None),
            TextPart::Text(_) => {}
            TextPart::Hole(Expression::Reference(reference)) if is_written_alike(reference, types)? => {
                holes.push(reference);
            }
            TextPart::Hole(_) => return Ok(None),
        }
    }
    let mut text = String::new();
    let mut after = Vec::new();
    let mut beside = Vec::new();
    for part in parts {
        match part {
            TextPart::Text(plain) => text.push_str(plain),
            TextPart::Hole(_) => {
                let Some(reference) = (!holes.is_empty()).then(|| holes.remove(0)) else {
                    return Ok(None);
                };
                let reached = scope.reach(reference, types)?;
                let name = format!("pipelinechannel--{}", names::input(reference));
                text.push_str(&format!("{{{{$.inputs.parameters['{name}']}}}}"));
                after.extend(reached.after);
                beside.push((name, reached.source));
            }
        }
    }
    Ok(Some(Taken {
        source: Source::Parameter(ParameterInput {
            runtime_value: Some(RuntimeValue::Constant(text.into())),
            ..ParameterInput::default()
        }),
        wire: Wire::plain(PortType::Value(DataType::plain(DataKind::String))),
        after,
        beside,
    }))
}

/// Whether the platform writes a value into a text as the language does: texts alone, since `kfp.local` writes the integer
/// 5 as `5.0`.
fn is_written_alike(reference: &Reference, types: &Types) -> Result<bool, TargetError> {
    let own = match reference {
        Reference::Parameter(_) | Reference::Output { .. } | Reference::Item(_) => true,
        // The platform knows these only as whole inputs.
        Reference::Outcome | Reference::RunId | Reference::ScheduledTime | Reference::Attempt => false,
    };
    let wire = types.wire(reference)?;
    let present = matches!(&wire.ty, PortType::Value(of) if !of.optional);
    let alike = wire.parameter() == Some(ParameterType::String);
    Ok(own && present && alike)
}

/// A field of a record that is an input of the graph: the platform selects it.
fn field(
    base: &Expression,
    name: &str,
    ty: &PortType,
    scope: &mut Scope,
    types: &Types,
) -> Result<Option<Taken>, TargetError> {
    let Expression::Reference(reference @ (Reference::Item(_) | Reference::Parameter(_))) = base else {
        return Ok(None);
    };
    let wire = types.wire(reference)?;
    let PortType::Value(DataType {
        kind: DataKind::Record(record),
        optional: false,
        ..
    }) = &wire.ty
    else {
        return Ok(None);
    };
    let Some(field) = record
        .fields
        .iter()
        .find(|field| field.name == name && !field.ty.optional)
    else {
        return Ok(None);
    };
    let wire = Wire::plain(PortType::Value(field.ty.clone()));
    if needs_check(ty, &wire) {
        return Ok(None);
    }
    let reached = scope.reach(reference, types)?;
    let Source::Parameter(mut parameter) = reached.source else {
        return Ok(None);
    };
    if parameter.component_input_parameter.is_none() {
        return Ok(None);
    }
    parameter.parameter_expression_selector = Some(format!("parseJson(string_value)[\"{name}\"]"));
    Ok(Some(Taken {
        source: Source::Parameter(parameter),
        wire,
        after: reached.after,
        beside: Vec::new(),
    }))
}

/// Calls `visit` for every reference in an operand.
pub(super) fn references<'o>(operand: &'o Operand, visit: &mut dyn FnMut(&'o Reference)) {
    match operand {
        Operand::Value(_) => {}
        Operand::Reference(reference) => visit(reference),
        Operand::Expression(expression) => expression.references(visit),
        Operand::List(items) => {
            for item in items {
                references(item, visit);
            }
        }
    }
}

/// An operand as an expression; nothing for a list.
pub(super) fn expression(operand: &Operand) -> Option<Expression> {
    match operand {
        Operand::Value(value) => Some(Expression::Value(value.clone())),
        Operand::Reference(reference) => Some(Expression::Reference(reference.clone())),
        Operand::Expression(expression) => Some(expression.as_ref().clone()),
        Operand::List(_) => None,
    }
}
