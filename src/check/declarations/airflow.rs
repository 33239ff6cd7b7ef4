//! Targets of the kind `airflow`: their settings, and which of them mean something for the chosen runner and release.

use super::context::Context;
use super::platform_names::{self as names, Shape};
use super::settings::{Settings, TARGET_AIRFLOW, plain_text};
use crate::diagnostics::Code;
use crate::plan::{AirflowTarget, AirflowVersion, Platform, Runner};
use crate::syntax::ast::{Expr, ExprKind, TargetItem};

/// What only pods have.
const ONLY_PODS: [&str; 5] = [
    "namespace",
    "service_account",
    "image_pull_secrets",
    "labels",
    "registry_claim",
];
/// What only pods and containers have.
const ONLY_CONTAINERS: [&str; 2] = ["connection", "runtime_image"];

impl Context<'_> {
    /// The platform, and the shape of the places of its secrets.
    pub(super) fn airflow_target(&mut self, item: &TargetItem) -> (Platform, &'static Shape) {
        let settings = self.target_settings(item, TARGET_AIRFLOW);
        let version = settings.get("version").map(|expr| self.version(expr));
        let runner = settings.get("runner").map(|expr| self.runner(expr));
        let target = AirflowTarget {
            version: version.flatten().unwrap_or_default(),
            runner: runner.flatten().unwrap_or_default(),
            ..self.airflow_settings(&settings)
        };
        // What follows from a runner or a release that is unknown is not said.
        let runner = runner.unwrap_or(Some(target.runner));
        if let Some(runner) = runner {
            self.fits_runner(item, &settings, runner);
        }
        if version != Some(None) {
            self.fits_version(item, &settings, target.version);
        }
        let root = self.airflow_root(item, &settings, runner);
        let secrets = match target.runner {
            Runner::Kubernetes => &names::KUBERNETES_SECRET,
            Runner::Docker | Runner::Local => &names::WORKER_SECRET,
        };
        (Platform::Airflow(AirflowTarget { root, ..target }), secrets)
    }

    /// The settings whose meaning depends on no other.
    fn airflow_settings(&mut self, settings: &Settings<'_>) -> AirflowTarget {
        let pull_secrets = settings.get("image_pull_secrets");
        let duration = |cx: &mut Self, name, example| {
            let expr = settings.get(name)?;
            cx.duration_setting(name, expr, example)
        };
        AirflowTarget {
            host: self.shaped(settings, "host", &names::WEB),
            dags: self.shaped(settings, "dags", &names::FOLDER),
            connection: self.shaped(settings, "connection", &names::CONNECTION),
            namespace: self.shaped(settings, "namespace", &names::NAMESPACE),
            service_account: self.shaped(settings, "service_account", &names::KUBERNETES_NAME),
            image_pull_secrets: pull_secrets.map(|expr| self.pull_secrets(expr)).unwrap_or_default(),
            labels: self.labels(settings, &names::KUBERNETES_KEY, &names::KUBERNETES_VALUE),
            registry_claim: self.shaped(settings, "registry_claim", &names::KUBERNETES_NAME),
            owner: self.shaped(settings, "owner", &names::OWNER),
            tags: settings.get("tags").map(|expr| self.dag_tags(expr)).unwrap_or_default(),
            pool: self.shaped(settings, "pool", &names::POOL),
            timeout: duration(self, "timeout", "6h"),
            deadline: duration(self, "deadline", "2h"),
            notify: self.shaped(settings, "notify", &names::DOTTED_PATH),
            max_active_runs: settings
                .get("max_active_runs")
                .and_then(|expr| self.count_setting("max_active_runs", expr, 1)),
            ..AirflowTarget::default()
        }
    }

    fn version(&mut self, expr: &Expr) -> Option<AirflowVersion> {
        match plain_text(expr).as_deref() {
            Some("2") => Some(AirflowVersion::Two),
            Some("3") => Some(AirflowVersion::Three),
            _ => {
                let help = "Write `version: \"3\"` for 3.0 and later, or `version: \"2\"` for 2.10 and later.";
                self.bad_setting(expr, "`version` is \"2\" or \"3\".", help);
                None
            }
        }
    }

    fn runner(&mut self, expr: &Expr) -> Option<Runner> {
        let quoted = plain_text(expr);
        let word = match &expr.kind {
            ExprKind::Name(word) => Some(word.text.as_str()),
            _ => quoted.as_deref(),
        };
        match word {
            Some("kubernetes") => Some(Runner::Kubernetes),
            Some("docker") => Some(Runner::Docker),
            Some("local") => Some(Runner::Local),
            _ => {
                let help = "Write `runner: kubernetes` for a pod a step, `runner: docker` for a container, or `runner: local` for a process of the worker.";
                self.bad_setting(expr, "`runner` is `kubernetes`, `docker` or `local`.", help);
                None
            }
        }
    }

    /// Where artifacts go; only processes of a worker have a default.
    fn airflow_root(&mut self, item: &TargetItem, settings: &Settings<'_>, runner: Option<Runner>) -> Option<String> {
        let Some(expr) = settings.get("root") else {
            if settings.complete && matches!(runner, Some(Runner::Kubernetes | Runner::Docker)) {
                let message = format!("The target `{}` (airflow) lacks `root`.", item.name.text);
                let diagnostic = self.problem(Code::MissingSetting, item.name.id, message);
                self.report(diagnostic.help(
                    "Say where artifacts go: `root: \"s3://bucket/path\"`. Only `runner: local` has a default, `mlp` in Airflow's own folder.",
                ));
            }
            return None;
        };
        let shape = match runner {
            Some(Runner::Kubernetes) => &names::POD_STORAGE,
            Some(Runner::Docker | Runner::Local) | None => &names::WORKER_STORAGE,
        };
        let root = self.shaped_text("root", expr, shape)?;
        Some(root.strip_prefix("file://").map_or(root.clone(), str::to_owned))
    }

    fn dag_tags(&mut self, expr: &Expr) -> Vec<String> {
        let ExprKind::List(items) = &expr.kind else {
            self.bad_setting(expr, "`tags` is a list of texts.", "Write `tags: [\"credit\"]`.");
            return Vec::new();
        };
        let mut tags: Vec<String> = Vec::new();
        for item in items {
            let Some(tag) = self.shaped_text("tags", item, &names::TAG) else {
                continue;
            };
            if tags.contains(&tag) {
                let diagnostic = self.problem(
                    Code::DuplicateMember,
                    item.id,
                    format!("The tag `{tag}` is there twice."),
                );
                self.report(diagnostic.help("Leave one out."));
            } else {
                tags.push(tag);
            }
        }
        tags
    }

    /// Reports settings that the runner has no use for.
    fn fits_runner(&mut self, item: &TargetItem, settings: &Settings<'_>, runner: Runner) {
        let (runner, what, useless) = match runner {
            Runner::Kubernetes => return,
            Runner::Docker => ("docker", "containers of a Docker engine", ONLY_PODS.to_vec()),
            Runner::Local => (
                "local",
                "processes of the worker",
                [&ONLY_PODS[..], &ONLY_CONTAINERS[..]].concat(),
            ),
        };
        for setting in &item.settings {
            let name = setting.name.text.as_str();
            if !useless.contains(&name) || settings.get(name).is_none() {
                continue;
            }
            let message = format!("With `runner: {runner}` steps are {what}, for which `{name}` means nothing.");
            let wanted = match ONLY_PODS.contains(&name) {
                true => "`runner: kubernetes`",
                false => "`runner: kubernetes` or `runner: docker`",
            };
            let diagnostic = self.problem(Code::RunnerSetting, setting.name.id, message);
            self.report(diagnostic.help(format!("Leave it out, or use {wanted}.")));
        }
    }

    /// Reports a deadline that nobody would watch.
    fn fits_version(&mut self, item: &TargetItem, settings: &Settings<'_>, version: AirflowVersion) {
        if settings.get("deadline").is_none() {
            return;
        }
        let Some(deadline) = item.settings.iter().find(|setting| setting.name.text == "deadline") else {
            return;
        };
        if version == AirflowVersion::Two {
            let message = "Airflow 2 watches no deadlines of runs.";
            let diagnostic = self.problem(Code::RunnerSetting, deadline.name.id, message);
            self.report(
                diagnostic.help("Leave `deadline` out and set `timeout`, which ends a run, or use `version: \"3\"`."),
            );
        } else if settings.get("notify").is_none() && settings.complete {
            let message = format!(
                "The target `{}` (airflow) has a deadline, but nobody is told when it is missed.",
                item.name.text
            );
            let diagnostic = self.problem(Code::MissingSetting, deadline.name.id, message);
            self.report(
                diagnostic.help("Add `notify: \"package.module.function\"`, a function that the workers can import."),
            );
        }
    }
}
