//! `mlp launch`: the command of a step, in a container that has `mlp`. It fills the holes as the local executor does, runs
//! the program as a child, ends it when time is up or the platform says so, and checks what it wrote.

use std::collections::BTreeMap;

use camino::Utf8Path;
use mlp::plan::{NodeKind, PortType, Run, Step};
use mlp::types::{DataKind, DataType, Value};
use serde_json::{Map, Value as Json};

use super::assignment::{Assignment, Identity};
use super::shown::Shown;
use super::work::{Given, Output, Work};
use super::{Found, Scratch, Stop, project, secrets, step, threads, unreadable, unwritable, values};
use crate::events::Failure;
use crate::executor::Cancel;
use crate::node::operation::Told;
use crate::python::Environments;
use crate::values::parse_argument;

/// What `mlp launch` is told.
pub struct Launch<'a> {
    /// The node and what it reads of the plan, as JSON, or `@FILE`.
    pub task: &'a str,
    /// The platform's message, as JSON.
    pub executor_input: &'a str,
    /// How long it may take, as the language writes a duration; the step's own `timeout` where there is none.
    pub timeout: Option<&'a str>,
    /// Where secrets are kept: `VAR=env:NAME`, `VAR=file:/path`, `VAR=projects/…`.
    pub secrets: &'a [String],
    /// Gives the content of a secret that a platform keeps (`projects/…`), or says why not.
    pub fetch: &'a dyn Fn(&str) -> Result<String, String>,
    /// Ends it.
    pub cancel: &'a Cancel,
}

/// Runs the command of a step, and writes what the platform reads.
///
/// # Errors
/// When it does not succeed.
pub fn launch(call: &Launch<'_>) -> Result<Found, Stop> {
    let scratch = Scratch::new().map_err(Stop::Call)?;
    let assignment = Assignment::read(call.task, call.executor_input, &scratch.path, Identity::Address)?;
    let step = match &assignment.task.node.kind {
        NodeKind::Step(called) => assignment.task.plan.steps.get(&called.step),
        NodeKind::Operation(_)
        | NodeKind::Branch(_)
        | NodeKind::Loop(_)
        | NodeKind::Finally(_)
        | NodeKind::Pipeline(_) => None,
    };
    let step = step.ok_or_else(|| unreadable("--task", &format!("`{}` is no step", assignment.task.node.id)))?;
    if !matches!(step.run, Run::Command(_)) {
        return Err(unreadable("--task", &format!("`{}` runs no command", step.name)));
    }
    let timeout = match call.timeout {
        Some(text) => Some(duration(text)?),
        None => step.timeout.and_then(|milliseconds| u64::try_from(milliseconds).ok()),
    };
    let threads = threads().map_err(Stop::Call)?;
    run(&assignment, step, timeout, call, threads.handle()).map_err(|told| assignment.stopped(told))
}

fn run(
    assignment: &Assignment,
    step: &Step,
    timeout: Option<u64>,
    call: &Launch<'_>,
    handle: &tokio::runtime::Handle,
) -> Result<Found, Told> {
    let inputs = assignment.inputs().map_err(Told::Failed)?;
    let secrets = secrets::read(step, call.secrets, call.fetch, None).map_err(Told::Failed)?;
    let project = project(&assignment.task.sources, &assignment.scratch).map_err(Told::Failed)?;
    let work = Work {
        task: &assignment.task,
        inputs: &inputs,
        parameters: BTreeMap::new(),
        run: &assignment.run_id(),
        places: assignment,
        scratch: &assignment.scratch,
        project: &project,
        approved: false,
        environments: &Environments::of_container(&assignment.scratch),
        now: assignment.now,
        handle,
        cancel: call.cancel,
        say: &|_| {},
    };
    let given = step::run(&work, step, &secrets, timeout)?;
    give(assignment, step, &given).map_err(Told::Failed)
}

/// Milliseconds.
fn duration(text: &str) -> Result<u64, Stop> {
    match parse_argument(&DataType::plain(DataKind::Duration), text) {
        Ok(Value::Duration(milliseconds)) if milliseconds > 0 => Ok(milliseconds.unsigned_abs()),
        Ok(_) | Err(_) => Err(Stop::Call(Failure::new(
            format!("`--timeout {text}` is no length of time."),
            "Write it like `30min`.",
        ))),
    }
}

/// Gives the outputs to the platform.
fn give(assignment: &Assignment, step: &Step, given: &Given) -> Result<Found, Failure> {
    let mut shown = Shown::default();
    for port in &step.outputs {
        match given.outputs.get(&port.name) {
            Some(Output::Value(value)) => {
                let text = values::text(&port.ty, value);
                let written = assignment.message.write_parameter(&port.name, &text);
                written.map_err(|error| unwritable(port.name.as_str().into(), &error))?;
            }
            Some(Output::Written(path)) => shown.artifact(&port.name, &numbers(&port.ty, path)),
            Some(Output::Taken(_)) | None => {}
        }
    }
    shown.write(assignment)?;
    Ok(Found {
        node: assignment.task.node.id.clone(),
        summary: String::new(),
    })
}

/// The numbers of metrics that a step wrote itself.
fn numbers(ty: &PortType, path: &Utf8Path) -> Map<String, Json> {
    if !matches!(ty, PortType::Metrics { .. }) {
        return Map::new();
    }
    let parsed = std::fs::read(path)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok());
    let Some(Json::Object(metrics)) = parsed else {
        return Map::new();
    };
    metrics.into_iter().filter(|(_, value)| value.is_number()).collect()
}
