//! A pipeline's graph as the analyses look at it: nodes by name, and which artifact a value is, whatever stage it has passed.
//!
//! Nothing is reported here.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::check::pipelines::facts::{ArgumentFact, Facts};
use crate::db::{Db, ItemKey};
use crate::diagnostics::{Diagnostic, Place};
use crate::plan::{Graph, Input, Node, NodeKind, NodePath, Operand, Operation, PortType, Reference};
use crate::syntax::ast::NodeId;
use crate::types::{Evidence, Schema};

/// A pipeline under analysis.
pub(crate) struct Subject<'a> {
    pub(crate) db: &'a dyn Db,
    pub(crate) key: &'a ItemKey,
    pub(crate) graph: &'a Graph,
    pub(crate) facts: &'a Facts,
    pub(crate) places: &'a BTreeMap<NodePath, NodeId>,
    pub(crate) schemas: &'a BTreeMap<String, Arc<Schema>>,
    pub(crate) pipelines: &'a BTreeMap<String, ItemKey>,
}

impl Subject<'_> {
    /// A place in the pipeline.
    pub(crate) fn place(&self, node: NodeId) -> Place {
        Place::Node(self.key.clone(), node)
    }

    /// Where a node is called.
    pub(crate) fn call(&self, node: &str) -> Option<Place> {
        self.places.get(node).map(|place| self.place(*place))
    }

    /// An argument as written.
    pub(crate) fn argument(&self, node: &str, parameter: &str) -> Option<&ArgumentFact> {
        self.facts.arguments.get(&(node.to_owned(), parameter.to_owned()))
    }

    /// How a message calls an argument.
    pub(crate) fn text(&self, node: &str, parameter: &str) -> String {
        self.argument(node, parameter)
            .map_or_else(|| "this value".to_owned(), |argument| argument.text.clone())
    }

    /// Where an argument stands; where the call stands for a default.
    pub(crate) fn argument_place(&self, node: &str, parameter: &str) -> Option<Place> {
        match self.argument(node, parameter) {
            Some(argument) => Some(self.place(argument.place)),
            None => self.call(node),
        }
    }

    /// Points at where a parameter of a node's callee is declared.
    pub(crate) fn with_parameter(&self, problem: Diagnostic, node: &str, parameter: &str, message: &str) -> Diagnostic {
        let callee = self.facts.callees.get(node);
        match callee.and_then(|key| super::pipelines::parameter_place(self.db, key, parameter)) {
            Some(place) => problem.also(place, message),
            None => problem,
        }
    }

    /// Points at a call.
    pub(crate) fn with_call(&self, problem: Diagnostic, node: &str, message: impl Into<String>) -> Diagnostic {
        match self.call(node) {
            Some(place) => problem.also(place, message),
            None => problem,
        }
    }

    /// Whether a name is bound by a `let`, so that a fix may write it.
    pub(crate) fn is_bound(&self, name: &str) -> bool {
        self.facts.uses.iter().any(|bound| bound.name == name)
    }
}

/// The nodes of a graph, those of arms and loops among them, by name.
pub(crate) struct Flow<'g> {
    nodes: BTreeMap<&'g str, &'g Node>,
    /// In the order in which they can run.
    pub(crate) order: Vec<&'g Node>,
}

impl<'g> Flow<'g> {
    /// An index of `graph`.
    pub(crate) fn new(graph: &'g Graph) -> Self {
        let mut flow = Self {
            nodes: BTreeMap::new(),
            order: Vec::new(),
        };
        flow.add(graph);
        flow
    }

    fn add(&mut self, graph: &'g Graph) {
        for node in &graph.nodes {
            match &node.kind {
                NodeKind::Branch(branch) => {
                    self.add(&branch.then);
                    self.add(&branch.otherwise);
                }
                NodeKind::Loop(repeat) => {
                    self.add(&repeat.body);
                }
                NodeKind::Finally(graph) => self.add(graph),
                NodeKind::Step(_) | NodeKind::Operation(_) | NodeKind::Pipeline(_) => {}
            }
            self.nodes.insert(&node.id, node);
            self.order.push(node);
        }
    }

    /// The node called `id`.
    pub(crate) fn node(&self, id: &str) -> Option<&'g Node> {
        self.nodes.get(id).copied()
    }

    /// The position of a node in the order of the program.
    pub(crate) fn position(&self, id: &str) -> usize {
        self.order.iter().position(|node| node.id == id).unwrap_or(usize::MAX)
    }

    /// The node that an operand is an output of.
    pub(crate) fn producer(&self, operand: &Operand) -> Option<&'g Node> {
        match operand {
            Operand::Reference(Reference::Output { node, .. }) => self.node(node),
            Operand::Reference(_) | Operand::Value(_) | Operand::Expression(_) | Operand::List(_) => None,
        }
    }

    /// What has been shown about an operand, as far as its producer says.
    pub(crate) fn evidence(&self, operand: &Operand) -> Option<Evidence> {
        let Operand::Reference(Reference::Output { node, port }) = operand else {
            return None;
        };
        let port = self.node(node)?.outputs.iter().find(|own| own.name == *port)?;
        if let PortType::Dataset { evidence, .. } | PortType::Model { evidence, .. } = &port.ty {
            Some(*evidence)
        } else {
            None
        }
    }

    /// The same artifact before the stages that only add evidence: the model that was gated, the data that was validated.
    pub(crate) fn root<'o>(&self, operand: &'o Operand) -> &'o Operand
    where
        'g: 'o,
    {
        let mut current = operand;
        while let Some(node) = self.producer(current)
            && let Some(input) = stage_input(node)
        {
            current = input;
        }
        current
    }
}

/// What an operation is given that gives the same artifact back, perhaps with more evidence.
fn stage_input(node: &Node) -> Option<&Operand> {
    let NodeKind::Operation(operation) = &node.kind else {
        return None;
    };
    let name = match operation.as_ref() {
        Operation::Validate { .. } => "data",
        Operation::Gate { .. } | Operation::Approve { .. } | Operation::Register { .. } => "model",
        Operation::Challenge(_) => "candidate",
        Operation::Read { .. }
        | Operation::Features(_)
        | Operation::Project(_)
        | Operation::Split { .. }
        | Operation::Mask { .. }
        | Operation::Predict { .. }
        | Operation::Evaluate { .. }
        | Operation::Champion { .. }
        | Operation::Prior { .. }
        | Operation::Deploy { .. } => return None,
    };
    input(node, name).map(|input| &input.value)
}

/// The input of a node called `name`.
pub(crate) fn input<'g>(node: &'g Node, name: &str) -> Option<&'g Input> {
    node.inputs.iter().find(|input| input.name == name)
}

/// The operation of a node.
pub(crate) fn operation(node: &Node) -> Option<&Operation> {
    match &node.kind {
        NodeKind::Operation(operation) => Some(operation),
        NodeKind::Step(_) | NodeKind::Branch(_) | NodeKind::Loop(_) | NodeKind::Finally(_) | NodeKind::Pipeline(_) => {
            None
        }
    }
}
