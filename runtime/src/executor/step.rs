//! Runs a user's step: a command, or a Python function through the shim.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::{ArgumentPart, Port, Run, SecretReference, Step, needs_tables};

use super::outputs::{self, ValueFormat};
use super::session::Session;
use super::state::RUN_VARIABLE;
use super::work::{End, Found, Job};
use crate::cache::KeyBuilder;
use crate::events::Failure;
use crate::metadata::LogStream;
use crate::process::{self, Ending, Log, Program, status_text};
use crate::python::{self, Environment, ShimFailure};
use crate::store::{Artifact, Datum};
use crate::values::value_text;

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
    let (arguments, format, shim) = match &step.run {
        Run::Command(parts) => (arguments(session, job, step, parts, scratch), ValueFormat::Text, None),
        Run::Python(function) => {
            let Some(environment) = environment(session, job, step)? else {
                return Err(super::schedule::broken_plan("a Python step without an environment"));
            };
            session.note_lock(&job.path, &environment.lock);
            python::add_variables(&mut variables, &environment);
            let output_path = |port: &Port| outputs::path(scratch, port);
            let inputs = inputs(session, job);
            let request = python::step_request(session.plan, step, function, &inputs, session.project, output_path);
            let shim = python::write_request(&environment, scratch, &request)
                .map_err(|error| super::worker::broken_state(&error.to_string()))?;
            (shim.arguments.clone(), ValueFormat::Json, Some(shim))
        }
    };
    let program = Program {
        arguments: &arguments,
        folder: session.project,
        environment: &variables,
        timeout: step.timeout.and_then(|milliseconds| u64::try_from(milliseconds).ok()),
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
    ended_well(step, ending, told, &stdout, &stderr)?.map_or(Ok(End::Cancelled), |()| {
        let outputs = outputs::collect(session, &step.name, &step.outputs, scratch, format)?;
        Ok(End::Succeeded(Found {
            outputs,
            ..Found::default()
        }))
    })
}

/// Nothing when the step was cancelled.
fn ended_well(
    step: &Step,
    ending: Ending,
    told: Option<ShimFailure>,
    stdout: &Log,
    stderr: &Log,
) -> Result<Option<()>, Failure> {
    let last_lines = || {
        let lines = stderr.last_lines(LAST_LINES);
        if lines.is_empty() {
            stdout.last_lines(LAST_LINES)
        } else {
            lines
        }
    };
    match ending {
        Ending::Cancelled => Ok(None),
        Ending::TimedOut => Err(Failure {
            summary: format!(
                "`{}` was ended because it ran longer than its timeout of {}.",
                step.name,
                mlp::types::Value::Duration(step.timeout.unwrap_or(0))
            ),
            details: last_lines(),
            help: Some("Give it more time with `timeout`, or make it faster.".to_owned()),
        }),
        Ending::Exited(status) if status.success() => Ok(Some(())),
        Ending::Exited(status) => Err(match told {
            Some(told) => Failure {
                summary: format!("`{}` {}", step.name, told.summary),
                details: told.details,
                help: told.help,
            },
            None => Failure {
                summary: format!("`{}` ended with {}.", step.name, status_text(status)),
                details: last_lines(),
                help: Some("What it printed is in its log: `mlp logs`.".to_owned()),
            },
        }),
    }
}

fn cannot_start(step: &Step, arguments: &[String], error: &std::io::Error) -> Failure {
    let program = arguments.first().map(String::as_str).unwrap_or_default();
    if error.kind() == std::io::ErrorKind::NotFound {
        return Failure::new(
            format!("`{}` cannot start: there is no program `{program}`.", step.name),
            "Install it, or write its path from the project's folder with a `/` in it, as `./tools/prepare`.",
        );
    }
    Failure::new(
        format!("`{}` cannot start `{program}`: {error}.", step.name),
        "See that the file is a program and may be executed.",
    )
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

/// The argument vector with its holes filled. A list that is an argument of its own becomes as many arguments.
fn arguments(
    session: &Session<'_>,
    job: &Job<'_>,
    step: &Step,
    parts: &[Vec<ArgumentPart>],
    scratch: &Utf8Path,
) -> Vec<String> {
    let texts = |part: &ArgumentPart| match part {
        ArgumentPart::Text(text) => vec![text.clone()],
        ArgumentPart::Hole(name) => hole(session, job, step, name, scratch, ""),
        ArgumentPart::Uri(name) => hole(session, job, step, name, scratch, "file://"),
    };
    parts
        .iter()
        .flat_map(|argument| match argument.as_slice() {
            [only] => texts(only),
            several => vec![several.iter().map(|part| texts(part).join(",")).collect()],
        })
        .collect()
}

fn hole(
    session: &Session<'_>,
    job: &Job<'_>,
    step: &Step,
    name: &str,
    scratch: &Utf8Path,
    scheme: &str,
) -> Vec<String> {
    if let Some(port) = step.outputs.iter().find(|port: &&Port| port.name == name) {
        return vec![format!("{scheme}{}", outputs::path(scratch, port))];
    }
    job.inputs
        .get(name)
        .map(|datum| datum_texts(session, datum, scheme))
        .unwrap_or_default()
}

fn datum_texts(session: &Session<'_>, datum: &Datum, scheme: &str) -> Vec<String> {
    match datum {
        Datum::Value(mlp::types::Value::List(items)) => items.iter().map(value_text).collect(),
        Datum::Value(value) => vec![value_text(value)],
        Datum::Artifact(artifact) => vec![format!("{scheme}{}", content_path(session, artifact))],
        Datum::List(items) => items
            .iter()
            .flat_map(|item| datum_texts(session, item, scheme))
            .collect(),
    }
}

/// Where a step finds an artifact: a model that is one file is given as that file.
fn content_path(session: &Session<'_>, artifact: &Artifact) -> Utf8PathBuf {
    let path = session.path(artifact);
    if !artifact.folder {
        return path;
    }
    let file = fs::read(path.join("model.json"))
        .ok()
        .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok())
        .and_then(|model| model.get("file")?.as_str().map(str::to_owned));
    match file.as_deref() {
        None | Some(".") => path,
        Some(file) => path.join(file),
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
