//! What a container is told: one node, and the part of the plan that it reads.

use serde::{Deserialize, Serialize};

use super::{Node, Plan, PortType, Reference};

/// A node that runs in a container of its own. The container finds everything else (paths, values) in what the platform
/// tells it; see the module of the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// The pipeline's name.
    pub pipeline: String,
    /// The node, with its constants and expressions.
    pub node: Node,
    /// What the node's operands refer to, and under which name the platform hands each over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bindings: Vec<Binding>,
    /// The schemas, models, services and steps that the node reads; no pipelines.
    pub plan: Plan,
}

/// A run-time value or artifact, and the name of the task's input that brings it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Binding {
    /// What it is in the plan.
    pub reference: Reference,
    /// The input's name on the platform.
    pub input: String,
    /// Its type.
    pub ty: PortType,
}
