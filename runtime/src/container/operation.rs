//! `mlp op`: one built-in operation, or the computing of values, in a container of its own.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use camino::Utf8Path;
use mlp::plan::{COMPUTE, NodeKind, Operation, Port, PortType, Reference};
use mlp::types::Value;
use serde_json::Value as Json;

use super::assignment::{Assignment, Identity};
use super::message::clear;
use super::serving::{SERVING, serving};
use super::shown::Shown;
use super::state::State;
use super::{Found, Scratch, Stop, launch, project, threads, unreadable, unwritable, values};
use crate::events::Failure;
use crate::executor::{Cancel, CancelLevel, RUN_VARIABLE};
use crate::node::operation::{Told, decision, tell};
use crate::node::{Places, baseline, broken_plan};
use crate::operations::{self, Baseline, Context, Item, Lineage, OperationError, Report};
use crate::python::{Environments, PythonPredictor, Runner};
use crate::registry::copy_folder;
use crate::store::{Datum, content_digest};

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
    let scratch = Scratch::new()?;
    let computes = call.name == COMPUTE;
    let identity = if computes { Identity::Address } else { Identity::Content };
    let assignment = Assignment::read(call.task, call.executor_input, &scratch.path, identity)?;
    if computes {
        return compute(&assignment).map_err(|failure| assignment.failed(failure));
    }
    if call.name == SERVING {
        return serving(&assignment, &State::of_environment(&assignment.scratch));
    }
    match &assignment.task.node.kind {
        NodeKind::Operation(operation) if operation.name() == call.name => run(&assignment, operation, call),
        NodeKind::Operation(_)
        | NodeKind::Step(_)
        | NodeKind::Branch(_)
        | NodeKind::Loop(_)
        | NodeKind::Finally(_)
        | NodeKind::Pipeline(_) => Err(unreadable(
            "--task",
            &format!("its node `{}` is no `{}`", assignment.task.node.id, call.name),
        )),
    }
}

impl Assignment {
    pub(super) fn failed(&self, failure: Failure) -> Stop {
        Stop::Failed {
            node: self.task.node.id.clone(),
            failure,
        }
    }

    fn found(&self, summary: String) -> Found {
        Found {
            node: self.task.node.id.clone(),
            summary,
        }
    }
}

/// Evaluates and checks every input, and gives those for which there is an output.
fn compute(assignment: &Assignment) -> Result<Found, Failure> {
    let inputs = assignment.inputs()?;
    let mut shown = Shown::default();
    for port in &assignment.task.node.outputs {
        let Some(datum) = inputs.get(&port.name) else {
            return Err(broken_plan(&format!(
                "nothing is computed for the output `{}`",
                port.name
            )));
        };
        match datum {
            Datum::Value(value) => write_value(assignment, port, value)?,
            Datum::Artifact(artifact) => {
                let (from, to) = (assignment.path(artifact), assignment.output(port));
                copy(&from, &to).map_err(|error| unwritable(&to, &error))?;
                shown.artifact(&port.name, &assignment.metadata(artifact));
            }
            Datum::List(_) => return Err(broken_plan("a list of artifacts cannot be computed")),
        }
    }
    shown.write(assignment)?;
    let names: Vec<&str> = inputs.keys().map(String::as_str).collect();
    Ok(assignment.found(names.join(", ")))
}

fn write_value(assignment: &Assignment, port: &Port, value: &Value) -> Result<(), Failure> {
    let text = values::text(&port.ty, value);
    let written = assignment.message.write_parameter(&port.name, &text);
    written.map_err(|error| unwritable(Utf8Path::new(&port.name), &error))
}

fn run(assignment: &Assignment, operation: &Operation, call: &Operate<'_>) -> Result<Found, Stop> {
    let state = State::of_environment(&assignment.scratch);
    let prepared = prepare(assignment, operation, &state);
    let prepared = prepared.map_err(|failure| assignment.failed(failure))?;
    let threads = threads()?;
    let cancelled = Arc::new(AtomicBool::new(false));
    watch(threads.handle(), call.cancel, &cancelled);
    let result = perform(
        assignment,
        operation,
        call,
        &state,
        &prepared,
        threads.handle(),
        &cancelled,
    );
    if let Some(told) = decision(operation, &result) {
        let audited = state.audit(&prepared.lineage.run, &assignment.task.node.id, &told);
        audited.map_err(|failure| assignment.failed(failure))?;
    }
    let finished = match result {
        Ok(report) => succeed(assignment, operation, &state, &prepared, report),
        Err(error) => return Err(stop(assignment, operation, error, cancelled.load(Ordering::Relaxed))),
    };
    finished.map_err(|failure| assignment.failed(failure))
}

/// What an operation needs beyond the assignment.
struct Prepared {
    inputs: BTreeMap<String, Datum>,
    items: BTreeMap<String, Item>,
    baseline: Baseline,
    lineage: Lineage,
    project: camino::Utf8PathBuf,
}

fn prepare(assignment: &Assignment, operation: &Operation, state: &State) -> Result<Prepared, Failure> {
    state.demand(operation)?;
    let task = &assignment.task;
    let inputs = assignment.inputs()?;
    let run = assignment.run_id();
    let baseline = if baseline::is_compared(operation) {
        state.baseline(&task.pipeline, &task.node.id)?
    } else {
        Baseline::default()
    };
    let lineage = Lineage {
        artifacts: state.noted(&run),
        pipeline: task.pipeline.clone(),
        parameters: parameters(assignment),
        run,
        ..Lineage::default()
    };
    Ok(Prepared {
        items: inputs
            .iter()
            .map(|(name, datum)| (name.clone(), item(assignment, datum)))
            .collect(),
        inputs,
        baseline,
        lineage,
        project: project(&task.sources, &assignment.scratch)?,
    })
}

/// The pipeline's parameters, as far as this node takes them.
fn parameters(assignment: &Assignment) -> BTreeMap<String, Value> {
    let bound = assignment
        .task
        .bindings
        .iter()
        .filter_map(|binding| match &binding.reference {
            Reference::Parameter(name) => match assignment.lookup(&binding.reference) {
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

fn item(assignment: &Assignment, datum: &Datum) -> Item {
    match datum {
        Datum::Value(value) => Item::Value(value.clone()),
        Datum::Artifact(artifact) => Item::Artifact {
            path: assignment.path(artifact),
            digest: artifact.digest.clone(),
        },
        Datum::List(items) => Item::List(items.iter().map(|each| item(assignment, each)).collect()),
    }
}

/// Tells the operation when the platform wants it to end.
fn watch(handle: &tokio::runtime::Handle, cancel: &Cancel, cancelled: &Arc<AtomicBool>) {
    let (mut level, cancelled) = (cancel.subscribe(), Arc::clone(cancelled));
    handle.spawn(async move {
        if level.wait_for(|level| *level == CancelLevel::Kill).await.is_ok() {
            cancelled.store(true, Ordering::Relaxed);
        }
    });
}

fn perform(
    assignment: &Assignment,
    operation: &Operation,
    call: &Operate<'_>,
    state: &State,
    prepared: &Prepared,
    handle: &tokio::runtime::Handle,
    cancelled: &AtomicBool,
) -> Result<Report, OperationError> {
    let outputs = assignment.scratch.join("outputs");
    let environments = Environments::of_container(&assignment.scratch);
    let registry = state.registry();
    let predictor = PythonPredictor {
        environments: &environments,
        runner: Runner {
            handle,
            cancel: call.cancel,
            grace: launch::GRACE,
            mark: (RUN_VARIABLE, &prepared.lineage.run),
            inherits: true,
        },
        project: &prepared.project,
        scratch: &outputs,
        logs: &|| launch::logs(&[]),
        progress: &|message| (call.say)(&message),
        note_lock: &|_| {},
    };
    operations::run(
        operation,
        &Context {
            plan: &assignment.task.plan,
            node: &assignment.task.node,
            project: &prepared.project,
            inputs: &prepared.items,
            outputs: &outputs,
            baseline: &prepared.baseline,
            python: &predictor,
            registry: &registry,
            now: assignment.now,
            cancelled,
            lineage: &prepared.lineage,
            log: call.say,
        },
    )
}

fn succeed(
    assignment: &Assignment,
    operation: &Operation,
    state: &State,
    prepared: &Prepared,
    report: Report,
) -> Result<Found, Failure> {
    let node = &assignment.task.node;
    let mut shown = Shown::of(operation, assignment, "pass", &report.summary, &[], &report.record);
    let mut noted = taken(assignment, &prepared.inputs);
    for port in &node.outputs {
        if let Some(value) = report.values.get(&port.name) {
            write_value(assignment, port, value)?;
            continue;
        }
        let written = assignment.scratch.join("outputs").join(&port.name);
        if baseline::is_compared(operation) || matches!(operation, Operation::Champion { .. }) {
            let digest = content_digest(&written).map_err(|error| unwritable(&written, &error))?;
            if matches!(port.ty, PortType::Dataset { .. }) {
                state.keep_data(&digest, &written)?;
            }
            noted.insert(format!("{}.{}", node.id, port.name), digest);
        }
        if assignment.message.output(&port.name).is_some() {
            let to = assignment.output(port);
            deliver(&written, &to).map_err(|error| unwritable(&to, &error))?;
            shown.output(port, &report.record);
        }
    }
    state.note(&prepared.lineage.run, &node.id, &noted)?;
    shown.write(assignment)?;
    Ok(assignment.found(report.summary))
}

/// The digests of the artifacts that the node took, by `node.port`.
fn taken(assignment: &Assignment, inputs: &BTreeMap<String, Datum>) -> BTreeMap<String, String> {
    let mut taken = BTreeMap::new();
    for input in &assignment.task.node.inputs {
        if let (mlp::plan::Operand::Reference(Reference::Output { node, port }), Some(Datum::Artifact(artifact))) =
            (&input.value, inputs.get(&input.name))
        {
            taken.insert(format!("{node}.{port}"), artifact.digest.clone());
        }
    }
    taken
}

fn stop(assignment: &Assignment, operation: &Operation, error: OperationError, cancelled: bool) -> Stop {
    let node = assignment.task.node.id.clone();
    match tell(error, &assignment.task.node.callee, cancelled) {
        Told::Cancelled => Stop::Cancelled,
        Told::Failed(failure) => Stop::Failed { node, failure },
        Told::Refused(failure, record) => {
            let verdict = record.get("verdict").and_then(Json::as_str).unwrap_or("fail");
            let shown = Shown::of(
                operation,
                assignment,
                verdict,
                &failure.summary,
                &failure.details,
                &record,
            );
            match shown.write(assignment) {
                Ok(()) => Stop::Refused { node, failure },
                // What did not pass is told before the page that could not be written.
                Err(page) => Stop::Refused {
                    node,
                    failure: Failure {
                        details: failure.details.into_iter().chain([page.summary]).collect(),
                        ..failure
                    },
                },
            }
        }
    }
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
