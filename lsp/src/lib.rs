//! The language server of `mlp`.
