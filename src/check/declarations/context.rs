//! What every check of a declaration needs: the item at hand, its generics, names, and a place for its problems.

use camino::Utf8Path;

use crate::db::{Db, ItemKey};
use crate::diagnostics::{Applicability, Code, Diagnostic, Edit, EditPosition, Place, nearest};
use crate::names;
use crate::source::Name;
use crate::syntax::ast::{Ident, ItemKind, NodeId};
use crate::types::GenericKind;

/// The item at hand.
pub(crate) struct Context<'db> {
    /// The queries.
    pub(crate) db: &'db dyn Db,
    /// The item.
    pub(crate) key: ItemKey,
    /// Its generic parameters.
    pub(crate) generics: Vec<(String, GenericKind)>,
    /// What was found so far.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl<'db> Context<'db> {
    /// A check of the item `key`.
    pub(crate) fn new(db: &'db dyn Db, key: &ItemKey) -> Self {
        Self {
            db,
            key: key.clone(),
            generics: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    /// A node of the item.
    pub(crate) fn place(&self, node: NodeId) -> Place {
        Place::Node(self.key.clone(), node)
    }

    /// A problem at a node, to be enriched and [reported](Self::report).
    pub(crate) fn problem(&self, code: Code, node: NodeId, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, self.place(node), message)
    }

    /// Keeps a problem.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Says that a construct cannot be checked or run yet.
    pub(crate) fn unsupported(&mut self, node: NodeId, construct: &str, instead: &str) {
        let message = format!("This version of `mlp` cannot check or run {construct} yet.");
        let diagnostic = self.problem(Code::NotSupportedYet, node, message).help(instead);
        self.report(diagnostic);
    }

    /// Whether the item belongs to the standard library.
    pub(crate) fn in_standard_library(&self) -> bool {
        Utf8Path::new(&self.key.file).starts_with("std")
    }

    /// The item that a name means here.
    pub(crate) fn resolve(&self, name: &str) -> Option<ItemKey> {
        names::resolve(self.db, &self.key, name)
    }

    /// Reports a name that means nothing, unless the import of it, or of one like it, failed. `wanted` is what was looked for ("schema"),
    /// `also` are names that stand in no scope.
    pub(crate) fn unknown_name(&mut self, ident: &Ident, wanted: &str, also: &[&str]) {
        let scope = names::scope(self.db, self.db.file(Utf8Path::new(&self.key.file)));
        let failed = scope.broken.iter().map(Name::as_str);
        if nearest(&ident.text, failed).is_some() {
            return;
        }
        let known = scope.names.keys().map(Name::as_str).chain(also.iter().copied());
        let found = nearest(&ident.text, known);
        let foreign = foreign_type(&ident.text).filter(|_| wanted == "type");
        let message = format!("There is no {wanted} called `{}`.", ident.text);
        let diagnostic = self.problem(Code::UnknownName, ident.id, message);
        let diagnostic = match found {
            _ if foreign.is_some() => self.did_you_mean(diagnostic, ident, foreign.unwrap_or_default()),
            Some(found) => self.did_you_mean(diagnostic, ident, &found),
            None => diagnostic.help("Declare it in this file, or bring it in with `use`."),
        };
        self.report(diagnostic);
    }

    /// Reports a name that means something else than what is needed.
    pub(crate) fn wrong_kind(&mut self, ident: &Ident, is: &str, needed: &str) {
        let message = format!("`{}` is {is}, but {needed} is needed here.", ident.text);
        let mut diagnostic = self.problem(Code::WrongKindOfName, ident.id, message);
        if let Some(place) = self.declaration_of(&ident.text) {
            diagnostic = diagnostic.also(place, format!("`{}` is declared here", ident.text));
        }
        self.report(diagnostic);
    }

    /// Where a name of the scope is declared.
    pub(crate) fn declaration_of(&self, name: &str) -> Option<Place> {
        let key = self.resolve(name)?;
        let item = names::item(self.db, &key)?;
        let ident = names::declared_name(&item.kind)?.id;
        Some(Place::Node(key, ident))
    }

    /// Proposes another name.
    pub(crate) fn did_you_mean(&self, diagnostic: Diagnostic, ident: &Ident, found: &str) -> Diagnostic {
        let edit = Edit::replace(self.place(ident.id), crate::types::display::identifier(found));
        diagnostic.help(format!("Did you mean `{found}`?")).fix(
            format!("Replace `{}` with `{found}`", ident.text),
            Applicability::Unsafe,
            vec![edit],
        )
    }

    /// An edit that writes `text` before or behind a node.
    pub(crate) fn insert(&self, node: NodeId, position: EditPosition, text: impl Into<String>) -> Edit {
        Edit {
            place: self.place(node),
            position,
            text: text.into(),
        }
    }
}

/// What a type of Python, SQL or Rust is called here.
fn foreign_type(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "boolean" => "bool",
        "str" | "text" | "varchar" | "char" | "object" => "string",
        "integer" | "int32" | "int64" | "long" | "bigint" | "i64" | "u64" => "int",
        "double" | "real" | "decimal" | "numeric" | "number" | "float32" | "float64" | "f64" => "float",
        "timestamp" | "timestamptz" => "datetime",
        "timedelta" | "interval" => "duration",
        "array" | "vec" | "tuple" | "set" => "list",
        "dict" | "hashmap" => "map",
        "dataframe" => "Dataset",
        _ => return None,
    })
}

/// What an item declares, for a sentence.
pub(crate) fn describe(kind: &ItemKind) -> &'static str {
    match kind {
        ItemKind::Use(_) => "an import",
        ItemKind::Schema(_) => "a schema",
        ItemKind::Record(_) => "a record",
        ItemKind::Enum(_) => "an enum",
        ItemKind::Checks(_) => "a block of checks",
        ItemKind::Features(_) => "a feature definition",
        ItemKind::Model(_) => "a model",
        ItemKind::Artifact(_) => "an artifact kind",
        ItemKind::Step(_) => "a step",
        ItemKind::Service(_) => "a service",
        ItemKind::Pipeline(_) => "a pipeline",
        ItemKind::Monitor(_) => "a monitor",
        ItemKind::Trigger(_) => "a trigger",
        ItemKind::Target(_) => "a target",
        ItemKind::Policy(_) => "a policy",
        ItemKind::Test(_) => "a test",
        ItemKind::Broken(_) => "a broken item",
    }
}
