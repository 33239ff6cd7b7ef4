//! `mlp launch`: the command of a step, in a container that has `mlp`. It fills the holes as the local executor does, runs
//! the program as a child, ends it when time is up or the platform says so, and checks what it wrote.

use std::fs::File;
use std::os::fd::AsFd;

use camino::Utf8Path;
use mlp::plan::{NodeKind, PortType, Run, Step};
use mlp::types::{DataKind, DataType, Value};
use serde_json::{Map, Value as Json};

use super::assignment::{Assignment, Identity};
use super::message::clear;
use super::shown::Shown;
use super::{Found, Scratch, Stop, project, secrets, threads, unreadable, unwritable, values};
use crate::events::Failure;
use crate::executor::{Cancel, RUN_VARIABLE};
use crate::node::ending::{Printed, cannot_start, ended_well};
use crate::node::outputs::{self, ValueFormat};
use crate::node::{Places, arguments};
use crate::process::{self, Log, Program};
use crate::values::parse_argument;

/// Milliseconds between asking a program to end and killing it; platforms kill the container after thirty seconds.
pub(super) const GRACE: u64 = 10_000;

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
    let scratch = Scratch::new()?;
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
    let Run::Command(parts) = &step.run else {
        return Err(unreadable("--task", &format!("`{}` runs no command", step.name)));
    };
    let timeout = match call.timeout {
        Some(text) => Some(duration(text)?),
        None => step.timeout.and_then(|milliseconds| u64::try_from(milliseconds).ok()),
    };
    let ended = run(&assignment, step, parts, timeout, call)?;
    match ended.map_err(|failure| assignment.failed(failure))? {
        None => Err(Stop::Cancelled),
        Some(()) => give(&assignment, step).map_err(|failure| assignment.failed(failure)),
    }
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

/// Logs that pass what a child prints on to the streams of this process, without secrets.
pub(super) fn logs(secrets: &[String]) -> (Log, Log) {
    let onto = |stream: std::io::Result<std::os::fd::OwnedFd>| {
        // Where there is no stream, nobody reads.
        let file = stream
            .map(File::from)
            .or_else(|_| File::options().write(true).open("/dev/null"));
        file.map_or_else(
            |_| Log::new("/dev/null".into(), 0, secrets),
            |file| Log::onto(file, secrets),
        )
    };
    (
        onto(std::io::stdout().as_fd().try_clone_to_owned()),
        onto(std::io::stderr().as_fd().try_clone_to_owned()),
    )
}

/// Runs the program to its end; nothing when it was cancelled.
fn run(
    assignment: &Assignment,
    step: &Step,
    parts: &[Vec<mlp::plan::ArgumentPart>],
    timeout: Option<u64>,
    call: &Launch<'_>,
) -> Result<Result<Option<()>, Failure>, Stop> {
    let threads = threads()?;
    let attempt = || -> Result<Option<()>, Failure> {
        let inputs = assignment.inputs()?;
        let secrets = secrets::read(step, call.secrets, call.fetch)?;
        for port in &step.outputs {
            let path = assignment.output(port);
            clear(&path).map_err(|error| unwritable(&path, &error))?;
        }
        let arguments = arguments::fill(step, parts, &inputs, assignment);
        let mut environment = step.env.clone();
        environment.extend(secrets.clone());
        environment.insert(RUN_VARIABLE.to_owned(), assignment.run_id());
        let hidden: Vec<String> = secrets.into_values().collect();
        let folder = project(&assignment.task.sources, &assignment.scratch)?;
        let program = Program {
            arguments: &arguments,
            folder: &folder,
            inherits: true,
            environment: &environment,
            timeout,
            grace: GRACE,
        };
        let (mut stdout, mut stderr) = logs(&hidden);
        let ending = process::run(threads.handle(), &program, &mut stdout, &mut stderr, call.cancel);
        let ending = ending.map_err(|error| cannot_start(step, &arguments, &error))?;
        let printed = Printed {
            last_lines: Vec::new(),
            where_all: "What it printed stands above.",
        };
        ended_well(step, ending, timeout, None, printed)
    };
    Ok(attempt())
}

/// Checks the outputs and gives them to the platform.
fn give(assignment: &Assignment, step: &Step) -> Result<Found, Failure> {
    let path = |port: &mlp::plan::Port| assignment.output(port);
    outputs::check(&assignment.task.plan, &step.name, &step.outputs, &path)?;
    let mut shown = Shown::default();
    let mut given = Vec::new();
    for port in &step.outputs {
        let path = assignment.output(port);
        if let PortType::Value(ty) = &port.ty {
            let value = outputs::read_value(&step.name, port, ty, &path, ValueFormat::Text)?;
            given.push((port, value));
            continue;
        }
        if matches!(port.ty, PortType::Model { .. }) {
            outputs::as_model(&path).map_err(|error| unwritable(&path, &error))?;
        }
        shown.artifact(&port.name, &numbers(&port.ty, &path));
    }
    for (port, value) in given {
        let written = assignment
            .message
            .write_parameter(&port.name, &values::text(&port.ty, &value));
        written.map_err(|error| unwritable(port.name.as_str().into(), &error))?;
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
