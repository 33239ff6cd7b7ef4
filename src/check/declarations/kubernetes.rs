//! `kubernetes` of a step: where its pod may run, what it bears, what is mounted in it, and how it is labelled.

use super::context::Context;
use super::platform_names as names;
use super::settings::{KUBERNETES, Settings, TOLERATION, VOLUME};
use crate::diagnostics::{Code, nearest};
use crate::plan::{Kubernetes, Toleration, Volume, VolumeSource};
use crate::syntax::ast::{Expr, ExprKind, Setting};
use crate::types::display::enumerate;

/// What a volume can be; exactly one is written.
const SOURCES: [&str; 5] = ["claim", "secret", "config_map", "memory", "scratch"];

/// What a taint can do.
const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

const VOLUME_EXAMPLE: &str = "{ path: \"/data\", claim: \"datasets\" }";

impl Context<'_> {
    /// What a step's pod needs of Kubernetes; nothing for an empty block.
    pub(crate) fn kubernetes(&mut self, expr: &Expr) -> Option<Kubernetes> {
        let fields = self.block_setting("kubernetes", expr, "{ node_selector: { pool: \"large\" } }")?;
        let settings = self.settings("`kubernetes`", fields, KUBERNETES);
        let (key, value) = (&names::KUBERNETES_KEY, &names::KUBERNETES_VALUE);
        let mut texts = |name, value| {
            let expr = settings.get(name)?;
            Some(self.texts_by_name(name, expr, "{ team: \"risk\" }", Some(key), value))
        };
        let read = Kubernetes {
            node_selector: texts("node_selector", value).unwrap_or_default(),
            labels: texts("labels", value).unwrap_or_default(),
            annotations: texts("annotations", &names::ANYTHING).unwrap_or_default(),
            tolerations: settings
                .get("tolerations")
                .map(|expr| self.tolerations(expr))
                .unwrap_or_default(),
            volumes: settings
                .get("volumes")
                .map(|expr| self.volumes(expr))
                .unwrap_or_default(),
        };
        (read != Kubernetes::default()).then_some(read)
    }

    fn tolerations(&mut self, expr: &Expr) -> Vec<Toleration> {
        let example = "{ key: \"dedicated\", value: \"ml\", effect: NoSchedule }";
        let blocks = self.blocks("tolerations", expr, example);
        blocks
            .into_iter()
            .filter_map(|fields| self.toleration(fields, example))
            .collect()
    }

    fn toleration(&mut self, (expr, fields): (&Expr, &[Setting]), example: &str) -> Option<Toleration> {
        let settings = self.settings("A toleration", fields, TOLERATION);
        self.has_setting(expr, &settings, "A toleration", "key", example);
        let value = settings
            .get("value")
            .and_then(|expr| self.shaped_text("value", expr, &names::KUBERNETES_VALUE));
        let effect = settings.get("effect").and_then(|expr| self.effect(expr));
        let key = self.shaped_text("key", settings.get("key")?, &names::KUBERNETES_KEY)?;
        Some(Toleration { key, value, effect })
    }

    fn effect(&mut self, expr: &Expr) -> Option<String> {
        let help = format!("The effects are {}.", enumerate(&EFFECTS));
        let ExprKind::Name(word) = &expr.kind else {
            self.bad_setting(expr, "The effect of a taint is one word, without quotes.", help);
            return None;
        };
        if EFFECTS.contains(&word.text.as_str()) {
            return Some(word.text.to_string());
        }
        let message = format!("A taint has no effect `{}`.", word.text);
        let diagnostic = self.problem(Code::BadSetting, expr.id, message);
        let diagnostic = match nearest(&word.text, EFFECTS) {
            Some(found) => self.did_you_mean(diagnostic, word, &found),
            None => diagnostic.help(help),
        };
        self.report(diagnostic);
        None
    }

    fn volumes(&mut self, expr: &Expr) -> Vec<Volume> {
        let mut volumes: Vec<Volume> = Vec::new();
        for (expr, fields) in self.blocks("volumes", expr, VOLUME_EXAMPLE) {
            let Some(volume) = self.volume(expr, fields) else {
                continue;
            };
            if volumes.iter().any(|other| other.path == volume.path) {
                let message = format!("Two volumes are mounted at `{}`.", volume.path);
                let diagnostic = self.problem(Code::BadVolume, expr.id, message);
                self.report(diagnostic.help("Give each a path of its own."));
            }
            volumes.push(volume);
        }
        volumes
    }

    fn volume(&mut self, expr: &Expr, fields: &[Setting]) -> Option<Volume> {
        let settings = self.settings("A volume", fields, VOLUME);
        self.has_setting(expr, &settings, "A volume", "path", VOLUME_EXAMPLE);
        let path = settings.get("path").and_then(|expr| self.mount_path(expr));
        let given: Vec<&str> = SOURCES
            .into_iter()
            .filter(|name| settings.get(name).is_some())
            .collect();
        let source = match given.as_slice() {
            [only] => self.volume_source(only, settings.get(only)?),
            [] if !settings.complete => None,
            [] => {
                self.bad_volume(expr, "This volume does not say what it is.");
                None
            }
            [first, second, ..] => {
                self.bad_volume(expr, &format!("A volume cannot be both `{first}` and `{second}`."));
                None
            }
        };
        Some(Volume {
            path: path?,
            source: source?,
        })
    }

    fn volume_source(&mut self, name: &str, expr: &Expr) -> Option<VolumeSource> {
        match name {
            "memory" => self.size_setting(name, expr).map(VolumeSource::Memory),
            "scratch" => self.size_setting(name, expr).map(VolumeSource::Scratch),
            _ => {
                let text = self.shaped_text(name, expr, &names::KUBERNETES_NAME)?;
                Some(match name {
                    "claim" => VolumeSource::Claim(text),
                    "secret" => VolumeSource::Secret(text),
                    _ => VolumeSource::ConfigMap(text),
                })
            }
        }
    }

    fn bad_volume(&mut self, expr: &Expr, message: &str) {
        let diagnostic = self.problem(Code::BadVolume, expr.id, message);
        self.report(diagnostic.help(format!(
            "Write one of {} with its path, as in `{VOLUME_EXAMPLE}`.",
            enumerate(&SOURCES)
        )));
    }

    fn mount_path(&mut self, expr: &Expr) -> Option<String> {
        let path = self.text_setting("path", expr)?;
        let is_plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(':');
        let holds = path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_plain));
        if holds {
            return Some(path);
        }
        let message = format!("`{path}` is no place at which a volume can be mounted.");
        let diagnostic = self.problem(Code::BadVolume, expr.id, message);
        self.report(diagnostic.help("Write an absolute path without `..`, as in `path: \"/data\"`."));
        None
    }

    /// The blocks of a list of them; what is none is reported.
    fn blocks<'a>(&mut self, setting: &str, expr: &'a Expr, example: &str) -> Vec<(&'a Expr, &'a [Setting])> {
        let ExprKind::List(items) = &expr.kind else {
            let message = format!("`{setting}` is a list of blocks.");
            self.bad_setting(expr, message, format!("Write `{setting}: [{example}]`."));
            return Vec::new();
        };
        let mut blocks = Vec::new();
        for item in items {
            match &item.kind {
                ExprKind::Record(fields) => blocks.push((item, fields.as_slice())),
                _ => self.bad_setting(
                    item,
                    format!("Each of the `{setting}` is a block."),
                    format!("Write `{example}`."),
                ),
            }
        }
        blocks
    }

    fn has_setting(&mut self, expr: &Expr, settings: &Settings<'_>, of: &str, name: &str, example: &str) {
        if settings.get(name).is_none() && settings.complete {
            let message = format!("{of} needs `{name}`.");
            let diagnostic = self.problem(Code::MissingSetting, expr.id, message);
            self.report(diagnostic.help(format!("Write `{example}`.")));
        }
    }
}
