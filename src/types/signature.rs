//! What a step, operation, feature definition or pipeline takes and gives.

use super::{ArtifactKind, DataType, Evidence, Type, Value};

/// What a generic parameter stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GenericKind {
    /// `S: schema`
    Schema,
    /// `M: model`
    Model,
}

/// The callable side of a definition. Types that mention a generic parameter are kept as [`ParameterKind`] patterns and
/// become [`Type`]s once the call binds them.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    /// The definition's name.
    pub name: String,
    /// Generic parameters in order.
    pub generics: Vec<(String, GenericKind)>,
    /// Parameters in order.
    pub parameters: Vec<Parameter>,
    /// Outputs in order: a single one is called `output`.
    pub outputs: Vec<Port>,
    /// Whether the outputs are a named tuple (`-> (a: T, b: U)`).
    pub named_outputs: bool,
    /// `preserves: evidence`: dataset outputs keep the evidence of the dataset input (stdlib operations only).
    pub preserves_evidence: bool,
    /// `run: builtin`: an operation that the runtime implements.
    pub builtin: bool,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What may be passed.
    pub kind: ParameterKind,
    /// Its constant default; [`Value::None`] for `= none`.
    pub default: Option<Value>,
    /// Its doc comment.
    pub docs: Option<String>,
}

/// An output.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// What it gives.
    pub kind: ParameterKind,
}

/// What a parameter accepts or a port gives.
#[derive(Clone, Debug, PartialEq)]
pub enum ParameterKind {
    /// A type without generics.
    Type(Type),
    /// `Dataset<S>` for a generic `S`
    GenericDataset {
        /// The generic's name.
        generic: String,
        /// Demanded or given evidence.
        evidence: Evidence,
    },
    /// `M` for a generic model `M`
    GenericModel {
        /// The generic's name.
        generic: String,
        /// Demanded or given evidence.
        evidence: Evidence,
    },
    /// `Metrics<M>` for a generic model `M`
    GenericMetrics {
        /// The generic's name.
        generic: String,
    },
    /// `Checks<S>`: the name of a `checks` block on a schema that the generic `S` fits (stdlib only)
    Checks {
        /// The generic's name.
        generic: String,
    },
    /// `Column<S>`, `Column<S>?`, `list<Column<S>>`: names of columns of a generic schema (stdlib only)
    Column {
        /// The generic's name.
        generic: String,
        /// `?`
        optional: bool,
        /// `list<…>`
        list: bool,
    },
    /// `Model`: the name of a declared model, as in `champion(CreditModel, …)`; binds the generic (stdlib only)
    ModelName {
        /// The generic's name.
        generic: String,
    },
    /// `Service`: the name of a declared service for a generic model (stdlib only)
    ServiceName {
        /// The generic's name.
        generic: String,
    },
    /// An artifact or value list gathered from a loop
    List(Box<ParameterKind>),
}

impl ParameterKind {
    /// A plain value type.
    #[must_use]
    pub fn data(ty: DataType) -> Self {
        Self::Type(Type::Data(ty))
    }

    /// Whether this is an artifact of `kind`, generic or not, judged by its outer shape only.
    #[must_use]
    pub fn is_model(&self) -> bool {
        match self {
            Self::GenericModel { .. } => true,
            Self::Type(Type::Artifact(artifact)) => matches!(artifact.kind, ArtifactKind::Model(_)),
            Self::Type(_)
            | Self::GenericDataset { .. }
            | Self::GenericMetrics { .. }
            | Self::Checks { .. }
            | Self::Column { .. }
            | Self::ModelName { .. }
            | Self::ServiceName { .. }
            | Self::List(_) => false,
        }
    }
}
