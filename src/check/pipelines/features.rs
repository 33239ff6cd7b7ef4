//! A feature definition in a pipeline: a built-in operation that keeps what was shown about its input.

use std::sync::Arc;

use crate::check::declarations::{FeaturesDefinition, Source};
use crate::plan::{self, NodeKind, Operation};
use crate::types::{Column, Schema};

use super::calls::Site;
use super::elaborator::Elaborator;
use super::fitting::dataset;
use super::generics::input_evidence;
use super::scope::Computed;

/// The node of a call like `CreditFeatures(clean)`.
pub(super) fn node(elaborator: &mut Elaborator<'_>, site: &Site<'_>, definition: &FeaturesDefinition) -> Computed {
    let Some((parameter, _)) = site.given.first() else {
        return Computed::Unknown;
    };
    let schema = match &definition.from {
        Source::Schema(_) => Arc::clone(&definition.schema),
        Source::Generic(name) => match site.generics.schema(name) {
            Some(source) => Arc::new(filled_in(site, definition, &source)),
            None => return Computed::Unknown,
        },
    };
    let mut inputs = elaborator.inputs(site);
    if let Some(input) = inputs.first_mut() {
        input.name.clear();
        input.name.push_str("data");
    }
    if let Some(argument) = elaborator
        .facts
        .arguments
        .remove(&(site.id.clone(), parameter.name.clone()))
    {
        elaborator
            .facts
            .arguments
            .insert((site.id.clone(), "data".to_owned()), argument);
    }
    let ports = vec![("output".to_owned(), dataset(Arc::clone(&schema), input_evidence(site)))];
    let outputs = elaborator.ports(&site.key, &ports);
    let features = plan::Features {
        schema: elaborator.note_schema(&schema),
        ..definition.features.clone()
    };
    let kind = NodeKind::Operation(Box::new(Operation::Features(features)));
    let node = Elaborator::node(&site.id, &site.call.callee.text, kind, inputs, outputs);
    elaborator.add(node, site.place);
    elaborator.outputs(&site.id, &ports, false)
}

/// The schema of a generic definition, with the kept columns as the source has them.
fn filled_in(site: &Site<'_>, definition: &FeaturesDefinition, source: &Schema) -> Schema {
    let known = |name: &String| source.column(name).or_else(|| definition.schema.column(name)).cloned();
    let kept = definition.features.keep.iter().filter_map(known);
    let derived = definition.features.derived.iter().map(|derived| derived.column.clone());
    let columns: Vec<Column> = kept.chain(derived).collect();
    Schema {
        name: site.generics.instance_name(&definition.features.name),
        columns,
        incomplete: definition.schema.incomplete || source.incomplete,
    }
}
