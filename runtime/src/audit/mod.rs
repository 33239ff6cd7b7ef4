//! The audit trail: what was decided about models, one JSON object a line, each chained to the one before by its hash.
//!
//! It is append-only: nothing here changes or removes a line. It proves that no line was altered, left out or inserted
//! since a known last hash; it does not prove who wrote it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

/// A decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When, RFC 3339, UTC.
    pub at: String,
    /// `validate`, `gate`, `challenge`, `register`, `deploy`, `promote`, `rollback`.
    pub action: String,
    /// The run, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The node of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// How it came out: `pass`, `fail`, `insufficient_data`, `done`.
    pub verdict: String,
    /// What was decided upon, in one line.
    pub summary: String,
    /// The facts: conditions with their values, versions, aliases.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub record: serde_json::Value,
}

/// An entry as it stands in the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// The decision.
    #[serde(flatten)]
    pub entry: Entry,
    /// The hash of the line before, or 64 zeros.
    pub previous: String,
    /// BLAKE3 of the entry's JSON and `previous`.
    pub hash: String,
}

/// Why a trail cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The file cannot be read or written.
    #[error("cannot use the audit trail `{path}`: {source}")]
    Io {
        /// The file.
        path: Utf8PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A line does not follow from the one before.
    #[error(
        "line {line} of the audit trail `{path}` was altered, or a line before it was removed. \
         Restore the file from a backup; do not edit it"
    )]
    Broken {
        /// The file.
        path: Utf8PathBuf,
        /// One-based.
        line: usize,
    },
}

/// A trail in a file.
#[derive(Clone, Debug)]
pub struct Trail {
    path: Utf8PathBuf,
}

impl Trail {
    /// The trail in a file, which is made at the first entry.
    #[must_use]
    pub fn new(path: Utf8PathBuf) -> Self {
        Self { path }
    }

    /// Adds an entry; it is on the disk when this returns.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn append(&self, entry: Entry) -> Result<(), AuditError> {
        self.try_append(entry).map_err(|source| AuditError::Io {
            path: self.path.clone(),
            source,
        })
    }

    fn try_append(&self, entry: Entry) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&self.path)?;
        file.lock()?;
        let (previous, torn) = last_hash(&mut file)?;
        let hash = chain(&entry, &previous)?;
        let mut line = serde_json::to_string(&Link { entry, previous, hash })?;
        line.push('\n');
        if torn {
            // What a power cut left of a line stays visible, on a line of its own.
            line.insert(0, '\n');
        }
        file.write_all(line.as_bytes())?;
        file.sync_data()
    }

    /// Every entry, after checking that none was altered, left out or inserted.
    ///
    /// # Errors
    /// When the file cannot be read, or the chain is broken.
    pub fn read(&self) -> Result<Vec<Link>, AuditError> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => {
                return Err(AuditError::Io {
                    path: self.path.clone(),
                    source,
                });
            }
        };
        let mut previous = first_hash();
        let mut links = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let broken = || AuditError::Broken {
                path: self.path.clone(),
                line: index + 1,
            };
            let link: Link = serde_json::from_str(line).map_err(|_| broken())?;
            let expected = chain(&link.entry, &previous).map_err(|_| broken())?;
            if link.previous != previous || link.hash != expected {
                return Err(broken());
            }
            previous.clone_from(&link.hash);
            links.push(link);
        }
        Ok(links)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }
}

fn first_hash() -> String {
    "0".repeat(64)
}

fn chain(entry: &Entry, previous: &str) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(previous.as_bytes());
    hasher.update(serde_json::to_string(entry)?.as_bytes());
    Ok(hasher.finalize().to_hex().to_string())
}

/// The hash of the last whole line, and whether the file ends within a line.
fn last_hash(file: &mut File) -> io::Result<(String, bool)> {
    const CHUNK: u64 = 1 << 16;
    let length = file.metadata()?.len();
    let mut begin = length;
    let mut text = Vec::new();
    while begin > 0 {
        begin = begin.saturating_sub(CHUNK);
        file.seek(SeekFrom::Start(begin))?;
        text.clear();
        file.take(length - begin).read_to_end(&mut text)?;
        let content = String::from_utf8_lossy(&text);
        let mut lines = content.lines().rev();
        let found = lines.find_map(|line| serde_json::from_str::<Link>(line).ok());
        if let Some(link) = found {
            return Ok((link.hash, !text.ends_with(b"\n")));
        }
    }
    Ok((first_hash(), length > 0 && !text.ends_with(b"\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trail() -> (tempfile::TempDir, Trail) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("audit.jsonl")).unwrap();
        (folder, Trail::new(path))
    }

    fn entry(summary: &str) -> Entry {
        Entry {
            at: "2026-01-31T08:00:00Z".to_owned(),
            action: "gate".to_owned(),
            run: None,
            node: None,
            verdict: "pass".to_owned(),
            summary: summary.to_owned(),
            record: serde_json::json!({ "auc": 0.1 + 0.2 }),
        }
    }

    #[test]
    fn entries_are_chained() {
        let (_folder, trail) = trail();
        assert_eq!(trail.read().unwrap(), Vec::new());
        for summary in ["one", "two", "three"] {
            trail.append(entry(summary)).unwrap();
        }
        let links = trail.read().unwrap();
        assert_eq!(links.len(), 3);
        assert_eq!(links[2].previous, links[1].hash);
    }

    #[test]
    fn an_altered_or_missing_line_is_found() {
        let (_folder, trail) = trail();
        for summary in ["one", "two", "three"] {
            trail.append(entry(summary)).unwrap();
        }
        let text = std::fs::read_to_string(trail.path()).unwrap();
        std::fs::write(trail.path(), text.replace("two", "TWO")).unwrap();
        assert!(matches!(trail.read(), Err(AuditError::Broken { line: 2, .. })));
        let without: Vec<&str> = text
            .lines()
            .enumerate()
            .filter(|(i, _)| *i != 1)
            .map(|(_, line)| line)
            .collect();
        std::fs::write(trail.path(), without.join("\n") + "\n").unwrap();
        assert!(matches!(trail.read(), Err(AuditError::Broken { line: 2, .. })));
    }
}
