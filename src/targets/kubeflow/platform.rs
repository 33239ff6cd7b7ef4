//! What differs between Kubeflow Pipelines and Vertex AI.

use crate::plan::{DeclaredTarget, KubeflowTarget, Platform, VertexTarget};
use crate::targets::{TargetError, accelerators};

/// The platform with its settings.
#[derive(Clone, Copy, Debug)]
pub(super) enum Host<'r> {
    Kubeflow(&'r KubeflowTarget),
    Vertex(&'r VertexTarget),
}

impl<'r> Host<'r> {
    /// The platform of a declared target.
    pub(super) fn of(target: &'r DeclaredTarget) -> Result<Self, TargetError> {
        match &target.platform {
            Platform::Kubeflow(settings) => Ok(Self::Kubeflow(settings)),
            Platform::Vertex(settings) => Ok(Self::Vertex(settings)),
            Platform::Local | Platform::Airflow(_) => Err(TargetError::Write(format!(
                "the target `{}` is for another platform",
                target.name
            ))),
        }
    }

    /// Where artifacts go.
    pub(super) fn root(self) -> Option<&'r str> {
        match self {
            Self::Kubeflow(settings) => settings.root.as_deref(),
            Self::Vertex(settings) => (!settings.root.is_empty()).then_some(settings.root.as_str()),
        }
    }

    /// Whether it can run a graph once for each artifact of a list.
    pub(super) fn loops_over_artifacts(self) -> bool {
        matches!(self, Self::Vertex(_))
    }

    /// The default of a parameter that may be absent and has none. Kubeflow's own programs make it `null`; `kfp.local` stops
    /// where it is not written down.
    pub(super) fn absent(self, optional: bool) -> Option<serde_json::Value> {
        (optional && matches!(self, Self::Kubeflow(_))).then_some(serde_json::Value::Null)
    }

    /// What it calls a kind of GPU.
    pub(super) fn gpu(self, kind: &str) -> &'static str {
        match self {
            Self::Kubeflow(_) => accelerators::GPU_RESOURCE,
            // A kind that does not exist was refused before.
            Self::Vertex(_) => accelerators::gpu(kind).map_or(accelerators::GPU_RESOURCE, |gpu| gpu.vertex_name),
        }
    }

    /// What it calls a kind of TPU.
    pub(super) fn tpu(self, kind: &str) -> &'static str {
        let on_vertex = || accelerators::tpu(kind).and_then(|tpu| tpu.vertex_name);
        match self {
            Self::Kubeflow(_) => accelerators::TPU_RESOURCE,
            Self::Vertex(_) => on_vertex().unwrap_or(accelerators::TPU_RESOURCE),
        }
    }

    /// The folder in which a container finds the model registry.
    pub(super) fn registry(self) -> Option<String> {
        match self {
            Self::Kubeflow(settings) => settings.registry_claim.is_some().then(|| "/mlp/registry".to_owned()),
            Self::Vertex(settings) => {
                let address = match &settings.registry {
                    Some(registry) => registry.clone(),
                    None => format!("{}/mlp-registry", settings.root.trim_end_matches('/')),
                };
                address.strip_prefix("gs://").map(|path| format!("/gcs/{path}"))
            }
        }
    }
}
