//! Feature definitions: what is kept, what is computed, and from which columns of the source.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::context::Context;
use super::expressions::{Columns, Typed};
use super::leakage::Reading;
use super::tags::Tagged;
use super::{FeaturesDefinition, Source};
use crate::plan;
use crate::syntax::ast::{Expr, FeatureMember, FeaturesItem, Ident, Selector, Tag};
use crate::types::{Column, ColumnTag, Schema};

/// A definition while it is read.
struct Building<'a> {
    item: &'a FeaturesItem,
    source: Arc<Schema>,
    keep: Vec<String>,
    derived: Vec<plan::Derived>,
    /// Source columns by derived column, however indirectly.
    reads: BTreeMap<String, BTreeSet<String>>,
    broken: Vec<String>,
    /// Whether a column that was to be kept is missing because of an error.
    incomplete: bool,
}

impl Context<'_> {
    /// The meaning of a `features` item.
    pub(crate) fn features_item(&mut self, item: &FeaturesItem) -> Option<FeaturesDefinition> {
        if let Some(generic) = item.generics.first() {
            let construct = format!("the generic feature definition `{}`", item.name.text);
            self.unsupported(generic.name.id, &construct, "Name the schema behind `from`.");
            return None;
        }
        let source = self.schema(&item.from)?;
        let mut building = Building {
            item,
            source,
            keep: Vec::new(),
            derived: Vec::new(),
            reads: BTreeMap::new(),
            broken: Vec::new(),
            incomplete: false,
        };
        for member in &item.members {
            match member {
                FeatureMember::Keep { columns, .. } => self.keep(&mut building, columns),
                FeatureMember::Derived {
                    docs,
                    name,
                    value,
                    tags,
                    ..
                } => self.derive(&mut building, name, value, tags, docs.as_deref()),
            }
        }
        Some(building.finish())
    }

    fn keep(&mut self, building: &mut Building<'_>, selectors: &[Selector]) {
        let source = Arc::clone(&building.source);
        for selector in selectors {
            let reported = self.diagnostics.len();
            let chosen = self.selected(&source, std::slice::from_ref(selector));
            building.incomplete |= self.diagnostics.len() > reported;
            for column in chosen {
                let again = building.keep.contains(&column);
                match selector {
                    Selector::Column(name) if again => self.duplicate_column(name),
                    Selector::Column(_) | Selector::Tag(..) if !again => building.keep.push(column),
                    Selector::Column(_) | Selector::Tag(..) => {}
                }
            }
        }
    }

    fn derive(&mut self, building: &mut Building<'_>, name: &Ident, value: &Expr, tags: &[Tag], docs: Option<&str>) {
        let visible = building.visible();
        let taken = visible.iter().any(|column| column.name == name.text.as_str());
        if taken {
            self.duplicate_column(name);
        }
        let columns = Columns {
            of: &building.source.name,
            columns: &visible,
            incomplete: building.source.incomplete,
            broken: &building.broken,
            later: &building.later(name),
        };
        let typed = self.column_expression(value, &columns, None);
        let known: Vec<&str> = visible.iter().map(|column| column.name.as_str()).collect();
        let tagged = Tagged {
            column: &name.text,
            ty: typed.as_ref().map(|typed| &typed.ty),
            columns: &known,
        };
        let mut tags = self.tags(tags, &tagged);
        let Some(typed) = typed.filter(|_| !taken) else {
            building.broken.push(name.text.to_string());
            return;
        };
        let reading = Reading {
            item: building.item,
            name,
            value,
            tags: &tags,
            reads: &typed.reads,
            visible: &visible,
        };
        if !self.leaks_no_label(&reading, &building.reads) {
            building.broken.push(name.text.to_string());
        }
        inherit_pii(&mut tags, &typed);
        building.add(name, typed, tags, docs);
    }
}

/// What tells who a person is still does after arithmetic.
fn inherit_pii(tags: &mut Vec<ColumnTag>, typed: &Typed) {
    if !tags.iter().any(|tag| tag.name == "pii") {
        tags.extend(typed.pii.first().cloned());
    }
}

impl Building<'_> {
    /// Everything that an expression can read: the source, then what was computed before.
    fn visible(&self) -> Vec<Column> {
        let derived = self.derived.iter().map(|derived| derived.column.clone());
        self.source.columns.iter().cloned().chain(derived).collect()
    }

    /// Names that are computed from here on.
    fn later(&self, from: &Ident) -> Vec<String> {
        let derived = self.item.members.iter().filter_map(|member| match member {
            FeatureMember::Derived { name, .. } => Some(name),
            FeatureMember::Keep { .. } => None,
        });
        derived
            .skip_while(|name| name.id != from.id)
            .map(|name| name.text.to_string())
            .collect()
    }

    fn add(&mut self, name: &Ident, typed: Typed, tags: Vec<ColumnTag>, docs: Option<&str>) {
        let mut reads = BTreeSet::new();
        for column in &typed.reads {
            match self.reads.get(column) {
                Some(indirect) => reads.extend(indirect.iter().cloned()),
                None => {
                    reads.insert(column.clone());
                }
            }
        }
        self.reads.insert(name.text.to_string(), reads);
        self.derived.push(plan::Derived {
            column: Column {
                name: name.text.to_string(),
                ty: typed.ty,
                tags,
                docs: docs.map(str::to_owned),
            },
            value: typed.expression,
        });
    }

    fn finish(self) -> FeaturesDefinition {
        let name = self.item.name.text.to_string();
        let kept = self
            .keep
            .iter()
            .filter_map(|column| self.source.column(column).cloned());
        let derived = self.derived.iter().map(|derived| derived.column.clone());
        let columns: Vec<Column> = kept.chain(derived).collect();
        let reads = columns.iter().map(|column| {
            let reads = self.reads.get(&column.name);
            let reads = reads.map_or_else(|| vec![column.name.clone()], |reads| reads.iter().cloned().collect());
            (column.name.clone(), reads)
        });
        let incomplete = self.incomplete || self.source.incomplete || !self.broken.is_empty();
        FeaturesDefinition {
            reads: reads.collect(),
            schema: Arc::new(Schema {
                name: name.clone(),
                columns,
                incomplete,
            }),
            features: plan::Features {
                name: name.clone(),
                keep: self.keep,
                derived: self.derived,
                schema: name,
            },
            from: Source::Schema(self.source),
        }
    }
}
