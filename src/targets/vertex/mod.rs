//! Request bodies of Vertex AI: a run of a pipeline (`PipelineJob`), and a schedule of runs (`Schedule`), as the API v1 has
//! them. Nothing is sent here.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use super::pipeline_spec::PipelineSpec;
use super::{OutputFile, TargetError};
use crate::plan::{FailurePolicy, Pipeline, Plan, Trigger, VertexTarget, exchange_json};
use crate::types::Value;

/// The body of `projects.locations.pipelineJobs.create`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PipelineJob<'a> {
    /// What people read.
    pub display_name: String,
    /// The key with which everything is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_spec: Option<EncryptionSpec>,
    /// Labels of the run.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The network that steps run in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// The pipeline.
    pub pipeline_spec: &'a PipelineSpec,
    /// Where outputs go, and the values of parameters.
    pub runtime_config: RuntimeConfig,
    /// The service account that steps run as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
}

/// A key of the customer's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EncryptionSpec {
    /// `projects/…/locations/…/keyRings/…/cryptoKeys/…`
    pub kms_key_name: String,
}

/// How a pipeline is run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuntimeConfig {
    /// What happens to the rest when a step fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_policy: Option<&'static str>,
    /// Where artifacts go.
    pub gcs_output_directory: String,
    /// Values of parameters, by name.
    pub parameter_values: BTreeMap<String, Json>,
}

/// The body of `projects.locations.schedules.create`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Schedule<'a> {
    /// The run that is started.
    pub create_pipeline_job_request: CreatePipelineJobRequest<'a>,
    /// When, with the time zone in front: `TZ=Europe/Berlin 0 2 * * *`.
    pub cron: String,
    /// What people read.
    pub display_name: String,
    /// How many runs there may be at once: a 64-bit integer, which protobuf writes as text.
    pub max_concurrent_run_count: String,
}

/// A run to be started.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatePipelineJobRequest<'a> {
    /// `projects/PROJECT/locations/REGION`
    pub parent: String,
    /// The run.
    pub pipeline_job: PipelineJob<'a>,
}

/// The body that starts a pipeline with some values; the rest have their defaults.
#[must_use]
pub fn pipeline_job<'a>(
    spec: &'a PipelineSpec,
    target: &VertexTarget,
    values: &BTreeMap<String, Value>,
) -> PipelineJob<'a> {
    let name = spec.pipeline_info.display_name.as_ref();
    PipelineJob {
        display_name: name.unwrap_or(&spec.pipeline_info.name).clone(),
        encryption_spec: target
            .encryption_key
            .clone()
            .map(|kms_key_name| EncryptionSpec { kms_key_name }),
        labels: target.labels.clone(),
        network: target.network.clone(),
        pipeline_spec: spec,
        runtime_config: RuntimeConfig {
            failure_policy: target.failure_policy.map(|policy| match policy {
                FailurePolicy::Slow => "PIPELINE_FAILURE_POLICY_FAIL_SLOW",
                FailurePolicy::Fast => "PIPELINE_FAILURE_POLICY_FAIL_FAST",
            }),
            gcs_output_directory: target.root.clone(),
            parameter_values: values
                .iter()
                .filter(|(_, value)| **value != Value::None)
                .map(|(name, value)| (name.clone(), exchange_json(value)))
                .collect(),
        },
        service_account: target.service_account.clone(),
    }
}

/// The body that starts a pipeline again and again; none for a trigger without a schedule. One run at a time: runs of one
/// pipeline share its registry.
#[must_use]
pub fn schedule<'a>(spec: &'a PipelineSpec, target: &VertexTarget, trigger: &Trigger) -> Option<Schedule<'a>> {
    let cron = trigger.cron.as_deref()?;
    Some(Schedule {
        create_pipeline_job_request: CreatePipelineJobRequest {
            parent: format!("projects/{}/locations/{}", target.project, target.region),
            pipeline_job: pipeline_job(spec, target, &trigger.parameters),
        },
        cron: format!("TZ={} {cron}", trigger.timezone),
        display_name: trigger.name.clone(),
        max_concurrent_run_count: "1".to_owned(),
    })
}

/// The bodies for a pipeline: one to run it with its defaults, and one for each of its triggers. Nothing for a
/// target without settings.
pub(super) fn requests(
    plan: &Plan,
    pipeline: &Pipeline,
    target: &VertexTarget,
    spec: &PipelineSpec,
) -> Result<Vec<OutputFile>, TargetError> {
    if target.root.is_empty() {
        return Ok(Vec::new());
    }
    let job = pipeline_job(spec, target, &BTreeMap::new());
    let mut files = vec![file(format!("{}.job.json", pipeline.name), &job)?];
    for trigger in plan
        .triggers
        .values()
        .filter(|trigger| trigger.pipeline == pipeline.name)
    {
        if let Some(schedule) = schedule(spec, target, trigger) {
            files.push(file(format!("{}.schedule.json", trigger.name), &schedule)?);
        }
    }
    Ok(files)
}

fn file(path: String, body: &impl Serialize) -> Result<OutputFile, TargetError> {
    let text = serde_json::to_string_pretty(body).map_err(|error| TargetError::Write(error.to_string()))?;
    Ok(OutputFile {
        path: path.into(),
        text: text + "\n",
    })
}
