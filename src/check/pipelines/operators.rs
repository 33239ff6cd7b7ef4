//! Operators over run-time values, typed; and the constants that calls stand for (`date("…")`).

use crate::diagnostics::Code;
use crate::plan::{BinaryOperator, Expression, Operand, UnaryOperator};
use crate::syntax::ast::{BinaryOp, Call, Expr, ExprKind, NodeId, StringPart, UnaryOp};
use crate::types::relation;
use crate::types::{DataKind, DataType, Type, Value};

use super::arguments::capital;
use super::describe;
use super::elaborator::Elaborator;
use super::fitting::bare;
use super::scope::Computed;
use super::values::{as_expression, computed};

/// A value with its expression.
struct Scalar {
    ty: DataType,
    operand: Operand,
    expression: Expression,
}

impl Scalar {
    fn constant(&self) -> Option<&Value> {
        match &self.operand {
            Operand::Value(value) => Some(value),
            Operand::Reference(_) | Operand::Expression(_) | Operand::List(_) => None,
        }
    }
}

impl Elaborator<'_> {
    /// `date("…")`, `datetime("…")`; nothing for any other call.
    pub(super) fn constant_call(&mut self, place: NodeId, call: &Call) -> Option<Computed> {
        let kind = match call.callee.text.as_str() {
            "date" => DataKind::Date,
            "datetime" => DataKind::Datetime,
            _ => return None,
        };
        let ty = DataType::plain(kind);
        let Some(text) = constant_text(call) else {
            let message = format!("`{}` takes one constant text.", call.callee.text);
            let problem = self.problem(Code::NotConstant, place, message);
            self.report(problem.help("Write it as in `date(\"2026-01-31\")`."));
            return Some(Computed::Unknown);
        };
        match relation::admit(Value::String(text.clone()), &ty) {
            Ok(value) => Some(Computed::One {
                ty: Type::Data(ty),
                operand: Operand::Value(value),
            }),
            Err(_) => {
                let message = format!("\"{text}\" is no {ty}.");
                let problem = self.problem(Code::ConstantRefused, place, message);
                self.report(problem.help("A date is written `2026-01-31`, a datetime `2026-01-31T08:30:00Z`."));
                Some(Computed::Unknown)
            }
        }
    }

    fn scalar(&mut self, expr: &Expr, expected: Option<&Type>) -> Option<Scalar> {
        let value = self.expression(expr, expected);
        let (ty, operand) = match value {
            Computed::Unknown => return None,
            Computed::One {
                ty: Type::Data(ty),
                operand,
            } => (ty, operand),
            Computed::One { ref ty, .. } => {
                let text = capital(&describe::expression(expr));
                let message = format!("{text} is `{ty}`, and operators work on values only.");
                let problem = self.problem(Code::OperandTypes, expr.id, message);
                self.report(problem.help("Compute it in a step that gives a value."));
                return None;
            }
            Computed::Ports(_) | Computed::Nothing(_) => {
                self.not_one_value(expr, &value);
                return None;
            }
        };
        let expression = as_expression(&operand)?;
        Some(Scalar {
            ty,
            operand,
            expression,
        })
    }

    /// A value with its type, as a part of an expression; nothing after a report.
    pub(super) fn scalar_value(&mut self, expr: &Expr) -> Option<(DataType, Expression)> {
        let scalar = self.scalar(expr, None)?;
        Some((scalar.ty, scalar.expression))
    }

    /// `!x`, `-x`
    pub(super) fn unary(&mut self, expr: &Expr, op: UnaryOp, operand: &Expr) -> Computed {
        let Some(scalar) = self.scalar(operand, None) else {
            return Computed::Unknown;
        };
        let (operator, allowed) = match op {
            UnaryOp::Not => (UnaryOperator::Not, scalar.ty.kind == DataKind::Bool),
            UnaryOp::Negate => (
                UnaryOperator::Negate,
                scalar.ty.is_number() || scalar.ty.kind == DataKind::Duration,
            ),
        };
        if !allowed {
            let sign = if op == UnaryOp::Not { "!" } else { "-" };
            let message = format!("`{sign}` does not work on `{}`.", bare(&scalar.ty));
            let problem = self.problem(Code::OperandTypes, expr.id, message);
            self.report(problem);
            return Computed::Unknown;
        }
        let folded = match (op, scalar.constant()) {
            (UnaryOp::Negate, Some(Value::Int(value))) => value.checked_neg().map(Value::Int),
            (UnaryOp::Negate, Some(Value::Float(value))) => Some(Value::Float(-value)),
            (UnaryOp::Not, Some(Value::Bool(value))) => Some(Value::Bool(!value)),
            (_, _) => None,
        };
        if let Some(value) = folded {
            return Computed::One {
                ty: Type::Data(bare(&scalar.ty)),
                operand: Operand::Value(value),
            };
        }
        let expression = Expression::Unary {
            operator,
            operand: Box::new(scalar.expression),
        };
        computed(bare(&scalar.ty), expression)
    }

    /// `a + b`, `a == b`, `x in 1..=3`, `a ?? b`
    pub(super) fn binary(&mut self, expr: &Expr, op: BinaryOp, left: &Expr, right: &Expr) -> Computed {
        if op == BinaryOp::In {
            return self.within(expr, left, right);
        }
        let Some((left, right)) = self.pair(left, right) else {
            return Computed::Unknown;
        };
        let Some((operator, ty)) = result(op, &left.ty, &right.ty) else {
            self.operands_differ(expr, op, &left.ty, &right.ty);
            return Computed::Unknown;
        };
        if let (Some(a), Some(b)) = (left.constant(), right.constant())
            && let Some(value) = fold(op, a, b)
        {
            return Computed::One {
                ty: Type::Data(ty),
                operand: Operand::Value(value),
            };
        }
        let expression = Expression::Binary {
            operator,
            left: Box::new(left.expression),
            right: Box::new(right.expression),
        };
        computed(ty, expression)
    }

    /// Reports operands that an operator does not take together.
    pub(super) fn operands_differ(&mut self, expr: &Expr, op: BinaryOp, left: &DataType, right: &DataType) {
        let message = format!(
            "`{}` does not work on `{}` and `{}`.",
            sign(op),
            bare(left),
            bare(right)
        );
        let problem = self.problem(Code::OperandTypes, expr.id, message);
        self.report(problem.help("Compare and compute with values of one type."));
    }

    /// Two operands, of which one may give meaning to a bare enum value on the other side.
    fn pair(&mut self, left: &Expr, right: &Expr) -> Option<(Scalar, Scalar)> {
        let bare_left = matches!(&left.kind, ExprKind::Name(name) if name.text != "outcome" && self.scopes.peek(&name.text).is_none());
        if bare_left {
            let right = self.scalar(right, None)?;
            let left = self.scalar(left, Some(&Type::Data(right.ty.clone())))?;
            return Some((left, right));
        }
        let first = self.scalar(left, None);
        let expected = first.as_ref().map(|scalar| Type::Data(scalar.ty.clone()));
        let second = self.scalar(right, expected.as_ref());
        Some((first?, second?))
    }

    fn within(&mut self, expr: &Expr, left: &Expr, right: &Expr) -> Computed {
        let value = self.scalar(left, None);
        if let ExprKind::Range { start, end, inclusive } = &right.kind {
            let low = start.as_ref().map(|start| self.scalar(start, None));
            let high = end.as_ref().map(|end| self.scalar(end, None));
            let Some(value) = value else { return Computed::Unknown };
            return self.between(expr, value, [low, high], *inclusive);
        }
        if let ExprKind::List(items) = &right.kind {
            let Some(value) = value else { return Computed::Unknown };
            return self.one_of(expr, &value, items);
        }
        self.visit(right);
        let message = "`in` needs a range or a list on its right.";
        let problem = self.problem(Code::OperandTypes, right.id, message);
        self.report(problem.help("Write `x in 1..=10` or `x in [a, b]`."));
        Computed::Unknown
    }

    /// Low and high end: outer `None` where the range is open, inner `None` where the end is wrong.
    fn between(&mut self, expr: &Expr, value: Scalar, ends: [Option<Option<Scalar>>; 2], inclusive: bool) -> Computed {
        let mut bounds = [None, None];
        for (end, bound) in ends.into_iter().zip(&mut bounds) {
            let Some(end) = end else { continue };
            let Some(scalar) = end else { return Computed::Unknown };
            if result(BinaryOp::LessEqual, &value.ty, &scalar.ty).is_none() {
                return self.not_comparable(expr, &value.ty, &scalar.ty);
            }
            *bound = Some(Box::new(scalar.expression));
        }
        let [low, high] = bounds;
        let expression = Expression::Between {
            value: Box::new(value.expression),
            low,
            high,
            inclusive,
        };
        computed(DataType::plain(DataKind::Bool).or_absent(value.ty.optional), expression)
    }

    fn one_of(&mut self, expr: &Expr, value: &Scalar, items: &[Expr]) -> Computed {
        let mut any: Option<Expression> = None;
        for item in items {
            let Some(item) = self.scalar(item, Some(&Type::Data(value.ty.clone()))) else {
                return Computed::Unknown;
            };
            if result(BinaryOp::Equal, &value.ty, &item.ty).is_none() {
                return self.not_comparable(expr, &value.ty, &item.ty);
            }
            let equal = Expression::Binary {
                operator: BinaryOperator::Equal,
                left: Box::new(value.expression.clone()),
                right: Box::new(item.expression),
            };
            any = Some(match any {
                None => equal,
                Some(before) => Expression::Binary {
                    operator: BinaryOperator::Or,
                    left: Box::new(before),
                    right: Box::new(equal),
                },
            });
        }
        let expression = any.unwrap_or(Expression::Value(Value::Bool(false)));
        computed(DataType::plain(DataKind::Bool).or_absent(value.ty.optional), expression)
    }

    fn not_comparable(&mut self, expr: &Expr, left: &DataType, right: &DataType) -> Computed {
        let message = format!("`{}` cannot be compared with `{}`.", bare(left), bare(right));
        let problem = self.problem(Code::OperandTypes, expr.id, message);
        self.report(problem);
        Computed::Unknown
    }
}

/// The one argument of a call, if it is a text without holes.
fn constant_text(call: &Call) -> Option<String> {
    let [argument] = call.arguments.as_slice() else {
        return None;
    };
    if let ExprKind::String(parts) = &argument.value.kind
        && let [StringPart::Text(text)] = parts.as_slice()
        && argument.name.is_none()
    {
        return Some(text.clone());
    }
    None
}

/// The operator of the plan and the type of its result; nothing when the operands do not go together.
pub(super) fn result(op: BinaryOp, left: &DataType, right: &DataType) -> Option<(BinaryOperator, DataType)> {
    let absent = left.optional || right.optional;
    let plain = |kind: DataKind| DataType::plain(kind).or_absent(absent);
    let numbers = left.is_number() && right.is_number();
    let same = left.kind == right.kind;
    let (l, r) = (&left.kind, &right.kind);
    let number = || if same { l.clone() } else { DataKind::Float };
    let text = same && *l == DataKind::String;
    let spans = same && matches!(l, DataKind::Duration | DataKind::Size | DataKind::Money);
    let logic = *l == DataKind::Bool && *r == DataKind::Bool;
    let equal = numbers || same && !matches!(l, DataKind::List(_) | DataKind::Map(_) | DataKind::Record(_));
    let ordered = numbers || spans || same && matches!(l, DataKind::Date | DataKind::Datetime);
    let boolean = || plain(DataKind::Bool);
    match op {
        BinaryOp::Coalesce => {
            let ty = bare(left).kind;
            let fits = same || numbers && *l == DataKind::Float;
            fits.then(|| (BinaryOperator::Coalesce, DataType::plain(ty).or_absent(right.optional)))
        }
        BinaryOp::Or => logic.then(|| (BinaryOperator::Or, boolean())),
        BinaryOp::And => logic.then(|| (BinaryOperator::And, boolean())),
        BinaryOp::Equal => equal.then(|| (BinaryOperator::Equal, boolean())),
        BinaryOp::NotEqual => equal.then(|| (BinaryOperator::NotEqual, boolean())),
        BinaryOp::Less => ordered.then(|| (BinaryOperator::Less, boolean())),
        BinaryOp::LessEqual => ordered.then(|| (BinaryOperator::LessEqual, boolean())),
        BinaryOp::Greater => ordered.then(|| (BinaryOperator::Greater, boolean())),
        BinaryOp::GreaterEqual => ordered.then(|| (BinaryOperator::GreaterEqual, boolean())),
        BinaryOp::In => None,
        BinaryOp::Add => {
            let kind = match (l, r) {
                (DataKind::Datetime, DataKind::Duration) => Some(DataKind::Datetime),
                _ if numbers => Some(number()),
                _ => (text || spans).then(|| l.clone()),
            };
            kind.map(|kind| (BinaryOperator::Add, plain(kind)))
        }
        BinaryOp::Subtract => {
            let kind = match (l, r) {
                (DataKind::Datetime, DataKind::Datetime) => Some(DataKind::Duration),
                _ if numbers => Some(number()),
                _ => spans.then(|| l.clone()),
            };
            kind.map(|kind| (BinaryOperator::Subtract, plain(kind)))
        }
        BinaryOp::Multiply => numbers.then(|| (BinaryOperator::Multiply, plain(number()))),
        BinaryOp::Divide => numbers.then(|| (BinaryOperator::Divide, plain(DataKind::Float))),
        BinaryOp::Remainder => {
            let whole = same && *l == DataKind::Int;
            whole.then(|| (BinaryOperator::Remainder, plain(DataKind::Int)))
        }
    }
}

/// Two constants, computed now: shares like `1 - 75%` must be known to the compiler.
fn fold(op: BinaryOp, left: &Value, right: &Value) -> Option<Value> {
    if let (Value::Int(left), Value::Int(right)) = (left, right)
        && op != BinaryOp::Divide
    {
        return fold_integers(op, *left, *right).map(Value::Int);
    }
    let (left, right) = (left.as_number()?, right.as_number()?);
    let value = if op == BinaryOp::Add {
        left + right
    } else if op == BinaryOp::Subtract {
        left - right
    } else if op == BinaryOp::Multiply {
        left * right
    } else if op == BinaryOp::Divide && right != 0.0 {
        left / right
    } else {
        return None;
    };
    value.is_finite().then_some(Value::Float(value))
}

fn fold_integers(op: BinaryOp, left: i64, right: i64) -> Option<i64> {
    if op == BinaryOp::Add {
        left.checked_add(right)
    } else if op == BinaryOp::Subtract {
        left.checked_sub(right)
    } else if op == BinaryOp::Multiply {
        left.checked_mul(right)
    } else {
        None
    }
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
