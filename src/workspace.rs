//! All problems of a project: what `mlp check` and the language server show. Nothing is decided here; every phase reports its
//! own problems, and this gathers them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8PathBuf;

use crate::check;
use crate::db::{Database, Db, File, Item, ProjectFiles};
use crate::diagnostics::{Applicability, Code, Diagnostic, ResolvedDiagnostic, Severity, fixes, resolve_all};
use crate::names;
use crate::project::{self, Contents};

/// How often fixes are applied to what earlier fixes made, before giving up.
const MENDING_ROUNDS: usize = 16;

/// From how many files on threads cost less than they save.
const WORTH_THREADS: usize = 8;

/// Every problem of the project, in the order of files and positions, each once.
#[must_use]
pub fn check(db: &dyn Db) -> Vec<ResolvedDiagnostic> {
    let mut diagnostics = project::manifest_file(db).diagnostics.clone();
    let listed = ProjectFiles::get(db).files(db);
    diagnostics.extend(listed.iter().filter_map(|file| names::reserved_path(file.path(db))));
    for file in files(db) {
        diagnostics.extend(file_diagnostics(db, file));
    }
    if !diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity() == Severity::Error)
    {
        diagnostics.extend(check::same_names::diagnostics(db));
        let refused = check::targets::diagnostics(db);
        if refused.is_empty() {
            diagnostics.extend(check::pins::diagnostics(db));
        }
        diagnostics.extend(refused);
    }
    resolve_all(db, &diagnostics)
}

/// [`check`], or nothing when another thread changes the database meanwhile, so that the answer would be stale.
#[must_use]
pub fn check_unless_changed(db: &Database) -> Option<Vec<ResolvedDiagnostic>> {
    salsa::Cancelled::catch(std::panic::AssertUnwindSafe(|| check(db))).ok()
}

/// Computes what `check` will ask for on all processors, when the project is large. What it computes is what `check` would;
/// calling it changes nothing but the time.
pub fn prepare(db: &Database) {
    let files = ProjectFiles::get(db).files(db);
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if workers < 2 || files.len() < WORTH_THREADS {
        return;
    }
    std::thread::scope(|scope| {
        for share in files.chunks(files.len().div_ceil(workers)) {
            let db = db.clone();
            scope.spawn(move || {
                for file in share {
                    names::file_items(&db, *file);
                }
                for file in share {
                    file_diagnostics(&db, *file);
                }
            });
        }
    });
}

/// Applies fixes until nothing changes, and gives the new text of every file that changed. The database holds the mended
/// project afterwards; nothing is written.
#[must_use]
pub fn mend(db: &mut Database, applicability: Applicability) -> BTreeMap<Utf8PathBuf, String> {
    let mut changed = BTreeMap::new();
    for _ in 0..MENDING_ROUNDS {
        let diagnostics = check(db);
        let texts = fixes::apply_all(db, &diagnostics, applicability);
        if texts.is_empty() {
            break;
        }
        for (path, text) in texts {
            db.set_file(&path, Contents::Text(text.clone()));
            changed.insert(path, text);
        }
    }
    changed
}

/// Whether one of `diagnostics` is an error, so that the program may not be built or run.
#[must_use]
pub fn has_errors(diagnostics: &[ResolvedDiagnostic]) -> bool {
    diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error)
}

/// The project's own files and every file that they import, sorted by path; without the standard library.
#[must_use]
pub fn files(db: &dyn Db) -> Vec<File> {
    let mut waiting: Vec<File> = ProjectFiles::get(db).files(db).clone();
    let mut seen: BTreeSet<Utf8PathBuf> = BTreeSet::new();
    let mut found = Vec::new();
    while let Some(file) = waiting.pop() {
        let path = file.path(db);
        if path.starts_with("std") || !seen.insert(path.clone()) {
            continue;
        }
        found.push(file);
        waiting.extend(names::imported_files(db, file).iter());
    }
    found.sort_by(|left, right| left.path(db).cmp(right.path(db)));
    found
}

/// The problems of one file: its text, its names, then item by item. What an error may have left unused is not reported
/// beside the error.
fn file_diagnostics(db: &dyn Db, file: File) -> Vec<Diagnostic> {
    let mut diagnostics = names::file_diagnostics(db, file).as_ref().clone();
    for (key, _) in &names::file_items(db, file).items {
        diagnostics.extend(item_diagnostics(db, Item::new(db, key.clone())).iter().cloned());
    }
    let has_errors = diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity() == Severity::Error);
    diagnostics.retain(|diagnostic| !has_errors || diagnostic.code != Code::UnusedImport);
    diagnostics
}

/// The problems of one item; computed again only when something that it reads has changed.
#[salsa::tracked]
fn item_diagnostics<'db>(db: &'db dyn Db, item: Item<'db>) -> Arc<Vec<Diagnostic>> {
    let key = item.key(db);
    let syntax = names::syntax_errors(db, key).into_iter();
    let mut diagnostics: Vec<Diagnostic> = syntax.map(|error| Diagnostic::from_syntax(key, error)).collect();
    diagnostics.extend(check::item_diagnostics(db, key));
    Arc::new(diagnostics)
}
