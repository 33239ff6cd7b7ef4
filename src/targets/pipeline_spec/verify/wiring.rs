//! What tasks are given: everything that is required, nothing that is unknown, each from one source of the right type.

use super::super::{ArtifactDefinition, ArtifactSource, ParameterType};
use super::constants::{Checked, check};
use super::context::{Context, TaskPlace};
use super::finding::{FindingKind, Findings};
use super::interfaces::is_title;
use super::references::mean;
use super::sources::{self, Source};

/// Inputs that `kfp` passes and does not declare: images and resources that are known at run time alone.
const INJECTED: [&str; 7] = [
    "accelerator_count",
    "accelerator_type",
    "base_image",
    "cpu_limit",
    "cpu_request",
    "memory_limit",
    "memory_request",
];

/// The type to which every artifact can be given, and which can be given to every input.
const ANY_ARTIFACT: &str = "system.Artifact";

/// Whether an input may be passed without being declared; pieces of texts are, too.
pub(super) fn is_injected(name: &str) -> bool {
    name.starts_with("pipelinechannel--") || INJECTED.contains(&name)
}

/// Every parameter has one source, which exists and has its type.
pub(super) fn parameters(context: &Context<'_>, place: &TaskPlace<'_>, findings: &mut Findings) {
    for (name, input) in &place.task.inputs.parameters {
        let at = |inside: &[&str]| place.at(&[&["inputs", "parameters", name.as_str()], inside].concat());
        let sources = sources::all(input);
        let [source] = sources.as_slice() else {
            let many: Vec<String> = sources.iter().map(ToString::to_string).collect();
            let message = match many.as_slice() {
                [] => format!("The input `{name}` of the task `{}` has no source.", place.name),
                [..] => format!(
                    "The input `{name}` of the task `{}` has several sources: {}.",
                    place.name,
                    many.join(", ")
                ),
            };
            let help = "Give it one: a constant, an input of the graph, an output of a task, or a final status.";
            findings.add(FindingKind::InputSource, at(&[]), message, help);
            continue;
        };
        if !exists(context, place, name, source, findings) {
            continue;
        }
        let Some(declared) = sources::declared(place, name) else {
            continue;
        };
        if let Source::Constant(value) = source {
            if is_constant_to_check(value, declared.is_optional) {
                let checked = Checked {
                    value,
                    what: "The constant",
                    input: name,
                    kind: FindingKind::ConstantType,
                };
                check(&checked, declared, || at(&["runtimeValue", "constant"]), findings);
            }
        } else if let Some(given) = sources::parameter_type(context, place, input)
            && differ(given, declared.parameter_type)
        {
            findings.add(
                FindingKind::TypeMismatch,
                at(&[]),
                format!(
                    "The input `{name}` of the task `{}` is {}, and {source} is {}.",
                    place.name,
                    declared.parameter_type.name(),
                    given.name()
                ),
                "Declare the same type on both sides, or convert the value in a task between them.",
            );
        }
    }
}

/// Whether two types are known and not the same.
pub(super) fn differ(left: ParameterType, right: ParameterType) -> bool {
    left != right && left != ParameterType::Unspecified && right != ParameterType::Unspecified
}

/// A text with placeholders becomes what it is at run time; `null` is no value for an input that may be absent.
fn is_constant_to_check(value: &serde_json::Value, is_optional: bool) -> bool {
    let has_placeholder = value.as_str().is_some_and(|text| text.contains("{{$"));
    !has_placeholder && (!is_optional || !value.is_null())
}

/// Whether the source of a parameter exists; says so when it does not, unless another rule does.
fn exists(
    context: &Context<'_>,
    place: &TaskPlace<'_>,
    name: &str,
    source: &Source<'_>,
    findings: &mut Findings,
) -> bool {
    let at = |inside: &[&str]| place.at(&[&["inputs", "parameters", name], inside].concat());
    match *source {
        Source::Constant(_) => true,
        Source::Graph(input) => {
            let known = &place.around.component.input_definitions.parameters;
            if !known.contains_key(input) {
                let message = format!(
                    "The input `{name}` of the task `{}` reads `{input}`, which is no input of {}.",
                    place.name,
                    place.around.noun()
                );
                let help = mean(input, known.keys(), "Declare it, and give it where the graph is run.");
                findings.add(
                    FindingKind::UnknownGraphInput,
                    at(&["componentInputParameter"]),
                    message,
                    help,
                );
            }
            known.contains_key(input)
        }
        Source::Output { task, output } => {
            let place_of_task = at(&["taskOutputParameter", "producerTask"]);
            let Some(producer) = producer(context, place, task, place_of_task, findings) else {
                return false;
            };
            let Some(component) = producer.component else {
                return false;
            };
            let known = &component.output_definitions.parameters;
            if !known.contains_key(output) {
                let message = format!(
                    "The input `{name}` of the task `{}` reads the output `{output}` of the task `{task}`, which has no \
                     such parameter.",
                    place.name
                );
                let help = mean(
                    output,
                    known.keys(),
                    "Declare it in the outputs of that task's component.",
                );
                let path = at(&["taskOutputParameter", "outputParameterKey"]);
                findings.add(FindingKind::UnknownOutput, path, message, help);
            }
            known.contains_key(output)
        }
        Source::Status(task) => {
            producer(context, place, task, at(&["taskFinalStatus", "producerTask"]), findings).is_some()
        }
        Source::Run => {
            let message = format!(
                "The input `{name}` of the task `{}` reads a parameter of the run, which schema 2.1.0 does not have.",
                place.name
            );
            let help = "Declare an input of the pipeline and read it with `componentInputParameter`.";
            findings.add(FindingKind::InputSource, at(&["runtimeValue"]), message, help);
            false
        }
    }
}

/// The task that gives something; says so when its graph does not have it.
fn producer<'a>(
    context: &Context<'a>,
    place: &TaskPlace<'a>,
    task: &str,
    path: String,
    findings: &mut Findings,
) -> Option<TaskPlace<'a>> {
    let producer = place.beside(context, task);
    if producer.is_none() {
        let message = format!(
            "The task `{}` reads from the task `{task}`, which is not in its graph.",
            place.name
        );
        let help = mean(
            task,
            place.dag.tasks.keys(),
            "A task reads from tasks beside it; pass anything else through the graph's inputs.",
        );
        findings.add(FindingKind::UnknownTask, path, message, help);
    }
    producer
}

/// Every artifact has a source that exists and has its type.
pub(super) fn artifacts(context: &Context<'_>, place: &TaskPlace<'_>, findings: &mut Findings) {
    for (name, source) in &place.task.inputs.artifacts {
        let at = |inside: &[&str]| place.at(&[&["inputs", "artifacts", name.as_str()], inside].concat());
        let given = sources::artifact(context, place, source);
        let Some(given) = given else {
            missing_artifact(context, place, name, source, findings);
            continue;
        };
        let declared = place
            .component
            .and_then(|component| component.input_definitions.artifacts.get(name));
        let Some(declared) = declared else { continue };
        let subject = format!("The input `{name}` of the task `{}`", place.name);
        fit(&subject, declared, given, || at(&[]), findings);
    }
}

fn missing_artifact(
    context: &Context<'_>,
    place: &TaskPlace<'_>,
    name: &str,
    source: &ArtifactSource,
    findings: &mut Findings,
) {
    let at = |inside: &[&str]| place.at(&[&["inputs", "artifacts", name], inside].concat());
    match source {
        ArtifactSource::ComponentInputArtifact(input) => {
            let message = format!(
                "The input `{name}` of the task `{}` reads `{input}`, which is no artifact among the inputs of {}.",
                place.name,
                place.around.noun()
            );
            let known = place.around.component.input_definitions.artifacts.keys();
            let help = mean(input, known, "Declare it, and give it where the graph is run.");
            findings.add(
                FindingKind::UnknownGraphInput,
                at(&["componentInputArtifact"]),
                message,
                help,
            );
        }
        ArtifactSource::TaskOutputArtifact(output) => {
            let (task, key) = (&output.producer_task, &output.output_artifact_key);
            let path = at(&["taskOutputArtifact", "producerTask"]);
            let Some(component) = producer(context, place, task, path, findings).and_then(|each| each.component) else {
                return;
            };
            let message = format!(
                "The input `{name}` of the task `{}` reads the output `{key}` of the task `{task}`, which has no such \
                 artifact.",
                place.name
            );
            let known = component.output_definitions.artifacts.keys();
            let help = mean(key, known, "Declare it in the outputs of that task's component.");
            let path = at(&["taskOutputArtifact", "outputArtifactKey"]);
            findings.add(FindingKind::UnknownOutput, path, message, help);
        }
    }
}

/// An artifact fits where it goes: one or a list, the same type, the same major version.
pub(super) fn fit(
    subject: &str,
    declared: &ArtifactDefinition,
    given: &ArtifactDefinition,
    path: impl Fn() -> String,
    findings: &mut Findings,
) {
    if declared.is_artifact_list != given.is_artifact_list {
        let (wanted, found) = match declared.is_artifact_list {
            true => ("a list of artifacts", "one artifact"),
            false => ("one artifact", "a list of artifacts"),
        };
        let message = format!("{subject} is {wanted}, and gets {found}.");
        findings.add(
            FindingKind::ListMismatch,
            path(),
            message,
            "Set `isArtifactList` alike on both sides, or gather the artifacts in a loop.",
        );
        return;
    }
    let (Some(wanted), Some(found)) = (&declared.artifact_type.schema_title, &given.artifact_type.schema_title) else {
        return;
    };
    let is_known = |title: &str| is_title(title) && title != ANY_ARTIFACT;
    if !is_known(wanted) || !is_known(found) {
        return;
    }
    let help = format!("Declare the same type on both sides, or `{ANY_ARTIFACT}` on one.");
    if wanted != found {
        let message = format!("{subject} is a `{wanted}`, and gets a `{found}`.");
        findings.add(FindingKind::ArtifactMismatch, path(), message, help);
        return;
    }
    let version = |definition: &ArtifactDefinition| definition.artifact_type.schema_version.clone().unwrap_or_default();
    let (new, old) = (version(declared), version(given));
    let major = |version: &str| version.split('.').next().unwrap_or_default().to_owned();
    if !new.is_empty() && !old.is_empty() && major(&new) != major(&old) {
        let message = format!("{subject} is a `{wanted}` of version {new}, and gets one of version {old}.");
        findings.add(FindingKind::ArtifactMismatch, path(), message, help);
    }
}

/// Everything that is required is given; a loop gives the item itself.
pub(super) fn missing(_: &Context<'_>, place: &TaskPlace<'_>, findings: &mut Findings) {
    let Some(component) = place.component else { return };
    let (wanted, given) = (&component.input_definitions, &place.task.inputs);
    let parameters = wanted
        .parameters
        .iter()
        .filter(|(name, input)| {
            !input.is_optional && input.default_value.is_none() && !given.parameters.contains_key(*name)
        })
        .map(|(name, _)| ("parameters", name));
    let artifacts = wanted
        .artifacts
        .iter()
        .filter(|(name, input)| !input.is_optional && !given.artifacts.contains_key(*name))
        .map(|(name, _)| ("artifacts", name));
    let item = place.item_input();
    if item.is_some_and(|item| !wanted.parameters.contains_key(item) && !wanted.artifacts.contains_key(item)) {
        // One of the inputs is the item, under a name that the loop has wrong.
        return;
    }
    for (section, name) in parameters
        .chain(artifacts)
        .filter(|(_, name)| item != Some(name.as_str()))
    {
        findings.add(
            FindingKind::MissingInput,
            place.at(&["inputs", section, name]),
            format!(
                "The task `{}` does not give the input `{name}`, which its component `{}` requires.",
                place.name, place.task.component_ref.name
            ),
            "Give it, or declare it with `isOptional: true`.",
        );
    }
}

/// Everything that is given is declared. What a loop runs over is read by the loop itself.
pub(super) fn undeclared(_: &Context<'_>, place: &TaskPlace<'_>, findings: &mut Findings) {
    let Some(component) = place.component else { return };
    let known = &component.input_definitions;
    let given = &place.task.inputs;
    let parameters = given
        .parameters
        .keys()
        .filter(|name| !known.parameters.contains_key(*name) && !is_injected(name))
        .filter(|name| place.items_input() != Some(name.as_str()))
        .map(|name| ("parameters", name, known.artifacts.contains_key(name)));
    let artifacts = given
        .artifacts
        .keys()
        .filter(|name| !known.artifacts.contains_key(*name) && place.items_input() != Some(name.as_str()))
        .map(|name| ("artifacts", name, known.parameters.contains_key(name)));
    for (section, name, is_of_the_other_kind) in parameters.chain(artifacts) {
        let component = &place.task.component_ref.name;
        let (message, help) = if is_of_the_other_kind {
            let (given, declared) = if section == "parameters" {
                ("a parameter", "an artifact")
            } else {
                ("an artifact", "a parameter")
            };
            let message = format!(
                "The task `{}` gives the input `{name}` as {given}, and its component `{component}` declares {declared}.",
                place.name
            );
            (message, format!("Give {declared}, or declare {given}."))
        } else {
            let message = format!(
                "The task `{}` gives the input `{name}`, which its component `{component}` does not declare.",
                place.name
            );
            let known = known.parameters.keys().chain(known.artifacts.keys());
            (
                message,
                mean(
                    name,
                    known,
                    "Leave it out, or declare it in the component's `inputDefinitions`.",
                ),
            )
        };
        findings.add(
            FindingKind::UndeclaredInput,
            place.at(&["inputs", section, name]),
            message,
            help,
        );
    }
}

/// What is required does not come from what may be absent. Groups are left out: `kfp` declares all their inputs required.
pub(super) fn optional(_: &Context<'_>, place: &TaskPlace<'_>, findings: &mut Findings) {
    if place.component.is_none_or(|component| component.dag.is_some()) {
        return;
    }
    for (name, input) in &place.task.inputs.parameters {
        let Some(declared) = sources::declared(place, name) else {
            continue;
        };
        let Some(Source::Graph(outer)) = sources::only(input) else {
            continue;
        };
        let given = place.around.component.input_definitions.parameters.get(outer);
        let may_be_absent = given.is_some_and(|given| given.is_optional && given.default_value.is_none());
        if may_be_absent && !declared.is_optional && declared.default_value.is_none() {
            findings.add(
                FindingKind::OptionalInput,
                place.at(&["inputs", "parameters", name]),
                format!(
                    "The input `{name}` of the task `{}` is required, and the graph's input `{outer}` may be absent.",
                    place.name
                ),
                "Give the graph's input a default, or declare the task's input with `isOptional: true`.",
            );
        }
    }
}
