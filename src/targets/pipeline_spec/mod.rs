//! PipelineSpec, the intermediate representation that Kubeflow Pipelines and Vertex AI Pipelines run.
//!
//! The types have the names and the JSON form of `kfp_pipeline_spec` 2.1.0 (`pipeline_spec.proto`), so a file is read as
//! well as it is written. A field that the specification has not is an error. Fields stand in alphabetical order and maps
//! are sorted, which is how `kfp` writes them too. What a specification *means* is not known here.

mod component;
mod deployment;
mod path;
mod platform;
mod read;
mod task;
pub mod verify;
mod write;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use component::{
    ArtifactDefinition, ArtifactSchema, ArtifactSelector, ArtifactSelectors, Component, Dag, DagOutputs,
    InputDefinitions, InputParameter, OutputDefinitions, OutputParameter, ParameterSelector, ParameterSelectors,
    ParameterSource, ParameterType,
};
pub use deployment::{
    Accelerator, Container, ContainerResources, Deployment, EnvironmentVariable, Executor, Importer, RuntimeText,
};
pub use platform::{
    ConfigMapVolume, EmptyDirMount, ImagePullSecret, KeyToEnv, KubernetesDeployment, KubernetesExecutor,
    KubernetesPlatform, NodeSelector, PipelineConfig, PlatformSpec, Platforms, PodMetadata, PvcMount, SecretAsEnv,
    SecretVolume, Toleration,
};
pub use read::{Document, Place, ReadError, read, read_bytes};
pub use task::{
    ArtifactItems, ArtifactIterator, ArtifactSource, CachingOptions, ComponentRef, FinalStatus, IteratorPolicy,
    ParameterInput, ParameterItems, ParameterIterator, RetryPolicy, RuntimeValue, Strategy, Task, TaskInfo, TaskInputs,
    TaskOutputArtifact, TaskOutputParameter, TriggerPolicy,
};
pub use write::{WriteError, write};

/// The version of the schema that is written; both platforms refuse any other.
pub const SCHEMA_VERSION: &str = "2.1.0";

/// A whole pipeline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineSpec {
    /// Components by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub components: BTreeMap<String, Component>,
    /// Where artifacts go when the run does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_pipeline_root: Option<String>,
    /// What the components run.
    #[serde(default)]
    pub deployment_spec: Deployment,
    /// The name.
    pub pipeline_info: PipelineInfo,
    /// The pipeline itself.
    pub root: Component,
    /// [`SCHEMA_VERSION`]
    #[serde(default)]
    pub schema_version: String,
    /// Which program wrote it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sdk_version: String,
}

/// What a pipeline is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineInfo {
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What people read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Its name.
    pub name: String,
}
