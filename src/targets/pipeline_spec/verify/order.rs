//! The order of tasks: dependencies that exist, that cover the data, and that do not go in circles.

use std::collections::BTreeMap;

use super::context::{ComponentPlace, Context, TaskPlace};
use super::finding::{FindingKind, Findings};
use super::references::mean;
use super::sources::producers;

/// Every task that is waited for is in the graph.
pub(super) fn dependencies(_: &Context<'_>, place: &TaskPlace<'_>, findings: &mut Findings) {
    for name in &place.task.dependent_tasks {
        if !place.dag.tasks.contains_key(name) {
            findings.add(
                FindingKind::UnknownTask,
                place.at(&["dependentTasks"]),
                format!(
                    "The task `{}` waits for the task `{name}`, which is not in its graph.",
                    place.name
                ),
                mean(name, place.dag.tasks.keys(), "Leave it out, or name a task beside it."),
            );
        }
    }
}

/// Every task that is read from is waited for.
pub(super) fn data_edges(_: &Context<'_>, place: &TaskPlace<'_>, findings: &mut Findings) {
    let waits_for: std::collections::BTreeSet<&str> = place.task.dependent_tasks.iter().map(String::as_str).collect();
    for producer in producers(place) {
        if producer != place.name && place.dag.tasks.contains_key(producer) && !waits_for.contains(producer) {
            findings.add(
                FindingKind::MissingDependency,
                place.at(&["dependentTasks"]),
                format!(
                    "The task `{}` reads from the task `{producer}` and does not wait for it; `kfp.local` may start it first.",
                    place.name
                ),
                format!("Add `{producer}` to its `dependentTasks`."),
            );
        }
    }
}

/// No task waits for itself, directly or through others. One way around is shown for each graph.
pub(super) fn cycles(context: &Context<'_>, place: ComponentPlace<'_>, findings: &mut Findings) {
    let mut waits_for: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for task in context.tasks_of(place) {
        let data = producers(&task).into_iter();
        let all = task.task.dependent_tasks.iter().map(String::as_str).chain(data);
        let known = all.filter(|name| task.dag.tasks.contains_key(*name));
        waits_for.insert(task.name, known.collect());
    }
    if let Some(way) = cycle(&waits_for) {
        let [first, ..] = way.as_slice() else { return };
        let names: Vec<String> = way.iter().map(|name| format!("`{name}`")).collect();
        findings.add(
            FindingKind::DependencyCycle,
            place.at(&["dag", "tasks", first]),
            format!("The task `{first}` waits for itself: {}.", names.join(" waits for ")),
            "Take one of these dependencies out.",
        );
    }
}

/// A way from a name to itself. Takes away, again and again, what waits for nothing; a cycle is in what is left.
fn cycle<'a>(waits_for: &BTreeMap<&'a str, Vec<&'a str>>) -> Option<Vec<&'a str>> {
    let mut open: BTreeMap<&str, usize> = waits_for.iter().map(|(name, all)| (*name, all.len())).collect();
    let mut waiting: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, all) in waits_for {
        for each in all {
            waiting.entry(each).or_default().push(name);
        }
    }
    let mut free: Vec<&str> = open
        .iter()
        .filter(|(_, count)| **count == 0)
        .map(|(name, _)| *name)
        .collect();
    while let Some(name) = free.pop() {
        open.remove(name);
        for each in waiting.get(name).map(Vec::as_slice).unwrap_or_default() {
            if let Some(count) = open.get_mut(each) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    free.push(each);
                }
            }
        }
    }
    // Everything left waits for something left: walking on must come back to where it has been.
    let mut way: Vec<&str> = Vec::new();
    let mut position: BTreeMap<&str, usize> = BTreeMap::new();
    let mut name = *open.keys().next()?;
    loop {
        if let Some(start) = position.get(name) {
            let mut around = way.split_off(*start);
            around.push(name);
            return Some(around);
        }
        position.insert(name, way.len());
        way.push(name);
        name = waits_for.get(name)?.iter().find(|each| open.contains_key(*each))?;
    }
}
