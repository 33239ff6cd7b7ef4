//! What fails outside a source file: one sentence, the reason, and a way out. Problems of programs are diagnostics instead.

use miette::Diagnostic;
use mlp::diagnostics::nearest;
use mlp::project::OpenError;
use mlp_runtime::RunError;
use mlp_runtime::data::words::sentence;
use mlp_runtime::registry::RegistryError;

use crate::exit::Exit;

/// A command that cannot do what it was asked.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{message}")]
pub struct Problem {
    message: String,
    #[help]
    help: Option<String>,
    exit: Exit,
}

impl Problem {
    /// The command line asks for something that does not exist.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            exit: Exit::Usage,
        }
    }

    /// The machine failed.
    pub fn machine(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            exit: Exit::Machine,
        }
    }

    /// A name that does not exist, with the nearest that does, or all of them.
    pub fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        let problem = Self::usage(format!("There is no {what} `{name}`."));
        match nearest(name, known.iter().copied()) {
            Some(near) => problem.help(format!("Did you mean `{near}`?")),
            None if known.is_empty() => problem,
            None => problem.help(format!("There is: {}.", known.join(", "))),
        }
    }

    /// A file operation that failed.
    pub fn io(action: &str, path: impl AsRef<str>, error: &std::io::Error) -> Self {
        Self::machine(format!("Cannot {action} `{}`: {error}.", path.as_ref()))
    }

    /// With a way out.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// How the command ends.
    pub fn exit(&self) -> Exit {
        self.exit
    }
}

impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Self {
        match &error {
            OpenError::Unreachable { path, reason } => {
                let problem = Self::usage(format!("Cannot open `{path}`: {reason}."));
                problem.help("Name a folder with a `mlp.toml`, or a `.mlp` file.")
            }
            OpenError::NoProject(path) => {
                Self::usage(format!("There is no `mlp.toml` in `{path}` or in any folder above it."))
                    .help("Begin a project with `mlp new NAME`, name one with `-C DIR`, or name a single `.mlp` file.")
            }
            OpenError::NotASource(_) | OpenError::NotUtf8(_) => Self::usage(sentence(&error.to_string())),
        }
    }
}

impl From<RunError> for Problem {
    fn from(error: RunError) -> Self {
        let message = sentence(&error.to_string());
        match error {
            RunError::State { .. } | RunError::Metadata { .. } => Self::machine(message)
                .help("Check that the project's folder can be written and that the disk is not full."),
            RunError::NewerMetadata { .. }
            | RunError::DamagedMetadata { .. }
            | RunError::NotEnough { .. }
            | RunError::Plan(_) => Self::machine(message),
            RunError::UnknownPipeline { .. }
            | RunError::UnknownParameter { .. }
            | RunError::UnknownRun { .. }
            | RunError::UnknownNode { .. } => Self::usage(message),
            RunError::MissingParameter { name, .. } => {
                Self::usage(message).help(format!("Give it with `-p {name}=VALUE`."))
            }
            RunError::BadParameter { .. } => Self::usage(message),
        }
    }
}

impl From<RegistryError> for Problem {
    fn from(error: RegistryError) -> Self {
        let message = sentence(&error.to_string());
        match error {
            RegistryError::Damaged { remedy, .. } => Self::machine(message).help(remedy),
            RegistryError::Io { .. } => Self::machine(message),
            RegistryError::NoModel { .. }
            | RegistryError::NoVersion { .. }
            | RegistryError::NothingToRollBackTo { .. }
            | RegistryError::Selector { .. } => Self::usage(message),
        }
    }
}
