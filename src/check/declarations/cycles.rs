//! Definitions that are made of themselves. Found on the syntax, before any type is computed, so that no query waits for itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::interned;
use crate::db::{Db, Item, ItemKey};
use crate::diagnostics::{Code, Diagnostic, Place};
use crate::names;
use crate::source::Name;
use crate::syntax::ast::{Field, ItemKind, SchemaBody, TypeExpr, TypeKind};

/// The schemas, records and feature definitions that an item's own definition mentions.
#[salsa::tracked]
fn mentions<'db>(db: &'db dyn Db, item: Item<'db>) -> Arc<Vec<ItemKey>> {
    let key = item.key(db);
    let mut found = Vec::new();
    match names::item(db, key).as_deref().map(|item| &item.kind) {
        Some(ItemKind::Schema(schema)) => match &schema.body {
            SchemaBody::Columns(fields) => in_fields(fields, &mut found),
            SchemaBody::Alias(expr) => in_type(expr, &mut found),
        },
        Some(ItemKind::Record(record)) => in_fields(&record.fields, &mut found),
        Some(ItemKind::Features(features)) => in_type(&features.from, &mut found),
        Some(_) | None => {}
    }
    Arc::new(found.iter().filter_map(|name| names::resolve(db, key, name)).collect())
}

fn in_fields(fields: &[Field], found: &mut Vec<Name>) {
    for field in fields {
        in_type(&field.ty, found);
    }
}

fn in_type(expr: &TypeExpr, found: &mut Vec<Name>) {
    match &expr.kind {
        TypeKind::Named { name, arguments } => {
            found.push(name.text.clone());
            for argument in arguments {
                in_type(argument, found);
            }
        }
        TypeKind::Optional(base)
        | TypeKind::Refined { base, .. }
        | TypeKind::Evidence { of: base, .. }
        | TypeKind::Without { base, .. }
        | TypeKind::Pick { base, .. }
        | TypeKind::Rename { base, .. } => in_type(base, found),
        TypeKind::Record(fields) => in_fields(fields, found),
        TypeKind::With { base, fields } => {
            in_type(base, found);
            in_fields(fields, found);
        }
        TypeKind::Join { left, right, .. } => {
            in_type(left, found);
            in_type(right, found);
        }
        TypeKind::Enum(_) | TypeKind::Error => {}
    }
}

/// The items on a cycle through `key`, from `key` on; empty when there is none.
#[salsa::tracked]
fn cycle<'db>(db: &'db dyn Db, item: Item<'db>) -> Arc<Vec<ItemKey>> {
    let start = item.key(db);
    let mut seen = BTreeSet::new();
    let mut path = vec![(start.clone(), 0)];
    while let Some((key, next)) = path.last_mut() {
        let mentioned = mentions(db, interned(db, key));
        let Some(child) = mentioned.get(*next).cloned() else {
            path.pop();
            continue;
        };
        *next += 1;
        if child == *start {
            return Arc::new(path.into_iter().map(|(key, _)| key).collect());
        }
        if seen.insert(child.clone()) {
            path.push((child, 0));
        }
    }
    Arc::default()
}

/// Whether an item is made of itself: then it has no meaning.
pub(crate) fn is_cyclic(db: &dyn Db, item: Item<'_>) -> bool {
    !cycle(db, item).is_empty()
}

/// The error about a cycle, given once: at its first item in the order of files and names.
pub(crate) fn report(db: &dyn Db, key: &ItemKey) -> Vec<Diagnostic> {
    let cycle = cycle(db, interned(db, key));
    if cycle.is_empty() || cycle.iter().min() != Some(key) {
        return Vec::new();
    }
    let named: Vec<(String, Option<Place>)> = cycle.iter().map(|key| name_of(db, key)).collect();
    let Some((name, Some(place))) = named.first().cloned() else {
        return Vec::new();
    };
    let chain: Vec<String> = named
        .iter()
        .map(|(name, _)| name.clone())
        .chain([name.clone()])
        .collect();
    let message = format!("`{name}` is made of itself: {}.", chain.join(" → "));
    let mut diagnostic = Diagnostic::new(Code::CyclicDefinition, place, message)
        .note("A definition must come to an end, else its columns or fields could not be counted.")
        .help("Declare the columns or fields of one of them directly.");
    for (name, place) in named.into_iter().skip(1) {
        if let Some(place) = place {
            diagnostic = diagnostic.also(place, format!("`{name}` is part of the cycle"));
        }
    }
    vec![diagnostic]
}

fn name_of(db: &dyn Db, key: &ItemKey) -> (String, Option<Place>) {
    let item = names::item(db, key);
    let ident = item.as_ref().and_then(|item| names::declared_name(&item.kind));
    match ident {
        Some(ident) => (ident.text.to_string(), Some(Place::Node(key.clone(), ident.id))),
        None => (key.key.to_string(), None),
    }
}
