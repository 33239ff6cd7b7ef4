//! The compiler of the `mlp` language: from text to a plan. One folder per phase, in the order in which data flows.

pub mod check;
pub mod db;
pub mod diagnostics;
pub mod format;
pub mod graph_view;
pub mod ide;
pub mod import;
pub mod names;
pub mod plan;
pub mod project;
pub mod source;
pub mod stdlib;
pub mod syntax;
pub mod targets;
pub mod types;
pub mod workspace;
