//! Services: which model they serve, and the constants that say how.

use std::collections::BTreeMap;

use super::ServiceDefinition;
use super::context::{Context, describe};
use super::settings::{CANARY, CLOUD, KSERVE, SERVICE, SettingDeclaration, VERTEX_SERVICE};
use crate::diagnostics::{Code, nearest};
use crate::names;
use crate::plan;
use crate::syntax::ast::{Expr, ExprKind, ItemKind, ServiceItem, Setting};
use crate::types::{DataKind, DataType, Value};

/// The serving platforms with the settings of each.
const PLATFORMS: &[(&str, &[SettingDeclaration])] = &[
    ("local", &[]),
    ("kserve", KSERVE),
    ("cloud_run", CLOUD),
    ("vertex", VERTEX_SERVICE),
];

impl Context<'_> {
    /// The meaning of a `service` item.
    pub(crate) fn service_item(&mut self, item: &ServiceItem, docs: Option<&str>) -> Option<ServiceDefinition> {
        let settings = self.settings(&format!("The service `{}`", item.name.text), &item.settings, SERVICE);
        let is_served = self.served_model(item);
        let mut constants = BTreeMap::new();
        let platform = match settings.get("platform") {
            Some(expr) => self.platform(expr, &mut constants),
            None => {
                if settings.complete {
                    let message = format!("The service `{}` does not say where it runs.", item.name.text);
                    let diagnostic = self.problem(Code::MissingSetting, item.name.id, message);
                    self.report(diagnostic.help("Add `platform: local`, or `platform: kserve { namespace: \"…\" }`."));
                }
                None
            }
        };
        if let Some(expr) = settings.get("resources") {
            let resources = self.resources(expr);
            let numbers = [
                (
                    "cpu_millis",
                    resources
                        .cpu_millis
                        .and_then(|value| i64::try_from(value).ok())
                        .map(Value::Int),
                ),
                ("memory", resources.memory.map(Value::Size)),
                ("disk", resources.disk.map(Value::Size)),
            ];
            let present = numbers
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?)));
            constants.insert("resources".to_owned(), Value::Map(present.collect()));
        }
        if let Some(expr) = settings.get("replicas") {
            self.replicas(expr, &mut constants);
        }
        if let Some(expr) = settings.get("rollout")
            && self.is_rollout(expr)
            && let Some(value) = self.setting_constant(expr)
        {
            constants.insert("rollout".to_owned(), value);
        }
        let description = settings
            .get("description")
            .and_then(|expr| self.text_setting("description", expr));
        if !is_served {
            return None;
        }
        Some(ServiceDefinition {
            service: plan::Service {
                name: item.name.text.to_string(),
                docs: description.or_else(|| docs.map(str::to_owned)),
                model: item.model.text.to_string(),
                platform: platform?,
                settings: (!constants.is_empty()).then_some(Value::Map(constants)),
            },
        })
    }

    /// Whether the model that the service is for may exist; reported where not.
    fn served_model(&mut self, item: &ServiceItem) -> bool {
        let Some(key) = self.resolve(&item.model.text) else {
            self.unknown_name(&item.model, "model", &[]);
            return false;
        };
        match names::item(self.db, &key).as_deref().map(|item| &item.kind) {
            Some(ItemKind::Model(_)) => true,
            Some(ItemKind::Broken(_)) | None => false,
            Some(other) => {
                self.wrong_kind(&item.model, describe(other), "a model");
                false
            }
        }
    }

    fn platform(&mut self, expr: &Expr, constants: &mut BTreeMap<String, Value>) -> Option<String> {
        let word = match &expr.kind {
            ExprKind::Name(word) => word,
            ExprKind::Tagged { word, operand } => {
                if let Some(fields) = self.block_setting("platform", operand, "kserve { namespace: \"risk\" }") {
                    if let Some((_, known)) = PLATFORMS.iter().find(|(name, _)| *name == word.text) {
                        let _ = self.settings(&format!("The platform `{}`", word.text), fields, known);
                    }
                    if let Some(value) = self.constants_of(fields) {
                        constants.insert("platform".to_owned(), value);
                    }
                }
                word
            }
            _ => {
                self.bad_setting(
                    expr,
                    "A platform is one word, with its settings behind it.",
                    "Write `platform: local`.",
                );
                return None;
            }
        };
        let platforms: Vec<&str> = PLATFORMS.iter().map(|(name, _)| *name).collect();
        if platforms.contains(&word.text.as_str()) {
            return Some(word.text.to_string());
        }
        let message = format!("There is no platform `{}`.", word.text);
        let diagnostic = self.problem(Code::BadSetting, word.id, message);
        let diagnostic = match nearest(&word.text, platforms.iter().copied()) {
            Some(found) => self.did_you_mean(diagnostic, word, &found),
            None => diagnostic.help(format!(
                "The platforms are {}.",
                crate::types::display::enumerate(&platforms)
            )),
        };
        self.report(diagnostic);
        None
    }

    fn replicas(&mut self, expr: &Expr, constants: &mut BTreeMap<String, Value>) {
        let (low, high) = if matches!(expr.kind, ExprKind::Range { .. }) {
            let Some(range) = self.constant_range(expr, &DataType::plain(DataKind::Int)) else {
                return;
            };
            if range.is_empty() {
                let diagnostic = self.problem(Code::EmptyRange, expr.id, "No number of replicas lies in this range.");
                self.report(diagnostic.help("Write the smaller number first, as in `1..=5`."));
                return;
            }
            (range.minimum, range.maximum)
        } else {
            let Some(count) = self.count_setting("replicas", expr, 0) else {
                return;
            };
            let bound = crate::types::Bound {
                value: Value::Int(i64::from(count)),
                inclusive: true,
            };
            (Some(bound.clone()), Some(bound))
        };
        let end = |bound: Option<crate::types::Bound>| bound.map(|bound| bound.value);
        let ends = [("minimum", end(low)), ("maximum", end(high))];
        let ends = ends
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        constants.insert("replicas".to_owned(), Value::Map(ends.collect()));
    }

    /// Whether a setting says how a new version takes over; reported where not.
    fn is_rollout(&mut self, expr: &Expr) -> bool {
        let reported = self.diagnostics.len();
        match &expr.kind {
            ExprKind::Name(word) if word.text == "all_at_once" => {}
            ExprKind::Tagged { word, operand } if word.text == "canary" => {
                let Some(fields) =
                    self.block_setting("rollout", operand, "canary { steps: [5%, 25%, 100%], every: 1h }")
                else {
                    return false;
                };
                let settings = self.settings("`canary`", fields, CANARY);
                if let Some(steps) = settings.get("steps") {
                    self.rollout_steps(steps);
                }
                if let Some(every) = settings.get("every") {
                    let _ = self.duration_setting("every", every, "1h");
                }
            }
            _ => self.bad_setting(
                expr,
                "This is no way in which a new version can take over.",
                "Write `rollout: canary { steps: [5%, 25%, 100%], every: 1h }`, or leave the setting out.",
            ),
        }
        self.diagnostics.len() == reported
    }

    /// Shares of the requests, each above the one before, up to all.
    fn rollout_steps(&mut self, expr: &Expr) {
        let ExprKind::List(items) = &expr.kind else {
            self.bad_setting(expr, "`steps` is a list of shares.", "Write `steps: [5%, 25%, 100%]`.");
            return;
        };
        let mut last = 0.0;
        for item in items {
            match self.constant_of(item, &DataType::plain(DataKind::Float)) {
                Some(Value::Float(share)) if share > last && share <= 1.0 => last = share,
                Some(_) => {
                    let help = "Each share is above the one before, and none above 100%: `steps: [5%, 25%, 100%]`.";
                    self.bad_setting(item, "This cannot be the next share of the requests.", help);
                    return;
                }
                None => return,
            }
        }
    }

    /// A setting that is kept as a constant; a word in front of it is its `kind`.
    pub(crate) fn setting_constant(&mut self, expr: &Expr) -> Option<Value> {
        match &expr.kind {
            ExprKind::Name(word) => Some(Value::String(word.text.to_string())),
            ExprKind::Record(fields) => self.constants_of(fields),
            ExprKind::Tagged { word, operand } => {
                let value = self.setting_constant(operand)?;
                let mut entries = match value {
                    Value::Map(entries) => entries,
                    other => BTreeMap::from([("value".to_owned(), other)]),
                };
                entries.insert("kind".to_owned(), Value::String(word.text.to_string()));
                Some(Value::Map(entries))
            }
            _ => self.constant(expr),
        }
    }

    fn constants_of(&mut self, fields: &[Setting]) -> Option<Value> {
        let mut entries = BTreeMap::new();
        for field in fields {
            entries.insert(field.name.text.to_string(), self.setting_constant(&field.value)?);
        }
        Some(Value::Map(entries))
    }
}
