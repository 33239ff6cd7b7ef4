//! Tasks: what runs a component, with what, when and how often.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// A component in a graph.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Task {
    /// Runs once for each artifact of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_iterator: Option<ArtifactIterator>,
    /// Whether outputs may be reused; graphs have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caching_options: Option<CachingOptions>,
    /// What it runs.
    #[serde(default)]
    pub component_ref: ComponentRef,
    /// Tasks of the same graph that must have ended before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependent_tasks: Vec<String>,
    /// What it is given.
    #[serde(default, skip_serializing_if = "TaskInputs::is_empty")]
    pub inputs: TaskInputs,
    /// How its iterations run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iterator_policy: Option<IteratorPolicy>,
    /// Runs once for each item of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter_iterator: Option<ParameterIterator>,
    /// What happens when it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_policy: Option<RetryPolicy>,
    /// What people read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_info: Option<TaskInfo>,
    /// Whether it runs at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger_policy: Option<TriggerPolicy>,
}

/// The key of a component.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ComponentRef {
    /// The key.
    pub name: String,
}

/// Whether outputs may be reused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CachingOptions {
    /// A text in the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_key: Option<String>,
    /// Whether.
    #[serde(default, skip_serializing_if = "super::component::is_false")]
    pub enable_cache: bool,
}

/// What a task is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskInputs {
    /// Artifacts by the component's name for them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub artifacts: BTreeMap<String, ArtifactSource>,
    /// Parameters by the component's name for them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, ParameterInput>,
}

impl TaskInputs {
    /// Whether nothing is given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.artifacts.is_empty() && self.parameters.is_empty()
    }
}

/// Where an input artifact comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum ArtifactSource {
    /// An input of the graph around.
    ComponentInputArtifact(String),
    /// An output of a task of the same graph.
    TaskOutputArtifact(TaskOutputArtifact),
}

/// An output artifact of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskOutputArtifact {
    /// Its output.
    pub output_artifact_key: String,
    /// The task.
    pub producer_task: String,
}

/// Where an input parameter comes from: one of the first four, and a selector that may follow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ParameterInput {
    /// An input of the graph around.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component_input_parameter: Option<String>,
    /// A part of the value: `parseJson(string_value)["field"]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter_expression_selector: Option<String>,
    /// A constant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_value: Option<RuntimeValue>,
    /// How a task ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_final_status: Option<FinalStatus>,
    /// An output of a task of the same graph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_output_parameter: Option<TaskOutputParameter>,
}

/// A constant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum RuntimeValue {
    /// The value.
    Constant(Json),
    /// A parameter of the run; only files of schema 2.0.0 have it.
    RuntimeParameter(String),
}

/// An output parameter of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskOutputParameter {
    /// Its output.
    pub output_parameter_key: String,
    /// The task.
    pub producer_task: String,
}

/// How a task ended, as a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FinalStatus {
    /// The task.
    pub producer_task: String,
}

/// One run for each item of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ParameterIterator {
    /// The input of the component that takes the item.
    pub item_input: String,
    /// The list.
    pub items: ParameterItems,
}

/// The list of a loop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum ParameterItems {
    /// An input of the task.
    InputParameter(String),
    /// A constant list as JSON text.
    Raw(String),
}

/// One run for each artifact of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ArtifactIterator {
    /// The input of the component that takes the item.
    pub item_input: String,
    /// The list.
    pub items: ArtifactItems,
}

/// The list of a loop over artifacts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ArtifactItems {
    /// An input of the task.
    pub input_artifact: String,
}

/// How iterations run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IteratorPolicy {
    /// How many at once; 0 for all.
    #[serde(default)]
    pub parallelism_limit: u32,
}

/// What happens when a task fails. Durations are written `30s`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RetryPolicy {
    /// The wait before the first retry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff_duration: Option<String>,
    /// The factor from each wait to the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff_factor: Option<f64>,
    /// The longest wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff_max_duration: Option<String>,
    /// How often.
    #[serde(default)]
    pub max_retry_count: u32,
}

/// What people read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskInfo {
    /// The name that is shown.
    pub name: String,
}

/// When a task runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TriggerPolicy {
    /// A condition in the Common Expression Language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// What must have become of the tasks before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
}

/// What must have become of the tasks before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Strategy {
    /// As if nothing was said.
    #[default]
    #[serde(rename = "TRIGGER_STRATEGY_UNSPECIFIED")]
    Unspecified,
    /// All have succeeded.
    #[serde(rename = "ALL_UPSTREAM_TASKS_SUCCEEDED")]
    AllSucceeded,
    /// All have ended, however.
    #[serde(rename = "ALL_UPSTREAM_TASKS_COMPLETED")]
    AllCompleted,
}
