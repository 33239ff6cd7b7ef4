//! What can be wrong with the names of a file: its text, its declarations, its imports. Uses inside bodies are not looked at,
//! except to see whether an import is used at all.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use super::{PRELUDE, declarations, declared_name, file_items, imported_files, imports, item, spans, words};
use crate::db::{Db, File, ItemKey, ProjectFiles};
use crate::diagnostics::{Applicability, Code, Diagnostic, Edit, Place, nearest};
use crate::project::{Contents, unreadable_file};
use crate::source::{Name, TextRange};
use crate::stdlib;
use crate::syntax::ast::{Ident, ItemKind, Use};

/// The problems of a file's text, of its declarations and of its imports.
#[salsa::tracked]
pub fn file_diagnostics(db: &dyn Db, file: File) -> Arc<Vec<Diagnostic>> {
    let mut found: Vec<Diagnostic> = unreadable_file(file.path(db), file.contents(db)).into_iter().collect();
    let mut names = OwnNames::default();
    for (key, import) in imports(db, file).iter() {
        if let Some(problem) = module_problem(db, file, key, import) {
            found.extend(problem);
            continue;
        }
        for name in &import.names {
            found.extend(not_in_module(db, key, import, name));
            found.extend(names.import(db, key, import, name));
        }
    }
    for (key, _) in &file_items(db, file).items {
        found.extend(names.declare(db, key));
    }
    found.extend(unused_imports(db, file));
    Arc::new(found)
}

/// The problem of a file of the project that lies where the standard library is.
#[must_use]
pub fn reserved_path(path: &Utf8Path) -> Option<Diagnostic> {
    if !path.starts_with("std") && path != "std.mlp" {
        return None;
    }
    let message = format!("`{path}` can never be imported: `std` is the standard library.");
    let diagnostic = Diagnostic::new(
        Code::ReservedModule,
        Place::File(path.to_owned(), TextRange::default()),
        message,
    );
    Some(diagnostic.help("Move the file to a folder with another name."))
}

/// What is wrong with the module of an import; an empty list where it is reported elsewhere.
fn module_problem(db: &dyn Db, file: File, key: &ItemKey, import: &Use) -> Option<Vec<Diagnostic>> {
    let module = db.file(&super::module_path(import));
    match module.contents(db) {
        Contents::Missing => Some(vec![unknown_module(db, key, import)]),
        // The file itself is reported; what it declares is not known.
        Contents::NotUtf8 { .. } | Contents::Unreadable(_) => Some(Vec::new()),
        Contents::Text(_) => cyclic_import(db, file, key, import).map(|cycle| cycle.into_iter().collect()),
    }
}

fn unknown_module(db: &dyn Db, key: &ItemKey, import: &Use) -> Diagnostic {
    let name = module_name(&super::module_path(import));
    let known = modules(db);
    let place = path_place(db, key, import);
    let message = format!("There is no module `{name}`.");
    let diagnostic = Diagnostic::new(Code::UnknownModule, place.clone(), message);
    match nearest(&name, known.iter().map(String::as_str)) {
        Some(near) => diagnostic.help(format!("Did you mean `{near}`?")).fix(
            format!("Replace `{name}` with `{near}`"),
            Applicability::Unsafe,
            vec![Edit::replace(place, near.as_str())],
        ),
        None if import.path.first().is_some_and(|first| first.text == "std") => {
            let standard: Vec<String> = known
                .iter()
                .filter(|name| name.starts_with("std::"))
                .map(quoted)
                .collect();
            diagnostic.help(format!(
                "The modules of the standard library are {}.",
                standard.join(", ")
            ))
        }
        None => diagnostic.help(format!(
            "`{name}` is the file `{}`, from the folder of `mlp.toml`; create it, or correct the path.",
            super::module_path(import)
        )),
    }
}

/// Every module that an import can name.
fn modules(db: &dyn Db) -> Vec<String> {
    let own = ProjectFiles::get(db).files(db).iter().map(|file| file.path(db).clone());
    let own = own.filter(|path| !path.starts_with("std"));
    let standard = stdlib::MODULES.iter().map(|(path, _)| Utf8PathBuf::from(*path));
    let importable = standard.chain(own).filter(|path| !PRELUDE.contains(&path.as_str()));
    importable.map(|path| module_name(&path)).collect()
}

fn not_in_module(db: &dyn Db, key: &ItemKey, import: &Use, name: &Ident) -> Option<Diagnostic> {
    let path = super::module_path(import);
    let file = db.file(&path);
    let declared = declarations(db, file);
    if declared.contains_key(&name.text) || hides_names(db, file) {
        return None;
    }
    let module = module_name(&path);
    let place = Place::Node(key.clone(), name.id);
    let message = format!("The module `{module}` declares no `{}`.", name.text);
    let diagnostic = Diagnostic::new(Code::NotInModule, place.clone(), message);
    let elsewhere = imports(db, file).iter().find_map(|(_, other)| {
        let brings = other.names.iter().any(|other| other.text == name.text);
        brings.then(|| module_name(&super::module_path(other)))
    });
    if let Some(origin) = elsewhere {
        let note = format!(
            "`{module}` imports `{}` for itself; an import is not passed on.",
            name.text
        );
        return Some(diagnostic.note(note).help(format!("Import it from `{origin}`.")));
    }
    Some(match nearest(&name.text, declared.keys().map(Name::as_str)) {
        Some(near) => diagnostic.help(format!("Did you mean `{near}`?")).fix(
            format!("Replace `{}` with `{near}`", name.text),
            Applicability::Unsafe,
            vec![Edit::replace(place, near.as_str())],
        ),
        None => {
            let known: Vec<String> = declared.keys().map(quoted).collect();
            diagnostic.help(match known.as_slice() {
                [] => format!("`{module}` declares nothing yet."),
                _ => format!("`{module}` declares {}.", known.join(", ")),
            })
        }
    })
}

/// Whether a file has an item whose name could not be read.
fn hides_names(db: &dyn Db, file: File) -> bool {
    let items = &file_items(db, file).items;
    items.iter().any(|(key, _)| {
        matches!(
            item(db, key).as_deref().map(|item| &item.kind),
            Some(ItemKind::Broken(None))
        )
    })
}

/// The cycle that this import closes: reported at the first of its files, and an empty answer at the others.
fn cyclic_import(db: &dyn Db, file: File, key: &ItemKey, import: &Use) -> Option<Option<Diagnostic>> {
    let cycle = cycle(db, file, db.file(&super::module_path(import)))?;
    let paths: Vec<&Utf8PathBuf> = cycle.iter().map(|file| file.path(db)).collect();
    if paths.iter().any(|path| *path < file.path(db)) {
        return Some(None);
    }
    let names: Vec<String> = paths.iter().map(|path| quoted(module_name(path))).collect();
    let message = match names.as_slice() {
        [own] => format!("The module {own} imports itself."),
        [first, ..] => {
            let way = names.join(" → ");
            format!("The modules import each other in a circle: {way} → {first}.")
        }
        [] => return None,
    };
    let mut diagnostic = Diagnostic::new(Code::CyclicImport, path_place(db, key, import), message)
        .note("Modules are read in the order of their imports, so that each can be understood alone.")
        .help("Move what both sides need into a module of its own, and import that.");
    for (index, from) in cycle.iter().enumerate().skip(1) {
        let to = cycle.get(index + 1).unwrap_or(&file);
        for (key, import) in imports(db, *from).iter() {
            if db.file(&super::module_path(import)) == *to {
                diagnostic = diagnostic.also(path_place(db, key, import), "and this import leads on");
            }
        }
    }
    Some(Some(diagnostic))
}

/// The shortest way from `start` over `next` back to `start`, without its repetition at the end.
fn cycle(db: &dyn Db, start: File, next: File) -> Option<Vec<File>> {
    let mut came_from: BTreeMap<&Utf8PathBuf, File> = BTreeMap::new();
    let mut waiting = VecDeque::from([next]);
    while let Some(file) = waiting.pop_front() {
        if file == start {
            let mut way = vec![];
            let mut step = file;
            while let Some(previous) = came_from.get(step.path(db)).filter(|_| step != next) {
                way.push(*previous);
                step = *previous;
            }
            way.push(start);
            way.reverse();
            return Some(way);
        }
        for target in imported_files(db, file).iter() {
            if *target != next && !came_from.contains_key(target.path(db)) {
                came_from.insert(target.path(db), file);
                waiting.push_back(*target);
            }
        }
    }
    None
}

/// The names that a file has brought in or declared so far, with where.
#[derive(Default)]
struct OwnNames {
    imported: BTreeMap<Name, Place>,
    declared: BTreeMap<Name, Place>,
    tests: BTreeMap<String, Place>,
}

impl OwnNames {
    fn import(&mut self, db: &dyn Db, key: &ItemKey, import: &Use, name: &Ident) -> Option<Diagnostic> {
        let place = Place::Node(key.clone(), name.id);
        let code = Code::ImportedTwice;
        let diagnostic = if let Some(first) = self.imported.get(&name.text) {
            Diagnostic::new(code, place, format!("`{}` is imported twice.", name.text))
                .label("again here")
                .also(first.clone(), "first imported here")
                .help("Keep one of the two; where two modules declare the same name, give one of the declarations another.")
        } else if in_prelude(db, &name.text).is_some() {
            self.imported.insert(name.text.clone(), place.clone());
            Diagnostic::new(
                code,
                place,
                format!("`{}` needs no import: it is known in every file.", name.text),
            )
        } else {
            self.imported.insert(name.text.clone(), place);
            return None;
        };
        let edit = removal(db, key, import, name);
        Some(diagnostic.fix(
            format!("Remove the import of `{}`", name.text),
            Applicability::Safe,
            vec![edit],
        ))
    }

    fn declare(&mut self, db: &dyn Db, key: &ItemKey) -> Option<Diagnostic> {
        let item = item(db, key)?;
        if let ItemKind::Test(test) = &item.kind {
            let place = Place::Node(key.clone(), test.name.id);
            return match self.tests.get(&test.name.value) {
                Some(first) => Some(duplicate(&format!("test {:?}", test.name.value), place, first)),
                None => {
                    self.tests.insert(test.name.value.clone(), place);
                    None
                }
            };
        }
        let name = declared_name(&item.kind)?;
        let place = Place::Node(key.clone(), name.id);
        if let Some(first) = self.declared.get(&name.text) {
            return Some(duplicate(&name.text, place, first));
        }
        self.declared.insert(name.text.clone(), place.clone());
        let shadowed = self.imported.get(&name.text).cloned();
        let (other, from) = match shadowed {
            Some(import) => (import, "imported here"),
            None if PRELUDE.contains(&key.file.as_str()) => return None,
            None => (in_prelude(db, &name.text)?, "declared by the language here"),
        };
        let message = format!("`{}` already means something else in this file.", name.text);
        let diagnostic = Diagnostic::new(Code::ShadowedName, place, message)
            .label("declared again here")
            .also(other, from)
            .note("One name has one meaning in a file, so that a reader never has to ask which is meant.");
        Some(diagnostic.help("Choose another name."))
    }
}

fn duplicate(name: &str, place: Place, first: &Place) -> Diagnostic {
    Diagnostic::new(
        Code::DuplicateDeclaration,
        place,
        format!("`{name}` is declared twice in this file."),
    )
    .label("again here")
    .also(first.clone(), "first declared here")
    .help("Rename one of the two, or remove it.")
}

/// Where the prelude declares `name`.
fn in_prelude(db: &dyn Db, name: &str) -> Option<Place> {
    PRELUDE.iter().find_map(|path| {
        let declared = declarations(db, db.file(Utf8Path::new(path)));
        let key = declared.get(name)?;
        let item = item(db, key)?;
        Some(Place::Node(key.clone(), declared_name(&item.kind)?.id))
    })
}

fn unused_imports(db: &dyn Db, file: File) -> Vec<Diagnostic> {
    let mut used: BTreeSet<Name> = BTreeSet::new();
    for (key, _) in &file_items(db, file).items {
        if item(db, key).is_some_and(|item| !matches!(item.kind, ItemKind::Use(_))) {
            used.extend(words(db, key).iter().cloned());
        }
    }
    let mut found = Vec::new();
    for (key, import) in imports(db, file).iter() {
        for name in import.names.iter().filter(|name| !used.contains(&name.text)) {
            let message = format!("`{}` is imported and never used.", name.text);
            let title = format!("Remove the import of `{}`", name.text);
            let edit = removal(db, key, import, name);
            let place = Place::Node(key.clone(), name.id);
            let diagnostic = Diagnostic::new(Code::UnusedImport, place, message);
            found.push(diagnostic.fix(title, Applicability::Safe, vec![edit]));
        }
    }
    found
}

/// The edit that takes one name out of an import, and the whole line when it is the last one.
fn removal(db: &dyn Db, key: &ItemKey, import: &Use, name: &Ident) -> Edit {
    let spans = spans(db, key);
    let own = spans.get(name.id);
    let position = import.names.iter().position(|other| other.id == name.id).unwrap_or(0);
    let next = import.names.get(position + 1);
    let previous = position.checked_sub(1).and_then(|index| import.names.get(index));
    let range = match (next, previous) {
        (Some(next), _) => TextRange {
            start: own.start,
            end: spans.get(next.id).start,
        },
        (None, Some(previous)) => TextRange {
            start: spans.get(previous.id).end,
            end: own.end,
        },
        (None, None) => whole_line(db, key),
    };
    Edit::replace(Place::Item(key.clone(), range), "")
}

/// An item with the line break behind it, relative to the item.
fn whole_line(db: &dyn Db, key: &ItemKey) -> TextRange {
    let file = db.file(Utf8Path::new(&key.file));
    let own = file_items(db, file).range(key).unwrap_or_default();
    let text = file.contents(db).text().unwrap_or_default();
    let rest = text.get(own.end as usize..).unwrap_or_default();
    let line_break = if rest.starts_with("\r\n") {
        2
    } else {
        usize::from(rest.starts_with('\n'))
    };
    TextRange::new(0, own.len() + line_break)
}

/// The path of an import, without the names.
fn path_place(db: &dyn Db, key: &ItemKey, import: &Use) -> Place {
    let spans = spans(db, key);
    let ranges = import.path.iter().map(|segment| spans.get(segment.id));
    Place::Item(key.clone(), ranges.reduce(TextRange::cover).unwrap_or_default())
}

/// `a/b.mlp` as imports write it: `a::b`.
fn module_name(path: &Utf8Path) -> String {
    path.with_extension("").as_str().replace('/', "::")
}

fn quoted(name: impl std::fmt::Display) -> String {
    format!("`{name}`")
}
