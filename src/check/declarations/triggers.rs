//! Triggers: what starts a pipeline, and with which values. Schedules and data; what a monitor starts is not built yet.

use std::collections::BTreeMap;

use super::context::{Context, describe};
use super::settings::{Settings, TRIGGER};
use super::{platform_names, schedule};
use crate::diagnostics::{Code, nearest};
use crate::names;
use crate::plan::Trigger;
use crate::syntax::ast::{Expr, ExprKind, ItemKind, TriggerItem};
use crate::types::{ParameterKind, Signature, Type, Value};

/// What starts a pipeline.
struct Cause {
    cron: Option<String>,
    data: Vec<String>,
}

/// Where the fields of a schedule are meant when nothing is said.
const UTC: &str = "UTC";

impl Context<'_> {
    /// The meaning of a `trigger` item; nothing for one that waits for a monitor.
    pub(crate) fn trigger_item(&mut self, item: &TriggerItem, docs: Option<&str>) -> Option<Trigger> {
        let settings = self.settings(&format!("The trigger `{}`", item.name.text), &item.settings, TRIGGER);
        let signature = self.triggered(item);
        let cause = self.cause(item, &settings);
        let timezone = match settings.get("timezone") {
            Some(expr) => self.time_zone(expr),
            None => Some(UTC.to_owned()),
        };
        let parameters = match &signature {
            Some(signature) => self.trigger_parameters(item, &settings, signature),
            None => BTreeMap::new(),
        };
        let description = settings
            .get("description")
            .and_then(|expr| self.text_setting("description", expr));
        let Cause { cron, data } = cause?;
        Some(Trigger {
            name: item.name.text.to_string(),
            docs: description.or_else(|| docs.map(str::to_owned)),
            pipeline: signature?.name.clone(),
            timezone: timezone?,
            cron,
            data,
            parameters,
        })
    }

    /// What the pipeline takes; reported where the name means no pipeline.
    fn triggered(&mut self, item: &TriggerItem) -> Option<std::sync::Arc<Signature>> {
        let Some(key) = self.resolve(&item.pipeline.text) else {
            self.unknown_name(&item.pipeline, "pipeline", &[]);
            return None;
        };
        match names::item(self.db, &key).as_deref().map(|item| &item.kind) {
            Some(ItemKind::Pipeline(_)) => super::signature(self.db, &key),
            Some(ItemKind::Broken(_)) | None => None,
            Some(other) => {
                self.wrong_kind(&item.pipeline, describe(other), "a pipeline");
                None
            }
        }
    }

    /// The schedule or the data: one of them, and never both, since it could mean either and both.
    fn cause(&mut self, item: &TriggerItem, settings: &Settings<'_>) -> Option<Cause> {
        let monitor = ["on", "cooldown"]
            .into_iter()
            .find_map(|name| Some((name, settings.get(name)?)));
        if let Some((name, expr)) = monitor {
            self.unsupported(
                expr.id,
                &format!("a trigger that waits for a monitor (`{name}`)"),
                "Start the pipeline by a schedule: `cron: \"0 2 * * *\"`.",
            );
        }
        match (settings.get("cron"), settings.get("data")) {
            (Some(cron), None) => Some(Cause {
                cron: Some(self.cron(cron)?),
                data: Vec::new(),
            }),
            (None, Some(data)) => {
                if let Some(zone) = settings.get("timezone") {
                    let message = "A time zone belongs to a schedule, and this trigger has none.";
                    self.bad_setting(zone, message, "Leave `timezone` out.");
                }
                Some(Cause {
                    cron: None,
                    data: self.data(data)?,
                })
            }
            (Some(_), Some(data)) => {
                let message = "A trigger starts its pipeline by a schedule or when data arrives, not by both.";
                self.bad_setting(
                    data,
                    message,
                    "Write two triggers for the pipeline; either of them starts it.",
                );
                None
            }
            (None, None) => {
                if settings.complete && monitor.is_none() {
                    let name = &item.name.text;
                    let message = format!("The trigger `{name}` does not say when it starts the pipeline.");
                    let diagnostic = self.problem(Code::MissingSetting, item.name.id, message);
                    self.report(diagnostic.help(
                        "Add a schedule: `cron: \"0 2 * * *\"` is every night at two; or `data: \"s3://bucket/path\"`.",
                    ));
                }
                None
            }
        }
    }

    /// One address, or a list of them.
    fn data(&mut self, expr: &Expr) -> Option<Vec<String>> {
        let items = match &expr.kind {
            ExprKind::List(items) => items.as_slice(),
            _ => std::slice::from_ref(expr),
        };
        if items.is_empty() {
            let help = "Write the addresses of the data that the trigger waits for: `data: \"s3://bucket/path\"`.";
            self.bad_setting(expr, "A trigger that waits for no data never starts anything.", help);
        }
        let mut addresses: Vec<String> = Vec::new();
        for item in items {
            let Some(address) = self.shaped_text("data", item, &platform_names::DATA) else {
                continue;
            };
            if addresses.contains(&address) {
                let message = format!("`{address}` is there twice.");
                let diagnostic = self.problem(Code::DuplicateMember, item.id, message);
                self.report(diagnostic.help("Leave one out."));
            } else {
                addresses.push(address);
            }
        }
        addresses.sort();
        (!addresses.is_empty()).then_some(addresses)
    }

    fn cron(&mut self, expr: &Expr) -> Option<String> {
        let text = self.text_setting("cron", expr)?;
        match schedule::fires(&text) {
            Ok(true) => return Some(text),
            Ok(false) => {
                let message = format!("`{text}` never starts anything: no month that it names has such a day.");
                let diagnostic = self.problem(Code::NeverFires, expr.id, message);
                self.report(
                    diagnostic.help("The third field is the day, the fourth the month; \"0 2 28 2 *\" exists."),
                );
            }
            Err(problem) => {
                let diagnostic = self.problem(Code::BadSchedule, expr.id, problem.message);
                self.report(diagnostic.help(problem.help));
            }
        }
        None
    }

    fn time_zone(&mut self, expr: &Expr) -> Option<String> {
        let text = self.text_setting("timezone", expr)?;
        let zones = jiff::tz::TimeZoneDatabase::bundled();
        if let Ok(zone) = zones.get(&text) {
            let name = zone.iana_name().unwrap_or(&text).to_owned();
            if name == text {
                return Some(text);
            }
            let message = format!("The time zone `{text}` is written `{name}`.");
            let diagnostic = self.problem(Code::UnknownTimeZone, expr.id, message);
            self.report(diagnostic.help(format!("Write `timezone: \"{name}\"`.")));
            return None;
        }
        let known: Vec<String> = zones.available().map(|name| name.to_string()).collect();
        let city = |name: &&String| {
            name.rsplit('/')
                .next()
                .is_some_and(|city| city.eq_ignore_ascii_case(&text))
        };
        let found = known.iter().find(city).cloned();
        let found = found.or_else(|| nearest(&text, known.iter().map(String::as_str)).map(|name| name.to_string()));
        let message = format!("There is no time zone `{text}`.");
        let diagnostic = self.problem(Code::UnknownTimeZone, expr.id, message);
        self.report(match found {
            Some(name) => diagnostic.help(format!("Did you mean `\"{name}\"`?")),
            None => diagnostic
                .help("Write the name of the IANA database, a place and not an abbreviation: \"Europe/Berlin\"."),
        });
        None
    }

    /// Values of the pipeline's parameters; every one without a default must have one.
    fn trigger_parameters(
        &mut self,
        item: &TriggerItem,
        settings: &Settings<'_>,
        signature: &Signature,
    ) -> BTreeMap<String, Value> {
        let written = settings.get("parameters");
        let fields = match written {
            Some(expr) => self.block_setting("parameters", expr, "{ source: \"…\" }"),
            None => Some([].as_slice()),
        };
        let mut values = BTreeMap::new();
        let Some(fields) = fields else {
            return values;
        };
        let mut all_known = true;
        for field in fields {
            let name = field.name.text.as_str();
            let Some(parameter) = signature.parameters.iter().find(|parameter| parameter.name == name) else {
                all_known = false;
                self.unknown_parameter(&field.name, signature);
                continue;
            };
            if values.contains_key(name) {
                let message = format!("`{name}` is given twice.");
                let diagnostic = self.problem(Code::DuplicateMember, field.name.id, message);
                self.report(diagnostic.help("Leave one out."));
                continue;
            }
            let value = match &parameter.kind {
                ParameterKind::Type(Type::Data(ty)) => self.constant_of(&field.value, ty),
                _ => None,
            };
            values.insert(name.to_owned(), value.unwrap_or(Value::None));
        }
        let is_missing = |parameter: &&crate::types::Parameter| {
            parameter.default.is_none() && !values.contains_key(parameter.name.as_str())
        };
        for parameter in signature.parameters.iter().filter(is_missing).filter(|_| all_known) {
            let message = format!(
                "The pipeline `{}` needs a value for its parameter `{}`, and this trigger gives none.",
                signature.name, parameter.name
            );
            let diagnostic = self.problem(Code::MissingArgument, item.name.id, message);
            let help = format!("Add `parameters: {{ {}: … }}` ({}).", parameter.name, parameter.kind);
            self.report(diagnostic.help(help));
        }
        values
    }

    fn unknown_parameter(&mut self, name: &crate::syntax::ast::Ident, signature: &Signature) {
        let message = format!("The pipeline `{}` has no parameter `{}`.", signature.name, name.text);
        let diagnostic = self.problem(Code::UnknownArgument, name.id, message);
        let known: Vec<&str> = signature
            .parameters
            .iter()
            .map(|parameter| parameter.name.as_str())
            .collect();
        self.report(match (nearest(&name.text, known.iter().copied()), known.as_slice()) {
            (Some(found), _) => self.did_you_mean(diagnostic, name, &found),
            (None, []) => diagnostic.help("It has none; leave the value out."),
            (None, known) => diagnostic.help(format!("It has {}.", crate::types::display::enumerate(known))),
        });
    }
}
