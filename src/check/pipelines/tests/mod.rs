//! Pipelines over a project in memory: the whole program, then one change at a time.

mod analyses;
mod control;
mod elaboration;

use std::sync::Arc;

use crate::db::{Database, ItemKey};
use crate::diagnostics::{Format, render};
use crate::names;
use crate::project::MemoryHost;
use crate::workspace;

const PROGRAM: &str = include_str!("credit.mlp");
const PYTHON: &str = include_str!("credit.py");

fn database(program: &str) -> Database {
    let mut host = MemoryHost::default();
    let manifest = "name = \"credit\"\nversion = \"0.1.0\"\n";
    host.files.insert("mlp.toml".into(), manifest.to_owned());
    host.files.insert("main.mlp".into(), program.to_owned());
    host.files.insert("credit.py".into(), PYTHON.to_owned());
    Database::new(Arc::new(host))
}

/// The problems of a program, one on each line.
fn problems(program: &str) -> String {
    let database = database(program);
    render(&database, &workspace::check(&database), Format::Line)
}

/// The whole program with one text replaced by another.
fn changed(from: &str, to: &str) -> String {
    assert!(PROGRAM.contains(from), "the program does not hold {from:?}");
    PROGRAM.replacen(from, to, 1)
}

/// The problems of the whole program with one change.
fn mutation(from: &str, to: &str) -> String {
    problems(&changed(from, to))
}

/// The key of the item that begins with `key`.
fn item(database: &Database, key: &str) -> ItemKey {
    let file = workspace::files(database)[0];
    let items = names::file_items(database, file);
    let found = items.items.iter().find(|(own, _)| own.key.starts_with(key));
    found.unwrap().0.clone()
}
