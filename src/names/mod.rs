//! Items, scopes and imports: from a name in a file to the item that declares it. Nothing here looks inside a body.

mod problems;

pub use problems::{file_diagnostics, reserved_path};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8Path;

use crate::db::{Db, File, Item, ItemKey, ItemText};
use crate::diagnostics::nearest;
use crate::project::Contents;
use crate::source::{Name, TextRange};
use crate::syntax::ast::{self, ItemKind, SpanTable};
use crate::syntax::{self, ParsedItem, SyntaxError};

/// The items of a file with where they stand.
#[derive(Clone, Debug, PartialEq)]
pub struct FileItems {
    /// In source order.
    pub items: Vec<(ItemKey, TextRange)>,
    ranges: BTreeMap<ItemKey, TextRange>,
}

impl FileItems {
    /// Where an item of this file stands.
    #[must_use]
    pub fn range(&self, key: &ItemKey) -> Option<TextRange> {
        self.ranges.get(key).copied()
    }
}

/// What a name means in a file.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Scope {
    /// By name: the item that declares it, in this or another file.
    pub names: BTreeMap<Name, ItemKey>,
    /// Names whose import failed: their uses stay silent.
    pub broken: Vec<Name>,
}

/// Parses one item; memoised by its text.
#[salsa::tracked]
pub fn parse_text<'db>(db: &'db dyn Db, text: ItemText<'db>) -> Arc<ParsedItem> {
    Arc::new(syntax::parse_item(text.text(db)))
}

/// The items of `file`.
#[salsa::tracked]
pub fn file_items(db: &dyn Db, file: File) -> Arc<FileItems> {
    let mut seen: BTreeMap<Name, u32> = BTreeMap::new();
    let mut items = Vec::new();
    for (range, parsed) in parsed_segments(db, file) {
        let key = Name::from(item_name(&parsed.item.kind));
        let occurrence = seen.entry(key.clone()).or_default();
        items.push((
            ItemKey {
                file: Name::from(file.path(db).as_str()),
                key,
                occurrence: *occurrence,
            },
            range,
        ));
        *occurrence += 1;
    }
    let ranges = items.iter().cloned().collect();
    Arc::new(FileItems { items, ranges })
}

fn parsed_segments(db: &dyn Db, file: File) -> Vec<(TextRange, Arc<ParsedItem>)> {
    let Contents::Text(text) = file.contents(db) else {
        return Vec::new();
    };
    let segments = syntax::segments(text).items;
    let parse = |range: TextRange| {
        let own = text.get(range.as_usize()).unwrap_or_default();
        (range, parse_text(db, ItemText::new(db, own.to_owned())).clone())
    };
    segments.into_iter().map(|segment| parse(segment.range)).collect()
}

/// The text of an item.
#[salsa::tracked]
fn parsed<'db>(db: &'db dyn Db, item: Item<'db>) -> Option<Arc<ParsedItem>> {
    item_text(db, item.key(db)).map(|text| parse_text(db, text).clone())
}

fn item_text<'db>(db: &'db dyn Db, key: &ItemKey) -> Option<ItemText<'db>> {
    let file = db.file(Utf8Path::new(&key.file));
    let range = file_items(db, file).range(key)?;
    let text = file.contents(db).text()?;
    Some(ItemText::new(db, text.get(range.as_usize())?.to_owned()))
}

#[salsa::tracked]
fn item_tree<'db>(db: &'db dyn Db, item: Item<'db>) -> Option<Arc<ast::Item>> {
    parsed(db, item).as_ref().map(|parsed| Arc::new(parsed.item.clone()))
}

/// The tree of an item, free of positions; nothing for a key that no longer exists.
#[must_use]
pub fn item(db: &dyn Db, key: &ItemKey) -> Option<Arc<ast::Item>> {
    item_tree(db, Item::new(db, key.clone())).clone()
}

/// The ranges of an item's nodes, relative to the item. For showing only: a query that computes meaning must not read it.
#[must_use]
pub fn spans(db: &dyn Db, key: &ItemKey) -> SpanTable {
    parsed(db, Item::new(db, key.clone()))
        .as_ref()
        .map_or_else(SpanTable::default, |parsed| parsed.spans.clone())
}

/// Keyword and name of an item, as in [`ItemKey::key`].
fn item_name(kind: &ItemKind) -> String {
    match kind {
        ItemKind::Use(item) => {
            let path: Vec<&str> = item.path.iter().map(|segment| segment.text.as_str()).collect();
            format!("use {}", path.join("::"))
        }
        ItemKind::Schema(item) => format!("schema {}", item.name.text),
        ItemKind::Record(item) => format!("record {}", item.name.text),
        ItemKind::Enum(item) => format!("enum {}", item.name.text),
        ItemKind::Checks(item) => format!("checks {}", item.name.text),
        ItemKind::Features(item) => format!("features {}", item.name.text),
        ItemKind::Model(item) => format!("model {}", item.name.text),
        ItemKind::Artifact(item) => format!("artifact {}", item.name.text),
        ItemKind::Step(item) => format!("step {}", item.name.text),
        ItemKind::Service(item) => format!("service {}", item.name.text),
        ItemKind::Pipeline(item) => format!("pipeline {}", item.name.text),
        ItemKind::Monitor(item) => format!("monitor {}", item.name.text),
        ItemKind::Trigger(item) => format!("trigger {}", item.name.text),
        ItemKind::Target(item) => format!("target {}", item.name.text),
        ItemKind::Policy(item) => format!("policy {}", item.name.text),
        ItemKind::Test(item) => format!("test {:?}", item.name.value),
        ItemKind::Broken(name) => {
            format!("broken {}", name.as_ref().map_or("", |name| name.text.as_str()))
        }
    }
}

/// The name that an item declares, if it declares one that others can use.
#[must_use]
pub fn declared_name(kind: &ItemKind) -> Option<&ast::Ident> {
    match kind {
        ItemKind::Schema(item) => Some(&item.name),
        ItemKind::Record(item) => Some(&item.name),
        ItemKind::Enum(item) => Some(&item.name),
        ItemKind::Checks(item) => Some(&item.name),
        ItemKind::Features(item) => Some(&item.name),
        ItemKind::Model(item) => Some(&item.name),
        ItemKind::Artifact(item) => Some(&item.name),
        ItemKind::Step(item) => Some(&item.name),
        ItemKind::Service(item) => Some(&item.name),
        ItemKind::Pipeline(item) => Some(&item.name),
        ItemKind::Monitor(item) => Some(&item.name),
        ItemKind::Trigger(item) => Some(&item.name),
        ItemKind::Target(item) => Some(&item.name),
        ItemKind::Policy(item) => Some(&item.name),
        ItemKind::Broken(name) => name.as_ref(),
        ItemKind::Use(_) | ItemKind::Test(_) => None,
    }
}

/// The modules whose items are in every scope: the life cycle is syntax.
pub const PRELUDE: &[&str] = &["std/prelude.mlp"];

/// The names that `file` declares itself, first declaration first.
#[salsa::tracked]
pub fn declarations(db: &dyn Db, file: File) -> Arc<BTreeMap<Name, ItemKey>> {
    let mut names = BTreeMap::new();
    for (key, _) in &file_items(db, file).items {
        let Some(item) = item(db, key) else { continue };
        if let Some(name) = declared_name(&item.kind) {
            names.entry(name.text.clone()).or_insert_with(|| key.clone());
        }
    }
    Arc::new(names)
}

/// What every name means in `file`: its own declarations, then imports, then the prelude.
#[salsa::tracked]
pub fn scope(db: &dyn Db, file: File) -> Arc<Scope> {
    let mut scope = Scope::default();
    for path in PRELUDE {
        if file.path(db).as_str() != *path {
            let module = db.file(Utf8Path::new(path));
            scope.names.extend(
                declarations(db, module)
                    .iter()
                    .map(|(name, key)| (name.clone(), key.clone())),
            );
        }
    }
    for (_, import) in imports(db, file).iter() {
        bring_in(db, import, &mut scope);
    }
    scope.broken.extend(broken_imports(db, file).iter().cloned());
    scope.names.extend(
        declarations(db, file)
            .iter()
            .map(|(name, key)| (name.clone(), key.clone())),
    );
    Arc::new(scope)
}

/// Every word of the imports that cannot be read: what they were to bring in is not unknown as well.
#[salsa::tracked]
fn broken_imports(db: &dyn Db, file: File) -> Arc<Vec<Name>> {
    let items = file_items(db, file);
    let is_broken_import = |key: &ItemKey| {
        item(db, key).is_some_and(|item| match &item.kind {
            ItemKind::Broken(_) => {
                item_text(db, key).is_some_and(|text| text.text(db).contains("::") || begins_import(text.text(db)))
            }
            ItemKind::Use(_) => !syntax_errors(db, key).is_empty(),
            ItemKind::Schema(_)
            | ItemKind::Record(_)
            | ItemKind::Enum(_)
            | ItemKind::Checks(_)
            | ItemKind::Features(_)
            | ItemKind::Model(_)
            | ItemKind::Artifact(_)
            | ItemKind::Step(_)
            | ItemKind::Service(_)
            | ItemKind::Pipeline(_)
            | ItemKind::Monitor(_)
            | ItemKind::Trigger(_)
            | ItemKind::Target(_)
            | ItemKind::Policy(_)
            | ItemKind::Test(_) => false,
        })
    };
    let mut broken = BTreeSet::new();
    for (key, _) in items.items.iter().filter(|(key, _)| is_broken_import(key)) {
        broken.extend(words(db, key).iter().cloned());
    }
    Arc::new(broken.into_iter().collect())
}

/// Whether a text begins as an import does, here or in other languages.
fn begins_import(text: &str) -> bool {
    syntax::words(text)
        .next()
        .is_some_and(|word| matches!(word, "use" | "import" | "from" | "include"))
}

fn bring_in(db: &dyn Db, import: &ast::Use, scope: &mut Scope) {
    let module = db.file(&module_path(import));
    let declared = declarations(db, module);
    for name in &import.names {
        match declared.get(&name.text) {
            Some(key) => {
                scope.names.insert(name.text.clone(), key.clone());
            }
            None => {
                // The file may use the name as it was meant: that is the same mistake.
                scope
                    .broken
                    .extend(nearest(&name.text, declared.keys().map(Name::as_str)));
                scope.broken.push(name.text.clone());
            }
        }
    }
}

/// The file that a `use` reads: `a::b::Name` is `a/b.mlp`.
#[must_use]
pub fn module_path(import: &ast::Use) -> camino::Utf8PathBuf {
    let segments: Vec<&str> = import.path.iter().map(|segment| segment.text.as_str()).collect();
    camino::Utf8PathBuf::from(format!("{}.mlp", segments.join("/")))
}

/// The item that `name` means in the file of `from`.
#[must_use]
pub fn resolve(db: &dyn Db, from: &ItemKey, name: &str) -> Option<ItemKey> {
    scope(db, db.file(Utf8Path::new(&from.file))).names.get(name).cloned()
}

/// The imports of `file`, in source order.
#[salsa::tracked]
pub fn imports(db: &dyn Db, file: File) -> Arc<Vec<(ItemKey, ast::Use)>> {
    let items = file_items(db, file);
    let import = |(key, _): &(ItemKey, TextRange)| {
        let item = item(db, key)?;
        let ItemKind::Use(import) = &item.kind else {
            return None;
        };
        Some((key.clone(), import.clone()))
    };
    Arc::new(items.items.iter().filter_map(import).collect())
}

/// The files that `file` imports and that exist, in the order of its imports.
#[salsa::tracked]
pub fn imported_files(db: &dyn Db, file: File) -> Arc<Vec<File>> {
    let modules = imports(db, file)
        .iter()
        .map(|(_, import)| db.file(&module_path(import)))
        .collect::<Vec<_>>();
    let existing = modules
        .into_iter()
        .filter(|module| *module.contents(db) != Contents::Missing);
    Arc::new(existing.collect())
}

/// The syntax errors of an item, relative to it.
#[must_use]
pub fn syntax_errors(db: &dyn Db, key: &ItemKey) -> Vec<SyntaxError> {
    parsed(db, Item::new(db, key.clone()))
        .as_ref()
        .map_or_else(Vec::new, |parsed| parsed.errors.clone())
}

/// Whether an item mentions a name anywhere outside comments.
#[must_use]
pub fn mentions(db: &dyn Db, key: &ItemKey, name: &str) -> bool {
    words(db, key).iter().any(|word| word.as_str() == name)
}

/// Every word of an item outside comments: whatever it mentions is among them.
fn words(db: &dyn Db, key: &ItemKey) -> Arc<BTreeSet<Name>> {
    item_words(db, Item::new(db, key.clone())).clone()
}

#[salsa::tracked]
fn item_words<'db>(db: &'db dyn Db, item: Item<'db>) -> Arc<BTreeSet<Name>> {
    let text = item_text(db, item.key(db));
    Arc::new(
        text.map(|text| text_words(db, text).as_ref().clone())
            .unwrap_or_default(),
    )
}

#[salsa::tracked]
fn text_words<'db>(db: &'db dyn Db, text: ItemText<'db>) -> Arc<BTreeSet<Name>> {
    Arc::new(syntax::words(text.text(db)).map(Name::from).collect())
}
