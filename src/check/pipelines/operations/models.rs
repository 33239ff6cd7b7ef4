//! `evaluate`, `predict`, `prior`.

use std::sync::Arc;

use crate::check::pipelines::calls::Site;
use crate::check::pipelines::elaborator::Elaborator;
use crate::check::pipelines::fitting::dataset;
use crate::plan::Operation;
use crate::types::{Column, Evidence, Schema};

use super::Built;
use super::labels::{has_input, model_name, roles};

/// `evaluate(model, data)`
pub(super) fn evaluate(elaborator: &mut Elaborator<'_>, site: &Site<'_>) -> Option<Built> {
    let roles = roles(elaborator, site, "data", true)?;
    let operation = Operation::Evaluate {
        model: roles.model,
        label: roles.label,
        positive: roles.positive,
        protected: roles.protected,
    };
    Some(Built::new(operation, &["model", "data"]))
}

/// `prior(data)`
pub(super) fn prior(elaborator: &mut Elaborator<'_>, site: &Site<'_>) -> Option<Built> {
    let roles = roles(elaborator, site, "data", false)?;
    let operation = Operation::Prior {
        model: roles.model,
        label: roles.label,
        positive: roles.positive,
    };
    Some(Built::new(operation, &["data"]))
}

/// `predict(model, data)`
pub(super) fn predict(elaborator: &mut Elaborator<'_>, site: &Site<'_>) -> Option<Built> {
    let model = model_name(elaborator, site)?;
    let schema = site.schema("data")?;
    if !has_input(elaborator, site, "data", &schema) {
        return None;
    }
    let definition = elaborator.model(&model)?;
    let output = &definition.model.output;
    let mut result: Schema = (*schema).clone();
    result
        .columns
        .retain(|column| output.iter().all(|field| field.name != column.name));
    result.columns.extend(output.iter().map(|field| Column {
        name: field.name.clone(),
        ty: field.ty.clone(),
        tags: Vec::new(),
        docs: None,
    }));
    let names: Vec<&str> = output.iter().map(|field| field.name.as_str()).collect();
    result.name = format!("{} with {{ {} }}", schema.name, names.join(", "));
    let built = Built::new(Operation::Predict { model }, &["model", "data"]);
    Some(built.giving(dataset(Arc::new(result), Evidence::None)))
}
