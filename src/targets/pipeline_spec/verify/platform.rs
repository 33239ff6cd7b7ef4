//! The second document: labels that exist, references that resolve, values that Kubernetes takes.

use serde_json::Value as Json;

use super::super::path::path;
use super::super::{KubernetesExecutor, PlatformSpec};
use super::context::{Context, TaskPlace};
use super::finding::{FindingKind, Findings};
use super::references::mean;

const PULL_POLICIES: [&str; 3] = ["Always", "IfNotPresent", "Never"];
const EFFECTS: [&str; 3] = ["NoExecute", "NoSchedule", "PreferNoSchedule"];
const OPERATORS: [&str; 2] = ["Equal", "Exists"];

fn settings<'a>(context: &Context<'a>) -> impl Iterator<Item = (&'a String, &'a KubernetesExecutor)> {
    let platform: Option<&PlatformSpec> = context.document.platform.as_ref();
    platform
        .into_iter()
        .flat_map(|each| &each.platforms.kubernetes.deployment_spec.executors)
}

fn at(label: &str, inside: &[&str]) -> String {
    path(
        "platforms.kubernetes.deploymentSpec.executors",
        &[&[label], inside].concat(),
    )
}

/// Labels are those of executors.
pub(super) fn executors(context: &Context<'_>, findings: &mut Findings) {
    if findings.has(FindingKind::UnknownExecutor) {
        return;
    }
    let known = &context.spec.deployment_spec.executors;
    for (label, _) in settings(context).filter(|(label, _)| !known.contains_key(*label)) {
        findings.add(
            FindingKind::PlatformExecutor,
            at(label, &[]),
            format!("The second document has settings for the executor `{label}`, which does not exist."),
            mean(
                label,
                known.keys(),
                "Leave them out, or name an executor of the first document.",
            ),
        );
    }
}

/// Something in a setting that stands for a value of the run.
enum Reference<'a> {
    Input(&'a str),
    Output { task: &'a str, output: &'a str },
}

/// Inputs and outputs that settings read are there, seen from every task that runs the executor.
pub(super) fn references(context: &Context<'_>, findings: &mut Findings) {
    for (label, settings) in settings(context) {
        let Ok(settings) = serde_json::to_value(settings) else {
            continue;
        };
        let references = references_in(&settings);
        if references.is_empty() {
            continue;
        }
        let components = context.components().into_iter();
        let runs: Vec<&TaskPlace<'_>> = components
            .filter(|place| place.component.executor_label.as_deref() == Some(label))
            .flat_map(|place| context.runs_of(place))
            .collect();
        for (place, reference) in &references {
            if let Some(wrong) = runs.iter().find_map(|run| wrong_reference(context, run, reference)) {
                findings.add(
                    FindingKind::PlatformReference,
                    at(label, &[place]),
                    format!("The setting `{place}` of the executor `{label}` reads {wrong}."),
                    "Name an input of the graph in which the task stands, or an output of a task beside it.",
                );
            }
        }
    }
}

/// The references anywhere inside a value, each with the setting that it is in. A walk with a stack of its own.
fn references_in(settings: &Json) -> Vec<(String, Reference<'_>)> {
    let mut found = Vec::new();
    let Json::Object(settings) = settings else { return found };
    for (setting, value) in settings {
        let mut stack = vec![value];
        while let Some(value) = stack.pop() {
            match value {
                Json::Object(fields) => {
                    if let Some(input) = fields.get("componentInputParameter").and_then(Json::as_str) {
                        found.push((setting.clone(), Reference::Input(input)));
                    }
                    if let Some(output) = fields.get("taskOutputParameter") {
                        let text = |field: &str| output.get(field).and_then(Json::as_str).unwrap_or_default();
                        let reference = Reference::Output {
                            task: text("producerTask"),
                            output: text("outputParameterKey"),
                        };
                        found.push((setting.clone(), reference));
                    }
                    stack.extend(fields.values());
                }
                Json::Array(items) => stack.extend(items),
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
            }
        }
    }
    found
}

/// What is wrong with a reference, seen from a task.
fn wrong_reference(context: &Context<'_>, run: &TaskPlace<'_>, reference: &Reference<'_>) -> Option<String> {
    match *reference {
        Reference::Input(name) => {
            let known = &run.around.component.input_definitions.parameters;
            let message = || {
                format!(
                    "`{name}`, which is no input of {} around the task `{}`",
                    run.around.noun(),
                    run.name
                )
            };
            (!known.contains_key(name)).then(message)
        }
        Reference::Output { task, output } => {
            let Some(producer) = run.beside(context, task) else {
                return Some(format!(
                    "the task `{task}`, which is not beside the task `{}`",
                    run.name
                ));
            };
            let known = &producer.component?.output_definitions.parameters;
            let message = || format!("the output `{output}` of the task `{task}`, which has no such parameter");
            (!known.contains_key(output)).then(message)
        }
    }
}

/// Values of which Kubernetes knows a few.
pub(super) fn values(context: &Context<'_>, findings: &mut Findings) {
    for (label, settings) in settings(context) {
        let mut refuse = |inside: &[&str], value: &str, help: String| {
            findings.add(
                FindingKind::PlatformValue,
                at(label, inside),
                format!(
                    "The setting `{}` of the executor `{label}` is `{value}`, which Kubernetes refuses.",
                    inside.join(".")
                ),
                help,
            );
        };
        if let Some(seconds) = settings
            .active_deadline_seconds
            .as_ref()
            .filter(|seconds| !is_seconds(seconds))
        {
            refuse(
                &["activeDeadlineSeconds"],
                &seconds.to_string(),
                "Write a positive number of seconds.".to_owned(),
            );
        }
        let one_of = |known: &[&str]| format!("Write one of {}.", known.join(", "));
        if let Some(policy) = settings
            .image_pull_policy
            .as_deref()
            .filter(|policy| !PULL_POLICIES.contains(policy))
        {
            refuse(&["imagePullPolicy"], policy, one_of(&PULL_POLICIES));
        }
        for toleration in &settings.tolerations {
            let effect = toleration
                .effect
                .as_deref()
                .filter(|effect| !effect.is_empty() && !EFFECTS.contains(effect));
            if let Some(effect) = effect {
                refuse(&["tolerations", "effect"], effect, one_of(&EFFECTS));
            }
            let operator = toleration
                .operator
                .as_deref()
                .filter(|each| !each.is_empty() && !OPERATORS.contains(each));
            if let Some(operator) = operator {
                refuse(&["tolerations", "operator"], operator, one_of(&OPERATORS));
            }
        }
    }
}

/// A 64-bit integer, which protobuf writes as text.
fn is_seconds(value: &Json) -> bool {
    let number = value
        .as_i64()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    number.is_some_and(|number| number > 0)
}
