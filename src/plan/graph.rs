//! Pipelines, nodes, ports.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DeclaredTarget, Expression, Model, Operand, Operation, Service, Step, Trigger};
use crate::types::{DataType, Evidence, Schema, Value};

/// The version of the plan's format; raised when a reader of an older one would misunderstand it.
pub const PLAN_VERSION: u32 = 1;

/// A whole project, ready to be run or written for a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// [`PLAN_VERSION`]
    pub version: u32,
    /// The project.
    pub project: Project,
    /// Pipelines by name.
    pub pipelines: BTreeMap<String, Pipeline>,
    /// User steps by name.
    pub steps: BTreeMap<String, Step>,
    /// Models by name.
    pub models: BTreeMap<String, Model>,
    /// Services by name.
    pub services: BTreeMap<String, Service>,
    /// Schemas by name, those of algebra and features among them.
    pub schemas: BTreeMap<String, Schema>,
    /// Declared targets by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub targets: BTreeMap<String, DeclaredTarget>,
    /// Triggers by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub triggers: BTreeMap<String, Trigger>,
}

/// What `mlp.toml` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pipeline {
    /// Its name.
    pub name: String,
    /// Its doc comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// Its parameters in order.
    pub parameters: Vec<Parameter>,
    /// What it computes.
    pub graph: Graph,
    /// What it returns, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Output>,
    /// Where each node stands in the source, for messages only; equal programs may differ here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub origins: BTreeMap<String, Origin>,
}

/// A place in the source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// Path from the project's root.
    pub file: String,
    /// One-based line.
    pub line: u32,
}

/// A parameter of a pipeline or step that is a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: DataType,
    /// Its default; absent when it must be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Its doc comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
}

/// A named result of a pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Its name; `output` for a single one.
    pub name: String,
    /// Where it comes from.
    pub value: Operand,
    /// Its type.
    pub ty: PortType,
}

/// Nodes and the order that data and `after` demand. The list is sorted so that producers come first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Default)]
pub struct Graph {
    /// The nodes.
    pub nodes: Vec<Node>,
}

/// The stable name of a node within its pipeline: the binding's name, or a path below it (`proven.champion`).
/// Inserting a step renames no other.
pub type NodePath = String;

/// One thing that runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Node {
    /// Its stable name, unique within the pipeline, loop bodies and arms included.
    pub id: NodePath,
    /// What the source calls it: the step's or operation's name (`train`, `validate`).
    pub callee: String,
    /// What it does.
    pub kind: NodeKind,
    /// What it takes, by parameter name; defaults are filled in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Input>,
    /// What it gives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Port>,
    /// Nodes that must have succeeded before, beyond those whose outputs it takes (`after`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<NodePath>,
}

/// The kinds of nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// A user's step.
    Step(StepCall),
    /// A built-in operation.
    Operation(Box<Operation>),
    /// `if/else`
    Branch(Branch),
    /// `for`
    Loop(Loop),
    /// `finally`: runs after every other node of the pipeline has ended, whatever the outcome.
    Finally(Graph),
    /// Another pipeline of the project.
    Pipeline(Call),
}

/// A call of a user's step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepCall {
    /// Key in [`Plan::steps`].
    pub step: String,
}

/// A call of a pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Call {
    /// Key in [`Plan::pipelines`].
    pub pipeline: String,
}

/// `if/else`. The node's outputs, if any, are the values of the arms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Branch {
    /// A boolean over values.
    pub condition: Expression,
    /// Runs when it holds.
    pub then: Graph,
    /// Runs when it does not.
    pub otherwise: Graph,
    /// For each output port of the node: the operand in the first arm and in the second.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<(Operand, Operand)>,
}

/// `for item in items max n`. The node's outputs are lists, one for each name in `gather`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Loop {
    /// The name of the item inside the body.
    pub item: String,
    /// A list.
    pub items: Operand,
    /// How many run at once at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// What runs for each item.
    pub body: Graph,
    /// For each output port of the node: the operand inside the body that is gathered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gather: Vec<Operand>,
}

/// A bound parameter of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Input {
    /// The parameter's name.
    pub name: String,
    /// What is passed.
    pub value: Operand,
    /// What the parameter accepts: refinements and evidence are checked again at run time.
    pub ty: PortType,
}

/// An output of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Port {
    /// Its name; `output` for a single one.
    pub name: String,
    /// What it gives.
    pub ty: PortType,
}

/// The type of a port.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PortType {
    /// A value.
    Value(DataType),
    /// A dataset.
    Dataset {
        /// Key in [`Plan::schemas`].
        schema: String,
        /// `none` or `validated`
        evidence: Evidence,
    },
    /// A model.
    Model {
        /// Key in [`Plan::models`].
        model: String,
        /// What has been shown about it.
        evidence: Evidence,
    },
    /// Metrics about a model.
    Metrics {
        /// Key in [`Plan::models`].
        model: String,
    },
    /// A file.
    File,
    /// A directory.
    Directory,
    /// An HTML page.
    Html,
    /// A Markdown page.
    Markdown,
    /// Opaque bytes: a file or a directory.
    Opaque,
    /// A platform's own kind.
    Custom {
        /// The declared name.
        name: String,
        /// `system.X` or `google.X`
        schema_title: String,
        /// Its version.
        version: String,
    },
    /// A running service.
    Deployment {
        /// Key in [`Plan::services`].
        service: String,
    },
    /// Gathered from a loop.
    List(Box<PortType>),
}
