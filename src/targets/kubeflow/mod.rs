//! Kubeflow Pipelines and Vertex AI Pipelines: a plan lowered to PipelineSpec, one file for each pipeline.
//!
//! Every node becomes one task with a component and an executor of its own. What the platform cannot compute is computed
//! by a task of the runtime image; what it cannot express is refused, never left out. What runs inside the containers is
//! not here (see the runtime's module `container`), nor are requests to the platforms.

mod branch;
mod call;
mod cel;
mod compute;
mod container;
mod finish;
mod google;
mod graph;
mod import;
mod kubernetes;
mod names;
mod operand;
mod outputs;
mod platform;
mod repeat;
mod scope;
mod service;
mod settings;
mod shown;
mod task;
mod values;

use std::collections::BTreeMap;

pub(super) use self::call::takes_artifacts;
pub(super) use self::google::IMAGE as LAUNCHERS;
use self::names::Names;
use self::platform::Host;
use super::pipeline_spec::{
    Component, Deployment, Document, Executor, KubernetesDeployment, KubernetesExecutor, KubernetesPlatform,
    PipelineInfo, PipelineSpec, PlatformSpec, Platforms, SCHEMA_VERSION, verify, write,
};
use super::vertex;
use super::{Built, Feature, OutputFile, Refusal, RefusalPlace, Request, Target, TargetError, TargetName};
use crate::diagnostics::Severity;
use crate::plan::{Pipeline, Plan, Platform, Step};

/// Sizes above this may be too much for what keeps the platform's objects.
const LARGE: usize = 1_000_000;

/// Writes PipelineSpec for one of the two platforms.
pub(super) struct KubeflowTarget(pub(super) TargetName);

impl Target for KubeflowTarget {
    fn name(&self) -> TargetName {
        self.0
    }

    fn build(&self, request: &Request<'_>) -> Result<Built, TargetError> {
        let mut built = Built::default();
        let started = |pipeline: &&Pipeline| !call::takes_artifacts(pipeline);
        for pipeline in request.plan.pipelines.values().filter(started) {
            let Lowered { document, warnings } = lower(request, pipeline)?;
            self.verify(&pipeline.name, &document)?;
            let text = write(&document.spec, document.platform.as_ref())
                .map_err(|error| TargetError::Write(error.to_string()))?;
            if text.len() > LARGE {
                built.warnings.push(format!(
                    "`{}.yaml` has {} bytes. A platform that keeps it in one Kubernetes object refuses more than about \
                     1.5 MB: build images for the steps that carry their Python sources, or split the pipeline.",
                    pipeline.name,
                    text.len()
                ));
            }
            built.warnings.extend(warnings);
            built.files.push(OutputFile {
                path: format!("{}.yaml", pipeline.name).into(),
                text,
            });
            if let Platform::Vertex(settings) = &request.target.platform {
                if settings.root.is_empty() {
                    built.warnings.push(format!(
                        "No target says where on Vertex AI `{}` runs, so the request of a run is not written: declare \
                         `target prod: vertex {{ project: \"…\", region: \"…\", root: \"gs://…\" }}`.",
                        pipeline.name
                    ));
                }
                built
                    .files
                    .extend(vertex::requests(request.plan, pipeline, settings, &document.spec)?);
            }
        }
        Ok(built)
    }
}

/// A pipeline as the platforms read it.
struct Lowered {
    document: Document,
    warnings: Vec<String>,
}

impl KubeflowTarget {
    /// Runs the verifier on what was made: the platforms' own checks find little before the run.
    fn verify(&self, pipeline: &str, document: &Document) -> Result<(), TargetError> {
        let platform = match self.0 {
            TargetName::Vertex => verify::Platform::Vertex,
            TargetName::Kubeflow | TargetName::Plan | TargetName::Local | TargetName::Airflow => {
                verify::Platform::Kubeflow
            }
        };
        let findings = verify::verify(document, platform);
        match findings
            .into_iter()
            .find(|finding| finding.severity() == Severity::Error)
        {
            Some(finding) => Err(TargetError::Unsound {
                pipeline: pipeline.to_owned(),
                finding: finding.to_string(),
            }),
            None => Ok(()),
        }
    }
}

fn lower(request: &Request<'_>, pipeline: &Pipeline) -> Result<Lowered, TargetError> {
    let host = Host::of(request.target)?;
    let name = pipeline_name(&pipeline.name);
    let mut lowering = Lowering {
        request,
        plan: request.plan,
        host,
        names: Names::default(),
        calls: Vec::new(),
        components: BTreeMap::new(),
        executors: BTreeMap::new(),
        kubernetes: BTreeMap::new(),
        bootstrap: None,
        warnings: Vec::new(),
    };
    // `kfp` would take a component of the pipeline's name for the pipeline.
    lowering.names.reserve(&name);
    let root = lowering.root(pipeline)?;
    let platform = (!lowering.kubernetes.is_empty()).then(|| PlatformSpec {
        platforms: Platforms {
            kubernetes: KubernetesPlatform {
                deployment_spec: KubernetesDeployment {
                    executors: lowering.kubernetes,
                },
                pipeline_config: None,
            },
        },
    });
    let spec = PipelineSpec {
        components: lowering.components,
        default_pipeline_root: host.root().map(str::to_owned),
        deployment_spec: Deployment {
            executors: lowering.executors,
        },
        pipeline_info: PipelineInfo {
            description: pipeline.docs.clone(),
            display_name: (name != pipeline.name).then(|| pipeline.name.clone()),
            name,
        },
        root,
        schema_version: SCHEMA_VERSION.to_owned(),
        sdk_version: format!("mlp-{}", env!("CARGO_PKG_VERSION")),
    };
    Ok(Lowered {
        document: Document { spec, platform },
        warnings: lowering.warnings,
    })
}

/// A run-time value in the form in which the platforms take it.
///
/// # Errors
/// With the integer that the platforms cannot hold: they carry every number as a double.
pub fn parameter(value: &crate::types::Value) -> Result<serde_json::Value, i64> {
    values::constant(value)
}

/// A pipeline's name on the platforms: both take letters, digits and dashes.
#[must_use]
pub fn pipeline_name(name: &str) -> String {
    names::sanitised(name)
}

/// What is built up for one file.
struct Lowering<'r> {
    request: &'r Request<'r>,
    plan: &'r Plan,
    host: Host<'r>,
    /// Names of components and executors.
    names: Names,
    /// The pipelines that are being called.
    calls: Vec<&'r str>,
    components: BTreeMap<String, Component>,
    executors: BTreeMap<String, Executor>,
    kubernetes: BTreeMap<String, KubernetesExecutor>,
    /// The text that runs Python steps, made when it is first needed.
    bootstrap: Option<String>,
    warnings: Vec<String>,
}

impl Lowering<'_> {
    /// A setting of a step that the platform has not.
    fn refused(&self, step: &Step, setting: &'static str, feature: Feature, why: String, way_out: &str) -> TargetError {
        let place = RefusalPlace::Step {
            step: step.name.clone(),
            setting,
        };
        TargetError::Refused {
            target: self.request.target.title(),
            refusal: Box::new(Refusal {
                place,
                feature,
                why,
                way_out: way_out.to_owned(),
            }),
        }
    }

    /// Tells the user something, once.
    fn warn_once(&mut self, warning: &str) {
        if self.warnings.iter().all(|known| known != warning) {
            self.warnings.push(warning.to_owned());
        }
    }
}
