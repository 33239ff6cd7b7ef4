//! The local executor: runs a pipeline of a plan in this process and its children, and answers questions about runs.
//!
//! It knows nothing of the language or of terminals, and decides nothing about data: operations and steps do.
//!
//! One thread schedules ([`schedule`]), as many threads as there are jobs run nodes ([`worker`]), one thread writes the
//! metadata, and one drives the streams, ends and timers of child processes.

mod baseline;
mod containers;
mod layout;
mod logs;
mod operation;
mod options;
mod outputs;
mod revision;
mod run;
mod schedule;
mod scope;
mod session;
mod state;
mod step;
mod work;
mod worker;

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::Plan;
use mlp::types::Value;

pub use options::{Cancel, CancelLevel, LOG_LIMIT, Machine, Options};

use crate::audit::Trail;
use crate::error::RunError;
use crate::events::{Counts, EventSink, Failure, Outcome};
use crate::metadata::{LogFile, Metadata, NodeRecord, RunRecord, RunSummary};
use crate::store::{Artifact, Datum, Store};
pub(crate) use state::RUN_VARIABLE;
use state::State;

/// The executor of one project.
pub struct Executor {
    project: Utf8PathBuf,
    state: State,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct RunOutcome {
    /// Its id.
    pub run: String,
    /// How it ended.
    pub outcome: Outcome,
    /// How many nodes ended how.
    pub counts: Counts,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
    /// The nodes that failed or were refused, in the order in which they ended.
    pub failures: Vec<(String, Failure)>,
    /// Every node that ended, in that order.
    pub nodes: Vec<NodeRecord>,
    /// What the pipeline returned.
    pub outputs: BTreeMap<String, Datum>,
}

impl Executor {
    /// Opens the state of a project, `<project>/.mlp`, and makes it where it is missing. Runs whose process died are
    /// marked interrupted.
    ///
    /// # Errors
    /// When the state cannot be read or written, or was written by a newer version.
    pub fn open(project: &Utf8Path) -> Result<Self, RunError> {
        Self::open_at(project, &project.join(".mlp"))
    }

    /// As [`Self::open`], with the state in another folder: for the language's `test` blocks, which must leave the project's
    /// runs and registry alone. Python environments are the user's in either case, since they hold no state.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_at(project: &Utf8Path, state: &Utf8Path) -> Result<Self, RunError> {
        let absolute = |path: &Utf8Path| camino::absolute_utf8(path).map_err(RunError::state("find", path));
        let executor = Self {
            project: absolute(project)?,
            state: State::open(absolute(state)?)?,
        };
        executor.state.recover(&executor.metadata()?)?;
        Ok(executor)
    }

    /// Runs a pipeline to its end. It blocks, and it must not be called from inside an asynchronous runtime.
    ///
    /// A node that fails is not an error: it is told in the outcome.
    ///
    /// # Errors
    /// When nothing could be tried (an unknown pipeline, a bad parameter, a step larger than the machine), or when the
    /// state cannot be written any more.
    pub fn run(
        &self,
        plan: &Plan,
        pipeline: &str,
        parameters: BTreeMap<String, Value>,
        options: &Options,
        sink: &dyn EventSink,
    ) -> Result<RunOutcome, RunError> {
        run::run(self, plan, pipeline, parameters, options, sink)
    }

    /// The latest runs, newest first.
    ///
    /// # Errors
    /// When the metadata cannot be read.
    pub fn runs(&self, limit: usize) -> Result<Vec<RunSummary>, RunError> {
        self.metadata()?.runs(limit)
    }

    /// A run by its id, by the beginning of its id, or by `latest`.
    ///
    /// # Errors
    /// When there is no such run or the metadata cannot be read.
    pub fn show(&self, run: &str) -> Result<RunRecord, RunError> {
        let metadata = self.metadata()?;
        metadata.run(&metadata.resolve(run)?)
    }

    /// One node of a run.
    ///
    /// # Errors
    /// When there is no such run or node, or the metadata cannot be read.
    pub fn show_node(&self, run: &str, node: &str) -> Result<NodeRecord, RunError> {
        let run = self.show(run)?;
        let known =
            mlp::types::display::enumerate(&run.nodes.iter().map(|node| node.node.as_str()).collect::<Vec<_>>());
        run.nodes
            .into_iter()
            .find(|record| record.node == node)
            .ok_or_else(|| RunError::UnknownNode {
                run: run.summary.id,
                node: node.to_owned(),
                known,
            })
    }

    /// What the steps of a run printed, by node, attempt and stream; streams to which nothing was printed are left out.
    ///
    /// # Errors
    /// When there is no such run or node, or the folder cannot be read.
    pub fn logs(&self, run: &str, node: Option<&str>) -> Result<Vec<LogFile>, RunError> {
        let (id, nodes) = match node {
            Some(node) => (self.show(run)?.summary.id, vec![self.show_node(run, node)?.node]),
            None => {
                let run = self.show(run)?;
                (run.summary.id, run.nodes.into_iter().map(|node| node.node).collect())
            }
        };
        let folder = self.state.logs(&id);
        logs::list(&folder, &nodes).map_err(RunError::state("read", folder))
    }

    /// Where the content of an artifact lies on this disk, read-only.
    #[must_use]
    pub fn artifact_path(&self, artifact: &Artifact) -> Utf8PathBuf {
        Store::new(self.state.store()).path(artifact)
    }

    /// The folder of the project's registry, `.mlp/registry`.
    #[must_use]
    pub fn registry_path(&self) -> Utf8PathBuf {
        self.state.registry()
    }

    /// The project's audit trail.
    #[must_use]
    pub fn audit_trail(&self) -> Trail {
        Trail::new(self.state.audit())
    }

    fn metadata(&self) -> Result<Metadata, RunError> {
        Metadata::open(&self.state.metadata())
    }
}
