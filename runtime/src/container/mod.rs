//! What runs inside the containers of Kubeflow Pipelines and Vertex AI: one built-in operation, or one command of a step.
//!
//! It reads the platform's message, does what the local executor would do, by the same functions, and writes what the
//! platform reads. It knows no other node, no cache and no schedule. Python steps run without it: `python/container.py`.

mod assignment;
mod launch;
pub(crate) mod message;
mod operation;
pub(crate) mod pages;
pub(crate) mod perform;
pub(crate) mod secrets;
mod serving;
pub(crate) mod shown;
pub(crate) mod state;
pub(crate) mod step;
pub(crate) mod values;
pub(crate) mod work;

use camino::{Utf8Path, Utf8PathBuf};

use crate::events::Failure;
use crate::node::operation::Told;

pub use launch::{Launch, launch};
pub use operation::{Operate, operate};

/// Why a container did not do what it was asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// It broke.
    Failed {
        /// The node.
        node: String,
        /// Why.
        failure: Failure,
    },
    /// The data or the model did not pass. What was found is written.
    Refused {
        /// The node.
        node: String,
        /// Why.
        failure: Failure,
    },
    /// The platform ended it.
    Cancelled,
    /// It was called in a way that no target writes.
    Call(Failure),
}

/// What an operation or step found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The node.
    pub node: String,
    /// One line for people.
    pub summary: String,
}

/// A folder of the container's own, removed in the end.
pub(crate) struct Scratch {
    _folder: tempfile::TempDir,
    pub(crate) path: Utf8PathBuf,
}

impl Stop {
    /// How a node stopped.
    pub(crate) fn of(node: &str, told: Told) -> Self {
        let node = node.to_owned();
        match told {
            Told::Failed(failure) => Self::Failed { node, failure },
            Told::Refused(failure, _) => Self::Refused { node, failure },
            Told::Cancelled => Self::Cancelled,
        }
    }
}

impl Scratch {
    pub(crate) fn new() -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            Failure::new(
                format!("No folder for scratch files can be made: {error}."),
                "See that the folder that `TMPDIR` names, or `/tmp`, may be written and has room.",
            )
        };
        let folder = tempfile::Builder::new().prefix("mlp-").tempdir().map_err(failed)?;
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned())
            .map_err(|_| failed(std::io::ErrorKind::InvalidFilename.into()))?;
        for inner in ["outputs", "project"] {
            std::fs::create_dir(path.join(inner)).map_err(failed)?;
        }
        Ok(Self { _folder: folder, path })
    }
}

/// The threads that drive child processes and timers.
pub(crate) fn threads() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    runtime.map_err(|error| {
        Failure::new(
            format!("No thread can be started: {error}."),
            "Give the container more processes or memory.",
        )
    })
}

pub(crate) fn unreadable(argument: &str, problem: &str) -> Stop {
    Stop::Call(Failure::new(
        format!("`{argument}` cannot be read: {problem}."),
        "It is written by `mlp build`; build with the version of mlp that is in the image.",
    ))
}

/// The project's sources, where they came with the task, in a folder of their own; else the image's own.
pub(crate) fn project(
    sources: &std::collections::BTreeMap<String, String>,
    scratch: &Utf8Path,
) -> Result<Utf8PathBuf, Failure> {
    if sources.is_empty() {
        let named = std::env::var("MLP_PROJECT").ok().filter(|path| !path.is_empty());
        let folder = named.map_or_else(|| Utf8PathBuf::from("."), Utf8PathBuf::from);
        return camino::absolute_utf8(&folder).map_err(|error| unwritable(&folder, &error));
    }
    let project = scratch.join("project");
    for (name, text) in sources {
        let inside = Utf8Path::new(name)
            .components()
            .all(|part| matches!(part, camino::Utf8Component::Normal(_)));
        if !inside {
            return Err(Failure::new(
                format!("The source `{name}` lies outside of the project."),
                "Build the pipeline again.",
            ));
        }
        let path = project.join(name);
        let written = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        written
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|error| unwritable(&path, &error))?;
    }
    Ok(project)
}

/// The failure of a node whose files cannot be written or read.
pub(crate) fn unwritable(path: &Utf8Path, error: &std::io::Error) -> Failure {
    Failure::new(
        format!("`{path}` cannot be used: {error}."),
        "See that the volume is mounted, may be written, and has room.",
    )
}
