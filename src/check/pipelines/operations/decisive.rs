//! Whether a condition can decide anything: what holds for every model lets every model through.

use crate::plan::{BinaryOperator, Expression, Subject, UnaryOperator};

/// Why a condition does not decide by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weakness {
    /// A side of `||`, `&&`, `!` or `==` is true or false whatever the model is worth.
    SideWithoutMetric,
    /// Something is compared with itself.
    ComparedWithItself,
}

/// What lets a condition hold or fail whatever the model is worth.
pub(super) fn weakness(condition: &Expression) -> Option<Weakness> {
    match condition {
        Expression::Unary {
            operator: UnaryOperator::Not,
            operand,
        } => weakness(operand),
        Expression::Binary { operator, left, right } => {
            let is_comparison = matches!(
                operator,
                BinaryOperator::Equal
                    | BinaryOperator::NotEqual
                    | BinaryOperator::Less
                    | BinaryOperator::LessEqual
                    | BinaryOperator::Greater
                    | BinaryOperator::GreaterEqual
            );
            if is_comparison && left == right {
                return Some(Weakness::ComparedWithItself);
            }
            let connects = matches!(
                operator,
                BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Coalesce
            ) || is_comparison && is_truth(left);
            if !connects {
                return None;
            }
            if !names_metric(left) || !names_metric(right) {
                return Some(Weakness::SideWithoutMetric);
            }
            weakness(left).or_else(|| weakness(right))
        }
        Expression::Value(_)
        | Expression::Reference(_)
        | Expression::Column(_)
        | Expression::Metric(_)
        | Expression::Unary { .. }
        | Expression::Between { .. }
        | Expression::Call { .. }
        | Expression::If { .. }
        | Expression::Text(_)
        | Expression::Field { .. } => None,
    }
}

/// Whether a condition cannot hold without the candidate having been compared with the champion.
pub(super) fn compares(condition: &Expression) -> bool {
    match condition {
        Expression::Binary {
            operator: BinaryOperator::Or,
            left,
            right,
        } => compares(left) && compares(right),
        Expression::Binary {
            operator: BinaryOperator::And,
            left,
            right,
        } => compares(left) || compares(right),
        Expression::Unary { operand, .. } => compares(operand),
        other @ (Expression::Binary { .. }
        | Expression::Between { .. }
        | Expression::Call { .. }
        | Expression::If { .. }
        | Expression::Value(_)
        | Expression::Reference(_)
        | Expression::Column(_)
        | Expression::Metric(_)
        | Expression::Text(_)
        | Expression::Field { .. }) => {
            let mut subjects = Vec::new();
            metrics(other, &mut |subject| subjects.push(subject));
            subjects.contains(&Subject::Candidate) && subjects.contains(&Subject::Champion)
        }
    }
}

fn names_metric(expression: &Expression) -> bool {
    let mut any = false;
    metrics(expression, &mut |_| any = true);
    any
}

/// Whether an expression is built as a condition is.
fn is_truth(expression: &Expression) -> bool {
    match expression {
        Expression::Unary { operator, .. } => *operator == UnaryOperator::Not,
        Expression::Binary { operator, .. } => !matches!(
            operator,
            BinaryOperator::Add
                | BinaryOperator::Subtract
                | BinaryOperator::Multiply
                | BinaryOperator::Divide
                | BinaryOperator::Remainder
        ),
        Expression::Between { .. } => true,
        Expression::Value(_)
        | Expression::Reference(_)
        | Expression::Column(_)
        | Expression::Metric(_)
        | Expression::Call { .. }
        | Expression::If { .. }
        | Expression::Text(_)
        | Expression::Field { .. } => false,
    }
}

/// Calls `visit` with whose metric it is for every metric in a condition.
fn metrics(expression: &Expression, visit: &mut dyn FnMut(Subject)) {
    match expression {
        Expression::Metric(metric) => visit(metric.subject),
        Expression::Unary { operand, .. } => metrics(operand, visit),
        Expression::Binary { left, right, .. } => {
            metrics(left, visit);
            metrics(right, visit);
        }
        Expression::Between { value, low, high, .. } => {
            metrics(value, visit);
            for end in [low, high].into_iter().flatten() {
                metrics(end, visit);
            }
        }
        Expression::Call { arguments, .. } => {
            for argument in arguments {
                metrics(argument, visit);
            }
        }
        Expression::If {
            condition,
            then,
            otherwise,
        } => {
            for part in [condition, then, otherwise] {
                metrics(part, visit);
            }
        }
        Expression::Value(_) | Expression::Reference(_) | Expression::Column(_) | Expression::Text(_) => {}
        Expression::Field { base, .. } => metrics(base, visit),
    }
}
