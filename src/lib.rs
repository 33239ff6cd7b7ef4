//! The compiler of the `mlp` language: from text to a plan. One folder per phase, in the order in which data flows.

pub mod plan;
pub mod source;
pub mod syntax;
pub mod types;
