//! Airflow over its REST API, `v2` of Airflow 3 and `v1` of Airflow 2: signing in, waiting until a DAG file has been read,
//! unpausing, starting a run.
//!
//! It places no files: where Airflow finds them is the caller's. Watching a run is in [`watching`].

mod failure;
mod watching;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use ureq::http::Method;

pub use failure::AirflowError;
pub use watching::AirflowRun;

use crate::http::{Call, Client, escaped, text_field};
use crate::watch::pause;
use crate::{Environment, RemoteError, Started};

/// The variable with a token.
pub const TOKEN_VARIABLE: &str = "MLP_AIRFLOW_TOKEN";
/// The variable with the name of a user.
pub const USER_VARIABLE: &str = "MLP_AIRFLOW_USER";
/// The variable with that user's password.
pub const PASSWORD_VARIABLE: &str = "MLP_AIRFLOW_PASSWORD";
/// How many entries are asked for at once: the most that Airflow gives unless it is set up otherwise.
const PAGE: usize = 100;
/// How often Airflow is asked whether it has read a file.
const LOOK: Duration = Duration::from_secs(1);

/// The release that answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// Airflow 2: API `v1`.
    Two,
    /// Airflow 3: API `v2`.
    Three,
}

impl Release {
    fn api(self) -> &'static str {
        match self {
            Self::Two => "api/v1",
            Self::Three => "api/v2",
        }
    }

    /// As a target names it.
    #[must_use]
    pub fn number(self) -> &'static str {
        match self {
            Self::Two => "2",
            Self::Three => "3",
        }
    }
}

/// The API of one installation.
#[derive(Clone, Debug)]
pub struct Airflow {
    client: Client,
    host: String,
    release: Release,
}

/// A DAG as Airflow knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dag {
    /// Whether its runs wait.
    pub paused: bool,
    /// Whether its file is gone.
    pub stale: bool,
    /// Its documentation.
    pub documentation: String,
    /// The file that it was read from.
    pub file: String,
    /// What Airflow calls that file in its API.
    token: Option<String>,
}

/// A file that Airflow could not read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImportError {
    /// Which, and when.
    seen: (String, String),
    /// The file.
    pub file: String,
    /// What Python said.
    pub trace: String,
}

/// A DAG file that Airflow is to read.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The DAG.
    pub dag: &'a str,
    /// The file's name without folders.
    pub file: &'a str,
    /// A text that stands in the documentation of this version of the DAG, and of no other.
    pub version: &'a str,
    /// The errors that Airflow showed for the file before it was placed.
    pub old_errors: &'a BTreeSet<ImportError>,
}

impl Expected<'_> {
    /// Whether a DAG is this one.
    #[must_use]
    pub fn is(&self, dag: &Dag) -> bool {
        !dag.stale && dag.documentation.contains(self.version)
    }
}

/// A run to be started.
#[derive(Clone, Copy, Debug)]
pub struct Trigger<'a> {
    /// The DAG.
    pub dag: &'a str,
    /// The run's id, which makes sending it twice harmless.
    pub run: &'a str,
    /// What a person says about it.
    pub note: Option<&'a str>,
    /// Values of parameters.
    pub parameters: &'a BTreeMap<String, Json>,
}

impl Airflow {
    /// The API at an address, signed in with what the environment holds, if it holds anything; asked for its release.
    ///
    /// # Errors
    /// When it cannot be reached, refuses the credentials, or is of another release.
    pub fn connect(
        host: &str,
        release: Release,
        client: Client,
        environment: &Environment,
    ) -> Result<Self, AirflowError> {
        let host = host.trim_end_matches('/');
        let host = match host.contains("://") {
            true => host.to_owned(),
            false => format!("http://{host}"),
        };
        let client = client.with_header("Accept", "application/json".to_owned());
        let mut airflow = Self { client, host, release };
        airflow.is_of_the_release()?;
        if let Some(header) = airflow.credentials(environment)? {
            airflow.client = airflow.client.with_header("Authorization", header);
        }
        Ok(airflow)
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{}/{path}", self.host, self.release.api())
    }

    fn get(&self, path: &str) -> Result<Json, RemoteError> {
        self.client.send(&Call::get(&self.url(path)))
    }

    /// Airflow says which one it is to everyone; another release says that there is no such address.
    fn is_of_the_release(&self) -> Result<(), AirflowError> {
        let url = self.url("version");
        let answer = self
            .get("version")
            .and_then(|answer| text_field(&answer, "version", &url));
        let found = match answer {
            Ok(found) => found,
            Err(error) if error.status() == Some(404) => {
                let release = self.release;
                return Err(AirflowError::NoSuchApi { url, release });
            }
            Err(error) => return Err(failed("Airflow cannot be asked which release it is")(error)),
        };
        match found.split('.').next() == Some(self.release.number()) {
            true => Ok(()),
            false => Err(AirflowError::OtherRelease {
                found,
                expected: self.release,
            }),
        }
    }

    /// The header with credentials: a token, else what user and password are worth to this release.
    fn credentials(&self, environment: &Environment) -> Result<Option<String>, AirflowError> {
        if let Some(token) = environment.variable(TOKEN_VARIABLE) {
            return Ok(Some(format!("Bearer {}", token.trim())));
        }
        let (user, password) = match (
            environment.variable(USER_VARIABLE),
            environment.variable(PASSWORD_VARIABLE),
        ) {
            (Some(user), Some(password)) => (user, password),
            (None, None) => return Ok(None),
            (Some(_), None) => return Err(AirflowError::HalfOfTheCredentials(PASSWORD_VARIABLE)),
            (None, Some(_)) => return Err(AirflowError::HalfOfTheCredentials(USER_VARIABLE)),
        };
        match self.release {
            Release::Two => Ok(Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))),
            Release::Three => Ok(Some(format!("Bearer {}", self.token(user, password)?))),
        }
    }

    fn token(&self, user: &str, password: &str) -> Result<String, AirflowError> {
        let url = format!("{}/auth/token", self.host);
        let mut call = Call::post(&url, &json!({ "username": user, "password": password }));
        call.repeatable = true;
        let answer = self
            .client
            .send(&call)
            .and_then(|answer| text_field(&answer, "access_token", &url));
        answer.map_err(|error| AirflowError::SignIn(without(password, error)))
    }

    /// A DAG, if Airflow has ever read one of that name.
    ///
    /// # Errors
    /// When Airflow cannot be reached or refuses.
    pub fn dag(&self, dag: &str) -> Result<Option<Dag>, AirflowError> {
        let path = format!("dags/{}/details", escaped(dag));
        let answer = match self.get(&path) {
            Ok(answer) => answer,
            Err(error) if error.status() == Some(404) => return Ok(None),
            Err(error) => return Err(failed("Airflow does not say how the DAG stands")(error)),
        };
        let stale = match self.release {
            Release::Two => answer["is_active"] == json!(false),
            Release::Three => answer["is_stale"] == json!(true),
        };
        let text = |field: &str| answer[field].as_str().unwrap_or_default().to_owned();
        Ok(Some(Dag {
            paused: answer["is_paused"] == json!(true),
            stale,
            documentation: text("doc_md"),
            file: text("fileloc"),
            token: answer["file_token"].as_str().map(str::to_owned),
        }))
    }

    /// What Airflow could not read in files of that name.
    ///
    /// # Errors
    /// When Airflow cannot be reached or refuses.
    pub fn import_errors(&self, file: &str) -> Result<BTreeSet<ImportError>, AirflowError> {
        let entries = self
            .all("importErrors", "import_errors")
            .map_err(failed("Airflow does not say which files it cannot read"))?;
        let text = |entry: &Json, field: &str| entry[field].as_str().unwrap_or_default().to_owned();
        Ok(entries
            .iter()
            .map(|entry| ImportError {
                seen: (entry["import_error_id"].to_string(), text(entry, "timestamp")),
                file: text(entry, "filename"),
                trace: text(entry, "stack_trace"),
            })
            .filter(|error| error.file.rsplit('/').next() == Some(file))
            .collect())
    }

    /// All entries of a listing, page by page.
    fn all(&self, listing: &str, field: &str) -> Result<Vec<Json>, RemoteError> {
        let mut found = Vec::new();
        loop {
            let mut answer = self.get(&format!("{listing}?limit={PAGE}&offset={}", found.len()))?;
            let total = answer["total_entries"].as_u64().unwrap_or_default();
            let Json::Array(entries) = answer[field].take() else {
                return Err(RemoteError::Answer {
                    url: self.url(listing),
                    message: format!("it has no `{field}`"),
                });
            };
            let is_last = entries.is_empty();
            found.extend(entries);
            if is_last || u64::try_from(found.len()).is_ok_and(|count| count >= total) {
                return Ok(found);
            }
        }
    }

    /// Waits until Airflow has read a file; asks it to do so soon where it knows the file already.
    ///
    /// # Errors
    /// When Airflow cannot read the file, has not done so at the deadline, or `stop` says so.
    pub fn read(
        &self,
        expected: &Expected<'_>,
        deadline: Duration,
        stop: &dyn Fn() -> bool,
    ) -> Result<Dag, AirflowError> {
        let begin = Instant::now();
        let mut asked = false;
        loop {
            let dag = self.dag(expected.dag)?;
            let broken = self.import_errors(expected.file)?;
            if let Some(error) = broken.difference(expected.old_errors).next() {
                return Err(AirflowError::Import {
                    file: error.file.clone(),
                    trace: error.trace.trim_end().to_owned(),
                });
            }
            match dag {
                Some(dag) if expected.is(&dag) => return Ok(dag),
                found => {
                    if stop() {
                        return Err(AirflowError::Stopped);
                    }
                    if begin.elapsed() >= deadline {
                        return Err(AirflowError::Unread {
                            dag: expected.dag.to_owned(),
                            other: found.filter(|dag| !dag.stale).map(|dag| dag.file),
                            seconds: deadline.as_secs(),
                        });
                    }
                    if let (Some(token), false) = (found.and_then(|dag| dag.token), asked) {
                        asked = true;
                        self.hurry(&token);
                    }
                    pause(LOOK.min(deadline), stop);
                }
            }
        }
    }

    /// Asks for a file to be read soon. Who may not ask for it waits a little longer, so a refusal means nothing.
    fn hurry(&self, token: &str) {
        let url = self.url(&format!("parseDagFile/{}", escaped(token)));
        let _ = self.client.send(&Call {
            method: Method::PUT,
            url: &url,
            body: None,
            repeatable: false,
        });
    }

    /// Lets the runs of a DAG begin, those of its schedule too.
    ///
    /// # Errors
    /// When Airflow cannot be reached or refuses.
    pub fn unpause(&self, dag: &str) -> Result<(), AirflowError> {
        let url = self.url(&format!("dags/{}?update_mask=is_paused", escaped(dag)));
        let body = json!({ "is_paused": false }).to_string().into_bytes();
        let answer = self.client.send(&Call {
            method: Method::PATCH,
            url: &url,
            body: Some(("application/json", body)),
            repeatable: true,
        });
        answer.map(drop).map_err(failed("The DAG could not be unpaused"))
    }

    /// Starts a run.
    ///
    /// # Errors
    /// When Airflow cannot be reached or refuses.
    pub fn trigger(&self, trigger: &Trigger<'_>) -> Result<Started, AirflowError> {
        let failed = failed("The run could not be started");
        let runs = format!("dags/{}/dagRuns", escaped(trigger.dag));
        let mut body = json!({ "dag_run_id": trigger.run, "conf": trigger.parameters });
        if let Some(note) = trigger.note {
            body["note"] = json!(note);
        }
        match self.release {
            Release::Two => {}
            // A run that was asked for belongs to no date of a schedule; the API wants that said.
            Release::Three => body["logical_date"] = Json::Null,
        }
        let url = self.url(&runs);
        let mut call = Call::post(&url, &body);
        call.repeatable = true;
        match self.client.send(&call) {
            Ok(_) => {}
            // An earlier attempt got through, and its answer was lost.
            Err(error) if error.status() == Some(409) => {
                self.get(&format!("{runs}/{}", escaped(trigger.run))).map_err(failed)?;
            }
            Err(error) => return Err(failed(error)),
        }
        Ok(Started {
            id: trigger.run.to_owned(),
            page: self.page(trigger.dag, trigger.run),
        })
    }

    fn page(&self, dag: &str, run: &str) -> String {
        let (dag, run) = (escaped(dag), escaped(run));
        match self.release {
            Release::Two => format!("{}/dags/{dag}/grid?dag_run_id={run}", self.host),
            Release::Three => format!("{}/dags/{dag}/runs/{run}", self.host),
        }
    }

    /// A run to be watched.
    #[must_use]
    pub fn run(&self, dag: &str, run: &str) -> AirflowRun<'_> {
        AirflowRun::new(self, dag, run)
    }
}

/// Says what did not work.
fn failed(action: &'static str) -> impl Fn(RemoteError) -> AirflowError {
    move |error| AirflowError::Remote { action, error }
}

/// The same error without a password that a server may have sent back.
fn without(password: &str, error: RemoteError) -> RemoteError {
    match error {
        RemoteError::Refused { url, status, message } => RemoteError::Refused {
            url,
            status,
            message: message.replace(password, "***"),
        },
        RemoteError::Answer { url, message } => RemoteError::Answer {
            url,
            message: message.replace(password, "***"),
        },
        other @ (RemoteError::Unreachable { .. } | RemoteError::Credentials(_)) => other,
    }
}
