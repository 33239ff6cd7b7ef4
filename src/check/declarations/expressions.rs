//! Expressions over columns: features, shares of checks. Each gets a type, with what is known of its range and absence.

use std::collections::BTreeSet;

use super::constants::literal_value;
use super::context::Context;
use crate::diagnostics::{Code, nearest};
use crate::plan::{BinaryOperator, Expression, Function, TextPart, UnaryOperator};
use crate::syntax::ast::{BinaryOp, Else, Expr, ExprKind, Ident, IfExpr, Literal, StatementKind, StringPart, UnaryOp};
use crate::types::{Bound, Column, ColumnTag, DataKind, DataType, Refinement, Value, relation};

use super::intervals::Interval;

/// The columns that an expression can read.
pub(crate) struct Columns<'a> {
    /// What they belong to, for messages.
    pub(crate) of: &'a str,
    /// The columns.
    pub(crate) columns: &'a [Column],
    /// Whether columns are missing because of errors that were reported.
    pub(crate) incomplete: bool,
    /// Names whose definition has an error that was reported: their uses stay silent.
    pub(crate) broken: &'a [String],
    /// Names that are defined further down.
    pub(crate) later: &'a [String],
}

impl Columns<'_> {
    fn get(&self, name: &str) -> Option<&Column> {
        self.columns.iter().rev().find(|column| column.name == name)
    }
}

/// A literal of Python or SQL as it is written here.
pub(crate) fn foreign_literal(name: &str) -> Option<&'static str> {
    match name {
        "True" | "TRUE" => Some("true"),
        "False" | "FALSE" => Some("false"),
        "None" | "null" | "NULL" | "nil" => Some("none"),
        _ => None,
    }
}

/// An operand for a sentence: a type, or the number itself where only one is possible.
fn operand_shown(ty: &DataType) -> String {
    match (&ty.kind, ty.refinements.as_slice()) {
        (
            DataKind::Int,
            [
                Refinement::Range {
                    minimum: Some(low),
                    maximum: Some(high),
                },
            ],
        ) if low == high => format!("the int `{}`", low.value),
        _ => format!("`{ty}`"),
    }
}

/// An expression with its type.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    /// For the plan.
    pub(crate) expression: Expression,
    /// Its type.
    pub(crate) ty: DataType,
    /// The columns it reads.
    pub(crate) reads: BTreeSet<String>,
    /// `@pii` tags of what it reads, unless hidden by `hash` or `bucket`.
    pub(crate) pii: Vec<ColumnTag>,
}

impl Typed {
    fn constant(value: Value, ty: DataType) -> Self {
        Self {
            expression: Expression::Value(value),
            ty,
            reads: BTreeSet::new(),
            pii: Vec::new(),
        }
    }

    /// What a combination of parts reads; its expression is still to be set.
    pub(crate) fn from_parts<'a>(parts: impl IntoIterator<Item = &'a Self>, ty: DataType) -> Self {
        let mut whole = Self::constant(Value::None, ty);
        for part in parts {
            whole.reads.extend(part.reads.iter().cloned());
            for tag in &part.pii {
                if !whole.pii.contains(tag) {
                    whole.pii.push(tag.clone());
                }
            }
        }
        whole
    }

    /// The same value as a float.
    fn into_float(mut self) -> Self {
        if self.ty.kind == DataKind::Int {
            let optional = self.ty.optional;
            self.ty = Interval::of(&self.ty).number(DataKind::Float).or_absent(optional);
            self.expression = Expression::Call {
                function: Function::ToFloat,
                arguments: vec![self.expression],
            };
        }
        self
    }
}

impl Context<'_> {
    /// Types an expression. `wanted` is the type of what it meets, so that a bare name can be a value of an enum and a
    /// text a date. Nothing when that was reported.
    pub(crate) fn column_expression(
        &mut self,
        expr: &Expr,
        columns: &Columns<'_>,
        wanted: Option<&DataType>,
    ) -> Option<Typed> {
        match &expr.kind {
            ExprKind::Literal(Literal::None) => {
                let ty = wanted.cloned().map(|wanted| wanted.or_absent(true));
                if ty.is_none() {
                    let message = "`none` says nothing here, where no type is known.";
                    let diagnostic = self.problem(Code::OperandTypes, expr.id, message);
                    self.report(diagnostic.help("Use `is_none(column)` to ask whether a value is absent."));
                }
                Some(Typed::constant(Value::None, ty?))
            }
            ExprKind::Literal(literal) => literal_value(literal).map(constant_of),
            ExprKind::String(parts) => self.text_expression(expr, parts, columns, wanted),
            ExprKind::Name(name) => self.column_name(name, columns, wanted),
            ExprKind::Unary { op, operand } => self.unary_expression(expr, *op, operand, columns),
            ExprKind::Binary {
                op: BinaryOp::In,
                left,
                right,
            } => self.membership(left, right, columns),
            // Chained comparisons are a syntax error, which was reported.
            ExprKind::Binary { op, left, .. } if is_comparison(*op) && is_compared(left) => None,
            ExprKind::Binary { op, left, right } => {
                let (left, right) = self.operands(left, right, columns, wanted)?;
                self.combine(expr, *op, left, right)
            }
            ExprKind::Call(call) => self.function_call(expr, call, columns),
            ExprKind::If(choice) => self.choice(expr, choice, columns, wanted),
            ExprKind::Member { base, name } => self.record_field(base, name, columns),
            ExprKind::Error => None,
            ExprKind::Range { .. }
            | ExprKind::List(_)
            | ExprKind::Record(_)
            | ExprKind::Columns(_)
            | ExprKind::Index { .. }
            | ExprKind::Tagged { .. } => {
                let diagnostic = self.problem(Code::OperandTypes, expr.id, "This is no value that a row can have.");
                self.report(diagnostic.help("Compute a number, a text, a bool, a date or a value of an enum."));
                None
            }
        }
    }

    fn text_expression(
        &mut self,
        expr: &Expr,
        parts: &[StringPart],
        columns: &Columns<'_>,
        wanted: Option<&DataType>,
    ) -> Option<Typed> {
        if let Some(text) = super::settings::plain_text(expr) {
            let date = wanted.filter(|wanted| matches!(wanted.kind, DataKind::Date | DataKind::Datetime));
            let Some(wanted) = date else {
                return Some(Typed::constant(Value::String(text), DataType::plain(DataKind::String)));
            };
            let kind = DataType::plain(wanted.kind.clone());
            return self.constant_of(expr, &kind).map(|value| Typed::constant(value, kind));
        }
        let mut typed = Vec::new();
        let mut written = Vec::new();
        for part in parts {
            match part {
                StringPart::Text(text) => written.push(TextPart::Text(text.clone())),
                StringPart::Hole(hole) => {
                    let hole = self.column_expression(hole, columns, None)?;
                    written.push(TextPart::Hole(hole.expression.clone()));
                    typed.push(hole);
                }
            }
        }
        let absent = typed.iter().any(|part| part.ty.optional);
        let mut whole = Typed::from_parts(&typed, DataType::plain(DataKind::String).or_absent(absent));
        whole.expression = Expression::Text(written);
        Some(whole)
    }

    fn column_name(&mut self, name: &Ident, columns: &Columns<'_>, wanted: Option<&DataType>) -> Option<Typed> {
        let text = name.text.as_str();
        let of = wanted.and_then(|wanted| match &wanted.kind {
            DataKind::Enum(of) => Some(of),
            _ => None,
        });
        if let Some(variant) = of.and_then(|of| of.variants.iter().find(|variant| variant.name == text)) {
            let ty = DataType::plain(DataKind::Enum(of?.clone()));
            return Some(Typed::constant(Value::Enum(variant.text.clone()), ty));
        }
        if columns.broken.iter().any(|broken| broken == text) {
            return None;
        }
        if let Some(column) = columns.get(text) {
            return Some(Typed {
                expression: Expression::Column(column.name.clone()),
                ty: column.ty.clone(),
                reads: BTreeSet::from([column.name.clone()]),
                pii: column.tags.iter().filter(|tag| tag.name == "pii").cloned().collect(),
            });
        }
        if columns.later.iter().any(|later| later == text) {
            let message = format!("`{text}` is computed further down.");
            let diagnostic = self.problem(Code::UnknownColumn, name.id, message);
            self.report(diagnostic.help(format!("Move the line that computes `{text}` above this one.")));
            return None;
        }
        self.no_such_value(name, columns, of);
        None
    }

    fn no_such_value(&mut self, name: &Ident, columns: &Columns<'_>, of: Option<&crate::types::EnumType>) {
        if let Some(word) = foreign_literal(&name.text) {
            let message = format!("`{}` is no value of the language.", name.text);
            let diagnostic = self.problem(Code::UnknownColumn, name.id, message);
            self.report(diagnostic.help(format!("Write `{word}`.")));
            return;
        }
        if columns.incomplete {
            return;
        }
        let message = match of {
            Some(of) => format!(
                "`{}` is neither a column of `{}` nor a value of `{of}`.",
                name.text, columns.of
            ),
            None => format!("`{}` has no column `{}`.", columns.of, name.text),
        };
        let diagnostic = self.problem(Code::UnknownColumn, name.id, message);
        let variants = of
            .into_iter()
            .flat_map(|of| of.variants.iter().map(|variant| variant.name.as_str()));
        let known = columns
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .chain(variants);
        let known: Vec<&str> = known.collect();
        let diagnostic = match nearest(&name.text, known.iter().copied()) {
            Some(found) => self.did_you_mean(diagnostic, name, &found),
            None => diagnostic.note(format!("The columns are {}.", crate::types::display::enumerate(&known))),
        };
        self.report(diagnostic);
    }

    fn record_field(&mut self, base: &Expr, name: &Ident, columns: &Columns<'_>) -> Option<Typed> {
        let typed = self.column_expression(base, columns, None)?;
        let found = match &typed.ty.kind {
            DataKind::Record(record) => record.fields.iter().find(|field| field.name == name.text.as_str()),
            _ => None,
        };
        let Some(field) = found else {
            let message = format!("`{}` has no field `{}`.", typed.ty, name.text);
            let diagnostic = self.problem(Code::UnknownColumn, name.id, message);
            self.report(diagnostic);
            return None;
        };
        let mut whole = Typed::from_parts([&typed], field.ty.clone().or_absent(typed.ty.optional));
        whole.expression = Expression::Field {
            base: Box::new(typed.expression),
            name: field.name.clone(),
        };
        Some(whole)
    }

    fn unary_expression(&mut self, expr: &Expr, op: UnaryOp, operand: &Expr, columns: &Columns<'_>) -> Option<Typed> {
        let operand = self.column_expression(operand, columns, None)?;
        let (operator, ty) = match op {
            UnaryOp::Not if operand.ty.kind == DataKind::Bool => (UnaryOperator::Not, DataType::plain(DataKind::Bool)),
            UnaryOp::Negate if operand.ty.is_number() => {
                let interval = Interval::of(&operand.ty).negated();
                (UnaryOperator::Negate, interval.number(operand.ty.kind.clone()))
            }
            UnaryOp::Not | UnaryOp::Negate => {
                let (sign, needs) = match op {
                    UnaryOp::Not => ("!", "a `bool`"),
                    UnaryOp::Negate => ("-", "a number"),
                };
                let message = format!("`{sign}` needs {needs}, but this is `{}`.", operand.ty);
                let diagnostic = self.problem(Code::OperandTypes, expr.id, message);
                self.report(diagnostic);
                return None;
            }
        };
        if let (UnaryOperator::Negate, Expression::Value(value)) = (operator, &operand.expression) {
            let negated = match value {
                Value::Int(value) => value.checked_neg().map(Value::Int),
                Value::Float(value) => Some(Value::Float(-value)),
                _ => None,
            };
            return negated.map(|value| Typed::constant(value, ty));
        }
        let mut whole = Typed::from_parts([&operand], ty.or_absent(operand.ty.optional));
        whole.expression = Expression::Unary {
            operator,
            operand: Box::new(operand.expression),
        };
        Some(whole)
    }

    /// Types two operands that meet: the one that can stand alone first, then the other in its light.
    fn operands(
        &mut self,
        left: &Expr,
        right: &Expr,
        columns: &Columns<'_>,
        wanted: Option<&DataType>,
    ) -> Option<(Typed, Typed)> {
        let needs_light = |expr: &Expr| match &expr.kind {
            ExprKind::Name(name) => columns.get(&name.text).is_none(),
            ExprKind::String(_) | ExprKind::Literal(Literal::None) => true,
            _ => false,
        };
        if needs_light(left) && !needs_light(right) {
            let right = self.column_expression(right, columns, wanted)?;
            let left = self.column_expression(left, columns, Some(&right.ty))?;
            return Some((left, right));
        }
        let first = self.column_expression(left, columns, wanted);
        let light = first.as_ref().map(|first| first.ty.clone());
        let second = match (&first, needs_light(right)) {
            // What the right side means depends on the left, which has an error already.
            (None, true) => None,
            _ => self.column_expression(right, columns, light.as_ref()),
        };
        Some((first?, second?))
    }

    fn membership(&mut self, value: &Expr, within: &Expr, columns: &Columns<'_>) -> Option<Typed> {
        let value_expr = value;
        let value = self.column_expression(value, columns, None)?;
        match &within.kind {
            ExprKind::Range { start, end, inclusive } => {
                let mut side = |expr: &Option<Box<Expr>>| match expr {
                    None => Some(None),
                    Some(expr) => {
                        let own = self.column_expression(expr, columns, Some(&value.ty))?;
                        let sound = self.comparable(value_expr, BinaryOp::LessEqual, &value, &own);
                        sound.then_some(Some(own))
                    }
                };
                let (low, high) = (side(start), side(end));
                let (low, high) = (low?, high?);
                let parts: Vec<&Typed> = [Some(&value), low.as_ref(), high.as_ref()]
                    .into_iter()
                    .flatten()
                    .collect();
                let absent = parts.iter().any(|part| part.ty.optional);
                let mut whole = Typed::from_parts(parts, DataType::plain(DataKind::Bool).or_absent(absent));
                whole.expression = Expression::Between {
                    value: Box::new(value.expression),
                    low: low.map(|low| Box::new(low.expression)),
                    high: high.map(|high| Box::new(high.expression)),
                    inclusive: *inclusive,
                };
                Some(whole)
            }
            ExprKind::List(items) if !items.is_empty() => {
                let mut whole: Option<Typed> = None;
                for item in items {
                    let own = self.column_expression(item, columns, Some(&value.ty))?;
                    let equal = self.combine(item, BinaryOp::Equal, value.clone(), own)?;
                    whole = match whole {
                        None => Some(equal),
                        Some(before) => self.combine(item, BinaryOp::Or, before, equal),
                    };
                }
                whole
            }
            _ => {
                let diagnostic = self.problem(
                    Code::OperandTypes,
                    within.id,
                    "A range or a list of values is needed behind `in`.",
                );
                self.report(diagnostic.help("Write a range such as `1..=10`, or values such as `[own, rent]`."));
                None
            }
        }
    }

    fn choice(
        &mut self,
        expr: &Expr,
        choice: &IfExpr,
        columns: &Columns<'_>,
        wanted: Option<&DataType>,
    ) -> Option<Typed> {
        let condition = self.column_expression(&choice.condition, columns, None);
        if let Some(condition) = &condition
            && condition.ty.kind != DataKind::Bool
        {
            let message = format!("The condition of an `if` is a `bool`, but this is `{}`.", condition.ty);
            let diagnostic = self.problem(Code::OperandTypes, choice.condition.id, message);
            self.report(diagnostic);
            return None;
        }
        let then = only_value(&choice.then.statements);
        let otherwise = match &choice.otherwise {
            Some(Else::Block(block)) => only_value(&block.statements),
            Some(Else::If(expr)) => Some(expr.as_ref()),
            None => None,
        };
        let (Some(then), Some(otherwise)) = (then, otherwise) else {
            let message = "An `if` that gives a value has one expression in each arm, and an `else`.";
            let diagnostic = self.problem(Code::OperandTypes, expr.id, message);
            self.report(diagnostic.help("Write `if condition { a } else { b }`."));
            return None;
        };
        let (then, otherwise) = self.operands(then, otherwise, columns, wanted)?;
        let condition = condition?;
        let (then, otherwise, ty) = self.unified(expr, then, otherwise)?;
        let ty = ty.or_absent(condition.ty.optional);
        let mut whole = Typed::from_parts([&condition, &then, &otherwise], ty);
        whole.expression = Expression::If {
            condition: Box::new(condition.expression),
            then: Box::new(then.expression),
            otherwise: Box::new(otherwise.expression),
        };
        Some(whole)
    }

    /// Brings two values to one type.
    fn unified(&mut self, expr: &Expr, left: Typed, right: Typed) -> Option<(Typed, Typed, DataType)> {
        let absent = left.ty.optional || right.ty.optional;
        if left.ty.is_number() && right.ty.is_number() {
            let mixed = left.ty.kind != right.ty.kind;
            let (left, right) = if mixed {
                (left.into_float(), right.into_float())
            } else {
                (left, right)
            };
            let interval = Interval::of(&left.ty).union(Interval::of(&right.ty));
            let ty = interval.number(left.ty.kind.clone()).or_absent(absent);
            return Some((left, right, ty));
        }
        let wider = |one: &Typed, other: &Typed| {
            let mut ty = one.ty.clone();
            ty.optional = true;
            let fits = relation::fits(&other.ty, &ty).is_ok();
            ty.optional = absent;
            fits.then_some(ty)
        };
        let plain = DataType::plain(left.ty.kind.clone()).or_absent(absent);
        let same = (left.ty.kind == right.ty.kind).then_some(plain);
        match wider(&left, &right).or_else(|| wider(&right, &left)).or(same) {
            Some(ty) => Some((left, right, ty)),
            None => {
                let message = format!(
                    "Both sides must have one type, but these are `{}` and `{}`.",
                    left.ty, right.ty
                );
                let diagnostic = self.problem(Code::OperandTypes, expr.id, message);
                self.report(diagnostic.help("Convert one of them, for example with `to_string`."));
                None
            }
        }
    }

    /// An operator with typed operands.
    fn combine(&mut self, expr: &Expr, op: BinaryOp, left: Typed, right: Typed) -> Option<Typed> {
        let absent = left.ty.optional || right.ty.optional;
        let truth = || DataType::plain(DataKind::Bool).or_absent(absent);
        let (left, right, ty) = match op {
            BinaryOp::Coalesce => {
                let optional = right.ty.optional;
                let (left, right, mut ty) = self.unified(expr, left, right)?;
                ty.optional = optional;
                (left, right, ty)
            }
            BinaryOp::Or | BinaryOp::And => {
                let sound = left.ty.kind == DataKind::Bool && right.ty.kind == DataKind::Bool;
                if !sound {
                    return self.operands_refused(expr, op, &left, &right);
                }
                (left, right, truth())
            }
            BinaryOp::Equal
            | BinaryOp::NotEqual
            | BinaryOp::Less
            | BinaryOp::LessEqual
            | BinaryOp::Greater
            | BinaryOp::GreaterEqual => {
                if !self.comparable(expr, op, &left, &right) {
                    return None;
                }
                (left, right, truth())
            }
            BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Remainder => {
                match arithmetic(op, &left.ty, &right.ty) {
                    Some(ty) => (left, right, ty.or_absent(absent)),
                    None => return self.operands_refused(expr, op, &left, &right),
                }
            }
            BinaryOp::In => return None,
        };
        let mut whole = Typed::from_parts([&left, &right], ty);
        whole.expression = Expression::Binary {
            operator: operator(op)?,
            left: Box::new(left.expression),
            right: Box::new(right.expression),
        };
        Some(whole)
    }

    /// Whether two values can be compared; reported where not.
    fn comparable(&mut self, expr: &Expr, op: BinaryOp, left: &Typed, right: &Typed) -> bool {
        let ordered = |kind: &DataKind| {
            !matches!(
                kind,
                DataKind::Bool | DataKind::Enum(_) | DataKind::List(_) | DataKind::Map(_) | DataKind::Record(_)
            )
        };
        let equality = matches!(op, BinaryOp::Equal | BinaryOp::NotEqual);
        let (one, other) = (&left.ty.kind, &right.ty.kind);
        let plain = |kind: &DataKind| DataType::plain(kind.clone());
        let same = (left.ty.is_number() && right.ty.is_number())
            || one == other
            || relation::fits(&plain(one), &plain(other)).is_ok()
            || relation::fits(&plain(other), &plain(one)).is_ok();
        let sound = same
            && (equality || ordered(one))
            && !matches!(one, DataKind::List(_) | DataKind::Map(_) | DataKind::Record(_));
        if !sound {
            let _ = self.operands_refused(expr, op, left, right);
        }
        sound
    }

    fn operands_refused(&mut self, expr: &Expr, op: BinaryOp, left: &Typed, right: &Typed) -> Option<Typed> {
        let sign = sign(op);
        let (one, other) = (operand_shown(&left.ty), operand_shown(&right.ty));
        let message = format!("`{sign}` does not go between {one} and {other}.");
        let diagnostic = self.problem(Code::OperandTypes, expr.id, message);
        let kinds = (&left.ty.kind, &right.ty.kind);
        let help = match kinds {
            (DataKind::Enum(of), DataKind::String) | (DataKind::String, DataKind::Enum(of)) => {
                format!("Compare with a value of the enum by its name: {}.", enum_names(of))
            }
            (DataKind::Enum(_), DataKind::Enum(_)) => "Values of an enum have no order; compare them with `==` or `!=`.".to_owned(),
            _ => "There is no coercion but from a literal `int` to `float`; convert one side, for example with `to_float`.".to_owned(),
        };
        self.report(diagnostic.help(help));
        None
    }
}

fn enum_names(of: &crate::types::EnumType) -> String {
    let names: Vec<&str> = of.variants.iter().map(|variant| variant.name.as_str()).collect();
    crate::types::display::enumerate(&names)
}

fn is_comparison(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::Equal
            | BinaryOp::NotEqual
            | BinaryOp::Less
            | BinaryOp::LessEqual
            | BinaryOp::Greater
            | BinaryOp::GreaterEqual
    )
}

fn is_compared(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Binary { op, .. } if is_comparison(*op))
}

/// The one expression of an arm.
fn only_value(statements: &[crate::syntax::ast::Statement]) -> Option<&Expr> {
    match statements {
        [only] => match &only.kind {
            StatementKind::Expr(expr) => Some(expr),
            _ => None,
        },
        _ => None,
    }
}

/// A constant with the narrowest type that holds it.
fn constant_of(value: Value) -> Typed {
    let kind = match &value {
        Value::Bool(_) => DataKind::Bool,
        Value::Int(_) => DataKind::Int,
        Value::Float(_) => DataKind::Float,
        Value::Duration(_) => DataKind::Duration,
        Value::Size(_) => DataKind::Size,
        Value::Money { .. } => DataKind::Money,
        Value::None
        | Value::String(_)
        | Value::Date(_)
        | Value::Datetime(_)
        | Value::Enum(_)
        | Value::List(_)
        | Value::Map(_) => DataKind::String,
    };
    let mut ty = DataType::plain(kind);
    if ty.is_number() {
        let bound = Some(Bound {
            value: value.clone(),
            inclusive: true,
        });
        ty.refinements.push(Refinement::Range {
            minimum: bound.clone(),
            maximum: bound,
        });
    }
    Typed::constant(value, ty)
}

fn arithmetic(op: BinaryOp, left: &DataType, right: &DataType) -> Option<DataType> {
    if left.is_number() && right.is_number() {
        return numbers(op, left, right);
    }
    let plain = |kind| Some(DataType::plain(kind));
    match (op, &left.kind, &right.kind) {
        (BinaryOp::Add, DataKind::String, DataKind::String) => plain(DataKind::String),
        (BinaryOp::Add | BinaryOp::Subtract, DataKind::Duration, DataKind::Duration) => plain(DataKind::Duration),
        (BinaryOp::Add | BinaryOp::Subtract, DataKind::Datetime, DataKind::Duration)
        | (BinaryOp::Add, DataKind::Duration, DataKind::Datetime) => plain(DataKind::Datetime),
        (BinaryOp::Subtract, DataKind::Datetime, DataKind::Datetime) => plain(DataKind::Duration),
        _ => None,
    }
}

fn numbers(op: BinaryOp, left: &DataType, right: &DataType) -> Option<DataType> {
    let whole = left.kind == DataKind::Int && right.kind == DataKind::Int;
    let kind = if whole { DataKind::Int } else { DataKind::Float };
    let (one, other) = (Interval::of(left), Interval::of(right));
    match op {
        BinaryOp::Add => Some(one.plus(other).number(kind)),
        BinaryOp::Subtract => Some(one.plus(other.negated()).number(kind)),
        BinaryOp::Multiply => Some(one.times(other).number(kind)),
        BinaryOp::Divide => Some(
            one.over(other)
                .number(DataKind::Float)
                .or_absent(!other.excludes_zero()),
        ),
        BinaryOp::Remainder if whole => {
            let sign = if other.above(0.0) {
                Interval::from(0.0)
            } else {
                Interval::default()
            };
            Some(sign.number(kind).or_absent(!other.excludes_zero()))
        }
        _ => None,
    }
}

fn operator(op: BinaryOp) -> Option<BinaryOperator> {
    Some(match op {
        BinaryOp::Coalesce => BinaryOperator::Coalesce,
        BinaryOp::Or => BinaryOperator::Or,
        BinaryOp::And => BinaryOperator::And,
        BinaryOp::Equal => BinaryOperator::Equal,
        BinaryOp::NotEqual => BinaryOperator::NotEqual,
        BinaryOp::Less => BinaryOperator::Less,
        BinaryOp::LessEqual => BinaryOperator::LessEqual,
        BinaryOp::Greater => BinaryOperator::Greater,
        BinaryOp::GreaterEqual => BinaryOperator::GreaterEqual,
        BinaryOp::Add => BinaryOperator::Add,
        BinaryOp::Subtract => BinaryOperator::Subtract,
        BinaryOp::Multiply => BinaryOperator::Multiply,
        BinaryOp::Divide => BinaryOperator::Divide,
        BinaryOp::Remainder => BinaryOperator::Remainder,
        BinaryOp::In => return None,
    })
}

fn sign(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Coalesce => "??",
        BinaryOp::Or => "||",
        BinaryOp::And => "&&",
        BinaryOp::Equal => "==",
        BinaryOp::NotEqual => "!=",
        BinaryOp::Less => "<",
        BinaryOp::LessEqual => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterEqual => ">=",
        BinaryOp::In => "in",
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
        BinaryOp::Remainder => "%",
    }
}
