//! Conditions of gates and challenges at point values: numbers and truths over metrics and run-time values.
//!
//! An undefined metric makes a condition undecided, never false or true: three-valued, as SQL is. It tests no hypothesis.

use std::collections::BTreeMap;

use mlp::plan::{BinaryOperator, Condition, Expression, Function, MetricReference, Reference, Subject, UnaryOperator};
use mlp::types::Value;

use super::{Context, Item, OperationError, Verdict};
use crate::metrics::{Measure, short};

/// A condition that was judged.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Judged {
    /// The condition as the formatter writes it.
    pub text: String,
    /// How it came out.
    pub verdict: Verdict,
    /// What was measured, for people.
    pub told: String,
    /// Everything worth recording.
    pub record: serde_json::Value,
}

/// The verdict of all conditions together: one that fails outweighs one that is undecided.
pub(super) fn overall(judged: &[Judged]) -> Verdict {
    let any = |verdict| judged.iter().any(|each| each.verdict == verdict);
    if any(Verdict::Fail) {
        Verdict::Fail
    } else if any(Verdict::InsufficientData) {
        Verdict::InsufficientData
    } else {
        Verdict::Pass
    }
}

/// What is recorded about all of them: each one's own record, and what was measured in the words that people read (`told`).
pub(super) fn records(judged: &[Judged]) -> Vec<serde_json::Value> {
    let record = |each: &Judged| {
        let mut record = each.record.clone();
        if let Some(fields) = record.as_object_mut() {
            fields.insert("told".to_owned(), each.told.clone().into());
        }
        record
    };
    judged.iter().map(record).collect()
}

/// One line for each condition, aligned: `✗ auc >= 0.8      0.74 [0.68, 0.8], n = 250`.
pub(super) fn lines(judged: &[Judged]) -> Vec<String> {
    let width = judged.iter().map(|each| each.text.chars().count()).max().unwrap_or(0);
    let line = |each: &Judged| {
        let mark = match each.verdict {
            Verdict::Pass => '✓',
            Verdict::Fail => '✗',
            Verdict::InsufficientData => '?',
        };
        format!("{mark} {:width$}      {}", each.text, each.told)
            .trim_end()
            .to_owned()
    };
    judged.iter().map(line).collect()
}

/// `2 conditions hold`, or which do not.
pub(super) fn summary(judged: &[Judged]) -> String {
    let failed: Vec<&str> = texts(judged, Verdict::Fail);
    let undecided: Vec<&str> = texts(judged, Verdict::InsufficientData);
    match (failed.as_slice(), undecided.as_slice()) {
        ([], []) => match judged.len() {
            1 => "1 condition holds".to_owned(),
            count => format!("{count} conditions hold"),
        },
        ([], undecided) => format!("the data cannot tell whether `{}` holds", undecided.join("` and `")),
        (failed, _) => format!("`{}` does not hold", failed.join("` and `")),
    }
}

fn texts(judged: &[Judged], verdict: Verdict) -> Vec<&str> {
    judged
        .iter()
        .filter(|each| each.verdict == verdict)
        .map(|each| each.text.as_str())
        .collect()
}

/// Why an expression has no value.
#[derive(Debug)]
pub(super) enum Unknown {
    /// A metric is undefined on the data.
    Undefined(String),
    /// A run-time value is absent.
    Absent(String),
    /// The expression makes no sense here.
    Broken(Box<OperationError>),
}

impl From<OperationError> for Unknown {
    fn from(error: OperationError) -> Self {
        Self::Broken(Box::new(error))
    }
}

/// A value while a condition is computed. Durations are milliseconds, as latencies are.
#[derive(Clone, Debug, PartialEq)]
enum Scalar {
    Number(f64),
    Truth(bool),
    Text(String),
}

/// Where a condition's values come from.
pub(super) struct Reader<'a> {
    /// The values of metrics.
    pub metric: &'a dyn Fn(&MetricReference) -> Result<Measure, OperationError>,
    /// The node's inputs.
    pub inputs: &'a BTreeMap<String, Item>,
    /// Inputs by what the condition calls them.
    pub parameters: &'a BTreeMap<String, String>,
}

impl<'a> Reader<'a> {
    /// A reader for one condition.
    pub(super) fn new(
        context: &'a Context,
        condition: &'a Condition,
        metric: &'a dyn Fn(&MetricReference) -> Result<Measure, OperationError>,
    ) -> Self {
        Self {
            metric,
            inputs: context.inputs,
            parameters: &condition.parameters,
        }
    }

    /// Whether the condition holds; the reason when that is undecided.
    pub(super) fn holds(&self, expression: &Expression) -> Result<(Verdict, Option<String>), OperationError> {
        match self.scalar(expression) {
            Ok(Scalar::Truth(true)) => Ok((Verdict::Pass, None)),
            Ok(Scalar::Truth(false)) => Ok((Verdict::Fail, None)),
            Ok(Scalar::Number(_) | Scalar::Text(_)) => Err(unsupported("a condition that is neither true nor false")),
            Err(Unknown::Undefined(reason) | Unknown::Absent(reason)) => Ok((Verdict::InsufficientData, Some(reason))),
            Err(Unknown::Broken(error)) => Err(*error),
        }
    }

    /// The number an expression gives.
    pub(super) fn number(&self, expression: &Expression) -> Result<f64, Unknown> {
        match self.scalar(expression)? {
            Scalar::Number(number) => Ok(number),
            Scalar::Truth(_) | Scalar::Text(_) => Err(broken("a calculation with what is no number")),
        }
    }

    fn truth(&self, expression: &Expression) -> Result<bool, Unknown> {
        match self.scalar(expression)? {
            Scalar::Truth(truth) => Ok(truth),
            Scalar::Number(_) | Scalar::Text(_) => Err(broken("a condition that is neither true nor false")),
        }
    }

    fn scalar(&self, expression: &Expression) -> Result<Scalar, Unknown> {
        match expression {
            Expression::Value(value) => scalar_of(value, "a constant"),
            Expression::Reference(reference) => self.input(reference),
            Expression::Metric(metric) => match (self.metric)(metric)? {
                Ok(value) => Ok(Scalar::Number(value)),
                Err(reason) => Err(Unknown::Undefined(format!("{}: {reason}", metric_text(metric)))),
            },
            Expression::Unary { operator, operand } => match operator {
                UnaryOperator::Not => Ok(Scalar::Truth(!self.truth(operand)?)),
                UnaryOperator::Negate => Ok(Scalar::Number(-self.number(operand)?)),
            },
            Expression::Binary { operator, left, right } => self.binary(*operator, left, right),
            Expression::Between {
                value,
                low,
                high,
                inclusive,
            } => {
                let value = self.number(value)?;
                let above = match low {
                    Some(low) => value >= self.number(low)?,
                    None => true,
                };
                let below = match high {
                    Some(high) if *inclusive => value <= self.number(high)?,
                    Some(high) => value < self.number(high)?,
                    None => true,
                };
                Ok(Scalar::Truth(above && below))
            }
            Expression::Call { function, arguments } => self.call(*function, arguments),
            Expression::If {
                condition,
                then,
                otherwise,
            } => self.scalar(if self.truth(condition)? { then } else { otherwise }),
            Expression::Column(name) => Err(broken(&format!("the column `{name}`"))),
            Expression::Text(_) | Expression::Field { .. } => Err(broken("a text with holes or a field of a record")),
        }
    }

    fn binary(&self, operator: BinaryOperator, left: &Expression, right: &Expression) -> Result<Scalar, Unknown> {
        let numbers = |of: fn(f64, f64) -> f64| Ok(Scalar::Number(of(self.number(left)?, self.number(right)?)));
        let compare = |of: fn(&f64, &f64) -> bool| Ok(Scalar::Truth(of(&self.number(left)?, &self.number(right)?)));
        match operator {
            BinaryOperator::Coalesce => match self.scalar(left) {
                // Only an absent value has a substitute; an undefined metric must stay undecided.
                Err(Unknown::Absent(_)) => self.scalar(right),
                known => known,
            },
            BinaryOperator::Or => self.connect(left, right, true),
            BinaryOperator::And => self.connect(left, right, false),
            BinaryOperator::Equal => Ok(Scalar::Truth(self.scalar(left)? == self.scalar(right)?)),
            BinaryOperator::NotEqual => Ok(Scalar::Truth(self.scalar(left)? != self.scalar(right)?)),
            BinaryOperator::Less => compare(f64::lt),
            BinaryOperator::LessEqual => compare(f64::le),
            BinaryOperator::Greater => compare(f64::gt),
            BinaryOperator::GreaterEqual => compare(f64::ge),
            BinaryOperator::Add => numbers(|a, b| a + b),
            BinaryOperator::Subtract => numbers(|a, b| a - b),
            BinaryOperator::Multiply => numbers(|a, b| a * b),
            BinaryOperator::Divide | BinaryOperator::Remainder if self.number(right)? == 0.0 => {
                Err(Unknown::Absent("a divisor is zero".to_owned()))
            }
            BinaryOperator::Divide => numbers(|a, b| a / b),
            BinaryOperator::Remainder => numbers(|a, b| a - b * (a / b).floor()),
        }
    }

    /// `or` is decided by a true side (`decisive`), `and` by a false one, whatever the other side is.
    fn connect(&self, left: &Expression, right: &Expression, decisive: bool) -> Result<Scalar, Unknown> {
        let decided = |truth: &Result<bool, Unknown>| matches!(truth, Ok(truth) if *truth == decisive);
        let (left, right) = (self.truth(left), self.truth(right));
        if decided(&left) || decided(&right) {
            return Ok(Scalar::Truth(decisive));
        }
        left?;
        right?;
        Ok(Scalar::Truth(!decisive))
    }

    fn call(&self, function: Function, arguments: &[Expression]) -> Result<Scalar, Unknown> {
        let numbers = arguments
            .iter()
            .map(|argument| self.number(argument))
            .collect::<Result<Vec<_>, _>>()?;
        let number = match (function, numbers.as_slice()) {
            (Function::Floor, [x]) => x.floor(),
            (Function::Ceil, [x]) => x.ceil(),
            (Function::Round, [x]) => x.round(),
            (Function::Abs, [x]) => x.abs(),
            (Function::Exp, [x]) => x.exp(),
            (Function::Ln, [x]) => x.ln(),
            (Function::Ln1p, [x]) => x.ln_1p(),
            (Function::Sqrt, [x]) => x.sqrt(),
            (Function::Min, [x, y]) => x.min(*y),
            (Function::Max, [x, y]) => x.max(*y),
            (Function::ToFloat, [x]) => *x,
            (Function::ToInt, [x]) => x.trunc(),
            (function, _) => return Err(broken(&format!("the function {function:?}"))),
        };
        if number.is_finite() {
            Ok(Scalar::Number(number))
        } else {
            Err(Unknown::Absent(format!("{function:?} has no value there")))
        }
    }

    fn input(&self, reference: &Reference) -> Result<Scalar, Unknown> {
        let name = reference_name(reference);
        let input = self.parameters.get(&name).unwrap_or(&name);
        match self.inputs.get(input) {
            Some(Item::Value(value)) => scalar_of(value, &name),
            Some(Item::Artifact { .. } | Item::List(_)) | None => Err(Unknown::from(OperationError::Input {
                summary: format!("The condition reads `{name}`, which was not passed to the operation as a value."),
                help: "The plan does not fit this version of mlp; build it again.".to_owned(),
            })),
        }
    }

    /// The run-time values an expression reads, as `min_auc = 0.7`.
    pub(super) fn values(&self, expression: &Expression) -> Vec<(String, f64)> {
        let mut values = Vec::new();
        walk(expression, &mut |each| {
            if let Expression::Reference(reference) = each
                && let Ok(Scalar::Number(number)) = self.input(reference)
            {
                values.push((reference_name(reference), number));
            }
        });
        values
    }
}

/// What a condition calls a run-time value.
fn reference_name(reference: &Reference) -> String {
    match reference {
        Reference::Parameter(name) | Reference::Item(name) => name.clone(),
        Reference::Output { node, port } if port == "output" => node.clone(),
        Reference::Output { node, port } => format!("{node}.{port}"),
        Reference::Outcome => "outcome".to_owned(),
        Reference::RunId => "run_id".to_owned(),
        Reference::ScheduledTime => "scheduled_time".to_owned(),
        Reference::Attempt => "attempt".to_owned(),
    }
}

fn scalar_of(value: &Value, name: &str) -> Result<Scalar, Unknown> {
    match value {
        Value::None => Err(Unknown::Absent(format!("`{name}` is absent"))),
        Value::Bool(truth) => Ok(Scalar::Truth(*truth)),
        Value::Int(number) | Value::Duration(number) => Ok(Scalar::Number(*number as f64)),
        Value::Size(number) => Ok(Scalar::Number(*number as f64)),
        Value::Float(number) => Ok(Scalar::Number(*number)),
        Value::String(text) | Value::Enum(text) | Value::Date(text) | Value::Datetime(text) => {
            Ok(Scalar::Text(text.clone()))
        }
        Value::Money { .. } | Value::List(_) | Value::Map(_) => Err(broken("an amount of money, a list or a map")),
    }
}

/// A metric as the language writes it.
pub(super) fn metric_text(metric: &MetricReference) -> String {
    let subject = match metric.subject {
        Subject::Candidate => "",
        Subject::Champion => "champion.",
    };
    let column = metric
        .column
        .as_ref()
        .map_or(String::new(), |column| format!("({column})"));
    format!("{subject}{}{column}", metric.metric)
}

/// Every metric an expression reads, in order.
pub(super) fn metrics(expression: &Expression) -> Vec<MetricReference> {
    let mut metrics = Vec::new();
    walk(expression, &mut |each| {
        if let Expression::Metric(metric) = each {
            metrics.push(metric.clone());
        }
    });
    metrics
}

/// `, min_auc = 0.7`
pub(super) fn values_text(values: &[(String, f64)]) -> String {
    values
        .iter()
        .map(|(name, value)| format!(", {name} = {}", short(*value)))
        .collect()
}

fn walk(expression: &Expression, visit: &mut dyn FnMut(&Expression)) {
    visit(expression);
    match expression {
        Expression::Value(_)
        | Expression::Reference(_)
        | Expression::Column(_)
        | Expression::Metric(_)
        | Expression::Text(_) => {}
        Expression::Unary { operand, .. } => walk(operand, visit),
        Expression::Field { base, .. } => walk(base, visit),
        Expression::Binary { left, right, .. } => {
            walk(left, visit);
            walk(right, visit);
        }
        Expression::Between { value, low, high, .. } => {
            walk(value, visit);
            for end in [low, high].into_iter().flatten() {
                walk(end, visit);
            }
        }
        Expression::Call { arguments, .. } => arguments.iter().for_each(|argument| walk(argument, visit)),
        Expression::If {
            condition,
            then,
            otherwise,
        } => [condition, then, otherwise]
            .into_iter()
            .for_each(|part| walk(part, visit)),
    }
}

fn unsupported(what: &str) -> OperationError {
    OperationError::Input {
        summary: format!("A go/no-go condition cannot contain {what}."),
        help: "Compare metrics with numbers or parameters: `auc >= 0.8`, `latency.p95 <= 20ms`.".to_owned(),
    }
}

fn broken(what: &str) -> Unknown {
    Unknown::from(unsupported(what))
}
