//! The tables, and how a database is opened.

use std::fs::File;
use std::time::Duration;

use camino::Utf8Path;
use rusqlite::{Connection, TransactionBehavior};

use crate::error::RunError;

/// The format of the database; raised with every change of the tables.
const VERSION: i64 = 1;

/// How long one process waits for another's transaction.
const PATIENCE: Duration = Duration::from_secs(60);

const TABLES: &str = "
    CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        pipeline TEXT NOT NULL,
        parameters TEXT NOT NULL,
        outcome TEXT NOT NULL,
        started INTEGER NOT NULL,
        milliseconds INTEGER,
        commit_id TEXT,
        dirty INTEGER NOT NULL DEFAULT 0,
        outputs TEXT NOT NULL DEFAULT '{}'
    );
    CREATE INDEX runs_by_start ON runs (started);
    CREATE INDEX runs_by_outcome ON runs (outcome);
    CREATE TABLE nodes (
        sequence INTEGER PRIMARY KEY,
        run TEXT NOT NULL,
        node TEXT NOT NULL,
        callee TEXT NOT NULL,
        state TEXT NOT NULL,
        cached INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        started INTEGER,
        milliseconds INTEGER,
        summary TEXT NOT NULL,
        failure TEXT,
        record TEXT,
        outputs TEXT,
        UNIQUE (run, node)
    );
    CREATE TABLE cache (
        key BLOB PRIMARY KEY,
        run TEXT NOT NULL,
        node TEXT NOT NULL,
        summary TEXT NOT NULL,
        record TEXT,
        outputs TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE files (
        path TEXT PRIMARY KEY,
        size INTEGER NOT NULL,
        modified INTEGER NOT NULL,
        inode INTEGER NOT NULL,
        digest TEXT NOT NULL
    ) WITHOUT ROWID;
";

/// Opens a connection; makes the tables when there are none.
pub(super) fn open(path: &Utf8Path) -> Result<Connection, RunError> {
    let error = |action| RunError::metadata(action, path);
    let mut connection = Connection::open(path).map_err(error("open"))?;
    configure(&connection).map_err(error("open"))?;
    match version(&connection).map_err(error("read"))? {
        VERSION => Ok(connection),
        found if found > VERSION => Err(RunError::NewerMetadata {
            path: path.to_owned(),
            found,
            known: VERSION,
        }),
        _ => {
            // SQLite does not wait for its turn when two processes switch to the write-ahead log at once.
            let guard = path.with_extension("lock");
            let file = File::create(&guard).map_err(RunError::state("create", &guard))?;
            file.lock().map_err(RunError::state("lock", &guard))?;
            create(&mut connection).map_err(error("create"))?;
            Ok(connection)
        }
    }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(32);
    // Under the write-ahead log this loses nothing when a process dies, and at a power cut at most the last moments.
    connection.pragma_update(None, "synchronous", "NORMAL")
}

fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if version(&transaction)? == 0 {
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;

    #[test]
    fn a_newer_format_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("m.sqlite")).unwrap();
        open(&path)
            .unwrap()
            .pragma_update(None, "user_version", VERSION + 1)
            .unwrap();
        assert!(matches!(open(&path), Err(RunError::NewerMetadata { .. })));
    }

    #[test]
    fn a_file_that_is_no_database_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("m.sqlite")).unwrap();
        std::fs::write(&path, "not a database, but long enough to be read as one".repeat(100)).unwrap();
        assert!(matches!(open(&path), Err(RunError::DamagedMetadata { .. })));
    }
}
