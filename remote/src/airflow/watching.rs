//! A run of a DAG as Airflow shows it: the states of its tasks, and the end of the log of one that failed.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::Airflow;
use crate::RemoteError;
use crate::http::escaped;
use crate::watch::{Snapshot, State, TaskSnapshot, Watch};

/// How many lines of the log of a failed task are shown.
const SHOWN_LINES: usize = 12;
/// How many parts of a log are asked for at the most.
const LOG_PARTS: usize = 20;

/// A run.
#[derive(Clone, Debug)]
pub struct AirflowRun<'a> {
    airflow: &'a Airflow,
    /// `dags/DAG/dagRuns/RUN`
    path: String,
}

impl<'a> AirflowRun<'a> {
    pub(super) fn new(airflow: &'a Airflow, dag: &str, run: &str) -> Self {
        Self {
            airflow,
            path: format!("dags/{}/dagRuns/{}", escaped(dag), escaped(run)),
        }
    }

    fn tasks(&self) -> Result<Vec<Json>, RemoteError> {
        self.airflow
            .all(&format!("{}/taskInstances", self.path), "task_instances")
    }
}

impl Watch for AirflowRun<'_> {
    fn snapshot(&self) -> Result<Snapshot, RemoteError> {
        // The run first: what ended before it is then among the tasks.
        let run = self.airflow.get(&self.path)?;
        let mut tasks = BTreeMap::new();
        for task in self.tasks()? {
            let Some(id) = task["task_id"].as_str() else { continue };
            let state = task_state(task["state"].as_str().unwrap_or_default());
            // A dash is in the names of the tasks that stand for conditions and loops alone.
            if id.contains('-') && state != State::Failed {
                continue;
            }
            let (key, name) = match task["map_index"].as_i64() {
                Some(index) if index >= 0 => (format!("{id}/{index:09}"), format!("{id}[{index}]")),
                Some(_) | None => (id.to_owned(), id.to_owned()),
            };
            tasks.insert(
                key,
                TaskSnapshot {
                    name,
                    state,
                    error: None,
                },
            );
        }
        let state = run_state(run["state"].as_str().unwrap_or_default());
        let failed: Vec<&str> = tasks
            .values()
            .filter(|task| task.state == State::Failed)
            .map(|task| task.name.as_str())
            .collect();
        let error = (state == State::Failed && !failed.is_empty()).then(|| failed.join(", "));
        Ok(Snapshot { state, error, tasks })
    }

    fn reason(&self, key: &str) -> Option<String> {
        let (task, index) = match key.rsplit_once('/') {
            Some((task, index)) => (task, index.parse::<i64>().ok()?),
            None => (key, -1),
        };
        let path = match index {
            -1 => format!("{}/taskInstances/{}", self.path, escaped(task)),
            index => format!("{}/taskInstances/{}/{index}", self.path, escaped(task)),
        };
        let attempt = self.airflow.get(&path).ok()?["try_number"].as_u64()?;
        let path = format!(
            "{}/taskInstances/{}/logs/{attempt}?full_content=true&map_index={index}",
            self.path,
            escaped(task)
        );
        let mut log = Log::default();
        let mut token: Option<String> = None;
        for _ in 0..LOG_PARTS {
            let mut answer = match &token {
                None => self.airflow.get(&path).ok()?,
                Some(token) => self.airflow.get(&format!("{path}&token={}", escaped(token))).ok()?,
            };
            let events = answer["content"].take();
            token = answer["continuation_token"].as_str().map(str::to_owned);
            if !log.add(events) || token.is_none() {
                break;
            }
        }
        log.end()
    }
}

/// What the log of a task says, without what Airflow itself says around it.
#[derive(Debug, Default)]
struct Log {
    lines: Vec<String>,
    exception: Option<String>,
    /// Inside of a part that Airflow folds away.
    folded: bool,
}

impl Log {
    /// Adds events; whether there were any. Airflow 2 writes a log as one text for people, which is left to its page.
    fn add(&mut self, events: Json) -> bool {
        let Json::Array(events) = events else { return false };
        for event in &events {
            let Some(text) = event["event"].as_str() else { continue };
            match text {
                _ if text.starts_with("::group::") => self.folded = true,
                "::endgroup::" => self.folded = false,
                _ if self.folded => {}
                _ => match exception(&event["error_detail"]) {
                    Some(exception) => self.exception = Some(exception),
                    None => self.lines.extend(text.lines().map(str::to_owned)),
                },
            }
        }
        !events.is_empty()
    }

    /// The exception, and the last lines before it.
    fn end(mut self) -> Option<String> {
        if self.exception.is_none() && self.lines.is_empty() {
            return None;
        }
        let last = self.lines.split_off(self.lines.len().saturating_sub(SHOWN_LINES));
        let exception = self.exception.unwrap_or_else(|| "the end of its log:".to_owned());
        Some([vec![exception], last].concat().join("\n"))
    }
}

/// What was raised: Airflow's own kinds of exception say nothing that their message does not.
fn exception(details: &Json) -> Option<String> {
    let raised = details.as_array()?.first()?;
    let (kind, message) = (raised["exc_type"].as_str()?, raised["exc_value"].as_str()?.trim());
    Some(match (message.is_empty(), kind.starts_with("Airflow")) {
        (true, _) => kind.to_owned(),
        (false, true) => message.to_owned(),
        (false, false) => format!("{kind}: {message}"),
    })
}

fn run_state(name: &str) -> State {
    match name {
        "success" => State::Succeeded,
        "failed" => State::Failed,
        "running" => State::Running,
        _ => State::Waiting,
    }
}

fn task_state(name: &str) -> State {
    match name {
        "success" => State::Succeeded,
        "failed" => State::Failed,
        "skipped" | "upstream_failed" | "removed" => State::Skipped,
        "running" | "restarting" | "deferred" | "awaiting_input" => State::Running,
        _ => State::Waiting,
    }
}
