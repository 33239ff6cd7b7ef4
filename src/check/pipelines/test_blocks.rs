//! `test` blocks: which pipeline runs with which constants, and what must become of its nodes.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::declarations;
use crate::check::flow::Flow;
use crate::db::{Db, ItemKey};
use crate::diagnostics::{Applicability, Code, Diagnostic, Edit, Place, Severity, nearest};
use crate::names;
use crate::plan::Operand;
use crate::syntax::ast::{Expr, ExprKind, Ident, ItemKind, NodeId, TestItem, TestLine};
use crate::types::display::enumerate;
use crate::types::{Parameter, ParameterKind, Type, Value};

use super::elaborator::Elaborator;
use super::scope::Computed;
use super::{Elaborated, Expectation, ExpectedOutcome, TestCase, describe, elaborate};

const OUTCOMES: &[(&str, ExpectedOutcome)] = &[
    ("succeeded", ExpectedOutcome::Succeeded),
    ("failed", ExpectedOutcome::Failed),
    ("skipped", ExpectedOutcome::Skipped),
    ("cached", ExpectedOutcome::Cached),
];

/// The cases of a test and its problems.
pub(super) fn read(db: &dyn Db, key: &ItemKey, item: &TestItem) -> (Vec<TestCase>, Vec<Diagnostic>) {
    let mut reader = Reader {
        elaborator: Elaborator::new(db, key),
        cases: Vec::new(),
        subjects: None,
        ran: false,
    };
    for line in &item.body {
        match line {
            TestLine::Run { id, call } => reader.run(item, *id, call),
            TestLine::Expect { id, subject, outcome } => reader.expect(*id, subject, outcome.as_ref()),
            TestLine::Error(_) => reader.ran = true,
        }
    }
    if !reader.ran {
        let message = "This test runs no pipeline, so it shows nothing.";
        let problem = reader.elaborator.problem(Code::TestRun, item.name.id, message);
        reader.elaborator.report(problem.help("Begin with `run pipeline(…)`."));
    } else if item.body.iter().all(|line| matches!(line, TestLine::Run { .. })) {
        let message = "This test expects nothing, so it cannot fail.";
        let problem = reader.elaborator.problem(Code::TestRun, item.name.id, message);
        let help = "Say what must have become of a step, as in `expect train succeeded`.";
        reader.elaborator.report(problem.help(help));
    }
    (reader.cases, reader.elaborator.result.diagnostics)
}

struct Reader<'a> {
    elaborator: Elaborator<'a>,
    cases: Vec<TestCase>,
    /// What the pipeline of the last `run` lets a test speak of; absent when the pipeline is unknown.
    subjects: Option<BTreeSet<String>>,
    /// Whether a `run` was seen.
    ran: bool,
}

impl Reader<'_> {
    fn run(&mut self, item: &TestItem, place: NodeId, call: &Expr) {
        self.ran = true;
        self.subjects = None;
        let ExprKind::Call(call) = &call.kind else {
            if call.kind != ExprKind::Error {
                let problem = self
                    .elaborator
                    .problem(Code::TestRun, place, "`run` needs the call of a pipeline.");
                self.elaborator
                    .report(problem.help("Write it as in `run credit(source: \"fixtures/dirty.csv\")`."));
            }
            return;
        };
        let db = self.elaborator.db;
        let is_pipeline = |kind: &ItemKind| matches!(kind, ItemKind::Pipeline(_));
        let Some(key) = names::resolve(db, self.elaborator.key, &call.callee.text) else {
            self.elaborator
                .unknown_name(&call.callee, Some(("pipeline", is_pipeline)));
            return;
        };
        let Some(declared) = names::item(db, &key) else { return };
        if matches!(declared.kind, ItemKind::Broken(_)) {
            return;
        }
        if !is_pipeline(&declared.kind) {
            let message = format!("`{}` is no pipeline, and a test runs pipelines.", call.callee.text);
            let problem = self.elaborator.problem(Code::TestRun, call.callee.id, message);
            self.elaborator.report(problem.help("Run a pipeline that calls it."));
            return;
        }
        let Some(signature) = declarations::signature(db, &key) else {
            return;
        };
        let written = self.elaborator.match_arguments(call, &signature);
        let mut arguments = BTreeMap::new();
        for parameter in &signature.parameters {
            match written.get(&parameter.name) {
                Some(expr) => {
                    if let Some(value) = self.argument(parameter, expr) {
                        arguments.insert(parameter.name.clone(), value);
                    }
                }
                None if parameter.default.is_none() => {
                    let message = format!(
                        "`{}` needs `{}`, and the test does not give it.",
                        call.callee.text, parameter.name
                    );
                    let problem = self
                        .elaborator
                        .problem(Code::MissingArgument, call.parentheses, message);
                    let help = format!("Pass it by name: `{}: …`.", parameter.name);
                    self.elaborator.report(problem.help(help));
                }
                None => {}
            }
        }
        // What a pipeline with errors consists of is not known for certain.
        let elaborated = elaborate(db, &key);
        let is_right = elaborated
            .diagnostics
            .iter()
            .all(|own| own.code.declaration().severity != Severity::Error);
        self.subjects = is_right.then(|| subjects(&elaborated));
        self.cases.push(TestCase {
            name: item.name.value.clone(),
            pipeline: call.callee.text.to_string(),
            arguments,
            expectations: Vec::new(),
        });
    }

    fn argument(&mut self, parameter: &Parameter, expr: &Expr) -> Option<Value> {
        let ParameterKind::Type(wanted) = &parameter.kind else {
            return None;
        };
        if let Type::Data(data) = wanted {
            let (value, problems) = declarations::constant(self.elaborator.db, self.elaborator.key, expr, data);
            self.elaborator.result.diagnostics.extend(problems);
            return value;
        }
        let computed = self.elaborator.expression(expr, Some(wanted));
        let what = format!("the parameter `{}`", parameter.name);
        match self.elaborator.expect_type(expr, computed, wanted, &what) {
            Computed::One {
                operand: Operand::Value(value),
                ..
            } => Some(value),
            Computed::One { .. } | Computed::Unknown | Computed::Nothing(_) | Computed::Ports(_) => None,
        }
    }

    fn expect(&mut self, place: NodeId, subject: &Expr, outcome: Option<&Ident>) {
        if subject.kind == ExprKind::Error {
            return;
        }
        let (Some(outcome), Some(path)) = (outcome, describe::path(subject)) else {
            let message = "This version of `mlp` cannot check or run expectations about values yet.";
            let problem = self.elaborator.problem(Code::NotSupportedYet, place, message);
            let help = "Say what must have become of a step: `expect validate failed`.";
            self.elaborator.report(problem.help(help));
            return;
        };
        if !self.ran {
            let problem =
                self.elaborator
                    .problem(Code::TestRun, place, "Nothing has run yet that could be expected of.");
            self.elaborator
                .report(problem.help("Write `run pipeline(…)` above it."));
            self.ran = true;
            return;
        }
        let Some(outcome) = self.outcome(outcome) else { return };
        if let Some(subjects) = &self.subjects
            && !subjects.contains(&path)
        {
            let known: Vec<String> = subjects.iter().cloned().collect();
            if !self.is_called_in_vain(&path) {
                self.unknown_subject(subject, &path, &known);
            }
            return;
        }
        let text = format!("expect {path} {}", word(outcome));
        if let Some(case) = self.cases.last_mut() {
            case.expectations.push(Expectation {
                text,
                subject: path,
                outcome,
                node: place,
            });
        }
    }

    fn outcome(&mut self, written: &Ident) -> Option<ExpectedOutcome> {
        let found = OUTCOMES.iter().find(|(name, _)| *name == written.text);
        if found.is_none() {
            let names: Vec<&str> = OUTCOMES.iter().map(|(name, _)| *name).collect();
            let message = format!("`{}` is no outcome of a step.", written.text);
            let problem = self.elaborator.problem(Code::TestSubject, written.id, message);
            self.near(problem, written.id, &written.text, &names);
        }
        found.map(|(_, outcome)| *outcome)
    }

    /// Whether the pipeline mentions something with this name that could not be elaborated because of an error elsewhere.
    fn is_called_in_vain(&self, path: &str) -> bool {
        let db = self.elaborator.db;
        let Some(key) = self
            .cases
            .last()
            .and_then(|case| names::resolve(db, self.elaborator.key, &case.pipeline))
        else {
            return false;
        };
        let kind = names::resolve(db, &key, path).and_then(|called| names::item(db, &called));
        let is_callable = kind.is_some_and(|item| {
            matches!(
                item.kind,
                ItemKind::Step(_) | ItemKind::Features(_) | ItemKind::Pipeline(_) | ItemKind::Broken(_)
            )
        });
        is_callable && names::mentions(db, &key, path)
    }

    fn unknown_subject(&mut self, subject: &Expr, path: &str, known: &[String]) {
        let pipeline = self.cases.last().map(|case| case.pipeline.clone()).unwrap_or_default();
        let message = format!("Nothing in the pipeline `{pipeline}` is called `{path}`.");
        let problem = self.elaborator.problem(Code::TestSubject, subject.id, message);
        let names: Vec<&str> = known.iter().map(String::as_str).collect();
        self.near(problem, subject.id, path, &names);
    }

    fn near(&mut self, problem: Diagnostic, place: NodeId, written: &str, known: &[&str]) {
        let problem = match nearest(written, known.iter().copied()) {
            Some(near) => {
                let edit = Edit::replace(Place::Node(self.elaborator.key.clone(), place), near.as_str());
                let title = format!("Replace `{written}` with `{near}`");
                let problem = problem.help(format!("The nearest is `{near}`."));
                problem.fix(title, Applicability::Safe, vec![edit])
            }
            None => problem.help(format!("Known are {}.", enumerate(known))),
        };
        self.elaborator.report(problem);
    }
}

fn word(outcome: ExpectedOutcome) -> &'static str {
    let found = OUTCOMES.iter().find(|(_, own)| *own == outcome);
    found.map_or("", |(name, _)| name)
}

/// Ids and callees of a pipeline's nodes.
fn subjects(elaborated: &Elaborated) -> BTreeSet<String> {
    let flow = Flow::new(&elaborated.graph);
    let nodes = flow.order.iter();
    nodes.flat_map(|node| [node.id.clone(), node.callee.clone()]).collect()
}
