//! Models: their task, what they predict from, what they predict; and artifact kinds.

use std::sync::Arc;

use super::ModelDefinition;
use super::context::Context;
use super::run::RunKind;
use super::settings::{ARTIFACT, MODEL, Settings};
use crate::diagnostics::{Code, nearest};
use crate::plan::{self, Task};
use crate::syntax::ast::{ArtifactItem, Expr, ExprKind, ModelItem, TypeExpr, TypeKind};
use crate::types::{DataKind, DataType, RecordField, relation};

const TASKS: &[(&str, Task)] = &[
    ("binary_classification", Task::BinaryClassification),
    ("multiclass_classification", Task::MulticlassClassification),
    ("regression", Task::Regression),
];

impl Context<'_> {
    /// The meaning of a `model` item.
    pub(crate) fn model_item(&mut self, item: &ModelItem, docs: Option<&str>) -> Option<ModelDefinition> {
        let name = item.name.text.to_string();
        let settings = self.settings(&format!("The model `{name}`"), &item.settings, MODEL);
        self.missing_settings(item, &settings);
        let input = item.input.as_ref().and_then(|input| self.schema(input));
        if let (Some(expr), Some(schema)) = (&item.input, &input) {
            self.no_label_in_input(item, expr, schema);
        }
        let task = settings.get("task").and_then(|expr| self.task(expr));
        let output = item.output.as_ref().and_then(|output| self.model_output(output, task));
        let registry = settings.get("registry").and_then(|expr| self.registry(expr));
        let description = settings
            .get("description")
            .and_then(|expr| self.text_setting("description", expr));
        let packages = self.packages(&settings);
        let run = settings.get("run").and_then(|expr| self.run_setting(expr, &["python"]));
        let run = match run {
            Some(RunKind::Python(function)) => Some(function),
            Some(RunKind::Command(_)) | None => None,
        };
        let input = input?;
        Some(ModelDefinition {
            model: plan::Model {
                name,
                docs: description.or_else(|| docs.map(str::to_owned)),
                registry: registry.unwrap_or_default(),
                task: task?,
                input: input.name.clone(),
                output: output.unwrap_or_default(),
                run: run.unwrap_or(plan::PythonFunction {
                    file: String::new(),
                    function: String::new(),
                }),
                packages,
            },
            input: Arc::clone(&input),
        })
    }

    fn missing_settings(&mut self, item: &ModelItem, settings: &Settings<'_>) {
        let required = MODEL.iter().filter(|setting| setting.default.is_empty());
        let missing = required.filter(|setting| match setting.name {
            "input" => item.input.is_none(),
            "output" => item.output.is_none(),
            name => settings.get(name).is_none(),
        });
        let missing: Vec<_> = missing.collect();
        if missing.is_empty() || !settings.complete {
            return;
        }
        let names: Vec<&str> = missing.iter().map(|setting| setting.name).collect();
        let message = format!(
            "The model `{}` lacks {}.",
            item.name.text,
            crate::types::display::enumerate(&names)
        );
        let mut diagnostic = self.problem(Code::MissingSetting, item.name.id, message);
        for setting in missing {
            diagnostic = diagnostic.note(format!("`{}: {}` — {}", setting.name, setting.form, setting.docs));
        }
        self.report(diagnostic);
    }

    fn registry(&mut self, expr: &Expr) -> Option<String> {
        let name = self.text_setting("registry", expr)?;
        let plain = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
        if name.is_empty() || !name.chars().all(plain) || name.starts_with('.') {
            let message = format!("`{name}` cannot be a name in the registry.");
            self.bad_setting(
                expr,
                message,
                "Use letters, digits, `-`, `_` and `.` only, as in \"credit-risk\".",
            );
        }
        Some(name)
    }

    fn task(&mut self, expr: &Expr) -> Option<Task> {
        let names: Vec<&str> = TASKS.iter().map(|(name, _)| *name).collect();
        if let ExprKind::Name(word) = &expr.kind {
            if let Some((_, task)) = TASKS.iter().find(|(name, _)| *name == word.text.as_str()) {
                return Some(*task);
            }
            let message = format!("There is no task `{}`.", word.text);
            let diagnostic = self.problem(Code::BadSetting, expr.id, message);
            let diagnostic = match nearest(&word.text, names.iter().copied()) {
                Some(found) => self.did_you_mean(diagnostic, word, &found),
                None => diagnostic.help(format!("The tasks are {}.", crate::types::display::enumerate(&names))),
            };
            self.report(diagnostic);
            return None;
        }
        let help = format!("The tasks are {}.", crate::types::display::enumerate(&names));
        self.bad_setting(expr, "A task is one word.", help);
        None
    }

    fn model_output(&mut self, expr: &TypeExpr, task: Option<Task>) -> Option<Vec<RecordField>> {
        let ty = self.data_type(expr)?;
        let DataKind::Record(record) = ty.kind else {
            let message = format!("The output of a model is a record of named fields, but this is `{ty}`.");
            let diagnostic = self.problem(Code::ModelOutput, expr.id, message);
            self.report(diagnostic.help("Write `{ probability: float in 0..=1 }`, or the fields that it predicts."));
            return None;
        };
        let fields = record.fields;
        // A field whose type is unknown was reported, and is not a field that is missing.
        let unknown = matches!(&expr.kind, TypeKind::Record(written) if written.len() != fields.len());
        if let Some((message, help)) = task.filter(|_| !unknown).and_then(|task| output_problem(&fields, task)) {
            let diagnostic = self.problem(Code::ModelOutput, expr.id, message);
            self.report(diagnostic.help(help));
        }
        Some(fields)
    }

    /// Checks an `artifact` item.
    pub(crate) fn artifact_item(&mut self, item: &ArtifactItem) {
        let settings = self.settings(
            &format!("The artifact kind `{}`", item.name.text),
            &item.settings,
            ARTIFACT,
        );
        for name in ["schema_title", "version"] {
            if let Some(expr) = settings.get(name) {
                let _ = self.text_setting(name, expr);
            }
        }
        if settings.get("schema_title").is_none() && settings.complete {
            let message = format!("The artifact kind `{}` lacks `schema_title`.", item.name.text);
            let diagnostic = self.problem(Code::MissingSetting, item.name.id, message);
            self.report(
                diagnostic.help("Add the platform's name of the kind: `schema_title: \"google.VertexModel\"`."),
            );
        }
    }
}

/// What is wrong with the output of a model for its task, and what to write.
fn output_problem(fields: &[RecordField], task: Task) -> Option<(String, &'static str)> {
    let field = |name: &str| fields.iter().find(|field| field.name == name);
    let (wanted, name, help) = match task {
        Task::BinaryClassification => (
            super::checks::share(),
            "probability",
            "Write `output: { probability: float in 0..=1 }`: the probability of the positive class.",
        ),
        Task::MulticlassClassification => (
            DataType::plain(DataKind::Map(Box::new(DataType::plain(DataKind::Float)))),
            "probabilities",
            "Write `output: { probabilities: map<float> }`: the probability of each class.",
        ),
        Task::Regression => {
            let mut numbers = fields.iter().filter(|field| field.ty.is_number() && !field.ty.optional);
            let only = numbers.next().is_some() && numbers.next().is_none();
            let named = field("value").is_some_and(|field| field.ty.is_number() && !field.ty.optional);
            let message = "A regression model must have a number called `value`, or exactly one number, in its output.";
            return (!only && !named).then(|| (message.to_owned(), "Write `output: { value: float }`."));
        }
    };
    let Some(found) = field(name) else {
        return Some((
            format!("The output of this model has no field `{name}`, which its task needs."),
            help,
        ));
    };
    let mismatch = relation::fits(&found.ty, &wanted).err()?;
    Some((format!("The field `{name}` {mismatch}."), help))
}
