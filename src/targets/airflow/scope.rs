//! What names stand for while a graph is lowered: where each value or artifact comes from, and what must run before.

use std::collections::{BTreeSet, HashMap};

use super::dag::{Need, TaskId};
use crate::plan::{Expression, NodePath, Operand, PortType, Reference, Source, SourceBinding};
use crate::targets::{TargetError, operand_types};
use crate::types::{DataKind, DataType, EnumType, EnumVariant};

/// Where something comes from.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) source: Source,
    pub(super) ty: PortType,
    pub(super) needs: BTreeSet<Need>,
}

impl Bound {
    /// What comes from the run itself.
    fn of_run(source: Source, kind: DataKind) -> Self {
        Self {
            source,
            ty: PortType::Value(DataType::plain(kind)),
            needs: BTreeSet::new(),
        }
    }
}

/// A graph that is being lowered.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// The pipelines that are being called, the innermost last: the beginning of the names of tasks.
    pub(super) calls: Vec<String>,
    /// The numbers of the copies of unrolled loops: the end of the names of tasks.
    pub(super) copies: Vec<usize>,
    /// Groups for the eye.
    pub(super) folders: Vec<String>,
    /// The loops around that Airflow repeats.
    pub(super) frames: Vec<String>,
    /// How many turns run at once.
    pub(super) most: Option<u32>,
    /// What decides whether anything here runs.
    pub(super) guard: Option<TaskId>,
    /// What everything here waits for: the inputs of a call.
    pub(super) entry: BTreeSet<Need>,
    parameters: HashMap<String, Bound>,
    items: HashMap<String, Bound>,
    outputs: HashMap<NodePath, Vec<(String, Bound)>>,
    ends: HashMap<NodePath, BTreeSet<Need>>,
    outcome: Option<Bound>,
}

impl Scope {
    /// The scope of a called pipeline: it sees its parameters alone.
    pub(super) fn called(&self, call: &str) -> Self {
        let mut calls = self.calls.clone();
        calls.push(call.to_owned());
        Self {
            calls,
            parameters: HashMap::new(),
            items: HashMap::new(),
            outputs: HashMap::new(),
            ends: HashMap::new(),
            outcome: None,
            ..self.clone()
        }
    }

    /// How many loops that Airflow repeats stand around.
    pub(super) fn depth(&self) -> u32 {
        u32::try_from(self.frames.len()).unwrap_or(u32::MAX)
    }

    /// The name of a task, unique in the DAG.
    pub(super) fn task_id(&self, node: &str) -> TaskId {
        let mut id = String::new();
        for call in &self.calls {
            id.push_str(call);
            id.push('.');
        }
        id.push_str(node);
        for copy in &self.copies {
            id.push_str(&format!(".{copy}"));
        }
        id
    }

    /// The name of a node as the executor of this machine shows it, without the turns of loops.
    pub(super) fn node_path(&self, node: &str) -> String {
        let mut path = String::new();
        for call in &self.calls {
            path.push_str(call);
            path.push('/');
        }
        path + node
    }

    pub(super) fn bind_parameter(&mut self, name: &str, bound: Bound) {
        self.parameters.insert(name.to_owned(), bound);
    }

    pub(super) fn bind_item(&mut self, name: &str, bound: Bound) {
        self.items.insert(name.to_owned(), bound);
    }

    pub(super) fn bind_outcome(&mut self, task: &str) {
        self.outcome = Some(Bound {
            source: Source::Outcome(task.to_owned()),
            ty: PortType::Value(DataType::plain(DataKind::Enum(outcome_type()))),
            needs: BTreeSet::from([Need::Task(task.to_owned())]),
        });
    }

    /// Notes what a node gives and when it has ended.
    pub(super) fn made(&mut self, node: &str, outputs: Vec<(String, Bound)>, end: BTreeSet<Need>) {
        self.outputs.insert(node.to_owned(), outputs);
        self.ends.insert(node.to_owned(), end);
    }

    /// What must have ended for a node to have ended.
    pub(super) fn end(&self, node: &str) -> BTreeSet<Need> {
        self.ends.get(node).cloned().unwrap_or_default()
    }

    /// What a reference stands for.
    pub(super) fn bound(&self, reference: &Reference) -> Option<Bound> {
        match reference {
            Reference::Parameter(name) => self.parameters.get(name).cloned(),
            Reference::Item(name) => self.items.get(name).cloned(),
            Reference::Output { node, port } => {
                let ports = self.outputs.get(node)?;
                let found = ports.iter().find(|(name, _)| name == port);
                found.map(|(_, bound)| bound.clone())
            }
            Reference::Outcome => self.outcome.clone(),
            Reference::RunId => Some(Bound::of_run(Source::RunId, DataKind::String)),
            Reference::ScheduledTime => Some(Bound::of_run(Source::ScheduledTime, DataKind::Datetime)),
            Reference::Attempt => Some(Bound::of_run(Source::Attempt, DataKind::Int)),
        }
    }

    /// As [`Self::bound`].
    ///
    /// # Errors
    /// Where the plan has no such thing here.
    pub(super) fn demand(&self, reference: &Reference) -> Result<Bound, TargetError> {
        self.bound(reference)
            .ok_or_else(|| TargetError::Write(format!("the plan has no {reference:?} here")))
    }

    /// Where an operand comes from.
    pub(super) fn operand(&self, operand: &Operand) -> Result<Bound, TargetError> {
        let ty = operand_types::of_operand(operand, &|reference| Ok(self.demand(reference)?.ty))?;
        match operand {
            Operand::Value(value) => Ok(Bound {
                source: Source::Value(value.clone()),
                ty,
                needs: BTreeSet::new(),
            }),
            Operand::Reference(reference) => self.demand(reference),
            Operand::List(items) => {
                let mut sources = Vec::new();
                let mut needs = BTreeSet::new();
                for item in items {
                    let bound = self.operand(item)?;
                    sources.push(bound.source);
                    needs.extend(bound.needs);
                }
                Ok(Bound {
                    source: Source::List(sources),
                    ty,
                    needs,
                })
            }
            Operand::Expression(expression) => self.computed(expression, ty),
        }
    }

    fn computed(&self, expression: &Expression, ty: PortType) -> Result<Bound, TargetError> {
        let mut operands: Vec<SourceBinding> = Vec::new();
        let mut needs = BTreeSet::new();
        let mut references = BTreeSet::new();
        expression.references(&mut |reference| {
            references.insert(reference.clone());
        });
        for reference in references {
            let bound = self.demand(&reference)?;
            needs.extend(bound.needs);
            operands.push(SourceBinding {
                reference,
                source: bound.source,
                ty: bound.ty,
            });
        }
        Ok(Bound {
            source: Source::Computed {
                expression: Box::new(expression.clone()),
                operands,
            },
            ty,
            needs,
        })
    }
}

fn outcome_type() -> EnumType {
    let variant = |name: &str| EnumVariant {
        name: name.to_owned(),
        text: name.to_owned(),
    };
    EnumType {
        name: None,
        variants: ["succeeded", "failed", "cancelled"].map(variant).to_vec(),
    }
}
