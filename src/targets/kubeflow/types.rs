//! The types of operands, for the few places where a plan does not say them: the items of a loop.

use super::scope::Types;
use super::values;
use crate::plan::{BinaryOperator, Expression, Function, Operand, PortType, UnaryOperator};
use crate::targets::TargetError;
use crate::types::{DataKind, DataType};

/// The type of an operand.
pub(super) fn of_operand(operand: &Operand, types: &Types) -> Result<PortType, TargetError> {
    Ok(match operand {
        Operand::Value(value) => PortType::Value(values::type_of([value])),
        Operand::Reference(reference) => types.wire(reference)?.ty,
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

fn of_expression(expression: &Expression, types: &Types) -> Result<DataType, TargetError> {
    let plain = |kind| Ok(DataType::plain(kind));
    match expression {
        Expression::Value(value) => Ok(values::type_of([value])),
        Expression::Reference(reference) => {
            let PortType::Value(of) = types.wire(reference)?.ty else {
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
    types: &Types,
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

fn of_call(function: Function, arguments: &[Expression], types: &Types) -> Result<DataType, TargetError> {
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
