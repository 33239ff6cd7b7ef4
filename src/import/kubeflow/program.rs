//! The program that an import makes, before it is text: steps, pipelines and statements, with types still open.

use serde_json::Value as Json;

use super::expression::Expression;
use super::types::Slot;

/// What a parameter or an output carries.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Port {
    /// A value.
    Value(Slot),
    /// An artifact: the name of its type, and whether it is a list.
    Artifact(String, bool),
}

/// A parameter of a step or pipeline.
#[derive(Clone, Debug)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) port: Port,
    pub(super) default: Option<Json>,
    /// Whether it may be absent without having a default.
    pub(super) optional: bool,
    pub(super) docs: Option<String>,
}

/// An output of a step.
#[derive(Clone, Debug)]
pub(super) struct Output {
    pub(super) name: String,
    pub(super) port: Port,
}

/// A step.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) docs: Option<String>,
    /// Lines that say what the language has no word for.
    pub(super) remarks: Vec<String>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) outputs: Vec<Output>,
    /// Arguments, each as the language writes it.
    pub(super) command: Vec<String>,
    /// Other settings: name and value, as the language writes them.
    pub(super) settings: Vec<(&'static str, String)>,
}

/// A pipeline.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    pub(super) name: String,
    pub(super) docs: Option<String>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) outputs: Vec<(Output, Expression)>,
    pub(super) body: Vec<Statement>,
}

/// A statement of a pipeline.
#[derive(Clone, Debug)]
pub(super) enum Statement {
    /// A call, bound to a name.
    Call(Call),
    /// `if … else …`
    Branch(Branch),
    /// `for … in …`
    Loop {
        item: String,
        items: Expression,
        max: Option<u32>,
        body: Vec<Statement>,
    },
    /// `finally { … }`
    Finally(Vec<Statement>),
}

/// A call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The name that it is bound to.
    pub(super) name: String,
    /// What the name is in a graph: names that begin with `_` stand in it without.
    pub(super) callee: String,
    pub(super) arguments: Vec<(String, Expression)>,
    pub(super) after: Vec<String>,
    /// Whether the callee has outputs.
    pub(super) gives: bool,
}

/// A branch with all its arms.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    /// The name that its value is bound to.
    pub(super) name: Option<String>,
    pub(super) arms: Vec<Arm>,
}

/// An arm of a branch.
#[derive(Clone, Debug)]
pub(super) struct Arm {
    /// None for `else`.
    pub(super) condition: Option<Expression>,
    pub(super) body: Vec<Statement>,
    pub(super) value: Option<Expression>,
}

/// The names that statements read.
pub(super) fn names_read<'a>(statements: &'a [Statement], found: &mut Vec<&'a str>) {
    for statement in statements {
        match statement {
            Statement::Call(call) => {
                call.arguments.iter().for_each(|(_, value)| value.names(found));
                found.extend(call.after.iter().map(String::as_str));
            }
            Statement::Branch(branch) => {
                for arm in &branch.arms {
                    if let Some(condition) = &arm.condition {
                        condition.names(found);
                    }
                    if let Some(value) = &arm.value {
                        value.names(found);
                    }
                    names_read(&arm.body, found);
                }
            }
            Statement::Loop { items, body, .. } => {
                items.names(found);
                names_read(body, found);
            }
            Statement::Finally(body) => names_read(body, found),
        }
    }
}
