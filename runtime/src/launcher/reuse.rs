//! Outputs that were made before: by the key that the local executor would compute, and only where that would look.

use std::io;

use camino::Utf8Path;
use mlp::plan::{NodeKind, Operation};
use mlp::types::Value;

use super::address::{Layout, manifest_in};
use super::manifest::{Entry, Manifest, Stored};
use super::objects::{Objects, ObjectsError};
use crate::cache::{self, Code, KeyBuilder};
use crate::container::step;
use crate::container::work::Work;
use crate::events::Failure;
use crate::node::baseline;
use crate::operations::Baseline;
use crate::store::{Datum, file_digest};

/// The key of a node, hexadecimal; nothing for what is never reused.
///
/// # Errors
/// When the user's code cannot be read, or the Python environment that belongs to it cannot be had.
pub(super) fn key(work: &Work<'_>, baseline: &Baseline) -> Result<Option<String>, Failure> {
    let task = work.task;
    let unreadable = |error: io::Error| {
        Failure::new(
            format!("The code of `{}` cannot be read: {error}.", task.node.callee),
            "See that `MLP_PROJECT` names the folder of the project, and that its files may be read.",
        )
    };
    let code = Code::new(work.project);
    let mut inputs = work.inputs.clone();
    let key = match &task.node.kind {
        NodeKind::Step(called) => {
            let Some(step) = task.plan.steps.get(&called.step) else {
                return Ok(None);
            };
            let key = cache::step_key(&task.plan, step, &code).map_err(unreadable)?;
            let Some(mut key) = cache::by_policy(&step.cache, key) else {
                return Ok(None);
            };
            // What a program finds around it is its image's.
            key.json(&step.image);
            if let Some(environment) = step::environment(work, step)? {
                key.json(&environment.lock);
                key.text(crate::python::SHIM);
            }
            Some(key)
        }
        NodeKind::Operation(operation) => {
            let key = cache::operation_key(&task.plan, &task.node, operation, &code).map_err(unreadable)?;
            let Some(mut key) = key else { return Ok(None) };
            if baseline::is_compared(operation) {
                key.json(baseline);
            }
            if let Some(packages) = cache::predicts_with(&task.plan, operation) {
                let say = |line: String| (work.say)(&line);
                let environment = work.environments.get(packages, true, &work.runner(), &say)?;
                key.json(&environment.lock);
            }
            if let Some(name) = cache::source_input(operation) {
                inputs.remove(name);
            }
            add_source(work, operation, &mut key).then_some(key)
        }
        NodeKind::Branch(_) | NodeKind::Loop(_) | NodeKind::Finally(_) | NodeKind::Pipeline(_) => None,
    };
    Ok(key.map(|mut key| {
        key.inputs(&inputs);
        key.finish().to_hex().to_string()
    }))
}

/// Adds the content of a source; false when it is not there, which the operation itself will tell better.
fn add_source(work: &Work<'_>, operation: &Operation, key: &mut KeyBuilder) -> bool {
    let Some(name) = cache::source_input(operation) else {
        return true;
    };
    let (path, digest) = match work.inputs.get(name) {
        Some(Datum::Value(Value::String(source))) => {
            let path = work.project.join(source);
            match file_digest(&path) {
                Ok((digest, _)) => (path, digest.to_hex().to_string()),
                Err(_) => return false,
            }
        }
        Some(Datum::Artifact(artifact)) => (work.places.path(artifact), artifact.digest.clone()),
        Some(Datum::Value(_) | Datum::List(_)) | None => return false,
    };
    // The format of a file is told by its ending.
    key.text(path.extension().unwrap_or_default());
    key.text(&digest);
    true
}

/// What the node with a key gave before, if all of it is still there as it was written.
///
/// # Errors
/// When the place cannot be reached.
pub(super) fn find(objects: &dyn Objects, layout: &Layout, key: &str) -> Result<Option<Manifest>, ObjectsError> {
    let Some(bytes) = objects.read(&layout.cached(key))? else {
        return Ok(None);
    };
    // A damaged entry is none: the node runs, and writes it anew.
    let Ok(found) = Manifest::read(&bytes) else {
        return Ok(None);
    };
    if found.key.as_deref() != Some(key) {
        return Ok(None);
    }
    for stored in found.artifacts() {
        if !is_as_written(objects, stored)? {
            return Ok(None);
        }
    }
    Ok(Some(found))
}

/// Whether an artifact is there, whole, and the manifest beside it still tells the same of it: a task that runs again
/// writes to the same address.
fn is_as_written(objects: &dyn Objects, stored: &Stored) -> Result<bool, ObjectsError> {
    if objects.size(&stored.address, stored.folder)? != Some(stored.size) {
        return Ok(false);
    }
    let path = Utf8Path::new(&stored.address);
    let (Some(folder), Some(port)) = (path.parent(), path.file_name()) else {
        return Ok(false);
    };
    let Some(bytes) = objects.read(&manifest_in(folder.as_str()))? else {
        return Ok(false);
    };
    let manifest = Manifest::read(&bytes).ok();
    let entry = manifest.as_ref().and_then(|manifest| manifest.ports.get(port));
    Ok(matches!(entry, Some(Entry::Artifact(told)) if told == stored))
}
