//! What can go wrong with the registry, each with a way out.

use camino::Utf8PathBuf;

use super::Selector;

/// Why the registry could not answer.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// No model of that name.
    #[error("the registry has no model `{name}`; {}", known(known_names))]
    NoModel {
        /// The name that was asked for.
        name: String,
        /// The names that exist.
        known_names: Vec<String>,
    },
    /// The model has no such version or alias.
    #[error("model `{name}` has no {selector}; `mlp registry show {name}` lists what it has")]
    NoVersion {
        /// The model's name in the registry.
        name: String,
        /// What was asked for.
        selector: Selector,
    },
    /// No previous champion.
    #[error(
        "model `{name}` has no previous champion to roll back to; promote a version instead: `mlp registry promote {name} VERSION`"
    )]
    NothingToRollBackTo {
        /// The model's name in the registry.
        name: String,
    },
    /// Neither a number nor an alias.
    #[error("`{text}` names no version; write a number (`3`) or one of `champion`, `challenger`, `previous`")]
    Selector {
        /// What was written.
        text: String,
    },
    /// A file of the registry is not what was written there.
    #[error("the registry's {path} is damaged: {problem}")]
    Damaged {
        /// The file or folder.
        path: Utf8PathBuf,
        /// What is wrong with it.
        problem: String,
        /// What to do about it, a full sentence.
        remedy: String,
    },
    /// The machine failed.
    #[error("{action}: {source}")]
    Io {
        /// What was being done, with the path.
        action: String,
        /// The system's error.
        source: std::io::Error,
    },
}

fn known(names: &[String]) -> String {
    if names.is_empty() {
        "nothing has been registered yet: a pipeline does it with `register(…)`".to_owned()
    } else {
        format!("it has {}", names.join(", "))
    }
}

impl RegistryError {
    /// Wraps a system error: `reading .mlp/registry/…`.
    pub(super) fn io(action: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }
}
