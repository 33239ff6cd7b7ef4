//! What the store knows about runs, as plain data for `mlp runs`, `show` and `logs`.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use mlp::types::Value;
use serde::{Deserialize, Serialize};

use crate::events::{Failure, NodeState, Outcome};
use crate::store::Datum;

/// A run in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Its id; ids sort by time.
    pub id: String,
    /// The pipeline.
    pub pipeline: String,
    /// How it stands or ended.
    pub outcome: Outcome,
    /// When it began, RFC 3339, UTC.
    pub started: String,
    /// How long it took, in milliseconds; absent while it runs.
    pub milliseconds: Option<u64>,
}

/// A run in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// What a list shows.
    #[serde(flatten)]
    pub summary: RunSummary,
    /// The parameters, defaults filled in.
    pub parameters: BTreeMap<String, Value>,
    /// The commit of the project's repository, if there is one.
    pub commit: Option<String>,
    /// Whether the work tree differed from it.
    pub dirty: bool,
    /// The nodes in the order in which they began or were skipped.
    pub nodes: Vec<NodeRecord>,
    /// What the pipeline returned.
    pub outputs: BTreeMap<String, Datum>,
}

/// A node of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Its path, with the indices of enclosing loops.
    pub node: String,
    /// The step or operation.
    pub callee: String,
    /// How it stands or ended.
    pub state: NodeState,
    /// Whether its outputs were reused.
    pub cached: bool,
    /// How often it was tried; 0 when it never ran.
    pub attempts: u32,
    /// When it began, RFC 3339, UTC.
    pub started: Option<String>,
    /// How long it ran, in milliseconds.
    pub milliseconds: Option<u64>,
    /// One line of what it found.
    pub summary: String,
    /// Why it did not succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What it recorded: conditions with their values, counts, intervals.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub record: serde_json::Value,
    /// Its outputs by port.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Datum>,
}

/// A file with what a step printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogFile {
    /// The node.
    pub node: String,
    /// From 1.
    pub attempt: u32,
    /// Which stream.
    pub stream: LogStream,
    /// The file, UTF-8 as far as the step wrote UTF-8.
    pub path: Utf8PathBuf,
}

/// Where a line was printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}
