//! Importers: where the address comes from, what they give, and what Kubeflow makes of them.

use super::super::{Component, Executor, Importer, RuntimeText};
use super::Platform;
use super::context::{ComponentPlace, Context, ExecutorPlace, TaskPlace};
use super::finding::{FindingKind, Findings};
use super::references::mean;
use super::sources::{self, Source};

/// The importer that a component runs.
fn importer<'a>(context: &Context<'a>, component: &'a Component) -> Option<(ExecutorPlace<'a>, &'a Importer)> {
    let place = context.executor_of(component)?;
    match place.executor {
        Executor::Importer(importer) => Some((place, importer)),
        Executor::Container(_) | Executor::CustomJob(_) | Executor::Resolver(_) => None,
    }
}

/// The address is a constant or an input; the type is that of the one output.
pub(super) fn interface(context: &Context<'_>, place: ComponentPlace<'_>, findings: &mut Findings) {
    let Some((executor, importer)) = importer(context, place.component) else {
        return;
    };
    let inputs = &place.component.input_definitions.parameters;
    match &importer.artifact_uri {
        Some(RuntimeText::RuntimeParameter(name)) if !inputs.contains_key(name) => findings.add(
            FindingKind::ImporterInput,
            executor.at(&["importer", "artifactUri", "runtimeParameter"]),
            format!(
                "The importer `{}` reads its address from `{name}`, which is no input of {}.",
                executor.label,
                place.noun()
            ),
            mean(
                name,
                inputs.keys(),
                "Declare it as a STRING among the component's inputs.",
            ),
        ),
        Some(RuntimeText::RuntimeParameter(_)) => {}
        Some(RuntimeText::Constant(address)) if !address.is_empty() => {}
        Some(RuntimeText::Constant(_)) | None => findings.add(
            FindingKind::ImporterInput,
            executor.at(&["importer", "artifactUri"]),
            format!("The importer `{}` has no address.", executor.label),
            "Write `artifactUri` with a `constant` or a `runtimeParameter`.",
        ),
    }
    let outputs: Vec<_> = place.component.output_definitions.artifacts.iter().collect();
    let wrong = match outputs.as_slice() {
        [(name, output)] => {
            let (wanted, given) = (&output.artifact_type, &importer.type_schema);
            (wanted != given).then(|| {
                let title = |schema: &super::super::ArtifactSchema| {
                    let part = |part: &Option<String>| part.clone().unwrap_or_default();
                    format!("{} {}", part(&schema.schema_title), part(&schema.schema_version))
                        .trim()
                        .to_owned()
                };
                format!(
                    "gives `{}`, and the output `{name}` is declared as `{}`",
                    title(given),
                    title(wanted)
                )
            })
        }
        others => Some(format!(
            "gives one artifact, and its component declares {}",
            others.len()
        )),
    };
    if let Some(wrong) = wrong {
        findings.add(
            FindingKind::ImporterType,
            executor.at(&["importer", "typeSchema"]),
            format!("The importer `{}` {wrong}.", executor.label),
            "Write the same type in `typeSchema` and in the component's one output.",
        );
    }
}

/// What Kubeflow's importer cannot do for a task.
pub(super) fn task(context: &Context<'_>, place: &TaskPlace<'_>, findings: &mut Findings) {
    let importer = place.component.and_then(|component| importer(context, component));
    let (Some((_, importer)), Platform::Kubeflow) = (importer, context.platform) else {
        return;
    };
    let name = place.name;
    if let Some(RuntimeText::RuntimeParameter(address)) = &importer.artifact_uri
        && let Some(Source::Output { task, .. }) = place.task.inputs.parameters.get(address).and_then(sources::only)
    {
        findings.add(
            FindingKind::ImporterTaskOutput,
            place.at(&["inputs", "parameters", address]),
            format!("The importer `{name}` has its address from the task `{task}`; Kubeflow reads it from inputs of the graph alone."),
            "Put the importer into a component with a graph of its own, and give it the address as an input.",
        );
    } else if !place.task.dependent_tasks.is_empty() {
        findings.add(
            FindingKind::ImporterOrder,
            place.at(&["dependentTasks"]),
            format!("The importer `{name}` waits for other tasks; Kubeflow starts it at once."),
            "Put the importer into a component with a graph of its own, and let that one wait.",
        );
    }
    let condition = place
        .task
        .trigger_policy
        .as_ref()
        .and_then(|policy| policy.condition.as_ref());
    if condition.is_some() {
        findings.add(
            FindingKind::ImporterCondition,
            place.at(&["triggerPolicy", "condition"]),
            format!("The importer `{name}` has a condition, and Kubeflow's compiler refuses that."),
            "Put the importer into a component with a graph of its own, and the condition on that one.",
        );
    }
}

/// A workspace that is used is declared.
pub(super) fn workspace(context: &Context<'_>, place: ExecutorPlace<'_>, findings: &mut Findings) {
    let Executor::Importer(importer) = place.executor else {
        return;
    };
    let config = context
        .document
        .platform
        .as_ref()
        .and_then(|each| each.platforms.kubernetes.pipeline_config.as_ref());
    if importer.download_to_workspace && config.is_none_or(|config| config.workspace.is_none()) {
        findings.add(
            FindingKind::Workspace,
            place.at(&["importer", "downloadToWorkspace"]),
            format!(
                "The importer `{}` copies to the workspace, and the file declares none.",
                place.label
            ),
            "Declare it in the second document: `platforms.kubernetes.pipelineConfig.workspace`.",
        );
    }
}
