//! Predict functions of models, through the shim.

use std::collections::BTreeMap;
use std::fs;

use camino::Utf8Path;
use mlp::plan::{Model, shim_fields};
use serde::Deserialize;
use serde_json::json;

use super::Runner;
use super::environment::{Environment, Environments};
use super::request::{ShimCall, add_variables, write_request};
use crate::events::Failure;
use crate::operations::{PredictError, PredictRequest, PredictResponse, Predictor};
use crate::process::{self, Ending, Log, Program, status_text};

/// Runs predict functions in the environments of their models.
pub(crate) struct PythonPredictor<'a> {
    pub(crate) environments: &'a Environments,
    pub(crate) runner: Runner<'a>,
    /// The project's root.
    pub(crate) project: &'a Utf8Path,
    /// A scratch folder; every call makes one of its own below.
    pub(crate) scratch: &'a Utf8Path,
    /// Makes the logs of the process's output and errors.
    pub(crate) logs: &'a (dyn Fn() -> (Log, Log) + Sync),
    /// Told when an environment is built.
    pub(crate) progress: &'a (dyn Fn(String) + Sync),
    /// Told the locked packages.
    pub(crate) note_lock: &'a (dyn Fn(&[String]) + Sync),
}

/// What the shim leaves.
#[derive(Deserialize)]
struct Measured {
    latencies: Vec<f64>,
}

impl Predictor for PythonPredictor<'_> {
    fn predict(&self, request: &PredictRequest<'_>) -> Result<PredictResponse, PredictError> {
        let model = request.model;
        let environment = self
            .environments
            .get(&model.packages, true, &self.runner, self.progress)
            .map_err(predict_error)?;
        (self.note_lock)(&environment.lock);
        let io = |error: std::io::Error| PredictError {
            summary: format!("The predict function of `{}` cannot be run: {error}.", model.name),
            details: vec!["Make room on the disk, and see that `.mlp` may be written.".to_owned()],
        };
        let scratch = tempfile::Builder::new()
            .prefix(".predict-")
            .tempdir_in(self.scratch)
            .map_err(io)?;
        let folder = Utf8Path::from_path(scratch.path())
            .ok_or_else(|| io(std::io::Error::other("the path of the project is not UTF-8")))?;
        let result = folder.join("result.json");
        let call = write_request(
            &environment,
            folder,
            &json!({
                "mode": "predict",
                "project": self.project,
                "file": model.run.file,
                "function": model.run.function,
                "model": request.artifact,
                "data": request.data,
                "output": request.output,
                "fields": shim_fields(&model.output),
                "task": model.task,
                "latency_samples": request.latency_samples,
                "result": result,
            }),
        )
        .map_err(io)?;
        self.run(model, &environment, &call)
            .map_err(|error| error.unwrap_or_else(io))?;
        let measured: Measured = fs::read(&result)
            .and_then(|text| Ok(serde_json::from_slice(&text)?))
            .map_err(io)?;
        Ok(PredictResponse {
            latencies: measured.latencies,
        })
    }
}

/// What a call failed with: something of the function's, or of the machine's.
enum CallError {
    Told(PredictError),
    Io(std::io::Error),
}

impl CallError {
    fn unwrap_or_else(self, told: impl FnOnce(std::io::Error) -> PredictError) -> PredictError {
        match self {
            Self::Told(error) => error,
            Self::Io(error) => told(error),
        }
    }
}

impl PythonPredictor<'_> {
    fn run(&self, model: &Model, environment: &Environment, call: &ShimCall) -> Result<(), CallError> {
        let mut variables = BTreeMap::from([(self.runner.mark.0.to_owned(), self.runner.mark.1.to_owned())]);
        add_variables(&mut variables, environment);
        let (mut stdout, mut stderr) = (self.logs)();
        let program = Program {
            arguments: &call.arguments,
            folder: self.project,
            inherits: self.runner.inherits,
            environment: &variables,
            timeout: None,
            grace: self.runner.grace,
        };
        let ending = process::run(
            self.runner.handle,
            &program,
            &mut stdout,
            &mut stderr,
            self.runner.cancel,
        )
        .map_err(CallError::Io)?;
        let told = |text: String, details| {
            let summary = format!("The predict function of `{}` {text}", model.name);
            Err(CallError::Told(PredictError { summary, details }))
        };
        match ending {
            Ending::Exited(status) if status.success() => Ok(()),
            Ending::Exited(status) => match call.failure() {
                Some(failure) => told(
                    failure.summary,
                    failure.details.into_iter().chain(failure.help).collect(),
                ),
                None => told(format!("ended with {}.", status_text(status)), stderr.last_lines(20)),
            },
            Ending::TimedOut | Ending::Cancelled => told("was cancelled.".to_owned(), Vec::new()),
        }
    }
}

fn predict_error(failure: Failure) -> PredictError {
    PredictError {
        summary: failure.summary,
        details: failure.details.into_iter().chain(failure.help).collect(),
    }
}
