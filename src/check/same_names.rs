//! Pipelines, targets and triggers of one name in different files. Each file may say what it wants by its own names; what is
//! started from outside is known by its name alone: `mlp run NAME`, a file of a target, a DAG.

use std::collections::BTreeMap;

use super::targets::items;
use crate::db::{Db, ItemKey};
use crate::diagnostics::{Code, Diagnostic, Place};
use crate::names;
use crate::source::Name;
use crate::syntax::ast::ItemKind;

/// One problem for each declaration behind the first of its name.
#[must_use]
pub fn diagnostics(db: &dyn Db) -> Vec<Diagnostic> {
    let mut first: BTreeMap<(&'static str, Name), (ItemKey, Place)> = BTreeMap::new();
    let mut found = Vec::new();
    for key in items(db, |kind| what(kind).is_some()) {
        let Some(item) = names::item(db, &key) else { continue };
        let (Some(what), Some(name)) = (what(&item.kind), names::declared_name(&item.kind)) else {
            continue;
        };
        let place = Place::Node(key.clone(), name.id);
        match first.get(&(what, name.text.clone())) {
            Some((other, there)) => {
                let message = format!("There is a {what} called `{}` in `{}` already.", name.text, other.file);
                let diagnostic = Diagnostic::new(Code::SameName, place, message);
                let diagnostic = diagnostic.also(there.clone(), "the first one is here");
                found.push(diagnostic.help("Give one of them another name."));
            }
            None => {
                first.insert((what, name.text.clone()), (key, place));
            }
        }
    }
    found
}

/// What is known by its name in the whole project.
fn what(kind: &ItemKind) -> Option<&'static str> {
    match kind {
        ItemKind::Pipeline(_) => Some("pipeline"),
        ItemKind::Target(_) => Some("target"),
        ItemKind::Trigger(_) => Some("trigger"),
        ItemKind::Use(_)
        | ItemKind::Schema(_)
        | ItemKind::Record(_)
        | ItemKind::Enum(_)
        | ItemKind::Checks(_)
        | ItemKind::Features(_)
        | ItemKind::Model(_)
        | ItemKind::Artifact(_)
        | ItemKind::Step(_)
        | ItemKind::Service(_)
        | ItemKind::Monitor(_)
        | ItemKind::Policy(_)
        | ItemKind::Test(_)
        | ItemKind::Broken(_) => None,
    }
}
