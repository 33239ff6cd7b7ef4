//! The built-in operations: one implementation, used by the local executor and by `mlp op` inside a container.
//!
//! An operation reads its inputs from local paths, writes its outputs below one folder, and tells what it found. It knows
//! no store, no cache and no schedule.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use arrow::error::ArrowError;
use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::{Model, Node, Operation, Plan};
use mlp::types::{Schema, Value};

use crate::data::dataset::Dataset;

pub use deploy::{Deployment, follow_champion, registered_model};

mod approve;
mod challenge;
mod champion;
mod comparison;
mod condition;
mod deploy;
mod evaluate;
mod features;
mod gate;
mod mask;
mod predict;
pub mod prior;
mod project;
mod read;
mod register;
mod scoring;
mod split;
mod validate;

/// Runs an operation to its end.
///
/// # Errors
/// When the data or the model does not pass, an input cannot be read, the machine fails, or the run is cancelled.
pub fn run(operation: &Operation, context: &Context) -> Result<Report, OperationError> {
    match operation {
        Operation::Read { schema } => read::run(schema, context),
        Operation::Validate { schema, checks } => validate::run(schema, checks.as_ref(), context),
        Operation::Features(features) => features::run(features, context),
        Operation::Project(projection) => project::run(projection, context),
        Operation::Split { method, parts } => split::run(method, parts, context),
        Operation::Mask { columns, method } => mask::run(columns, *method, context),
        Operation::Predict { model } => predict::run(model, context),
        Operation::Evaluate {
            model,
            label,
            positive,
            protected,
        } => evaluate::run(model, label, positive.as_ref(), protected, context),
        Operation::Gate { conditions } => gate::run(conditions, context),
        Operation::Challenge(challenge) => challenge::run(challenge, context),
        Operation::Champion { model } => champion::run(model, context),
        Operation::Prior { model, label, positive } => prior::run(model, label, positive.as_ref(), context),
        Operation::Approve { by, message, .. } => approve::run(by, message, context),
        Operation::Register { model } => register::run(model, context),
        Operation::Deploy { service } => deploy::run(service, context),
    }
}

/// The input called `name`.
fn input<'a>(context: &Context<'a>, name: &str) -> Result<&'a Item, OperationError> {
    context.inputs.get(name).ok_or_else(|| OperationError::Input {
        summary: format!(
            "The operation `{}` was not given its input `{name}`.",
            context.node.callee
        ),
        help: "The plan does not fit this version of mlp; build it again.".to_owned(),
    })
}

/// The dataset that is the input `name`.
fn open_dataset(context: &Context, name: &str) -> Result<Dataset, OperationError> {
    match input(context, name)? {
        Item::Artifact { path, .. } => Dataset::open_named(path, &format!("The input `{name}`")),
        Item::Value(_) | Item::List(_) => Err(OperationError::Input {
            summary: format!("The input `{name}` of `{}` is not a dataset.", context.node.callee),
            help: "The plan does not fit this version of mlp; build it again.".to_owned(),
        }),
    }
}

/// That columns which the plan says belong together do not.
fn misbuilt(error: ArrowError) -> OperationError {
    OperationError::Input {
        summary: format!("The columns of the result do not fit together: {error}."),
        help: "The plan does not fit this version of mlp; build it again.".to_owned(),
    }
}

/// The schema called `name`.
fn schema<'a>(context: &Context<'a>, name: &str) -> Result<&'a Schema, OperationError> {
    context.plan.schemas.get(name).ok_or_else(|| OperationError::Input {
        summary: format!("The plan has no schema `{name}`."),
        help: "The plan does not fit this version of mlp; build it again.".to_owned(),
    })
}

/// What an operation is given.
pub struct Context<'a> {
    /// The plan: schemas, models, services.
    pub plan: &'a Plan,
    /// The node: its id, port names and types.
    pub node: &'a Node,
    /// The project's root; relative sources are read from here.
    pub project: &'a Utf8Path,
    /// The inputs by name.
    pub inputs: &'a BTreeMap<String, Item>,
    /// An empty folder. The output `name` is written to `outputs/name` (a file, or a folder for a model); a failed
    /// operation may leave anything here, it is thrown away.
    pub outputs: &'a Utf8Path,
    /// What `drift … since baseline` compares with.
    pub baseline: &'a Baseline,
    /// Runs the predict functions of models.
    pub python: &'a dyn Predictor,
    /// The folder of the project's registry, shared by all runs (`.mlp/registry`).
    pub registry: &'a Utf8Path,
    /// Whether a person has said yes to this node, where it is an `approve`.
    pub approval: Approval<'a>,
    /// When the run was started: the operation's only clock.
    pub now: jiff::Timestamp,
    /// Set when the run is cancelled; looked at between batches.
    pub cancelled: &'a AtomicBool,
    /// What belongs to the run: for the registry's lineage.
    pub lineage: &'a Lineage,
    /// Free lines for the step's log.
    pub log: &'a (dyn Fn(&str) + Sync),
}

/// What a person has said about a node before it runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Approval<'a> {
    /// The node, as `mlp run --approve` names it.
    pub node: &'a str,
    /// Whether they have said yes.
    pub given: bool,
}

/// The dataset that the same `validate` gave in the run that made the present champion.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Baseline {
    /// There is none, and why: `no champion yet`.
    None(String),
    /// There is one, but its content is not in the store: `the data of version 3 of credit-risk`.
    Gone(String),
    /// Its Parquet file, whose path names its content.
    Dataset(Utf8PathBuf),
}

impl Default for Baseline {
    fn default() -> Self {
        Self::None("no baseline yet".to_owned())
    }
}

/// An input of an operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A value.
    Value(Value),
    /// An artifact on local disk, read-only: a Parquet file for a dataset, a folder with a `model.json` for a model,
    /// a JSON file for metrics, registered models and deployments.
    Artifact {
        /// Where it is.
        path: Utf8PathBuf,
        /// BLAKE3 of its content, hexadecimal.
        digest: String,
    },
    /// Gathered from a loop.
    List(Vec<Item>),
}

/// Where a run comes from.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Lineage {
    /// The run's id.
    pub run: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// The commit of the project's repository, if there is one.
    pub commit: Option<String>,
    /// Whether the work tree differed from the commit.
    pub dirty: bool,
    /// The pipeline's parameters.
    pub parameters: BTreeMap<String, Value>,
    /// For every artifact of the run so far: `node.port` and its digest.
    pub artifacts: BTreeMap<String, String>,
    /// The locked package list of each step's Python environment, by node.
    pub environments: BTreeMap<String, Vec<String>>,
}

/// What an operation found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// One line for the person who watches: `1,000 rows, 21 columns`.
    pub summary: String,
    /// Everything worth recording, as JSON: conditions with their values, counts, intervals.
    pub record: serde_json::Value,
    /// Outputs that are values; artifacts are the files below [`Context::outputs`].
    pub values: BTreeMap<String, Value>,
}

/// Why an operation did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// The data or the model did not pass: an expected outcome, told in full.
    #[error("{summary}")]
    Refused {
        /// `fail` or `insufficient data`.
        verdict: Verdict,
        /// One line: what did not hold.
        summary: String,
        /// The lines below it: each condition or violation with its values and examples, and what to do.
        details: Vec<String>,
        /// As [`Report::record`].
        record: serde_json::Value,
    },
    /// The input cannot be read: a missing file, a missing column, a ragged row.
    #[error("{summary}")]
    Input {
        /// One line with the place: file, row, column.
        summary: String,
        /// What to do.
        help: String,
    },
    /// The machine failed: disk full, no permission.
    #[error("{action}: {source}")]
    Io {
        /// What was being done, with the path.
        action: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// A predict function failed.
    #[error(transparent)]
    Predict(#[from] PredictError),
    /// The run was cancelled.
    #[error("cancelled")]
    Cancelled,
}

/// How a check, gate or challenge came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every condition holds.
    Pass,
    /// A condition does not hold.
    Fail,
    /// The data cannot tell.
    InsufficientData,
}

/// Runs the predict function of a model, in the model's own Python environment.
pub trait Predictor: Sync {
    /// Predicts every row of a Parquet file.
    ///
    /// # Errors
    /// When the environment cannot be built, the function raises, or what it returns does not fit the model's output.
    fn predict(&self, request: &PredictRequest<'_>) -> Result<PredictResponse, PredictError>;
}

/// A request to predict.
pub struct PredictRequest<'a> {
    /// The declared model.
    pub model: &'a Model,
    /// The folder of the model artifact.
    pub artifact: &'a Utf8Path,
    /// A Parquet file with exactly the columns of the model's input.
    pub data: &'a Utf8Path,
    /// Where to write a Parquet file with one column for each output field, one row for each input row, in order.
    pub output: &'a Utf8Path,
    /// How many single rows to predict one at a time for latency, 0 for none.
    pub latency_samples: usize,
}

/// What predicting gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PredictResponse {
    /// Milliseconds of each single-row prediction, after a warm-up.
    pub latencies: Vec<f64>,
}

/// Why predicting failed.
#[derive(Debug, thiserror::Error)]
#[error("{summary}")]
pub struct PredictError {
    /// One line.
    pub summary: String,
    /// The user's traceback, or what to do.
    pub details: Vec<String>,
}
