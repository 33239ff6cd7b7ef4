//! `mlp op serving`: where the files of a registered model are and which container answers requests with them, in the form
//! in which Vertex AI's registry takes a model.

use camino::Utf8Path;
use mlp::plan::{NodeKind, Operation};
use serde_json::json;

use super::assignment::Assignment;
use super::state::State;
use super::{Found, Stop, unreadable, unwritable};
use crate::events::Failure;
use crate::node::{Places, broken_plan};
use crate::operations::{OperationError, registered_model};
use crate::registry::{Registry, Selector};
use crate::store::Datum;

/// What `mlp build` calls the task.
pub(super) const SERVING: &str = "serving";
/// The output.
const OUTPUT: &str = "output";

/// Tells the platform of the model's files; nothing is copied.
pub(super) fn serving(assignment: &Assignment, state: &State) -> Result<Found, Stop> {
    let node = &assignment.task.node;
    let NodeKind::Operation(operation) = &node.kind else {
        return Err(unreadable("--task", &format!("its node `{}` deploys nothing", node.id)));
    };
    let Operation::Deploy { service } = operation.as_ref() else {
        return Err(unreadable("--task", &format!("its node `{}` deploys nothing", node.id)));
    };
    let told = state.demand(operation).and_then(|()| tell(assignment, state, service));
    match told {
        Ok(summary) => Ok(Found {
            node: node.id.clone(),
            summary,
        }),
        Err(failure) => Err(assignment.failed(failure)),
    }
}

fn tell(assignment: &Assignment, state: &State, service: &str) -> Result<String, Failure> {
    let plan = &assignment.task.plan;
    let service = plan
        .services
        .get(service)
        .ok_or_else(|| broken_plan(&format!("there is no service `{service}`")))?;
    let inputs = assignment.inputs()?;
    let Some(Datum::Artifact(model)) = inputs.get("model") else {
        return Err(broken_plan("`deploy` was given no registered model"));
    };
    let unusable = |error: &OperationError| {
        Failure::new(
            format!("The registered model cannot be served: {error}."),
            "Run the pipeline again, so that the model is registered in the registry of this target.",
        )
    };
    let reference = registered_model(&assignment.path(model)).map_err(|error| unusable(&error))?;
    let (_, folder) = Registry::open(&state.registry())
        .and_then(|registry| registry.intact(&reference.name, Selector::Version(reference.version)))
        .map_err(|error| unusable(&error.into()))?;
    let text = |name: &str| service.settings.as_ref()?.field("platform")?.field(name)?.as_text();
    let metadata = json!({
        "containerSpec": {
            "imageUri": text("image").unwrap_or_default(),
            "predictRoute": text("predict_route").unwrap_or("/predict"),
            "healthRoute": text("health_route").unwrap_or("/health"),
        },
        "version": reference.version,
    });
    let address = address(&folder);
    let written = assignment.message.write_address(OUTPUT, &address, metadata);
    written.map_err(|error| unwritable(assignment.message.outputs.output_file.as_str().into(), &error))?;
    Ok(format!(
        "version {} of `{}` at {address}",
        reference.version, reference.name
    ))
}

/// The address of a folder: buckets are mounted below `/gcs`.
fn address(folder: &Utf8Path) -> String {
    match folder.strip_prefix("/gcs") {
        Ok(path) => format!("gs://{path}"),
        Err(_) => folder.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn a_mounted_bucket_has_the_address_of_the_bucket() {
        assert_eq!(
            address("/gcs/bank-ml/registry/risk/1/model".into()),
            "gs://bank-ml/registry/risk/1/model"
        );
        assert_eq!(address("/mlp/registry/risk/1".into()), "/mlp/registry/risk/1");
    }
}
