//! Steps, models and services with all their settings resolved.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Kubernetes, Operand, Port, PortType, Reference};
use crate::types::{RecordField, Value};

/// A user's step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// Its doc comment or `description`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// Its inputs in order.
    pub inputs: Vec<Port>,
    /// Its outputs in order.
    pub outputs: Vec<Port>,
    /// What it runs.
    pub run: Run,
    /// Container image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Python packages, as pip writes them, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<String>,
    /// Environment variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Secrets by the environment variable that receives them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, SecretReference>,
    /// What it needs.
    #[serde(default)]
    pub resources: Resources,
    /// Milliseconds after which it is ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
    /// What happens when it fails.
    #[serde(default)]
    pub retries: Retries,
    /// Whether its outputs may be reused.
    #[serde(default)]
    pub cache: CachePolicy,
    /// What its pod needs of Kubernetes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<Kubernetes>,
}

/// What a step runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Run {
    /// A Python function through the shim.
    Python(PythonFunction),
    /// An argument vector, never a shell line: one list of parts for each argument.
    Command(Vec<Vec<ArgumentPart>>),
}

/// A Python function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PythonFunction {
    /// Path from the project's root, with `/`.
    pub file: String,
    /// The function's name.
    pub function: String,
}

/// A part of an argument.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArgumentPart {
    /// Plain text.
    Text(String),
    /// `{x}`: a value's text, or the local path of an input or output artifact.
    Hole(String),
    /// `{x.uri}`: the address of an artifact.
    Uri(String),
}

/// Where a secret is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretReference {
    /// An environment variable of the process that runs `mlp`.
    Env(String),
    /// A file, relative to the project's root unless absolute.
    File(String),
}

/// What a step needs to run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Default)]
pub struct Resources {
    /// Thousandths of a core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_millis: Option<u64>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Bytes of scratch space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<u64>,
    /// Accelerator kind and count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<(String, u32)>,
    /// TPU kind and topology: `v5e`, `2x4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpu: Option<(String, String)>,
    /// Whether a machine will do that may be taken away.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spot: bool,
}

/// What happens when a step fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Default)]
pub struct Retries {
    /// How often it is tried again.
    pub count: u32,
    /// How long to wait before.
    #[serde(default)]
    pub backoff: Backoff,
}

/// The wait before a retry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Backoff {
    /// Milliseconds before the first retry.
    pub first: i64,
    /// The factor from each wait to the next.
    pub factor: f64,
    /// Milliseconds at the most.
    pub longest: i64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: 1_000,
            factor: 2.0,
            longest: 60_000,
        }
    }
}

/// Whether outputs may be reused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum CachePolicy {
    /// By code, environment, parameters and input contents.
    #[default]
    Auto,
    /// Never.
    Never,
    /// As `auto`, with a text of the user's in the key.
    Key(String),
}

/// The learning task of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Output `probability` of the positive class.
    BinaryClassification,
    /// Output `probabilities`, a `map<float>` by class.
    MulticlassClassification,
    /// Output `value` (or the single numeric output).
    Regression,
}

/// A model type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Its doc comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// Its name in the registry.
    pub registry: String,
    /// The learning task.
    pub task: Task,
    /// Key of the schema of its input.
    pub input: String,
    /// Its output fields.
    pub output: Vec<RecordField>,
    /// The function that predicts: `predict(model, data)`.
    pub run: PythonFunction,
    /// Python packages, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<String>,
}

/// A service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its doc comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// Key of the model it serves.
    pub model: String,
    /// The serving platform: `local`, `kserve`, `cloud_run`, `vertex`.
    pub platform: String,
    /// Everything else the declaration says, constants only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Value>,
}

impl Step {
    /// The input called `name`.
    #[must_use]
    pub fn input(&self, name: &str) -> Option<&Port> {
        self.inputs.iter().find(|port| port.name == name)
    }
}

impl PortType {
    /// Whether the port carries a value rather than an artifact.
    #[must_use]
    pub fn is_value(&self) -> bool {
        match self {
            Self::Value(_) => true,
            Self::List(of) => of.is_value(),
            Self::Dataset { .. }
            | Self::Model { .. }
            | Self::Metrics { .. }
            | Self::File
            | Self::Directory
            | Self::Html
            | Self::Markdown
            | Self::Opaque
            | Self::Custom { .. }
            | Self::Deployment { .. } => false,
        }
    }
}

impl Operand {
    /// A constant text.
    #[must_use]
    pub fn text(value: &str) -> Self {
        Self::Value(Value::String(value.to_owned()))
    }

    /// Calls `visit` for every reference in the operand, from left to right.
    pub fn references<'o>(&'o self, visit: &mut dyn FnMut(&'o Reference)) {
        match self {
            Self::Value(_) => {}
            Self::Reference(reference) => visit(reference),
            Self::Expression(expression) => expression.references(visit),
            Self::List(items) => {
                for item in items {
                    item.references(visit);
                }
            }
        }
    }
}
