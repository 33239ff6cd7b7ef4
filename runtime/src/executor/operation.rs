//! Runs a built-in operation, and writes what it decided into the audit trail.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use camino::Utf8Path;
use mlp::plan::{Operation, PortType};
use mlp::types::{Evidence, Value};

use super::session::Session;
use super::step::log_path;
use super::work::{End, Found, Job};
use super::worker::broken_state;
use crate::cache::{KeyBuilder, predicts_with, source_input};
use crate::events::Failure;
use crate::metadata::LogStream;
use crate::node::operation::{Told, decision, tell};
use crate::operations::{self, Approval, Baseline, Context, Item, OperationError, Report};
use crate::process::Log;
use crate::python::PythonPredictor;
use crate::store::{Datum, extension};

/// Adds the content of a source to a key; false when it is not there, which the operation itself will tell better.
pub(super) fn add_sources(
    session: &Session<'_>,
    job: &Job<'_>,
    operation: &Operation,
    key: &mut KeyBuilder,
) -> Result<bool, Failure> {
    if let Some(packages) = predicts_with(session.plan, operation) {
        key.json(&session.environment(&job.path, packages, true)?.lock);
    }
    let Some(name) = source_input(operation) else {
        return Ok(true);
    };
    let Some(Datum::Value(Value::String(source))) = job.inputs.get(name) else {
        return Ok(false);
    };
    let path = session.project.join(source);
    let Ok(digest) = session.source_digest(&path) else {
        return Ok(false);
    };
    // The format of a file is told by its ending.
    key.text(path.extension().unwrap_or_default());
    key.text(&digest);
    Ok(true)
}

/// The name of a node for all turns of the loops around it: `part/release` of `part[0]/release[2]`.
fn without_turns(path: &str) -> String {
    let kept = path.split('[').enumerate().map(|(position, part)| match position {
        0 => part,
        _ => part.split_once(']').map_or("", |(_, rest)| rest),
    });
    kept.collect()
}

/// Runs an operation.
pub(super) fn run(
    session: &Session<'_>,
    job: &Job<'_>,
    operation: &Operation,
    baseline: &Baseline,
    scratch: &Utf8Path,
) -> Result<End, Failure> {
    let inputs: BTreeMap<String, Item> = job
        .inputs
        .iter()
        .map(|(name, datum)| (name.clone(), item(session, datum)))
        .collect();
    let lineage = job.lineage.as_deref().cloned().unwrap_or_default();
    let registry = session.state.registry();
    let log = Lines::new(session, job);
    let progress = |message| session.progress(&job.path, message);
    let note_lock = |lock: &[String]| session.note_lock(&job.path, lock);
    let predictor = PythonPredictor {
        environments: &session.environments,
        runner: session.runner(),
        project: session.project,
        scratch,
        logs: &|| {
            let log = |stream| Log::new(log_path(session, job, stream), session.options.log_limit, &[]);
            (log(LogStream::Stdout), log(LogStream::Stderr))
        },
        progress: &progress,
        note_lock: &note_lock,
    };
    let named = without_turns(&job.path);
    let context = Context {
        plan: session.plan,
        node: job.node,
        project: session.project,
        inputs: &inputs,
        outputs: scratch,
        baseline,
        python: &predictor,
        registry: &registry,
        approval: Approval {
            node: &named,
            given: session.options.approved.contains(&named),
        },
        now: session.now,
        cancelled: &session.cancelled,
        lineage: &lineage,
        log: &|line| log.write(line),
    };
    let result = operations::run(operation, &context);
    tell_trail(session, job, operation, &result)?;
    let error = match result {
        Ok(report) => return succeed(session, job, report, scratch).map(End::Succeeded),
        Err(error) => error,
    };
    let cancelled = session.cancelled.load(std::sync::atomic::Ordering::Relaxed);
    Ok(match tell(error, &job.node.callee, cancelled) {
        Told::Refused(failure, record) => End::Refused(failure, *record),
        Told::Failed(failure) => End::Failed(failure),
        Told::Cancelled => End::Cancelled,
    })
}

fn succeed(session: &Session<'_>, job: &Job<'_>, report: Report, scratch: &Utf8Path) -> Result<Found, Failure> {
    let mut outputs = BTreeMap::new();
    for port in &job.node.outputs {
        let datum = match report.values.get(&port.name) {
            Some(value) => Datum::Value(value.clone()),
            None => {
                let stored = session.store.take(&scratch.join(&port.name), ending(&port.ty));
                Datum::Artifact(stored.map_err(|error| {
                    broken_state(&format!(
                        "the output `{}` of `{}` cannot be stored: {error}",
                        port.name, job.node.callee
                    ))
                })?)
            }
        };
        outputs.insert(port.name.clone(), datum);
    }
    Ok(Found {
        outputs,
        cached: false,
        summary: report.summary,
        record: report.record,
    })
}

/// A registered model is a JSON file, any other a folder.
fn ending(ty: &PortType) -> &'static str {
    let registered = matches!(
        ty,
        PortType::Model {
            evidence: Evidence::Registered,
            ..
        }
    );
    if registered { "json" } else { extension(ty) }
}

fn item(session: &Session<'_>, datum: &Datum) -> Item {
    match datum {
        Datum::Value(value) => Item::Value(value.clone()),
        Datum::Artifact(artifact) => Item::Artifact {
            path: session.path(artifact),
            digest: artifact.digest.clone(),
        },
        Datum::List(items) => Item::List(items.iter().map(|each| item(session, each)).collect()),
    }
}

/// Decisions go into the audit trail before anything follows from them.
fn tell_trail(
    session: &Session<'_>,
    job: &Job<'_>,
    operation: &Operation,
    result: &Result<Report, OperationError>,
) -> Result<(), Failure> {
    let Some(told) = decision(operation, result) else {
        return Ok(());
    };
    session
        .audit(told.action, &job.path, told.verdict, told.summary, told.record)
        .map_err(|message| broken_state(&message))
}

/// The log of an operation, made with its first line.
struct Lines<'s> {
    session: &'s Session<'s>,
    job: &'s Job<'s>,
    file: Mutex<Option<File>>,
}

impl<'s> Lines<'s> {
    fn new(session: &'s Session<'_>, job: &'s Job<'_>) -> Self {
        Self {
            session,
            job,
            file: Mutex::new(None),
        }
    }

    /// A line that cannot be written is lost: logs are for people, and the operation's result does not depend on them.
    fn write(&self, line: &str) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.is_none() {
            let path = log_path(self.session, self.job, LogStream::Stdout);
            *file = OpenOptions::new().create(true).append(true).open(path).ok();
        }
        if let Some(file) = file.as_mut() {
            let _ = writeln!(file, "{line}");
        }
    }
}
