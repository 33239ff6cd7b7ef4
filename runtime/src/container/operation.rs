//! `mlp op`: one built-in operation, or the computing of values, in a container of its own.

use std::fs;

use camino::Utf8Path;
use mlp::plan::{COMPUTE, NodeKind, Operation};
use serde_json::Value as Json;

use super::assignment::{Assignment, Identity};
use super::message::clear;
use super::perform::{baseline, compute, perform};
use super::serving::{SERVING, serving};
use super::shown::Shown;
use super::state::State;
use super::work::{Given, Output, Work, parameters};
use super::{Found, Scratch, Stop, project, threads, unreadable, unwritable, values};
use crate::events::Failure;
use crate::executor::Cancel;
use crate::node::operation::Told;
use crate::node::{Places, broken_plan};
use crate::python::Environments;
use crate::registry::copy_folder;
use crate::store::Datum;

/// What `mlp op` is told.
pub struct Operate<'a> {
    /// The operation: `validate`, `compute`.
    pub name: &'a str,
    /// The node and what it reads of the plan, as JSON, or `@FILE`.
    pub task: &'a str,
    /// The platform's message, as JSON.
    pub executor_input: &'a str,
    /// Ends it.
    pub cancel: &'a Cancel,
    /// Takes lines for the container's log.
    pub say: &'a (dyn Fn(&str) + Sync),
}

/// Runs an operation, and writes what the platform reads.
///
/// # Errors
/// When it does not succeed; the platform is told what can be told.
pub fn operate(call: &Operate<'_>) -> Result<Found, Stop> {
    let scratch = Scratch::new().map_err(Stop::Call)?;
    let computes = call.name == COMPUTE;
    let identity = if computes { Identity::Address } else { Identity::Content };
    let assignment = Assignment::read(call.task, call.executor_input, &scratch.path, identity)?;
    let state = State::of_environment(&assignment.scratch);
    if call.name == SERVING {
        return serving(&assignment, &state);
    }
    let threads = threads().map_err(Stop::Call)?;
    let ended = match &assignment.task.node.kind {
        _ if computes => on(&assignment, call, threads.handle(), &|work| {
            let given = compute(work).map_err(Told::Failed)?;
            give_computed(&assignment, &given).map_err(Told::Failed)?;
            Ok(given.summary)
        }),
        NodeKind::Operation(operation) if operation.name() == call.name => {
            let demanded = state.demand(operation).map_err(Told::Failed);
            demanded.and_then(|()| {
                on(&assignment, call, threads.handle(), &|work| {
                    run(&assignment, work, operation, &state)
                })
            })
        }
        NodeKind::Operation(_)
        | NodeKind::Step(_)
        | NodeKind::Branch(_)
        | NodeKind::Loop(_)
        | NodeKind::Finally(_)
        | NodeKind::Pipeline(_) => {
            return Err(unreadable(
                "--task",
                &format!("its node `{}` is no `{}`", assignment.task.node.id, call.name),
            ));
        }
    };
    let summary = ended.map_err(|told| assignment.stopped(told))?;
    Ok(assignment.found(summary))
}

/// Does something with the node and everything it takes.
fn on(
    assignment: &Assignment,
    call: &Operate<'_>,
    handle: &tokio::runtime::Handle,
    act: &dyn Fn(&Work<'_>) -> Result<String, Told>,
) -> Result<String, Told> {
    let task = &assignment.task;
    let inputs = assignment.inputs().map_err(Told::Failed)?;
    act(&Work {
        task,
        inputs: &inputs,
        parameters: parameters(task, &|reference| assignment.lookup(reference)),
        run: &assignment.run_id(),
        places: assignment,
        scratch: &assignment.scratch,
        project: &project(&task.sources, &assignment.scratch).map_err(Told::Failed)?,
        approved: false,
        environments: &Environments::of_container(&assignment.scratch),
        now: assignment.now,
        handle,
        cancel: call.cancel,
        say: call.say,
    })
}

impl Assignment {
    pub(super) fn stopped(&self, told: Told) -> Stop {
        Stop::of(&self.task.node.id, told)
    }

    pub(super) fn failed(&self, failure: Failure) -> Stop {
        self.stopped(Told::Failed(failure))
    }

    fn found(&self, summary: String) -> Found {
        Found {
            node: self.task.node.id.clone(),
            summary,
        }
    }
}

fn run(assignment: &Assignment, work: &Work<'_>, operation: &Operation, state: &State) -> Result<String, Told> {
    let baseline = baseline(work, operation, state).map_err(Told::Failed)?;
    match perform(work, operation, state, &baseline) {
        Ok(given) => give(assignment, operation, &given)
            .map(|()| given.summary)
            .map_err(Told::Failed),
        Err(Told::Refused(failure, record)) => Err(refuse(assignment, operation, failure, record)),
        Err(told @ (Told::Failed(_) | Told::Cancelled)) => Err(told),
    }
}

/// Gives what was computed; artifacts are copied.
fn give_computed(assignment: &Assignment, given: &Given) -> Result<(), Failure> {
    let mut shown = Shown::default();
    for port in &assignment.task.node.outputs {
        match given.outputs.get(&port.name) {
            Some(Output::Value(value)) => {
                let text = values::text(&port.ty, value);
                write_parameter(assignment, &port.name, &text)?;
            }
            Some(Output::Taken(Datum::Artifact(artifact))) => {
                let (from, to) = (assignment.path(artifact), assignment.output(port));
                copy(&from, &to).map_err(|error| unwritable(&to, &error))?;
                shown.artifact(&port.name, &assignment.metadata(artifact));
            }
            Some(Output::Taken(Datum::Value(_) | Datum::List(_)) | Output::Written(_)) | None => {
                return Err(broken_plan("a list of artifacts cannot be computed"));
            }
        }
    }
    shown.write(assignment)
}

fn write_parameter(assignment: &Assignment, name: &str, text: &str) -> Result<(), Failure> {
    let written = assignment.message.write_parameter(name, text);
    written.map_err(|error| unwritable(Utf8Path::new(name), &error))
}

/// Gives what an operation gave, as far as the platform wants it.
fn give(assignment: &Assignment, operation: &Operation, given: &Given) -> Result<(), Failure> {
    let mut shown = Shown::of(operation, assignment, "pass", &given.summary, &[], &given.record);
    for port in &assignment.task.node.outputs {
        match given.outputs.get(&port.name) {
            Some(Output::Value(value)) => write_parameter(assignment, &port.name, &values::text(&port.ty, value))?,
            Some(Output::Written(path)) if assignment.message.output(&port.name).is_some() => {
                let to = assignment.output(port);
                deliver(path, &to).map_err(|error| unwritable(&to, &error))?;
                shown.output(port, &given.record);
            }
            Some(Output::Written(_) | Output::Taken(_)) | None => {}
        }
    }
    shown.write(assignment)
}

/// Shows why the data or the model did not pass.
fn refuse(assignment: &Assignment, operation: &Operation, failure: Failure, record: Box<Json>) -> Told {
    let verdict = record.get("verdict").and_then(Json::as_str).unwrap_or("fail");
    let shown = Shown::of(
        operation,
        assignment,
        verdict,
        &failure.summary,
        &failure.details,
        &record,
    );
    let failure = match shown.write(assignment) {
        Ok(()) => failure,
        // What did not pass is told before the page that could not be written.
        Err(page) => Failure {
            details: failure.details.into_iter().chain([page.summary]).collect(),
            ..failure
        },
    };
    Told::Refused(failure, record)
}

/// Moves an output to where the platform wants it, across file systems too.
fn deliver(from: &Utf8Path, to: &Utf8Path) -> std::io::Result<()> {
    clear(to)?;
    fs::rename(from, to).or_else(|_| copy(from, to))
}

fn copy(from: &Utf8Path, to: &Utf8Path) -> std::io::Result<()> {
    clear(to)?;
    if from.is_dir() {
        copy_folder(from, to)
    } else {
        fs::copy(from, to).map(|_| ())
    }
}
