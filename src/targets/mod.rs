//! Targets: what a plan is written for. A target sees the plan and nothing else.
//!
//! What a target cannot express stands in [`capability`]; nothing is dropped silently.

pub mod accelerators;
pub mod airflow;
mod bootstrap;
pub mod capability;
mod choose;
pub mod images;
pub mod kubeflow;
mod operand_types;
pub mod pins;
pub mod pipeline_spec;
mod plan_target;
mod quantity;
mod slice;
mod sources;
pub mod vertex;

use camino::Utf8PathBuf;

use crate::plan::{DeclaredTarget, Plan};
use crate::project::{Lock, PythonSources};
pub use bootstrap::python_bootstrap;
pub use capability::{Feature, Refusal, RefusalPlace, Support};
pub use choose::{ChoiceError, choose};

/// The targets by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TargetName {
    /// The plan itself, as JSON.
    Plan,
    /// The executor of this machine; it runs plans and writes nothing.
    Local,
    /// Kubeflow Pipelines.
    Kubeflow,
    /// Vertex AI Pipelines.
    Vertex,
    /// Apache Airflow.
    Airflow,
}

/// A file that a target writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputFile {
    /// Path below the output folder.
    pub path: Utf8PathBuf,
    /// Its text.
    pub text: String,
}

/// Why a plan cannot be written for a target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The target runs plans and writes no files.
    #[error(
        "the target `local` writes no files: `mlp run` runs the pipeline on this machine. To see the plan, build the target `plan`"
    )]
    RunsInstead,
    /// The target cannot express something that the plan has.
    #[error("the target `{target}` cannot express {}: {}", .refusal.feature.name(), .refusal.why)]
    Refused {
        /// The target, as [`DeclaredTarget::title`] calls it.
        target: String,
        /// What it cannot express, where, and the way out: the first of all.
        refusal: Box<Refusal>,
    },
    /// A writer failed.
    #[error("the plan cannot be written: {0}")]
    Write(String),
    /// What was written is wrong by the target's own rules.
    #[error("what was made of `{pipeline}` is wrong, which is a mistake of `mlp` and not of yours. {finding}")]
    Unsound {
        /// The pipeline.
        pipeline: String,
        /// The first that is wrong.
        finding: String,
    },
}

/// What is to be written.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The target with its settings; one without settings where the project declares none.
    pub target: &'a DeclaredTarget,
    /// The Python files that steps and models run.
    pub sources: &'a PythonSources,
    /// Digests of images and hashes of packages.
    pub lock: &'a Lock,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Built {
    /// The files.
    pub files: Vec<OutputFile>,
    /// What the user should know, in full sentences: a file that a platform may find too large.
    pub warnings: Vec<String>,
}

/// Writes plans for one platform.
pub trait Target {
    /// Which one it is.
    fn name(&self) -> TargetName;

    /// The files for a plan; equal requests give equal files.
    ///
    /// # Errors
    /// When the target cannot express something that the plan has.
    fn build(&self, request: &Request<'_>) -> Result<Built, TargetError>;
}

impl TargetName {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Plan, Self::Local, Self::Kubeflow, Self::Vertex, Self::Airflow];

    /// Its name in the language and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Local => "local",
            Self::Kubeflow => "kubeflow",
            Self::Vertex => "vertex",
            Self::Airflow => "airflow",
        }
    }

    /// The target of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|target| target.name() == name)
    }
}

/// Writes for a target.
///
/// # Errors
/// When the target is not supported, or cannot express something that the plan has.
pub fn build(target: TargetName, request: &Request<'_>) -> Result<Built, TargetError> {
    for pipeline in request.plan.pipelines.values() {
        let refusals = capability::refusals(request.plan, pipeline, request.target);
        if let Some(refusal) = refusals.into_iter().next() {
            return Err(TargetError::Refused {
                target: request.target.title(),
                refusal: Box::new(refusal),
            });
        }
    }
    match target {
        TargetName::Plan => plan_target::PlanTarget.build(request),
        TargetName::Local => Err(TargetError::RunsInstead),
        TargetName::Kubeflow | TargetName::Vertex => kubeflow::KubeflowTarget(target).build(request),
        TargetName::Airflow => airflow::AirflowTarget.build(request),
    }
}
