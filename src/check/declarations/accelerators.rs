//! `gpu` and `tpu` of `resources`: kinds, counts and shapes that exist.

use super::context::Context;
use super::settings::{GPU, Settings, TPU};
use crate::diagnostics::{Code, Diagnostic};
use crate::syntax::ast::{Expr, ExprKind};
use crate::targets::accelerators::{self, ANY};
use crate::types::display::enumerate;

impl Context<'_> {
    /// Warns of a step without a timeout that keeps an accelerator.
    pub(crate) fn accelerator_has_timeout(&mut self, settings: &Settings<'_>) {
        let Some(ExprKind::Record(fields)) = settings.get("resources").map(|expr| &expr.kind) else {
            return;
        };
        let accelerator = fields
            .iter()
            .find(|field| matches!(field.name.text.as_str(), "gpu" | "tpu"));
        if let Some(field) = accelerator {
            let message = format!(
                "This step has a {}, but no timeout.",
                field.name.text.to_ascii_uppercase()
            );
            let diagnostic = self.problem(Code::GpuWithoutTimeout, field.id, message);
            self.report(
                diagnostic
                    .note("A step that hangs would keep the machine, and be paid for, until somebody notices.")
                    .help("Say how long it may take: `timeout: 2h`."),
            );
        }
    }

    /// Kind and count of GPUs.
    pub(crate) fn gpu(&mut self, expr: &Expr) -> Option<(String, u32)> {
        match &expr.kind {
            ExprKind::String(_) => Some((self.gpu_kind("gpu", expr)?, 1)),
            ExprKind::Record(fields) => {
                let settings = self.settings("`gpu`", fields, GPU);
                let kind = settings.get("kind").map(|expr| self.gpu_kind("kind", expr));
                let count = match settings.get("count") {
                    Some(expr) => (self.count_setting("count", expr, 1)?, expr),
                    None => (1, expr),
                };
                let kind = kind.unwrap_or_else(|| Some(ANY.to_owned()))?;
                self.gpu_count(&kind, count.0, count.1);
                Some((kind, count.0))
            }
            _ => Some((ANY.to_owned(), self.count_setting("gpu", expr, 1)?)),
        }
    }

    fn gpu_kind(&mut self, setting: &str, expr: &Expr) -> Option<String> {
        let kind = self.text_setting(setting, expr)?;
        if kind == ANY || accelerators::gpu(&kind).is_some() {
            return Some(kind);
        }
        let diagnostic = self.problem(
            Code::UnknownAccelerator,
            expr.id,
            format!("There is no GPU of the kind `{kind}`."),
        );
        let kinds = accelerators::GPUS.iter().map(|gpu| gpu.kubernetes_label).collect();
        self.report(with_kinds(diagnostic, accelerators::nearest_gpu(&kind), kinds));
        None
    }

    fn gpu_count(&mut self, kind: &str, count: u32, expr: &Expr) {
        let Some(gpu) = accelerators::gpu(kind).filter(|gpu| !gpu.has_count(count)) else {
            return;
        };
        let counts: Vec<String> = gpu.counts().map(|count| count.to_string()).collect();
        let counts: Vec<&str> = counts.iter().map(String::as_str).collect();
        let message = format!("No machine has {count} GPUs of the kind `{kind}`.");
        let diagnostic = self.problem(Code::AcceleratorShape, expr.id, message);
        self.report(diagnostic.help(match counts.as_slice() {
            [only] => format!("A machine has {only} of them: `count: {only}`."),
            several => format!("A machine can have {} of them.", enumerate(several)),
        }));
    }

    /// Kind and topology of a TPU slice.
    pub(crate) fn tpu(&mut self, expr: &Expr) -> Option<(String, String)> {
        let fields = self.block_setting("tpu", expr, "{ kind: \"v5e\", topology: \"2x4\" }")?;
        let settings = self.settings("`tpu`", fields, TPU);
        for name in ["kind", "topology"] {
            if settings.get(name).is_none() && settings.complete {
                let message = format!("`tpu` lacks `{name}`.");
                let diagnostic = self.problem(Code::MissingSetting, expr.id, message);
                self.report(diagnostic.help("Write `tpu: { kind: \"v5e\", topology: \"2x4\" }`."));
            }
        }
        let kind = settings.get("kind").and_then(|expr| self.tpu_kind(expr));
        let topology = settings.get("topology")?;
        let text = self.text_setting("topology", topology)?;
        let kind = kind?;
        if let Some(tpu) = accelerators::tpu(&kind)
            && tpu.slice(&text).is_none()
        {
            let shapes: Vec<&str> = tpu.single_host_topologies().collect();
            let message = format!("There is no slice `{text}` of TPUs of the kind `{kind}`.");
            let diagnostic = self.problem(Code::AcceleratorShape, topology.id, message);
            self.report(diagnostic.help(match shapes.as_slice() {
                [only] => format!("The slice of one machine is `{only}`."),
                several => format!("Slices of one machine are {}.", enumerate(several)),
            }));
            return None;
        }
        Some((kind, text))
    }

    fn tpu_kind(&mut self, expr: &Expr) -> Option<String> {
        let kind = self.text_setting("kind", expr)?;
        if accelerators::tpu(&kind).is_some() {
            return Some(kind);
        }
        let message = format!("There is no TPU of the kind `{kind}`.");
        let diagnostic = self.problem(Code::UnknownAccelerator, expr.id, message);
        let kinds = accelerators::TPUS.iter().map(|tpu| tpu.kind).collect();
        self.report(with_kinds(diagnostic, accelerators::nearest_tpu(&kind), kinds));
        None
    }
}

fn with_kinds(diagnostic: Diagnostic, near: Option<&str>, kinds: Vec<&str>) -> Diagnostic {
    match near {
        Some(found) => diagnostic.help(format!("Did you mean `\"{found}\"`?")),
        None => diagnostic.help(format!("The kinds are {}.", enumerate(&kinds))),
    }
}
