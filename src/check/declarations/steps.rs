//! Steps: what they run and under which conditions, and the evidence that they demand and give.

use std::collections::BTreeMap;

use super::StepDefinition;
use super::context::Context;
use super::run::RunKind;
use super::settings::{BACKOFF, CACHE, RESOURCES, RETRIES, STEP, Settings, plain_text};
use crate::diagnostics::{Applicability, Code, EditPosition};
use crate::plan::{self, Backoff, CachePolicy, Resources, Retries, SecretReference};
use crate::syntax::ast::{Expr, ExprKind, Output, StepItem, TypeExpr};
use crate::types::{ArtifactKind, ArtifactType, Evidence, ParameterKind, Signature, Type};

impl Context<'_> {
    /// The meaning of a `step` item.
    pub(crate) fn step_item(&mut self, item: &StepItem, docs: Option<&str>) -> StepDefinition {
        let signature = self.step_signature(item);
        let attests = self.attested(item);
        if signature.builtin && self.in_standard_library() {
            return StepDefinition {
                signature,
                step: None,
                attests,
            };
        }
        self.demands_validated(item, &signature);
        self.gives_only_attested(item, &signature, attests);
        let settings = self.settings(&format!("The step `{}`", item.name.text), &item.settings, STEP);
        let run = self.step_run(item, &settings, &signature);
        let step = self.step_settings(&settings, &signature, run, docs);
        StepDefinition {
            signature,
            step,
            attests,
        }
    }

    fn step_settings(
        &mut self,
        settings: &Settings<'_>,
        signature: &Signature,
        run: Option<plan::Run>,
        docs: Option<&str>,
    ) -> Option<plan::Step> {
        let description = settings
            .get("description")
            .and_then(|expr| self.text_setting("description", expr));
        let image = settings.get("image").and_then(|expr| self.text_setting("image", expr));
        let timeout = settings
            .get("timeout")
            .and_then(|expr| self.duration_setting("timeout", expr, "30min"));
        if settings.complete && settings.get("timeout").is_none() {
            self.accelerator_has_timeout(settings);
        }
        let step = plan::Step {
            name: signature.name.clone(),
            docs: description.or_else(|| docs.map(str::to_owned)),
            inputs: Vec::new(),
            outputs: Vec::new(),
            packages: self.packages(settings),
            env: settings
                .get("env")
                .map(|expr| self.environment(expr))
                .unwrap_or_default(),
            secrets: settings
                .get("secrets")
                .map(|expr| self.secrets(expr))
                .unwrap_or_default(),
            resources: settings
                .get("resources")
                .map(|expr| self.resources(expr))
                .unwrap_or_default(),
            retries: settings
                .get("retries")
                .map(|expr| self.retries(expr))
                .unwrap_or_default(),
            cache: settings.get("cache").map(|expr| self.cache(expr)).unwrap_or_default(),
            kubernetes: settings.get("kubernetes").and_then(|expr| self.kubernetes(expr)),
            image,
            timeout,
            run: run?,
        };
        Some(super::ports::with_ports(self, step, signature))
    }

    fn step_run(&mut self, item: &StepItem, settings: &Settings<'_>, signature: &Signature) -> Option<plan::Run> {
        let Some(expr) = settings.get("run") else {
            if settings.complete {
                let message = format!("The step `{}` does not say what it runs.", item.name.text);
                let diagnostic = self.problem(Code::MissingSetting, item.name.id, message);
                self.report(diagnostic.help("Add `run: python \"file.py:function\"` or `run: command [\"prog\", …]`."));
            }
            return None;
        };
        match self.run_setting(expr, &["python", "command"])? {
            RunKind::Python(function) => Some(plan::Run::Python(function)),
            RunKind::Command(arguments) => Some(plan::Run::Command(self.command(arguments, signature))),
        }
    }

    // ── Evidence ──

    fn attested(&mut self, item: &StepItem) -> Option<Evidence> {
        let word = item.attests.as_ref()?;
        let evidence = Evidence::from_word(&word.text);
        if evidence.is_none() {
            let message = format!("A step cannot attest `{}`.", word.text);
            let diagnostic = self.problem(Code::EvidenceDoesNotFit, word.id, message);
            self.report(diagnostic.help("A step can attest `validated`, `gated`, `proven` or `registered`."));
        }
        evidence
    }

    /// Any step from a dataset to a model is a training step, whatever it is called.
    fn demands_validated(&mut self, item: &StepItem, signature: &Signature) {
        if !signature.outputs.iter().any(|port| port.kind.is_model()) {
            return;
        }
        for (param, parameter) in item.params.iter().zip(&signature.parameters) {
            if dataset_evidence(&parameter.kind) != Some(Evidence::None) || param.name.text != parameter.name {
                continue;
            }
            let message = format!(
                "The step `{}` trains a model on `{}`, but does not demand that the data was validated.",
                item.name.text, param.name.text
            );
            let edit = self.insert(param.ty.id, EditPosition::Before, "validated ");
            let diagnostic = self.problem(Code::UnvalidatedTraining, param.ty.id, message);
            let diagnostic = diagnostic
                .label("data that nobody has looked at can be passed here")
                .note("A model learns whatever is wrong with its data, and no metric shows it afterwards.")
                .help("Write `validated` before the type: then only a dataset that passed `validate` can be passed.")
                .fix("Demand validated data", Applicability::Safe, vec![edit]);
            self.report(diagnostic);
        }
    }

    /// Evidence comes from the life cycle's own stages, or from a step that says it vouches for it.
    fn gives_only_attested(&mut self, item: &StepItem, signature: &Signature, attests: Option<Evidence>) {
        let types: Vec<&TypeExpr> = match &item.output {
            Output::None => Vec::new(),
            Output::One(ty) => vec![ty],
            Output::Named(params) => params.iter().map(|param| &param.ty).collect(),
        };
        let mut given = false;
        for (ty, port) in types.into_iter().zip(&signature.outputs) {
            let evidence = kind_evidence(&port.kind);
            given |= Some(evidence) == attests;
            if evidence == Evidence::None || Some(evidence) == attests {
                continue;
            }
            let word = evidence.word();
            let message = format!(
                "The step `{}` gives `{}`, but does not attest it.",
                item.name.text, port.kind
            );
            let diagnostic = self.problem(Code::UnattestedEvidence, ty.id, message);
            self.report(
                diagnostic
                    .note("What a step says about its own output was shown by nobody.")
                    .help(format!(
                        "Leave `{word}` out and let the life cycle show it, or write `attests {word}` behind the outputs, which `mlp audit` lists."
                    )),
            );
        }
        if let (Some(evidence), Some(word), false) = (attests, &item.attests, given)
            && !signature
                .outputs
                .iter()
                .any(|port| port.kind == ParameterKind::Type(Type::Unknown))
        {
            let message = format!(
                "The step `{}` attests `{}`, but no output of it is `{}`.",
                item.name.text,
                word.text,
                evidence.word()
            );
            let diagnostic = self.problem(Code::UnattestedEvidence, word.id, message);
            self.report(diagnostic.help(format!("Write `{}` before the type of the output.", evidence.word())));
        }
    }

    // ── Settings ──

    fn environment(&mut self, expr: &Expr) -> BTreeMap<String, String> {
        let Some(fields) = self.block_setting("env", expr, "{ NAME: \"value\" }") else {
            return BTreeMap::new();
        };
        let mut read = BTreeMap::new();
        for field in fields {
            if let Some(text) = self.text_setting(&field.name.text, &field.value) {
                read.insert(field.name.text.to_string(), text);
            }
        }
        read
    }

    fn secrets(&mut self, expr: &Expr) -> BTreeMap<String, SecretReference> {
        let example = "{ TOKEN: env \"TOKEN\" }";
        let Some(fields) = self.block_setting("secrets", expr, example) else {
            return BTreeMap::new();
        };
        let mut read = BTreeMap::new();
        for field in fields {
            let reference = match &field.value.kind {
                ExprKind::Tagged { word, operand } => match (word.text.as_str(), plain_text(operand)) {
                    ("env", Some(name)) => Some(SecretReference::Env(name)),
                    ("file", Some(path)) => Some(SecretReference::File(path)),
                    _ => None,
                },
                _ => None,
            };
            match reference {
                Some(reference) => {
                    read.insert(field.name.text.to_string(), reference);
                }
                None => self.bad_setting(
                    &field.value,
                    format!(
                        "The secret `{}` must say where it is kept; its value never stands in a program.",
                        field.name.text
                    ),
                    "Write `env \"NAME\"` or `file \"path\"`.",
                ),
            }
        }
        read
    }

    /// What a step or a replica needs.
    pub(crate) fn resources(&mut self, expr: &Expr) -> Resources {
        let mut resources = Resources::default();
        let Some(fields) = self.block_setting("resources", expr, "{ cpu: 2, memory: 4GiB }") else {
            return resources;
        };
        let settings = self.settings("`resources`", fields, RESOURCES);
        if let Some(cpu) = settings.get("cpu").and_then(|expr| self.number_setting("cpu", expr)) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "above zero, and `as` saturates"
            )]
            let millis = (cpu * 1_000.0).ceil() as u64;
            resources.cpu_millis = Some(millis);
        }
        resources.memory = settings
            .get("memory")
            .and_then(|expr| self.size_setting("memory", expr));
        resources.disk = settings.get("disk").and_then(|expr| self.size_setting("disk", expr));
        resources.gpu = settings.get("gpu").and_then(|expr| self.gpu(expr));
        resources.tpu = settings.get("tpu").and_then(|expr| self.tpu(expr));
        if let (Some(_), Some(tpu)) = (settings.get("gpu"), settings.get("tpu")) {
            let message = "A machine has GPUs or TPUs, never both.";
            let diagnostic = self.problem(Code::AcceleratorShape, tpu.id, message);
            self.report(diagnostic.help("Leave one out, or make two steps of it."));
        }
        resources.spot = settings
            .get("spot")
            .and_then(|expr| self.bool_setting("spot", expr))
            .unwrap_or_default();
        resources
    }

    fn retries(&mut self, expr: &Expr) -> Retries {
        let mut retries = Retries::default();
        let ExprKind::Record(fields) = &expr.kind else {
            retries.count = self.count_setting("retries", expr, 0).unwrap_or_default();
            return retries;
        };
        let settings = self.settings("`retries`", fields, RETRIES);
        retries.count = match settings.get("count") {
            Some(expr) => self.count_setting("count", expr, 0).unwrap_or_default(),
            None => 1,
        };
        if let Some(expr) = settings.get("on") {
            self.unsupported(
                expr.id,
                "`on` in `retries`",
                "Leave the setting out: every failure is tried again.",
            );
        }
        if let Some(expr) = settings.get("backoff") {
            retries.backoff = self.backoff(expr);
        }
        retries
    }

    fn backoff(&mut self, expr: &Expr) -> Backoff {
        let mut backoff = Backoff::default();
        let ExprKind::Record(fields) = &expr.kind else {
            if let Some(first) = self.duration_setting("backoff", expr, "10s") {
                backoff.first = first;
                backoff.longest = backoff.longest.max(first);
            }
            return backoff;
        };
        let settings = self.settings("`backoff`", fields, BACKOFF);
        if let Some(first) = settings
            .get("first")
            .and_then(|expr| self.wait_setting("first", expr, "10s"))
        {
            backoff.first = first;
        }
        if let Some(factor) = settings
            .get("factor")
            .and_then(|expr| self.number_setting("factor", expr))
        {
            backoff.factor = factor;
        }
        if let Some(longest) = settings
            .get("longest")
            .and_then(|expr| self.wait_setting("longest", expr, "5min"))
        {
            backoff.longest = longest;
        }
        backoff
    }

    fn cache(&mut self, expr: &Expr) -> CachePolicy {
        match &expr.kind {
            ExprKind::Name(word) if word.text == "auto" => return CachePolicy::Auto,
            ExprKind::Name(word) if word.text == "never" => return CachePolicy::Never,
            ExprKind::Record(fields) => {
                let settings = self.settings("`cache`", fields, CACHE);
                let key = settings.get("key").and_then(|expr| self.text_setting("key", expr));
                return key.map_or(CachePolicy::Auto, CachePolicy::Key);
            }
            _ => {}
        }
        self.bad_setting(
            expr,
            "`cache` is `auto`, `never` or a key.",
            "Write `cache: auto`, `cache: never` or `cache: { key: \"…\" }`.",
        );
        CachePolicy::Auto
    }
}

/// The evidence that a dataset parameter demands; nothing for anything but a dataset.
fn dataset_evidence(kind: &ParameterKind) -> Option<Evidence> {
    match kind {
        ParameterKind::GenericDataset { evidence, .. }
        | ParameterKind::Type(Type::Artifact(ArtifactType {
            kind: ArtifactKind::Dataset(_),
            evidence,
        })) => Some(*evidence),
        ParameterKind::Type(_)
        | ParameterKind::GenericModel { .. }
        | ParameterKind::GenericMetrics { .. }
        | ParameterKind::Checks { .. }
        | ParameterKind::Column { .. }
        | ParameterKind::ModelName { .. }
        | ParameterKind::ServiceName { .. }
        | ParameterKind::List(_) => None,
    }
}

fn kind_evidence(kind: &ParameterKind) -> Evidence {
    match kind {
        ParameterKind::GenericDataset { evidence, .. } | ParameterKind::GenericModel { evidence, .. } => *evidence,
        ParameterKind::Type(Type::Artifact(artifact)) => artifact.evidence,
        ParameterKind::Type(_)
        | ParameterKind::GenericMetrics { .. }
        | ParameterKind::Checks { .. }
        | ParameterKind::Column { .. }
        | ParameterKind::ModelName { .. }
        | ParameterKind::ServiceName { .. }
        | ParameterKind::List(_) => Evidence::None,
    }
}
