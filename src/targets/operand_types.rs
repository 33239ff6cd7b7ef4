//! The types of operands, for the few places where a plan does not say them: the items of a loop.

use super::TargetError;
use crate::plan::{BinaryOperator, Expression, Function, Operand, PortType, Reference, UnaryOperator};
use crate::types::{DataKind, DataType, EnumType, EnumVariant, RecordField, RecordType, Value};

/// What a reference stands for, by its type.
pub(super) type Types<'a> = dyn Fn(&Reference) -> Result<PortType, TargetError> + 'a;

/// The type of an operand.
pub(super) fn of_operand(operand: &Operand, types: &Types<'_>) -> Result<PortType, TargetError> {
    Ok(match operand {
        Operand::Value(value) => PortType::Value(type_of([value])),
        Operand::Reference(reference) => types(reference)?,
        Operand::Expression(expression) => PortType::Value(of_expression(expression, types)?),
        Operand::List(items) => {
            let first = match items.first() {
                Some(first) => of_operand(first, types)?,
                None => PortType::Value(DataType::plain(DataKind::String)),
            };
            if let PortType::Value(of) = first {
                PortType::Value(DataType::plain(DataKind::List(Box::new(unrefined(of)))))
            } else {
                PortType::List(Box::new(first))
            }
        }
    })
}

/// The type that every value of a kind has.
fn unrefined(ty: DataType) -> DataType {
    DataType {
        refinements: Vec::new(),
        ..ty
    }
}

fn of_expression(expression: &Expression, types: &Types<'_>) -> Result<DataType, TargetError> {
    let plain = |kind| Ok(DataType::plain(kind));
    match expression {
        Expression::Value(value) => Ok(type_of([value])),
        Expression::Reference(reference) => {
            let PortType::Value(of) = types(reference)? else {
                return plain(DataKind::String);
            };
            Ok(unrefined(of))
        }
        Expression::Column(_) | Expression::Metric(_) | Expression::Text(_) => plain(DataKind::String),
        Expression::Between { .. }
        | Expression::Unary {
            operator: UnaryOperator::Not,
            ..
        } => plain(DataKind::Bool),
        Expression::Unary {
            operator: UnaryOperator::Negate,
            operand,
        } => of_expression(operand, types),
        Expression::Binary { operator, left, right } => of_binary(*operator, left, right, types),
        Expression::Call { function, arguments } => of_call(*function, arguments, types),
        Expression::If { then, .. } => of_expression(then, types),
        Expression::Field { base, name } => {
            let base = of_expression(base, types)?;
            let DataKind::Record(record) = &base.kind else {
                return plain(DataKind::String);
            };
            let field = record.fields.iter().find(|field| field.name == *name);
            let ty = field.map_or_else(|| DataType::plain(DataKind::String), |field| field.ty.clone());
            Ok(unrefined(ty).or_absent(base.optional))
        }
    }
}

fn of_binary(
    operator: BinaryOperator,
    left: &Expression,
    right: &Expression,
    types: &Types<'_>,
) -> Result<DataType, TargetError> {
    let (left, right) = (of_expression(left, types)?, of_expression(right, types)?);
    Ok(match operator {
        BinaryOperator::Coalesce => DataType {
            optional: right.optional,
            ..left
        },
        BinaryOperator::Or
        | BinaryOperator::And
        | BinaryOperator::Equal
        | BinaryOperator::NotEqual
        | BinaryOperator::Less
        | BinaryOperator::LessEqual
        | BinaryOperator::Greater
        | BinaryOperator::GreaterEqual => DataType::plain(DataKind::Bool),
        BinaryOperator::Divide => DataType::plain(DataKind::Float).or_absent(true),
        BinaryOperator::Subtract if left.kind == DataKind::Datetime && right.kind == DataKind::Datetime => {
            DataType::plain(DataKind::Duration)
        }
        BinaryOperator::Add | BinaryOperator::Subtract | BinaryOperator::Multiply => {
            if right.kind == DataKind::Float {
                right
            } else {
                left
            }
        }
        BinaryOperator::Remainder => left.or_absent(true),
    })
}

fn of_call(function: Function, arguments: &[Expression], types: &Types<'_>) -> Result<DataType, TargetError> {
    let kind = match function {
        Function::Floor
        | Function::Ceil
        | Function::Round
        | Function::Length
        | Function::Year
        | Function::Month
        | Function::Day
        | Function::Hour
        | Function::Minute
        | Function::Weekday
        | Function::Days
        | Function::ToInt => DataKind::Int,
        Function::Ln
        | Function::Ln1p
        | Function::Exp
        | Function::Sqrt
        | Function::Hours
        | Function::Minutes
        | Function::ToFloat => DataKind::Float,
        Function::Lower | Function::Upper | Function::Trim | Function::ToString | Function::Hash => DataKind::String,
        Function::StartsWith | Function::Contains | Function::IsNone => DataKind::Bool,
        Function::Abs | Function::Min | Function::Max | Function::Bucket => {
            return match arguments.first() {
                Some(first) => of_expression(first, types),
                None => Ok(DataType::plain(DataKind::Float)),
            };
        }
    };
    Ok(DataType::plain(kind))
}

/// The type of one item; nothing for what is no list.
pub(super) fn item(ty: &PortType) -> Option<PortType> {
    if let PortType::List(of) = ty {
        return Some(of.as_ref().clone());
    }
    let PortType::Value(DataType {
        kind: DataKind::List(of),
        ..
    }) = ty
    else {
        return None;
    };
    Some(PortType::Value(of.as_ref().clone()))
}

/// The type that holds all of the values, as far as the values tell.
pub(super) fn type_of<'v>(values: impl IntoIterator<Item = &'v Value>) -> DataType {
    let mut of: Option<DataType> = None;
    let mut optional = false;
    for value in values {
        match kind_of(value) {
            None => optional = true,
            Some(kind) => {
                let ty = DataType::plain(kind);
                of = Some(of.map_or(ty.clone(), |known| joined(known, ty)));
            }
        }
    }
    of.unwrap_or_else(|| DataType::plain(DataKind::String))
        .or_absent(optional)
}

fn kind_of(value: &Value) -> Option<DataKind> {
    Some(match value {
        Value::None => return None,
        Value::Bool(_) => DataKind::Bool,
        Value::Int(_) => DataKind::Int,
        Value::Float(_) => DataKind::Float,
        Value::String(_) => DataKind::String,
        Value::Date(_) => DataKind::Date,
        Value::Datetime(_) => DataKind::Datetime,
        Value::Duration(_) => DataKind::Duration,
        Value::Size(_) => DataKind::Size,
        Value::Money { .. } => DataKind::Money,
        Value::Enum(text) => DataKind::Enum(EnumType {
            name: None,
            variants: vec![EnumVariant {
                name: text.clone(),
                text: text.clone(),
            }],
        }),
        Value::List(items) => DataKind::List(Box::new(type_of(items))),
        Value::Map(entries) => DataKind::Record(RecordType {
            name: None,
            fields: entries
                .iter()
                .map(|(name, value)| RecordField {
                    name: name.clone(),
                    ty: type_of([value]),
                })
                .collect(),
        }),
    })
}

/// The type that holds what either holds.
fn joined(left: DataType, right: DataType) -> DataType {
    let optional = left.optional || right.optional;
    let kind = match (left.kind, right.kind) {
        (DataKind::Int, DataKind::Float) | (DataKind::Float, DataKind::Int) => DataKind::Float,
        (DataKind::Enum(mut left), DataKind::Enum(right)) => {
            let new = right.variants.into_iter().filter(|one| !left.variants.contains(one));
            let new: Vec<_> = new.collect();
            left.variants.extend(new);
            DataKind::Enum(left)
        }
        (DataKind::List(left), DataKind::List(right)) => DataKind::List(Box::new(joined(*left, *right))),
        (DataKind::Record(left), DataKind::Record(right)) => DataKind::Record(joined_fields(left, right)),
        (left, _) => left,
    };
    DataType::plain(kind).or_absent(optional)
}

fn joined_fields(left: RecordType, right: RecordType) -> RecordType {
    let mut fields = left.fields;
    for field in right.fields {
        match fields.iter_mut().find(|known| known.name == field.name) {
            Some(known) => known.ty = joined(known.ty.clone(), field.ty),
            None => fields.push(field),
        }
    }
    RecordType { name: None, fields }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_of_a_constant_list_holds_every_item() {
        assert_eq!(
            type_of(&[Value::Int(1), Value::Float(0.5)]),
            DataType::plain(DataKind::Float)
        );
        let optional = type_of(&[Value::None, Value::Bool(true)]);
        assert!(optional.optional && optional.kind == DataKind::Bool);
    }
}
