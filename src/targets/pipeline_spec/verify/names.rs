//! Names: of the pipeline, of tasks and components, and those that a platform keeps for itself.

use super::Platform;
use super::context::{ComponentPlace, Context, TaskPlace};
use super::finding::{FindingKind, Findings};

/// Letters of a pipeline's name on Kubeflow.
const LONGEST: usize = 128;
/// Vertex AI appends `-` and a time of 14 digits.
const LONGEST_VERTEX: usize = LONGEST - 15;

/// The pipeline's name matches `[a-z0-9][a-z0-9-]{0,127}`; on Vertex AI it begins with a letter and leaves room.
pub(super) fn pipeline_name(context: &Context<'_>, findings: &mut Findings) {
    let name = context.spec.pipeline_info.name.as_str();
    let wrong = match context.platform {
        _ if name.is_empty() => Some("is empty".to_owned()),
        _ if !name.bytes().all(|byte| is_plain(byte) || byte == b'-') || name.starts_with('-') => {
            Some("is not made of lower-case letters, digits and `-`".to_owned())
        }
        Platform::Vertex if name.starts_with(|first: char| first.is_ascii_digit()) => {
            Some("begins with a digit, which Vertex AI refuses".to_owned())
        }
        Platform::Vertex if name.len() > LONGEST_VERTEX => Some(format!(
            "has {} characters; Vertex AI appends the time, and refuses more than {LONGEST_VERTEX}",
            name.len()
        )),
        Platform::Kubeflow if name.len() > LONGEST => Some(format!(
            "has {} characters, and at most {LONGEST} are allowed",
            name.len()
        )),
        Platform::Kubeflow | Platform::Vertex => None,
    };
    if let Some(wrong) = wrong {
        findings.add(
            FindingKind::PipelineName,
            "pipelineInfo.name".to_owned(),
            format!("The pipeline's name `{name}` {wrong}."),
            "Begin with a letter and go on with lower-case letters, digits and `-`: `churn-training`.",
        );
    }
}

/// `kfp` loads `exec-NAME` of a file whose pipeline is NAME as a single component. That is what a file with one component
/// is; in any other the rest is lost.
pub(super) fn pipeline_name_collision(context: &Context<'_>, findings: &mut Findings) {
    let name = context.spec.pipeline_info.name.as_str();
    let component = format!("comp-{name}");
    let executor = format!("exec-{name}");
    let is_taken = context.spec.components.contains_key(&component)
        || context.spec.deployment_spec.executors.contains_key(&executor);
    let tasks = context.tasks_of(context.root());
    let is_one_component = matches!(tasks.as_slice(), [only] if only.task.component_ref.name == component);
    if is_taken && !is_one_component {
        findings.add(
            FindingKind::PipelineNameCollision,
            "pipelineInfo.name".to_owned(),
            format!(
                "The pipeline is named `{name}`, and so is a component in it; `kfp` loads that component alone, without a word."
            ),
            "Rename the pipeline, or the component and its executor.",
        );
    }
}

/// Names of tasks become names of Kubernetes.
pub(super) fn task_name(_: &Context<'_>, place: &TaskPlace<'_>, findings: &mut Findings) {
    if !is_name(place.name) {
        findings.add(
            FindingKind::Name,
            place.at(&[]),
            format!("The task's name `{}` is none that Kubernetes takes.", place.name),
            "Use lower-case letters, digits and `-`, with a letter or digit at both ends.",
        );
    }
}

/// Names of components become names of Kubernetes.
pub(super) fn component_name(_: &Context<'_>, place: ComponentPlace<'_>, findings: &mut Findings) {
    if let Some(key) = place.key.filter(|key| !is_name(key)) {
        findings.add(
            FindingKind::Name,
            place.at(&[]),
            format!("The component's name `{key}` is none that Kubernetes takes."),
            "Use lower-case letters, digits and `-`, with a letter or digit at both ends.",
        );
    }
}

/// Kubeflow puts a task `x-driver` beside each task `x`.
pub(super) fn driver_name(context: &Context<'_>, place: &TaskPlace<'_>, findings: &mut Findings) {
    let driven = place
        .name
        .strip_suffix("-driver")
        .filter(|name| place.dag.tasks.contains_key(*name));
    if let (Platform::Kubeflow, Some(driven)) = (context.platform, driven) {
        findings.add(
            FindingKind::ReservedName,
            place.at(&[]),
            format!(
                "The task `{}` has the name of the task that Kubeflow adds before `{driven}`.",
                place.name
            ),
            "Rename one of the two.",
        );
    }
}

/// Kubeflow adds an output `executor-logs`.
pub(super) fn reserved_outputs(context: &Context<'_>, place: ComponentPlace<'_>, findings: &mut Findings) {
    let is_taken = place
        .component
        .output_definitions
        .artifacts
        .contains_key("executor-logs");
    if is_taken && context.platform == Platform::Kubeflow {
        findings.add(
            FindingKind::ReservedName,
            place.at(&["outputDefinitions", "artifacts", "executor-logs"]),
            format!(
                "{} declares the output `executor-logs`, which Kubeflow adds itself.",
                super::references::capital(&place.noun())
            ),
            "Rename it.",
        );
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// `[a-z0-9]([-a-z0-9]*[a-z0-9])?`
fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let ends = bytes.first().is_some_and(|byte| is_plain(*byte)) && bytes.last().is_some_and(|byte| is_plain(*byte));
    ends && bytes.iter().all(|byte| is_plain(*byte) || *byte == b'-')
}
