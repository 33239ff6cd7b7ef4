//! What happened, in SQLite: runs, nodes, outputs, the cache's index. It holds no content: that is the store's.
//!
//! A run writes through one [`Writer`], which gathers what has come up into one transaction; several processes may write
//! at once. The write-ahead log keeps the database whole when a process is killed.

mod queries;
mod schema;
mod views;
mod writer;

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::Connection;

use crate::error::RunError;

pub(crate) use queries::CachedOutputs;
pub use views::{LogFile, LogStream, NodeRecord, RunRecord, RunSummary};
pub(crate) use writer::{CacheEntry, Change, FileStamp, RunEnd, RunStart, Writer};

/// The database, open for reading.
pub(crate) struct Metadata {
    path: Utf8PathBuf,
    connection: Connection,
}

impl Metadata {
    /// Opens a database, and makes it where it is missing.
    pub(crate) fn open(path: &Utf8Path) -> Result<Self, RunError> {
        let connection = schema::open(path)?;
        Ok(Self {
            path: path.to_owned(),
            connection,
        })
    }

    fn error(&self, action: &'static str) -> impl FnOnce(rusqlite::Error) -> RunError {
        RunError::metadata(action, &self.path)
    }
}

/// RFC 3339 in UTC of milliseconds since 1970.
pub(crate) fn time_text(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds).map_or_else(|_| milliseconds.to_string(), |time| time.to_string())
}
