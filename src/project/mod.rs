//! Projects: `mlp.toml`, module paths, and the only door to the world outside. Nothing here knows the language.

mod disk;
mod host;
mod lock;
mod manifest;

pub use disk::{DiskHost, OpenError};
pub use host::{Contents, Host, MemoryHost};
pub use lock::{LOCK_FILE, Lock, LockError, LockedPackage, is_digest, is_image};
pub(crate) use manifest::unreadable_file;
pub use manifest::{EDITION, MANIFEST, Manifest, ManifestFile, manifest_file};

use std::collections::BTreeMap;

/// For each Python file that a step or model runs, by path from the project's root: the texts by path of itself and of the
/// project's own modules that it imports, directly or by way of others.
pub type PythonSources = BTreeMap<String, BTreeMap<String, String>>;
