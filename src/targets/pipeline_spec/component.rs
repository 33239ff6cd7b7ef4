//! Components: interfaces, and the graphs inside them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Task;

/// Something that a task runs: a container (by its executor) or a graph.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Component {
    /// A graph of tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dag: Option<Dag>,
    /// Key of an executor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executor_label: Option<String>,
    /// What it takes.
    #[serde(default, skip_serializing_if = "InputDefinitions::is_empty")]
    pub input_definitions: InputDefinitions,
    /// What it gives.
    #[serde(default, skip_serializing_if = "OutputDefinitions::is_empty")]
    pub output_definitions: OutputDefinitions,
    /// Settings of a platform for one component alone; carried, never written by this compiler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub single_platform_specs: Option<Json>,
    /// Parts of the task's configuration that the component applies itself; carried, never written by this compiler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_config_passthroughs: Option<Json>,
}

/// A graph of tasks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dag {
    /// Where the component's outputs come from.
    #[serde(default, skip_serializing_if = "DagOutputs::is_empty")]
    pub outputs: DagOutputs,
    /// Tasks by name.
    #[serde(default)]
    pub tasks: BTreeMap<String, Task>,
}

/// Where the outputs of a graph come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DagOutputs {
    /// Artifacts by output name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub artifacts: BTreeMap<String, ArtifactSelectors>,
    /// Parameters by output name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, OutputParameter>,
}

/// The tasks that may give an artifact; of several, the one that ran.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ArtifactSelectors {
    /// In order of preference.
    pub artifact_selectors: Vec<ArtifactSelector>,
}

/// An output artifact of a task inside the graph.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ArtifactSelector {
    /// Its output.
    pub output_artifact_key: String,
    /// The task.
    pub producer_subtask: String,
}

/// Where an output parameter comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum OutputParameter {
    /// From the first of several tasks that ran.
    ValueFromOneof(ParameterSelectors),
    /// From one task.
    ValueFromParameter(ParameterSelector),
}

/// Several tasks of which one gives the value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ParameterSelectors {
    /// In order of preference.
    pub parameter_selectors: Vec<ParameterSelector>,
}

/// An output parameter of a task inside the graph.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ParameterSelector {
    /// Its output.
    pub output_parameter_key: String,
    /// The task.
    pub producer_subtask: String,
}

/// What a component takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InputDefinitions {
    /// Artifacts by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub artifacts: BTreeMap<String, ArtifactDefinition>,
    /// Parameters by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, InputParameter>,
}

/// What a component gives.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OutputDefinitions {
    /// Artifacts by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub artifacts: BTreeMap<String, ArtifactDefinition>,
    /// Parameters by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, ParameterSource>,
}

/// An artifact of an interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ArtifactDefinition {
    /// Its type.
    #[serde(default)]
    pub artifact_type: ArtifactSchema,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it is a list.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_artifact_list: bool,
    /// Whether it may be absent.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_optional: bool,
    /// Initial metadata; carried, never written by this compiler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
}

/// The type of an artifact: `system.Dataset`, `0.0.1`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ArtifactSchema {
    /// An inline schema; old files have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_schema: Option<String>,
    /// The type's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_title: Option<String>,
    /// A schema by address; old files have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_uri: Option<String>,
    /// The type's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_version: Option<String>,
}

/// An input parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InputParameter {
    /// Its value when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub default_value: Option<Json>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it may be absent.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_optional: bool,
    /// The only values it may have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub literals: Vec<Json>,
    /// Its type.
    #[serde(default)]
    pub parameter_type: ParameterType,
}

/// An output parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ParameterSource {
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its type.
    #[serde(default)]
    pub parameter_type: ParameterType,
}

/// The type of a parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ParameterType {
    /// None was said: an error wherever it matters.
    #[default]
    #[serde(rename = "PARAMETER_TYPE_ENUM_UNSPECIFIED")]
    Unspecified,
    /// A float.
    #[serde(rename = "NUMBER_DOUBLE")]
    Double,
    /// An integer.
    #[serde(rename = "NUMBER_INTEGER")]
    Integer,
    /// Text.
    #[serde(rename = "STRING")]
    String,
    /// `true` or `false`
    #[serde(rename = "BOOLEAN")]
    Boolean,
    /// A list; elements have no type.
    #[serde(rename = "LIST")]
    List,
    /// A map with text keys; values have no type.
    #[serde(rename = "STRUCT")]
    Struct,
    /// How the task before ended.
    #[serde(rename = "TASK_FINAL_STATUS")]
    TaskFinalStatus,
    /// The task's own configuration.
    #[serde(rename = "TASK_CONFIG")]
    TaskConfig,
}

impl ParameterType {
    /// Its name in the specification.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "PARAMETER_TYPE_ENUM_UNSPECIFIED",
            Self::Double => "NUMBER_DOUBLE",
            Self::Integer => "NUMBER_INTEGER",
            Self::String => "STRING",
            Self::Boolean => "BOOLEAN",
            Self::List => "LIST",
            Self::Struct => "STRUCT",
            Self::TaskFinalStatus => "TASK_FINAL_STATUS",
            Self::TaskConfig => "TASK_CONFIG",
        }
    }
}

impl InputDefinitions {
    /// Whether nothing is taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.artifacts.is_empty() && self.parameters.is_empty()
    }
}

impl OutputDefinitions {
    /// Whether nothing is given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.artifacts.is_empty() && self.parameters.is_empty()
    }
}

impl DagOutputs {
    /// Whether nothing is given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.artifacts.is_empty() && self.parameters.is_empty()
    }
}

impl ArtifactSchema {
    /// A type of the platform at the version that every known type has.
    #[must_use]
    pub fn titled(title: &str) -> Self {
        Self {
            schema_title: Some(title.to_owned()),
            schema_version: Some("0.0.1".to_owned()),
            ..Self::default()
        }
    }
}

/// `null` is a value here, and not the absence of one.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(super) fn is_false(value: &bool) -> bool {
    !*value
}
