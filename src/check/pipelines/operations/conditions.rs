//! The conditions of `gate` and `challenge`: booleans over metrics and run-time values.

use std::collections::BTreeMap;

use crate::check::pipelines::calls::Site;
use crate::check::pipelines::describe;
use crate::check::pipelines::elaborator::Elaborator;
use crate::check::pipelines::operators;
use crate::check::pipelines::scope::Computed;
use crate::check::pipelines::values::as_expression;
use crate::diagnostics::{Applicability, Code, Edit, nearest};
use crate::format;
use crate::plan::{self, Expression, MetricReference, NodeKind, Operand, Operation, Reference, Subject, Task};
use crate::syntax::ast::{self, BinaryOp, Expr, ExprKind, NodeId, UnaryOp};
use crate::types::display::enumerate;
use crate::types::{DataKind, DataType, Type};

use super::decisive::{self, Weakness};
use super::metrics;

/// Whose metrics the conditions may name.
pub(super) struct Subjects<'a> {
    /// The model; absent when it is unknown.
    pub(super) model: Option<&'a str>,
    /// The protected columns of the data; absent when they are unknown.
    pub(super) protected: Option<&'a [String]>,
    /// Whether the conditions compare `candidate` and `champion`.
    pub(super) challenge: bool,
}

/// The conditions of a block, and the run-time values that they read.
#[derive(Default)]
pub(super) struct Conditions {
    pub(super) conditions: Vec<plan::Condition>,
    pub(super) inputs: Vec<plan::Input>,
}

/// Reads the block of a call; nothing after a report.
pub(super) fn conditions(
    elaborator: &mut Elaborator<'_>,
    site: &Site<'_>,
    subjects: &Subjects<'_>,
) -> Option<Conditions> {
    let callee = &site.call.callee.text;
    let written = site.call.conditions.as_deref().unwrap_or_default();
    if written.is_empty() {
        let message = format!("`{callee}` without conditions decides nothing.");
        let problem = elaborator.problem(Code::ConditionForm, site.place, message);
        let example = if subjects.challenge {
            "candidate.auc >= champion.auc - 0.01"
        } else {
            "auc >= 0.7"
        };
        elaborator.report(problem.help(format!("Add a block behind the call: `{{ {example} }}`.")));
        return None;
    }
    let mut reader = Reader {
        elaborator,
        subjects,
        task: None,
        reserved: site.given.iter().map(|(parameter, _)| parameter.name.clone()).collect(),
        inputs: Vec::new(),
        read: BTreeMap::new(),
        metrics: 0,
    };
    reader.task = subjects
        .model
        .and_then(|model| reader.elaborator.model(model))
        .map(|definition| definition.model.task);
    let read: Vec<Option<plan::Condition>> = written.iter().map(|condition| reader.condition(condition)).collect();
    let inputs = reader.inputs;
    let conditions = read.into_iter().collect::<Option<Vec<_>>>()?;
    let compares = conditions
        .iter()
        .any(|condition| decisive::compares(&condition.expression));
    if subjects.challenge && !compares {
        let message = "No condition of this `challenge` compares the candidate with the champion.";
        let problem = elaborator.problem(Code::ConditionForm, site.place, message);
        elaborator.report(problem.help("Name both, as in `candidate.auc >= champion.auc - 0.01`."));
        return None;
    }
    Some(Conditions { conditions, inputs })
}

/// The protected columns of the rows that the metrics of a gate come from, where `evaluate` made them.
pub(super) fn evaluated_columns(elaborator: &Elaborator<'_>, site: &Site<'_>) -> Option<Vec<String>> {
    let Some(super::Given::Computed(Computed::One {
        operand: Operand::Reference(Reference::Output { node, .. }),
        ..
    })) = site.given("metrics")
    else {
        return None;
    };
    let mut nodes = elaborator.graphs.iter().flat_map(|graph| &graph.nodes);
    let node = nodes.find(|own| own.id == *node)?;
    let NodeKind::Operation(operation) = &node.kind else {
        return None;
    };
    let Operation::Evaluate { protected, .. } = operation.as_ref() else {
        return None;
    };
    Some(protected.clone())
}

struct Reader<'r, 'e> {
    elaborator: &'r mut Elaborator<'e>,
    subjects: &'r Subjects<'r>,
    task: Option<Task>,
    /// Names of inputs that run-time values may not take.
    reserved: Vec<String>,
    inputs: Vec<plan::Input>,
    /// The run-time values that the condition at hand reads.
    read: BTreeMap<String, String>,
    /// How many metrics the condition at hand names.
    metrics: usize,
}

/// A part of a condition with its type.
type Typed = (DataType, Expression);

impl Reader<'_, '_> {
    fn condition(&mut self, condition: &ast::Condition) -> Option<plan::Condition> {
        self.read.clear();
        self.metrics = 0;
        if condition.expr.kind == ExprKind::Error {
            self.elaborator.facts.broken = true;
            return None;
        }
        if let Some(since) = &condition.since {
            let message = "`since` belongs to drift in `checks`; here it has no meaning.";
            self.problem(Code::ConditionForm, since.id, message, "Remove it.");
            return None;
        }
        let (ty, expression) = self.expression(&condition.expr)?;
        let text = format::condition(condition);
        if ty.kind != DataKind::Bool {
            let message = format!("`{text}` is `{ty}`, and a condition must be true or false.");
            let help = "Compare the metric with a bound, as in `auc >= 0.7`.";
            self.problem(Code::ConditionForm, condition.id, &message, help);
            return None;
        }
        if self.metrics == 0 {
            let message = format!("`{text}` names no metric, so it says nothing about the model.");
            let help = "Name a metric of the model, as in `auc >= 0.7`.";
            self.problem(Code::ConditionForm, condition.id, &message, help);
            return None;
        }
        if let Some(weakness) = decisive::weakness(&expression) {
            let (message, help) = match weakness {
                Weakness::SideWithoutMetric => (
                    format!("A side of `{text}` names no metric, so it can be met whatever the model is worth."),
                    "Compare a metric on every side; what depends on the run goes into the bound, as in `auc >= min_auc`.",
                ),
                Weakness::ComparedWithItself => (
                    format!("`{text}` compares something with itself, so it says nothing about the model."),
                    "Compare the metric with a bound, or the candidate's with the champion's.",
                ),
            };
            self.problem(Code::ConditionForm, condition.id, &message, help);
            return None;
        }
        Some(plan::Condition {
            text,
            expression,
            parameters: self.read.clone(),
        })
    }

    fn problem(&mut self, code: Code, place: NodeId, message: &str, help: &str) {
        let problem = self.elaborator.problem(code, place, message);
        self.elaborator.report(problem.help(help));
    }

    fn expression(&mut self, expr: &Expr) -> Option<Typed> {
        match &expr.kind {
            ExprKind::Binary {
                op: BinaryOp::In,
                left,
                right,
            } => self.within(expr, left, right),
            ExprKind::Binary { op, left, right } => {
                let (left, right) = (self.expression(left), self.expression(right));
                let ((left_type, left), (right_type, right)) = (left?, right?);
                let Some((operator, ty)) = operators::result(*op, &left_type, &right_type) else {
                    self.elaborator.operands_differ(expr, *op, &left_type, &right_type);
                    return None;
                };
                let (left, right) = (Box::new(left), Box::new(right));
                Some((ty, Expression::Binary { operator, left, right }))
            }
            ExprKind::Unary {
                op: UnaryOp::Not,
                operand,
            } => {
                let (ty, operand) = self.expression(operand)?;
                let operator = plan::UnaryOperator::Not;
                let operand = Box::new(operand);
                Some((ty, Expression::Unary { operator, operand }))
            }
            ExprKind::Call(call) => self.fairness(expr, call),
            ExprKind::Literal(_)
            | ExprKind::String(_)
            | ExprKind::Name(_)
            | ExprKind::Member { .. }
            | ExprKind::Unary { .. }
            | ExprKind::Range { .. }
            | ExprKind::List(_)
            | ExprKind::Record(_)
            | ExprKind::Columns(_)
            | ExprKind::Index { .. }
            | ExprKind::If(_)
            | ExprKind::Tagged { .. }
            | ExprKind::Error => match describe::path(expr) {
                Some(path) if self.names_metric(&path) => self.metric(expr, &path),
                Some(_) | None => self.value(expr),
            },
        }
    }

    fn names_metric(&self, path: &str) -> bool {
        let mut parts = path.split('.');
        let first = parts.next().unwrap_or_default();
        if matches!(first, "candidate" | "champion") {
            return true;
        }
        let bound = self.elaborator.scopes.peek(first).is_some();
        metrics::is_metric(path) || !bound
    }

    fn metric(&mut self, expr: &Expr, path: &str) -> Option<Typed> {
        let (subject, name) = self.subject(expr, path)?;
        self.metrics += 1;
        let task = self.task?;
        if !metrics::of_task(task).any(|metric| metric == name) {
            self.unknown_metric(expr, &name, task);
            return None;
        }
        let ty = DataType::plain(metrics::kind(&name));
        let metric = MetricReference {
            subject,
            metric: name,
            column: None,
        };
        Some((ty, Expression::Metric(metric)))
    }

    fn subject(&mut self, expr: &Expr, path: &str) -> Option<(Subject, String)> {
        let (subject, name) = match path.split_once('.') {
            Some(("candidate", name)) => (Some(Subject::Candidate), name),
            Some(("champion", name)) => (Some(Subject::Champion), name),
            _ => (None, path),
        };
        match (subject, self.subjects.challenge) {
            (Some(subject), true) => Some((subject, name.to_owned())),
            (None, false) => Some((Subject::Candidate, name.to_owned())),
            (None, true) => {
                let (message, help) = nameless(name);
                self.problem(Code::ConditionForm, expr.id, &message, &help);
                None
            }
            (Some(_), false) => {
                let message = format!("A gate looks at one model, so `{path}` has no meaning here.");
                let help = format!("Write `{name}`; `challenge` is what compares two models.");
                self.problem(Code::ConditionForm, expr.id, &message, &help);
                None
            }
        }
    }

    fn unknown_metric(&mut self, expr: &Expr, name: &str, task: Task) {
        let model = self.subjects.model.unwrap_or("the model");
        let message = match metrics::task_with(name) {
            _ if metrics::fairness(task).contains(&name) => {
                let message = format!("`{name}` compares groups, so it needs the column that makes them.");
                let help = format!("Write `{name}(…)` with a `@protected` column.");
                self.problem(Code::UnknownMetric, expr.id, &message, &help);
                return;
            }
            Some(other) => format!(
                "`{name}` is a metric of {}, and `{model}` is a model of {}.",
                metrics::words(other),
                metrics::words(task)
            ),
            None => format!("`{name}` is no metric of {}.", metrics::words(task)),
        };
        let known: Vec<&str> = metrics::of_task(task).collect();
        let mut problem = self.elaborator.problem(Code::UnknownMetric, expr.id, message);
        if let Some(near) = nearest(name, known.iter().copied()) {
            let prefix = match describe::path(expr).unwrap_or_default().split_once('.') {
                Some((subject @ ("candidate" | "champion"), _)) => format!("{subject}."),
                _ => String::new(),
            };
            let edit = Edit::replace(self.elaborator.place(expr.id), format!("{prefix}{near}"));
            let title = format!("Replace `{name}` with `{near}`");
            problem = problem.help(format!("The nearest metric is `{near}`."));
            problem = problem.fix(title, Applicability::Safe, vec![edit]);
        } else {
            problem = problem.help(format!("Its metrics are {}.", enumerate(&known)));
        }
        self.elaborator.report(problem);
    }

    /// `demographic_parity(sex)`; any other call is a value.
    fn fairness(&mut self, expr: &Expr, call: &ast::Call) -> Option<Typed> {
        let name = call.callee.text.as_str();
        let known = metrics::task_with(name).is_some();
        if !known {
            return self.value(expr);
        }
        let path = call
            .receiver
            .as_ref()
            .map(|receiver| format!("{}.{name}", receiver.text));
        let (subject, _) = self.subject(expr, path.as_deref().unwrap_or(name))?;
        self.metrics += 1;
        let task = self.task?;
        if !metrics::fairness(task).contains(&name) {
            let message = if metrics::of_task(task).any(|metric| metric == name) {
                format!("`{name}` is one number, so it takes no column.")
            } else {
                format!("`{name}` is no metric of {}.", metrics::words(task))
            };
            self.problem(
                Code::UnknownMetric,
                expr.id,
                &message,
                "Write a metric of the model's task.",
            );
            return None;
        }
        let [
            ast::Argument {
                name: None,
                value: Expr {
                    kind: ExprKind::Name(column),
                    ..
                },
                ..
            },
        ] = call.arguments.as_slice()
        else {
            let message = format!("`{name}` takes the name of one `@protected` column.");
            self.problem(Code::UnknownMetric, expr.id, &message, &format!("Write `{name}(…)`."));
            return None;
        };
        if let Some(protected) = self.subjects.protected
            && !protected.iter().any(|own| *own == column.text)
        {
            self.not_protected(name, column, protected);
            return None;
        }
        let metric = MetricReference {
            subject,
            metric: name.to_owned(),
            column: Some(column.text.to_string()),
        };
        Some((DataType::plain(DataKind::Float), Expression::Metric(metric)))
    }

    fn not_protected(&mut self, metric: &str, column: &ast::Ident, protected: &[String]) {
        let name = &column.text;
        let message =
            format!("`{metric}({name})` is not measured: the data has no column `{name}` that is tagged `@protected`.");
        let help = if protected.is_empty() {
            "Tag the column with `@protected` in its schema, and keep it in the features.".to_owned()
        } else {
            format!("Its protected columns are {}.", enumerate(protected))
        };
        self.problem(Code::UnknownMetric, column.id, &message, &help);
    }

    fn within(&mut self, expr: &Expr, left: &Expr, right: &Expr) -> Option<Typed> {
        let (ty, value) = self.expression(left)?;
        let ExprKind::Range { start, end, inclusive } = &right.kind else {
            let message = "`in` needs a range on its right.";
            self.problem(
                Code::OperandTypes,
                right.id,
                message,
                "Write it as in `auc in 0.7..=0.9`.",
            );
            return None;
        };
        let mut ends = Vec::new();
        for bound in [start, end] {
            let Some(bound) = bound else {
                ends.push(None);
                continue;
            };
            let (bound_type, bound) = self.expression(bound)?;
            if operators::result(BinaryOp::LessEqual, &ty, &bound_type).is_none() {
                self.elaborator
                    .operands_differ(expr, BinaryOp::LessEqual, &ty, &bound_type);
                return None;
            }
            ends.push(Some(Box::new(bound)));
        }
        let high = ends.pop().flatten();
        let low = ends.pop().flatten();
        let between = Expression::Between {
            value: Box::new(value),
            low,
            high,
            inclusive: *inclusive,
        };
        Some((DataType::plain(DataKind::Bool), between))
    }

    /// A constant, or a run-time value that becomes an input of the node.
    fn value(&mut self, expr: &Expr) -> Option<Typed> {
        let computed = self.elaborator.expression(expr, None);
        let (ty, operand) = match computed {
            Computed::One {
                ty: Type::Data(ty),
                operand,
            } => (ty, operand),
            Computed::Unknown => return None,
            Computed::One { .. } | Computed::Ports(_) | Computed::Nothing(_) => {
                let text = format::expression(expr);
                let message = format!("`{text}` is `{}`, and conditions are about numbers.", computed.ty());
                let help = "Name a metric, a parameter, or a constant.";
                self.problem(Code::OperandTypes, expr.id, &message, help);
                return None;
            }
        };
        if let Operand::Value(_) = &operand {
            return Some((ty, as_expression(&operand)?));
        }
        let name = self.input(expr, operand, &ty);
        self.read.insert(name.clone(), name.clone());
        Some((ty, Expression::Reference(Reference::Parameter(name))))
    }

    fn input(&mut self, expr: &Expr, operand: Operand, ty: &DataType) -> String {
        if let Some(known) = self.inputs.iter().find(|input| input.value == operand) {
            return known.name.clone();
        }
        let base = describe::path(expr)
            .unwrap_or_else(|| "value".to_owned())
            .replace('.', "_");
        let mut name = base.clone();
        let mut count = 1;
        while self.reserved.contains(&name) || self.inputs.iter().any(|input| input.name == name) {
            count += 1;
            name = format!("{base}_{count}");
        }
        self.inputs.push(plan::Input {
            name: name.clone(),
            value: operand,
            ty: plan::PortType::Value(ty.clone()),
        });
        name
    }
}

/// What is said of a metric of a challenge that names neither model, or misspells one.
fn nameless(path: &str) -> (String, String) {
    let misspelt = path
        .split_once('.')
        .filter(|(first, _)| *first != "latency")
        .and_then(|(first, metric)| Some((first, nearest(first, ["candidate", "champion"])?, metric)));
    match misspelt {
        Some((first, meant, metric)) => (
            format!("`{first}` is neither the candidate nor the champion."),
            format!("Did you mean `{meant}.{metric}`?"),
        ),
        None => (
            format!("`{path}` could be the metric of either model."),
            format!("Write `candidate.{path}` or `champion.{path}`."),
        ),
    }
}
