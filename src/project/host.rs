//! The `Host` trait: files as the compiler sees them.
//!
//! No other code in this crate reads a file, a clock or the environment, so the compiler is deterministic and can be tested
//! in memory.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

/// What a file holds, or why it could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Text.
    Text(String),
    /// There is no such file.
    Missing,
    /// The bytes are not UTF-8 from this offset on.
    NotUtf8(usize),
    /// The system's reason.
    Unreadable(String),
}

/// The world outside. Paths are relative to the project's root and use `/`.
pub trait Host: Send + Sync {
    /// Reads a file.
    fn read(&self, path: &Utf8Path) -> Contents;

    /// Every file below the root with this extension, sorted, without hidden folders and `target`.
    fn list(&self, extension: &str) -> Vec<Utf8PathBuf>;
}

/// A project in memory: tests, and editors' unsaved files.
#[derive(Clone, Debug, Default)]
pub struct MemoryHost {
    /// Text by path.
    pub files: BTreeMap<Utf8PathBuf, String>,
}

impl Host for MemoryHost {
    fn read(&self, path: &Utf8Path) -> Contents {
        self.files
            .get(path)
            .map_or(Contents::Missing, |text| Contents::Text(text.clone()))
    }

    fn list(&self, extension: &str) -> Vec<Utf8PathBuf> {
        self.files
            .keys()
            .filter(|path| path.extension() == Some(extension))
            .cloned()
            .collect()
    }
}
