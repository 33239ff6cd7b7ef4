//! What goes wrong with Airflow, and what the user can do about it.

use super::{PASSWORD_VARIABLE, Release, TOKEN_VARIABLE, USER_VARIABLE};
use crate::RemoteError;

/// Why a run was not started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AirflowError {
    /// Airflow cannot be reached, or refuses.
    #[error("{action}: {error}")]
    Remote {
        /// What did not work.
        action: &'static str,
        /// Why.
        error: RemoteError,
    },
    /// User and password give no token.
    #[error("Airflow gives no token for the user of {USER_VARIABLE}: {0}")]
    SignIn(RemoteError),
    /// A user without a password, or the other way round: the variable that is not set.
    #[error("{USER_VARIABLE} and {PASSWORD_VARIABLE} belong together, and {0} is not set")]
    HalfOfTheCredentials(&'static str),
    /// There is no such API at the address.
    #[error("{url} does not exist, so there is no Airflow {} there", .release.number())]
    NoSuchApi {
        /// What was asked.
        url: String,
        /// The release of the target.
        release: Release,
    },
    /// The API is that of another release.
    #[error("The target is for Airflow {}, and the one at its `host` is {found}", .expected.number())]
    OtherRelease {
        /// The version that it says.
        found: String,
        /// The release of the target.
        expected: Release,
    },
    /// Airflow cannot import the file.
    #[error("Airflow cannot import `{file}`, so no run was started. Python says:\n{trace}")]
    Import {
        /// The file.
        file: String,
        /// What Python said.
        trace: String,
    },
    /// Airflow has not read the file in time.
    #[error("Airflow has not read this version of the DAG `{dag}` in {seconds} seconds, so no run was started")]
    Unread {
        /// The DAG.
        dag: String,
        /// The file that it has read a DAG of this name from.
        other: Option<String>,
        /// How long was waited.
        seconds: u64,
    },
    /// The user did not want to wait any longer.
    #[error("Nothing waits any longer for Airflow to read the file, and no run was started")]
    Stopped,
}

impl AirflowError {
    /// What the user can do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Remote { error, .. } => help(error),
            Self::SignIn(error) => match error.status() {
                Some(401 | 403) => {
                    format!("See that {USER_VARIABLE} and {PASSWORD_VARIABLE} are those of a user of this Airflow.")
                }
                Some(404 | 405) => format!(
                    "This Airflow gives no tokens for passwords. Put a token of whoever signs its users in into {TOKEN_VARIABLE}."
                ),
                Some(_) | None => help(error),
            },
            Self::HalfOfTheCredentials(_) => format!("Set both, or put a token into {TOKEN_VARIABLE}."),
            Self::NoSuchApi { release, .. } => {
                let other = match release {
                    Release::Two => "3 (the default)",
                    Release::Three => "2",
                };
                format!(
                    "See that the `host` of the target is Airflow's address with the path below which it is served. If it is \
                     Airflow {other}, set the target's `version` to that."
                )
            }
            Self::OtherRelease { found, .. } => format!(
                "Set the target's `version` to \"{}\", so that the DAG file is written for that release.",
                found.split('.').next().unwrap_or(found)
            ),
            Self::Import { .. } => {
                "The file stays where it is, and `mlp submit` tries again. A module that is missing belongs into \
                 Airflow's own environment: a provider, or what the target's `notify` names."
                    .to_owned()
            }
            Self::Unread { other, .. } => unread(other.as_deref()),
            Self::Stopped => {
                "The file stays where it is, and Airflow will read it; `mlp submit` once more then starts the run."
                    .to_owned()
            }
        }
    }
}

fn unread(other: Option<&str>) -> String {
    match other {
        Some(file) => format!(
            "It knows the DAG from `{file}`: see that this is the file that was placed, that no other file has a DAG of that \
             name, and that Airflow's DAG processor runs."
        ),
        None => "See that the `dags` of the target is the folder that Airflow reads, and that its DAG processor runs. Airflow looks \
                 for new files every five minutes unless `refresh_interval` of `[dag_processor]` says otherwise."
            .to_owned(),
    }
}

fn help(error: &RemoteError) -> String {
    match error.status() {
        Some(300..=399 | 401) => format!(
            "Airflow wants to know who asks: put a token into {TOKEN_VARIABLE}, or a user into {USER_VARIABLE} and \
             {PASSWORD_VARIABLE}. A token may also have expired."
        ),
        // Airflow answers 403 to a token that it cannot read, too.
        Some(403) => format!(
            "This user may not do that, or the token of {TOKEN_VARIABLE} is not one of this Airflow's. Reading DAGs and import \
             errors, starting runs and (for `--unpause`) changing DAGs are rights that whoever runs Airflow gives."
        ),
        Some(404) => {
            "Airflow no longer has what was asked for. See whether the DAG file is still in its folder.".to_owned()
        }
        Some(400 | 409 | 422) => "Airflow's own words say what it did not accept.".to_owned(),
        Some(_) | None => error.help().to_owned(),
    }
}
