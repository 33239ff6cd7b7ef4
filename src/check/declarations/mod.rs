//! Declarations: schemas, records, enums, checks, features, models, steps, services, signatures.
//!
//! Each is a query on the item; an edit of one item computes only what mentions it. Bodies of pipelines are elsewhere.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a form of the syntax that is not listed is one that cannot stand there, and is refused"
)]

mod accelerators;
mod airflow;
mod checks;
mod constants;
mod context;
mod cycles;
mod expressions;
mod features;
mod functions;
mod intervals;
mod kubernetes;
mod leakage;
mod models;
mod origins;
mod platform_names;
mod ports;
mod refinements;
mod run;
mod schedule;
mod schemas;
mod services;
mod settings;
mod signatures;
mod steps;
mod tags;
mod targets;
mod triggers;
mod type_expressions;
mod unsupported;

use std::sync::Arc;

use context::Context;

pub use checks::{DRIFT_STATISTICS, MEASURES, MeasureDeclaration};
pub(crate) use functions::value_call;
pub use functions::{FUNCTIONS, FunctionDeclaration};
pub use settings::{
    ARTIFACT, BACKOFF, CACHE, GPU, KUBERNETES, MODEL, RESOURCES, RETRIES, SERVICE, STEP, SettingDeclaration,
    TARGET_AIRFLOW, TARGET_KUBEFLOW, TARGET_LOCAL, TARGET_VERTEX, TOLERATION, TPU, TRIGGER, VOLUME,
};
pub use tags::{TAGS, TagDeclaration};

use crate::db::{Db, Item, ItemKey};
use crate::diagnostics::Diagnostic;
use crate::names;
use crate::plan;
use crate::syntax::ast::{Expr, ItemKind, TypeExpr};
use crate::types::{DataKind, DataType, ParameterKind, Schema, Signature, Type, Value};

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

impl<T> Declared<T> {
    fn new(value: Option<T>, cx: Context<'_>) -> Self {
        Self {
            value: value.map(Arc::new),
            diagnostics: cx.diagnostics,
        }
    }

    fn nothing() -> Self {
        Self {
            value: None,
            diagnostics: Vec::new(),
        }
    }
}

/// Runs a check on the item, if it is of the kind that the check reads; an item made of itself has no meaning.
fn declared<T>(
    db: &dyn Db,
    item: Item<'_>,
    check: impl FnOnce(&mut Context<'_>, &crate::syntax::ast::Item) -> Option<T>,
) -> Declared<T> {
    let key = item.key(db);
    let Some(tree) = names::item(db, key) else {
        return Declared::nothing();
    };
    if cycles::is_cyclic(db, item) {
        return Declared::nothing();
    }
    let mut cx = Context::new(db, key);
    let value = check(&mut cx, &tree);
    Declared::new(value, cx)
}

#[salsa::tracked]
fn schema_query<'db>(db: &'db dyn Db, item: Item<'db>) -> Declared<Schema> {
    declared(db, item, |cx, tree| match &tree.kind {
        ItemKind::Schema(schema) => cx.schema_item(schema),
        _ => None,
    })
}

#[salsa::tracked]
fn data_type_query<'db>(db: &'db dyn Db, item: Item<'db>) -> Declared<DataType> {
    declared(db, item, |cx, tree| match &tree.kind {
        ItemKind::Record(record) => {
            let name = Some(record.name.text.to_string());
            Some(DataType::plain(DataKind::Record(cx.record_type(name, &record.fields))))
        }
        ItemKind::Enum(of) => {
            let name = Some(of.name.text.to_string());
            Some(DataType::plain(DataKind::Enum(cx.enum_type(name, &of.variants))))
        }
        _ => None,
    })
}

#[salsa::tracked]
fn features_query<'db>(db: &'db dyn Db, item: Item<'db>) -> Declared<FeaturesDefinition> {
    declared(db, item, |cx, tree| match &tree.kind {
        ItemKind::Features(features) => cx.features_item(features),
        _ => None,
    })
}

#[salsa::tracked]
fn checks_query<'db>(db: &'db dyn Db, item: Item<'db>) -> Declared<ChecksDefinition> {
    declared(db, item, |cx, tree| match &tree.kind {
        ItemKind::Checks(checks) => cx.checks_item(checks),
        _ => None,
    })
}

#[salsa::tracked]
fn model_query<'db>(db: &'db dyn Db, item: Item<'db>) -> Declared<ModelDefinition> {
    declared(db, item, |cx, tree| match &tree.kind {
        ItemKind::Model(model) => cx.model_item(model, tree.docs.as_deref()),
        _ => None,
    })
}

#[salsa::tracked]
fn step_query<'db>(db: &'db dyn Db, item: Item<'db>) -> Declared<StepDefinition> {
    declared(db, item, |cx, tree| match &tree.kind {
        ItemKind::Step(step) => Some(cx.step_item(step, tree.docs.as_deref())),
        _ => None,
    })
}

#[salsa::tracked]
fn service_query<'db>(db: &'db dyn Db, item: Item<'db>) -> Declared<ServiceDefinition> {
    declared(db, item, |cx, tree| match &tree.kind {
        ItemKind::Service(service) => cx.service_item(service, tree.docs.as_deref()),
        _ => None,
    })
}

#[salsa::tracked]
fn target_query<'db>(db: &'db dyn Db, item: Item<'db>) -> Declared<plan::DeclaredTarget> {
    declared(db, item, |cx, tree| match &tree.kind {
        ItemKind::Target(target) => cx.target_item(target, tree.docs.as_deref()),
        _ => None,
    })
}

#[salsa::tracked]
fn trigger_query<'db>(db: &'db dyn Db, item: Item<'db>) -> Declared<plan::Trigger> {
    declared(db, item, |cx, tree| match &tree.kind {
        ItemKind::Trigger(trigger) => cx.trigger_item(trigger, tree.docs.as_deref()),
        _ => None,
    })
}

/// Signatures stand apart from bodies: a step whose settings change does not wake the pipelines that call it.
#[salsa::tracked]
fn signature_query<'db>(db: &'db dyn Db, item: Item<'db>) -> Declared<Signature> {
    declared(db, item, |cx, tree| match &tree.kind {
        ItemKind::Step(step) => Some(cx.step_signature(step)),
        ItemKind::Pipeline(pipeline) => Some(cx.pipeline_signature(pipeline)),
        ItemKind::Features(_) => {
            let definition = features(cx.db, &cx.key)?;
            Some(signatures::features_signature(&definition))
        }
        _ => None,
    })
}

/// The problems of a declaration (of a pipeline: of its signature only).
#[must_use]
pub fn diagnostics(db: &dyn Db, key: &ItemKey) -> Vec<Diagnostic> {
    let Some(tree) = names::item(db, key) else {
        return Vec::new();
    };
    let item = interned(db, key);
    let mut diagnostics = cycles::report(db, key);
    let own = match &tree.kind {
        ItemKind::Schema(_) => schema_query(db, item).diagnostics.clone(),
        ItemKind::Record(_) | ItemKind::Enum(_) => data_type_query(db, item).diagnostics.clone(),
        ItemKind::Features(_) => features_query(db, item).diagnostics.clone(),
        ItemKind::Checks(_) => checks_query(db, item).diagnostics.clone(),
        ItemKind::Model(_) => with_python(db, key, &model_query(db, item).diagnostics),
        ItemKind::Step(_) => with_python(db, key, &step_query(db, item).diagnostics),
        ItemKind::Service(_) => service_query(db, item).diagnostics.clone(),
        ItemKind::Pipeline(_) => signature_query(db, item).diagnostics.clone(),
        ItemKind::Artifact(artifact) => {
            let mut cx = Context::new(db, key);
            cx.artifact_item(artifact);
            cx.diagnostics
        }
        ItemKind::Target(_) => target_query(db, item).diagnostics.clone(),
        ItemKind::Trigger(_) => trigger_query(db, item).diagnostics.clone(),
        ItemKind::Monitor(_) | ItemKind::Policy(_) => unsupported::report(db, key, &tree.kind),
        ItemKind::Use(_) | ItemKind::Test(_) | ItemKind::Broken(_) => Vec::new(),
    };
    diagnostics.extend(own);
    diagnostics
}

/// The Python function is looked at apart, so that an edit of it does not wake what depends on the declaration.
fn with_python(db: &dyn Db, key: &ItemKey, own: &[Diagnostic]) -> Vec<Diagnostic> {
    own.iter().cloned().chain(super::python::diagnostics(db, key)).collect()
}

/// The columns that a `schema` or `features` item declares.
#[must_use]
pub fn schema(db: &dyn Db, key: &ItemKey) -> Option<Arc<Schema>> {
    let item = interned(db, key);
    match &names::item(db, key)?.kind {
        ItemKind::Features(_) => Some(Arc::clone(&features_query(db, item).value.as_ref()?.schema)),
        _ => schema_query(db, item).value.clone(),
    }
}

/// The type that a `record` or `enum` item declares.
#[must_use]
pub fn data_type(db: &dyn Db, key: &ItemKey) -> Option<Arc<DataType>> {
    data_type_query(db, interned(db, key)).value.clone()
}

/// A `features` item.
#[must_use]
pub fn features(db: &dyn Db, key: &ItemKey) -> Option<Arc<FeaturesDefinition>> {
    features_query(db, interned(db, key)).value.clone()
}

/// A `checks` item.
#[must_use]
pub fn checks(db: &dyn Db, key: &ItemKey) -> Option<Arc<ChecksDefinition>> {
    checks_query(db, interned(db, key)).value.clone()
}

/// A `model` item.
#[must_use]
pub fn model(db: &dyn Db, key: &ItemKey) -> Option<Arc<ModelDefinition>> {
    model_query(db, interned(db, key)).value.clone()
}

/// A `step` item.
#[must_use]
pub fn step(db: &dyn Db, key: &ItemKey) -> Option<Arc<StepDefinition>> {
    step_query(db, interned(db, key)).value.clone()
}

/// A `service` item.
#[must_use]
pub fn service(db: &dyn Db, key: &ItemKey) -> Option<Arc<ServiceDefinition>> {
    service_query(db, interned(db, key)).value.clone()
}

/// A `target` item.
#[must_use]
pub fn target(db: &dyn Db, key: &ItemKey) -> Option<Arc<plan::DeclaredTarget>> {
    target_query(db, interned(db, key)).value.clone()
}

/// A `trigger` item.
#[must_use]
pub fn trigger(db: &dyn Db, key: &ItemKey) -> Option<Arc<plan::Trigger>> {
    trigger_query(db, interned(db, key)).value.clone()
}

/// What a `step`, `features` or `pipeline` item takes and gives.
#[must_use]
pub fn signature(db: &dyn Db, key: &ItemKey) -> Option<Arc<Signature>> {
    signature_query(db, interned(db, key)).value.clone()
}

/// The schema that a type expression in the item `key` means, with the problems of the expression.
#[must_use]
pub fn resolve_schema(db: &dyn Db, key: &ItemKey, expr: &TypeExpr) -> (Option<Arc<Schema>>, Vec<Diagnostic>) {
    let mut cx = Context::new(db, key);
    (cx.schema(expr), cx.diagnostics)
}

/// The type that a type expression in the item `key` means, with the problems of the expression.
#[must_use]
pub fn resolve_type(db: &dyn Db, key: &ItemKey, expr: &TypeExpr) -> (Type, Vec<Diagnostic>) {
    let mut cx = Context::new(db, key);
    match cx.parameter_kind(expr) {
        ParameterKind::Type(ty) => (ty, cx.diagnostics),
        _ => (Type::Unknown, cx.diagnostics),
    }
}

/// The value of a constant expression in the item `key` as a value of `wanted`, with its problems.
#[must_use]
pub fn constant(db: &dyn Db, key: &ItemKey, expr: &Expr, wanted: &DataType) -> (Option<Value>, Vec<Diagnostic>) {
    let mut cx = Context::new(db, key);
    (cx.constant_of(expr, wanted), cx.diagnostics)
}

/// Keeps the interned form of a key in one place.
pub(crate) fn interned<'db>(db: &'db dyn Db, key: &ItemKey) -> Item<'db> {
    Item::new(db, key.clone())
}

#[cfg(test)]
mod tests;
