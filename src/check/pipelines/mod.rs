//! Pipelines: from statements to a typed graph, then the analyses over it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::db::{Db, ItemKey};
use crate::diagnostics::Diagnostic;
use crate::plan;
use crate::syntax::ast::NodeId;
use crate::types::{Schema, Type};

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
pub fn diagnostics(_db: &dyn Db, _key: &ItemKey) -> Vec<Diagnostic> {
    Vec::new()
}

/// A pipeline as a typed graph.
#[must_use]
pub fn elaborate(_db: &dyn Db, _key: &ItemKey) -> Arc<Elaborated> {
    Arc::default()
}

/// The cases of a `test` item; empty when it has errors.
#[must_use]
pub fn test_cases(_db: &dyn Db, _key: &ItemKey) -> Vec<TestCase> {
    Vec::new()
}
