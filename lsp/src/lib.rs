//! The language server of `mlp`.

#![allow(
    clippy::disallowed_methods,
    reason = "only the compiler is kept from the world outside"
)]
