//! What the project's declared targets cannot express, at the place in the source. The table is the targets' own
//! (`targets::capability`); only places are found here.

use std::collections::BTreeMap;

use crate::check::pipelines::{Elaborated, elaborate};
use crate::db::{Db, ItemKey};
use crate::diagnostics::{Code, Diagnostic, Place};
use crate::names;
use crate::plan::{self, DeclaredTarget, Graph, NodeKind, Plan};
use crate::syntax::ast::{ExprKind, ItemKind, NodeId, Setting};
use crate::targets::capability::{self, Refusal, RefusalPlace};

/// Every construct that a declared target refuses, once for each target. Nothing for a project without targets; to be asked
/// only of a program without errors.
#[must_use]
pub fn diagnostics(db: &dyn Db) -> Vec<Diagnostic> {
    let declared = items(db, |kind| matches!(kind, ItemKind::Target(_)));
    if declared.is_empty() {
        return Vec::new();
    }
    let Ok(plan) = plan::assemble(db) else {
        return Vec::new();
    };
    let pipelines: BTreeMap<String, ItemKey> = items(db, |kind| matches!(kind, ItemKind::Pipeline(_)))
        .into_iter()
        .filter_map(|key| Some((super::declarations::signature(db, &key)?.name.clone(), key)))
        .collect();
    let mut diagnostics = Vec::new();
    for key in declared {
        if let Some(target) = super::declarations::target(db, &key) {
            diagnostics.extend(of_target(db, &plan, &pipelines, &key, &target));
        }
    }
    diagnostics
}

fn items(db: &dyn Db, is_wanted: impl Fn(&ItemKind) -> bool) -> Vec<ItemKey> {
    let mut found = Vec::new();
    for file in crate::workspace::files(db) {
        let keys = names::file_items(db, file).items.iter().map(|(key, _)| key);
        found.extend(
            keys.filter(|key| names::item(db, key).is_some_and(|item| is_wanted(&item.kind)))
                .cloned(),
        );
    }
    found
}

fn of_target(
    db: &dyn Db,
    plan: &Plan,
    pipelines: &BTreeMap<String, ItemKey>,
    key: &ItemKey,
    target: &DeclaredTarget,
) -> Vec<Diagnostic> {
    let mut found: BTreeMap<Refusal, &ItemKey> = BTreeMap::new();
    for pipeline in plan.pipelines.values() {
        if let Some(key) = pipelines.get(&pipeline.name) {
            for refusal in capability::refusals(plan, pipeline, target) {
                found.entry(refusal).or_insert(key);
            }
        }
    }
    let declaration = declared_name(db, key);
    let mut diagnostics = Vec::new();
    for (refusal, pipeline) in found {
        let platform = target.platform.name().name();
        let message = format!(
            "The target `{}` ({platform}) cannot express {}: {}.",
            target.name,
            refusal.feature.name(),
            refusal.why
        );
        let place = place(db, pipeline, &refusal.place);
        let diagnostic = Diagnostic::new(Code::TargetRefuses, place, message);
        let diagnostic = match &declaration {
            Some(place) => diagnostic.also(place.clone(), format!("`{}` is declared here", target.name)),
            None => diagnostic,
        };
        diagnostics.push(diagnostic.help(refusal.way_out));
    }
    diagnostics
}

fn declared_name(db: &dyn Db, key: &ItemKey) -> Option<Place> {
    let item = names::item(db, key)?;
    Some(Place::Node(key.clone(), names::declared_name(&item.kind)?.id))
}

fn place(db: &dyn Db, pipeline: &ItemKey, place: &RefusalPlace) -> Place {
    let elaborated = elaborate(db, pipeline);
    let found = match place {
        RefusalPlace::Pipeline(_) => None,
        RefusalPlace::Node { node, .. } => elaborated
            .places
            .get(node)
            .map(|node| Place::Node(pipeline.clone(), *node)),
        RefusalPlace::Step { step, setting } => setting_place(db, pipeline, &elaborated, step, setting).or_else(|| {
            let node = caller(&elaborated.graph, step)?.0;
            elaborated
                .places
                .get(node)
                .map(|node| Place::Node(pipeline.clone(), *node))
        }),
    };
    found
        .or_else(|| declared_name(db, pipeline))
        .unwrap_or_else(|| Place::Node(pipeline.clone(), NodeId::default()))
}

/// Where a setting of a step stands; the step's name where the setting stands nowhere.
fn setting_place(db: &dyn Db, pipeline: &ItemKey, elaborated: &Elaborated, step: &str, setting: &str) -> Option<Place> {
    let (_, callee) = caller(&elaborated.graph, step)?;
    let key = names::resolve(db, pipeline, callee)?;
    let item = names::item(db, &key)?;
    let ItemKind::Step(declared) = &item.kind else {
        return None;
    };
    let mut node = declared.name.id;
    let mut settings: &[Setting] = &declared.settings;
    for name in setting.split('.') {
        let Some(found) = settings.iter().find(|setting| setting.name.text == name) else {
            break;
        };
        node = found.id;
        settings = match &found.value.kind {
            ExprKind::Record(fields) => fields,
            _ => &[],
        };
    }
    Some(Place::Node(key, node))
}

/// A node that calls the step, and what the source calls it.
fn caller<'g>(graph: &'g Graph, step: &str) -> Option<(&'g str, &'g str)> {
    graph.nodes.iter().find_map(|node| match &node.kind {
        NodeKind::Step(call) => (call.step == step).then_some((node.id.as_str(), node.callee.as_str())),
        NodeKind::Operation(_) | NodeKind::Pipeline(_) => None,
        NodeKind::Branch(branch) => caller(&branch.then, step).or_else(|| caller(&branch.otherwise, step)),
        NodeKind::Loop(looped) => caller(&looped.body, step),
        NodeKind::Finally(graph) => caller(graph, step),
    })
}
