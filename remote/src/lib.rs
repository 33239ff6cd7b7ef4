//! The world over HTTP: uploads pipelines, starts and watches runs, and asks image registries for digests.
//!
//! It sends what the targets wrote and knows nothing of the language; what runs on this machine is `mlp-runtime`'s.
//!
//! | module | what it does |
//! |---|---|
//! | [`airflow`] | Airflow, API `v2` (and `v1` of Airflow 2) |
//! | [`kubeflow`] | Kubeflow Pipelines, API `v2beta1` |
//! | [`vertex`] | Vertex AI Pipelines, API `v1` |
//! | [`google`] | tokens for Google Cloud |
//! | [`secrets`] | contents of secrets in Secret Manager |
//! | [`images`] | digests of images from their registries |
//! | [`objects`] | artifacts in buckets: S3, Google Cloud Storage, Azure |
//! | [`watch`] | follows a run to its end |
//! | [`http`] | requests, retries, errors |

#![allow(
    clippy::disallowed_methods,
    reason = "only the compiler is kept from the world outside"
)]

pub mod airflow;
pub mod google;
pub mod http;
pub mod images;
pub mod kubeflow;
pub mod objects;
pub mod secrets;
pub mod vertex;
pub mod watch;

pub use http::RemoteError;

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where credentials and addresses are looked for: the variables and the home folder of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Variables by name.
    pub variables: BTreeMap<String, String>,
    /// The home folder.
    pub home: Option<PathBuf>,
}

impl Environment {
    /// That of this process. Variables that are no text are left out.
    #[must_use]
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self {
            variables: std::env::vars_os().filter_map(text).collect(),
            home: std::env::home_dir(),
        }
    }

    /// A variable that is set and not empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

/// A run that was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// Its id on the platform.
    pub id: String,
    /// Where a person looks at it.
    pub page: String,
}
