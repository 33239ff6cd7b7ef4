//! References to components and executors: they exist, something reaches them, and no component runs itself.

use std::collections::{BTreeMap, BTreeSet};

use super::super::path::path;
use super::context::{ComponentPlace, Context, TaskPlace};
use super::finding::{FindingKind, Findings};
use crate::diagnostics::nearest;

/// A sentence that names the nearest of what there is, or else what to do.
pub(super) fn mean<'a>(wanted: &str, known: impl IntoIterator<Item = &'a String>, otherwise: &str) -> String {
    match nearest(wanted, known.into_iter().map(String::as_str)) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => otherwise.to_owned(),
    }
}

/// A task's component exists.
pub(super) fn component(context: &Context<'_>, place: &TaskPlace<'_>, findings: &mut Findings) {
    if place.component.is_some() {
        return;
    }
    let key = &place.task.component_ref.name;
    findings.add(
        FindingKind::UnknownComponent,
        place.at(&["componentRef", "name"]),
        format!(
            "The task `{}` runs the component `{key}`, which does not exist.",
            place.name
        ),
        mean(
            key,
            context.spec.components.keys(),
            "Add it to `components`, or name one of those.",
        ),
    );
}

/// A component has one body, and an executor that exists.
pub(super) fn body(context: &Context<'_>, place: ComponentPlace<'_>, findings: &mut Findings) {
    let component = place.component;
    match (&component.dag, &component.executor_label) {
        (Some(dag), None) if dag.tasks.is_empty() => findings.add(
            FindingKind::EmptyGraph,
            place.at(&["dag", "tasks"]),
            format!("The graph of {} has no tasks.", place.noun()),
            "Give it a task, or leave the component out.",
        ),
        (Some(_), None) => {}
        (None, Some(label)) if place.key.is_some() => {
            let executors = &context.spec.deployment_spec.executors;
            if !executors.contains_key(label) {
                findings.add(
                    FindingKind::UnknownExecutor,
                    place.at(&["executorLabel"]),
                    format!(
                        "{} runs the executor `{label}`, which does not exist.",
                        capital(&place.noun())
                    ),
                    mean(
                        label,
                        executors.keys(),
                        "Add it to `deploymentSpec.executors`, or name one of those.",
                    ),
                );
            }
        }
        (None, Some(_)) => findings.add(
            FindingKind::ComponentBody,
            place.at(&["executorLabel"]),
            "The pipeline runs an executor, and must have a graph.".to_owned(),
            "Put a task that runs it into `root.dag.tasks`.",
        ),
        (Some(_), Some(label)) => findings.add(
            FindingKind::ComponentBody,
            place.at(&["executorLabel"]),
            format!(
                "{} has a graph and the executor `{label}`, and can only run one.",
                capital(&place.noun())
            ),
            "Leave out `dag` or `executorLabel`.",
        ),
        (None, None) => findings.add(
            FindingKind::ComponentBody,
            place.at(&[]),
            format!(
                "{} has neither a graph nor an executor, so there is nothing to run.",
                capital(&place.noun())
            ),
            "Give it `dag` or `executorLabel`.",
        ),
    }
}

/// One task for one component. Graphs may be shared: `kfp.local` names folders by the components that run executors.
pub(super) fn shared(context: &Context<'_>, place: ComponentPlace<'_>, findings: &mut Findings) {
    if place.component.dag.is_some() {
        return;
    }
    if let [first, second, ..] = context.runs_of(place) {
        findings.add(
            FindingKind::SharedComponent,
            place.at(&[]),
            format!(
                "The tasks `{}` and `{}` both run {}; in `kfp.local` each overwrites the other's outputs.",
                first.name,
                second.name,
                place.noun()
            ),
            "Give each task a component and an executor of its own.",
        );
    }
}

/// No component runs itself.
pub(super) fn recursion(context: &Context<'_>, findings: &mut Findings) {
    for way in &context.recursions {
        let [first, ..] = way.as_slice() else { continue };
        let names: Vec<String> = way.iter().map(|key| format!("`{key}`")).collect();
        findings.add(
            FindingKind::RecursiveComponent,
            path("components", &[first]),
            format!("The component `{first}` runs itself: {}.", names.join(" runs ")),
            "A pipeline cannot repeat itself; use a loop over a list.",
        );
    }
}

/// The root reaches every component. Silent when references are broken: the unused one is the one that was meant.
pub(super) fn unused_components(context: &Context<'_>, findings: &mut Findings) {
    let broken = [
        FindingKind::UnknownComponent,
        FindingKind::RecursiveComponent,
        FindingKind::EmptyGraph,
        FindingKind::ComponentBody,
    ];
    if broken.into_iter().any(|kind| findings.has(kind)) {
        return;
    }
    let reached: BTreeSet<&str> = context.inner_first.iter().filter_map(|place| place.key).collect();
    for key in context
        .spec
        .components
        .keys()
        .filter(|key| !reached.contains(key.as_str()))
    {
        findings.add(
            FindingKind::UnusedComponent,
            path("components", &[key]),
            format!("No task that the pipeline reaches runs the component `{key}`."),
            "Leave it out, or add the task that runs it.",
        );
    }
}

/// Every executor is run by a component.
pub(super) fn unused_executors(context: &Context<'_>, findings: &mut Findings) {
    if findings.has(FindingKind::UnknownExecutor) || findings.has(FindingKind::ComponentBody) {
        return;
    }
    let components = context.spec.components.values();
    let used: BTreeSet<&str> = components
        .filter_map(|component| component.executor_label.as_deref())
        .collect();
    for place in context
        .executors()
        .into_iter()
        .filter(|place| !used.contains(place.label))
    {
        findings.add(
            FindingKind::UnusedExecutor,
            place.at(&[]),
            format!("No component runs the executor `{}`.", place.label),
            "Leave it out, or add the component that runs it.",
        );
    }
}

/// Where a walk is: a component, the components that it runs, and how many of these have been seen.
struct Visit<'a> {
    place: ComponentPlace<'a>,
    runs: Vec<&'a str>,
    next: usize,
}

/// What the root reaches, each component after all that it runs, and the ways from a component to itself. A walk with a
/// stack of its own: a file decides how deep it goes.
pub(super) fn order<'a>(context: &Context<'a>) -> (Vec<ComponentPlace<'a>>, Vec<Vec<&'a str>>) {
    let (mut ordered, mut recursions) = (Vec::new(), Vec::new());
    // `true` for a component that is done, `false` for one that the walk is inside of.
    let mut seen: BTreeMap<&str, bool> = BTreeMap::new();
    let mut stack = vec![visit(context.root())];
    while let Some(top) = stack.last_mut() {
        let Some(key) = top.runs.get(top.next).copied() else {
            let place = top.place;
            if let Some(key) = place.key {
                seen.insert(key, true);
            }
            ordered.push(place);
            stack.pop();
            continue;
        };
        top.next += 1;
        match (seen.get(key), context.component(key)) {
            (Some(false), _) => {
                let around = stack.iter().filter_map(|visit| visit.place.key);
                let mut way: Vec<&str> = around.skip_while(|each| *each != key).collect();
                way.push(key);
                recursions.push(way);
            }
            (None, Some(place)) => {
                seen.insert(key, false);
                stack.push(visit(place));
            }
            (Some(true), _) | (None, None) => {}
        }
    }
    (ordered, recursions)
}

fn visit(place: ComponentPlace<'_>) -> Visit<'_> {
    let dag = place.component.dag.as_ref();
    let tasks = dag.into_iter().flat_map(|dag| dag.tasks.values());
    let runs: BTreeSet<&str> = tasks.map(|task| task.component_ref.name.as_str()).collect();
    Visit {
        place,
        runs: runs.into_iter().collect(),
        next: 0,
    }
}

/// With a capital first letter, to begin a sentence.
pub(super) fn capital(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}
