//! The operation `register`: a proven model becomes a version in the registry, and the challenger.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Context, OperationError, Report, scoring};
use crate::data::words;
use crate::registry::{NewVersion, Registry, RegistryError, write_atomically};

/// What a registered model is as an artifact: a reference into the registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredModel {
    /// Where the registry is: `local`.
    pub registry: String,
    /// The model's name there.
    pub name: String,
    /// The version.
    pub version: u64,
    /// The model artifact's digest.
    pub digest: String,
}

/// `model` → `output`.
pub(super) fn run(model: &str, context: &Context) -> Result<Report, OperationError> {
    let declared = scoring::model(context, model)?;
    let artifact = scoring::artifact(context, "model")?;
    let registered = Registry::open(context.registry)?.register(&NewVersion {
        name: &declared.registry,
        model: &declared.name,
        docs: declared.docs.as_deref(),
        folder: artifact.path,
        digest: artifact.digest,
        lineage: context.lineage,
        at: context.now,
    })?;
    let reference = RegisteredModel {
        registry: "local".to_owned(),
        name: declared.registry.clone(),
        version: registered.version.version,
        digest: artifact.digest.to_owned(),
    };
    write_json(context, &reference)?;
    let known = if registered.existing {
        ", which was there already with the same proof"
    } else {
        ""
    };
    Ok(Report {
        summary: format!("version {} of `{}`{known}", reference.version, reference.name),
        record: serde_json::json!({ "registered": reference, "existing": registered.existing, "key": registered.version.key }),
        values: BTreeMap::new(),
    })
}

/// Writes the output as JSON.
pub(super) fn write_json(context: &Context, content: &impl Serialize) -> Result<(), OperationError> {
    let path = context.outputs.join("output");
    let failed = |source| OperationError::Io {
        action: format!("writing {path}"),
        source,
    };
    let text = serde_json::to_string_pretty(content).map_err(|error| failed(error.into()))?;
    write_atomically(&path, format!("{text}\n").as_bytes()).map_err(failed)
}

impl From<RegistryError> for OperationError {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Io { action, source } => Self::Io { action, source },
            RegistryError::Damaged { ref remedy, .. } => Self::Input {
                summary: words::sentence(&error.to_string()),
                help: remedy.clone(),
            },
            RegistryError::NoModel { .. }
            | RegistryError::NoVersion { .. }
            | RegistryError::NothingToRollBackTo { .. }
            | RegistryError::Selector { .. } => Self::Input {
                summary: words::sentence(&error.to_string()),
                help: "`mlp registry list` shows every model, its versions and its aliases.".to_owned(),
            },
        }
    }
}
