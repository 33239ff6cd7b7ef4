//! What a container is told: one node, and the part of the plan that it reads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Call, Input, Node, NodeKind, NodePath, Plan, Port, PortType, Reference};

/// The callee of a task that evaluates its inputs, checks each against its type, and gives it as the output of the same
/// name; an input without such an output is only checked. Artifacts are copied. Targets add such tasks where the platform
/// can neither compute a value nor check it.
pub const COMPUTE: &str = "compute";

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
    /// Texts of the Python files that the node runs, by path from the project's root.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<String, String>,
    /// The schemas, models, services and steps that the node reads; no pipelines.
    pub plan: Plan,
    /// The request of the step shim, for a Python step; see [`super::container_request`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<serde_json::Value>,
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
    /// Whether a value that may be absent is brought as a list of none or one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub boxed: bool,
}

impl Node {
    /// A node that evaluates its inputs (see [`COMPUTE`]); no plan has one. Its kind says nothing.
    #[must_use]
    pub fn computing(id: NodePath, inputs: Vec<Input>, outputs: Vec<Port>) -> Self {
        Self {
            id,
            callee: COMPUTE.to_owned(),
            kind: NodeKind::Pipeline(Call {
                pipeline: COMPUTE.to_owned(),
            }),
            inputs,
            outputs,
            after: Vec::new(),
        }
    }
}
