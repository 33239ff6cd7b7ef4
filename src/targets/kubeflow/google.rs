//! Google's own pipeline components, as containers: model upload, endpoint, deployment.
//!
//! The commands and flags are those of `google-cloud-pipeline-components` 2.22.0. Its own compiler writes the payloads with
//! `Concat` and run-time parameters, into which any quotation mark breaks out; here everything is a constant of the program
//! and written by a JSON writer, but for the names of resources that earlier tasks made.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::values::without_placeholders;
use crate::plan::VertexTarget;
use crate::targets::pipeline_spec::{
    ArtifactDefinition, ArtifactSchema, Component, Container, InputDefinitions, OutputDefinitions, ParameterSource,
    ParameterType,
};

/// The image that holds the launchers; a tag can be moved, so `mlp lock` pins it.
pub(in crate::targets) const IMAGE: &str = "gcr.io/ml-pipeline/google-cloud-pipeline-components:2.22.0";
/// A model's files together with the container that serves them.
pub(super) const UNMANAGED_MODEL: &str = "google.UnmanagedContainerModel";
/// A model in Vertex AI's registry.
pub(super) const VERTEX_MODEL: &str = "google.VertexModel";
/// An endpoint.
pub(super) const VERTEX_ENDPOINT: &str = "google.VertexEndpoint";
/// The output with which a launcher finds its job again after it was interrupted.
const RESOURCES: &str = "gcp_resources";

/// How a deployed model runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Machines<'a> {
    /// `n1-standard-4`
    pub(super) machine: &'a str,
    /// The fewest replicas.
    pub(super) fewest: i64,
    /// The most replicas.
    pub(super) most: i64,
}

/// Uploads the input `unmanaged_container_model` to the registry; the output `model` is a version there.
pub(super) fn upload_model(target: &VertexTarget, name: &str, description: &str, parent: Option<&str>) -> Container {
    let mut payload = json!({ "display_name": name, "description": description, "labels": target.labels });
    encrypt(&mut payload, target);
    let mut container = launcher("model.upload_model", "UploadModel", target, &payload.to_string());
    container
        .args
        .extend(["--executor_input".to_owned(), "{{$}}".to_owned()]);
    if let Some(parent) = parent {
        container
            .args
            .extend(["--parent_model_name".to_owned(), parent.to_owned()]);
    }
    container
}

/// Makes an endpoint; the output `endpoint`.
pub(super) fn create_endpoint(target: &VertexTarget, name: &str) -> Container {
    let mut payload = json!({ "display_name": name, "labels": target.labels });
    encrypt(&mut payload, target);
    if let Some(network) = &target.network {
        payload["network"] = json!(network);
    }
    let mut container = launcher(
        "endpoint.create_endpoint",
        "CreateEndpoint",
        target,
        &payload.to_string(),
    );
    container
        .args
        .extend(["--executor_input".to_owned(), "{{$}}".to_owned()]);
    container
}

/// Deploys the input `model` to an endpoint, the input `endpoint` where none is named, and gives it all requests.
pub(super) fn deploy_model(
    target: &VertexTarget,
    name: &str,
    endpoint: Option<&str>,
    machines: &Machines<'_>,
) -> Container {
    let mut model = json!({
        "model": RESOURCE_MARK,
        "display_name": name,
        "dedicated_resources": {
            "machine_spec": { "machine_type": machines.machine },
            "min_replica_count": machines.fewest,
            "max_replica_count": machines.most,
        },
    });
    if let Some(account) = &target.service_account {
        model["service_account"] = json!(account);
    }
    let payload = json!({
        "deployed_model": model, "endpoint": endpoint.unwrap_or(RESOURCE_MARK), "traffic_split": { "0": 100 },
    });
    let text = without_placeholders(&payload.to_string());
    let mark = json!(RESOURCE_MARK).to_string();
    // In the order in which they were written.
    let text = text
        .replacen(&mark, &resource("model"), 1)
        .replacen(&mark, &resource("endpoint"), 1);
    let mut container = launcher("endpoint.deploy_model", "DeployModel", target, "");
    set_payload(&mut container, text);
    container
}

/// The interface of a launcher's component.
pub(super) fn component(inputs: &[(&str, &str)], outputs: &[(&str, &str)]) -> Component {
    let artifacts = |ports: &[(&str, &str)]| -> BTreeMap<String, ArtifactDefinition> {
        let definition = |title: &str| ArtifactDefinition {
            artifact_type: ArtifactSchema::titled(title),
            ..ArtifactDefinition::default()
        };
        ports
            .iter()
            .map(|(name, title)| ((*name).to_owned(), definition(title)))
            .collect()
    };
    let resources = ParameterSource {
        description: None,
        parameter_type: ParameterType::String,
    };
    Component {
        input_definitions: InputDefinitions {
            artifacts: artifacts(inputs),
            ..InputDefinitions::default()
        },
        output_definitions: OutputDefinitions {
            artifacts: artifacts(outputs),
            parameters: BTreeMap::from([(RESOURCES.to_owned(), resources)]),
        },
        ..Component::default()
    }
}

/// Stands in a payload for the name of a resource; no text of JSON that a user can write is equal to it, since it is not
/// a text that a source file can hold.
const RESOURCE_MARK: &str = "\u{0}resource";

/// The name of the resource that an input artifact stands for, as JSON text.
fn resource(input: &str) -> String {
    format!("\"{{{{$.inputs.artifacts['{input}'].metadata['resourceName']}}}}\"")
}

fn launcher(module: &str, kind: &str, target: &VertexTarget, payload: &str) -> Container {
    // A deployment happens where its endpoint is, and the launcher refuses to be told.
    let place = |text: &str| {
        if kind == "DeployModel" {
            String::new()
        } else {
            text.to_owned()
        }
    };
    let arguments = [
        "--type".to_owned(),
        kind.to_owned(),
        "--payload".to_owned(),
        without_placeholders(payload),
        "--project".to_owned(),
        place(&target.project),
        "--location".to_owned(),
        place(&target.region),
        "--gcp_resources".to_owned(),
        format!("{{{{$.outputs.parameters['{RESOURCES}'].output_file}}}}"),
    ];
    Container {
        image: IMAGE.to_owned(),
        command: ["python3", "-u", "-m"]
            .map(str::to_owned)
            .into_iter()
            .chain([format!(
                "google_cloud_pipeline_components.container.v1.{module}.launcher"
            )])
            .collect(),
        args: arguments.to_vec(),
        ..Container::default()
    }
}

fn set_payload(container: &mut Container, payload: String) {
    if let Some(place) = container
        .args
        .iter_mut()
        .skip_while(|argument| *argument != "--payload")
        .nth(1)
    {
        *place = payload;
    }
}

fn encrypt(payload: &mut Json, target: &VertexTarget) {
    if let Some(key) = &target.encryption_key {
        payload["encryption_spec"] = json!({ "kms_key_name": key });
    }
}
