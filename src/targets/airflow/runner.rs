//! What runs a step: a pod, a container, a process of the worker. The tasks of a DAG are the same for all of them.

use super::dag::Launched;
use super::write::Call;
use super::{pods, python};
use crate::plan::{AirflowTarget, AirflowVersion, Platform, Runner, SecretReference, Step};
use crate::targets::{Request, TargetError};

/// Milliseconds beyond a step's own timeout after which its task is ended: the launcher keeps the time, and says so.
const MARGIN: i64 = 60_000;

/// Milliseconds that a pod may wait for a node and an image.
pub(super) const STARTUP: i64 = 600_000;

/// The runner of a target with its settings.
pub(super) struct Runs<'t> {
    pub(super) request: &'t Request<'t>,
    pub(super) settings: &'t AirflowTarget,
}

impl<'t> Runs<'t> {
    pub(super) fn of(request: &'t Request<'t>) -> Result<Self, TargetError> {
        match &request.target.platform {
            Platform::Airflow(settings) => Ok(Self { request, settings }),
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
        let mut text =
            format!("ROOT = {root}  # where artifacts go\nREFUSED = 65  # exit code: data or model did not pass\n");
        match self.settings.runner {
            Runner::Kubernetes => text.push_str(&pods::constants(self)),
            Runner::Docker => text.push_str(&self.container()),
            Runner::Local => {}
        }
        text
    }

    /// What every container shares.
    fn container(&self) -> String {
        let image = self.image();
        let mut settings = Vec::new();
        if let Some(connection) = &self.settings.connection {
            settings.push(format!("docker_conn_id={}", python::text(connection)));
        }
        settings.push("auto_remove=\"never\"".to_owned());
        settings.push("user=\"65532:65532\"".to_owned());
        let mut variables = vec![("\"HOME\"".to_owned(), "\"/tmp\"".to_owned())];
        let mut mounts = Vec::new();
        if let Some(root) = self.settings.root.as_ref().filter(|root| root.starts_with('/')) {
            let root = python::text(root);
            mounts.push(format!("Mount({root}, {root}, type=\"bind\")"));
            variables.push(("\"MLP_REGISTRY\"".to_owned(), "f\"{ROOT}/registry\"".to_owned()));
        }
        settings.push(format!("environment={}", python::dict(variables)));
        format!(
            "RUNTIME = {}  # the image that holds mlp\nPROGRAM = {}  # a volume of the engine, one for each release\n\
             MOUNTS = {}\nCONTAINER = dict({})\n",
            python::text(&image),
            python::text(concat!("mlp-", env!("CARGO_PKG_VERSION"))),
            python::list(mounts),
            settings.join(", ")
        )
    }

    /// The image that holds `mlp`.
    pub(super) fn image(&self) -> String {
        self.request.lock.image(&self.request.target.image())
    }

    /// Whether the launcher is told by a file, so that no length is too much.
    pub(super) fn tells_by_file(&self) -> bool {
        match self.settings.runner {
            Runner::Local => true,
            Runner::Kubernetes | Runner::Docker => false,
        }
    }

    /// The settings of a step that its runner knows.
    pub(super) fn step_settings(&self, step: &Step, call: &mut Call) -> Result<(), TargetError> {
        let start = match self.settings.runner {
            Runner::Kubernetes => {
                pods::step(self, step, call)?;
                STARTUP
            }
            Runner::Docker => {
                self.container_settings(step, call);
                self.worker_secrets(step, call);
                STARTUP
            }
            Runner::Local => {
                self.worker_secrets(step, call);
                0
            }
        };
        if let Some(timeout) = step.timeout {
            let longest = timeout.saturating_add(start).saturating_add(MARGIN);
            call.set("execution_timeout", python::timedelta(longest));
        }
        Ok(())
    }

    /// The settings of a built-in operation that its runner knows.
    pub(super) fn operation_settings(&self, launched: &Launched, call: &mut Call) {
        match self.settings.runner {
            Runner::Kubernetes if launched.registry && self.settings.registry_claim.is_some() => {
                call.spread("REGISTRY")
            }
            Runner::Kubernetes | Runner::Docker | Runner::Local => {}
        }
    }

    /// Milliseconds of a pod's own deadline.
    pub(super) fn pod_deadline(timeout: i64) -> i64 {
        timeout.saturating_add(MARGIN)
    }

    fn container_settings(&self, step: &Step, call: &mut Call) {
        if let Some(image) = &step.image {
            call.set("image", python::text(&self.request.lock.image(image)));
        }
        if let Some(memory) = step.resources.memory {
            call.set("mem_limit", memory.to_string());
        }
        if let Some(millis) = step.resources.cpu_millis {
            #[expect(clippy::cast_precision_loss, reason = "counts of cores are small")]
            call.set("cpus", python::float(millis as f64 / 1_000.0));
        }
        if let Some((_, count)) = &step.resources.gpu {
            call.set(
                "device_requests",
                format!("[DeviceRequest(count={count}, capabilities=[[\"gpu\"]])]"),
            );
        }
    }

    /// Where the worker finds the secrets of a step: as the target says, else as the step does.
    fn worker_secrets(&self, step: &Step, call: &mut Call) {
        let places = step.secrets.iter().map(|(variable, own)| {
            let place = match (self.request.target.secrets.get(variable), own) {
                (Some(place), _) => place.clone(),
                (None, SecretReference::Env(name)) => format!("env:{name}"),
                (None, SecretReference::File(path)) => format!("file:{path}"),
            };
            (python::text(variable), python::text(&place))
        });
        if !step.secrets.is_empty() {
            call.set("secrets", python::dict(places));
        }
    }
}
