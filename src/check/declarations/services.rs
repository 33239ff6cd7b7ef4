//! Services: which model they serve, and the constants that say how.

use std::collections::BTreeMap;

use super::ServiceDefinition;
use super::context::{Context, describe};
use super::settings::SERVICE;
use crate::diagnostics::{Code, nearest};
use crate::names;
use crate::plan;
use crate::syntax::ast::{Expr, ExprKind, ItemKind, ServiceItem, Setting};
use crate::types::{DataKind, DataType, Value};

/// The serving platforms.
const PLATFORMS: &[&str] = &["local", "kserve", "cloud_run", "vertex"];

impl Context<'_> {
    /// The meaning of a `service` item.
    pub(crate) fn service_item(&mut self, item: &ServiceItem, docs: Option<&str>) -> Option<ServiceDefinition> {
        let settings = self.settings(&format!("The service `{}`", item.name.text), &item.settings, SERVICE);
        self.served_model(item);
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
        if let Some(value) = settings.get("rollout").and_then(|expr| self.setting_constant(expr)) {
            constants.insert("rollout".to_owned(), value);
        }
        let description = settings
            .get("description")
            .and_then(|expr| self.text_setting("description", expr));
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

    fn served_model(&mut self, item: &ServiceItem) {
        let Some(key) = self.resolve(&item.model.text) else {
            self.unknown_name(&item.model, "model", &[]);
            return;
        };
        match names::item(self.db, &key).as_deref().map(|item| &item.kind) {
            Some(ItemKind::Model(_) | ItemKind::Broken(_)) | None => {}
            Some(other) => self.wrong_kind(&item.model, describe(other), "a model"),
        }
    }

    fn platform(&mut self, expr: &Expr, constants: &mut BTreeMap<String, Value>) -> Option<String> {
        let word = match &expr.kind {
            ExprKind::Name(word) => word,
            ExprKind::Tagged { word, operand } => {
                if let Some(fields) = self.block_setting("platform", operand, "kserve { namespace: \"risk\" }")
                    && let Some(value) = self.constants_of(fields)
                {
                    constants.insert("platform".to_owned(), value);
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
        if PLATFORMS.contains(&word.text.as_str()) {
            return Some(word.text.to_string());
        }
        let message = format!("There is no platform `{}`.", word.text);
        let diagnostic = self.problem(Code::BadSetting, word.id, message);
        let diagnostic = match nearest(&word.text, PLATFORMS.iter().copied()) {
            Some(found) => self.did_you_mean(diagnostic, word, &found),
            None => diagnostic.help(format!(
                "The platforms are {}.",
                crate::types::display::enumerate(PLATFORMS)
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

    /// A setting that is kept as a constant; a word in front of it is its `kind`.
    fn setting_constant(&mut self, expr: &Expr) -> Option<Value> {
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
