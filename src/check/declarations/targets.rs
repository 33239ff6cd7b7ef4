//! Targets: where pipelines run. Every setting is a constant of its own type, and has the shape that its platform prescribes.

use std::collections::BTreeMap;

use super::context::Context;
use super::platform_names::{self as names, Shape};
use super::settings::{SettingDeclaration, Settings, TARGET_KUBEFLOW, TARGET_LOCAL, TARGET_VERTEX};
use crate::diagnostics::{Code, nearest};
use crate::plan::{DeclaredTarget, FailurePolicy, KubeflowTarget, Platform, VertexTarget};
use crate::syntax::ast::{Expr, ExprKind, TargetItem};
use crate::targets::TargetName;
use crate::types::display::enumerate;

/// The platforms that can be declared.
const PLATFORMS: [&str; 4] = ["kubeflow", "vertex", "airflow", "local"];

impl Context<'_> {
    /// The meaning of a `target` item.
    pub(crate) fn target_item(&mut self, item: &TargetItem, docs: Option<&str>) -> Option<DeclaredTarget> {
        self.is_not_another_platform(item);
        let (platform, secret) = match item.platform.text.as_str() {
            "kubeflow" => (self.kubeflow_target(item), &names::KUBERNETES_SECRET),
            "vertex" => (self.vertex_target(item), &names::CLOUD_SECRET),
            "airflow" => self.airflow_target(item),
            "local" => {
                let _ = self.target_settings(item, TARGET_LOCAL);
                (Platform::Local, &names::KUBERNETES_SECRET)
            }
            _ => {
                self.unknown_platform(item);
                return None;
            }
        };
        let value = |name: &str| item.settings.iter().find(|setting| setting.name.text == name);
        let secrets = value("secrets").map(|setting| self.secret_places(&setting.value, secret));
        let description = value("description").and_then(|setting| self.text_setting("description", &setting.value));
        let image =
            value("runtime_image").and_then(|setting| self.shaped_text("runtime_image", &setting.value, &names::IMAGE));
        Some(DeclaredTarget {
            name: item.name.text.to_string(),
            docs: description.or_else(|| docs.map(str::to_owned)),
            platform,
            secrets: secrets.unwrap_or_default(),
            runtime_image: image,
        })
    }

    /// `mlp build --target kubeflow` must not mean a target of another platform.
    fn is_not_another_platform(&mut self, item: &TargetItem) {
        let name = item.name.text.as_str();
        if TargetName::from_name(name).is_some() && item.platform.text != name {
            let message = format!("A target cannot be called `{name}`: that is the name of another kind of target.");
            let diagnostic = self.problem(Code::TargetPlatform, item.name.id, message);
            self.report(diagnostic.help(format!(
                "Name it after its use, as in `target prod: {}`.",
                item.platform.text
            )));
        }
    }

    fn unknown_platform(&mut self, item: &TargetItem) {
        let message = format!(
            "There is no platform `{}` that pipelines can run on.",
            item.platform.text
        );
        let diagnostic = self.problem(Code::TargetPlatform, item.platform.id, message);
        let diagnostic = match nearest(&item.platform.text, PLATFORMS) {
            Some(found) => self.did_you_mean(diagnostic, &item.platform, &found),
            None => diagnostic.help(format!("The platforms are {}.", enumerate(&PLATFORMS))),
        };
        self.report(diagnostic);
    }

    /// The settings of a target, with what is missing reported.
    pub(super) fn target_settings<'a>(
        &mut self,
        item: &'a TargetItem,
        table: &'static [SettingDeclaration],
    ) -> Settings<'a> {
        let of = format!("The target `{}` ({})", item.name.text, item.platform.text);
        let settings = self.settings(&of, &item.settings, table);
        let is_missing =
            |setting: &&SettingDeclaration| setting.default.is_empty() && settings.get(setting.name).is_none();
        let missing: Vec<&SettingDeclaration> = table.iter().filter(is_missing).collect();
        if !missing.is_empty() && settings.complete {
            let names: Vec<&str> = missing.iter().map(|setting| setting.name).collect();
            let message = format!("{of} lacks {}.", enumerate(&names));
            let mut diagnostic = self.problem(Code::MissingSetting, item.name.id, message);
            for setting in missing {
                diagnostic = diagnostic.note(format!("`{}: {}` — {}", setting.name, setting.form, setting.docs));
            }
            self.report(diagnostic);
        }
        settings
    }

    fn kubeflow_target(&mut self, item: &TargetItem) -> Platform {
        let settings = self.target_settings(item, TARGET_KUBEFLOW);
        let pull_secrets = settings.get("image_pull_secrets");
        Platform::Kubeflow(KubeflowTarget {
            host: self.shaped(&settings, "host", &names::WEB),
            namespace: self.shaped(&settings, "namespace", &names::NAMESPACE),
            experiment: settings
                .get("experiment")
                .and_then(|expr| self.text_setting("experiment", expr)),
            root: self.shaped(&settings, "root", &names::OBJECT_STORAGE),
            registry_claim: self.shaped(&settings, "registry_claim", &names::KUBERNETES_NAME),
            service_account: self.shaped(&settings, "service_account", &names::KUBERNETES_NAME),
            image_pull_secrets: pull_secrets.map(|expr| self.pull_secrets(expr)).unwrap_or_default(),
            labels: self.labels(&settings, &names::KUBERNETES_KEY, &names::KUBERNETES_VALUE),
        })
    }

    fn vertex_target(&mut self, item: &TargetItem) -> Platform {
        let settings = self.target_settings(item, TARGET_VERTEX);
        let region = settings.get("region").and_then(|expr| self.region(expr));
        let labels = self.labels(&settings, &names::CLOUD_KEY, &names::CLOUD_VALUE);
        self.not_too_many(&settings, labels.len());
        Platform::Vertex(VertexTarget {
            project: self.shaped(&settings, "project", &names::PROJECT).unwrap_or_default(),
            root: self
                .shaped(&settings, "root", &names::CLOUD_STORAGE)
                .unwrap_or_default(),
            registry: self.shaped(&settings, "registry", &names::CLOUD_STORAGE),
            service_account: self.shaped(&settings, "service_account", &names::SERVICE_ACCOUNT),
            encryption_key: settings
                .get("encryption_key")
                .and_then(|expr| self.encryption_key(expr, region.as_deref())),
            network: self.shaped(&settings, "network", &names::NETWORK),
            failure_policy: settings
                .get("failure_policy")
                .and_then(|expr| self.failure_policy(expr)),
            region: region.unwrap_or_default(),
            labels,
        })
    }

    fn region(&mut self, expr: &Expr) -> Option<String> {
        let text = self.text_setting("region", expr)?;
        if let Some(region) = names::region_of_zone(&text) {
            let message = format!("`{text}` is a zone, but a pipeline runs in a region.");
            let diagnostic = self.problem(Code::CloudName, expr.id, message);
            self.report(diagnostic.help(format!("Write `region: \"{region}\"`.")));
            return None;
        }
        self.has_shape(expr, &text, &names::REGION).then_some(text)
    }

    fn encryption_key(&mut self, expr: &Expr, region: Option<&str>) -> Option<String> {
        let text = self.shaped_text("encryption_key", expr, &names::ENCRYPTION_KEY)?;
        let location = names::key_location(&text)?;
        if let Some(region) = region
            && location != region
        {
            let message = format!("The key is kept in `{location}`, but the target runs in `{region}`.");
            let diagnostic = self.problem(Code::EncryptionKey, expr.id, message);
            self.report(
                diagnostic
                    .note("Vertex AI encrypts only with a key of the region in which it runs.")
                    .help(format!("Name a key whose location is `{region}`.")),
            );
        }
        Some(text)
    }

    fn failure_policy(&mut self, expr: &Expr) -> Option<FailurePolicy> {
        match &expr.kind {
            ExprKind::Name(word) if word.text == "slow" => Some(FailurePolicy::Slow),
            ExprKind::Name(word) if word.text == "fast" => Some(FailurePolicy::Fast),
            _ => {
                let help = "Write `failure_policy: slow`, so that what does not depend on it goes on, or `failure_policy: fast`.";
                self.bad_setting(expr, "`failure_policy` is `slow` or `fast`.", help);
                None
            }
        }
    }

    pub(super) fn pull_secrets(&mut self, expr: &Expr) -> Vec<String> {
        let ExprKind::List(items) = &expr.kind else {
            let help = "Write `image_pull_secrets: [\"registry-login\"]`.";
            self.bad_setting(expr, "`image_pull_secrets` is a list of texts.", help);
            return Vec::new();
        };
        let read = |item| self.shaped_text("image_pull_secrets", item, &names::KUBERNETES_NAME);
        items.iter().filter_map(read).collect()
    }

    fn secret_places(&mut self, expr: &Expr, shape: &Shape) -> BTreeMap<String, String> {
        let place = match shape.what {
            what if what == names::CLOUD_SECRET.what => "projects/PROJECT/secrets/NAME/versions/latest",
            what if what == names::WORKER_SECRET.what => "env:TOKEN",
            _ => "secret-name/key",
        };
        let example = format!("{{ TOKEN: \"{place}\" }}");
        self.texts_by_name("secrets", expr, &example, None, shape)
    }

    pub(super) fn labels(&mut self, settings: &Settings<'_>, key: &Shape, value: &Shape) -> BTreeMap<String, String> {
        let Some(expr) = settings.get("labels") else {
            return BTreeMap::new();
        };
        self.texts_by_name("labels", expr, "{ team: \"risk\" }", Some(key), value)
    }

    fn not_too_many(&mut self, settings: &Settings<'_>, count: usize) {
        /// Labels of one resource of Google Cloud.
        const MOST: usize = 64;
        if let Some(expr) = settings.get("labels")
            && count > MOST
        {
            let message = format!("A run can have {MOST} labels at the most, but these are {count}.");
            let diagnostic = self.problem(Code::BadLabel, expr.id, message);
            self.report(diagnostic.help("Leave some out."));
        }
    }

    // ── Texts with a shape ──

    /// The text of a setting, if it is there and has the shape.
    pub(super) fn shaped(&mut self, settings: &Settings<'_>, setting: &str, shape: &Shape) -> Option<String> {
        self.shaped_text(setting, settings.get(setting)?, shape)
    }

    /// The text of an expression, if it has the shape; reported where not.
    pub(crate) fn shaped_text(&mut self, setting: &str, expr: &Expr, shape: &Shape) -> Option<String> {
        let text = self.text_setting(setting, expr)?;
        self.has_shape(expr, &text, shape).then_some(text)
    }

    pub(super) fn has_shape(&mut self, expr: &Expr, text: &str, shape: &Shape) -> bool {
        let holds = (shape.holds)(text);
        if !holds {
            let diagnostic = self.problem(shape.code, expr.id, format!("`{text}` is no {}.", shape.what));
            self.report(diagnostic.help(shape.help));
        }
        holds
    }

    /// `{ name: "text", … }`: the texts by name, each with its shape.
    pub(crate) fn texts_by_name(
        &mut self,
        setting: &str,
        expr: &Expr,
        example: &str,
        key: Option<&Shape>,
        value: &Shape,
    ) -> BTreeMap<String, String> {
        let mut read = BTreeMap::new();
        let fields = self.block_setting(setting, expr, example).unwrap_or_default();
        for field in fields {
            let name = field.name.text.as_str();
            if read.contains_key(name) {
                let message = format!("`{name}` is there twice.");
                let diagnostic = self.problem(Code::DuplicateMember, field.name.id, message);
                self.report(diagnostic.help("Leave one out."));
                continue;
            }
            if let Some(shape) = key
                && !(shape.holds)(name)
            {
                let message = format!("`{name}` is no {}.", shape.what);
                let diagnostic = self.problem(shape.code, field.name.id, message);
                self.report(diagnostic.help(shape.help));
            }
            if let Some(text) = self.shaped_text(name, &field.value, value) {
                read.insert(name.to_owned(), text);
            }
        }
        read
    }
}
