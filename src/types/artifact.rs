//! Artifacts and what has been shown about them.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataType, Schema};

/// What has been shown about an artifact, poorest first. A richer one is accepted where a poorer one is asked for.
/// Datasets are [`Evidence::None`] or [`Evidence::Validated`]; models are any of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Nothing has been shown.
    #[default]
    None,
    /// Every constraint of its schema and every check holds.
    Validated,
    /// Passed its go/no-go conditions.
    Gated,
    /// Shown to be no worse than the champion.
    Proven,
    /// A version in the registry.
    Registered,
}

/// The kinds of artifacts. Schemas are whole here; a plan names them instead.
#[derive(Clone, Debug, PartialEq)]
pub enum ArtifactKind {
    /// `Dataset<S>`
    Dataset(Arc<Schema>),
    /// A declared model, by its name
    Model(String),
    /// `Metrics<M>`: metrics about a model, by its name
    Metrics(String),
    /// `File`
    File,
    /// `Directory`
    Directory,
    /// `Html`
    Html,
    /// `Markdown`
    Markdown,
    /// `Artifact`: opaque
    Opaque,
    /// `artifact Name { … }`
    Custom(String),
    /// What `deploy` gives: a service that runs a model, by the service's name
    Deployment(String),
}

/// An artifact with its evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct ArtifactType {
    /// What it is.
    pub kind: ArtifactKind,
    /// What has been shown about it.
    pub evidence: Evidence,
}

/// The type of an expression in a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Follows from an error that was already reported; fits everywhere and stays silent.
    Unknown,
    /// Nothing: a step without outputs.
    Unit,
    /// A value.
    Data(DataType),
    /// An artifact.
    Artifact(ArtifactType),
    /// Several named outputs.
    Tuple(Vec<(String, Type)>),
    /// Artifacts gathered from a loop.
    List(Box<Type>),
}
