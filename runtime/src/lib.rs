//! The native side of `mlp`: executor, artifact store, built-in operations, registry, Python steps.
//!
//! It reads plans and nothing of the language: no syntax, no checks.

pub mod operations;
pub mod registry;
