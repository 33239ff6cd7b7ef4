//! The second document: settings that Kubernetes alone has (`kubernetes_executor_config.proto` 2.17).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::ParameterInput;

/// The second document of a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlatformSpec {
    /// The platforms.
    #[serde(default)]
    pub platforms: Platforms,
}

/// The platforms; there is one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Platforms {
    /// Kubernetes.
    #[serde(default)]
    pub kubernetes: KubernetesPlatform,
}

/// Settings for Kubernetes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KubernetesPlatform {
    /// Settings of executors.
    #[serde(default)]
    pub deployment_spec: KubernetesDeployment,
    /// Settings of the whole run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline_config: Option<PipelineConfig>,
}

/// Settings of executors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KubernetesDeployment {
    /// By the executor's label.
    #[serde(default)]
    pub executors: BTreeMap<String, KubernetesExecutor>,
}

/// Settings of the whole run; times in seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineConfig {
    /// When the run is ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_deadline_seconds: Option<u64>,
    /// How long what is left of the run is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_ttl_on_completion: Option<u64>,
    /// As above, after a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_ttl_on_failure: Option<u64>,
    /// As above, after a success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_ttl_on_success: Option<u64>,
    /// A volume that all steps share; carried, never written by this compiler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<Json>,
}

/// Settings of one executor. What this compiler never writes is carried as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KubernetesExecutor {
    /// Seconds after which the pod is ended: a 64-bit integer, written as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_deadline_seconds: Option<Json>,
    /// Variables from config maps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub config_map_as_env: Vec<Json>,
    /// Files from config maps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub config_map_as_volume: Vec<ConfigMapVolume>,
    /// Scratch folders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub empty_dir_mounts: Vec<EmptyDirMount>,
    /// Whether shared memory is mounted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled_shared_memory: Option<Json>,
    /// Variables from the pod's own description.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub field_path_as_env: Vec<Json>,
    /// Volumes that live as long as the pod.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub generic_ephemeral_volume: Vec<Json>,
    /// `Always`, `IfNotPresent` or `Never`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_pull_policy: Option<String>,
    /// Secrets of image registries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub image_pull_secret: Vec<ImagePullSecret>,
    /// Which nodes, by expressions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub node_affinity: Vec<Json>,
    /// Which nodes, by labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_selector: Option<NodeSelector>,
    /// Which neighbours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pod_affinity: Vec<Json>,
    /// Labels and annotations of the pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_metadata: Option<PodMetadata>,
    /// Volumes that stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pvc_mount: Vec<PvcMount>,
    /// Variables from secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secret_as_env: Vec<SecretAsEnv>,
    /// Files from secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secret_as_volume: Vec<SecretVolume>,
    /// As whom the container runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_context: Option<Json>,
    /// Taints that are borne.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
}

/// Labels of nodes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeSelector {
    /// The labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The labels as a value of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_selector_json: Option<ParameterInput>,
}

/// Labels and annotations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodMetadata {
    /// The annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// A taint that is borne.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Toleration {
    /// `NoSchedule`, `PreferNoSchedule`, `NoExecute`; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
    /// The taint's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// `Exists` or `Equal`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// The whole as a value of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toleration_json: Option<ParameterInput>,
    /// How long, in seconds: a 64-bit integer, written as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toleration_seconds: Option<Json>,
    /// The taint's value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A volume that stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PvcMount {
    /// The older form of the claim's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component_input_parameter: Option<String>,
    /// The older form of the claim's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constant: Option<String>,
    /// Where it is mounted.
    pub mount_path: String,
    /// The claim's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pvc_name_parameter: Option<ParameterInput>,
    /// A folder of the volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_path: Option<String>,
    /// The older form of the claim's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_output_parameter: Option<Json>,
}

/// Variables from a secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretAsEnv {
    /// Which key goes to which variable.
    pub key_to_env: Vec<KeyToEnv>,
    /// Whether it may be absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optional: Option<bool>,
    /// The older form of the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
    /// The secret's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_name_parameter: Option<ParameterInput>,
}

/// A key of a secret and the variable that receives it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyToEnv {
    /// The variable.
    pub env_var: String,
    /// The key.
    pub secret_key: String,
}

/// Files from a secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretVolume {
    /// Where it is mounted.
    pub mount_path: String,
    /// Whether it may be absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optional: Option<bool>,
    /// The older form of the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
    /// The secret's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_name_parameter: Option<ParameterInput>,
}

/// Files from a config map.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfigMapVolume {
    /// The older form of the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map_name: Option<String>,
    /// The config map's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map_name_parameter: Option<ParameterInput>,
    /// Where it is mounted.
    pub mount_path: String,
    /// Whether it may be absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optional: Option<bool>,
}

/// A secret of an image registry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImagePullSecret {
    /// The older form of the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
    /// The secret's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_name_parameter: Option<ParameterInput>,
}

/// A scratch folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EmptyDirMount {
    /// `Memory` for memory; the node's disk when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medium: Option<String>,
    /// Where it is mounted.
    pub mount_path: String,
    /// How large it may grow: `1Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_limit: Option<String>,
    /// The volume's name within the pod.
    pub volume_name: String,
}
