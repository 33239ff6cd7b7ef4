//! Kubeflow Pipelines over its REST API `v2beta1`: pipeline and version uploaded, experiment found or made, run created.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value as Json, json};
use ureq::http::Method;

use crate::http::{Call, Client, escaped, text_field};
use crate::watch::{Snapshot, State, TaskSnapshot, Watch};
use crate::{Environment, RemoteError, Started};

/// The variable with a token.
pub const TOKEN_VARIABLE: &str = "MLP_KUBEFLOW_TOKEN";
/// The variable with a cookie of a session in the browser.
pub const COOKIE_VARIABLE: &str = "MLP_KUBEFLOW_COOKIE";
/// The variable of `kfp` with the address.
pub const ENDPOINT_VARIABLE: &str = "KF_PIPELINES_ENDPOINT";
/// The variable of `kfp` with the path of a token.
const TOKEN_PATH_VARIABLE: &str = "KF_PIPELINES_SA_TOKEN_PATH";
/// Where pods of Kubeflow find their token.
const POD_TOKEN: &str = "/var/run/secrets/kubeflow/pipelines/token";

/// The API of one installation.
#[derive(Clone, Debug)]
pub struct Kubeflow {
    client: Client,
    host: String,
}

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Submission<'a> {
    /// The pipeline's name.
    pub pipeline: &'a str,
    /// The name of this version: the same text gives the same version.
    pub version: &'a str,
    /// The specification as YAML.
    pub specification: &'a str,
    /// What the run is called.
    pub run: &'a str,
    /// The experiment, made when it is not there.
    pub experiment: &'a str,
    /// The namespace.
    pub namespace: Option<&'a str>,
    /// Values of parameters.
    pub parameters: &'a BTreeMap<String, Json>,
    /// Where artifacts go.
    pub root: Option<&'a str>,
    /// The Kubernetes service account.
    pub service_account: Option<&'a str>,
}

/// A run.
#[derive(Clone, Debug)]
pub struct KubeflowRun<'a> {
    kubeflow: &'a Kubeflow,
    id: String,
}

impl Kubeflow {
    /// The API at an address, with the credentials that the environment or the platform's files hold.
    ///
    /// # Errors
    /// When a file with credentials cannot be read.
    pub fn new(host: &str, client: Client, environment: &Environment) -> Result<Self, RemoteError> {
        let client = match credentials(environment)? {
            Some((header, value)) => client.with_header(header, value),
            None => client,
        };
        let host = host.trim_end_matches('/');
        let host = if host.contains("://") {
            host.to_owned()
        } else {
            format!("http://{host}")
        };
        Ok(Self { client, host })
    }

    fn url(&self, path: &str) -> String {
        format!("{}/apis/v2beta1/{path}", self.host)
    }

    /// Uploads what is not there yet, and starts a run.
    ///
    /// # Errors
    /// When the platform cannot be reached or refuses.
    pub fn submit(&self, submission: &Submission<'_>) -> Result<Started, RemoteError> {
        let pipeline = self.pipeline(submission)?;
        let version = self.version(submission, &pipeline)?;
        let experiment = self.experiment(submission)?;
        let mut body = json!({
            "display_name": submission.run,
            "experiment_id": experiment,
            "pipeline_version_reference": { "pipeline_id": pipeline, "pipeline_version_id": version },
            "runtime_config": { "parameters": submission.parameters },
        });
        if let Some(root) = submission.root {
            body["runtime_config"]["pipeline_root"] = json!(root);
        }
        if let Some(account) = submission.service_account {
            body["service_account"] = json!(account);
        }
        let url = self.url("runs");
        let answer = self.client.send(&Call::post(&url, &body))?;
        let id = text_field(&answer, "run_id", &url)?;
        let page = format!("{}/#/runs/details/{id}", self.host);
        Ok(Started { id, page })
    }

    /// A run to be watched.
    #[must_use]
    pub fn run(&self, id: &str) -> KubeflowRun<'_> {
        KubeflowRun {
            kubeflow: self,
            id: id.to_owned(),
        }
    }

    /// The id of the pipeline; it is made without a version when it is not there.
    fn pipeline(&self, submission: &Submission<'_>) -> Result<String, RemoteError> {
        let mut url = self.url(&format!("pipelines/names/{}", escaped(submission.pipeline)));
        if let Some(namespace) = submission.namespace {
            url.push_str(&format!("?namespace={}", escaped(namespace)));
        }
        match self.client.send(&Call::get(&url)) {
            Ok(answer) => return text_field(&answer, "pipeline_id", &url),
            Err(error) if error.status() == Some(404) => {}
            Err(error) => return Err(error),
        }
        let mut body = json!({ "name": submission.pipeline, "display_name": submission.pipeline });
        if let Some(namespace) = submission.namespace {
            body["namespace"] = json!(namespace);
        }
        let url = self.url("pipelines");
        let answer = self.client.send(&Call::post(&url, &body))?;
        text_field(&answer, "pipeline_id", &url)
    }

    /// The id of the version; it is uploaded when it is not there.
    fn version(&self, submission: &Submission<'_>, pipeline: &str) -> Result<String, RemoteError> {
        if let Some(found) = self.find(
            &format!("pipelines/{}/versions", escaped(pipeline)),
            "pipeline_versions",
            submission.version,
            None,
        )? {
            return text_field(&found, "pipeline_version_id", &self.url("pipelines"));
        }
        let url = self.url(&format!(
            "pipelines/upload_version?name={}&pipelineid={}",
            escaped(submission.version),
            escaped(pipeline)
        ));
        let (media_type, body) = form(submission.specification);
        let answer = self.client.send(&Call {
            method: Method::POST,
            url: &url,
            body: Some((&media_type, body)),
            repeatable: false,
        })?;
        text_field(&answer, "pipeline_version_id", &url)
    }

    fn experiment(&self, submission: &Submission<'_>) -> Result<String, RemoteError> {
        let url = self.url("experiments");
        if let Some(found) = self.find(
            "experiments",
            "experiments",
            submission.experiment,
            submission.namespace,
        )? {
            return text_field(&found, "experiment_id", &url);
        }
        let mut body = json!({ "display_name": submission.experiment });
        if let Some(namespace) = submission.namespace {
            body["namespace"] = json!(namespace);
        }
        let answer = self.client.send(&Call::post(&url, &body))?;
        text_field(&answer, "experiment_id", &url)
    }

    /// The entry of a listing whose name or display name it is.
    fn find(
        &self,
        listing: &str,
        field: &str,
        name: &str,
        namespace: Option<&str>,
    ) -> Result<Option<Json>, RemoteError> {
        let filter = json!({
            "predicates": [{ "operation": "EQUALS", "key": "display_name", "string_value": name }]
        });
        let mut url = self.url(&format!("{listing}?filter={}", escaped(&filter.to_string())));
        if let Some(namespace) = namespace {
            url.push_str(&format!("&namespace={}", escaped(namespace)));
        }
        let answer = self.client.send(&Call::get(&url))?;
        let entries = answer.get(field).and_then(Json::as_array);
        Ok(entries
            .into_iter()
            .flatten()
            .find(|entry| entry["display_name"] == name)
            .cloned())
    }
}

impl Watch for KubeflowRun<'_> {
    fn snapshot(&self) -> Result<Snapshot, RemoteError> {
        let url = self.kubeflow.url(&format!("runs/{}", escaped(&self.id)));
        let answer = self.kubeflow.client.send(&Call::get(&url))?;
        let details = answer.pointer("/run_details/task_details").and_then(Json::as_array);
        let tasks = details.into_iter().flatten().filter_map(|task| {
            let id = task["task_id"].as_str()?;
            let name = task["display_name"].as_str().unwrap_or(id);
            // The drivers that the platform puts before each task say nothing to the user.
            let is_shown = !name.ends_with("-driver") && name != "executor" && name != "root";
            is_shown.then(|| {
                let snapshot = TaskSnapshot {
                    name: name.to_owned(),
                    state: state(task["state"].as_str().unwrap_or_default()),
                    error: task.pointer("/error/message").and_then(Json::as_str).map(str::to_owned),
                };
                (id.to_owned(), snapshot)
            })
        });
        Ok(Snapshot {
            state: state(answer["state"].as_str().unwrap_or_default()),
            error: answer
                .pointer("/error/message")
                .and_then(Json::as_str)
                .map(str::to_owned),
            tasks: tasks.collect(),
        })
    }
}

fn state(name: &str) -> State {
    match name {
        "SUCCEEDED" => State::Succeeded,
        "SKIPPED" => State::Skipped,
        "FAILED" => State::Failed,
        "CANCELED" => State::Cancelled,
        "RUNNING" | "CANCELING" | "PAUSED" => State::Running,
        _ => State::Waiting,
    }
}

/// The header with credentials, from where `kfp` looks for them and from two variables of our own.
fn credentials(environment: &Environment) -> Result<Option<(&'static str, String)>, RemoteError> {
    if let Some(token) = environment.variable(TOKEN_VARIABLE) {
        return Ok(Some(("Authorization", format!("Bearer {}", token.trim()))));
    }
    if let Some(path) = environment.variable(TOKEN_PATH_VARIABLE) {
        let token = fs::read_to_string(path).map_err(|error| {
            RemoteError::Credentials(format!(
                "The token {path} of {TOKEN_PATH_VARIABLE} cannot be read: {error}."
            ))
        })?;
        return Ok(Some(("Authorization", format!("Bearer {}", token.trim()))));
    }
    if let Some(cookie) = environment.variable(COOKIE_VARIABLE) {
        return Ok(Some(("Cookie", cookie.to_owned())));
    }
    if let Ok(token) = fs::read_to_string(POD_TOKEN) {
        return Ok(Some(("Authorization", format!("Bearer {}", token.trim()))));
    }
    let context = environment
        .home
        .as_ref()
        .map(|home| home.join(".config/kfp/context.json"));
    let cookie = context
        .and_then(|path| fs::read(path).ok())
        .and_then(|bytes| serde_json::from_slice::<Json>(&bytes).ok())
        .and_then(|json| json["client_authentication_cookie"].as_str().map(str::to_owned));
    Ok(cookie.map(|cookie| ("Cookie", cookie)))
}

/// A form with one file in it, under a boundary that does not occur in the file.
fn form(specification: &str) -> (String, Vec<u8>) {
    let boundary = (0_u64..)
        .map(|number| format!("mlp-boundary-{number}"))
        .find(|boundary| !specification.contains(boundary))
        .unwrap_or_default();
    let body = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"uploadfile\"; filename=\"pipeline.yaml\"\r\n\
         Content-Type: application/yaml\r\n\r\n{specification}\r\n--{boundary}--\r\n"
    );
    (format!("multipart/form-data; boundary={boundary}"), body.into_bytes())
}
