//! What passes between the scheduler and the threads that run nodes.

use std::collections::BTreeMap;

use mlp::plan::{Node, Operation, Step};

use super::scope::NodeKey;
use crate::events::Failure;
use crate::operations::Lineage;
use crate::store::Datum;

/// A node to be run.
pub(super) struct Job<'p> {
    pub(super) key: NodeKey,
    pub(super) path: String,
    pub(super) node: &'p Node,
    pub(super) task: Task<'p>,
    pub(super) inputs: BTreeMap<String, Datum>,
    /// From 1.
    pub(super) attempt: u32,
    /// The run's artifacts so far, for what goes into the registry.
    pub(super) lineage: Option<Box<Lineage>>,
}

/// What a node does.
#[derive(Clone, Copy)]
pub(super) enum Task<'p> {
    /// A user's step.
    Step(&'p Step),
    /// A built-in operation.
    Operation(&'p Operation),
}

/// How a job ended.
pub(super) struct Done {
    pub(super) key: NodeKey,
    pub(super) attempt: u32,
    /// Milliseconds since 1970.
    pub(super) started: i64,
    pub(super) milliseconds: u64,
    pub(super) end: End,
}

/// How a node ended.
pub(super) enum End {
    /// Its outputs are in the store.
    Succeeded(Found),
    /// It broke; a retry may help.
    Failed(Failure),
    /// The data or model did not pass; a retry cannot help.
    Refused(Failure, serde_json::Value),
    /// It was ended because the run was cancelled.
    Cancelled,
}

/// What a node gave.
#[derive(Default)]
pub(super) struct Found {
    pub(super) outputs: BTreeMap<String, Datum>,
    pub(super) cached: bool,
    pub(super) summary: String,
    pub(super) record: serde_json::Value,
}
