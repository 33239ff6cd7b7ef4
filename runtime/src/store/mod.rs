//! The content-addressed store: every artifact once, under the BLAKE3 digest of its content, read-only.
//!
//! It knows nothing of runs and never deletes what a run may still name.

use mlp::types::Value;
use serde::{Deserialize, Serialize};

/// What an output of a node is at run time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Datum {
    /// A value.
    Value(Value),
    /// Content in the store.
    Artifact(Artifact),
    /// Gathered from a loop.
    List(Vec<Datum>),
}

/// Content in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// BLAKE3 of the content, hexadecimal; of a folder, of its sorted entries.
    pub digest: String,
    /// The ending that tools know its format by: `parquet`, `json`, `html`, `md`, or none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub extension: String,
    /// Bytes, of all files together.
    pub size: u64,
    /// Whether it is a folder.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub folder: bool,
}
