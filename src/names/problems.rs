//! What can be wrong with the names of a file: its text, its declarations, its imports. Uses inside bodies are not looked at.

use std::sync::Arc;

use super::{file_items, item, module_path};
use crate::db::{Db, File};
use crate::diagnostics::Diagnostic;
use crate::project::{Contents, unreadable_file};
use crate::syntax::ast::ItemKind;

/// The files that `file` imports and that exist, in the order of their `use` items.
#[must_use]
pub fn imported_files(db: &dyn Db, file: File) -> Vec<File> {
    let mut found = Vec::new();
    for (key, _) in &file_items(db, file).items {
        if let Some(item) = item(db, key)
            && let ItemKind::Use(import) = &item.kind
        {
            let module = db.file(&module_path(import));
            if *module.contents(db) != Contents::Missing {
                found.push(module);
            }
        }
    }
    found
}

/// The problems of a file's text, of its declarations and of its imports.
#[salsa::tracked]
pub fn file_diagnostics(db: &dyn Db, file: File) -> Arc<Vec<Diagnostic>> {
    Arc::new(unreadable_file(file.path(db), file.contents(db)).into_iter().collect())
}
