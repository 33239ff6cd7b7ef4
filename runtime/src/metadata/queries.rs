//! Questions to the database.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, params};
use serde::de::DeserializeOwned;

use super::views::{NodeRecord, RunRecord, RunSummary};
use super::writer::FileStamp;
use super::{Metadata, time_text};
use crate::error::RunError;
use crate::events::{NodeState, Outcome};
use crate::store::Datum;

/// Outputs of an earlier run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CachedOutputs {
    pub(crate) run: String,
    pub(crate) summary: String,
    pub(crate) record: serde_json::Value,
    pub(crate) outputs: BTreeMap<String, Datum>,
}

const RUN: &str =
    "SELECT id, pipeline, outcome, started, milliseconds, parameters, commit_id, dirty, outputs FROM runs";

impl Metadata {
    /// The latest runs, newest first.
    pub(crate) fn runs(&self, limit: usize) -> Result<Vec<RunSummary>, RunError> {
        let query = || {
            let mut statement = self
                .connection
                .prepare_cached(&format!("{RUN} ORDER BY started DESC, id DESC LIMIT ?1"))?;
            let rows = statement.query_map(params![i64::try_from(limit).unwrap_or(i64::MAX)], run_record)?;
            rows.map(|run| run.map(|run| run.summary)).collect::<Result<_, _>>()
        };
        query().map_err(self.error("read"))
    }

    /// The runs that are said to be going on.
    pub(crate) fn running(&self) -> Result<Vec<String>, RunError> {
        let query = || {
            let mut statement = self
                .connection
                .prepare_cached("SELECT id FROM runs WHERE outcome = 'running'")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect::<Result<_, _>>()
        };
        query().map_err(self.error("read"))
    }

    /// The whole id of a run, from its id, the beginning of its id, or `latest`.
    pub(crate) fn resolve(&self, run: &str) -> Result<String, RunError> {
        let unknown = || RunError::UnknownRun { id: run.to_owned() };
        let found: Vec<String> = if run == "latest" {
            self.runs(1)?.into_iter().map(|run| run.id).collect()
        } else {
            let query = || {
                let mut statement = self.connection.prepare_cached(
                    "SELECT id FROM runs WHERE substr(id, 1, length(?1)) = ?1 ORDER BY id = ?1 DESC LIMIT 2",
                )?;
                let rows = statement.query_map(params![run], |row| row.get(0))?;
                rows.collect::<Result<_, _>>()
            };
            query().map_err(self.error("read"))?
        };
        match found.as_slice() {
            [first] => Ok(first.clone()),
            [first, _] if first == run => Ok(first.clone()),
            _ => Err(unknown()),
        }
    }

    /// A run with its nodes.
    pub(crate) fn run(&self, id: &str) -> Result<RunRecord, RunError> {
        let query = || {
            let mut statement = self.connection.prepare_cached(&format!("{RUN} WHERE id = ?1"))?;
            let Some(mut run) = statement.query_row(params![id], run_record).optional()? else {
                return Ok(None);
            };
            let mut statement = self.connection.prepare_cached(
                "SELECT node, callee, state, cached, attempts, started, milliseconds, summary, failure, record, outputs
                 FROM nodes WHERE run = ?1 ORDER BY sequence",
            )?;
            run.nodes = statement
                .query_map(params![id], node_record)?
                .collect::<Result<_, _>>()?;
            Ok(Some(run))
        };
        query()
            .map_err(self.error("read"))?
            .ok_or_else(|| RunError::UnknownRun { id: id.to_owned() })
    }

    /// Outputs by their cache key.
    pub(crate) fn cached(&self, key: &blake3::Hash) -> Result<Option<CachedOutputs>, RunError> {
        let query = || {
            self.connection
                .prepare_cached("SELECT run, summary, record, outputs FROM cache WHERE key = ?1")?
                .query_row(params![key.as_bytes()], |row| {
                    Ok(CachedOutputs {
                        run: row.get(0)?,
                        summary: row.get(1)?,
                        record: optional(row, 2)?,
                        outputs: optional(row, 3)?,
                    })
                })
                .optional()
        };
        query().map_err(self.error("read"))
    }

    /// What is known about a file outside of the store.
    pub(crate) fn file(&self, path: &str) -> Result<Option<FileStamp>, RunError> {
        let query = || {
            self.connection
                .prepare_cached("SELECT size, modified, inode, digest FROM files WHERE path = ?1")?
                .query_row(params![path], |row| {
                    Ok(FileStamp {
                        path: path.to_owned(),
                        size: unsigned(row.get(0)?),
                        modified: row.get(1)?,
                        inode: row.get::<_, i64>(2)?.cast_unsigned(),
                        digest: row.get(3)?,
                    })
                })
                .optional()
        };
        query().map_err(self.error("read"))
    }
}

fn run_record(row: &Row) -> rusqlite::Result<RunRecord> {
    let outcome: String = row.get(2)?;
    Ok(RunRecord {
        summary: RunSummary {
            id: row.get(0)?,
            pipeline: row.get(1)?,
            outcome: Outcome::from_name(&outcome).unwrap_or(Outcome::Interrupted),
            started: time_text(row.get(3)?),
            milliseconds: row.get::<_, Option<i64>>(4)?.map(unsigned),
        },
        parameters: optional(row, 5)?,
        commit: row.get(6)?,
        dirty: row.get(7)?,
        nodes: Vec::new(),
        outputs: optional(row, 8)?,
    })
}

fn node_record(row: &Row) -> rusqlite::Result<NodeRecord> {
    let state: String = row.get(2)?;
    Ok(NodeRecord {
        node: row.get(0)?,
        callee: row.get(1)?,
        state: NodeState::from_name(&state).unwrap_or(NodeState::Cancelled),
        cached: row.get(3)?,
        attempts: row.get(4)?,
        started: row.get::<_, Option<i64>>(5)?.map(time_text),
        milliseconds: row.get::<_, Option<i64>>(6)?.map(unsigned),
        summary: row.get(7)?,
        failure: optional(row, 8)?,
        record: optional(row, 9)?,
        outputs: optional(row, 10)?,
    })
}

/// JSON of a column; what is absent or unreadable is the empty value.
fn optional<T: DeserializeOwned + Default>(row: &Row, index: usize) -> rusqlite::Result<T> {
    let text: Option<String> = row.get(index)?;
    Ok(text
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default())
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
