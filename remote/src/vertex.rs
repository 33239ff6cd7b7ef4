//! Vertex AI Pipelines over its REST API `v1`.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::http::{Call, Client, escaped, text_field};
use crate::watch::{Snapshot, State, TaskSnapshot, Watch};
use crate::{Environment, RemoteError, Started};

/// The variable of `gcloud` with another address of the API.
const ENDPOINT_VARIABLE: &str = "CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM";

/// The API in one region of one project.
#[derive(Clone, Debug)]
pub struct Vertex {
    client: Client,
    endpoint: String,
    project: String,
    region: String,
}

/// A run.
#[derive(Clone, Debug)]
pub struct VertexRun<'a> {
    vertex: &'a Vertex,
    id: String,
}

impl Vertex {
    /// The API of a region, with an access token.
    #[must_use]
    pub fn new(project: &str, region: &str, client: Client, token: &str, environment: &Environment) -> Self {
        let endpoint = environment
            .variable(ENDPOINT_VARIABLE)
            .map(str::to_owned)
            .unwrap_or_else(|| format!("https://{region}-aiplatform.googleapis.com"));
        Self {
            client: client.with_header("Authorization", format!("Bearer {token}")),
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            project: project.to_owned(),
            region: region.to_owned(),
        }
    }

    fn url(&self, path: &str) -> String {
        format!(
            "{}/v1/projects/{}/locations/{}/{path}",
            self.endpoint,
            escaped(&self.project),
            escaped(&self.region)
        )
    }

    /// Starts a run: `body` is the request that the target wrote, to which the parameters are added. The id makes sending
    /// it twice harmless.
    ///
    /// # Errors
    /// When the platform cannot be reached or refuses.
    pub fn submit(
        &self,
        id: &str,
        run: &str,
        mut body: Json,
        parameters: &BTreeMap<String, Json>,
    ) -> Result<Started, RemoteError> {
        let url = self.url(&format!("pipelineJobs?pipelineJobId={}", escaped(id)));
        if !body.is_object() || !body["runtimeConfig"].is_object() {
            return Err(RemoteError::Answer {
                url,
                message: "the request has no `runtimeConfig`".to_owned(),
            });
        }
        body["displayName"] = json!(run);
        for (name, value) in parameters {
            body["runtimeConfig"]["parameterValues"][name.as_str()] = value.clone();
        }
        let mut call = Call::post(&url, &body);
        call.repeatable = true;
        match self.client.send(&call) {
            Ok(answer) => text_field(&answer, "name", &url).map(drop)?,
            // An earlier attempt got through, and its answer was lost.
            Err(error) if error.status() == Some(409) => {
                self.client
                    .send(&Call::get(&self.url(&format!("pipelineJobs/{}", escaped(id)))))?;
            }
            Err(error) => return Err(error),
        }
        let page = format!(
            "https://console.cloud.google.com/vertex-ai/locations/{}/pipelines/runs/{id}?project={}",
            self.region, self.project
        );
        Ok(Started {
            id: id.to_owned(),
            page,
        })
    }

    /// A run to be watched.
    #[must_use]
    pub fn run(&self, id: &str) -> VertexRun<'_> {
        VertexRun {
            vertex: self,
            id: id.to_owned(),
        }
    }
}

impl Watch for VertexRun<'_> {
    fn snapshot(&self) -> Result<Snapshot, RemoteError> {
        let url = self.vertex.url(&format!("pipelineJobs/{}", escaped(&self.id)));
        let answer = self.vertex.client.send(&Call::get(&url))?;
        let details = answer.pointer("/jobDetail/taskDetails").and_then(Json::as_array);
        let tasks = details.into_iter().flatten().filter_map(|task| {
            // A 64-bit integer, which JSON carries as text.
            let id = task["taskId"]
                .as_str()
                .map_or_else(|| task["taskId"].to_string(), str::to_owned);
            let name = task["taskName"].as_str()?;
            let snapshot = TaskSnapshot {
                name: name.to_owned(),
                state: task_state(task["state"].as_str().unwrap_or_default()),
                error: task.pointer("/error/message").and_then(Json::as_str).map(str::to_owned),
            };
            Some((id, snapshot))
        });
        Ok(Snapshot {
            state: run_state(answer["state"].as_str().unwrap_or_default()),
            error: answer
                .pointer("/error/message")
                .and_then(Json::as_str)
                .map(str::to_owned),
            tasks: tasks.collect(),
        })
    }
}

fn run_state(name: &str) -> State {
    match name {
        "PIPELINE_STATE_SUCCEEDED" => State::Succeeded,
        "PIPELINE_STATE_FAILED" => State::Failed,
        "PIPELINE_STATE_CANCELLED" => State::Cancelled,
        "PIPELINE_STATE_RUNNING" | "PIPELINE_STATE_CANCELLING" | "PIPELINE_STATE_PAUSED" => State::Running,
        _ => State::Waiting,
    }
}

fn task_state(name: &str) -> State {
    match name {
        "SUCCEEDED" => State::Succeeded,
        "SKIPPED" | "NOT_TRIGGERED" => State::Skipped,
        "FAILED" => State::Failed,
        "CANCELLED" => State::Cancelled,
        "RUNNING" | "CANCEL_PENDING" | "CANCELLING" => State::Running,
        _ => State::Waiting,
    }
}
