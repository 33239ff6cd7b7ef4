//! Executors: what a component without a graph runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// The executors of a pipeline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Deployment {
    /// Executors by label.
    #[serde(default)]
    pub executors: BTreeMap<String, Executor>,
}

/// What a component runs.
#[allow(clippy::large_enum_variant, reason = "nearly every executor is a container")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Executor {
    /// A container.
    Container(Container),
    /// An artifact that is there already.
    Importer(Importer),
    /// A custom job of Vertex AI; carried, never written by this compiler.
    CustomJob(Json),
    /// A search for artifacts; carried, never written by this compiler.
    Resolver(Json),
}

/// A container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Container {
    /// Arguments after the command.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// The command.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Environment variables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<EnvironmentVariable>,
    /// The image.
    #[serde(default)]
    pub image: String,
    /// Hooks; carried, never written by this compiler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Json>,
    /// What it needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ContainerResources>,
}

/// An environment variable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvironmentVariable {
    /// Its name.
    pub name: String,
    /// Its value.
    #[serde(default)]
    pub value: String,
}

/// What a container needs, in both spellings: the older in cores and 10⁹ bytes, the newer as Kubernetes writes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContainerResources {
    /// An accelerator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accelerator: Option<Accelerator>,
    /// Cores at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_limit: Option<f64>,
    /// Cores at the least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_request: Option<f64>,
    /// 10⁹ bytes at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_limit: Option<f64>,
    /// 10⁹ bytes at the least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_request: Option<f64>,
    /// `2` or `500m`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_cpu_limit: Option<String>,
    /// `2` or `500m`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_cpu_request: Option<String>,
    /// `4Gi`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_memory_limit: Option<String>,
    /// `4Gi`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_memory_request: Option<String>,
}

/// An accelerator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Accelerator {
    /// How many: a 64-bit integer, which protobuf writes as text.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "count")]
    pub count: Option<String>,
    /// How many, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_count: Option<String>,
    /// Its kind in the platform's names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// Its kind in the platform's names.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// An artifact that is there already.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Importer {
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_uri: Option<RuntimeText>,
    /// Whether it is copied to the workspace.
    #[serde(default, skip_serializing_if = "super::component::is_false")]
    pub download_to_workspace: bool,
    /// What is recorded with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// Whether it is recorded anew each time.
    #[serde(default, skip_serializing_if = "super::component::is_false")]
    pub reimport: bool,
    /// Its type.
    #[serde(default)]
    pub type_schema: super::ArtifactSchema,
}

/// Text, or an input that holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum RuntimeText {
    /// The text.
    Constant(String),
    /// An input parameter of the component.
    RuntimeParameter(String),
}

/// A 64-bit integer as text or, as some writers have it, as a number.
fn count<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Count {
        Text(String),
        Number(i64),
    }
    Ok(Option::<Count>::deserialize(deserializer)?.map(|count| match count {
        Count::Text(text) => text,
        Count::Number(number) => number.to_string(),
    }))
}
