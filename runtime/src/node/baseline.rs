//! Which dataset a `validate` compares with, once the champions are known: what the same node gave in the run that made the
//! newest of them.

use camino::Utf8PathBuf;
use mlp::plan::{CheckKind, Operation};

use crate::events::Failure;
use crate::operations::Baseline;
use crate::registry::{RegistryError, Version};

/// Whether an operation compares with a baseline.
pub(crate) fn is_compared(operation: &Operation) -> bool {
    let Operation::Validate { checks, .. } = operation else {
        return false;
    };
    let mut checks = checks.iter().flat_map(|checks| &checks.checks);
    checks.any(|check| matches!(check.measure, CheckKind::Drift { .. }))
}

/// The baseline of the node called `node`; `data` says where the data of a digest lies, if it is still there.
pub(crate) fn of_champions(champions: &[Version], node: &str, data: &dyn Fn(&str) -> Option<Utf8PathBuf>) -> Baseline {
    let output = format!("{node}.output");
    let newest = champions
        .iter()
        .filter_map(|champion| Some((champion, champion.lineage.artifacts.get(&output)?)))
        .max_by_key(|(champion, _)| champion.created);
    let Some((champion, digest)) = newest else {
        return Baseline::None(match champions.first() {
            None => "no champion yet".to_owned(),
            Some(champion) => format!("the run that made version {} had no `{node}`", champion.version),
        });
    };
    data(digest).map_or_else(
        || {
            Baseline::Gone(format!(
                "the data of version {} of `{}`",
                champion.version, champion.name
            ))
        },
        Baseline::Dataset,
    )
}

/// The failure of a node whose baseline cannot be looked up.
pub(crate) fn unreadable(error: &RegistryError) -> Failure {
    Failure::new(
        format!("The champion whose data is the baseline cannot be read: {error}."),
        "`mlp registry list` shows every model, its versions and its aliases.",
    )
}
