//! Finds the dataset that a `validate` compares with: what the same node gave in the run that made the present champion.
//! Whether the data has moved too far is the operation's to say.

use mlp::plan::{NodeKind, Operation};

use super::layout::every_node_called;
use super::session::Session;
use super::work::{Job, Task};
use crate::events::Failure;
use crate::node::baseline;
use crate::operations::Baseline;
use crate::registry::{Alias, Registry, RegistryError, Selector, Version};
use crate::store::Artifact;

/// The baseline of a node.
///
/// # Errors
/// When the registry cannot be read.
pub(super) fn find(session: &Session<'_>, job: &Job<'_>) -> Result<Baseline, Failure> {
    match job.task {
        Task::Operation(operation) if baseline::is_compared(operation) => {}
        Task::Operation(_) | Task::Step(_) => return Ok(Baseline::default()),
    }
    let names = registered_models(session);
    if names.is_empty() {
        return Ok(Baseline::None(format!(
            "pipeline `{}` registers no model, so there is no champion to compare with",
            session.pipeline
        )));
    }
    let champions = champions(session, &names).map_err(|error| baseline::unreadable(&error))?;
    Ok(baseline::of_champions(&champions, &job.path, &|digest| {
        let path = session.path(&Artifact {
            digest: digest.to_owned(),
            extension: "parquet".to_owned(),
            size: 0,
            folder: false,
        });
        path.is_file().then_some(path)
    }))
}

/// The names in the registry of the models that the run's pipeline registers or takes the champion of.
fn registered_models(session: &Session<'_>) -> Vec<String> {
    let mut names = Vec::new();
    if let Some(pipeline) = session.plan.pipelines.get(&session.pipeline) {
        every_node_called(session.plan, pipeline, &mut |node| {
            if let NodeKind::Operation(operation) = &node.kind
                && let Operation::Register { model } | Operation::Champion { model } = operation.as_ref()
            {
                names.extend(session.plan.models.get(model).map(|model| model.registry.clone()));
            }
        });
    }
    names.sort_unstable();
    names.dedup();
    names
}

fn champions(session: &Session<'_>, names: &[String]) -> Result<Vec<Version>, RegistryError> {
    let registry = Registry::open(&session.state.registry())?;
    let mut champions = Vec::new();
    for name in names {
        if registry.aliases(name)?.contains_key(&Alias::Champion) {
            champions.push(registry.show(name, Selector::Alias(Alias::Champion))?.record);
        }
    }
    Ok(champions)
}
