//! Values, types, schemas, evidence — and nothing about syntax, files or targets.
//!
//! Everything here is fully resolved and free of errors, so it is also what the plan carries.

mod algebra;
mod artifact;
mod data;
pub mod display;
mod order;
pub mod relation;
mod schema;
mod signature;
mod value;

pub use artifact::{ArtifactKind, ArtifactType, Evidence, Type};
pub use data::{Bound, DataKind, DataType, EnumType, EnumVariant, RecordField, RecordType, Refinement};
pub use order::Range;
pub use schema::{Column, ColumnTag, Schema};
pub use signature::{GenericKind, Parameter, ParameterKind, Port, Signature};
pub use value::Value;
