//! Which of the known kinds of file this is, and where the specification is inside it.

use serde_json::{Map, Value as Json};

use super::super::SCHEMA_VERSION;
use super::ReadError;

/// A specification, taken out of whatever was around it.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) spec: Json,
    /// The path of the specification in the file.
    pub(super) spec_path: &'static str,
    pub(super) platform: Option<Json>,
    /// The path of the settings for Kubernetes in the file.
    pub(super) platform_path: &'static str,
}

/// What to write instead of what is no pipeline.
const COMPILED: &str = "Name the YAML or JSON that `mlp build` or `kfp dsl compile` writes.";

/// Finds the specification in the documents of a file.
pub(super) fn recognise(documents: Vec<Json>) -> Result<Shape, ReadError> {
    let mut documents = documents.into_iter().filter(|document| !document.is_null());
    let Some(first) = documents.next() else {
        return Err(ReadError::whole("The file is empty.", COMPILED));
    };
    let second = documents.next();
    if documents.next().is_some() {
        return Err(ReadError::whole(
            "The file has more than two documents: a pipeline and its settings for Kubernetes are all that is known.",
            "Leave the others out.",
        ));
    }
    let Json::Object(mut first) = first else {
        return Err(ReadError::whole(
            "The file is no pipeline: it does not begin with a map.",
            COMPILED,
        ));
    };
    if let Some(error) = foreign(&first) {
        return Err(error);
    }
    if is_object_of_kubernetes(&first) {
        return from_kubernetes(first, second);
    }
    if first.contains_key("platforms") && !first.contains_key("root") {
        return Err(ReadError::whole(
            "The first document has settings for Kubernetes, and no pipeline comes before it.",
            "Put the pipeline's own document first.",
        ));
    }
    if let Some(spec) = take(&mut first, "pipelineSpec", "pipeline_spec") {
        return shape(spec, "pipelineSpec", second, "");
    }
    shape(Json::Object(first), "", second, "")
}

fn shape(
    spec: Json,
    spec_path: &'static str,
    platform: Option<Json>,
    platform_path: &'static str,
) -> Result<Shape, ReadError> {
    if let Json::Object(fields) = &spec {
        check_version(fields, spec_path)?;
    }
    Ok(Shape {
        spec,
        spec_path,
        platform,
        platform_path,
    })
}

/// A field under either of its names.
fn take(fields: &mut Map<String, Json>, camel: &str, snake: &str) -> Option<Json> {
    fields.shift_remove(camel).or_else(|| fields.shift_remove(snake))
}

/// An older version has other fields; saying so is better than naming the first of them.
fn check_version(fields: &Map<String, Json>, path: &str) -> Result<(), ReadError> {
    let version = fields.get("schemaVersion").or_else(|| fields.get("schema_version"));
    match version {
        Some(Json::String(version)) if version != SCHEMA_VERSION => Err(ReadError::at(
            &super::super::path::path(path, &["schemaVersion"]),
            format!("The pipeline is of schema {version}, and both platforms run schema {SCHEMA_VERSION} alone."),
            "Compile it again with `kfp` 2.",
        )),
        Some(Json::String(_)) | None => Ok(()),
        Some(other) => Err(ReadError::at(
            &super::super::path::path(path, &["schemaVersion"]),
            format!("The version of the schema is {other}, and must be text."),
            format!("Write `schemaVersion: \"{SCHEMA_VERSION}\"`."),
        )),
    }
}

fn is_object_of_kubernetes(fields: &Map<String, Json>) -> bool {
    fields.contains_key("kind") && fields.contains_key("apiVersion")
}

fn text<'a>(fields: &'a Map<String, Json>, name: &str) -> &'a str {
    fields.get(name).and_then(Json::as_str).unwrap_or_default()
}

/// `kind: PipelineVersion` has both documents in it; `kind: Pipeline` may stand before it.
fn from_kubernetes(first: Map<String, Json>, second: Option<Json>) -> Result<Shape, ReadError> {
    let mut version = match (text(&first, "kind"), second) {
        ("Pipeline", Some(Json::Object(second))) => second,
        ("PipelineVersion", None | Some(_)) => first,
        (kind, _) => {
            return Err(ReadError::whole(
                format!("The file is an object of Kubernetes of kind `{kind}`, and no pipeline."),
                COMPILED,
            ));
        }
    };
    let missing = || {
        ReadError::at(
            "spec.pipelineSpec",
            "The object of kind `PipelineVersion` has no pipeline in it.",
            COMPILED,
        )
    };
    let Some(Json::Object(mut inside)) = version.shift_remove("spec") else {
        return Err(missing());
    };
    let spec = inside.shift_remove("pipelineSpec").ok_or_else(missing)?;
    let platform = inside
        .shift_remove("platformSpec")
        .filter(|platform| !platform.is_null());
    shape(spec, "spec.pipelineSpec", platform, "spec.platformSpec")
}

/// Files of other programs that people take for pipelines of Kubeflow.
fn foreign(fields: &Map<String, Json>) -> Option<ReadError> {
    let (kind, version) = (text(fields, "kind"), text(fields, "apiVersion"));
    let (message, help) = if version.starts_with("argoproj.io/") {
        (
            format!("The file is a `{kind}` of Argo, which Kubeflow Pipelines 1 wrote; version 2 has another form."),
            "Compile the pipeline with `kfp` 2, and name what that writes.",
        )
    } else if kind == "PipelineRun" || version.starts_with("tekton.dev/") {
        (
            format!("The file is a `{kind}` of Tekton, and no pipeline of Kubeflow Pipelines 2."),
            "Compile the pipeline with `kfp` 2, and name what that writes.",
        )
    } else if !kind.is_empty() && !version.is_empty() && !version.starts_with("pipelines.kubeflow.org/") {
        (
            format!("The file is an object of Kubernetes of kind `{kind}`, and no pipeline."),
            COMPILED,
        )
    } else if fields.contains_key("implementation") {
        (
            "The file is a component of Kubeflow Pipelines 1, and no pipeline.".to_owned(),
            "Load it in a pipeline with `kfp.components.load_component_from_file`, and compile that.",
        )
    } else if fields.contains_key("dag_id") || fields.contains_key("default_args") {
        (
            "The file is of Airflow, and no pipeline of Kubeflow.".to_owned(),
            COMPILED,
        )
    } else {
        return None;
    };
    Some(ReadError::whole(message, help))
}
