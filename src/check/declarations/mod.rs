//! Declarations: schemas, records, enums, checks, features, models, steps, services, signatures.

use std::sync::Arc;

use crate::db::{Db, Item, ItemKey};
use crate::diagnostics::Diagnostic;
use crate::plan;
use crate::types::{DataType, Schema, Signature};

/// The meaning of a declaration and its problems.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared<T> {
    /// The meaning; absent when nothing useful is known.
    pub value: Option<Arc<T>>,
    /// The problems of this item.
    pub diagnostics: Vec<Diagnostic>,
}

/// A feature definition.
#[derive(Clone, Debug, PartialEq)]
pub struct FeaturesDefinition {
    /// What it reads: a schema, or the name of a generic parameter.
    pub from: Source,
    /// The schema it makes (for a generic one: only what does not depend on the parameter).
    pub schema: Arc<Schema>,
    /// For the plan.
    pub features: plan::Features,
    /// For every column of the result: the columns of the source that it is computed from, however indirectly.
    pub reads: Vec<(String, Vec<String>)>,
}

/// What a feature definition reads.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A declared schema.
    Schema(Arc<Schema>),
    /// `from S` with a generic `S: schema`.
    Generic(String),
}

/// A `checks` block.
#[derive(Clone, Debug, PartialEq)]
pub struct ChecksDefinition {
    /// The schema it speaks of.
    pub on: Arc<Schema>,
    /// For the plan.
    pub checks: plan::Checks,
}

/// A model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelDefinition {
    /// For the plan; its `input` names [`ModelDefinition::input`].
    pub model: plan::Model,
    /// What it predicts from.
    pub input: Arc<Schema>,
}

/// A step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepDefinition {
    /// What it takes and gives.
    pub signature: Signature,
    /// For the plan; absent for `run: builtin`. Ports that mention a generic are filled in at the call.
    pub step: Option<plan::Step>,
    /// `attests …`
    pub attests: Option<crate::types::Evidence>,
}

/// A service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceDefinition {
    /// For the plan.
    pub service: plan::Service,
}

/// The problems of a declaration (of a pipeline: of its signature only).
#[must_use]
pub fn diagnostics(_db: &dyn Db, _key: &ItemKey) -> Vec<Diagnostic> {
    Vec::new()
}

/// The columns that a `schema` or `features` item declares.
#[must_use]
pub fn schema(_db: &dyn Db, _key: &ItemKey) -> Option<Arc<Schema>> {
    None
}

/// The type that a `record` or `enum` item declares.
#[must_use]
pub fn data_type(_db: &dyn Db, _key: &ItemKey) -> Option<Arc<DataType>> {
    None
}

/// A `features` item.
#[must_use]
pub fn features(_db: &dyn Db, _key: &ItemKey) -> Option<Arc<FeaturesDefinition>> {
    None
}

/// A `checks` item.
#[must_use]
pub fn checks(_db: &dyn Db, _key: &ItemKey) -> Option<Arc<ChecksDefinition>> {
    None
}

/// A `model` item.
#[must_use]
pub fn model(_db: &dyn Db, _key: &ItemKey) -> Option<Arc<ModelDefinition>> {
    None
}

/// A `step` item.
#[must_use]
pub fn step(_db: &dyn Db, _key: &ItemKey) -> Option<Arc<StepDefinition>> {
    None
}

/// A `service` item.
#[must_use]
pub fn service(_db: &dyn Db, _key: &ItemKey) -> Option<Arc<ServiceDefinition>> {
    None
}

/// What a `step`, `features` or `pipeline` item takes and gives.
#[must_use]
pub fn signature(_db: &dyn Db, _key: &ItemKey) -> Option<Arc<Signature>> {
    None
}

/// Keeps the interned form of a key in one place.
pub(crate) fn interned<'db>(db: &'db dyn Db, key: &ItemKey) -> Item<'db> {
    Item::new(db, key.clone())
}
