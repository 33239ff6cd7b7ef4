//! The world over HTTP: uploads pipelines, starts and watches runs, and asks image registries for digests.
//!
//! It reads what the targets wrote and nothing of the language; what runs on this machine is `mlp-runtime`'s.

#![allow(
    clippy::disallowed_methods,
    reason = "only the compiler is kept from the world outside"
)]
