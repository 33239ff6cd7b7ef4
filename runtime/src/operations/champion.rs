//! The operation `champion`: the version that serves, or the fallback on the first release.

use std::collections::BTreeMap;

use super::scoring::{self, Artifact};
use super::{Context, OperationError, Report, gate};
use crate::registry::{Alias, Registry, Selector};

/// `fallback` → `output`.
pub(super) fn run(model: &str, context: &Context) -> Result<Report, OperationError> {
    let name = &scoring::model(context, model)?.registry;
    let registry = Registry::open(context.registry)?;
    if registry.aliases(name)?.contains_key(&Alias::Champion) {
        let (version, folder) = registry.intact(name, Selector::Alias(Alias::Champion))?;
        let artifact = Artifact {
            path: &folder,
            digest: &version.digest,
        };
        gate::pass_on(context, artifact)?;
        return Ok(Report {
            summary: format!("version {} of `{name}`", version.version),
            record: serde_json::json!({
                "from": "registry",
                "name": name,
                "version": version.version,
                "digest": version.digest,
            }),
            values: BTreeMap::new(),
        });
    }
    let fallback = scoring::artifact(context, "fallback")?;
    gate::pass_on(context, fallback)?;
    Ok(Report {
        summary: format!("the fallback, since `{name}` has no champion yet"),
        record: serde_json::json!({ "from": "fallback", "name": name, "digest": fallback.digest }),
        values: BTreeMap::new(),
    })
}
