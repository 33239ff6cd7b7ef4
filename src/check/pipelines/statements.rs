//! Statements: `let`, calls, `return`. Branches, loops and `finally` stand in files of their own.

use std::collections::BTreeMap;

use crate::check::declarations;
use crate::diagnostics::Code;
use crate::plan;
use crate::source::Name;
use crate::syntax::ast::{Argument, Block, Expr, Ident, NodeId, PipelineItem, Statement, StatementKind, TypeExpr};
use crate::types::{ParameterKind, Port, Type};

use super::calls::is_call;
use super::elaborator::Elaborator;
use super::facts::BindingKind;
use super::facts::Ignored;
use super::scope::Computed;

impl Elaborator<'_> {
    /// A whole pipeline.
    pub(super) fn pipeline(&mut self, item: &PipelineItem) {
        let signature = declarations::signature(self.db, self.key);
        self.scopes.open(later(&item.body));
        for (index, parameter) in item.params.iter().enumerate() {
            let kind = signature.as_ref().and_then(|signature| signature.parameters.get(index));
            let value = match kind.map(|parameter| &parameter.kind) {
                Some(ParameterKind::Type(ty)) if *ty != Type::Unknown => Computed::One {
                    ty: ty.clone(),
                    operand: plan::Operand::Reference(plan::Reference::Parameter(parameter.name.text.to_string())),
                },
                _ => Computed::Unknown,
            };
            self.scopes.bind(&parameter.name, BindingKind::Parameter, value);
        }
        let outputs = signature.as_ref().map_or(&[][..], |signature| &signature.outputs);
        let last = item.body.statements.len().saturating_sub(1);
        let mut returned = false;
        for (index, statement) in item.body.statements.iter().enumerate() {
            if let StatementKind::Return(values) = &statement.kind
                && index == last
            {
                returned = true;
                self.returns(statement.id, values, outputs);
            } else {
                self.statement(statement);
            }
        }
        if !returned && !outputs.is_empty() && !self.facts.broken {
            let message = format!(
                "The pipeline `{}` promises a result, but does not `return` one.",
                item.name.text
            );
            let problem = self.problem(Code::ReturnDiffers, item.name.id, message);
            self.report(problem.help("End its body with `return …`, or leave the output out of its header."));
        }
        self.scopes.close();
    }

    /// One statement.
    pub(super) fn statement(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::Let { name, ty, value } => self.bind_let(name, ty.as_ref(), value),
            StatementKind::Expr(expr) => self.bare(expr),
            StatementKind::If(branch) => {
                self.ids.begin(None, true);
                self.branch(statement.id, branch, None, false);
            }
            StatementKind::For { item, items, max, body } => {
                self.ids.begin(None, true);
                self.repeat(statement.id, item, items, max.as_ref(), body);
            }
            StatementKind::Finally(body) => self.finally(statement.id, body),
            StatementKind::Return(values) => {
                for value in values {
                    self.visit(&value.value);
                }
                let message = "`return` stands only at the end of a pipeline, outside `if`, `for` and `finally`.";
                let problem = self.problem(Code::ReturnDiffers, statement.id, message);
                self.report(problem.help("Bind the value with `let`, and return it in the last line."));
            }
            StatementKind::Error => self.facts.broken = true,
        }
    }

    fn bind_let(&mut self, name: &Ident, ty: Option<&TypeExpr>, value: &Expr) {
        let dropped = name.text == "_";
        let node = name.text.trim_start_matches('_');
        let naming = self.ids.begin((!node.is_empty()).then_some(node), is_call(value));
        let expected = ty.map(|ty| self.written_type(ty));
        let mut computed = self.expression(value, expected.as_ref());
        self.ids.restore(naming);
        if let Some(expected) = &expected
            && *expected != Type::Unknown
        {
            let what = format!("the declared type of `{}`", name.text);
            computed = self.expect_type(value, computed, expected, &what);
        }
        if !dropped && self.is_free(name) {
            self.scopes.bind(name, BindingKind::Let, computed);
        }
    }

    /// Whether a name may be bound; reports when it may not.
    pub(super) fn is_free(&mut self, name: &Ident) -> bool {
        let Some(binding) = self.scopes.peek(&name.text) else {
            return true;
        };
        let (place, gathered) = (binding.place, binding.gathered_by.is_some());
        let text = &name.text;
        let message = format!("`{text}` is bound already; a name is bound once.");
        let mut problem = self.problem(Code::AlreadyBound, name.id, message);
        problem = problem.also(self.place(place), format!("`{text}` is bound here first"));
        if gathered {
            problem = problem.note(format!(
                "Behind its loop, `{text}` is the list of what each round bound."
            ));
        }
        self.report(problem.help("Give one of the two another name."));
        // Which of the two a later use means is not known, so it stays silent.
        self.scopes.forget(&name.text);
        false
    }

    /// An expression as a statement: a call whose result is not bound.
    fn bare(&mut self, expr: &Expr) {
        let naming = self.ids.begin(None, is_call(expr));
        let computed = self.expression(expr, None);
        self.ids.restore(naming);
        self.ignore(expr, &computed);
    }

    /// Notes a result that nothing takes.
    pub(super) fn ignore(&mut self, expr: &Expr, computed: &Computed) {
        let gives = matches!(computed, Computed::One { .. } | Computed::Ports(_));
        if gives && !super::operations::ends_a_life_cycle(expr) {
            self.facts.ignored.push(Ignored {
                place: expr.id,
                callee: super::describe::expression(expr),
            });
        }
    }

    fn returns(&mut self, place: NodeId, values: &[Argument], outputs: &[Port]) {
        let mut given: BTreeMap<&str, ()> = BTreeMap::new();
        for (index, value) in values.iter().enumerate() {
            let port = match &value.name {
                Some(name) => outputs.iter().find(|port| port.name == name.text),
                None => outputs.get(index).filter(|_| outputs.len() == 1),
            };
            let Some(port) = port else {
                self.visit(&value.value);
                let names: Vec<&str> = outputs.iter().map(|port| port.name.as_str()).collect();
                let what = value.name.as_ref().map_or_else(
                    || "This value has no output to go to.".to_owned(),
                    |name| format!("The pipeline has no output called `{}`.", name.text),
                );
                let problem = self.problem(Code::ReturnDiffers, value.id, what);
                let help = if names.is_empty() {
                    "Declare it in the header: `pipeline name(…) -> T`.".to_owned()
                } else {
                    format!(
                        "Its outputs are {}; return each by name.",
                        crate::types::display::enumerate(&names)
                    )
                };
                self.report(problem.help(help));
                continue;
            };
            given.insert(&port.name, ());
            self.return_value(value, port);
        }
        for port in outputs {
            if !given.contains_key(port.name.as_str()) && values.len() < outputs.len() {
                let message = format!("The output `{}` of the pipeline is not returned.", port.name);
                let problem = self.problem(Code::ReturnDiffers, place, message);
                self.report(problem.help(format!("Write `return (…, {}: …)`.", port.name)));
            }
        }
    }

    fn return_value(&mut self, value: &Argument, port: &Port) {
        let ParameterKind::Type(wanted) = &port.kind else {
            return;
        };
        let naming = self.ids.begin(Some(&port.name), is_call(&value.value));
        let computed = self.expression(&value.value, Some(wanted));
        self.ids.restore(naming);
        let what = format!("the output `{}`", port.name);
        let computed = self.expect_type(&value.value, computed, wanted, &what);
        let Computed::One { operand, .. } = computed else {
            return;
        };
        let key = self.key.clone();
        if let Some(ty) = self.port_type(&key, wanted) {
            self.result.outputs.push(plan::Output {
                name: port.name.clone(),
                value: operand,
                ty,
            });
        }
    }
}

/// The names that the statements of a block bind, with where.
pub(super) fn later(block: &Block) -> BTreeMap<Name, NodeId> {
    let mut names = BTreeMap::new();
    for statement in &block.statements {
        match &statement.kind {
            StatementKind::Let { name, .. } if name.text != "_" => {
                names.entry(name.text.clone()).or_insert(name.id);
            }
            StatementKind::For { body, .. } => {
                for (name, place) in later(body) {
                    names.entry(name).or_insert(place);
                }
            }
            StatementKind::Let { .. }
            | StatementKind::Expr(_)
            | StatementKind::If(_)
            | StatementKind::Finally(_)
            | StatementKind::Return(_)
            | StatementKind::Error => {}
        }
    }
    names
}
