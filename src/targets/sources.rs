//! The Python files that travel with a task: the one that it runs, and those of the project that this one imports.

use std::collections::BTreeMap;

use super::{Request, slice};
use crate::plan::{Node, NodeKind, Operation, Plan, Run};

/// The sources that a node needs, by path.
pub(super) fn of(request: &Request<'_>, node: &Node) -> BTreeMap<String, String> {
    let brought = files(request.plan, node)
        .into_iter()
        .filter_map(|file| request.sources.get(file));
    brought
        .flatten()
        .map(|(path, text)| (path.clone(), text.clone()))
        .collect()
}

/// The files that a node names.
fn files<'p>(plan: &'p Plan, node: &Node) -> Vec<&'p str> {
    match &node.kind {
        NodeKind::Step(call) => match plan.steps.get(&call.step).map(|step| &step.run) {
            Some(Run::Python(function)) => vec![&function.file],
            Some(Run::Command(_)) | None => Vec::new(),
        },
        NodeKind::Operation(operation) if predicts(operation) => slice::of(plan, node)
            .models
            .keys()
            .filter_map(|name| plan.models.get(name))
            .map(|model| model.run.file.as_str())
            .collect(),
        NodeKind::Operation(_)
        | NodeKind::Branch(_)
        | NodeKind::Loop(_)
        | NodeKind::Finally(_)
        | NodeKind::Pipeline(_) => Vec::new(),
    }
}

/// Whether an operation runs a model's Python, or keeps it.
fn predicts(operation: &Operation) -> bool {
    match operation {
        Operation::Predict { .. }
        | Operation::Evaluate { .. }
        | Operation::Challenge(_)
        | Operation::Register { .. }
        | Operation::Deploy { .. } => true,
        Operation::Read { .. }
        | Operation::Validate { .. }
        | Operation::Features(_)
        | Operation::Project(_)
        | Operation::Split { .. }
        | Operation::Mask { .. }
        | Operation::Gate { .. }
        | Operation::Champion { .. }
        | Operation::Prior { .. }
        | Operation::Approve { .. } => false,
    }
}
