//! Reads a specification from YAML or JSON, with or without the settings for Kubernetes, in any of the shapes in which people
//! keep one: alone, inside a request for Vertex AI, inside an object of Kubernetes.
//!
//! What cannot be read gives one sentence, the place, and a way out. A file decides neither how deep the stack grows nor how
//! much memory its aliases take.

mod fields;
mod shapes;
mod text;
mod yaml;

use serde::de::DeserializeOwned;
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

/// Where something is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At a line and column, both from 1.
    Position {
        /// The line.
        line: u64,
        /// The column.
        column: u64,
    },
    /// At a field: `root.dag.tasks.train.retryPolicy`.
    Path(String),
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Position { line, column } => write!(formatter, "line {line}, column {column}"),
            Self::Path(path) => formatter.write_str(path),
        }
    }
}

/// Why a file is no specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// Where, unless it is the file as a whole.
    pub place: Option<Place>,
    /// What is wrong, in a full sentence.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.place {
            Some(place) => write!(formatter, "{place}: {}", self.message),
            None => formatter.write_str(&self.message),
        }
    }
}

impl std::error::Error for ReadError {}

impl ReadError {
    /// The file as a whole is wrong.
    fn whole(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            place: None,
            message: message.into(),
            help: help.into(),
        }
    }

    /// A field is wrong.
    fn at(path: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            place: (!path.is_empty()).then(|| Place::Path(path.to_owned())),
            message: message.into(),
            help: help.into(),
        }
    }
}

/// Reads a file.
///
/// # Errors
/// When it is no specification of schema 2.1, or not what holds one.
pub fn read(text: &str) -> Result<Document, ReadError> {
    let shape = shapes::recognise(text::documents(text)?)?;
    Ok(Document {
        spec: typed(shape.spec, shape.spec_path)?,
        platform: shape
            .platform
            .map(|platform| typed(platform, shape.platform_path))
            .transpose()?,
    })
}

/// Reads the bytes of a file.
///
/// # Errors
/// When they are no text, and as [`read`] does.
pub fn read_bytes(bytes: &[u8]) -> Result<Document, ReadError> {
    read(text::decode(bytes)?)
}

fn typed<T: DeserializeOwned>(document: Json, path: &str) -> Result<T, ReadError> {
    fields::typed(document).map_err(|error| {
        let inner = error.path();
        let whole = match (path.is_empty(), inner.is_empty()) {
            (true, _) => inner.to_owned(),
            (false, true) => path.to_owned(),
            (false, false) => format!("{path}.{inner}"),
        };
        ReadError::at(&whole, error.message, error.help)
    })
}
