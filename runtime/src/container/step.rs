//! Runs a step as a child: a command, or a Python function through the shim. What it wrote is checked here and delivered
//! elsewhere.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::AsFd;

use mlp::plan::{Port, PortType, Run, Step, needs_tables};
use mlp::types::Value;
use serde_json::{Value as Json, json};

use super::message::clear;
use super::unwritable;
use super::work::{GRACE, Given, Output, Work};
use crate::events::Failure;
use crate::executor::RUN_VARIABLE;
use crate::node::arguments;
use crate::node::ending::{Printed, cannot_start, ended_well};
use crate::node::operation::Told;
use crate::node::outputs::{self, ValueFormat};
use crate::process::{self, Log, Program};
use crate::python::{self, Environment, ShimCall};
use crate::store::Datum;

/// Runs a step to its end. `timeout` is in milliseconds; secrets are by variable.
///
/// # Errors
/// When it does not end well, or did not write what it declares.
pub(crate) fn run(
    work: &Work<'_>,
    step: &Step,
    secrets: &BTreeMap<String, String>,
    timeout: Option<u64>,
) -> Result<Given, Told> {
    match run_child(work, step, secrets, timeout).map_err(Told::Failed)? {
        None => Err(Told::Cancelled),
        Some(format) => collect(work, step, format).map_err(Told::Failed),
    }
}

/// How it writes values; nothing when it was cancelled.
fn run_child(
    work: &Work<'_>,
    step: &Step,
    secrets: &BTreeMap<String, String>,
    timeout: Option<u64>,
) -> Result<Option<ValueFormat>, Failure> {
    for port in &step.outputs {
        let path = work.places.output(port);
        clear(&path).map_err(|error| unwritable(&path, &error))?;
    }
    let mut variables = step.env.clone();
    variables.extend(secrets.clone());
    variables.insert(RUN_VARIABLE.to_owned(), work.run.to_owned());
    let (arguments, format, shim) = match &step.run {
        Run::Command(parts) => {
            let arguments = arguments::fill(step, parts, work.inputs, work.places);
            (arguments, ValueFormat::Text, None)
        }
        Run::Python(function) => {
            let shim = shim(work, step, function, &mut variables)?;
            (shim.arguments.clone(), ValueFormat::Json, Some(shim))
        }
    };
    let hidden: Vec<String> = secrets.values().cloned().collect();
    let program = Program {
        arguments: &arguments,
        folder: work.project,
        inherits: true,
        environment: &variables,
        timeout,
        grace: GRACE,
    };
    let (mut stdout, mut stderr) = logs(&hidden);
    let ending = process::run(work.handle, &program, &mut stdout, &mut stderr, work.cancel);
    let ending = ending.map_err(|error| cannot_start(step, &arguments, &error))?;
    let told = shim.and_then(|shim| shim.failure()).map(|told| told.masked(&hidden));
    let printed = Printed {
        last_lines: Vec::new(),
        where_all: "What it printed stands above.",
    };
    Ok(ended_well(step, ending, timeout, told, printed)?.map(|()| format))
}

/// The environment of a Python step; nothing for a command.
///
/// # Errors
/// When it cannot be built.
pub(crate) fn environment(work: &Work<'_>, step: &Step) -> Result<Option<Environment>, Failure> {
    match &step.run {
        Run::Command(_) => Ok(None),
        Run::Python(_) => {
            let mut ports = step.inputs.iter().chain(&step.outputs);
            let tables = ports.any(|port| needs_tables(&port.ty));
            let say = |line: String| (work.say)(&line);
            let found = work.environments.get(&step.packages, tables, &work.runner(), &say);
            found.map(Some)
        }
    }
}

fn shim(
    work: &Work<'_>,
    step: &Step,
    function: &mlp::plan::PythonFunction,
    variables: &mut BTreeMap<String, String>,
) -> Result<ShimCall, Failure> {
    let environment =
        environment(work, step)?.ok_or_else(|| crate::node::broken_plan("a Python step without an environment"))?;
    python::add_variables(variables, &environment);
    let inputs = work.inputs.iter();
    let inputs = inputs
        .map(|(name, datum)| (name.clone(), shim_input(work, datum)))
        .collect();
    let request = python::step_request(&work.task.plan, step, function, &inputs, work.project, |port: &Port| {
        work.places.output(port)
    });
    python::write_request(&environment, work.scratch, &request).map_err(|error| unwritable(work.scratch, &error))
}

fn shim_input(work: &Work<'_>, datum: &Datum) -> Json {
    match datum {
        Datum::Value(value) => json!({ "value": mlp::plan::plain_json(value) }),
        Datum::Artifact(artifact) => json!({ "path": work.places.path(artifact) }),
        Datum::List(items) => {
            json!({ "items": items.iter().map(|item| shim_input(work, item)).collect::<Vec<_>>() })
        }
    }
}

/// Logs that pass what a child prints on to the streams of this process, without secrets.
pub(crate) fn logs(secrets: &[String]) -> (Log, Log) {
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

/// Checks every output before any is given: one bad output makes the step fail as a whole.
fn collect(work: &Work<'_>, step: &Step, format: ValueFormat) -> Result<Given, Failure> {
    let path = |port: &Port| work.places.output(port);
    outputs::check(&work.task.plan, &step.name, &step.outputs, &path)?;
    let mut given = Given::default();
    for port in &step.outputs {
        let path = path(port);
        let output = if let PortType::Value(ty) = &port.ty {
            let value: Value = outputs::read_value(&step.name, port, ty, &path, format)?;
            Output::Value(value)
        } else {
            if matches!(port.ty, PortType::Model { .. }) {
                outputs::as_model(&path).map_err(|error| unwritable(&path, &error))?;
            }
            Output::Written(path)
        };
        given.outputs.insert(port.name.clone(), output);
    }
    Ok(given)
}
