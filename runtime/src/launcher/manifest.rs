//! What a task says of its outputs. It is written last: where it is, the task has succeeded.
//!
//! ```json
//! {"version": 1, "node": "fit", "key": "<cache key>", "ports": {
//!   "model": {"artifact": {"address": "s3://…/fit/model", "digest": "<BLAKE3>", "size": 5, "folder": true}},
//!   "auc": {"value": 0.91},
//!   "parts": {"list": [{"artifact": {…}}]}}}
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// Raised when a manifest comes to mean something else.
const VERSION: u32 = 1;

/// What a task says of its outputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    version: u32,
    /// The node.
    pub(crate) node: String,
    /// By which key its outputs may be reused; none where they may not.
    pub(crate) key: Option<String>,
    /// Its outputs.
    pub(crate) ports: BTreeMap<String, Entry>,
}

/// One output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Entry {
    /// Something at an address.
    Artifact(Stored),
    /// A value, as [`mlp::plan::exchange_json`] writes it.
    Value(Json),
    /// Several.
    List(Vec<Entry>),
}

/// Something at an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stored {
    /// Where it lies.
    pub(crate) address: String,
    /// BLAKE3 of its content, hexadecimal; of a folder, of its sorted entries.
    pub(crate) digest: String,
    /// Bytes, of all files together.
    pub(crate) size: u64,
    /// Whether it is a folder.
    pub(crate) folder: bool,
    /// The programs among its files, which a bucket does not tell from others; `.` is the file itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) executable: Vec<String>,
}

impl Manifest {
    pub(crate) fn new(node: &str, key: Option<String>, ports: BTreeMap<String, Entry>) -> Self {
        Self {
            version: VERSION,
            node: node.to_owned(),
            key,
            ports,
        }
    }

    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let json: Json = serde_json::from_slice(bytes).map_err(|error| format!("it is no JSON: {error}"))?;
        match json.get("version").and_then(Json::as_u64) {
            Some(version) if version == u64::from(VERSION) => {}
            Some(version) => {
                return Err(format!(
                    "it is of version {version}, and this mlp reads version {VERSION}"
                ));
            }
            None => return Err("it has no version".to_owned()),
        }
        serde_json::from_value(json).map_err(|error| format!("it is damaged: {error}"))
    }

    /// Its bytes.
    ///
    /// # Errors
    /// When a value has no JSON, which none of the language's has.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// Every artifact that it names.
    pub(crate) fn artifacts(&self) -> Vec<&Stored> {
        self.ports.values().flat_map(Entry::artifacts).collect()
    }
}

impl Entry {
    pub(crate) fn artifacts(&self) -> Vec<&Stored> {
        match self {
            Self::Artifact(stored) => vec![stored],
            Self::Value(_) => Vec::new(),
            Self::List(entries) => entries.iter().flat_map(Self::artifacts).collect(),
        }
    }

    /// What the platform is told of it: values as they are, artifacts by their address.
    pub(crate) fn told(&self) -> Json {
        match self {
            Self::Artifact(stored) => Json::from(stored.address.clone()),
            Self::Value(json) => json.clone(),
            Self::List(entries) => entries.iter().map(Self::told).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stored(address: &str) -> Stored {
        Stored {
            address: address.to_owned(),
            digest: "ab".to_owned(),
            size: 3,
            folder: false,
            executable: Vec::new(),
        }
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let ports = BTreeMap::from([
            ("data".to_owned(), Entry::Artifact(stored("s3://b/data"))),
            ("auc".to_owned(), Entry::Value(json!(0.5))),
            ("count".to_owned(), Entry::Value(json!(9_007_199_254_740_993_i64))),
            (
                "parts".to_owned(),
                Entry::List(vec![
                    Entry::Artifact(stored("s3://b/0")),
                    Entry::Artifact(stored("s3://b/1")),
                ]),
            ),
        ]);
        let manifest = Manifest::new("fit", Some("k".to_owned()), ports);
        let bytes = manifest.bytes().unwrap();
        assert_eq!(Manifest::read(&bytes).unwrap(), manifest);
        let json: Json = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(
            json["ports"]["data"],
            json!({"artifact": {"address": "s3://b/data", "digest": "ab", "size": 3, "folder": false}})
        );
        assert_eq!(manifest.artifacts().len(), 3);
        assert_eq!(manifest.ports["parts"].told(), json!(["s3://b/0", "s3://b/1"]));
        assert_eq!(manifest.ports["count"].told(), json!(9_007_199_254_740_993_i64));
    }

    #[test]
    fn a_damaged_manifest_says_what_is_wrong() {
        let problem = |text: &str| Manifest::read(text.as_bytes()).unwrap_err();
        assert!(problem("").starts_with("it is no JSON"), "{}", problem(""));
        assert!(problem(r#"{"version":1,"node":"a","po"#).starts_with("it is no JSON"));
        assert_eq!(problem("[]"), "it has no version");
        assert_eq!(
            problem(r#"{"version":2}"#),
            "it is of version 2, and this mlp reads version 1"
        );
        assert!(problem(r#"{"version":1}"#).starts_with("it is damaged"));
        let unknown = r#"{"version":1,"node":"a","key":null,"ports":{"x":{"planet":1}}}"#;
        assert!(problem(unknown).contains("planet"));
    }
}
