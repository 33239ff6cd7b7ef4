//! Tasks that run whatever became of those before: where they may stand, and how many Kubeflow takes.

use std::collections::BTreeMap;

use super::super::Strategy;
use super::Platform;
use super::context::{ComponentPlace, Context, TaskPlace};
use super::finding::{FindingKind, Findings};
use super::sources::{self, Source};

fn runs_after_failures(place: &TaskPlace<'_>) -> bool {
    let policy = place.task.trigger_policy.as_ref();
    policy.and_then(|policy| policy.strategy) == Some(Strategy::AllCompleted)
}

/// Who takes a final status runs after a failure as well.
pub(super) fn final_status(_: &Context<'_>, place: &TaskPlace<'_>, findings: &mut Findings) {
    let statuses = place.task.inputs.parameters.values().filter_map(sources::only);
    let takes_status = statuses.into_iter().any(|source| matches!(source, Source::Status(_)));
    if takes_status && !runs_after_failures(place) {
        findings.add(
            FindingKind::FinalStatus,
            place.at(&["triggerPolicy"]),
            format!(
                "The task `{}` takes the final status of another, and does not run when that one fails.",
                place.name
            ),
            "Write `triggerPolicy: {strategy: ALL_UPSTREAM_TASKS_COMPLETED}`.",
        );
    }
}

/// Kubeflow knows such tasks at the root alone.
pub(super) fn place(context: &Context<'_>, place: &TaskPlace<'_>, findings: &mut Findings) {
    if context.platform == Platform::Kubeflow && place.around.key.is_some() && runs_after_failures(place) {
        findings.add(
            FindingKind::ExitPlace,
            place.at(&["triggerPolicy", "strategy"]),
            format!(
                "The task `{}` runs after failures too, and stands in {}; Kubeflow knows that at the root alone.",
                place.name,
                place.around.noun()
            ),
            "Move it to the root.",
        );
    }
}

/// Kubeflow hangs one such task on each task before, and none on a loop.
pub(super) fn hooks(context: &Context<'_>, around: ComponentPlace<'_>, findings: &mut Findings) {
    if context.platform != Platform::Kubeflow {
        return;
    }
    let mut hooks: BTreeMap<&str, TaskPlace<'_>> = BTreeMap::new();
    for place in context.tasks_of(around).into_iter().filter(runs_after_failures) {
        for before in &place.task.dependent_tasks {
            if place.beside(context, before).is_some_and(|before| before.is_loop()) {
                findings.add(
                    FindingKind::ExitLoop,
                    place.at(&["dependentTasks"]),
                    format!(
                        "The task `{}` runs whatever became of the loop `{before}`; Kubeflow does not start it.",
                        place.name
                    ),
                    "Put the loop into a component with a graph of its own, and wait for that one.",
                );
            } else if let Some(first) = hooks.insert(before, place) {
                findings.add(
                    FindingKind::ExitHook,
                    place.at(&["dependentTasks"]),
                    format!(
                        "The tasks `{}` and `{}` both run whatever became of `{before}`; Kubeflow keeps one of them.",
                        first.name, place.name
                    ),
                    "Put them into one component with a graph of its own.",
                );
            }
        }
    }
}
