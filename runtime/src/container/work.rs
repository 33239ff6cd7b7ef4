//! One node with everything that it takes at hand, and what it gives. Where its inputs came from and where its outputs go
//! is not told here: the platforms differ in that alone.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::{NodeTask, Reference};
use mlp::types::Value;
use serde_json::Value as Json;

use crate::executor::{Cancel, RUN_VARIABLE};
use crate::node::Places;
use crate::python::{Environments, Runner};
use crate::store::Datum;

/// Milliseconds between asking a program to end and killing it; platforms kill the container after thirty seconds.
pub(crate) const GRACE: u64 = 10_000;

/// A node with everything that it takes at hand.
pub(crate) struct Work<'a> {
    /// The node and what it reads of the plan.
    pub(crate) task: &'a NodeTask,
    /// Its inputs, checked.
    pub(crate) inputs: &'a BTreeMap<String, Datum>,
    /// The pipeline's parameters, as far as they are known here.
    pub(crate) parameters: BTreeMap<String, Value>,
    /// The run's id; empty where the platform tells none.
    pub(crate) run: &'a str,
    /// Where artifacts lie.
    pub(crate) places: &'a dyn Places,
    /// A folder of its own.
    pub(crate) scratch: &'a Utf8Path,
    /// The folder of the project's files.
    pub(crate) project: &'a Utf8Path,
    /// Whether a person has said yes.
    pub(crate) approved: bool,
    /// Python environments.
    pub(crate) environments: &'a Environments,
    /// When it began.
    pub(crate) now: jiff::Timestamp,
    /// Drives child processes and timers.
    pub(crate) handle: &'a tokio::runtime::Handle,
    /// Ends it.
    pub(crate) cancel: &'a Cancel,
    /// Takes lines for the log.
    pub(crate) say: &'a (dyn Fn(&str) + Sync),
}

impl Work<'_> {
    /// What it takes to run Python processes.
    pub(crate) fn runner(&self) -> Runner<'_> {
        Runner {
            handle: self.handle,
            cancel: self.cancel,
            grace: GRACE,
            mark: (RUN_VARIABLE, self.run),
            inherits: true,
        }
    }
}

/// What a node gave.
#[derive(Debug, Default)]
pub(crate) struct Given {
    /// By output.
    pub(crate) outputs: BTreeMap<String, Output>,
    /// One line for people.
    pub(crate) summary: String,
    /// The facts behind it.
    pub(crate) record: Json,
}

/// One output.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Output {
    /// A value.
    Value(Value),
    /// An artifact that was written here.
    Written(Utf8PathBuf),
    /// Something that was taken, given on as it is.
    Taken(Datum),
}

/// The parameters of the pipeline among what a node's operands refer to.
pub(crate) fn parameters(
    task: &NodeTask,
    lookup: &dyn Fn(&Reference) -> Result<Datum, String>,
) -> BTreeMap<String, Value> {
    let bound = task.bindings.iter().filter_map(|binding| match &binding.reference {
        Reference::Parameter(name) => match lookup(&binding.reference) {
            Ok(Datum::Value(value)) => Some((name.clone(), value)),
            Ok(Datum::Artifact(_) | Datum::List(_)) | Err(_) => None,
        },
        Reference::Output { .. }
        | Reference::Item(_)
        | Reference::Outcome
        | Reference::RunId
        | Reference::ScheduledTime
        | Reference::Attempt => None,
    });
    bound.collect()
}
