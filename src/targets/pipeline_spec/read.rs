//! Reads a specification from YAML or JSON, with or without the settings for Kubernetes.

use serde_json::Value as Json;

use super::{PipelineSpec, PlatformSpec};

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// The pipeline.
    pub spec: PipelineSpec,
    /// Settings for Kubernetes.
    pub platform: Option<PlatformSpec>,
}

/// Why a file is no specification.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is neither YAML nor JSON.
    #[error("{message}")]
    Syntax {
        /// What is wrong, with the place.
        message: String,
    },
    /// A field is unknown, missing or of the wrong type.
    #[error("{path}: {message}")]
    Field {
        /// Where: `root.dag.tasks.train.retryPolicy`.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// It is YAML, and something else than a pipeline.
    #[error("{0}")]
    NoPipeline(String),
}

/// Reads a file.
///
/// # Errors
/// When it is no specification of schema 2.1.
pub fn read(text: &str) -> Result<Document, ReadError> {
    let mut documents = documents(text)?.into_iter().filter(|document| !document.is_null());
    let Some(first) = documents.next() else {
        return Err(ReadError::NoPipeline("the file is empty".to_owned()));
    };
    let spec = typed(first)?;
    let platform = documents.next().map(typed).transpose()?;
    if documents.next().is_some() {
        return Err(ReadError::NoPipeline(
            "the file has more than two YAML documents: a pipeline and its settings for Kubernetes are all that is known"
                .to_owned(),
        ));
    }
    Ok(Document { spec, platform })
}

fn documents(text: &str) -> Result<Vec<Json>, ReadError> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text)
            .map(|document| vec![document])
            .map_err(|error| ReadError::Syntax {
                message: error.to_string(),
            });
    }
    serde_saphyr::from_multiple(text).map_err(|error| ReadError::Syntax {
        message: error.to_string(),
    })
}

fn typed<T: serde::de::DeserializeOwned>(document: Json) -> Result<T, ReadError> {
    serde_path_to_error::deserialize(document).map_err(|error| ReadError::Field {
        path: error.path().to_string(),
        message: error.inner().to_string(),
    })
}
