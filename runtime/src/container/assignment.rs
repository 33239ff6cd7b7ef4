//! What a container has to do, read from its two arguments: the node with the part of the plan that it reads, and where the
//! platform has put its inputs and wants its outputs.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::{Binding, Input, NodeTask, Port, PortType, Reference};
use mlp::types::Value;
use serde_json::Value as Json;

use super::message::{ExecutorInput, RuntimeArtifact};
use super::{Stop, unreadable, values};
use crate::events::Failure;
use crate::node::{Places, inputs, operands};
use crate::store::{Artifact, Datum, content_digest};

/// How artifacts are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// By what is in them: for operations, which speak of digests.
    Content,
    /// By where they lie: for steps, which may take much and look at little of it.
    Address,
}

/// What a container has to do.
pub(super) struct Assignment {
    /// The node and what it reads of the plan.
    pub(super) task: NodeTask,
    /// What the platform says.
    pub(super) message: ExecutorInput,
    /// A folder that is the container's own.
    pub(super) scratch: Utf8PathBuf,
    identity: Identity,
    /// The artifacts that were met, by digest.
    known: Mutex<BTreeMap<String, RuntimeArtifact>>,
    /// When the container started.
    pub(super) now: jiff::Timestamp,
}

impl Assignment {
    /// Reads the arguments; `@FILE` stands for what a file holds.
    ///
    /// # Errors
    /// When they are not what this version writes.
    pub(super) fn read(task: &str, message: &str, scratch: &Utf8Path, identity: Identity) -> Result<Self, Stop> {
        let task = match task.strip_prefix('@') {
            Some(file) => {
                fs::read_to_string(file).map_err(|error| unreadable("--task", &format!("`{file}`: {error}")))?
            }
            None => task.to_owned(),
        };
        let parse = |name: &'static str| move |error: serde_json::Error| unreadable(name, &error.to_string());
        Ok(Self {
            task: serde_json::from_str(&task).map_err(parse("--task"))?,
            message: serde_json::from_str(message).map_err(parse("--executor-input"))?,
            scratch: scratch.to_owned(),
            identity,
            known: Mutex::default(),
            now: jiff::Timestamp::now(),
        })
    }

    /// Every input of the node, checked against its type.
    ///
    /// # Errors
    /// When one cannot be had, or does not fit.
    pub(super) fn inputs(&self) -> Result<BTreeMap<String, Datum>, Failure> {
        let node = &self.task.node;
        let mut taken = BTreeMap::new();
        for input in &node.inputs {
            let datum = self.input(input);
            let datum = datum.map_err(|message| inputs::failure(&node.callee, &input.name, &message))?;
            taken.insert(input.name.clone(), datum);
        }
        Ok(taken)
    }

    fn input(&self, input: &Input) -> Result<Datum, String> {
        // The platform's own import of an address stands where the plan has the address.
        let datum = if self.message.inputs.artifacts.contains_key(&input.name) && input.ty.is_value() {
            self.brought(&input.name, &input.ty, false)?
        } else {
            operands::resolve(&input.value, &|reference| self.lookup(reference))?
        };
        match (&input.ty, datum) {
            (PortType::Value(_), imported @ Datum::Artifact(_)) => Ok(imported),
            (ty, datum) => inputs::check(ty, datum),
        }
    }

    /// What a reference stands for.
    pub(super) fn lookup(&self, reference: &Reference) -> Result<Datum, String> {
        match self.binding(reference) {
            Some(Binding {
                reference: Reference::Outcome,
                input,
                ..
            }) => {
                let status = self.message.inputs.parameter_values.get(input).unwrap_or(&Json::Null);
                values::outcome(status).map(|outcome| Datum::Value(Value::Enum(outcome.to_owned())))
            }
            Some(binding) => self.brought(&binding.input, &binding.ty, binding.boxed),
            None => match reference {
                Reference::ScheduledTime => Ok(Datum::Value(Value::Datetime(self.now.to_string()))),
                Reference::Attempt => Ok(Datum::Value(Value::Int(1))),
                Reference::Parameter(_)
                | Reference::Output { .. }
                | Reference::Item(_)
                | Reference::Outcome
                | Reference::RunId => Err(format!("the platform brings nothing for {reference:?}")),
            },
        }
    }

    fn binding(&self, reference: &Reference) -> Option<&Binding> {
        self.task
            .bindings
            .iter()
            .find(|binding| binding.reference == *reference)
    }

    /// A text of the run's, if the platform brings it.
    pub(super) fn run_id(&self) -> String {
        let brought = self.lookup(&Reference::RunId).ok();
        match brought {
            Some(Datum::Value(Value::String(run))) => run,
            _ => std::env::var("MLP_RUN_ID").unwrap_or_default(),
        }
    }

    /// The value or artifact that the platform brings under a name.
    fn brought(&self, name: &str, ty: &PortType, boxed: bool) -> Result<Datum, String> {
        if let Some(list) = self.message.inputs.artifacts.get(name) {
            let items = list
                .artifacts
                .iter()
                .map(|artifact| self.artifact(artifact).map(Datum::Artifact));
            let mut items = items.collect::<Result<Vec<_>, _>>()?;
            return match (ty, items.len()) {
                (PortType::List(_), _) => Ok(Datum::List(items)),
                (_, 1) => items.pop().ok_or_else(|| "the platform brought no artifact".to_owned()),
                (_, count) => Err(format!("the platform brought {count} artifacts where one is taken")),
            };
        }
        let json = self.message.inputs.parameter_values.get(name);
        values::read_port(ty, boxed, json).map(Datum::Value)
    }

    fn artifact(&self, artifact: &RuntimeArtifact) -> Result<Artifact, String> {
        let path = artifact.path();
        let digest = match self.identity {
            Identity::Content => {
                content_digest(&path).map_err(|error| format!("`{path}` ({}) cannot be read: {error}", artifact.uri))?
            }
            Identity::Address => blake3::hash(artifact.uri.as_bytes()).to_hex().to_string(),
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(digest.clone(), artifact.clone());
        Ok(Artifact {
            digest,
            extension: String::new(),
            size: 0,
            folder: path.is_dir(),
        })
    }

    /// The platform's own description of an artifact that was brought.
    fn known(&self, artifact: &Artifact) -> Option<RuntimeArtifact> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&artifact.digest).cloned()
    }
}

impl Places for Assignment {
    fn path(&self, artifact: &Artifact) -> Utf8PathBuf {
        self.known(artifact).map(|known| known.path()).unwrap_or_default()
    }

    fn address(&self, artifact: &Artifact) -> String {
        self.known(artifact).map(|known| known.uri).unwrap_or_default()
    }

    /// Values go to a file of the container's own first, and to the platform once they are checked.
    fn output(&self, port: &Port) -> Utf8PathBuf {
        match self.message.output(&port.name) {
            Some(artifact) => artifact.path(),
            None => self.scratch.join("outputs").join(&port.name),
        }
    }

    fn output_address(&self, port: &Port) -> String {
        match self.message.output(&port.name) {
            Some(artifact) => artifact.uri.clone(),
            None => self.output(port).into_string(),
        }
    }
}
