//! Constant expressions: literals, their arithmetic, lists and records of them. Nothing here reads a column or a run-time value.

use std::collections::BTreeMap;

use super::context::Context;
use crate::diagnostics::{Code, nearest};
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, Literal, StringPart, UnaryOp};
use crate::types::{DataKind, DataType, Value, relation};

impl Context<'_> {
    /// The value of a constant expression that must be of a type. Nothing when that was reported, or could not be read.
    pub(crate) fn constant_of(&mut self, expr: &Expr, wanted: &DataType) -> Option<Value> {
        if let (ExprKind::Name(name), Some(of)) = (&expr.kind, enum_of(wanted)) {
            let found = of.variants.iter().find(|variant| variant.name == name.text.as_str());
            if let Some(variant) = found {
                return Some(Value::Enum(variant.text.clone()));
            }
            let message = format!("`{}` is no value of `{of}`.", name.text);
            let mut diagnostic = self.problem(Code::ConstantRefused, expr.id, message);
            let names = of.variants.iter().map(|variant| variant.name.as_str());
            if let Some(found) = nearest(&name.text, names) {
                diagnostic = self.did_you_mean(diagnostic, name, &found);
            }
            self.report(diagnostic);
            return None;
        }
        if let (ExprKind::List(items), DataKind::List(item)) = (&expr.kind, &wanted.kind) {
            let values: Option<Vec<Value>> = items.iter().map(|own| self.constant_of(own, item)).collect();
            return self.admitted(expr, Value::List(values?), wanted);
        }
        let value = self.constant(expr)?;
        self.admitted(expr, value, wanted)
    }

    fn admitted(&mut self, expr: &Expr, value: Value, wanted: &DataType) -> Option<Value> {
        let shown = value.to_string();
        match relation::admit(value, wanted) {
            Ok(value) => Some(value),
            Err(problem) => {
                let diagnostic = self.problem(Code::ConstantRefused, expr.id, format!("`{shown}` {problem}."));
                self.report(diagnostic);
                None
            }
        }
    }

    /// The value of a constant expression of any type.
    pub(crate) fn constant(&mut self, expr: &Expr) -> Option<Value> {
        match &expr.kind {
            ExprKind::Literal(literal) => literal_value(literal),
            ExprKind::String(parts) => self.constant_text(expr, parts).map(Value::String),
            ExprKind::Unary { op, operand } => {
                let value = self.constant(operand)?;
                self.computed(expr, unary(*op, &value))
            }
            ExprKind::Binary { op, left, right } => {
                let (left, right) = (self.constant(left), self.constant(right));
                self.computed(expr, binary(*op, &left?, &right?))
            }
            ExprKind::List(items) => {
                let values: Option<Vec<Value>> = items.iter().map(|item| self.constant(item)).collect();
                values.map(Value::List)
            }
            ExprKind::Record(fields) => {
                let mut entries = BTreeMap::new();
                for field in fields {
                    entries.insert(field.name.text.to_string(), self.constant(&field.value)?);
                }
                Some(Value::Map(entries))
            }
            ExprKind::Error => None,
            ExprKind::Name(_)
            | ExprKind::Member { .. }
            | ExprKind::Call(_)
            | ExprKind::Range { .. }
            | ExprKind::Columns(_)
            | ExprKind::Index { .. }
            | ExprKind::If(_)
            | ExprKind::Tagged { .. } => self.computed(expr, None),
        }
    }

    fn constant_text(&mut self, expr: &Expr, parts: &[StringPart]) -> Option<String> {
        let mut text = String::new();
        for part in parts {
            match part {
                StringPart::Text(part) => text.push_str(part),
                StringPart::Hole(_) => {
                    self.computed(expr, None)?;
                }
            }
        }
        Some(text)
    }

    fn computed(&mut self, expr: &Expr, value: Option<Value>) -> Option<Value> {
        if value.is_none() {
            let message = "This is not a constant: only literals and arithmetic on them can stand here.";
            let diagnostic = self
                .problem(Code::NotConstant, expr.id, message)
                .note("What stands here is part of the declaration, which is the same for every run.");
            self.report(match &expr.kind {
                ExprKind::Name(name) => match super::expressions::foreign_literal(&name.text) {
                    Some(word) => diagnostic.help(format!("Write `{word}`.")),
                    None => diagnostic.help(format!("If `{0}` is a text, write `\"{0}\"`.", name.text)),
                },
                ExprKind::Member { .. } => diagnostic.help("A text, such as a path, stands between double quotes."),
                _ => diagnostic,
            });
        }
        value
    }
}

fn enum_of(ty: &DataType) -> Option<&crate::types::EnumType> {
    match &ty.kind {
        DataKind::Enum(of) => Some(of),
        DataKind::Bool
        | DataKind::Int
        | DataKind::Float
        | DataKind::String
        | DataKind::Date
        | DataKind::Datetime
        | DataKind::Duration
        | DataKind::Size
        | DataKind::Money
        | DataKind::List(_)
        | DataKind::Map(_)
        | DataKind::Record(_) => None,
    }
}

/// The value of a literal; nothing for one that was reported as a syntax error.
pub(crate) fn literal_value(literal: &Literal) -> Option<Value> {
    Some(match literal {
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Int(value) => Value::Int(*value),
        Literal::Float(value) | Literal::Percent(value) => Value::Float(*value),
        Literal::Duration(value) => Value::Duration(*value),
        Literal::Size(value) => Value::Size(*value),
        Literal::Money(amount, currency) => Value::Money {
            amount: *amount,
            currency: currency.to_string(),
        },
        Literal::None => Value::None,
        Literal::Error => return None,
    })
}

fn unary(op: UnaryOp, value: &Value) -> Option<Value> {
    match (op, value) {
        (UnaryOp::Not, Value::Bool(value)) => Some(Value::Bool(!value)),
        (UnaryOp::Negate, Value::Int(value)) => value.checked_neg().map(Value::Int),
        (UnaryOp::Negate, Value::Float(value)) => Some(Value::Float(-value)),
        (UnaryOp::Negate, Value::Duration(value)) => value.checked_neg().map(Value::Duration),
        (UnaryOp::Negate, Value::Money { amount, currency }) => Some(Value::Money {
            amount: amount.checked_neg()?,
            currency: currency.clone(),
        }),
        _ => None,
    }
}

fn binary(op: BinaryOp, left: &Value, right: &Value) -> Option<Value> {
    if let (Value::Int(left), Value::Int(right)) = (left, right)
        && op != BinaryOp::Divide
    {
        return integers(op, *left, *right).map(Value::Int);
    }
    if let (Value::Duration(left), Value::Duration(right)) = (left, right) {
        return integers(op, *left, *right).map(Value::Duration);
    }
    let (left, right) = (left.as_number()?, right.as_number()?);
    let value = floats(op, left, right)?;
    value.is_finite().then_some(Value::Float(value))
}

fn integers(op: BinaryOp, left: i64, right: i64) -> Option<i64> {
    match op {
        BinaryOp::Add => left.checked_add(right),
        BinaryOp::Subtract => left.checked_sub(right),
        BinaryOp::Multiply => left.checked_mul(right),
        BinaryOp::Remainder => left.checked_rem_euclid(right),
        BinaryOp::Divide
        | BinaryOp::Coalesce
        | BinaryOp::Or
        | BinaryOp::And
        | BinaryOp::Equal
        | BinaryOp::NotEqual
        | BinaryOp::Less
        | BinaryOp::LessEqual
        | BinaryOp::Greater
        | BinaryOp::GreaterEqual
        | BinaryOp::In => None,
    }
}

fn floats(op: BinaryOp, left: f64, right: f64) -> Option<f64> {
    match op {
        BinaryOp::Add => Some(left + right),
        BinaryOp::Subtract => Some(left - right),
        BinaryOp::Multiply => Some(left * right),
        BinaryOp::Divide => Some(left / right),
        BinaryOp::Remainder
        | BinaryOp::Coalesce
        | BinaryOp::Or
        | BinaryOp::And
        | BinaryOp::Equal
        | BinaryOp::NotEqual
        | BinaryOp::Less
        | BinaryOp::LessEqual
        | BinaryOp::Greater
        | BinaryOp::GreaterEqual
        | BinaryOp::In => None,
    }
}
