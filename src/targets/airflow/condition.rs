//! Conditions as Python, in the subset that means the same in both languages: comparisons of present booleans, numbers and
//! texts. What lies outside of it is computed by the launcher instead.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not listed lies outside of the subset, and is computed"
)]

use super::dag::TaskId;
use super::python;
use super::scope::Scope;
use crate::plan::{BinaryOperator, Expression, PortType, Reference, Source, UnaryOperator};
use crate::types::{DataKind, DataType, Value};

/// A condition that a task of Airflow evaluates.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    /// Python over the names of `values`.
    pub(super) text: String,
    /// Whether it needs parentheses to be denied.
    pub(super) is_compound: bool,
    /// The values, by the names that stand in the text.
    pub(super) values: Vec<(String, Pulled)>,
}

/// A value that Airflow itself reads.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Pulled {
    /// A parameter of the run.
    Parameter(String),
    /// The item of a loop.
    Item(String),
    /// What a task returned.
    Result {
        /// The task.
        task: TaskId,
        /// Which of its outputs.
        port: String,
        /// How many loops stand around the task.
        depth: u32,
        /// The kind of value that it must be: `int`, `list`.
        kind: &'static str,
    },
    /// How the tasks before a `finally` ended.
    Outcome {
        /// The task that looked.
        task: TaskId,
        /// How many loops stand around it.
        depth: u32,
    },
}

/// How Airflow reads the value of a source; nothing where it cannot.
pub(super) fn pulled(source: &Source, ty: &PortType, scope: &Scope) -> Option<Pulled> {
    let PortType::Value(ty) = ty else {
        return None;
    };
    match source {
        Source::Parameter(name) => Some(Pulled::Parameter(name.clone())),
        Source::Item(repeat) => Some(Pulled::Item(repeat.clone())),
        Source::Port { task, port, depth } => Some(Pulled::Result {
            task: task.clone(),
            port: port.clone(),
            depth: *depth,
            kind: kind(ty)?,
        }),
        Source::Outcome(task) => Some(Pulled::Outcome {
            task: task.clone(),
            depth: scope.depth(),
        }),
        _ => None,
    }
}

/// The Python type that JSON gives for a value that is always there.
fn kind(ty: &DataType) -> Option<&'static str> {
    if ty.optional {
        return None;
    }
    Some(match &ty.kind {
        DataKind::Bool => "bool",
        DataKind::Int => "int",
        DataKind::Float => "float",
        DataKind::String | DataKind::Enum(_) => "str",
        DataKind::List(_) => "list",
        _ => return None,
    })
}

/// A condition in the subset.
pub(super) fn condition(expression: &Expression, scope: &Scope) -> Option<Condition> {
    let mut writer = Writer {
        scope,
        values: Vec::new(),
    };
    let text = writer.boolean(expression)?;
    let is_compound = match expression {
        Expression::Binary { operator, .. } => matches!(operator, BinaryOperator::And | BinaryOperator::Or),
        Expression::Between { .. } => true,
        _ => false,
    };
    // Parentheses around the whole say nothing.
    let bare = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    let text = match bare.filter(|_| is_compound) {
        Some(bare) => bare.to_owned(),
        None => text,
    };
    Some(Condition {
        text,
        is_compound,
        values: writer.values,
    })
}

/// A condition that the launcher computed.
pub(super) fn computed(task: &str, depth: u32) -> Condition {
    Condition {
        text: "holds".to_owned(),
        is_compound: false,
        values: vec![(
            "holds".to_owned(),
            Pulled::Result {
                task: task.to_owned(),
                port: "holds".to_owned(),
                depth,
                kind: "bool",
            },
        )],
    }
}

struct Writer<'s> {
    scope: &'s Scope,
    values: Vec<(String, Pulled)>,
}

impl Writer<'_> {
    fn boolean(&mut self, expression: &Expression) -> Option<String> {
        match expression {
            Expression::Value(Value::Bool(value)) => Some(python::boolean(*value).to_owned()),
            Expression::Reference(reference) => {
                let (name, ty) = self.reference(reference)?;
                (ty.kind == DataKind::Bool).then_some(name)
            }
            Expression::Unary {
                operator: UnaryOperator::Not,
                operand,
            } => Some(format!("not {}", self.boolean(operand)?)),
            Expression::Binary { operator, left, right } => self.binary(*operator, left, right),
            Expression::Between {
                value,
                low,
                high,
                inclusive,
            } => {
                let upper = if *inclusive { "<=" } else { "<" };
                let low = low.as_deref().map(|low| self.comparison(value, ">=", low));
                let high = high.as_deref().map(|high| self.comparison(value, upper, high));
                let ends: Vec<String> = [low, high].into_iter().flatten().collect::<Option<_>>()?;
                (!ends.is_empty()).then(|| format!("({})", ends.join(" and ")))
            }
            _ => None,
        }
    }

    fn binary(&mut self, operator: BinaryOperator, left: &Expression, right: &Expression) -> Option<String> {
        let sign = match operator {
            BinaryOperator::And => return Some(format!("({} and {})", self.boolean(left)?, self.boolean(right)?)),
            BinaryOperator::Or => return Some(format!("({} or {})", self.boolean(left)?, self.boolean(right)?)),
            BinaryOperator::Equal => "==",
            BinaryOperator::NotEqual => "!=",
            BinaryOperator::Less => "<",
            BinaryOperator::LessEqual => "<=",
            BinaryOperator::Greater => ">",
            BinaryOperator::GreaterEqual => ">=",
            BinaryOperator::Coalesce
            | BinaryOperator::Add
            | BinaryOperator::Subtract
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Remainder => return None,
        };
        self.comparison(left, sign, right)
    }

    fn comparison(&mut self, left: &Expression, sign: &str, right: &Expression) -> Option<String> {
        let equality = matches!(sign, "==" | "!=");
        let (left, left_kind) = self.scalar(left)?;
        let (right, right_kind) = self.scalar(right)?;
        let same = left_kind == right_kind || matches!((left_kind, right_kind), (Scalar::Float, Scalar::Int));
        let ordered = matches!(left_kind, Scalar::Int | Scalar::Float);
        (same && (equality || ordered)).then(|| format!("{left} {sign} {right}"))
    }

    fn scalar(&mut self, expression: &Expression) -> Option<(String, Scalar)> {
        match expression {
            Expression::Value(value) => Some(match value {
                Value::Bool(value) => (python::boolean(*value).to_owned(), Scalar::Bool),
                Value::Int(value) => (value.to_string(), Scalar::Int),
                Value::Float(value) => (python::float(*value), Scalar::Float),
                Value::String(text) | Value::Enum(text) => (python::text(text), Scalar::Text),
                _ => return None,
            }),
            Expression::Reference(reference) => {
                let (name, ty) = self.reference(reference)?;
                let kind = match ty.kind {
                    DataKind::Bool => Scalar::Bool,
                    DataKind::Int => Scalar::Int,
                    DataKind::Float => Scalar::Float,
                    DataKind::String | DataKind::Enum(_) => Scalar::Text,
                    _ => return None,
                };
                Some((name, kind))
            }
            _ => None,
        }
    }

    fn reference(&mut self, reference: &Reference) -> Option<(String, DataType)> {
        let bound = self.scope.bound(reference)?;
        let PortType::Value(ty) = &bound.ty else {
            return None;
        };
        if ty.optional {
            return None;
        }
        let value = pulled(&bound.source, &bound.ty, self.scope)?;
        let ty = ty.clone();
        if let Some((name, _)) = self.values.iter().find(|(_, known)| *known == value) {
            return Some((name.clone(), ty));
        }
        let wanted = match reference {
            Reference::Parameter(name) | Reference::Item(name) => name.clone(),
            Reference::Output { node, port } if port == "output" => node.clone(),
            Reference::Output { node, port } => format!("{node}_{port}"),
            Reference::Outcome => "outcome".to_owned(),
            Reference::RunId | Reference::ScheduledTime | Reference::Attempt => return None,
        };
        let taken: Vec<&str> = self.values.iter().map(|(name, _)| name.as_str()).collect();
        let name = python::name(&wanted, &|name| taken.contains(&name));
        self.values.push((name.clone(), value));
        Some((name, ty))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scalar {
    Bool,
    Int,
    Float,
    Text,
}
