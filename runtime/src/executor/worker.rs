//! Runs one node: looks for its outputs in the cache, does its work in a scratch folder, stores what it gave.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};

use super::session::Session;
use super::work::{Done, End, Found, Job, Task};
use super::{baseline, operation, step};
use crate::cache::{KeyBuilder, by_policy, operation_key, source_input, step_key};
use crate::events::{Event, Failure, NodeState};
use crate::metadata::{CacheEntry, Change, NodeRecord};
use crate::operations::Baseline;
use crate::store::Datum;

/// Runs a job to its end; a panic in it is a failure of its node and no other's.
pub(super) fn run(session: &Session<'_>, job: Job<'_>) -> Done {
    let (key, attempt) = (job.key, job.attempt);
    let started = jiff::Timestamp::now().as_millisecond();
    let clock = Instant::now();
    let end = catch_unwind(AssertUnwindSafe(|| attempt_job(session, &job))).unwrap_or_else(|_| {
        End::Failed(Failure::new(
            format!("`{}` failed through a mistake in mlp itself.", job.node.callee),
            "Please report it, with the message that was printed.",
        ))
    });
    let milliseconds = u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX);
    Done {
        key,
        attempt,
        started,
        milliseconds,
        end,
    }
}

fn attempt_job(session: &Session<'_>, job: &Job<'_>) -> End {
    match find_or_run(session, job) {
        Ok(end) => end,
        Err(failure) => End::Failed(failure),
    }
}

fn find_or_run(session: &Session<'_>, job: &Job<'_>) -> Result<End, Failure> {
    let baseline = baseline::find(session, job)?;
    let key = key(session, job, &baseline)?;
    if let Some(key) = &key
        && job.attempt == 1
        && let Some(found) = session.cached(key).map_err(|error| broken_state(&error.to_string()))?
    {
        return Ok(End::Succeeded(Found {
            outputs: found.outputs,
            cached: true,
            summary: found.summary,
            record: found.record,
        }));
    }
    announce(session, job);
    let scratch = scratch(session, job);
    fs::create_dir(&scratch).map_err(|error| broken_state(&format!("cannot create `{scratch}`: {error}")))?;
    let end = match job.task {
        Task::Step(step) => step::run(session, job, step, &scratch),
        Task::Operation(operation) => operation::run(session, job, operation, &baseline, &scratch),
    };
    clear(&scratch);
    let end = end?;
    if let (End::Succeeded(found), Some(key)) = (&end, key) {
        session.writer.send(Change::Cache(Box::new(CacheEntry {
            key,
            run: session.run.clone(),
            node: job.path.clone(),
            summary: found.summary.clone(),
            record: found.record.clone(),
            outputs: found.outputs.clone(),
        })));
    }
    Ok(end)
}

/// The cache key of a job; nothing for what is never reused.
fn key(session: &Session<'_>, job: &Job<'_>, baseline: &Baseline) -> Result<Option<blake3::Hash>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::new(
            format!("The code of `{}` cannot be read: {error}.", job.node.callee),
            "See that the file exists in the project and may be read.",
        )
    };
    let builder = match job.task {
        Task::Step(step) => {
            let mut key = step_key(session.plan, step, &session.code).map_err(unreadable)?;
            step::add_environment(session, job, step, &mut key)?;
            by_policy(&step.cache, key)
        }
        Task::Operation(operation) => {
            let key = operation_key(session.plan, job.node, operation, &session.code).map_err(unreadable)?;
            match key {
                Some(mut key) => {
                    if crate::node::baseline::is_compared(operation) {
                        key.json(baseline);
                    }
                    operation::add_sources(session, job, operation, &mut key)?.then_some(key)
                }
                None => None,
            }
        }
    };
    Ok(builder.map(|mut key: KeyBuilder| {
        key.inputs(&inputs_for_key(job));
        key.finish()
    }))
}

/// A source is known by its content, not by its path.
fn inputs_for_key(job: &Job<'_>) -> BTreeMap<String, Datum> {
    let mut inputs = job.inputs.clone();
    match job.task {
        Task::Operation(operation) => {
            if let Some(name) = source_input(operation) {
                inputs.remove(name);
            }
        }
        Task::Step(_) => {}
    }
    inputs
}

fn announce(session: &Session<'_>, job: &Job<'_>) {
    session.emit(&Event::NodeStarted {
        node: job.path.clone(),
        callee: job.node.callee.clone(),
        attempt: job.attempt,
    });
    session.writer.send(Change::Node {
        run: session.run.clone(),
        started: Some(jiff::Timestamp::now().as_millisecond()),
        record: Box::new(NodeRecord {
            node: job.path.clone(),
            callee: job.node.callee.clone(),
            state: NodeState::Running,
            cached: false,
            attempts: job.attempt,
            started: None,
            milliseconds: None,
            summary: String::new(),
            failure: None,
            record: serde_json::Value::Null,
            outputs: BTreeMap::new(),
        }),
    });
}

/// A folder that only this attempt uses; its name is not longer than a file system allows, however the node is called.
fn scratch(session: &Session<'_>, job: &Job<'_>) -> Utf8PathBuf {
    let name = format!("{}-{}-{}", job.key.scope, job.key.position, job.attempt);
    session.state.scratch(&session.run).join(name)
}

/// Removes a scratch folder; what cannot be removed now goes with the run's.
fn clear(scratch: &Utf8Path) {
    if fs::remove_dir(scratch).is_err() {
        let _ = fs::remove_dir_all(scratch);
    }
}

/// The failure of a node when the project's own state cannot be used.
pub(super) fn broken_state(message: &str) -> Failure {
    Failure::new(
        format!("The state under `.mlp` cannot be used: {message}."),
        "Make room on the disk, and see that the folder may be written; nothing was left half-written.",
    )
}
