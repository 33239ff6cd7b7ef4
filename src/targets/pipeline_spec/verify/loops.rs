//! Loops: what they run over, the item that they give, and what `kfp.local` makes of them.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::super::{ParameterItems, ParameterIterator, ParameterType};
use super::Platform;
use super::constants::{Checked, check};
use super::context::{ComponentPlace, Context, TaskPlace};
use super::finding::{FindingKind, Findings};
use super::references::mean;
use super::sources::{self, Source};

/// The ending of item names that `kfp.local` reads a meaning into.
const ITEM_SUFFIX: &str = "-loop-item";

/// A loop over values.
pub(super) fn parameter_loop(context: &Context<'_>, place: &TaskPlace<'_>, findings: &mut Findings) {
    let Some(iterator) = &place.task.parameter_iterator else {
        return;
    };
    let at = |inside: &[&str]| place.at(&[&["parameterIterator"], inside].concat());
    item(place, &iterator.item_input, "parameters", findings);
    let wrong = match &iterator.items {
        ParameterItems::InputParameter(name) => input_items(context, place, name),
        ParameterItems::Raw(text) => raw_items(place, iterator, text, findings),
    };
    if let Some(message) = wrong {
        findings.add(
            FindingKind::LoopItems,
            at(&["items"]),
            message,
            "Name an input of the task that is a LIST, or write a JSON list as `raw`.",
        );
    }
}

/// What is wrong with a loop over an input of its task.
fn input_items(context: &Context<'_>, place: &TaskPlace<'_>, name: &str) -> Option<String> {
    let Some(input) = place.task.inputs.parameters.get(name) else {
        return Some(format!(
            "The loop `{}` runs over `{name}`, which is no parameter that the task is given.",
            place.name
        ));
    };
    let declared = sources::declared(place, name).map(|input| input.parameter_type);
    let given = declared.or_else(|| sources::parameter_type(context, place, input))?;
    let message = || {
        format!(
            "The loop `{}` runs over `{name}`, which is {} and no list.",
            place.name,
            given.name()
        )
    };
    (given != ParameterType::List).then(message)
}

/// What is wrong with a loop over a constant list; its items have the type that the component declares.
fn raw_items(
    place: &TaskPlace<'_>,
    iterator: &ParameterIterator,
    text: &str,
    findings: &mut Findings,
) -> Option<String> {
    let items = match serde_json::from_str(text) {
        Ok(Json::Array(items)) => items,
        Ok(other) => {
            let other = super::constants::short(&other);
            return Some(format!(
                "The loop `{}` runs over {other}, which is no list.",
                place.name
            ));
        }
        Err(error) => {
            return Some(format!(
                "The loop `{}` runs over a text that is no JSON: {error}.",
                place.name
            ));
        }
    };
    let declared = sources::declared(place, &iterator.item_input)?;
    for item in &items {
        let checked = Checked {
            value: item,
            what: "An item",
            input: &iterator.item_input,
            kind: FindingKind::ConstantType,
        };
        let before = findings.count();
        check(
            &checked,
            declared,
            || place.at(&["parameterIterator", "items", "raw"]),
            findings,
        );
        if findings.count() > before {
            break;
        }
    }
    None
}

/// The item is an input of the component, and comes from the loop alone.
fn item(place: &TaskPlace<'_>, item: &str, section: &str, findings: &mut Findings) {
    let Some(component) = place.component else { return };
    let iterator = if section == "artifacts" {
        "artifactIterator"
    } else {
        "parameterIterator"
    };
    let (declared, given): (Vec<&String>, bool) = match section {
        "artifacts" => {
            let declared = component.input_definitions.artifacts.keys().collect();
            (declared, place.task.inputs.artifacts.contains_key(item))
        }
        _ => {
            let declared = component.input_definitions.parameters.keys().collect();
            (declared, place.task.inputs.parameters.contains_key(item))
        }
    };
    if !declared.iter().any(|name| *name == item) {
        let message = format!(
            "The loop `{}` gives its items to the input `{item}`, which its component `{}` does not have among its {section}.",
            place.name, place.task.component_ref.name
        );
        let help = mean(item, declared, "Declare it in the component's `inputDefinitions`.");
        findings.add(FindingKind::LoopItem, place.at(&[iterator, "itemInput"]), message, help);
    }
    if given {
        findings.add(
            FindingKind::LoopItem,
            place.at(&["inputs", section, item]),
            format!(
                "The loop `{}` gives its items to the input `{item}`, and the task gives it something else.",
                place.name
            ),
            "Leave the input out of the task's `inputs`.",
        );
    }
}

/// A loop over artifacts.
pub(super) fn artifact_loop(context: &Context<'_>, place: &TaskPlace<'_>, findings: &mut Findings) {
    let Some(iterator) = &place.task.artifact_iterator else {
        return;
    };
    let name = &iterator.items.input_artifact;
    match context.platform {
        Platform::Kubeflow => {
            findings.add(
                FindingKind::ArtifactLoop,
                place.at(&["artifactIterator"]),
                format!(
                    "The loop `{}` runs over artifacts, and Kubeflow's compiler refuses that.",
                    place.name
                ),
                "Loop over values, for instance over addresses; Vertex AI runs it.",
            );
            return;
        }
        Platform::Vertex => {}
    }
    if place.task.parameter_iterator.is_some() {
        let message = format!(
            "The loop `{}` runs over values and over artifacts, and can only do one.",
            place.name
        );
        let help = "Leave out `parameterIterator` or `artifactIterator`.";
        findings.add(FindingKind::LoopItems, place.at(&["artifactIterator"]), message, help);
    }
    item(place, &iterator.item_input, "artifacts", findings);
    let source = place.task.inputs.artifacts.get(name);
    let given = source.and_then(|source| sources::artifact(context, place, source));
    let message = match (source, given) {
        (None, _) => format!(
            "The loop `{}` runs over `{name}`, which is no artifact that the task is given.",
            place.name
        ),
        (Some(_), Some(given)) if !given.is_artifact_list => {
            format!(
                "The loop `{}` runs over `{name}`, which is one artifact and no list.",
                place.name
            )
        }
        (Some(_), _) => return,
    };
    let help = "Name an input of the task that is a list of artifacts.";
    findings.add(
        FindingKind::LoopItems,
        place.at(&["artifactIterator", "items"]),
        message,
        help,
    );
}

/// A limit of iterations stands on loops alone.
pub(super) fn policy(_: &Context<'_>, place: &TaskPlace<'_>, findings: &mut Findings) {
    if place.task.iterator_policy.is_some() && !place.is_loop() {
        findings.add(
            FindingKind::LoopPolicy,
            place.at(&["iteratorPolicy"]),
            format!("The task `{}` has a limit of iterations, and is no loop.", place.name),
            "Leave `iteratorPolicy` out, or make it a loop.",
        );
    }
}

/// `kfp.local` puts the item in the place of every output of a task beside the loop.
pub(super) fn local(_: &Context<'_>, place: &TaskPlace<'_>, findings: &mut Findings) {
    if place.task.parameter_iterator.is_none() {
        return;
    }
    for (name, input) in &place.task.inputs.parameters {
        if let Some(Source::Output { task, .. }) = sources::only(input)
            && place.items_input() != Some(name)
        {
            findings.add(
                FindingKind::LoopLocal,
                place.at(&["inputs", "parameters", name]),
                format!(
                    "The loop `{}` reads an output of the task `{task}` beside it; `kfp.local` gives it the loop's item instead.",
                    place.name
                ),
                "Put the loop into a component with a graph of its own, and give it the value as an input.",
            );
        }
    }
}

/// Loops within loops whose items both end as `kfp.local` expects: the inner overwrites the outer.
pub(super) fn item_names(context: &Context<'_>, findings: &mut Findings) {
    // Components with such a loop somewhere inside; those that a component runs come before it.
    let mut holding: BTreeSet<&str> = BTreeSet::new();
    for place in &context.inner_first {
        for task in context.tasks_of(*place) {
            let inner = task.task.component_ref.name.as_str();
            let is_named = is_named_loop(&task);
            if is_named && holding.contains(inner) {
                findings.add(
                    FindingKind::LoopItemName,
                    task.at(&["parameterIterator", "itemInput"]),
                    format!(
                        "The loop `{}` and one inside it have items whose names end in `{ITEM_SUFFIX}`; `kfp.local` overwrites \
                         the outer item.",
                        task.name
                    ),
                    "End one of the names in another way, for instance in `-item`.",
                );
            }
            if is_named || holding.contains(inner) {
                hold(&mut holding, *place);
            }
        }
    }
}

fn hold<'a>(holding: &mut BTreeSet<&'a str>, place: ComponentPlace<'a>) {
    if let Some(key) = place.key {
        holding.insert(key);
    }
}

fn is_named_loop(place: &TaskPlace<'_>) -> bool {
    place.task.parameter_iterator.as_ref().is_some_and(|iterator| {
        let is_over_input = matches!(iterator.items, ParameterItems::InputParameter(_));
        is_over_input && iterator.item_input.ends_with(ITEM_SUFFIX)
    })
}
