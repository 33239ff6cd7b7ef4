//! Pipelines: from statements to a typed graph, then the analyses over it.
//!
//! Elaboration goes on behind an error with what is known, so that one mistake gives one error. What a declaration means is
//! asked of [`declarations`](super::declarations), never read from its syntax.

mod arguments;
mod calls;
mod control;
mod cycles;
mod describe;
mod elaborator;
pub(crate) mod facts;
mod features;
mod fitting;
mod functions;
mod generics;
mod node_ids;
mod operations;
mod operators;
mod prune;
mod run_functions;
mod scope;
mod statements;
mod test_blocks;
mod values;
mod written;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::flow::Subject;
use super::{contamination, dead_ends, declarations, evidence, leakage, provenance};
use crate::db::{Db, Item, ItemKey};
use crate::diagnostics::{Code, Diagnostic, Place, Severity};
use crate::names;
use crate::plan;
use crate::syntax::ast::{ItemKind, NodeId, PipelineItem, StepItem};
use crate::types::{Schema, Type};

use elaborator::Elaborator;

use cycles::cycle;

/// A pipeline, elaborated.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Elaborated {
    /// The graph, in the plan's own vocabulary; complete only when there are no diagnostics of severity error.
    pub graph: plan::Graph,
    /// What it returns.
    pub outputs: Vec<plan::Output>,
    /// The syntax node of every graph node (the call), by its id.
    pub places: BTreeMap<plan::NodePath, NodeId>,
    /// The type of every expression, for hover and completion.
    pub types: BTreeMap<NodeId, Type>,
    /// Schemas that the graph names, by their name.
    pub schemas: BTreeMap<String, Arc<Schema>>,
    /// Items that the graph uses: models, services, steps, pipelines, by their name in the plan.
    pub models: BTreeMap<String, ItemKey>,
    /// Services by name.
    pub services: BTreeMap<String, ItemKey>,
    /// Steps by their name in the plan (generic ones once for each binding), with every port filled in.
    pub steps: BTreeMap<String, plan::Step>,
    /// Called pipelines by name.
    pub pipelines: BTreeMap<String, ItemKey>,
    /// Every problem, those of the analyses included.
    pub diagnostics: Vec<Diagnostic>,
}

/// A `test` block, elaborated.
#[derive(Clone, Debug, PartialEq)]
pub struct TestCase {
    /// What the test shows.
    pub name: String,
    /// The pipeline it runs.
    pub pipeline: String,
    /// Its arguments.
    pub arguments: BTreeMap<String, crate::types::Value>,
    /// What must come out.
    pub expectations: Vec<Expectation>,
}

/// One line of a test.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// The line as the formatter writes it.
    pub text: String,
    /// A node's id or callee: `validate`, `fit`.
    pub subject: String,
    /// What must have become of it.
    pub outcome: ExpectedOutcome,
    /// One-based line in the source, for messages.
    pub node: NodeId,
}

/// What must have become of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedOutcome {
    /// `succeeded`
    Succeeded,
    /// `failed`
    Failed,
    /// `skipped`
    Skipped,
    /// `cached`
    Cached,
}

/// The problems of a pipeline's body or of a test.
#[must_use]
pub fn diagnostics(db: &dyn Db, key: &ItemKey) -> Vec<Diagnostic> {
    match names::item(db, key).as_deref().map(|item| &item.kind) {
        Some(ItemKind::Pipeline(_)) => elaborate(db, key).diagnostics.clone(),
        Some(ItemKind::Test(_)) => test_query(db, declarations::interned(db, key)).1.clone(),
        Some(_) | None => Vec::new(),
    }
}

/// A pipeline as a typed graph.
#[must_use]
pub fn elaborate(db: &dyn Db, key: &ItemKey) -> Arc<Elaborated> {
    Arc::clone(elaborate_query(db, declarations::interned(db, key)))
}

/// The cases of a `test` item; empty when it has errors.
#[must_use]
pub fn test_cases(db: &dyn Db, key: &ItemKey) -> Vec<TestCase> {
    let read = test_query(db, declarations::interned(db, key));
    if read.1.is_empty() { read.0.clone() } else { Vec::new() }
}

#[salsa::tracked]
fn elaborate_query<'db>(db: &'db dyn Db, item: Item<'db>) -> Arc<Elaborated> {
    let key = item.key(db);
    let Some(tree) = names::item(db, key) else {
        return Arc::default();
    };
    let ItemKind::Pipeline(pipeline) = &tree.kind else {
        return Arc::default();
    };
    let mut elaborator = Elaborator::new(db, key);
    elaborator.pipeline(pipeline);
    Arc::new(finish(elaborator))
}

#[salsa::tracked]
fn test_query<'db>(db: &'db dyn Db, item: Item<'db>) -> Arc<(Vec<TestCase>, Vec<Diagnostic>)> {
    let key = item.key(db);
    match names::item(db, key).as_deref().map(|item| &item.kind) {
        Some(ItemKind::Test(test)) => Arc::new(test_blocks::read(db, key, test)),
        Some(_) | None => Arc::default(),
    }
}

/// Puts the graph together and runs the analyses over it.
fn finish(mut elaborator: Elaborator<'_>) -> Elaborated {
    let (db, key) = (elaborator.db, elaborator.key);
    let circle = cycle(db, key);
    if let Some((place, path)) = &circle
        && path.iter().all(|other| key <= other)
    {
        let problem = calls_itself(&elaborator, *place, path);
        elaborator.report(problem);
    }
    let mut facts = elaborator.facts;
    facts.uses = elaborator.scopes.uses;
    let mut result = elaborator.result;
    result.graph = elaborator.graphs.pop().unwrap_or_default();
    prune::gathered(&mut result.graph, &result.outputs);
    if circle.is_some() {
        // The analyses ask what the called pipelines do, and here that would be asking themselves.
        return result;
    }
    let subject = Subject {
        db,
        key,
        graph: &result.graph,
        facts: &facts,
        places: &result.places,
        schemas: &result.schemas,
        pipelines: &result.pipelines,
    };
    let judgement = provenance::judge(&subject);
    let mut found = evidence::analyse(&subject, &judgement.mismatches);
    found.extend(contamination::analyse(&subject, &judgement.findings));
    found.extend(leakage::analyse(&subject));
    let is_error = |own: &Diagnostic| own.code.declaration().severity == Severity::Error;
    if !facts.broken && !result.diagnostics.iter().chain(&found).any(is_error) {
        found.extend(dead_ends::analyse(&subject));
    }
    result.diagnostics.extend(found);
    result
}

fn calls_itself(elaborator: &Elaborator<'_>, place: NodeId, path: &[ItemKey]) -> Diagnostic {
    let name = |key: &ItemKey| key.key.split(' ').nth(1).unwrap_or_default().to_owned();
    let own = name(elaborator.key);
    let through: Vec<String> = path.iter().filter(|key| *key != elaborator.key).map(name).collect();
    let message = if through.is_empty() {
        format!("The pipeline `{own}` calls itself, so it would never end.")
    } else {
        let through = crate::types::display::enumerate(&through);
        format!("The pipeline `{own}` calls itself through {through}, so it would never end.")
    };
    let problem = elaborator.problem(Code::PipelineCycle, place, message);
    problem.help("Repeat work with `for`, or start the pipeline again with a trigger.")
}

/// Where a parameter of an item is declared.
pub(crate) fn parameter_place(db: &dyn Db, key: &ItemKey, parameter: &str) -> Option<Place> {
    let item = names::item(db, key)?;
    if let ItemKind::Features(features) = &item.kind {
        return Some(Place::Node(key.clone(), features.from.id));
    }
    let (ItemKind::Step(StepItem { params, .. }) | ItemKind::Pipeline(PipelineItem { params, .. })) = &item.kind else {
        return None;
    };
    let param = params.iter().find(|param| param.name.text == parameter)?;
    Some(Place::Node(key.clone(), param.id))
}
