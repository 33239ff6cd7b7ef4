//! Why a run could not even be tried: what fails inside a node is a [`crate::events::Failure`] and not here.

use camino::{Utf8Path, Utf8PathBuf};

/// A run or a query about runs that cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The state under `.mlp` cannot be read or written.
    #[error("cannot {action} `{path}`: {source}")]
    State {
        /// What was being done: `create`, `write`.
        action: &'static str,
        /// The file or folder.
        path: Utf8PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The metadata cannot be read or written.
    #[error("cannot {action} the metadata `{path}`: {source}")]
    Metadata {
        /// What was being done.
        action: &'static str,
        /// The database.
        path: Utf8PathBuf,
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// The metadata is no database any more.
    #[error(
        "the metadata `{path}` is damaged: {source}. Remove it, with `{path}-wal` and `{path}-shm` if they are there: it \
         only knows of earlier runs and of what can be reused. The registry and the audit trail stay"
    )]
    DamagedMetadata {
        /// The database.
        path: Utf8PathBuf,
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// The metadata was written by a newer version.
    #[error(
        "the metadata `{path}` was written by a newer version of mlp (format {found}, this one reads {known}). \
         Update mlp, or move the folder away to start afresh"
    )]
    NewerMetadata {
        /// The database.
        path: Utf8PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that is understood.
        known: i64,
    },
    /// There is no such pipeline.
    #[error("there is no pipeline `{name}`. The project has: {known}")]
    UnknownPipeline {
        /// What was asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A parameter that the pipeline has not.
    #[error("pipeline `{pipeline}` has no parameter `{name}`. It takes: {known}")]
    UnknownParameter {
        /// The pipeline.
        pipeline: String,
        /// What was given.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A parameter without a default was not given.
    #[error("pipeline `{pipeline}` needs the parameter `{name}` ({ty}): it has no default")]
    MissingParameter {
        /// The pipeline.
        pipeline: String,
        /// The parameter.
        name: String,
        /// Its type as the language writes it.
        ty: String,
    },
    /// A parameter's value does not fit its type.
    #[error("parameter `{name}`: {message}")]
    BadParameter {
        /// The parameter.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// A step asks for more than the machine has.
    #[error(
        "step `{step}` asks for {asked}, but this machine has {available}. Lower `resources`, or run it on a larger one"
    )]
    NotEnough {
        /// The step.
        step: String,
        /// `8 cpu`
        asked: String,
        /// `2 cpu`
        available: String,
    },
    /// There is no such run.
    #[error("there is no run `{id}` in this project. `mlp runs` lists them")]
    UnknownRun {
        /// What was asked for.
        id: String,
    },
    /// A run has no such node.
    #[error("run `{run}` has no step `{node}`. It has: {known}")]
    UnknownNode {
        /// The run.
        run: String,
        /// What was asked for.
        node: String,
        /// The nodes there are.
        known: String,
    },
    /// The plan contradicts itself; plans made by the compiler never do.
    #[error("the plan is broken: {0}")]
    Plan(String),
}

impl RunError {
    /// For `map_err` on an operation of the metadata.
    pub(crate) fn metadata(action: &'static str, path: &Utf8Path) -> impl FnOnce(rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        let path = path.to_owned();
        move |source| match source.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => Self::DamagedMetadata { path, source },
            _ => Self::Metadata { action, path, source },
        }
    }

    /// For `map_err` on a file operation.
    pub(crate) fn state(action: &'static str, path: impl Into<Utf8PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::State { action, path, source }
    }
}
