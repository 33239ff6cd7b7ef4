//! Whether what an expression gives may go where a type is asked for. Says why not; makes no message of it.

use std::sync::Arc;

use crate::plan::Operand;
use crate::types::relation::{self, ColumnMismatch, Mismatch};
use crate::types::{ArtifactKind, ArtifactType, DataKind, DataType, Evidence, Schema, Type};

use super::scope::Computed;

/// Why a value or artifact does not fit.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Misfit {
    /// Another kind of thing.
    Kind,
    /// A dataset without the columns that are needed.
    Columns(Vec<ColumnMismatch>),
    /// A value of another type.
    Data(Box<Mismatch>),
    /// A constant of the right kind that the refinement refuses; the phrase goes behind the constant.
    Constant(String),
    /// The right artifact, of which less has been shown than is demanded.
    Evidence {
        /// What is demanded.
        wanted: Evidence,
        /// What has been shown.
        found: Evidence,
    },
}

/// What goes on where `wanted` is asked for: a constant takes the wanted form.
///
/// # Errors
/// When it does not fit.
pub(super) fn fit(ty: &Type, operand: &Operand, wanted: &Type) -> Result<Computed, Misfit> {
    if let (Operand::Value(value), Type::Data(wanted)) = (operand, wanted) {
        let kept = relation::admit(value.clone(), &bare(wanted)).map_err(|_| Misfit::Kind)?;
        let value = relation::admit(kept, wanted).map_err(Misfit::Constant)?;
        return Ok(Computed::One {
            ty: Type::Data(wanted.clone()),
            operand: Operand::Value(value),
        });
    }
    types_fit(ty, wanted)?;
    Ok(Computed::One {
        ty: ty.clone(),
        operand: operand.clone(),
    })
}

/// Whether a run-time value or artifact of `found` fits `wanted`. Refinements of values are checked where they enter a
/// step, so they do not count here.
///
/// # Errors
/// When it does not fit.
pub(super) fn types_fit(found: &Type, wanted: &Type) -> Result<(), Misfit> {
    match (found, wanted) {
        (Type::Unknown, _) | (_, Type::Unknown) => Ok(()),
        (Type::Data(found), Type::Data(wanted)) => {
            relation::fits(&bare(found), &bare(wanted)).map_err(|mismatch| Misfit::Data(Box::new(mismatch)))
        }
        (Type::Artifact(found), Type::Artifact(wanted)) => artifact_fits(found, wanted),
        (Type::List(found), Type::List(wanted)) => types_fit(found, wanted),
        (
            Type::List(found),
            Type::Data(DataType {
                kind: DataKind::List(wanted),
                ..
            }),
        ) => types_fit(found, &Type::Data((**wanted).clone())),
        (_, _) => Err(Misfit::Kind),
    }
}

fn artifact_fits(found: &ArtifactType, wanted: &ArtifactType) -> Result<(), Misfit> {
    match (&found.kind, &wanted.kind) {
        (ArtifactKind::Dataset(found), ArtifactKind::Dataset(wanted)) => {
            let columns = relation::schema_fits(found, wanted);
            if !columns.is_empty() {
                return Err(Misfit::Columns(columns));
            }
        }
        (_, ArtifactKind::Opaque) | (ArtifactKind::Deployment(_), ArtifactKind::Deployment(_)) => {}
        (found, wanted) if found == wanted => {}
        (_, _) => return Err(Misfit::Kind),
    }
    if found.evidence < wanted.evidence {
        return Err(Misfit::Evidence {
            wanted: wanted.evidence,
            found: found.evidence,
        });
    }
    Ok(())
}

/// The type without its refinements, those of its parts included.
pub(super) fn bare(ty: &DataType) -> DataType {
    let kind = match &ty.kind {
        DataKind::List(item) => DataKind::List(Box::new(bare(item))),
        DataKind::Map(item) => DataKind::Map(Box::new(bare(item))),
        DataKind::Record(record) => {
            let mut record = record.clone();
            for field in &mut record.fields {
                field.ty = bare(&field.ty);
            }
            DataKind::Record(record)
        }
        DataKind::Bool
        | DataKind::Int
        | DataKind::Float
        | DataKind::String
        | DataKind::Date
        | DataKind::Datetime
        | DataKind::Duration
        | DataKind::Size
        | DataKind::Money
        | DataKind::Enum(_) => ty.kind.clone(),
    };
    DataType {
        kind,
        optional: ty.optional,
        refinements: Vec::new(),
    }
}

/// A dataset with what has been shown about it.
pub(super) fn dataset(schema: Arc<Schema>, evidence: Evidence) -> Type {
    Type::Artifact(ArtifactType {
        kind: ArtifactKind::Dataset(schema),
        evidence,
    })
}

/// A model with what has been shown about it.
pub(super) fn model(name: &str, evidence: Evidence) -> Type {
    Type::Artifact(ArtifactType {
        kind: ArtifactKind::Model(name.to_owned()),
        evidence,
    })
}
