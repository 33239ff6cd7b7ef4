//! The messages of Kubeflow Pipelines and Vertex AI: what a container is told of its inputs and outputs
//! (`ExecutorInput`), and what it tells of the artifacts it wrote (`ExecutorOutput`).

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::registry::write_atomically;

/// Schemes of addresses, and the folders in which the platforms' launchers put what lies there.
const MOUNTS: [(&str, &str); 4] = [
    ("gs://", "/gcs/"),
    ("s3://", "/s3/"),
    ("minio://", "/minio/"),
    ("file://", ""),
];

/// What a container is told.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ExecutorInput {
    /// What it takes.
    pub(super) inputs: Inputs,
    /// Where its outputs go.
    pub(super) outputs: Outputs,
}

/// What a container takes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Inputs {
    /// Values by input.
    pub(super) parameter_values: BTreeMap<String, Json>,
    /// Artifacts by input.
    pub(super) artifacts: BTreeMap<String, ArtifactList>,
}

/// Where outputs go.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Outputs {
    /// Files of values by output.
    pub(super) parameters: BTreeMap<String, OutputParameter>,
    /// Artifacts by output.
    pub(super) artifacts: BTreeMap<String, ArtifactList>,
    /// Where the container's own message goes.
    pub(super) output_file: String,
}

/// Where a value goes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct OutputParameter {
    /// The file.
    pub(super) output_file: String,
}

/// The artifacts of one input or output.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct ArtifactList {
    /// One, or those that a loop gathered.
    pub(super) artifacts: Vec<RuntimeArtifact>,
}

/// An artifact as the platform knows it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct RuntimeArtifact {
    /// Its name on the platform.
    pub(super) name: String,
    /// Its address.
    pub(super) uri: String,
    /// Its type.
    #[serde(rename = "type", skip_serializing_if = "ArtifactSchema::is_unknown")]
    pub(super) schema: ArtifactSchema,
    /// What the platform shows beside it.
    pub(super) metadata: serde_json::Map<String, Json>,
}

/// A type of artifacts.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ArtifactSchema {
    /// `system.Model`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) schema_title: String,
    /// `0.0.1`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) schema_version: String,
}

impl ArtifactSchema {
    fn is_unknown(&self) -> bool {
        self.schema_title.is_empty()
    }
}

impl RuntimeArtifact {
    /// Where the platform's launcher has put it, or will look for it.
    pub(super) fn path(&self) -> Utf8PathBuf {
        let mounted = MOUNTS
            .iter()
            .find_map(|(scheme, folder)| Some(format!("{folder}{}", self.uri.strip_prefix(scheme)?)));
        mounted.unwrap_or_else(|| self.uri.clone()).into()
    }
}

impl ExecutorInput {
    /// The artifact that an output is to become.
    pub(super) fn output(&self, name: &str) -> Option<&RuntimeArtifact> {
        self.outputs.artifacts.get(name)?.artifacts.first()
    }

    /// Writes the file of a value; nothing where the platform does not want it.
    pub(super) fn write_parameter(&self, name: &str, text: &str) -> std::io::Result<()> {
        match self.outputs.parameters.get(name) {
            Some(parameter) => write_atomically(Utf8Path::new(&parameter.output_file), text.as_bytes()),
            None => Ok(()),
        }
    }

    /// Tells the platform that an output lies at another address than the one it gave.
    pub(super) fn write_address(&self, name: &str, address: &str, metadata: Json) -> std::io::Result<()> {
        let Some(output) = self.output(name).filter(|_| !self.outputs.output_file.is_empty()) else {
            return Ok(());
        };
        let Json::Object(metadata) = metadata else {
            return Ok(());
        };
        let artifact = RuntimeArtifact {
            uri: address.to_owned(),
            metadata,
            ..output.clone()
        };
        let message = serde_json::json!({ "artifacts": { name: { "artifacts": [artifact] } } });
        write_atomically(Utf8Path::new(&self.outputs.output_file), message.to_string().as_bytes())
    }

    /// Tells the platform of the artifacts that are there, each with what is shown beside it.
    pub(super) fn write_output(
        &self,
        metadata: &BTreeMap<String, serde_json::Map<String, Json>>,
    ) -> std::io::Result<()> {
        if self.outputs.output_file.is_empty() {
            return Ok(());
        }
        let told = metadata.iter().filter_map(|(name, metadata)| {
            let artifact = RuntimeArtifact {
                metadata: metadata.clone(),
                ..self.output(name)?.clone()
            };
            let artifacts = vec![artifact];
            Some((name, ArtifactList { artifacts }))
        });
        let message = serde_json::json!({ "artifacts": told.collect::<BTreeMap<_, _>>() });
        write_atomically(Utf8Path::new(&self.outputs.output_file), message.to_string().as_bytes())
    }
}

/// Makes room for an output: its folder is made, and what an earlier attempt left is removed.
pub(crate) fn clear(path: &Utf8Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_the_paths_of_the_launchers() {
        let path = |uri: &str| {
            let artifact = RuntimeArtifact {
                uri: uri.to_owned(),
                ..RuntimeArtifact::default()
            };
            artifact.path().into_string()
        };
        assert_eq!(path("gs://bucket/a/b"), "/gcs/bucket/a/b");
        assert_eq!(path("s3://bucket/a"), "/s3/bucket/a");
        assert_eq!(path("minio://mlpipeline/v2"), "/minio/mlpipeline/v2");
        assert_eq!(path("file:///tmp/x"), "/tmp/x");
        assert_eq!(path("/tmp/x"), "/tmp/x");
    }
}
