//! What all threads of one run share.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::Plan;
use mlp::types::Value;

use super::Options;
use super::revision::Revision;
use super::state::{RUN_VARIABLE, State};
use crate::audit::{Entry, Trail};
use crate::cache::Code;
use crate::error::RunError;
use crate::events::{Event, EventSink, Failure};
use crate::metadata::{CachedOutputs, Change, FileStamp, Metadata, Writer};
use crate::operations::Lineage;
use crate::python::{Environment, Environments, Runner};
use crate::store::{Artifact, Store, file_digest};

/// One run.
pub(super) struct Session<'p> {
    pub(super) plan: &'p Plan,
    pub(super) project: &'p Utf8Path,
    pub(super) state: &'p State,
    pub(super) options: &'p Options,
    pub(super) sink: &'p dyn EventSink,
    pub(super) run: Arc<str>,
    pub(super) pipeline: String,
    pub(super) parameters: BTreeMap<String, Value>,
    /// RFC 3339, UTC.
    pub(super) scheduled: String,
    pub(super) now: jiff::Timestamp,
    pub(super) store: Store,
    pub(super) writer: Writer,
    pub(super) metadata: Mutex<Metadata>,
    pub(super) code: Code,
    pub(super) handle: tokio::runtime::Handle,
    /// Set when what runs is to be ended.
    pub(super) cancelled: Arc<AtomicBool>,
    pub(super) environments: Environments,
    pub(super) revision: Revision,
    /// The locked packages of the environments used so far, by node.
    pub(super) locks: Mutex<BTreeMap<String, Vec<String>>>,
    pub(super) trail: Trail,
}

impl Session<'_> {
    pub(super) fn emit(&self, event: &Event) {
        self.sink.emit(event);
    }

    /// A line that says what a node is at.
    pub(super) fn progress(&self, node: &str, message: String) {
        self.emit(&Event::NodeProgress {
            node: node.to_owned(),
            message,
        });
    }

    fn metadata(&self) -> MutexGuard<'_, Metadata> {
        self.metadata.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Outputs of an earlier run under the same key, if every one of them is still whole.
    pub(super) fn cached(&self, key: &blake3::Hash) -> Result<Option<CachedOutputs>, RunError> {
        if !self.options.cache {
            return Ok(None);
        }
        let found = self.metadata().cached(key)?;
        Ok(found.filter(|found| found.outputs.values().all(|datum| self.store.holds_datum(datum))))
    }

    /// Where the content of an artifact lies.
    pub(super) fn path(&self, artifact: &Artifact) -> Utf8PathBuf {
        self.store.path(artifact)
    }

    /// The digest of a file outside of the store, read again only when the file has changed.
    pub(super) fn source_digest(&self, path: &Utf8Path) -> std::io::Result<String> {
        use std::os::unix::fs::MetadataExt as _;
        let found = std::fs::metadata(path)?;
        let modified = found
            .mtime()
            .saturating_mul(1_000_000_000)
            .saturating_add(found.mtime_nsec());
        let stamp = |digest| FileStamp {
            path: path.to_string(),
            size: found.len(),
            modified,
            inode: found.ino(),
            digest,
        };
        if let Ok(Some(known)) = self.metadata().file(path.as_str())
            && known == stamp(known.digest.clone())
        {
            return Ok(known.digest);
        }
        let digest = file_digest(path)?.0.to_hex().to_string();
        // A file that was written a moment ago may be written again within the same tick of the file system's clock.
        let settled = self.now.as_nanosecond() - i128::from(modified) > 2_000_000_000;
        if settled {
            self.writer.send(Change::File(stamp(digest.clone())));
        }
        Ok(digest)
    }

    /// What it takes to run Python processes.
    pub(super) fn runner(&self) -> Runner<'_> {
        Runner {
            handle: &self.handle,
            cancel: &self.options.cancel,
            grace: self.options.grace,
            mark: (RUN_VARIABLE, &self.run),
            inherits: false,
        }
    }

    /// The Python environment with these packages, built if need be.
    pub(super) fn environment(&self, node: &str, packages: &[String], tables: bool) -> Result<Environment, Failure> {
        self.environments.get(packages, tables, &self.runner(), &|message| {
            self.progress(node, message)
        })
    }

    /// Remembers the locked packages that a node ran with.
    pub(super) fn note_lock(&self, node: &str, lock: &[String]) {
        self.locks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(node.to_owned(), lock.to_vec());
    }

    /// Where the run comes from; the artifacts are the scheduler's to add.
    pub(super) fn lineage(&self) -> Lineage {
        let (commit, dirty) = self.revision.get();
        Lineage {
            run: self.run.to_string(),
            pipeline: self.pipeline.clone(),
            commit,
            dirty,
            parameters: self.parameters.clone(),
            artifacts: BTreeMap::new(),
            environments: self.locks.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// Writes a decision into the audit trail.
    pub(super) fn audit(
        &self,
        action: &str,
        node: &str,
        verdict: &str,
        summary: &str,
        record: &serde_json::Value,
    ) -> Result<(), String> {
        let entry = Entry {
            at: jiff::Timestamp::now().to_string(),
            action: action.to_owned(),
            run: Some(self.run.to_string()),
            node: Some(node.to_owned()),
            verdict: verdict.to_owned(),
            summary: summary.to_owned(),
            record: record.clone(),
        };
        self.trail.append(entry).map_err(|error| error.to_string())
    }
}
