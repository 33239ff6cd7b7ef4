//! The settings of items: one static table each, for the checker, the editor and the documentation; and readers of values.

use super::context::Context;
use crate::diagnostics::{Code, nearest};
use crate::syntax::ast::{Expr, ExprKind, Ident, Setting, StringPart};
use crate::types::{DataKind, DataType, Value};

/// A setting of an item.
#[derive(Debug, PartialEq, Eq)]
pub struct SettingDeclaration {
    /// Its name.
    pub name: &'static str,
    /// How its value is written.
    pub form: &'static str,
    /// What holds when it is left out; empty for a setting that must be there.
    pub default: &'static str,
    /// What it does, for hover and completion.
    pub docs: &'static str,
}

macro_rules! settings {
    ($($(#[$docs:meta])* $table:ident { $($name:literal, $form:literal, $default:literal, $text:literal;)* })*) => {
        $($(#[$docs])* pub static $table: &[SettingDeclaration] = &[
            $(SettingDeclaration { name: $name, form: $form, default: $default, docs: $text },)*
        ];)*
    };
}

settings! {
    /// `step`
    STEP {
        "run", "python \"file.py:function\" | command [\"prog\", \"{data}\"]", "",
            "What the step runs: a Python function, or a program with its arguments.";
        "image", "\"registry/name@sha256:…\"", "the runtime's own image",
            "The container image, where the step runs in a container.";
        "packages", "[\"scikit-learn==1.9.0\"]", "[]", "Python packages, as pip writes them. Pin them.";
        "env", "{ NAME: \"value\" }", "{}", "Environment variables.";
        "secrets", "{ NAME: env \"NAME\" }", "{}",
            "Environment variables whose values are kept elsewhere: `env \"NAME\"` or `file \"path\"`.";
        "resources", "{ cpu: 2, memory: 4GiB, gpu: 1, disk: 10GiB }", "one core, no limit of memory",
            "What the step needs; the executor runs as many steps at once as fit.";
        "timeout", "30min", "none", "How long the step may take before it is ended.";
        "retries", "2 | { count: 2, backoff: 10s }", "0", "How often a failed step is tried again.";
        "cache", "auto | never | { key: \"text\" }", "auto",
            "Whether the outputs of an earlier run with the same code, parameters and inputs are used again.";
        "kubernetes", "{ node_selector: { … }, tolerations: […], volumes: […], labels: { … }, annotations: { … } }", "none",
            "What the step's pod needs of a Kubernetes cluster. Other platforms refuse it.";
        "description", "\"text\"", "the doc comment", "What the step does, for people.";
    }
    /// `resources: { … }`
    RESOURCES {
        "cpu", "2 | 0.5", "1", "Cores.";
        "memory", "4GiB", "no limit", "Memory.";
        "gpu", "1 | \"nvidia-l4\" | { kind: \"nvidia-l4\", count: 2 }", "none", "Accelerators.";
        "tpu", "{ kind: \"v5e\", topology: \"2x4\" }", "none", "A TPU slice.";
        "disk", "10GiB", "no limit", "Scratch space.";
        "spot", "true | false", "false", "Whether a cheaper machine will do that may be taken away. Give the step `retries`.";
    }
    /// `gpu: { … }`
    GPU {
        "kind", "\"nvidia-l4\"", "", "The accelerator, in the platform's own name.";
        "count", "2", "1", "How many.";
    }
    /// `tpu: { … }`
    TPU {
        "kind", "\"v5e\"", "", "The generation: `v4`, `v5e`, `v5p`, `v6e`, `tpu7` or `tpu7x`.";
        "topology", "\"2x4\"", "", "How the chips are wired.";
    }
    /// `kubernetes: { … }`
    KUBERNETES {
        "node_selector", "{ `cloud.google.com/gke-nodepool`: \"large\" }", "{}", "Labels that the node must have.";
        "tolerations", "[{ key: \"dedicated\", value: \"ml\", effect: NoSchedule }]", "[]", "Taints that the pod bears.";
        "volumes", "[{ path: \"/data\", claim: \"datasets\" }, { path: \"/dev/shm\", memory: 1GiB }]", "[]",
            "What is mounted: a `claim`, a `secret` or a `config_map` by name, `memory` or `scratch` space by size.";
        "labels", "{ team: \"risk\" }", "{}", "Labels of the pod.";
        "annotations", "{ `example.com/owner`: \"ann\" }", "{}", "Annotations of the pod.";
    }
    /// A toleration.
    TOLERATION {
        "key", "\"dedicated\"", "", "The taint's key.";
        "value", "\"ml\"", "any value", "The taint's value.";
        "effect", "NoSchedule | PreferNoSchedule | NoExecute", "every effect", "The taint's effect.";
    }
    /// A volume.
    VOLUME {
        "path", "\"/data\"", "", "Where it is mounted: an absolute path.";
        "claim", "\"datasets\"", "none", "A persistent volume claim that is there already.";
        "secret", "\"login\"", "none", "A secret: one file for each key.";
        "config_map", "\"rules\"", "none", "A config map: one file for each key.";
        "memory", "1GiB", "none", "Memory, with its largest size; at `/dev/shm` for data loaders that share it.";
        "scratch", "10GiB", "none", "Space on the node's disk, with its largest size.";
    }
    /// `target …: kubeflow`
    TARGET_KUBEFLOW {
        "host", "\"https://kubeflow.example.com/pipeline\"", "none", "The address of the API, for `mlp submit`.";
        "namespace", "\"risk\"", "the account's own", "The namespace (profile) that runs belong to.";
        "experiment", "\"nightly\"", "Default", "The experiment that runs belong to.";
        "root", "\"s3://bucket/path\"", "the cluster's own", "Where artifacts go: `s3://`, `gs://` or `minio://`.";
        "registry_claim", "\"mlp-registry\"", "none",
            "The claim of a volume that keeps the model registry between runs; `champion`, `register` and `deploy` need it.";
        "service_account", "\"pipeline-runner\"", "the namespace's own", "The Kubernetes service account of the pods.";
        "image_pull_secrets", "[\"registry-login\"]", "[]", "Secrets with which images are pulled.";
        "labels", "{ team: \"risk\" }", "{}", "Labels of every pod.";
        "secrets", "{ TOKEN: \"secret-name/key\" }", "{}", "Where the secrets are that steps name: a Kubernetes secret and its key.";
        "runtime_image", "\"registry/mlp@sha256:…\"", "mlp of this version",
            "The image that holds `mlp`, for built-in operations and for steps without an image.";
        "description", "\"text\"", "the doc comment", "What the target is for, for people.";
    }
    /// `target …: vertex`
    TARGET_VERTEX {
        "project", "\"bank-ml\"", "", "The id of the Google Cloud project.";
        "region", "\"europe-west4\"", "", "The region in which pipelines run.";
        "root", "\"gs://bucket/path\"", "", "Where artifacts go.";
        "registry", "\"gs://bucket/registry\"", "`mlp-registry` below `root`", "Where the model registry's records are kept.";
        "service_account", "\"trainer@bank-ml.iam.gserviceaccount.com\"", "the project's default",
            "The service account that steps run as.";
        "encryption_key", "\"projects/P/locations/L/keyRings/R/cryptoKeys/K\"", "Google's own keys",
            "The key with which everything is encrypted; of the target's own region.";
        "network", "\"projects/123456789/global/networks/main\"", "the public internet", "The network that steps run in.";
        "labels", "{ team: \"risk\" }", "{}", "Labels of every run.";
        "failure_policy", "slow | fast", "slow",
            "Whether what does not depend on a failed step goes on (`slow`), or nothing new is started (`fast`).";
        "secrets", "{ TOKEN: \"projects/P/secrets/NAME/versions/latest\" }", "{}",
            "Where the secrets are that steps name: versions in Secret Manager.";
        "runtime_image", "\"registry/mlp@sha256:…\"", "mlp of this version",
            "The image that holds `mlp`, for built-in operations and for steps without an image.";
        "description", "\"text\"", "the doc comment", "What the target is for, for people.";
    }
    /// `target …: airflow`
    TARGET_AIRFLOW {
        "version", "\"2\" | \"3\"", "\"3\"", "The release of Airflow that reads the files: 2.10 and later, or 3.0 and later.";
        "runner", "kubernetes | docker | local", "kubernetes",
            "What runs a step: a pod, a container of a Docker engine, or a process of the worker.";
        "root", "\"s3://bucket/path\"", "`mlp` in Airflow's folder, with `runner: local`",
            "Where artifacts go: `s3://`, `gs://` or `az://`; without Kubernetes also a folder that every worker sees.";
        "host", "\"https://airflow.example.com\"", "none", "The address of the REST API, for `mlp submit`.";
        "dags", "\"/opt/airflow/dags\"", "none", "The folder that Airflow reads DAG files from, for `mlp submit`.";
        "connection", "\"kubernetes_default\"", "the provider's default",
            "The Airflow connection to the cluster, or to the Docker engine.";
        "namespace", "\"risk\"", "the connection's own", "The namespace of the pods.";
        "service_account", "\"pipeline-runner\"", "the namespace's own", "The Kubernetes service account of the pods.";
        "image_pull_secrets", "[\"registry-login\"]", "[]", "Secrets with which images are pulled.";
        "labels", "{ team: \"risk\" }", "{}", "Labels of every pod.";
        "registry_claim", "\"mlp-registry\"", "none",
            "The claim of a volume that keeps the model registry between runs; `champion`, `register` and `deploy` need it in pods. Other runners keep it below `root`.";
        "owner", "\"risk-team\"", "airflow", "Who answers for the DAGs.";
        "tags", "[\"credit\"]", "[]", "Words by which people find the DAGs.";
        "pool", "\"training\"", "default_pool", "The pool that limits how many tasks run at once; it must be there.";
        "timeout", "6h", "none", "How long a run may take before it is ended.";
        "deadline", "2h", "none", "How long after its start is asked for a run should have ended; `notify` is called where it has not. Needs Airflow 3.1.";
        "notify", "\"alerts.page.on_failure\"", "none",
            "What is called when a run fails or misses its deadline: a function that the workers can import.";
        "max_active_runs", "1", "1", "How many runs of a pipeline go at once.";
        "secrets", "{ TOKEN: \"secret-name/key\" }", "{}",
            "Where the secrets are that steps name: a Kubernetes secret and its key; with another runner `env:NAME` or `file:/path` of the worker.";
        "runtime_image", "\"registry/mlp@sha256:…\"", "mlp of this version",
            "The image that holds `mlp`, for built-in operations and for steps without an image.";
        "description", "\"text\"", "the doc comment", "What the target is for, for people.";
    }
    /// `target …: local`
    TARGET_LOCAL {
        "description", "\"text\"", "the doc comment", "What the target is for, for people.";
    }
    /// `trigger`
    TRIGGER {
        "cron", "\"0 2 * * *\"", "none", "When: minute, hour, day of the month, month, day of the week.";
        "data", "\"s3://bucket/loans\" | [\"s3://bucket/loans\", \"s3://bucket/rates\"]", "none",
            "The data that starts the pipeline: once all of it has arrived anew.";
        "timezone", "\"Europe/Berlin\"", "UTC", "The time zone in which `cron` is meant, by its IANA name.";
        "parameters", "{ source: \"gs://bucket/loans.csv\" }", "the defaults", "Values of the pipeline's parameters.";
        "on", "CreditDrift", "none", "The monitor whose alarm starts the pipeline.";
        "cooldown", "6h", "none", "How long after a start no alarm starts the pipeline again.";
        "description", "\"text\"", "the doc comment", "What the trigger is for, for people.";
    }
    /// `retries: { … }`
    RETRIES {
        "count", "2", "", "How often.";
        "backoff", "10s | { first: 10s, factor: 2.0, longest: 5min }", "{ first: 1s, factor: 2.0, longest: 1min }",
            "How long to wait before.";
        "on", "[timeout]", "every failure", "Which failures.";
    }
    /// `backoff: { … }`
    BACKOFF {
        "first", "10s", "1s", "The first wait.";
        "factor", "2.0", "2.0", "From each wait to the next.";
        "longest", "5min", "1min", "The longest wait.";
    }
    /// `cache: { … }`
    CACHE {
        "key", "\"text\"", "", "A text that belongs to the key: change it to compute anew.";
    }
    /// `model`
    MODEL {
        "registry", "\"credit-risk\"", "", "The name under which versions are registered.";
        "task", "binary_classification | multiclass_classification | regression", "", "What the model learns.";
        "input", "CreditFeatures without { @label }", "", "The columns it predicts from.";
        "output", "{ probability: float in 0..=1 }", "", "What it predicts for each row.";
        "run", "python \"file.py:predict\"", "", "The function `predict(model, data)`.";
        "packages", "[\"scikit-learn==1.9.0\"]", "[]", "Python packages, as pip writes them. Pin them.";
        "description", "\"text\"", "the doc comment", "What the model is for, for people.";
    }
    /// `artifact`
    ARTIFACT {
        "schema_title", "\"google.VertexModel\"", "", "The platform's name of the kind.";
        "version", "\"0.0.1\"", "\"0.0.1\"", "The version of the kind.";
    }
    /// `kserve { … }`
    KSERVE {
        "namespace", "\"risk\"", "the cluster's default", "The Kubernetes namespace of the service.";
    }
    /// `cloud_run { … }` and `vertex { … }`
    CLOUD {
        "project", "\"bank-ml\"", "the account's default", "The cloud project of the service.";
        "region", "\"europe-west4\"", "the project's default", "Where the service runs.";
    }
    /// `vertex { … }` of a service
    VERTEX_SERVICE {
        "project", "\"bank-ml\"", "the account's default", "The cloud project of the service.";
        "region", "\"europe-west4\"", "the project's default", "Where the service runs.";
        "image", "\"europe-docker.pkg.dev/bank-ml/serve/credit@sha256:…\"", "none", "The image that answers requests; it finds the model's files at AIP_STORAGE_URI. A pipeline that deploys on Vertex AI must name it.";
        "machine", "\"n1-standard-4\"", "n1-standard-4", "The kind of machine.";
        "endpoint", "\"projects/bank-ml/locations/europe-west4/endpoints/123\"", "one that is made", "The endpoint to which models are deployed.";
        "model", "\"projects/bank-ml/locations/europe-west4/models/456\"", "one that is made", "The model in Vertex AI's registry that gets a new version.";
        "predict_route", "\"/predict\"", "/predict", "Where the container takes requests.";
        "health_route", "\"/health\"", "/health", "Where the container says that it is well.";
    }
    /// `canary { … }`
    CANARY {
        "steps", "[5%, 25%, 100%]", "[100%]", "Shares of the requests that the new version answers, one after another.";
        "every", "1h", "1h", "How long each step lasts.";
    }
    /// `service`
    SERVICE {
        "platform", "local | kserve { … } | cloud_run { … } | vertex { … }", "", "Where the service runs.";
        "resources", "{ cpu: 1, memory: 2GiB }", "the platform's default", "What one replica needs.";
        "replicas", "1..=5 | 2", "1", "How many replicas run.";
        "rollout", "canary { steps: [5%, 25%, 100%], every: 1h }", "all at once", "How a new version takes over.";
        "description", "\"text\"", "the doc comment", "What the service is for, for people.";
    }
}

/// The settings of one item that exist, each once.
pub(crate) struct Settings<'a> {
    entries: Vec<&'a Setting>,
    /// Names that may be meant by an unknown one: then nothing is said to be missing.
    pub(crate) complete: bool,
}

impl<'a> Settings<'a> {
    /// The value of a setting.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Expr> {
        self.entries
            .iter()
            .find(|setting| setting.name.text == name)
            .map(|setting| &setting.value)
    }
}

impl Context<'_> {
    /// Reads settings against their table: reports those that do not exist and those given twice.
    pub(crate) fn settings<'a>(
        &mut self,
        of: &str,
        settings: &'a [Setting],
        table: &'static [SettingDeclaration],
    ) -> Settings<'a> {
        let mut read = Settings {
            entries: Vec::new(),
            complete: true,
        };
        for setting in settings {
            if !table.iter().any(|known| known.name == setting.name.text.as_str()) {
                read.complete = false;
                self.unknown_setting(of, &setting.name, table);
            } else if read.get(&setting.name.text).is_some() {
                let message = format!("`{}` is set twice.", setting.name.text);
                let diagnostic = self.problem(Code::DuplicateMember, setting.name.id, message);
                self.report(diagnostic.help("Leave one out."));
            } else {
                read.entries.push(setting);
            }
        }
        read
    }

    fn unknown_setting(&mut self, of: &str, name: &Ident, table: &'static [SettingDeclaration]) {
        let message = format!("{of} has no setting `{}`.", name.text);
        let diagnostic = self.problem(Code::UnknownSetting, name.id, message);
        let diagnostic = match nearest(&name.text, table.iter().map(|known| known.name)) {
            Some(found) => self.did_you_mean(diagnostic, name, &found),
            None => {
                let names: Vec<&str> = table.iter().map(|known| known.name).collect();
                diagnostic.help(format!(
                    "The settings are {}.",
                    crate::types::display::enumerate(&names)
                ))
            }
        };
        self.report(diagnostic);
    }

    /// Reports a setting with a value it cannot have, and says how it is written.
    pub(crate) fn bad_setting(&mut self, expr: &Expr, message: impl Into<String>, help: impl Into<String>) {
        if expr.kind != ExprKind::Error {
            let diagnostic = self.problem(Code::BadSetting, expr.id, message).help(help);
            self.report(diagnostic);
        }
    }

    fn of_kind(&mut self, setting: &str, expr: &Expr, kind: DataKind, example: &str) -> Option<Value> {
        if matches!(
            expr.kind,
            ExprKind::Literal(_) | ExprKind::String(_) | ExprKind::Unary { .. } | ExprKind::Binary { .. }
        ) {
            return self.constant_of(expr, &DataType::plain(kind));
        }
        self.bad_setting(
            expr,
            format!("`{setting}` is {}.", wanted(&kind)),
            format!("Write `{setting}: {example}`."),
        );
        None
    }

    /// A text without holes.
    pub(crate) fn text_setting(&mut self, setting: &str, expr: &Expr) -> Option<String> {
        match self.of_kind(setting, expr, DataKind::String, "\"…\"")? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// A duration above zero, in milliseconds.
    pub(crate) fn duration_setting(&mut self, setting: &str, expr: &Expr, example: &str) -> Option<i64> {
        match self.of_kind(setting, expr, DataKind::Duration, example)? {
            Value::Duration(value) if value > 0 => Some(value),
            _ => {
                self.bad_setting(
                    expr,
                    format!("`{setting}` must be longer than nothing."),
                    format!("Write `{setting}: {example}`."),
                );
                None
            }
        }
    }

    /// A duration that may be nothing, in milliseconds.
    pub(crate) fn wait_setting(&mut self, setting: &str, expr: &Expr, example: &str) -> Option<i64> {
        match self.of_kind(setting, expr, DataKind::Duration, example)? {
            Value::Duration(value) if value >= 0 => Some(value),
            _ => {
                self.bad_setting(
                    expr,
                    format!("`{setting}` cannot be less than nothing."),
                    format!("Write `{setting}: {example}`."),
                );
                None
            }
        }
    }

    /// A size above zero, in bytes.
    pub(crate) fn size_setting(&mut self, setting: &str, expr: &Expr) -> Option<u64> {
        match self.of_kind(setting, expr, DataKind::Size, "4GiB")? {
            Value::Size(value) if value > 0 => Some(value),
            _ => {
                self.bad_setting(
                    expr,
                    format!("`{setting}` must be more than nothing."),
                    format!("Write `{setting}: 4GiB`."),
                );
                None
            }
        }
    }

    /// An integer from `minimum` on.
    pub(crate) fn count_setting(&mut self, setting: &str, expr: &Expr, minimum: u32) -> Option<u32> {
        let Value::Int(value) = self.of_kind(setting, expr, DataKind::Int, "2")? else {
            return None;
        };
        match u32::try_from(value) {
            Ok(value) if value >= minimum => Some(value),
            Ok(_) | Err(_) => {
                self.bad_setting(
                    expr,
                    format!("`{setting}` cannot be `{value}`."),
                    match setting {
                        "replicas" => "Write a number from 0 on, or a range such as `1..=5`.".to_owned(),
                        _ => format!("Write a number from {minimum} on."),
                    },
                );
                None
            }
        }
    }

    /// A number above zero.
    pub(crate) fn number_setting(&mut self, setting: &str, expr: &Expr) -> Option<f64> {
        match self.of_kind(setting, expr, DataKind::Float, "2")? {
            Value::Float(value) if value > 0.0 => Some(value),
            _ => {
                self.bad_setting(
                    expr,
                    format!("`{setting}` must be above zero."),
                    format!("Write `{setting}: 2`."),
                );
                None
            }
        }
    }

    /// `true` or `false`.
    pub(crate) fn bool_setting(&mut self, setting: &str, expr: &Expr) -> Option<bool> {
        match self.of_kind(setting, expr, DataKind::Bool, "true")? {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// A list of texts.
    pub(crate) fn texts_setting(&mut self, setting: &str, expr: &Expr, example: &str) -> Option<Vec<String>> {
        let ExprKind::List(items) = &expr.kind else {
            self.bad_setting(
                expr,
                format!("`{setting}` is a list of texts."),
                format!("Write `{setting}: [{example}]`."),
            );
            return None;
        };
        items.iter().map(|item| self.text_setting(setting, item)).collect()
    }

    /// Python packages, sorted, each once.
    pub(crate) fn packages(&mut self, settings: &Settings<'_>) -> Vec<String> {
        let packages = settings.get("packages");
        let read = packages.and_then(|expr| self.texts_setting("packages", expr, "\"pandas==3.0.1\""));
        let mut packages = read.unwrap_or_default();
        for package in &packages {
            if !is_requirement(package)
                && let Some(expr) = settings.get("packages")
            {
                let message = format!("`{package}` is no requirement of a Python package.");
                self.bad_setting(expr, message, "Write its name and version, as in `\"pandas==3.0.1\"`.");
            }
        }
        packages.sort();
        packages.dedup();
        packages
    }

    /// The fields of `name: { … }`.
    pub(crate) fn block_setting<'a>(&mut self, setting: &str, expr: &'a Expr, example: &str) -> Option<&'a [Setting]> {
        match &expr.kind {
            ExprKind::Record(fields) => Some(fields),
            ExprKind::Columns(columns) if columns.is_empty() => Some(&[]),
            _ => {
                self.bad_setting(
                    expr,
                    format!("`{setting}` is a block."),
                    format!("Write `{setting}: {example}`."),
                );
                None
            }
        }
    }
}

/// Whether a text has the shape of a requirement (PEP 508): a name, perhaps extras, then nothing, a version, an address or a
/// marker. What the version says is the installer's to judge.
fn is_requirement(text: &str) -> bool {
    let is_name = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    let rest = text.trim_start_matches(is_name);
    let rest = match rest.strip_prefix('[').map(|extras| extras.split_once(']')) {
        Some(Some((_, rest))) => rest,
        Some(None) => return false,
        None => rest,
    };
    let rest = rest.trim_start();
    let marks = ["===", "==", ">=", "<=", "~=", "!=", ">", "<", "@", ";"];
    let follows = |mark: &str| rest.strip_prefix(mark).is_some_and(|more| !more.trim().is_empty());
    text.starts_with(|first: char| first.is_ascii_alphanumeric()) && (rest.is_empty() || marks.into_iter().any(follows))
}

/// The text of a string without holes.
pub(crate) fn plain_text(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::String(parts) => parts
            .iter()
            .map(|part| match part {
                StringPart::Text(text) => Some(text.as_str()),
                StringPart::Hole(_) => None,
            })
            .collect(),
        _ => None,
    }
}

fn wanted(kind: &DataKind) -> &'static str {
    match kind {
        DataKind::String => "a text",
        DataKind::Int => "a whole number",
        DataKind::Float => "a number",
        DataKind::Duration => "a duration",
        DataKind::Size => "a size",
        DataKind::Bool => "`true` or `false`",
        DataKind::Date
        | DataKind::Datetime
        | DataKind::Money
        | DataKind::Enum(_)
        | DataKind::List(_)
        | DataKind::Map(_)
        | DataKind::Record(_) => "a constant",
    }
}
