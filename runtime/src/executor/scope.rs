//! Graphs that are being run: a pipeline, the taken arm of a branch, one pass of a loop, a `finally`.

use std::collections::BTreeMap;
use std::rc::Rc;

use mlp::plan::{Graph, Operand, Reference};
use mlp::types::Value;

use super::layout::Layout;
use crate::events::{Counts, NodeState};
use crate::node::operands;
use crate::store::Datum;

/// Position in [`Scopes`].
pub(super) type ScopeId = usize;

/// A node of a running graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NodeKey {
    pub(super) scope: ScopeId,
    pub(super) position: usize,
}

/// A graph that is being run.
pub(super) struct Scope<'p> {
    pub(super) graph: &'p Graph,
    pub(super) layout: Rc<Layout<'p>>,
    /// The graph around it, whose nodes and items it may read; a called pipeline has none.
    pub(super) outer: Option<ScopeId>,
    /// The node that waits for it; the pipeline that is run has none.
    pub(super) owner: Option<NodeKey>,
    /// What stands before and after the names of its nodes: the called pipeline, the indices of loops.
    pub(super) prefix: Rc<str>,
    pub(super) suffix: Rc<str>,
    pub(super) binding: Binding<'p>,
    pub(super) nodes: Vec<Progress>,
    /// How many ordinary nodes have not ended.
    pub(super) left: usize,
    /// How many `finally` nodes have not ended.
    pub(super) last_left: usize,
    /// Whether it is, or lies within, a `finally`.
    pub(super) in_finally: bool,
    /// How its nodes ended.
    pub(super) counts: Counts,
    /// How deep pipelines call each other.
    pub(super) depth: usize,
}

/// The names that a graph itself binds.
pub(super) enum Binding<'p> {
    /// A pipeline's parameters.
    Parameters(BTreeMap<String, Datum>),
    /// A loop's item, and which it is.
    Item(&'p str, Datum, usize),
    /// The outcome in a `finally`.
    Outcome(&'static str),
    /// An arm binds nothing.
    None,
}

/// How a node of a running graph stands.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    pub(super) waits: usize,
    /// Whether something that it needs did not succeed.
    pub(super) doomed: bool,
    pub(super) state: NodeState,
    pub(super) outputs: BTreeMap<String, Datum>,
}

/// What belongs to the run and attempt.
pub(super) struct RunFacts<'r> {
    pub(super) run: &'r str,
    pub(super) scheduled: &'r str,
    pub(super) attempt: u32,
}

/// All graphs that are being run.
#[derive(Default)]
pub(super) struct Scopes<'p> {
    all: Vec<Scope<'p>>,
    layouts: BTreeMap<*const Graph, Rc<Layout<'p>>>,
}

impl<'p> Scopes<'p> {
    pub(super) fn get(&self, id: ScopeId) -> &Scope<'p> {
        self.all
            .get(id)
            .expect("scopes are never removed, and ids come from `open`")
    }

    pub(super) fn get_mut(&mut self, id: ScopeId) -> &mut Scope<'p> {
        self.all
            .get_mut(id)
            .expect("scopes are never removed, and ids come from `open`")
    }

    pub(super) fn progress(&mut self, key: NodeKey) -> &mut Progress {
        let nodes = &mut self.get_mut(key.scope).nodes;
        nodes
            .get_mut(key.position)
            .expect("positions come from the graph of the scope")
    }

    /// Adds a graph; its layout is shared by all passes of a loop.
    pub(super) fn layout(&mut self, graph: &'p Graph) -> Rc<Layout<'p>> {
        Rc::clone(
            self.layouts
                .entry(std::ptr::from_ref(graph))
                .or_insert_with(|| Rc::new(Layout::new(graph))),
        )
    }

    pub(super) fn open(&mut self, scope: Scope<'p>) -> ScopeId {
        self.all.push(scope);
        self.all.len() - 1
    }

    /// The value or artifact that an operand stands for.
    pub(super) fn resolve(&self, scope: ScopeId, operand: &Operand, facts: &RunFacts<'_>) -> Result<Datum, String> {
        operands::resolve(operand, &|reference| self.lookup(scope, reference, facts))
    }

    /// Computes an expression over values.
    pub(super) fn evaluate(
        &self,
        scope: ScopeId,
        expression: &mlp::plan::Expression,
        facts: &RunFacts<'_>,
    ) -> Result<Value, String> {
        operands::evaluate(expression, &|reference| self.lookup(scope, reference, facts))
    }

    fn lookup(&self, scope: ScopeId, reference: &Reference, facts: &RunFacts<'_>) -> Result<Datum, String> {
        let text = |text: &str| Ok(Datum::Value(Value::String(text.to_owned())));
        match reference {
            Reference::RunId => return text(facts.run),
            Reference::ScheduledTime => return Ok(Datum::Value(Value::Datetime(facts.scheduled.to_owned()))),
            Reference::Attempt => return Ok(Datum::Value(Value::Int(facts.attempt.into()))),
            Reference::Parameter(_) | Reference::Output { .. } | Reference::Item(_) | Reference::Outcome => {}
        }
        let mut at = Some(scope);
        while let Some(id) = at {
            let scope = self.get(id);
            if let Some(found) = scope.lookup(reference) {
                return found;
            }
            at = scope.outer;
        }
        Err(format!("nothing is known of {reference:?} here"))
    }
}

impl Scope<'_> {
    /// Which pass of a loop this is.
    pub(super) fn pass(&self) -> Option<usize> {
        match &self.binding {
            Binding::Item(_, _, index) => Some(*index),
            Binding::Parameters(_) | Binding::Outcome(_) | Binding::None => None,
        }
    }

    /// What a reference stands for, if this scope binds it.
    fn lookup(&self, reference: &Reference) -> Option<Result<Datum, String>> {
        match (reference, &self.binding) {
            (Reference::Parameter(name), Binding::Parameters(parameters)) => parameters.get(name).cloned().map(Ok),
            (Reference::Item(name), Binding::Item(own, datum, _)) if name == own => Some(Ok(datum.clone())),
            (Reference::Outcome, Binding::Outcome(outcome)) => {
                Some(Ok(Datum::Value(Value::Enum((*outcome).to_owned()))))
            }
            (Reference::Output { node, port }, _) => {
                let progress = self.nodes.get(*self.layout.positions.get(node.as_str())?)?;
                let missing = || format!("`{node}` has given no `{port}`: it is {}", progress.state.name());
                Some(progress.outputs.get(port).cloned().ok_or_else(missing))
            }
            _ => None,
        }
    }
}
