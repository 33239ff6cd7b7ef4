//! Refinements: `int in 1..=10`, `float > 0`, `string matches "…"`, `list<T> length 1..=5`.

use super::context::Context;
use crate::diagnostics::Code;
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, NodeId, RefinementExpr, Text};
use crate::types::{Bound, DataKind, DataType, Range, Refinement, Value};

impl Context<'_> {
    /// Narrows a type; the type as it was where the refinement has an error.
    pub(crate) fn refine(&mut self, mut base: DataType, refinement: &RefinementExpr, node: NodeId) -> DataType {
        let refinement = match refinement {
            RefinementExpr::In(expr) => self.range_refinement(&base, expr, node),
            RefinementExpr::Compare(op, expr) => self.compare_refinement(&base, *op, expr, node),
            RefinementExpr::Matches(pattern) => self.pattern_refinement(&base, pattern, node),
            RefinementExpr::Length(expr) => self.length_refinement(&base, expr, node),
        };
        if let Some(refinement) = refinement {
            base.refinements.push(refinement);
            let nothing_left =
                matches!(base.refinements.last(), Some(Refinement::Range { .. }) if base.range().is_empty());
            if nothing_left {
                let message = format!("No value is left in `{base}`.");
                let diagnostic = self.problem(Code::EmptyRange, node, message);
                self.report(
                    diagnostic.help("Write the smaller end first; `..=` includes the upper end, `..` does not."),
                );
                base.refinements.pop();
            }
        }
        base
    }

    fn range_refinement(&mut self, base: &DataType, expr: &Expr, node: NodeId) -> Option<Refinement> {
        self.must_be_ordered(base, node)?;
        let range = self.constant_range(expr, &DataType::plain(base.kind.clone()))?;
        Some(Refinement::Range {
            minimum: range.minimum,
            maximum: range.maximum,
        })
    }

    /// `1..=10` with constant ends of a type.
    pub(crate) fn constant_range(&mut self, expr: &Expr, of: &DataType) -> Option<Range> {
        let ExprKind::Range { start, end, inclusive } = &expr.kind else {
            if expr.kind != ExprKind::Error {
                let diagnostic = self.problem(Code::BadRefinement, expr.id, "A range is needed behind `in`.");
                self.report(diagnostic.help("Write both ends, as in `1..=10`, or one, as in `1..`."));
            }
            return None;
        };
        let mut bound = |expr: &Option<Box<Expr>>, inclusive: bool| match expr {
            None => Some(None),
            Some(expr) => self.constant_of(expr, of).map(|value| Some(Bound { value, inclusive })),
        };
        let (minimum, maximum) = (bound(start, true), bound(end, *inclusive));
        Some(Range {
            minimum: minimum?,
            maximum: maximum?,
        })
    }

    fn compare_refinement(&mut self, base: &DataType, op: BinaryOp, expr: &Expr, node: NodeId) -> Option<Refinement> {
        self.must_be_ordered(base, node)?;
        let value = self.constant_of(expr, &DataType::plain(base.kind.clone()))?;
        let range = compared(op, value)?;
        Some(Refinement::Range {
            minimum: range.minimum,
            maximum: range.maximum,
        })
    }

    fn pattern_refinement(&mut self, base: &DataType, pattern: &Text, node: NodeId) -> Option<Refinement> {
        if base.kind != DataKind::String {
            return self.does_not_fit(base, "`matches`", "`string`", node);
        }
        match regex::Regex::new(&pattern.value) {
            Ok(_) => Some(Refinement::Matches(pattern.value.clone())),
            Err(error) => {
                let text = error.to_string();
                let reason = text
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .trim_start_matches("error: ")
                    .to_owned();
                let message = format!("`{}` is not a regular expression: {reason}.", pattern.value);
                let diagnostic = self.problem(Code::BadPattern, pattern.id, message);
                self.report(diagnostic.note("Patterns have the syntax of the Rust crate `regex`."));
                None
            }
        }
    }

    fn length_refinement(&mut self, base: &DataType, expr: &Expr, node: NodeId) -> Option<Refinement> {
        if !matches!(base.kind, DataKind::String | DataKind::List(_) | DataKind::Map(_)) {
            return self.does_not_fit(base, "`length`", "`string`, `list` and `map`", node);
        }
        let range = self.constant_range(expr, &DataType::plain(DataKind::Int))?;
        let end = |bound: &Option<Bound>| match bound.as_ref().map(|bound| (&bound.value, bound.inclusive)) {
            Some((Value::Int(value), true)) => Some(u64::try_from(*value).ok()),
            Some((Value::Int(value), false)) => Some(value.checked_sub(1).and_then(|value| u64::try_from(value).ok())),
            Some(_) | None => None,
        };
        let (minimum, maximum) = (end(&range.minimum).unwrap_or(Some(0)), end(&range.maximum));
        let (Some(minimum), true) = (minimum, maximum != Some(None)) else {
            let diagnostic = self.problem(Code::EmptyRange, expr.id, "A length cannot be negative.");
            self.report(diagnostic);
            return None;
        };
        let maximum = maximum.flatten();
        if maximum.is_some_and(|maximum| maximum < minimum) {
            let diagnostic = self.problem(Code::EmptyRange, expr.id, "No length lies in this range.");
            self.report(diagnostic.help("Write the smaller end first."));
            return None;
        }
        Some(Refinement::Length { minimum, maximum })
    }

    fn must_be_ordered(&mut self, base: &DataType, node: NodeId) -> Option<()> {
        match base.kind {
            DataKind::Int
            | DataKind::Float
            | DataKind::Date
            | DataKind::Datetime
            | DataKind::Duration
            | DataKind::Size
            | DataKind::Money => Some(()),
            DataKind::Bool
            | DataKind::String
            | DataKind::Enum(_)
            | DataKind::List(_)
            | DataKind::Map(_)
            | DataKind::Record(_) => {
                self.does_not_fit(base, "A range", "numbers, dates, durations, sizes and money", node)?;
                None
            }
        }
    }

    fn does_not_fit(&mut self, base: &DataType, what: &str, of: &str, node: NodeId) -> Option<Refinement> {
        let message = format!("{what} narrows {of}, but this type is `{base}`.");
        let diagnostic = self.problem(Code::BadRefinement, node, message);
        self.report(diagnostic);
        None
    }
}

/// The values for which `value op constant` holds; nothing for an operator that is no order.
pub(crate) fn compared(op: BinaryOp, value: Value) -> Option<Range> {
    let bound = |inclusive| {
        Some(Bound {
            value: value.clone(),
            inclusive,
        })
    };
    let (minimum, maximum) = match op {
        BinaryOp::Less => (None, bound(false)),
        BinaryOp::LessEqual => (None, bound(true)),
        BinaryOp::Greater => (bound(false), None),
        BinaryOp::GreaterEqual => (bound(true), None),
        BinaryOp::Equal => (bound(true), bound(true)),
        BinaryOp::Coalesce
        | BinaryOp::Or
        | BinaryOp::And
        | BinaryOp::NotEqual
        | BinaryOp::In
        | BinaryOp::Add
        | BinaryOp::Subtract
        | BinaryOp::Multiply
        | BinaryOp::Divide
        | BinaryOp::Remainder => return None,
    };
    Some(Range { minimum, maximum })
}
