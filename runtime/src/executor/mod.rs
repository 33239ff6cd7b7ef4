//! The local executor: runs a pipeline of a plan in this process and its children, and answers questions about runs.
//!
//! It knows nothing of the language or of terminals, and decides nothing about data: operations and steps do.

mod options;

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::Plan;
use mlp::types::Value;

pub use options::{Cancel, CancelLevel, LOG_LIMIT, Machine, Options};

use crate::error::RunError;
use crate::events::{Counts, EventSink, Failure, Outcome};
use crate::metadata::{LogFile, NodeRecord, RunRecord, RunSummary};
use crate::store::Datum;

/// The executor of one project.
pub struct Executor {
    project: Utf8PathBuf,
    state: Utf8PathBuf,
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
    /// runs and registry alone. Python environments are still those of the project, since they hold no state.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_at(project: &Utf8Path, state: &Utf8Path) -> Result<Self, RunError> {
        Ok(Self {
            project: project.to_owned(),
            state: state.to_owned(),
        })
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
        let _ = (&self.project, plan, pipeline, parameters, options, sink);
        Err(RunError::Plan("not built yet".to_owned()))
    }

    /// The latest runs, newest first.
    ///
    /// # Errors
    /// When the metadata cannot be read.
    pub fn runs(&self, limit: usize) -> Result<Vec<RunSummary>, RunError> {
        let _ = limit;
        Ok(Vec::new())
    }

    /// A run by its id, by the beginning of its id, or by `latest`.
    ///
    /// # Errors
    /// When there is no such run or the metadata cannot be read.
    pub fn show(&self, run: &str) -> Result<RunRecord, RunError> {
        Err(RunError::UnknownRun { id: run.to_owned() })
    }

    /// One node of a run.
    ///
    /// # Errors
    /// When there is no such run or node, or the metadata cannot be read.
    pub fn show_node(&self, run: &str, node: &str) -> Result<NodeRecord, RunError> {
        let _ = node;
        Err(RunError::UnknownRun { id: run.to_owned() })
    }

    /// What the steps of a run printed, by node, attempt and stream; streams to which nothing was printed are left out.
    ///
    /// # Errors
    /// When there is no such run, or the folder cannot be read.
    pub fn logs(&self, run: &str, node: Option<&str>) -> Result<Vec<LogFile>, RunError> {
        let _ = node;
        Err(RunError::UnknownRun { id: run.to_owned() })
    }

    /// Where the content of an artifact lies on this disk, read-only.
    #[must_use]
    pub fn artifact_path(&self, artifact: &crate::store::Artifact) -> Utf8PathBuf {
        self.state.join("store").join(&artifact.digest)
    }

    /// The folder of the project's registry, `.mlp/registry`.
    #[must_use]
    pub fn registry_path(&self) -> Utf8PathBuf {
        self.state.join("registry")
    }
}
