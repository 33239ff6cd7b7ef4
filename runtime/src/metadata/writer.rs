//! The one writer of a run: a thread that gathers all changes that have come up into one transaction.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use camino::{Utf8Path, Utf8PathBuf};
use mlp::types::Value;
use rusqlite::{Connection, TransactionBehavior, params};
use serde::Serialize;

use super::schema;
use super::views::NodeRecord;
use crate::error::RunError;
use crate::events::Outcome;
use crate::store::Datum;

/// Something to be remembered.
#[derive(Debug)]
pub(crate) enum Change {
    /// A run began.
    RunStarted(RunStart),
    /// A run ended.
    RunEnded(RunEnd),
    /// A node began or ended.
    Node {
        /// The run.
        run: Arc<str>,
        /// When it began, in milliseconds since 1970.
        started: Option<i64>,
        /// The node.
        record: Box<NodeRecord>,
    },
    /// Outputs may be reused.
    Cache(Box<CacheEntry>),
    /// A file outside of the store was read.
    File(FileStamp),
    /// A run's process died.
    Interrupted {
        /// The run.
        run: String,
    },
}

/// The beginning of a run.
#[derive(Debug)]
pub(crate) struct RunStart {
    pub(crate) run: Arc<str>,
    pub(crate) pipeline: String,
    pub(crate) parameters: BTreeMap<String, Value>,
    pub(crate) started: i64,
}

/// The end of a run.
#[derive(Debug)]
pub(crate) struct RunEnd {
    pub(crate) run: Arc<str>,
    pub(crate) outcome: Outcome,
    pub(crate) milliseconds: u64,
    pub(crate) commit: Option<String>,
    pub(crate) dirty: bool,
    pub(crate) outputs: BTreeMap<String, Datum>,
}

/// Outputs by their cache key.
#[derive(Debug)]
pub(crate) struct CacheEntry {
    pub(crate) key: blake3::Hash,
    pub(crate) run: Arc<str>,
    pub(crate) node: String,
    pub(crate) summary: String,
    pub(crate) record: serde_json::Value,
    pub(crate) outputs: BTreeMap<String, Datum>,
}

/// What tells that a file has not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileStamp {
    pub(crate) path: String,
    pub(crate) size: u64,
    pub(crate) modified: i64,
    pub(crate) inode: u64,
    pub(crate) digest: String,
}

/// Sends changes to the thread that writes them.
pub(crate) struct Writer {
    path: Utf8PathBuf,
    sender: Option<Sender<Change>>,
    thread: Option<JoinHandle<()>>,
    failure: Arc<Mutex<Option<rusqlite::Error>>>,
}

impl Writer {
    /// Writes a first change, if there is one, and starts the thread for those that follow.
    ///
    /// # Errors
    /// When the database cannot be opened or the change cannot be written.
    pub(crate) fn start(path: &Utf8Path, first: Option<Change>) -> Result<Self, RunError> {
        let mut connection = schema::open(path)?;
        if first.is_some() {
            write_batch(&mut connection, first.into_iter()).map_err(RunError::metadata("write", path))?;
        }
        let (sender, receiver) = channel();
        let failure = Arc::new(Mutex::new(None));
        let thread = std::thread::Builder::new()
            .name("metadata".to_owned())
            .spawn({
                let failure = Arc::clone(&failure);
                move || write_all(connection, &receiver, &failure)
            })
            .map_err(RunError::state("start the writer of", path))?;
        Ok(Self {
            path: path.to_owned(),
            sender: Some(sender),
            thread: Some(thread),
            failure,
        })
    }

    /// Has a change written soon.
    pub(crate) fn send(&self, change: Change) {
        if let Some(sender) = &self.sender {
            // The thread ends early only when it has failed, which `check` tells.
            let _ = sender.send(change);
        }
    }

    /// Whether something could not be written; [`Self::finish`] tells what.
    pub(crate) fn failed(&self) -> bool {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn check(&self) -> Result<(), RunError> {
        match self.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            None => Ok(()),
            Some(source) => Err(RunError::metadata("write", &self.path)(source)),
        }
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    /// When something could not be.
    pub(crate) fn finish(mut self) -> Result<(), RunError> {
        self.stop();
        self.check()
    }

    fn stop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn write_all(mut connection: Connection, receiver: &Receiver<Change>, failure: &Mutex<Option<rusqlite::Error>>) {
    while let Ok(first) = receiver.recv() {
        let waiting = std::iter::once(first).chain(receiver.try_iter());
        if let Err(error) = write_batch(&mut connection, waiting) {
            *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            return;
        }
    }
}

fn write_batch(connection: &mut Connection, changes: impl Iterator<Item = Change>) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for change in changes {
        apply(&transaction, change)?;
    }
    transaction.commit()
}

fn apply(connection: &Connection, change: Change) -> rusqlite::Result<()> {
    match change {
        Change::RunStarted(run) => connection
            .prepare_cached("INSERT INTO runs (id, pipeline, parameters, outcome, started) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![
                &*run.run,
                run.pipeline,
                json(&run.parameters),
                Outcome::Running.name(),
                run.started
            ]),
        Change::RunEnded(run) => connection
            .prepare_cached(
                "UPDATE runs SET outcome = ?2, milliseconds = ?3, commit_id = ?4, dirty = ?5, outputs = ?6 WHERE id = ?1",
            )?
            .execute(params![
                &*run.run,
                run.outcome.name(),
                integer(run.milliseconds),
                run.commit,
                run.dirty,
                json(&run.outputs)
            ]),
        Change::Node { run, started, record } => write_node(connection, &run, started, &record),
        Change::Cache(entry) => connection
            .prepare_cached(
                "INSERT OR REPLACE INTO cache (key, run, node, summary, record, outputs) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                entry.key.as_bytes(),
                &*entry.run,
                entry.node,
                entry.summary,
                optional_json(&entry.record),
                json(&entry.outputs)
            ]),
        Change::File(stamp) => connection
            .prepare_cached("INSERT OR REPLACE INTO files (path, size, modified, inode, digest) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![
                stamp.path,
                integer(stamp.size),
                stamp.modified,
                stamp.inode.cast_signed(),
                stamp.digest
            ]),
        Change::Interrupted { run } => {
            connection.execute(
                "UPDATE nodes SET state = 'cancelled' WHERE run = ?1 AND state IN ('running', 'queued')",
                params![run],
            )?;
            connection.execute("UPDATE runs SET outcome = 'interrupted' WHERE id = ?1 AND outcome = 'running'", params![run])
        }
    }
    .map(|_| ())
}

fn write_node(
    connection: &Connection,
    run: &str,
    started: Option<i64>,
    record: &NodeRecord,
) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "INSERT INTO nodes
                (run, node, callee, state, cached, attempts, started, milliseconds, summary, failure, record, outputs)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT (run, node) DO UPDATE SET
                state = ?4, cached = ?5, attempts = ?6, started = coalesce(started, ?7), milliseconds = ?8, summary = ?9,
                failure = ?10, record = ?11, outputs = ?12",
        )?
        .execute(params![
            run,
            record.node,
            record.callee,
            record.state.name(),
            record.cached,
            record.attempts,
            started,
            record.milliseconds.map(integer),
            record.summary,
            record.failure.as_ref().map(json),
            optional_json(&record.record),
            (!record.outputs.is_empty()).then(|| json(&record.outputs)),
        ])
}

/// Our own types always have JSON; should one ever not, `null` reads back as the empty value.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

fn optional_json(value: &serde_json::Value) -> Option<String> {
    (!value.is_null()).then(|| value.to_string())
}

fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
