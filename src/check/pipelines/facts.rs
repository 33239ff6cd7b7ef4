//! What elaboration notes down beside the graph, for the analyses and their messages. Positions are nodes of the syntax.

use std::collections::BTreeMap;

use crate::db::ItemKey;
use crate::plan::NodePath;
use crate::source::Name;
use crate::syntax::ast::NodeId;
use crate::types::Evidence;

/// The notes of one pipeline.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// Arguments as written, by node and parameter.
    pub(crate) arguments: BTreeMap<(NodePath, String), ArgumentFact>,
    /// What each node calls: a step, a feature definition, a pipeline.
    pub(crate) callees: BTreeMap<NodePath, ItemKey>,
    /// Arguments that lack the evidence that their parameter demands.
    pub(crate) missing: Vec<MissingEvidence>,
    /// Every bound name, and whether it is used.
    pub(crate) uses: Vec<Use>,
    /// Calls whose result is neither bound nor passed on.
    pub(crate) ignored: Vec<Ignored>,
    /// Whether a part of the body could not be read.
    pub(crate) broken: bool,
}

/// An argument as written.
#[derive(Clone, Debug)]
pub(crate) struct ArgumentFact {
    /// The argument's value.
    pub(crate) place: NodeId,
    /// How a message calls it: `parts.train`, `the result of read`.
    pub(crate) text: String,
}

/// An argument that lacks evidence.
#[derive(Clone, Debug)]
pub(crate) struct MissingEvidence {
    /// The node that demands it.
    pub(crate) node: NodePath,
    /// The parameter.
    pub(crate) parameter: String,
    /// What it demands.
    pub(crate) wanted: Evidence,
    /// What the argument has.
    pub(crate) found: Evidence,
}

/// A call whose result nothing takes.
#[derive(Clone, Debug)]
pub(crate) struct Ignored {
    /// The call.
    pub(crate) place: NodeId,
    /// What is called.
    pub(crate) callee: String,
}

/// What bound a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BindingKind {
    /// A parameter of the pipeline.
    Parameter,
    /// `let`
    Let,
    /// The item of a `for`.
    Item,
}

/// Whether a bound name is ever used.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    /// The name.
    pub(crate) name: Name,
    /// Where it is bound.
    pub(crate) place: NodeId,
    /// What bound it.
    pub(crate) kind: BindingKind,
    /// Whether something reads it.
    pub(crate) used: bool,
}
