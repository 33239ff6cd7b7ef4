//! Schemas: columns with their tags, and the algebra over schemas.

use std::sync::Arc;

use super::context::Context;
use super::tags::Tagged;
use crate::diagnostics::Code;
use crate::syntax::ast::{Field, Ident, SchemaBody, SchemaItem, Selector, TypeExpr, TypeKind};
use crate::types::display::identifier;
use crate::types::{Column, Schema, relation};

impl Context<'_> {
    /// The columns that a `schema` item declares.
    pub(crate) fn schema_item(&mut self, item: &SchemaItem) -> Option<Schema> {
        let name = item.name.text.to_string();
        match &item.body {
            SchemaBody::Columns(fields) => {
                let (columns, incomplete) = self.columns(fields, &[]);
                self.one_of_each(fields);
                Some(Schema {
                    name,
                    columns,
                    incomplete,
                })
            }
            SchemaBody::Alias(expr) => {
                let schema = self.schema(expr)?;
                Some(Schema {
                    name,
                    columns: schema.columns.clone(),
                    incomplete: schema.incomplete,
                })
            }
        }
    }

    /// Declared columns; those with a name that is taken are reported and left out. Says too whether anything is missing
    /// because of an error.
    pub(crate) fn columns(&mut self, fields: &[Field], taken: &[Column]) -> (Vec<Column>, bool) {
        let reported = self.diagnostics.len();
        let mut unknown = false;
        let mut names: Vec<&str> = taken.iter().map(|column| column.name.as_str()).collect();
        names.extend(fields.iter().map(|field| field.name.text.as_str()));
        let mut columns: Vec<Column> = Vec::new();
        for field in fields {
            let name = field.name.text.as_str();
            let ty = self.data_type(&field.ty);
            unknown |= ty.is_none();
            let tagged = Tagged {
                column: name,
                ty: ty.as_ref(),
                columns: &names,
            };
            let tags = self.tags(&field.tags, &tagged);
            if columns.iter().chain(taken).any(|column| column.name == name) {
                self.duplicate_column(&field.name);
            } else if let Some(ty) = ty {
                columns.push(Column {
                    name: name.to_owned(),
                    ty,
                    tags,
                    docs: field.docs.clone(),
                });
            }
        }
        (columns, unknown || self.diagnostics.len() > reported)
    }

    pub(crate) fn duplicate_column(&mut self, name: &Ident) {
        let message = format!("There is already a column `{}`.", name.text);
        let diagnostic = self.problem(Code::DuplicateColumn, name.id, message);
        self.report(diagnostic.help("Give this one another name, or leave it out."));
    }

    /// A schema has at most one label and one event time: else a step would have to guess.
    fn one_of_each(&mut self, fields: &[Field]) {
        for role in ["label", "event_time"] {
            let mut carriers = fields.iter().filter_map(|field| {
                let tag = field.tags.iter().find(|tag| tag.name.text == role)?;
                Some((field, tag))
            });
            let Some((first, first_tag)) = carriers.next() else {
                continue;
            };
            if let Some((field, tag)) = carriers.next() {
                let message = format!(
                    "`{}` and `{}` both carry `@{role}`, but a schema has only one.",
                    first.name.text, field.name.text
                );
                let diagnostic = self.problem(Code::BadTag, tag.id, message);
                let first = self.place(first_tag.id);
                self.report(diagnostic.also(first, "the first").help("Leave one out."));
            }
        }
    }

    /// `S without { … }` and its kin.
    pub(crate) fn algebra(&mut self, expr: &TypeExpr) -> Option<Schema> {
        match &expr.kind {
            TypeKind::Without { base, columns } => {
                let base = self.operand(base)?;
                let reported = self.diagnostics.len();
                let names = self.selected(&base, columns);
                let mut schema = base.without(&names, &selectors(columns));
                schema.incomplete |= self.diagnostics.len() > reported;
                Some(schema)
            }
            TypeKind::Pick { base, columns } => {
                let base = self.operand(base)?;
                let reported = self.diagnostics.len();
                let names = self.selected(&base, columns);
                let mut schema = base.pick(&names, &selectors(columns));
                schema.incomplete |= self.diagnostics.len() > reported;
                Some(schema)
            }
            TypeKind::With { base, fields } => {
                let base = self.operand(base)?;
                let (columns, incomplete) = self.columns(fields, &base.columns);
                let mut schema = base.with(columns);
                schema.incomplete |= incomplete;
                Some(schema)
            }
            TypeKind::Rename { base, pairs } => {
                let base = self.operand(base)?;
                let reported = self.diagnostics.len();
                let pairs = self.renamed(&base, pairs);
                let mut schema = base.rename(&pairs);
                schema.incomplete |= self.diagnostics.len() > reported;
                Some(schema)
            }
            TypeKind::Join { left, right, on } => {
                let (left, right) = (self.operand(left), self.operand(right));
                let (left, right) = (left?, right?);
                self.joined(&left, &right, on)
            }
            TypeKind::Named { .. }
            | TypeKind::Optional(_)
            | TypeKind::Refined { .. }
            | TypeKind::Enum(_)
            | TypeKind::Record(_)
            | TypeKind::Evidence { .. }
            | TypeKind::Error => None,
        }
    }

    fn operand(&mut self, expr: &TypeExpr) -> Option<Arc<Schema>> {
        if let TypeKind::Named { name, .. } = &expr.kind
            && self.generics.iter().any(|(generic, _)| generic == name.text.as_str())
        {
            let construct = format!("algebra over the generic schema `{}`", name.text);
            self.unsupported(
                expr.id,
                &construct,
                "Name the schema, or leave the algebra to the caller.",
            );
            return None;
        }
        self.schema(expr)
    }

    /// The columns that selectors choose, in the schema's order.
    pub(crate) fn selected(&mut self, schema: &Schema, selectors: &[Selector]) -> Vec<String> {
        let mut chosen: Vec<&str> = Vec::new();
        for selector in selectors {
            match selector {
                Selector::Column(name) => match schema.column(&name.text) {
                    Some(column) => chosen.push(&column.name),
                    None => self.not_in_schema(name, schema),
                },
                Selector::Tag(_, tag) => {
                    if self.known_tag(tag) {
                        chosen.extend(schema.tagged(&tag.text).map(|column| column.name.as_str()));
                    }
                }
            }
        }
        let columns = schema.columns.iter().map(|column| column.name.as_str());
        columns
            .filter(|column| chosen.contains(column))
            .map(str::to_owned)
            .collect()
    }

    /// Reports a column that a schema does not have; silent where the schema has an error that may be why.
    pub(crate) fn not_in_schema(&mut self, name: &Ident, schema: &Schema) {
        if schema.incomplete {
            return;
        }
        let columns: Vec<&str> = schema.columns.iter().map(|column| column.name.as_str()).collect();
        self.unknown_column(name, &columns, &format!("`{}` has no column", schema.name));
    }

    fn renamed(&mut self, base: &Schema, pairs: &[(Ident, Ident)]) -> Vec<(String, String)> {
        let mut known: Vec<(String, String)> = Vec::new();
        let olds: Vec<&str> = pairs.iter().map(|(old, _)| old.text.as_str()).collect();
        for (old, new) in pairs {
            let stays = base.column(&new.text).is_some() && !olds.contains(&new.text.as_str());
            if base.column(&old.text).is_none() {
                self.not_in_schema(old, base);
            } else if stays || known.iter().any(|(_, other)| other == new.text.as_str()) {
                self.duplicate_column(new);
            } else {
                known.push((old.text.to_string(), new.text.to_string()));
            }
        }
        known
    }

    fn joined(&mut self, left: &Schema, right: &Schema, on: &[Ident]) -> Option<Schema> {
        let mut keys = Vec::new();
        for name in on {
            match (left.column(&name.text), right.column(&name.text)) {
                (None, _) => self.not_in_schema(name, left),
                (_, None) => self.not_in_schema(name, right),
                (Some(own), Some(other)) => {
                    if own.ty.kind != other.ty.kind && relation::fits(&own.ty, &other.ty).is_err() {
                        let message = format!(
                            "`{}` is `{}` in `{}` and `{}` in `{}`, so rows cannot be joined on it.",
                            name.text, own.ty, left.name, other.ty, right.name
                        );
                        let diagnostic = self.problem(Code::JoinColumns, name.id, message);
                        self.report(diagnostic);
                    }
                    keys.push(name.text.to_string());
                }
            }
        }
        let shared = right.columns.iter().map(|column| &column.name);
        let shared: Vec<&String> = shared
            .filter(|name| !keys.contains(name) && left.column(name).is_some())
            .collect();
        if let (Some(_), Some(place)) = (shared.first(), on.first())
            && keys.len() == on.len()
        {
            let names = crate::types::display::enumerate(&shared);
            let message = format!(
                "`{}` and `{}` both have {names}, which they are not joined on.",
                left.name, right.name
            );
            let diagnostic = self.problem(Code::JoinColumns, place.id, message);
            self.report(
                diagnostic
                    .help("Leave the columns out of one side with `without`, or give them other names with `rename`."),
            );
        }
        (keys.len() == on.len() && shared.is_empty()).then(|| left.join(right, &keys))
    }
}

fn selectors(selectors: &[Selector]) -> String {
    let shown = selectors.iter().map(|selector| match selector {
        Selector::Column(name) => identifier(&name.text),
        Selector::Tag(_, tag) => format!("@{}", tag.text),
    });
    shown.collect::<Vec<_>>().join(", ")
}
