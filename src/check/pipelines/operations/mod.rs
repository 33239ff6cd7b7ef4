//! The built-in operations of the standard library: from a checked call to the plan's [`Operation`]. Nothing is computed here.

mod conditions;
mod data;
mod decisive;
mod labels;
mod lifecycle;
mod metrics;
mod models;
mod split;

use crate::check::pipelines::calls::{Callable, Site};
use crate::check::pipelines::elaborator::Elaborator;
use crate::check::pipelines::scope::Computed;
use crate::diagnostics::{Code, Place};
use crate::plan::{self, NodeKind, Operand, Operation};
use crate::syntax::ast::{Expr, ExprKind};
use crate::types::{Signature, Type, Value};

use super::arguments::Given;

/// What an operation becomes in the plan.
struct Built {
    /// The operation.
    operation: Operation,
    /// The parameters that are inputs of the node; the others are part of the operation.
    inputs: &'static [&'static str],
    /// Inputs beyond the parameters: run-time values that conditions read.
    more: Vec<plan::Input>,
    /// The outputs, where they differ from the signature's.
    outputs: Option<Vec<(String, Type)>>,
}

impl Built {
    fn new(operation: Operation, inputs: &'static [&'static str]) -> Self {
        Self {
            operation,
            inputs,
            more: Vec::new(),
            outputs: None,
        }
    }

    fn giving(mut self, output: Type) -> Self {
        self.outputs = Some(vec![("output".to_owned(), output)]);
        self
    }
}

/// Whether a call takes a block of conditions.
pub(super) fn takes_conditions(callable: &Callable, site: &Site<'_>) -> bool {
    match callable {
        Callable::Step(key, definition) => {
            definition.signature.builtin
                && key.file.starts_with("std/")
                && matches!(site.call.callee.text.as_str(), "gate" | "challenge")
        }
        Callable::Features(..) | Callable::Pipeline(..) => false,
    }
}

/// Whether a call is there for what it does, so that its result need not be used.
pub(super) fn ends_a_life_cycle(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Call(call) if matches!(call.callee.text.as_str(), "deploy" | "register"))
}

impl Elaborator<'_> {
    /// The node of a built-in operation. After a report its outputs still have types, so that nothing else is reported.
    pub(super) fn operation(&mut self, site: &Site<'_>, signature: &Signature) -> Computed {
        let built = match signature.name.as_str() {
            "read" => data::read(self, site),
            "validate" => data::validate(self, site),
            "mask" => data::mask(self, site),
            "split" => split::split(self, site),
            "predict" => models::predict(self, site),
            "evaluate" => models::evaluate(self, site),
            "prior" => models::prior(self, site),
            "gate" => lifecycle::gate(self, site),
            "challenge" => lifecycle::challenge(self, site),
            "champion" => lifecycle::champion(site),
            "approve" => lifecycle::approve(self, site),
            "register" => lifecycle::register(site),
            "deploy" => lifecycle::deploy(self, site),
            other => {
                let message = format!("This version of `mlp` cannot run the operation `{other}` yet.");
                let problem = self.problem(Code::NotSupportedYet, site.place, message);
                self.report(problem.help("Leave the call out until a version that supports it."));
                None
            }
        };
        let ports = self.instantiate(site, signature);
        let named = signature.named_outputs;
        let inputs = self.inputs(site);
        let Some(built) = built else {
            return self.outputs(&site.id, &ports, named);
        };
        let ports = built.outputs.unwrap_or(ports);
        let mut inputs: Vec<plan::Input> = inputs
            .into_iter()
            .filter(|input| built.inputs.contains(&input.name.as_str()))
            .collect();
        inputs.extend(built.more);
        let outputs = self.ports(&site.key, &ports);
        let kind = NodeKind::Operation(Box::new(built.operation));
        let node = Self::node(&site.id, &site.call.callee.text, kind, inputs, outputs);
        self.add(node, site.place);
        self.outputs(&site.id, &ports, named)
    }

    /// The constant that a parameter is given; reports a value that is known only when the pipeline runs.
    fn constant(&mut self, site: &Site<'_>, parameter: &str) -> Option<Value> {
        match site.given(parameter)? {
            Given::Computed(Computed::One {
                operand: Operand::Value(value),
                ..
            }) => Some(value.clone()),
            Given::Computed(Computed::One { .. }) => {
                let callee = &site.call.callee.text;
                let message =
                    format!("`{parameter}` of `{callee}` must be a constant, known before the pipeline runs.");
                let problem = self.problem(Code::NotConstant, site.place_of(parameter), message);
                self.report(problem.help("Write the value itself in the call."));
                None
            }
            Given::Computed(_)
            | Given::Absent
            | Given::Checks(_)
            | Given::Columns(_)
            | Given::Model(_)
            | Given::Service(..) => None,
        }
    }

    /// Where a parameter of the callee is declared.
    fn declared(&self, site: &Site<'_>, parameter: &str) -> Place {
        self.parameter_place(&site.key, parameter)
            .unwrap_or_else(|| self.place(site.place))
    }
}

/// The columns that a parameter names.
fn columns(site: &Site<'_>, parameter: &str) -> Vec<String> {
    match site.given(parameter) {
        Some(Given::Columns(columns)) => columns.clone(),
        Some(Given::Computed(_) | Given::Absent | Given::Checks(_) | Given::Model(_) | Given::Service(..)) | None => {
            Vec::new()
        }
    }
}

/// Whether a parameter was given something that was wrong and reported.
fn is_broken(site: &Site<'_>, parameter: &str) -> bool {
    let is_none = |expr: &Expr| matches!(expr.kind, ExprKind::Literal(crate::syntax::ast::Literal::None));
    site.written.get(parameter).is_some_and(|expr| !is_none(expr))
        && matches!(
            site.given(parameter),
            Some(Given::Absent | Given::Computed(Computed::Unknown))
        )
}
