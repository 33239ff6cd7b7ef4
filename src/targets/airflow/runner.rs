//! What runs a step: a pod, a container, a process of the worker. The tasks of a DAG are the same for all of them.

use super::python;
use super::write::Call;
use crate::plan::{AirflowTarget, AirflowVersion, Platform, Runner, Step};
use crate::targets::{Request, TargetError};

/// The runner of a target with its settings.
pub(super) struct Runs<'t> {
    pub(super) settings: &'t AirflowTarget,
    pub(super) image: String,
}

impl<'t> Runs<'t> {
    pub(super) fn of(request: &'t Request<'t>) -> Result<Self, TargetError> {
        match &request.target.platform {
            Platform::Airflow(settings) => Ok(Self {
                settings,
                image: request.lock.image(&request.target.image()),
            }),
            Platform::Local | Platform::Kubeflow(_) | Platform::Vertex(_) => Err(TargetError::Write(format!(
                "the target `{}` is not one for Airflow",
                request.target.name
            ))),
        }
    }

    /// The release, as people write it.
    pub(super) fn version(&self) -> &'static str {
        match self.settings.version {
            AirflowVersion::Two => "2",
            AirflowVersion::Three => "3",
        }
    }

    /// What a step is.
    pub(super) fn title(&self) -> &'static str {
        match self.settings.runner {
            Runner::Kubernetes => "a pod",
            Runner::Docker => "a container",
            Runner::Local => "a process of the worker",
        }
    }

    /// The class that runs a step.
    pub(super) fn step(&self) -> &'static str {
        match self.settings.runner {
            Runner::Kubernetes => include_str!("helpers/kubernetes.py"),
            Runner::Docker => include_str!("helpers/docker.py"),
            Runner::Local => include_str!("helpers/local.py"),
        }
    }

    /// What every step shares.
    pub(super) fn constants(&self) -> String {
        let root = match &self.settings.root {
            Some(root) => python::text(root.trim_end_matches('/')),
            None => {
                "os.path.join(os.environ.get(\"AIRFLOW_HOME\", os.path.expanduser(\"~/airflow\")), \"mlp\")".to_owned()
            }
        };
        format!("ROOT = {root}  # where artifacts go\nREFUSED = 65  # exit code: the data or the model did not pass\n")
    }
}

/// Milliseconds beyond a step's own timeout after which Airflow ends its task: the launcher keeps the time, and says so.
const MARGIN: i64 = 60_000;

impl Runs<'_> {
    /// Whether the launcher is told by a file, so that no length is too much.
    pub(super) fn tells_by_file(&self) -> bool {
        match self.settings.runner {
            Runner::Local => true,
            Runner::Kubernetes | Runner::Docker => false,
        }
    }

    /// The settings of a step that its runner knows.
    pub(super) fn step_settings(
        &self,
        _request: &Request<'_>,
        step: &Step,
        call: &mut Call,
    ) -> Result<(), TargetError> {
        if let Some(timeout) = step.timeout {
            call.set("execution_timeout", python::timedelta(timeout.saturating_add(MARGIN)));
        }
        Ok(())
    }
}
