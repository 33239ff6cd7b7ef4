//! What a stage of the life cycle gives beyond its outputs, for people: pages and numbers that the platforms' own pages draw.

use crate::plan::{Node, NodeKind, Operation, Plan, Task};
use crate::targets::pipeline_spec::{ArtifactDefinition, ArtifactSchema, Component};

/// Declares the artifacts that a stage gives for people. `mlp op` fills in whatever artifact is no output of the node, by
/// its type.
pub(super) fn declare(plan: &Plan, node: &Node, component: &mut Component) {
    let NodeKind::Operation(operation) = &node.kind else {
        return;
    };
    for (name, title) in pages(plan, operation) {
        let definition = ArtifactDefinition {
            artifact_type: ArtifactSchema::titled(title),
            ..ArtifactDefinition::default()
        };
        let artifacts = &mut component.output_definitions.artifacts;
        artifacts.entry((*name).to_owned()).or_insert(definition);
    }
}

fn pages(plan: &Plan, operation: &Operation) -> &'static [(&'static str, &'static str)] {
    match operation {
        Operation::Validate { .. } | Operation::Register { .. } | Operation::Deploy { .. } => {
            &[("report", "system.Markdown")]
        }
        Operation::Evaluate { model, .. } => match plan.models.get(model).map(|model| model.task) {
            Some(Task::BinaryClassification | Task::MulticlassClassification) => &[
                ("classification", "system.ClassificationMetrics"),
                ("report", "system.Markdown"),
            ],
            Some(Task::Regression) | None => &[("report", "system.Markdown")],
        },
        Operation::Gate { .. } | Operation::Challenge(_) => {
            &[("metrics", "system.Metrics"), ("report", "system.Markdown")]
        }
        Operation::Read { .. }
        | Operation::Features(_)
        | Operation::Project(_)
        | Operation::Split { .. }
        | Operation::Mask { .. }
        | Operation::Predict { .. }
        | Operation::Champion { .. }
        | Operation::Prior { .. }
        | Operation::Approve { .. } => &[],
    }
}
