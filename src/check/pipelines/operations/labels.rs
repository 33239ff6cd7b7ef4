//! The roles of a dataset's columns for a model's task: label, positive class, protected columns.

use std::sync::Arc;

use crate::check::pipelines::calls::Site;
use crate::check::pipelines::elaborator::Elaborator;
use crate::diagnostics::Code;
use crate::plan::Task;
use crate::types::relation;
use crate::types::{Column, DataKind, Schema, Value};

/// What the columns of a dataset are to a model.
pub(super) struct Roles {
    /// Key in the plan's models.
    pub(super) model: String,
    /// The label's column.
    pub(super) label: String,
    /// The label value that counts as positive.
    pub(super) positive: Option<Value>,
    /// The protected columns.
    pub(super) protected: Vec<String>,
}

/// The roles of the dataset that the parameter `data` is given, for the model that `M` stands for. `predicts` says
/// whether the model predicts the rows, so that they must have its input's columns.
pub(super) fn roles(elaborator: &mut Elaborator<'_>, site: &Site<'_>, data: &str, predicts: bool) -> Option<Roles> {
    let model = model_name(elaborator, site)?;
    let schema = site.schema(data)?;
    let task = elaborator.model(&model)?.model.task;
    if predicts && !has_input(elaborator, site, data, &schema) {
        return None;
    }
    let label = label(elaborator, site, data, &schema, &model)?;
    if schema.incomplete {
        return None;
    }
    let positive = match task {
        Task::BinaryClassification => Some(positive(elaborator, site, data, label)?),
        Task::MulticlassClassification => None,
        Task::Regression if label.ty.is_number() => None,
        Task::Regression => {
            let message = format!(
                "`{model}` predicts a number, but the label `{}` is `{}`.",
                label.name, label.ty
            );
            let help = "Tag a column of type `int` or `float` with `@label`.";
            unfit(elaborator, site, data, message, help);
            return None;
        }
    };
    Some(Roles {
        label: label.name.clone(),
        positive,
        protected: schema.tagged("protected").map(|column| column.name.clone()).collect(),
        model,
    })
}

/// The model that `M` stands for, noted for the plan.
pub(super) fn model_name(elaborator: &mut Elaborator<'_>, site: &Site<'_>) -> Option<String> {
    let name = site.generics.model("M")?.to_owned();
    let from = elaborator.key.clone();
    Some(elaborator.note_model(&from, &name))
}

/// Whether the dataset has every column of the model's input; reports when not.
pub(super) fn has_input(elaborator: &mut Elaborator<'_>, site: &Site<'_>, data: &str, schema: &Arc<Schema>) -> bool {
    let Some(name) = site.generics.model("M").map(str::to_owned) else {
        return false;
    };
    let Some(definition) = elaborator.model(&name) else {
        return false;
    };
    let missing = relation::schema_fits(schema, &definition.input);
    let Some(first) = missing.first() else { return true };
    let message = format!(
        "`{}` does not have the columns that `{name}` predicts from: {first}.",
        schema.name
    );
    let mut problem = elaborator.problem(Code::ArgumentSchema, site.place_of(data), message);
    for column in missing.iter().skip(1) {
        problem = problem.note(format!("Column {column}."));
    }
    let input = &definition.input.name;
    let help = format!("Pass data that has every column of `{input}`, the input of `{name}`.");
    elaborator.report(problem.help(help));
    false
}

fn label<'s>(
    elaborator: &mut Elaborator<'_>,
    site: &Site<'_>,
    data: &str,
    schema: &'s Schema,
    model: &str,
) -> Option<&'s Column> {
    let labels: Vec<&Column> = schema.tagged("label").collect();
    let message = match labels.as_slice() {
        [label] => return Some(label),
        [] if schema.incomplete => return None,
        [] => format!(
            "`{}` has no `@label` column, so `{}` cannot know what `{model}` should have predicted.",
            schema.name, site.call.callee.text
        ),
        [first, second, ..] => format!(
            "`{}` has two `@label` columns, `{}` and `{}`, and a model predicts one.",
            schema.name, first.name, second.name
        ),
    };
    let help = "Keep the column that the model predicts, tagged with `@label`.";
    unfit(elaborator, site, data, message, help);
    None
}

fn positive(elaborator: &mut Elaborator<'_>, site: &Site<'_>, data: &str, label: &Column) -> Option<Value> {
    let tag = label.tags.iter().find(|tag| tag.name == "label");
    let written = tag.and_then(|tag| tag.arguments.first());
    let found = match (&label.ty.kind, written) {
        (DataKind::Bool, None) => Some(Value::Bool(true)),
        (DataKind::Enum(of), Some(Value::String(name) | Value::Enum(name))) => {
            let mut variants = of.variants.iter();
            let variant = variants.find(|variant| variant.name == *name || variant.text == *name);
            variant.map(|variant| Value::Enum(variant.text.clone()))
        }
        (_, Some(value)) => relation::admit(value.clone(), &label.ty).ok(),
        (_, None) => None,
    };
    if found.is_none() {
        let message = format!(
            "Nothing says which value of the label `{}` (`{}`) counts as positive.",
            label.name, label.ty
        );
        let help = "Name it behind the tag, as in `@label(bad)`, or make the label a `bool`.";
        unfit(elaborator, site, data, message, help);
    }
    found
}

fn unfit(elaborator: &mut Elaborator<'_>, site: &Site<'_>, data: &str, message: String, help: &str) {
    let problem = elaborator.problem(Code::LabelNeeded, site.place_of(data), message);
    elaborator.report(problem.help(help));
}
