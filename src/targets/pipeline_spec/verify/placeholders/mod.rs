//! Placeholders in commands, arguments, environments, images and constants: they name what is there, as what it is, and the
//! platform fills them in.

mod parse;
mod structure;

use std::collections::BTreeSet;

use serde_json::Value as Json;

use self::parse::{Direction, Placeholder, Section, placeholders};
use self::structure::structure;
use super::super::{Component, Container, Executor, RuntimeText, RuntimeValue};
use super::Platform;
use super::context::{ComponentPlace, Context, ExecutorPlace, TaskPlace};
use super::finding::{FindingKind, Findings};
use super::references::mean;
use super::wiring::is_injected;

/// How far a platform fills a placeholder in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Support {
    /// Everywhere.
    Full,
    /// As a constant for an input, and then alone.
    Alone,
    /// Not at all.
    No,
}

/// Placeholders of the run, with what Kubeflow and Vertex AI make of them.
const OF_THE_RUN: [(&str, Support, Support); 13] = [
    ("", Support::Full, Support::Full),
    ("json_escape", Support::No, Support::Full),
    ("outputs.output_file", Support::No, Support::Full),
    ("outputMetadataUri", Support::No, Support::Full),
    ("pipeline_job_name", Support::Alone, Support::Full),
    ("pipeline_job_resource_name", Support::Alone, Support::Full),
    ("pipeline_job_uuid", Support::Alone, Support::Full),
    ("pipeline_task_name", Support::Alone, Support::Full),
    ("pipeline_task_uuid", Support::Alone, Support::Full),
    ("pipeline_job_create_time_utc", Support::Alone, Support::Full),
    ("pipeline_job_schedule_time_utc", Support::Alone, Support::Full),
    ("pipeline_root", Support::No, Support::Full),
    ("workspace_path", Support::Full, Support::No),
];

/// Parts of artifacts and outputs, with what Kubeflow and Vertex AI make of them. `.metadata['k']` counts as `.metadata`.
const OF_ARTIFACTS: [(&str, Support, Support); 5] = [
    ("", Support::No, Support::Full),
    (".uri", Support::Full, Support::Full),
    (".path", Support::Full, Support::Full),
    (".name", Support::No, Support::Full),
    (".metadata", Support::No, Support::Full),
];

/// What the placeholders of a text may name, and how sentences name the place.
struct Place<'a> {
    platform: Platform,
    noun: String,
    parameters: BTreeSet<&'a str>,
    component: Option<&'a Component>,
    /// Whether the text is a constant for an input.
    is_constant: bool,
}

/// The texts of the executor of a component.
pub(super) fn executor_texts(context: &Context<'_>, place: ComponentPlace<'_>, findings: &mut Findings) {
    let Some(executor) = context
        .executor_of(place.component)
        .filter(|_| place.component.dag.is_none())
    else {
        return;
    };
    let declared = place.component.input_definitions.parameters.keys().map(String::as_str);
    let passed = context
        .runs_of(place)
        .iter()
        .flat_map(|task| task.task.inputs.parameters.keys())
        .map(String::as_str)
        .filter(|name| is_injected(name));
    let names = Place {
        platform: context.platform,
        noun: format!("The executor `{}`", executor.label),
        parameters: declared.chain(passed).collect(),
        component: Some(place.component),
        is_constant: false,
    };
    match executor.executor {
        Executor::Container(container) => {
            container_texts(&names, executor, container, findings);
            structures(&names, executor, container, findings);
        }
        Executor::Importer(importer) => {
            if let Some(RuntimeText::Constant(address)) = &importer.artifact_uri {
                let at = executor.at(&["importer", "artifactUri", "constant"]);
                check(&names, address, &at, findings);
            }
            for text in importer.metadata.iter().flat_map(texts_of) {
                check(&names, text, &executor.at(&["importer", "metadata"]), findings);
            }
        }
        // Google's own jobs have placeholders of their own.
        Executor::CustomJob(_) | Executor::Resolver(_) => {}
    }
}

fn container_texts(names: &Place<'_>, executor: ExecutorPlace<'_>, container: &Container, findings: &mut Findings) {
    let mut check_in = |field: &str, text: &str| {
        // Most texts have none, and a path costs more than the look.
        if text.contains("{{$") && structure(text).is_none() {
            check(names, text, &executor.at(&["container", field]), findings);
        }
    };
    container.command.iter().for_each(|text| check_in("command", text));
    container.args.iter().for_each(|text| check_in("args", text));
    container
        .env
        .iter()
        .for_each(|variable| check_in("env", &variable.value));
    check_in("image", &container.image);
    let Some(resources) = &container.resources else { return };
    let amounts = [
        &resources.resource_cpu_limit,
        &resources.resource_cpu_request,
        &resources.resource_memory_limit,
        &resources.resource_memory_request,
    ];
    amounts
        .into_iter()
        .flatten()
        .for_each(|text| check_in("resources", text));
}

/// `Concat` and `IfPresent`; of several that a platform does not evaluate, one is shown.
fn structures(names: &Place<'_>, executor: ExecutorPlace<'_>, container: &Container, findings: &mut Findings) {
    let mut is_told = false;
    let command = container.command.iter().map(|text| ("command", text));
    for (field, text) in command.chain(container.args.iter().map(|text| ("args", text))) {
        let Some(structure) = structure(text) else { continue };
        let path = executor.at(&["container", field]);
        if let Some(wrong) = structure.wrong {
            let message = format!("An argument of the executor `{}` {wrong}.", executor.label);
            let help =
                "Write `{\"Concat\": [texts]}` or `{\"IfPresent\": {\"InputName\": …, \"Then\": …, \"Else\": …}}`.";
            findings.add(FindingKind::StructureSyntax, path, message, help);
            continue;
        }
        for text in &structure.texts {
            check(names, text, &path, findings);
        }
        for input in &structure.asks {
            let is_artifact = names
                .component
                .is_some_and(|each| each.input_definitions.artifacts.contains_key(input));
            if !names.parameters.contains(input.as_str()) && !is_artifact {
                unknown_input(names, input, &path, findings);
            }
        }
        let wrong = match names.platform {
            Platform::Kubeflow if structure.joins => "joins texts with `Concat`, which Kubeflow does not evaluate",
            Platform::Vertex if !structure.asks.is_empty() => {
                "asks with `IfPresent` whether an input is there, which Vertex AI does not evaluate reliably"
            }
            Platform::Kubeflow | Platform::Vertex => continue,
        };
        if !is_told {
            is_told = true;
            let message = format!("An argument of the executor `{}` {wrong}.", executor.label);
            let help = "Write placeholders into one text, or decide in the program that runs.";
            findings.add(FindingKind::PlaceholderStructure, path, message, help);
        }
    }
}

/// The constants of a task; their placeholders name inputs of the task.
pub(super) fn constants(context: &Context<'_>, place: &TaskPlace<'_>, findings: &mut Findings) {
    for (name, input) in &place.task.inputs.parameters {
        let Some(RuntimeValue::Constant(constant)) = &input.runtime_value else {
            continue;
        };
        let texts: Vec<&str> = texts_of(constant)
            .into_iter()
            .filter(|text| text.contains("{{$"))
            .collect();
        if texts.is_empty() {
            continue;
        }
        let given = place.task.inputs.parameters.keys().map(String::as_str);
        let declared = place
            .component
            .into_iter()
            .flat_map(|component| component.input_definitions.parameters.keys());
        let names = Place {
            platform: context.platform,
            noun: format!("The input `{name}` of the task `{}`", place.name),
            parameters: given.chain(declared.map(String::as_str)).collect(),
            component: place.component,
            is_constant: true,
        };
        let path = place.at(&["inputs", "parameters", name, "runtimeValue", "constant"]);
        for text in texts {
            check(&names, text, &path, findings);
        }
    }
}

/// All texts inside a value. A walk with a stack of its own.
fn texts_of(value: &Json) -> Vec<&str> {
    let mut texts = Vec::new();
    let mut stack = vec![value];
    while let Some(value) = stack.pop() {
        match value {
            Json::String(text) => texts.push(text.as_str()),
            Json::Array(items) => stack.extend(items),
            Json::Object(fields) => stack.extend(fields.values()),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }
    texts
}

/// Checks the placeholders of a text.
fn check(names: &Place<'_>, text: &str, path: &str, findings: &mut Findings) {
    for (whole, placeholder) in placeholders(text) {
        let support = match &placeholder {
            Placeholder::Unknown => None,
            Placeholder::Run(name) => of_the_run(names.platform, name),
            Placeholder::Port { .. } => port(names, whole, &placeholder, path, findings),
        };
        match support {
            Some(Support::Full) => {}
            Some(Support::Alone) if names.is_constant && text == whole => {}
            Some(support) => not_filled_in(names, whole, support, path, findings),
            None if matches!(placeholder, Placeholder::Port { .. }) => {}
            None => findings.add(
                FindingKind::PlaceholderUnknown,
                path.to_owned(),
                format!(
                    "{} has the placeholder `{}`, which has no form that is known.",
                    names.noun,
                    cut(whole)
                ),
                "Write it as in `{{$.inputs.parameters['x']}}`, or break up `{{$` when it is no placeholder.",
            ),
        }
    }
}

fn of_the_run(platform: Platform, name: &str) -> Option<Support> {
    let name = name.split_once(".json_escape").map_or(name, |(name, _)| name);
    let name = name.split_once('[').map_or(name, |(name, _)| name);
    let (_, kubeflow, vertex) = OF_THE_RUN.into_iter().find(|(known, _, _)| *known == name)?;
    Some(match platform {
        Platform::Kubeflow => kubeflow,
        Platform::Vertex => vertex,
    })
}

fn not_filled_in(names: &Place<'_>, whole: &str, support: Support, path: &str, findings: &mut Findings) {
    let platform = match names.platform {
        Platform::Kubeflow => "Kubeflow",
        Platform::Vertex => "Vertex AI",
    };
    let (wrong, help) = match support {
        Support::Alone => (
            format!("{platform} fills in only where it is the whole constant of an input"),
            "Give it to an input of its own, and read that one.",
        ),
        Support::Full | Support::No => (
            format!("{platform} does not fill in"),
            "Pass `{{$}}` and read it from there, or pass the value as an input.",
        ),
    };
    findings.add(
        FindingKind::PlaceholderPlatform,
        path.to_owned(),
        format!("{} has the placeholder `{whole}`, which {wrong}.", names.noun),
        help,
    );
}

/// Checks a placeholder for an input or output; its support when it names something that is there.
fn port(
    names: &Place<'_>,
    whole: &str,
    placeholder: &Placeholder<'_>,
    path: &str,
    findings: &mut Findings,
) -> Option<Support> {
    let Placeholder::Port {
        direction,
        section,
        name,
        part,
    } = *placeholder
    else {
        return None;
    };
    let component = names.component?;
    let (inputs, outputs) = (&component.input_definitions, &component.output_definitions);
    let (is_parameter, is_artifact) = match direction {
        Direction::Input => (names.parameters.contains(name), inputs.artifacts.contains_key(name)),
        Direction::Output => (
            outputs.parameters.contains_key(name),
            outputs.artifacts.contains_key(name),
        ),
    };
    let is_right = match section {
        Section::Parameter => is_parameter,
        Section::Artifact => is_artifact,
    };
    if !is_right {
        match (direction, is_parameter || is_artifact) {
            (_, true) => wrong_kind(names, whole, section, name, path, findings),
            (Direction::Input, false) => unknown_input(names, name, path, findings),
            (Direction::Output, false) => unknown_output(names, component, name, path, findings),
        }
        return None;
    }
    // Google's own components escape texts for JSON with this ending.
    let (part, is_escaped) = part
        .split_once(".json_escape")
        .map_or((part, false), |(part, _)| (part, true));
    let support = part_support(names.platform, direction, section, part);
    if support.is_none() {
        let help = match (direction, section) {
            (Direction::Input, Section::Parameter) => format!("Write `{{{{$.inputs.parameters['{name}']}}}}`."),
            (Direction::Output, Section::Parameter) => {
                format!("Write `{{{{$.outputs.parameters['{name}'].output_file}}}}`.")
            }
            (Direction::Input | Direction::Output, Section::Artifact) => {
                "Ask for `.path`, `.uri` or `.metadata`.".to_owned()
            }
        };
        let message = format!("{} asks `{}` for something that it has not.", names.noun, cut(whole));
        findings.add(FindingKind::PlaceholderKind, path.to_owned(), message, help);
    }
    match (is_escaped, names.platform) {
        (true, Platform::Kubeflow) => support.map(|_| Support::No),
        (true, Platform::Vertex) | (false, _) => support,
    }
}

fn part_support(platform: Platform, direction: Direction, section: Section, part: &str) -> Option<Support> {
    match (direction, section) {
        (Direction::Input, Section::Parameter) => part.is_empty().then_some(Support::Full),
        (Direction::Output, Section::Parameter) => (part == ".output_file").then_some(Support::Full),
        (_, Section::Artifact) => {
            let part = if part.starts_with(".metadata[") {
                ".metadata"
            } else {
                part
            };
            let (_, kubeflow, vertex) = OF_ARTIFACTS.into_iter().find(|(known, _, _)| *known == part)?;
            Some(match platform {
                Platform::Kubeflow => kubeflow,
                Platform::Vertex => vertex,
            })
        }
    }
}

fn wrong_kind(names: &Place<'_>, whole: &str, section: Section, name: &str, path: &str, findings: &mut Findings) {
    let (asked, real, help) = match section {
        Section::Parameter => (
            "a parameter",
            "an artifact",
            "Ask the artifact for its `.path` or `.uri`.",
        ),
        Section::Artifact => ("an artifact", "a parameter", "Take the parameter's value."),
    };
    findings.add(
        FindingKind::PlaceholderKind,
        path.to_owned(),
        format!(
            "{} has `{}` as {asked}, and `{name}` is {real}.",
            names.noun,
            cut(whole)
        ),
        help,
    );
}

fn unknown_input(names: &Place<'_>, name: &str, path: &str, findings: &mut Findings) {
    let known: Vec<String> = names.parameters.iter().map(|name| (*name).to_owned()).collect();
    let artifacts = names
        .component
        .into_iter()
        .flat_map(|component| component.input_definitions.artifacts.keys());
    findings.add(
        FindingKind::PlaceholderInput,
        path.to_owned(),
        format!(
            "{} has a placeholder for the input `{name}`, which is not there.",
            names.noun
        ),
        mean(
            name,
            known.iter().chain(artifacts),
            "Declare it in the component's `inputDefinitions`.",
        ),
    );
}

fn unknown_output(names: &Place<'_>, component: &Component, name: &str, path: &str, findings: &mut Findings) {
    let outputs = &component.output_definitions;
    findings.add(
        FindingKind::PlaceholderOutput,
        path.to_owned(),
        format!(
            "{} has a placeholder for the output `{name}`, which is not declared.",
            names.noun
        ),
        mean(
            name,
            outputs.parameters.keys().chain(outputs.artifacts.keys()),
            "Declare it in the component's `outputDefinitions`.",
        ),
    );
}

/// A placeholder for a sentence; long ones are cut.
fn cut(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
