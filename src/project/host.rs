//! The `Host` trait: files as the compiler sees them.
//!
//! No other code in this crate reads a file, a clock or the environment, so the compiler is deterministic and can be tested
//! in memory.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

/// What a file holds, or why it could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Text, without a byte order mark.
    Text(String),
    /// There is no such file.
    Missing,
    /// The bytes are not UTF-8.
    NotUtf8 {
        /// Offset of the first byte that is none.
        offset: usize,
        /// Its line, from 1.
        line: usize,
    },
    /// The system's reason.
    Unreadable(String),
}

impl Contents {
    /// The contents of a file with these bytes. A byte order mark at the start is dropped.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::from_text(text),
            Err(error) => {
                let offset = error.utf8_error().valid_up_to();
                let before = error.as_bytes().iter().take(offset);
                let line = 1 + before.filter(|byte| **byte == b'\n').count();
                Self::NotUtf8 { offset, line }
            }
        }
    }

    /// The contents of a file with this text. A byte order mark at the start is dropped.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        match text.strip_prefix('\u{feff}') {
            Some(rest) => Self::Text(rest.to_owned()),
            None => Self::Text(text),
        }
    }

    /// The text, if it could be read.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Missing | Self::NotUtf8 { .. } | Self::Unreadable(_) => None,
        }
    }
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
            .map_or(Contents::Missing, |text| Contents::from_text(text.clone()))
    }

    fn list(&self, extension: &str) -> Vec<Utf8PathBuf> {
        self.files
            .keys()
            .filter(|path| path.extension() == Some(extension))
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Contents;

    #[test]
    fn a_byte_order_mark_is_dropped() {
        assert_eq!(
            Contents::from_bytes(b"\xef\xbb\xbfa".to_vec()),
            Contents::Text("a".to_owned())
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_placed() {
        assert_eq!(
            Contents::from_bytes(b"a\nb\xffc".to_vec()),
            Contents::NotUtf8 { offset: 3, line: 2 }
        );
    }
}
