//! Performs a built-in operation, or computes values. Decisions go into the audit trail, and what later runs look for into
//! the notes of the registry's folder; the outputs are delivered elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use camino::Utf8Path;
use mlp::plan::{Operand, Operation, PortType, Reference};

use super::state::State;
use super::work::{Given, Output, Work};
use super::{step, unwritable};
use crate::events::Failure;
use crate::executor::{Cancel, CancelLevel};
use crate::node::operation::{Told, decision, tell};
use crate::node::{Places, baseline, broken_plan};
use crate::operations::{self, Approval, Baseline, Context, Item, Lineage, OperationError, Report};
use crate::python::PythonPredictor;
use crate::store::{Datum, content_digest};

/// Gives each input for which there is an output; they have been evaluated and checked.
///
/// # Errors
/// When there is an output for which there is no input.
pub(crate) fn compute(work: &Work<'_>) -> Result<Given, Failure> {
    let mut given = Given::default();
    for port in &work.task.node.outputs {
        let output = match work.inputs.get(&port.name) {
            Some(Datum::Value(value)) => Output::Value(value.clone()),
            Some(datum @ (Datum::Artifact(_) | Datum::List(_))) => Output::Taken(datum.clone()),
            None => {
                let name = &port.name;
                return Err(broken_plan(&format!("nothing is computed for the output `{name}`")));
            }
        };
        given.outputs.insert(port.name.clone(), output);
    }
    let names: Vec<&str> = work.inputs.keys().map(String::as_str).collect();
    given.summary = names.join(", ");
    Ok(given)
}

/// What a `validate` compares with; the default for everything else.
///
/// # Errors
/// When the registry cannot be read.
pub(crate) fn baseline(work: &Work<'_>, operation: &Operation, state: &State) -> Result<Baseline, Failure> {
    if baseline::is_compared(operation) {
        return state.baseline(&work.task.pipeline, &work.task.node.id);
    }
    Ok(Baseline::default())
}

/// Performs an operation.
///
/// # Errors
/// When it does not succeed; a decision is in the audit trail also then.
pub(crate) fn perform(
    work: &Work<'_>,
    operation: &Operation,
    state: &State,
    baseline: &Baseline,
) -> Result<Given, Told> {
    let node = &work.task.node;
    let cancelled = watch(work.handle, work.cancel);
    let result = run(work, operation, state, baseline, &cancelled);
    if let Some(told) = decision(operation, &result) {
        state.audit(work.run, &node.id, &told).map_err(Told::Failed)?;
    }
    match result {
        Ok(report) => succeed(work, operation, state, report).map_err(Told::Failed),
        Err(error) => Err(tell(error, &node.callee, cancelled.load(Ordering::Relaxed))),
    }
}

/// Set when the platform wants the operation to end.
fn watch(handle: &tokio::runtime::Handle, cancel: &Cancel) -> Arc<AtomicBool> {
    let cancelled = Arc::new(AtomicBool::new(false));
    let (mut level, set) = (cancel.subscribe(), Arc::clone(&cancelled));
    handle.spawn(async move {
        if level.wait_for(|level| *level == CancelLevel::Kill).await.is_ok() {
            set.store(true, Ordering::Relaxed);
        }
    });
    cancelled
}

fn run(
    work: &Work<'_>,
    operation: &Operation,
    state: &State,
    baseline: &Baseline,
    cancelled: &AtomicBool,
) -> Result<Report, OperationError> {
    let outputs = work.scratch.join("outputs");
    let registry = state.registry();
    let inputs = work.inputs.iter();
    let inputs = inputs
        .map(|(name, datum)| (name.clone(), item(work.places, datum)))
        .collect();
    let lineage = Lineage {
        artifacts: state.noted(work.run),
        pipeline: work.task.pipeline.clone(),
        parameters: work.parameters.clone(),
        run: work.run.to_owned(),
        ..Lineage::default()
    };
    let predictor = PythonPredictor {
        environments: work.environments,
        runner: work.runner(),
        project: work.project,
        scratch: &outputs,
        logs: &|| step::logs(&[]),
        progress: &|message| (work.say)(&message),
        note_lock: &|_| {},
    };
    operations::run(
        operation,
        &Context {
            plan: &work.task.plan,
            node: &work.task.node,
            project: work.project,
            inputs: &inputs,
            outputs: &outputs,
            baseline,
            python: &predictor,
            registry: &registry,
            approval: Approval {
                node: &work.task.node.id,
                given: work.approved,
            },
            now: work.now,
            cancelled,
            lineage: &lineage,
            log: work.say,
        },
    )
}

fn item(places: &dyn Places, datum: &Datum) -> Item {
    match datum {
        Datum::Value(value) => Item::Value(value.clone()),
        Datum::Artifact(artifact) => Item::Artifact {
            path: places.path(artifact),
            digest: artifact.digest.clone(),
        },
        Datum::List(items) => Item::List(items.iter().map(|each| item(places, each)).collect()),
    }
}

fn succeed(work: &Work<'_>, operation: &Operation, state: &State, report: Report) -> Result<Given, Failure> {
    let node = &work.task.node;
    let mut noted = taken(work);
    let mut outputs = BTreeMap::new();
    for port in &node.outputs {
        if let Some(value) = report.values.get(&port.name) {
            outputs.insert(port.name.clone(), Output::Value(value.clone()));
            continue;
        }
        let written = work.scratch.join("outputs").join(&port.name);
        if baseline::is_compared(operation) || matches!(operation, Operation::Champion { .. }) {
            let digest = digest(&written)?;
            if matches!(port.ty, PortType::Dataset { .. }) {
                state.keep_data(&digest, &written)?;
            }
            noted.insert(format!("{}.{}", node.id, port.name), digest);
        }
        outputs.insert(port.name.clone(), Output::Written(written));
    }
    state.note(work.run, &node.id, &noted)?;
    Ok(Given {
        outputs,
        summary: report.summary,
        record: report.record,
    })
}

fn digest(path: &Utf8Path) -> Result<String, Failure> {
    content_digest(path).map_err(|error| unwritable(path, &error))
}

/// The digests of the artifacts that the node took, by `node.port`.
fn taken(work: &Work<'_>) -> BTreeMap<String, String> {
    let mut taken = BTreeMap::new();
    for input in &work.task.node.inputs {
        if let (Operand::Reference(Reference::Output { node, port }), Some(Datum::Artifact(artifact))) =
            (&input.value, work.inputs.get(&input.name))
        {
            taken.insert(format!("{node}.{port}"), artifact.digest.clone());
        }
    }
    taken
}
