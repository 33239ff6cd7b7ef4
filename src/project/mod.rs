//! Projects: `mlp.toml`, module paths, and the only door to the world outside.

mod host;

pub use host::{Contents, Host, MemoryHost};
