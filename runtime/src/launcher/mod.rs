//! `mlp launch` where the platform moves nothing between tasks: one node with its inputs from the manifests of other tasks,
//! its outputs and its own manifest to where others will look for them.
//!
//! It does what the local executor would do with the node, by the same functions; it knows no schedule, and no bucket:
//! [`Objects`] reads and writes. The manifest is written last, so that a task that was ended in the middle has given
//! nothing.

mod address;
mod artifacts;
mod disk;
mod manifest;
mod objects;
mod report;
mod reuse;
mod sources;

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::{COMPUTE, NodeKind, Operation, PlacedTask, Placement};
use mlp::project::Lock;
use mlp::types::Value;
use serde_json::{Map, Value as Json};

pub use disk::Disk;
pub use objects::{Objects, ObjectsError};

use crate::cache::source_input;
use crate::container::perform::{baseline, compute, perform};
use crate::container::state::State;
use crate::container::work::{Given, Output, Work, parameters};
use crate::container::{Found, Scratch, Stop, pages, project, secrets, step, threads, unreadable, unwritable};
use crate::events::Failure;
use crate::executor::{Cancel, CancelLevel};
use crate::node::broken_plan;
use crate::node::operation::Told;
use crate::operations::Baseline;
use crate::python::Environments;
use crate::registry::write_atomically;
use crate::store::Datum;
use address::{Layout, local};
use artifacts::{Artifacts, describe_output};
use manifest::{Entry, Manifest};
use sources::Sources;

/// What the launcher is told.
pub struct Place<'a> {
    /// The node with its sources, a [`PlacedTask`] as JSON, or `@FILE`.
    pub placed: &'a str,
    /// The facts of this attempt, a [`Placement`] as JSON, or `@FILE`.
    pub placement: &'a str,
    /// The file for what the platform itself reads.
    pub returned: Option<&'a Utf8Path>,
    /// Where secrets are kept: `VAR=env:NAME`, `VAR=file:/path`, `VAR=projects/…`.
    pub secrets: &'a [String],
    /// Gives the content of a secret that a platform keeps (`projects/…`), or says why not.
    pub fetch: &'a dyn Fn(&str) -> Result<String, String>,
    /// Reads and writes at the addresses below the root.
    pub objects: &'a dyn Objects,
    /// Ends it.
    pub cancel: &'a Cancel,
    /// Takes lines for the task's log.
    pub say: &'a (dyn Fn(&str) + Sync),
}

/// Runs a node, whatever it is, and places what it gives.
///
/// # Errors
/// When it does not succeed; then there is no manifest.
pub fn place(call: &Place<'_>) -> Result<Found, Stop> {
    let placed: PlacedTask = argument("--placed", call.placed)?;
    let placement: Placement = argument("--placement", call.placement)?;
    let layout = Layout::new(&placement).map_err(|problem| unreadable("--placement", &problem))?;
    let launch = Launch {
        call,
        placed: &placed,
        placement: &placement,
        layout: &layout,
    };
    let ended = launch.run();
    ended.map_err(|told| match told {
        // Whatever breaks while the task is being ended breaks because of it.
        Told::Failed(_) if launch.is_cancelled() => Stop::Cancelled,
        told @ (Told::Failed(_) | Told::Refused(..) | Told::Cancelled) => Stop::of(&placed.task.node.id, told),
    })
}

/// An argument; `@FILE` stands for what a file holds.
fn argument<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> Result<T, Stop> {
    let text = match text.strip_prefix('@') {
        Some(file) => fs::read_to_string(file).map_err(|error| unreadable(name, &format!("`{file}`: {error}")))?,
        None => text.to_owned(),
    };
    serde_json::from_str(&text).map_err(|error| unreadable(name, &error.to_string()))
}

/// One attempt.
struct Launch<'a> {
    call: &'a Place<'a>,
    placed: &'a PlacedTask,
    placement: &'a Placement,
    layout: &'a Layout,
}

impl Launch<'_> {
    fn is_cancelled(&self) -> bool {
        self.call.cancel.level() == CancelLevel::Kill
    }

    /// Stops where the platform has asked for it.
    fn go_on(&self) -> Result<(), Told> {
        if self.is_cancelled() {
            Err(Told::Cancelled)
        } else {
            Ok(())
        }
    }

    fn run(&self) -> Result<Found, Told> {
        let (call, task) = (self.call, &self.placed.task);
        let scratch = Scratch::new().map_err(Told::Failed)?;
        let threads = threads().map_err(Told::Failed)?;
        let folder = self.layout.task(&self.placement.task, &self.placement.at);
        let artifacts = Artifacts::new(call.objects, &scratch.path, folder);
        let now = jiff::Timestamp::now();
        let sources = Sources::new(self.placed, self.placement, self.layout, call.objects, &artifacts, now);
        let mut inputs = sources.inputs().map_err(Told::Failed)?;
        self.bring_source(&mut inputs, &artifacts).map_err(Told::Failed)?;
        let state = State::of_environment(&scratch.path);
        let lock = lock().map_err(Told::Failed)?;
        let work = Work {
            task,
            inputs: &inputs,
            parameters: parameters(task, &|reference| sources.lookup(reference)),
            run: &self.placement.run,
            places: &artifacts,
            scratch: &scratch.path,
            project: &project(&task.sources, &scratch.path).map_err(Told::Failed)?,
            approved: self.placed.approved,
            environments: &Environments::of_launcher(&scratch.path, &lock),
            now,
            handle: threads.handle(),
            cancel: call.cancel,
            say: call.say,
        };
        self.find_or_run(&work, &state, &artifacts)
    }

    /// A source in a bucket is brought; one in a folder is read where it lies.
    fn bring_source(&self, inputs: &mut BTreeMap<String, Datum>, artifacts: &Artifacts<'_>) -> Result<(), Failure> {
        let NodeKind::Operation(operation) = &self.placed.task.node.kind else {
            return Ok(());
        };
        let Some(Datum::Value(Value::String(source))) = source_input(operation).and_then(|name| inputs.get_mut(name))
        else {
            return Ok(());
        };
        if let Some(path) = local(source) {
            *source = path.to_string();
            return Ok(());
        }
        let artifact = artifacts.bring_source(source)?;
        if let Some(input) = source_input(operation).and_then(|name| inputs.get_mut(name)) {
            *input = Datum::Artifact(artifact);
        }
        Ok(())
    }

    fn find_or_run(&self, work: &Work<'_>, state: &State, artifacts: &Artifacts<'_>) -> Result<Found, Told> {
        let mut with = Baseline::default();
        if let NodeKind::Operation(operation) = &work.task.node.kind {
            state.demand(operation).map_err(Told::Failed)?;
            with = baseline(work, operation, state).map_err(Told::Failed)?;
        }
        let key = reuse::key(work, &with).map_err(Told::Failed)?;
        if let Some(key) = key.as_ref().filter(|_| self.placement.attempt == 1)
            && let Some(found) = reuse::find(self.call.objects, self.layout, key).map_err(told)?
        {
            let manifest = Manifest::new(&work.task.node.id, Some(key.clone()), found.ports);
            self.finish(&manifest).map_err(Told::Failed)?;
            return Ok(self.found("cached".to_owned()));
        }
        // What an earlier attempt has left is no output of this one.
        let own = self.layout.manifest(&self.placement.task, &self.placement.at);
        self.call.objects.remove(&own).map_err(told)?;
        let given = self.work(work, state, &with, artifacts)?;
        let ports = self.place(&given, artifacts)?;
        let manifest = Manifest::new(&work.task.node.id, key, ports);
        self.finish(&manifest).map_err(Told::Failed)?;
        self.keep(&manifest);
        Ok(self.found(given.summary))
    }

    /// Does what the node does.
    fn work(&self, work: &Work<'_>, state: &State, with: &Baseline, artifacts: &Artifacts<'_>) -> Result<Given, Told> {
        let node = &work.task.node;
        if node.callee == COMPUTE && matches!(node.kind, NodeKind::Pipeline(_)) {
            return compute(work).map_err(Told::Failed);
        }
        artifacts.bring(work.inputs).map_err(Told::Failed)?;
        self.go_on()?;
        match &node.kind {
            NodeKind::Operation(operation) => self.perform(work, operation, state, with),
            NodeKind::Step(called) => {
                let step = work
                    .task
                    .plan
                    .steps
                    .get(&called.step)
                    .ok_or_else(|| Told::Failed(broken_plan(&format!("there is no step `{}`", called.step))))?;
                let secrets = secrets::read(step, self.call.secrets, self.call.fetch, Some(work.project));
                let timeout = step.timeout.and_then(|milliseconds| u64::try_from(milliseconds).ok());
                step::run(work, step, &secrets.map_err(Told::Failed)?, timeout)
            }
            NodeKind::Branch(_) | NodeKind::Loop(_) | NodeKind::Finally(_) | NodeKind::Pipeline(_) => Err(
                Told::Failed(broken_plan(&format!("`{}` is nothing that one task runs", node.id))),
            ),
        }
    }

    fn perform(&self, work: &Work<'_>, operation: &Operation, state: &State, with: &Baseline) -> Result<Given, Told> {
        let ended = perform(work, operation, state, with);
        match &ended {
            Ok(given) => self.report(operation, "pass", &given.summary, &[], &given.record),
            Err(Told::Refused(failure, record)) => {
                let verdict = record.get("verdict").and_then(Json::as_str).unwrap_or("fail");
                self.report(operation, verdict, &failure.summary, &failure.details, record);
            }
            Err(Told::Failed(_) | Told::Cancelled) => {}
        }
        ended
    }

    /// Writes the page for people. Nobody waits for it: where it cannot be written, the task ends as it would have.
    fn report(&self, operation: &Operation, verdict: &str, summary: &str, details: &[String], record: &Json) {
        if !report::is_told(operation) {
            return;
        }
        let told = pages::Told {
            operation,
            node: &self.placed.task.node.id,
            verdict,
            summary,
            details,
            record,
        };
        let folder = self.layout.task(&self.placement.task, &self.placement.at);
        if let Err(error) = report::write(self.call.objects, &folder, &told) {
            (self.call.say)(&format!("the report is not written: {error}"));
        }
    }

    /// Places the outputs.
    fn place(&self, given: &Given, artifacts: &Artifacts<'_>) -> Result<BTreeMap<String, Entry>, Told> {
        let mut ports = BTreeMap::new();
        for (name, output) in &given.outputs {
            self.go_on()?;
            let entry = match output {
                Output::Value(value) => Entry::Value(mlp::plan::exchange_json(value)),
                Output::Taken(datum) => artifacts
                    .entry(datum)
                    .ok_or_else(|| Told::Failed(broken_plan("an artifact is given that nobody gave")))?,
                Output::Written(path) => {
                    let address = artifacts.own_address(name);
                    let stored = describe_output(path, &address).map_err(Told::Failed)?;
                    self.call.objects.put(path, &address).map_err(told)?;
                    Entry::Artifact(stored)
                }
            };
            ports.insert(name.clone(), entry);
        }
        self.go_on()?;
        Ok(ports)
    }

    /// Writes the manifest, and then what the platform reads.
    fn finish(&self, manifest: &Manifest) -> Result<(), Failure> {
        let address = self.layout.manifest(&self.placement.task, &self.placement.at);
        let bytes = manifest
            .bytes()
            .map_err(|error| broken_plan(&format!("an output has no JSON: {error}")))?;
        self.call
            .objects
            .write(&address, &bytes)
            .map_err(ObjectsError::failure)?;
        let Some(file) = self.call.returned else { return Ok(()) };
        let mut told = Map::new();
        for port in &self.placed.returns {
            let entry = manifest.ports.get(port);
            told.insert(port.clone(), entry.map_or(Json::Null, Entry::told));
        }
        let file = camino::absolute_utf8(file).unwrap_or_else(|_| file.to_owned());
        let written = write_atomically(&file, Json::Object(told).to_string().as_bytes());
        written.map_err(|error| unwritable(&file, &error))
    }

    /// Keeps the manifest for other runs. Where that fails, they do the work again.
    fn keep(&self, manifest: &Manifest) {
        let Some(key) = &manifest.key else { return };
        let kept = manifest.bytes().map_err(|error| error.to_string()).and_then(|bytes| {
            let written = self.call.objects.write(&self.layout.cached(key), &bytes);
            written.map_err(|error| error.to_string())
        });
        if let Err(problem) = kept {
            (self.call.say)(&format!("the outputs will not be reused: {problem}"));
        }
    }

    fn found(&self, summary: String) -> Found {
        Found {
            node: self.placed.task.node.id.clone(),
            summary,
        }
    }
}

fn told(error: ObjectsError) -> Told {
    match error {
        ObjectsError::Cancelled => Told::Cancelled,
        error @ ObjectsError::Failed { .. } => Told::Failed(error.failure()),
    }
}

/// What the project pins, where its folder is at hand.
fn lock() -> Result<Lock, Failure> {
    let folder = std::env::var("MLP_PROJECT").ok().filter(|path| !path.is_empty());
    let path = folder
        .map_or_else(|| Utf8PathBuf::from("."), Utf8PathBuf::from)
        .join("mlp.lock");
    let damaged = |problem: String| {
        Failure::new(
            format!("`{path}` cannot be read: {problem}."),
            "Take it back from version control, or delete it and run `mlp lock`.",
        )
    };
    match fs::read_to_string(&path) {
        Ok(text) => Lock::read(&text).map_err(|error| damaged(error.to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Lock::default()),
        Err(error) => Err(damaged(error.to_string())),
    }
}
