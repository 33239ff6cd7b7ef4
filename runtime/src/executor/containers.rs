//! Nodes that hold graphs: branches, loops, `finally`, called pipelines.

use std::collections::{BTreeMap, VecDeque};

use mlp::plan::{Branch, Call, Graph, Loop, NodeKind, Operand, Port, PortType};
use mlp::types::Value;

use super::schedule::Scheduler;
use super::scope::{Binding, NodeKey, ScopeId};
use super::work::End;
use crate::events::{Failure, NodeState, Outcome};
use crate::metadata::{Change, NodeRecord};
use crate::node::operands::list;
use crate::node::{broken_plan, inputs};
use crate::store::Datum;

/// How deep pipelines may call each other; deeper ones call themselves.
const DEEPEST_CALL: usize = 64;

/// How far a loop has come.
pub(super) struct LoopProgress {
    /// What has not begun, with its index.
    waiting: VecDeque<(usize, Datum)>,
    /// How many passes run.
    running: usize,
    /// The gathered outputs of each pass that succeeded.
    gathered: BTreeMap<usize, Vec<Datum>>,
    /// How the worst pass ended.
    worst: NodeState,
}

impl<'p> Scheduler<'p, '_> {
    pub(super) fn begin_branch(&mut self, key: NodeKey, branch: &'p Branch) {
        let (taken, other) = match self.scopes.evaluate(key.scope, &branch.condition, &self.facts(1)) {
            Ok(Value::Bool(true)) => (&branch.then, &branch.otherwise),
            // As in SQL, a condition that is absent does not hold.
            Ok(Value::Bool(false) | Value::None) => (&branch.otherwise, &branch.then),
            Ok(other) => return self.cannot(key, &format!("the condition is {other}, which is no truth value")),
            Err(message) => return self.cannot(key, &message),
        };
        self.tell_unrun_graph(key.scope, other, NodeState::Skipped);
        let scope = self.scopes.get(key.scope);
        let names = (scope.prefix.to_string(), scope.suffix.to_string());
        self.open_scope(taken, Some(key.scope), Some(key), (&names.0, &names.1), Binding::None);
    }

    pub(super) fn begin_loop(&mut self, key: NodeKey, each: &'p Loop) {
        let items = match self.scopes.resolve(key.scope, &each.items, &self.facts(1)) {
            Ok(Datum::List(items)) => items,
            Ok(Datum::Value(Value::List(items))) => items.into_iter().map(Datum::Value).collect(),
            Ok(Datum::Value(_) | Datum::Artifact(_)) => return self.cannot(key, "what it goes through is no list"),
            Err(message) => return self.cannot(key, &message),
        };
        let progress = LoopProgress {
            waiting: items.into_iter().enumerate().collect(),
            running: 0,
            gathered: BTreeMap::new(),
            worst: NodeState::Succeeded,
        };
        self.loops.insert(key, progress);
        self.continue_loop(key, each);
    }

    /// Begins as many passes as may run at once; ends the loop when none is left.
    fn continue_loop(&mut self, key: NodeKey, each: &'p Loop) {
        let most = each
            .max
            .map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(usize::MAX).max(1));
        let scope = self.scopes.get(key.scope);
        let (prefix, suffix) = (scope.prefix.to_string(), scope.suffix.to_string());
        while let Some(progress) = self.loops.get_mut(&key)
            && progress.running < most
            && let Some((index, item)) = progress.waiting.pop_front()
        {
            progress.running += 1;
            let suffix = format!("{suffix}[{index}]");
            let binding = Binding::Item(&each.item, item, index);
            self.open_scope(&each.body, Some(key.scope), Some(key), (&prefix, &suffix), binding);
        }
        if self.loops.get(&key).is_some_and(|progress| progress.running == 0)
            && let Some(progress) = self.loops.remove(&key)
        {
            // A list with holes would pair its items with the wrong rounds, so a loop that failed gives none.
            let outputs = if progress.worst == NodeState::Succeeded {
                gather(&self.node(key).outputs, progress.gathered)
            } else {
                BTreeMap::new()
            };
            self.end_container(key, progress.worst, outputs);
        }
    }

    pub(super) fn begin_finally(&mut self, key: NodeKey, graph: &'p Graph) {
        let scope = self.scopes.get(key.scope);
        let outcome = match scope.counts.outcome() {
            Outcome::Succeeded | Outcome::Running => "succeeded",
            Outcome::Failed | Outcome::Refused => "failed",
            Outcome::Cancelled | Outcome::Interrupted => "cancelled",
        };
        let (prefix, suffix) = (scope.prefix.to_string(), scope.suffix.to_string());
        self.open_scope(
            graph,
            Some(key.scope),
            Some(key),
            (&prefix, &suffix),
            Binding::Outcome(outcome),
        );
    }

    pub(super) fn begin_call(&mut self, key: NodeKey, call: &'p Call) {
        let Some(pipeline) = self.session.plan.pipelines.get(&call.pipeline) else {
            return self.cannot(key, &format!("there is no pipeline `{}`", call.pipeline));
        };
        if self.scopes.get(key.scope).depth >= DEEPEST_CALL {
            return self.cannot(key, &format!("pipelines call each other more than {DEEPEST_CALL} deep"));
        }
        let mut parameters: BTreeMap<String, Datum> = pipeline
            .parameters
            .iter()
            .filter_map(|parameter| Some((parameter.name.clone(), Datum::Value(parameter.default.clone()?))))
            .collect();
        let node = self.node(key);
        for input in &node.inputs {
            let datum = self.scopes.resolve(key.scope, &input.value, &self.facts(1));
            match datum.and_then(|datum| inputs::check(&input.ty, datum)) {
                Ok(datum) => parameters.insert(input.name.clone(), datum),
                Err(message) => {
                    let failure = inputs::failure(&node.callee, &input.name, &message);
                    return self.end_leaf(key, 0, None, End::Failed(failure));
                }
            };
        }
        let prefix = format!("{}/", self.path(key));
        self.open_scope(
            &pipeline.graph,
            None,
            Some(key),
            (&prefix, ""),
            Binding::Parameters(parameters),
        );
    }

    /// A graph that a node holds has ended.
    pub(super) fn graph_ended(&mut self, owner: NodeKey, scope: ScopeId) {
        let state = match self.scopes.get(scope).counts.outcome() {
            Outcome::Succeeded | Outcome::Running => NodeState::Succeeded,
            Outcome::Failed => NodeState::Failed,
            Outcome::Refused => NodeState::Refused,
            Outcome::Cancelled | Outcome::Interrupted => NodeState::Cancelled,
        };
        let node = self.node(owner);
        match &node.kind {
            NodeKind::Branch(branch) => {
                let then = std::ptr::eq(self.scopes.get(scope).graph, &raw const branch.then);
                let values = branch
                    .values
                    .iter()
                    .map(|(first, second)| if then { first } else { second });
                self.end_with(owner, scope, state, values.collect());
            }
            NodeKind::Pipeline(call) => {
                let pipeline = self.session.plan.pipelines.get(&call.pipeline);
                let outputs = pipeline.map(|pipeline| pipeline.outputs.as_slice()).unwrap_or_default();
                self.end_with(
                    owner,
                    scope,
                    state,
                    outputs.iter().map(|output| &output.value).collect(),
                );
            }
            NodeKind::Loop(each) => self.pass_ended(owner, each, scope, state),
            NodeKind::Finally(_) | NodeKind::Step(_) | NodeKind::Operation(_) => {
                self.end_container(owner, state, BTreeMap::new());
            }
        }
    }

    fn pass_ended(&mut self, owner: NodeKey, each: &'p Loop, scope: ScopeId, state: NodeState) {
        let mut failure = None;
        let gathered = if state == NodeState::Succeeded {
            let facts = self.facts(1);
            match each
                .gather
                .iter()
                .map(|operand| self.scopes.resolve(scope, operand, &facts))
                .collect()
            {
                Ok(gathered) => Some(gathered),
                Err(message) => {
                    failure = Some(message);
                    None
                }
            }
        } else {
            None
        };
        if let Some(progress) = self.loops.get_mut(&owner) {
            progress.running = progress.running.saturating_sub(1);
            progress.worst = worse(
                progress.worst,
                if failure.is_some() { NodeState::Failed } else { state },
            );
            let position = self.scopes.get(scope).pass();
            if let (Some(position), Some(gathered)) = (position, gathered) {
                progress.gathered.insert(position, gathered);
            }
        }
        self.continue_loop(owner, each);
    }

    fn end_with(&mut self, owner: NodeKey, scope: ScopeId, state: NodeState, operands: Vec<&Operand>) {
        if state != NodeState::Succeeded {
            return self.end_container(owner, state, BTreeMap::new());
        }
        let facts = self.facts(1);
        let ports = &self.node(owner).outputs;
        let resolved: Result<BTreeMap<_, _>, _> = ports
            .iter()
            .zip(operands)
            .map(|(port, operand)| Ok((port.name.clone(), self.scopes.resolve(scope, operand, &facts)?)))
            .collect();
        match resolved {
            Ok(outputs) => self.end_container(owner, state, outputs),
            Err::<_, String>(message) => self.cannot(owner, &message),
        }
    }

    /// Stores how a node that holds graphs ended. It is not counted: what is inside it was.
    fn end_container(&mut self, key: NodeKey, state: NodeState, outputs: BTreeMap<String, Datum>) {
        self.session.writer.send(Change::Node {
            run: self.session.run.clone(),
            started: None,
            record: Box::new(NodeRecord {
                node: self.path(key),
                callee: self.node(key).callee.clone(),
                state,
                cached: false,
                attempts: 0,
                started: None,
                milliseconds: None,
                summary: String::new(),
                failure: None,
                record: serde_json::Value::Null,
                outputs: outputs.clone(),
            }),
        });
        self.node_ended(key, state, outputs);
    }

    fn cannot(&mut self, key: NodeKey, message: &str) {
        let node = self.node(key);
        let failure = match &node.kind {
            NodeKind::Branch(_) | NodeKind::Loop(_) => Failure::new(
                format!("`{}` cannot go on: {message}.", node.id),
                "Look at the values that it is computed from.",
            ),
            NodeKind::Step(_) | NodeKind::Operation(_) | NodeKind::Finally(_) | NodeKind::Pipeline(_) => {
                broken_plan(message)
            }
        };
        self.end_leaf(key, 0, None, End::Failed(failure));
    }
}

/// The worse of two ends; a failure is worst.
fn worse(left: NodeState, right: NodeState) -> NodeState {
    [NodeState::Failed, NodeState::Refused, NodeState::Cancelled]
        .into_iter()
        .find(|state| left == *state || right == *state)
        .unwrap_or(NodeState::Succeeded)
}

/// For each port the list of what the passes gave for it, in the order of the items.
fn gather(ports: &[Port], passes: BTreeMap<usize, Vec<Datum>>) -> BTreeMap<String, Datum> {
    let mut columns: Vec<Vec<Datum>> = vec![Vec::new(); ports.len()];
    for pass in passes.into_values() {
        for (column, datum) in columns.iter_mut().zip(pass) {
            column.push(datum);
        }
    }
    ports
        .iter()
        .zip(columns)
        .map(|(port, items)| {
            let empty_of_artifacts = items.is_empty() && matches!(&port.ty, PortType::List(of) if !of.is_value());
            let datum = if empty_of_artifacts {
                Datum::List(items)
            } else {
                list(items)
            };
            (port.name.clone(), datum)
        })
        .collect()
}
