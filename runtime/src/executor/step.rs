//! Runs a user's step: a command, or a Python function through the shim.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::{Port, Run, SecretReference, Step, needs_tables};

use super::outputs;
use super::session::Session;
use super::state::RUN_VARIABLE;
use super::work::{End, Found, Job};
use crate::cache::KeyBuilder;
use crate::events::Failure;
use crate::metadata::LogStream;
use crate::node::ending::{Printed, cannot_start, ended_well};
use crate::node::outputs::ValueFormat;
use crate::node::{Places, arguments, broken_plan};
use crate::process::{self, Log, Program};
use crate::python::{self, Environment};
use crate::store::{Artifact, Datum};

/// How many of the last lines of a log are shown with a failure.
const LAST_LINES: usize = 20;

/// Adds what a step runs in to its key: the locked packages.
pub(super) fn add_environment(
    session: &Session<'_>,
    job: &Job<'_>,
    step: &Step,
    key: &mut KeyBuilder,
) -> Result<(), Failure> {
    if let Some(environment) = environment(session, job, step)? {
        key.json(&environment.lock);
        key.text(python::SHIM);
    }
    Ok(())
}

fn environment(session: &Session<'_>, job: &Job<'_>, step: &Step) -> Result<Option<Environment>, Failure> {
    match &step.run {
        Run::Python(_) => {
            let tables = step
                .inputs
                .iter()
                .chain(&step.outputs)
                .any(|port| needs_tables(&port.ty));
            session.environment(&job.path, &step.packages, tables).map(Some)
        }
        Run::Command(_) => Ok(None),
    }
}

/// Runs a step.
pub(super) fn run(session: &Session<'_>, job: &Job<'_>, step: &Step, scratch: &Utf8Path) -> Result<End, Failure> {
    let secrets = secrets(session, step)?;
    let mut variables = step.env.clone();
    variables.extend(secrets.iter().map(|(name, value)| (name.clone(), value.clone())));
    variables.insert(RUN_VARIABLE.to_owned(), session.run.to_string());
    let hidden: Vec<String> = secrets.into_values().collect();
    let mut stdout = Log::new(
        log_path(session, job, LogStream::Stdout),
        session.options.log_limit,
        &hidden,
    );
    let mut stderr = Log::new(
        log_path(session, job, LogStream::Stderr),
        session.options.log_limit,
        &hidden,
    );
    let places = LocalPlaces { session, scratch };
    let (arguments, format, shim) = match &step.run {
        Run::Command(parts) => {
            let arguments = arguments::fill(step, parts, &job.inputs, &places);
            (arguments, ValueFormat::Text, None)
        }
        Run::Python(function) => {
            let Some(environment) = environment(session, job, step)? else {
                return Err(broken_plan("a Python step without an environment"));
            };
            session.note_lock(&job.path, &environment.lock);
            python::add_variables(&mut variables, &environment);
            let output_path = |port: &Port| places.output(port);
            let inputs = inputs(session, job);
            let request = python::step_request(session.plan, step, function, &inputs, session.project, output_path);
            let shim = python::write_request(&environment, scratch, &request)
                .map_err(|error| super::worker::broken_state(&error.to_string()))?;
            (shim.arguments.clone(), ValueFormat::Json, Some(shim))
        }
    };
    let timeout = step.timeout.and_then(|milliseconds| u64::try_from(milliseconds).ok());
    let program = Program {
        arguments: &arguments,
        folder: session.project,
        inherits: false,
        environment: &variables,
        timeout,
        grace: session.options.grace,
    };
    let ending = process::run(
        &session.handle,
        &program,
        &mut stdout,
        &mut stderr,
        &session.options.cancel,
    )
    .map_err(|error| cannot_start(step, &arguments, &error))?;
    if let Some(error) = stdout.error().or(stderr.error()) {
        return Err(super::worker::broken_state(&format!(
            "the log of `{}` cannot be written: {error}",
            step.name
        )));
    }
    let told = shim.and_then(|shim| shim.failure()).map(|told| told.masked(&hidden));
    let printed = printed(&stdout, &stderr);
    ended_well(step, ending, timeout, told, printed)?.map_or(Ok(End::Cancelled), |()| {
        let outputs = outputs::collect(session, &step.name, &step.outputs, scratch, format)?;
        Ok(End::Succeeded(Found {
            outputs,
            ..Found::default()
        }))
    })
}

/// What a step printed, from its logs.
fn printed(stdout: &Log, stderr: &Log) -> Printed {
    let lines = stderr.last_lines(LAST_LINES);
    Printed {
        last_lines: if lines.is_empty() {
            stdout.last_lines(LAST_LINES)
        } else {
            lines
        },
        where_all: "What it printed is in its log: `mlp logs`.",
    }
}

/// The secrets of a step by variable.
fn secrets(session: &Session<'_>, step: &Step) -> Result<BTreeMap<String, String>, Failure> {
    let read = |reference: &SecretReference| match reference {
        SecretReference::Env(name) => {
            std::env::var(name).map_err(|_| format!("the variable `{name}` of this process is not set"))
        }
        SecretReference::File(path) => fs::read_to_string(session.project.join(path))
            .map(|text| text.trim_end_matches(['\n', '\r']).to_owned())
            .map_err(|error| format!("the file `{path}` cannot be read: {error}")),
    };
    step.secrets
        .iter()
        .map(|(variable, reference)| match read(reference) {
            Ok(value) => Ok((variable.clone(), value)),
            Err(message) => Err(Failure::new(
                format!("`{}` cannot have its secret `{variable}`: {message}.", step.name),
                "Provide it, and run again; what has succeeded is not run twice.",
            )),
        })
        .collect()
}

/// The store, and the folder of one attempt.
struct LocalPlaces<'s> {
    session: &'s Session<'s>,
    scratch: &'s Utf8Path,
}

impl Places for LocalPlaces<'_> {
    fn path(&self, artifact: &Artifact) -> Utf8PathBuf {
        self.session.path(artifact)
    }

    fn address(&self, artifact: &Artifact) -> String {
        format!("file://{}", arguments::content(&self.path(artifact)))
    }

    fn output(&self, port: &Port) -> Utf8PathBuf {
        outputs::path(self.scratch, port)
    }

    fn output_address(&self, port: &Port) -> String {
        format!("file://{}", self.output(port))
    }
}

/// The inputs as the shim reads them.
fn inputs(session: &Session<'_>, job: &Job<'_>) -> BTreeMap<String, serde_json::Value> {
    job.inputs
        .iter()
        .map(|(name, datum)| (name.clone(), shim_input(session, datum)))
        .collect()
}

fn shim_input(session: &Session<'_>, datum: &Datum) -> serde_json::Value {
    match datum {
        Datum::Value(value) => serde_json::json!({ "value": mlp::plan::plain_json(value) }),
        Datum::Artifact(artifact) => serde_json::json!({ "path": session.path(artifact) }),
        Datum::List(items) => {
            serde_json::json!({ "items": items.iter().map(|item| shim_input(session, item)).collect::<Vec<_>>() })
        }
    }
}

/// Where a stream of an attempt is logged.
pub(super) fn log_path(session: &Session<'_>, job: &Job<'_>, stream: LogStream) -> Utf8PathBuf {
    let name = crate::executor::logs::file_name(&job.path, job.attempt, stream);
    session.state.logs(&session.run).join(name)
}
