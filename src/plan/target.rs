//! Declared targets and triggers: where pipelines run, and what starts them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::targets::TargetName;
use crate::types::Value;

/// The image that holds the `mlp` program where a target names none: that of this version, as `docker/build` names it.
pub const RUNTIME_IMAGE: &str = concat!("mlp:", env!("CARGO_PKG_VERSION"));

/// `target prod: vertex { … }`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeclaredTarget {
    /// Its name.
    pub name: String,
    /// Its doc comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// The platform with its settings.
    pub platform: Platform,
    /// Where the platform keeps the secrets that steps name: the variable or file of `secrets`, and the platform's own
    /// reference (Kubeflow, and Airflow with pods: `secret/key`; Airflow otherwise: `env:NAME` or `file:/path` of the worker;
    /// Vertex: `projects/…/secrets/…/versions/…`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
    /// The image that holds the `mlp` program, for built-in operations and for steps without an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_image: Option<String>,
}

impl DeclaredTarget {
    /// A target of a platform's kind without settings.
    #[must_use]
    pub fn undeclared(name: &str, platform: Platform) -> Self {
        Self {
            name: name.to_owned(),
            docs: None,
            platform,
            secrets: BTreeMap::new(),
            runtime_image: None,
        }
    }

    /// The image that holds the `mlp` program: the one that it names, or that of this version.
    #[must_use]
    pub fn image(&self) -> String {
        self.runtime_image.clone().unwrap_or_else(|| RUNTIME_IMAGE.to_owned())
    }

    /// Its name and its platform, for messages: `prod (vertex)`; the platform alone where the name says no more.
    #[must_use]
    pub fn title(&self) -> String {
        let platform = self.platform.name().name();
        match self.name == platform {
            true => platform.to_owned(),
            false => format!("{} ({platform})", self.name),
        }
    }
}

impl Platform {
    /// Which target writes for it.
    #[must_use]
    pub fn name(&self) -> TargetName {
        match self {
            Self::Local => TargetName::Local,
            Self::Kubeflow(_) => TargetName::Kubeflow,
            Self::Vertex(_) => TargetName::Vertex,
            Self::Airflow(_) => TargetName::Airflow,
        }
    }
}

/// A platform with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// The executor of this machine.
    Local,
    /// Kubeflow Pipelines.
    Kubeflow(KubeflowTarget),
    /// Vertex AI Pipelines.
    Vertex(VertexTarget),
    /// Apache Airflow.
    Airflow(AirflowTarget),
}

/// Settings of Kubeflow Pipelines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KubeflowTarget {
    /// Address of the API: `https://kubeflow.example.com/pipeline`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The namespace (profile) that runs belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The experiment that runs belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiment: Option<String>,
    /// Where artifacts go: `s3://bucket/path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// The claim of a volume that keeps the model registry and the records between runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry_claim: Option<String>,
    /// The Kubernetes service account of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
    /// Secrets with which images are pulled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub image_pull_secrets: Vec<String>,
    /// Labels of every pod.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// Settings of Vertex AI Pipelines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VertexTarget {
    /// The Google Cloud project.
    pub project: String,
    /// Its region: `europe-west4`.
    pub region: String,
    /// Where artifacts go: `gs://bucket/path`.
    pub root: String,
    /// Where the model registry's records are kept: `gs://bucket/path`; `root/mlp-registry` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// The service account that steps run as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
    /// The key with which everything is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption_key: Option<String>,
    /// The network that steps run in: `projects/123/global/networks/main`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Labels of every run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// What happens to the rest when a step fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_policy: Option<FailurePolicy>,
}

/// What happens to the rest when a step fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailurePolicy {
    /// What does not depend on it goes on.
    Slow,
    /// Nothing new is started.
    Fast,
}

/// Settings of Airflow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AirflowTarget {
    /// The release that reads the files.
    #[serde(default)]
    pub version: AirflowVersion,
    /// What runs a step.
    #[serde(default)]
    pub runner: Runner,
    /// Where artifacts go: `s3://`, `gs://`, `az://`, or a folder that every worker sees. `None` means `mlp` below
    /// Airflow's own folder, which only the runner `local` allows. A folder is a plain path here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Address of the REST API: `https://airflow.example.com`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The folder that Airflow reads DAG files from, where `mlp submit` places them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dags: Option<String>,
    /// The Airflow connection to the cluster (`kubernetes_default`) or to the Docker engine (`docker_default`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The namespace of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The Kubernetes service account of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
    /// Secrets with which images are pulled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub image_pull_secrets: Vec<String>,
    /// Labels of every pod.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The claim of a volume that keeps the model registry and the records between runs. Other runners than pods keep them
    /// in the folder `registry` below the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry_claim: Option<String>,
    /// Who answers for the DAGs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Words by which people find the DAGs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The pool that limits how many tasks run at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// Milliseconds after which a run is ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
    /// Milliseconds after the queueing of a run by which it should have ended; the notifier is called where it has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<i64>,
    /// What is called when a run fails or misses its deadline: `package.module.function`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<String>,
    /// How many runs of a pipeline go at once; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_active_runs: Option<u32>,
}

/// The release of Airflow that reads the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AirflowVersion {
    /// 2.10 and later.
    #[serde(rename = "2")]
    Two,
    /// 3.0 and later.
    #[default]
    #[serde(rename = "3")]
    Three,
}

/// What runs a step on Airflow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Runner {
    /// A pod of its own.
    #[default]
    Kubernetes,
    /// A container of a Docker engine.
    Docker,
    /// A process of the worker.
    Local,
}

/// `trigger nightly for credit { cron: "0 2 * * *", timezone: "Europe/Berlin" }`, or
/// `trigger arrived for credit { data: ["s3://bucket/loans", "s3://bucket/rates"] }`: by a schedule or by data, never by both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// Its doc comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// The pipeline that it starts.
    pub pipeline: String,
    /// When, in five fields; absent for a pipeline that data starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// The IANA time zone in which the fields are meant.
    pub timezone: String,
    /// Addresses of data: once all of it has arrived anew, the pipeline is started. Sorted, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<String>,
    /// Values of the pipeline's parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Value>,
}

/// What a step's pod needs of Kubernetes: `kubernetes { … }`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Kubernetes {
    /// Labels that the node must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub node_selector: BTreeMap<String, String>,
    /// Taints that are borne.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    /// Volumes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Volume>,
    /// Labels of the pod.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations of the pod.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A taint that is borne.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Toleration {
    /// The taint's key.
    pub key: String,
    /// Its value; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
}

/// A volume of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Volume {
    /// Where it is mounted: an absolute path.
    pub path: String,
    /// What it is.
    pub source: VolumeSource,
}

/// What a volume is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VolumeSource {
    /// A claim that is there already, by name.
    Claim(String),
    /// The files of a secret, by name.
    Secret(String),
    /// The files of a config map, by name.
    ConfigMap(String),
    /// Memory, with its largest size in bytes.
    Memory(u64),
    /// Scratch space on the node's disk, with its largest size in bytes.
    Scratch(u64),
}
