//! The native side of `mlp`: executor, artifact store, built-in operations, registry, Python steps.
//!
//! It reads plans and nothing of the language: no syntax, no checks.
//!
//! | module | what it does |
//! |---|---|
//! | [`audit`] | the hash-chained trail of decisions |
//! | [`container`] | what runs inside the containers of other platforms |
//! | [`launcher`] | one node of a platform that moves nothing between tasks |
//! | [`data`] | tables: CSV, JSON Lines, Parquet, expressions over columns |
//! | [`executor`] | runs a pipeline of a plan; answers questions about earlier runs |
//! | [`events`] | what a run tells while it goes on |
//! | [`operations`] | the built-in operations, the same here and in a container |
//! | [`metrics`] | what a model is worth, with confidence intervals |
//! | [`statistics`] | intervals, the bootstrap, paired tests |
//! | [`python`] | environments, the step shim, predict functions |
//! | [`registry`] | model versions and their aliases |
//! | [`store`] | content-addressed artifacts under `.mlp/store` |
//! | [`metadata`] | runs, nodes and the cache's index in SQLite |
//! | [`values`] | values parsed by type, checked against refinements, written as text |

#![allow(
    clippy::disallowed_methods,
    reason = "only the compiler is kept from the world outside"
)]

pub mod audit;
mod cache;
pub mod container;
pub mod data;
pub mod error;
pub mod events;
pub mod executor;
mod expression;
pub mod launcher;
pub mod metadata;
pub mod metrics;
mod node;
pub mod operations;
mod process;
pub mod python;
pub mod registry;
pub mod statistics;
pub mod store;
pub mod values;

pub use error::RunError;
