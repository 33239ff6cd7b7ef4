//! What declarations mean and what is refused, over projects in memory.

mod features;
mod steps;
mod values;

use std::sync::Arc;

use camino::Utf8Path;

use crate::db::{Database, Db, ItemKey};
use crate::names;
use crate::project::MemoryHost;

/// A project in memory.
pub(super) fn project(files: &[(&str, &str)]) -> Database {
    let files = files.iter().map(|(path, text)| ((*path).into(), (*text).to_owned()));
    Database::new(Arc::new(MemoryHost { files: files.collect() }))
}

/// The key of the item `key` (`schema A`) of a file.
pub(super) fn key(file: &str, key: &str) -> ItemKey {
    ItemKey {
        file: file.into(),
        key: key.into(),
        occurrence: 0,
    }
}

/// The problems of the declarations of one file: code and message.
pub(super) fn problems(db: &Database, file: &str) -> Vec<String> {
    let items = names::file_items(db, db.file(Utf8Path::new(file)));
    let diagnostics = items.items.iter().flat_map(|(key, _)| super::diagnostics(db, key));
    diagnostics
        .map(|diagnostic| format!("{} {}", diagnostic.code.declaration().code, diagnostic.message))
        .collect()
}

/// The problems of a program of one file.
pub(super) fn check(text: &str) -> Vec<String> {
    problems(&project(&[("main.mlp", text)]), "main.mlp")
}

/// The problems of `main.mlp` beside other files.
pub(super) fn check_with(text: &str, others: &[(&str, &str)]) -> Vec<String> {
    let mut files = others.to_vec();
    files.push(("main.mlp", text));
    problems(&project(&files), "main.mlp")
}

/// Asserts that a program gives exactly these problems.
#[track_caller]
pub(super) fn refuses(text: &str, expected: &[&str]) {
    assert_eq!(check(text), expected, "{text}");
}

#[test]
fn the_standard_library_is_clean() {
    let db = project(&[]);
    for (path, _) in crate::stdlib::MODULES {
        assert_eq!(problems(&db, path), Vec::<String>::new(), "{path}");
    }
    let split = super::signature(&db, &key("std/data.mlp", "step split")).expect("split has a signature");
    assert!(split.builtin && split.preserves_evidence && split.named_outputs);
    let shown: Vec<String> = split
        .parameters
        .iter()
        .map(|parameter| parameter.kind.to_string())
        .collect();
    assert_eq!(
        shown,
        [
            "Dataset<S>",
            "float in 0.0..=1.0",
            "float in 0.0..=1.0",
            "Column<S>?",
            "Column<S>?",
            "list<Column<S>>",
            "int?"
        ]
    );
    let mask = super::signature(&db, &key("std/data.mlp", "step mask")).expect("mask has a signature");
    assert_eq!(
        mask.parameters[2].default,
        Some(crate::types::Value::Enum("hash".to_owned()))
    );
}
