//! What the project's declared targets cannot express, at the place in the source. The table is the targets' own
//! (`targets::capability`); only places are found here.

use std::collections::BTreeMap;

use crate::check::pipelines::{Elaborated, elaborate};
use crate::db::{Db, ItemKey};
use crate::diagnostics::{Code, Diagnostic, Place, nearest};
use crate::names;
use crate::plan::{self, DeclaredTarget, Plan};
use crate::project::{MANIFEST, manifest_file};
use crate::syntax::ast::{ExprKind, ItemKind, NodeId, Setting};
use crate::targets::TargetName;
use crate::targets::capability::{self, Refusal, RefusalPlace};
use crate::types::display::enumerate;

/// Every construct that a declared target refuses, once for each target; and a target in `mlp.toml` that nothing declares.
/// To be asked only of a program without errors.
#[must_use]
pub fn diagnostics(db: &dyn Db) -> Vec<Diagnostic> {
    let declared = items(db, |kind| matches!(kind, ItemKind::Target(_)));
    let unknown = unknown_default(db, &declared);
    if declared.is_empty() || unknown.is_some() {
        return unknown.into_iter().collect();
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

/// The target of `mlp.toml`, where it is neither declared nor a kind.
fn unknown_default(db: &dyn Db, declared: &[ItemKey]) -> Option<Diagnostic> {
    let file = manifest_file(db);
    let name = file.manifest.as_ref()?.target.as_ref()?;
    let targets = declared.iter().filter_map(|key| super::declarations::target(db, key));
    let declared: Vec<String> = targets.map(|target| target.name.clone()).collect();
    if TargetName::from_name(name).is_some() || declared.contains(name) {
        return None;
    }
    let place = Place::File(MANIFEST.into(), file.target?);
    let message = format!("`{MANIFEST}` names the target `{name}`, which nothing declares.");
    let diagnostic = Diagnostic::new(Code::ManifestValue, place, message);
    let kinds = TargetName::ALL.map(TargetName::name);
    let known = declared.iter().map(String::as_str).chain(kinds);
    Some(match nearest(name, known) {
        Some(found) => diagnostic.help(format!("Did you mean `{found}`?")),
        None => diagnostic.help(format!(
            "Declare it with `target {name}: …`, or name a kind: {}.",
            enumerate(&kinds)
        )),
    })
}

pub(super) fn items(db: &dyn Db, is_wanted: impl Fn(&ItemKind) -> bool) -> Vec<ItemKey> {
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
        RefusalPlace::Trigger { trigger, setting } => trigger_place(db, trigger, setting),
        RefusalPlace::Node { node, .. } => elaborated
            .places
            .get(node)
            .map(|node| Place::Node(pipeline.clone(), *node)),
        RefusalPlace::Step { step, setting } => setting_place(db, pipeline, &elaborated, step, setting).or_else(|| {
            let node = &capability::caller(&elaborated.graph, step)?.id;
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

/// Where a setting of a trigger stands; the trigger's name where the setting stands nowhere.
fn trigger_place(db: &dyn Db, trigger: &str, setting: &str) -> Option<Place> {
    let keys = items(
        db,
        |kind| matches!(kind, ItemKind::Trigger(item) if item.name.text == trigger),
    );
    let key = keys.into_iter().next()?;
    let item = names::item(db, &key)?;
    let ItemKind::Trigger(declared) = &item.kind else {
        return None;
    };
    let found = declared.settings.iter().find(|own| own.name.text == setting);
    Some(Place::Node(key, found.map_or(declared.name.id, |own| own.id)))
}

/// Where a setting of a step stands; the step's name where the setting stands nowhere.
fn setting_place(db: &dyn Db, pipeline: &ItemKey, elaborated: &Elaborated, step: &str, setting: &str) -> Option<Place> {
    let callee = &capability::caller(&elaborated.graph, step)?.callee;
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
        settings = &[];
        if let ExprKind::Record(fields) = &found.value.kind {
            settings = fields;
        }
    }
    Some(Place::Node(key, node))
}
