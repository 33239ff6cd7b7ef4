//! Label leakage in declarations: a feature or a model's input that knows what is to be predicted.
//!
//! What a pipeline does with the features is judged elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use super::context::Context;
use super::origins;
use crate::diagnostics::{Applicability, Code, EditPosition, Place};
use crate::syntax::ast::{Expr, FeaturesItem, Ident, ModelItem, TypeExpr};
use crate::types::display::enumerate;
use crate::types::{Column, ColumnTag, Schema};

/// A derived column and what it reads.
pub(crate) struct Reading<'a> {
    pub(crate) item: &'a FeaturesItem,
    pub(crate) name: &'a Ident,
    pub(crate) value: &'a Expr,
    pub(crate) tags: &'a [ColumnTag],
    pub(crate) reads: &'a BTreeSet<String>,
    pub(crate) visible: &'a [Column],
}

/// The tag for which a column is not known when a prediction is made.
fn too_late(tags: &[ColumnTag]) -> Option<&ColumnTag> {
    let label = tags.iter().find(|tag| tag.name == "label");
    label.or_else(|| tags.iter().find(|tag| tag.name == "after"))
}

impl Context<'_> {
    /// Reports a derived column that reads the label, or what is known only after it. A column that is a label itself,
    /// or says that it is known later, may.
    pub(crate) fn leaks_no_label(
        &mut self,
        reading: &Reading<'_>,
        computed: &BTreeMap<String, BTreeSet<String>>,
    ) -> bool {
        if too_late(reading.tags).is_some() {
            return true;
        }
        let culprit = reading.visible.iter().find_map(|column| {
            let tag = reading.reads.contains(&column.name).then(|| too_late(&column.tags))??;
            Some((column, tag))
        });
        let Some((column, tag)) = culprit else { return true };
        let name = reading.name.text.as_str();
        let what = match tag.name.as_str() {
            "label" => "the label".to_owned(),
            _ => format!("known only after {}", after(tag)),
        };
        let message = format!(
            "The feature `{name}` is computed from `{}`, which is {what}.",
            column.name
        );
        let mut diagnostic = self
            .problem(Code::LabelInFeature, reading.value.id, message)
            .label("when a prediction is asked for, this cannot be computed")
            .note("The model would look perfect in every test and know nothing in service: the answer is among its inputs.")
            .help(format!(
                "Leave the feature out; if `{name}` is itself to be predicted, tag it `@label`, and if it is only kept for analysis, `@after(label)`."
            ));
        let origin = match computed.contains_key(&column.name) {
            true => origins::of_item(self.db, &self.key, &column.name, &tag.name),
            false => origins::of_type(self.db, &self.key, &reading.item.from, &column.name, &tag.name),
        };
        let sources = match (computed.get(&column.name), &origin) {
            (Some(sources), _) => sources.iter().cloned().collect(),
            (None, Some(place)) => self.computed_elsewhere(place, &column.name),
            (None, None) => Vec::new(),
        };
        if !sources.is_empty() {
            diagnostic = diagnostic.note(format!("`{name}` ← `{}` ← {}.", column.name, enumerate(&sources)));
        }
        if let Some(place) = origin {
            diagnostic = diagnostic.also(place, format!("`{}` is {what}", column.name));
        }
        self.report(diagnostic);
        false
    }

    /// What a column is computed from, where another feature definition computes it.
    fn computed_elsewhere(&self, place: &Place, column: &str) -> Vec<String> {
        let Place::Node(key, _) = place else { return Vec::new() };
        let definition = super::features(self.db, key).filter(|_| *key != self.key);
        let reads = definition.and_then(|definition| definition.reads.iter().find(|(own, _)| own == column).cloned());
        reads.map(|(_, sources)| sources).unwrap_or_default()
    }

    /// Reports columns of a model's input that are not known when it predicts.
    pub(crate) fn no_label_in_input(&mut self, item: &ModelItem, input: &TypeExpr, schema: &Schema) {
        // A misspelt `without { @lable }` would have left the label out.
        if schema.incomplete {
            return;
        }
        let late: Vec<(&Column, &ColumnTag)> = schema
            .columns
            .iter()
            .filter_map(|column| Some((column, too_late(&column.tags)?)))
            .collect();
        let Some((first, tag)) = late.first() else { return };
        let is = match tag.name.as_str() {
            "label" => "the label that it is to predict".to_owned(),
            _ => format!("known only after {}", after(tag)),
        };
        let message = format!(
            "The input of the model `{}` holds `{}`, which is {is}.",
            item.name.text, first.name
        );
        let mut diagnostic = self
            .problem(Code::LabelInModelInput, input.id, message)
            .note("In service nobody can pass it: the prediction is asked for because it is not known.");
        if late.len() > 1 {
            let names: Vec<&String> = late.iter().map(|(column, _)| &column.name).collect();
            diagnostic = diagnostic.note(format!("The columns that come too late are {}.", enumerate(&names)));
        }
        for (column, tag) in &late {
            if let Some(place) = origins::of_type(self.db, &self.key, input, &column.name, &tag.name) {
                diagnostic = diagnostic.also(place, format!("`{}` is tagged `@{}`", column.name, tag.name));
            }
        }
        let mut roles: Vec<String> = Vec::new();
        for role in ["label", "after"] {
            if late.iter().any(|(_, tag)| tag.name == role) {
                roles.push(format!("@{role}"));
            }
        }
        let text = format!(" without {{ {} }}", roles.join(", "));
        let edit = self.insert(input.id, EditPosition::After, text.clone());
        let diagnostic = diagnostic
            .help(format!(
                "Leave them out by their role: write `{}` behind the schema.",
                text.trim()
            ))
            .fix(format!("Write `{}`", text.trim()), Applicability::Safe, vec![edit]);
        self.report(diagnostic);
    }
}

fn after(tag: &ColumnTag) -> String {
    match tag.arguments.first() {
        Some(crate::types::Value::String(column)) if column != "label" => format!("`{column}`"),
        Some(_) | None => "the label".to_owned(),
    }
}
