//! Where a column comes from: the line that declares it, through algebra and feature definitions, in whatever file.
//! Only messages ask for it.

use std::collections::BTreeSet;

use crate::db::{Db, ItemKey};
use crate::diagnostics::Place;
use crate::names;
use crate::syntax::ast::{FeatureMember, Field, ItemKind, SchemaBody, Tag, TypeExpr, TypeKind};

/// Where the column of an item's schema is declared: its tag of this name if it has one there, else its name.
pub(crate) fn of_item(db: &dyn Db, key: &ItemKey, column: &str, tag: &str) -> Option<Place> {
    let mut search = Search {
        db,
        tag,
        seen: BTreeSet::new(),
    };
    search.item(key, column)
}

/// Where the column of a schema expression in `key` is declared.
pub(crate) fn of_type(db: &dyn Db, key: &ItemKey, expr: &TypeExpr, column: &str, tag: &str) -> Option<Place> {
    let mut search = Search {
        db,
        tag,
        seen: BTreeSet::new(),
    };
    search.type_expr(key, expr, column)
}

struct Search<'a> {
    db: &'a dyn Db,
    tag: &'a str,
    seen: BTreeSet<ItemKey>,
}

impl Search<'_> {
    fn item(&mut self, key: &ItemKey, column: &str) -> Option<Place> {
        if !self.seen.insert(key.clone()) {
            return None;
        }
        match &names::item(self.db, key)?.kind {
            ItemKind::Schema(schema) => match &schema.body {
                SchemaBody::Columns(fields) => self.field(key, fields, column),
                SchemaBody::Alias(expr) => self.type_expr(key, expr, column),
            },
            ItemKind::Features(features) => {
                let derived = features.members.iter().find_map(|member| match member {
                    FeatureMember::Derived { name, tags, .. } if name.text == column => {
                        Some(self.tagged(tags).map_or(name.id, |tag| tag.id))
                    }
                    FeatureMember::Derived { .. } | FeatureMember::Keep { .. } => None,
                });
                match derived {
                    Some(node) => Some(Place::Node(key.clone(), node)),
                    None => self.type_expr(key, &features.from, column),
                }
            }
            _ => None,
        }
    }

    fn tagged<'t>(&self, tags: &'t [Tag]) -> Option<&'t Tag> {
        tags.iter().find(|tag| tag.name.text == self.tag)
    }

    fn field(&self, key: &ItemKey, fields: &[Field], column: &str) -> Option<Place> {
        let field = fields.iter().find(|field| field.name.text == column)?;
        let node = self.tagged(&field.tags).map_or(field.name.id, |tag| tag.id);
        Some(Place::Node(key.clone(), node))
    }

    fn type_expr(&mut self, key: &ItemKey, expr: &TypeExpr, column: &str) -> Option<Place> {
        match &expr.kind {
            TypeKind::Named { name, .. } => {
                let declared = names::resolve(self.db, key, &name.text)?;
                self.item(&declared, column)
            }
            TypeKind::Without { base, .. } | TypeKind::Pick { base, .. } => self.type_expr(key, base, column),
            TypeKind::With { base, fields } => {
                let added = self.field(key, fields, column);
                added.or_else(|| self.type_expr(key, base, column))
            }
            TypeKind::Rename { base, pairs } => {
                let old = pairs
                    .iter()
                    .find(|(_, new)| new.text == column)
                    .map(|(old, _)| old.text.clone());
                self.type_expr(key, base, old.as_deref().unwrap_or(column))
            }
            TypeKind::Join { left, right, .. } => self
                .type_expr(key, left, column)
                .or_else(|| self.type_expr(key, right, column)),
            TypeKind::Optional(_)
            | TypeKind::Refined { .. }
            | TypeKind::Enum(_)
            | TypeKind::Record(_)
            | TypeKind::Evidence { .. }
            | TypeKind::Error => None,
        }
    }
}
