//! The queries' database: inputs, and the identity of items.
//!
//! The command line and the language server ask the same queries; what an edit did not change is not computed again.

#![expect(
    missing_docs,
    reason = "salsa generates constructors and accessors that cannot carry docs"
)]

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use camino::{Utf8Path, Utf8PathBuf};
use salsa::Setter;

use crate::project::{Contents, Host};
use crate::source::Name;

/// A file that a query has read, whether or not it exists.
#[salsa::input(debug)]
pub struct File {
    /// From the project's root; files of the standard library begin with `std/`.
    #[returns(ref)]
    pub path: Utf8PathBuf,
    /// What it holds.
    #[returns(ref)]
    pub contents: Contents,
}

/// The set of the project's own `.mlp` files.
#[salsa::input(singleton, debug)]
pub struct ProjectFiles {
    /// Sorted by path.
    #[returns(ref)]
    pub files: Vec<File>,
}

/// The text of one item: equal text is one id, and is parsed once.
#[salsa::interned(debug)]
pub struct ItemText<'db> {
    /// The text with its doc comment.
    #[returns(ref)]
    pub text: String,
}

/// An item by what it declares, not by where it stands: moving text around keeps it. A plain value, free of the
/// database's lifetime, so that results of queries and diagnostics may hold it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemKey {
    /// Path of the file from the project's root.
    pub file: Name,
    /// Keyword and name: `step train`, `test "dirty data"`, `use std::data`.
    pub key: Name,
    /// 0 for the first with this key in the file.
    pub occurrence: u32,
}

/// [`ItemKey`] as an argument of a tracked query.
#[salsa::interned(debug)]
pub struct Item<'db> {
    /// The key.
    #[returns(ref)]
    pub key: ItemKey,
}

/// What queries need beyond salsa.
#[salsa::db]
pub trait Db: salsa::Database {
    /// The file at `path`, read through the host at its first use.
    fn file(&self, path: &Utf8Path) -> File;
}

/// The one implementation of [`Db`].
#[salsa::db]
#[derive(Clone)]
pub struct Database {
    storage: salsa::Storage<Self>,
    host: Arc<dyn Host>,
    files: Arc<Mutex<BTreeMap<Utf8PathBuf, File>>>,
}

#[salsa::db]
impl salsa::Database for Database {}

#[salsa::db]
impl Db for Database {
    fn file(&self, path: &Utf8Path) -> File {
        let mut files = self.known();
        if let Some(file) = files.get(path) {
            return *file;
        }
        let contents = self.read(path);
        let file = File::new(self, path.to_owned(), contents);
        files.insert(path.to_owned(), file);
        file
    }
}

impl Database {
    /// A database over the project that `host` shows.
    #[must_use]
    pub fn new(host: Arc<dyn Host>) -> Self {
        Self::with_storage(host, salsa::Storage::default())
    }

    /// A database that tells `listen` of every query that it executes: tests count them.
    #[cfg(test)]
    pub(crate) fn listening(host: Arc<dyn Host>, listen: Box<dyn Fn(salsa::Event) + Send + Sync>) -> Self {
        Self::with_storage(host, salsa::Storage::new(Some(listen)))
    }

    fn with_storage(host: Arc<dyn Host>, storage: salsa::Storage<Self>) -> Self {
        let database = Self {
            storage,
            host,
            files: Arc::default(),
        };
        let files = database.listed();
        let _ = ProjectFiles::new(&database, files);
        database
    }

    /// Gives a file other contents than the host's, or the host's newer ones: what an editor does. A `.mlp` file that is
    /// new joins the project; one that is [`Contents::Missing`] leaves it.
    pub fn set_file(&mut self, path: &Utf8Path, contents: Contents) {
        let file = self.file(path);
        if *file.contents(self) != contents {
            file.set_contents(self).to(contents);
        }
        if path.extension() == Some("mlp") && crate::stdlib::read(path).is_none() {
            let mut files = ProjectFiles::get(self).files(self).clone();
            files.retain(|known| known.path(self) != path);
            if *file.contents(self) != Contents::Missing {
                files.push(file);
            }
            self.set_project_files(files);
        }
    }

    /// Reads a file from the host again: what an editor does when a file is closed or changed by somebody else.
    pub fn reload_file(&mut self, path: &Utf8Path) {
        let contents = self.read(path);
        self.set_file(path, contents);
    }

    /// Reads every file from the host again, and looks for new ones.
    pub fn reload(&mut self) {
        let known: Vec<Utf8PathBuf> = self.known().keys().cloned().collect();
        for path in known {
            let contents = self.read(&path);
            let file = self.file(&path);
            if *file.contents(self) != contents {
                file.set_contents(self).to(contents);
            }
        }
        let files = self.listed();
        self.set_project_files(files);
    }

    fn read(&self, path: &Utf8Path) -> Contents {
        crate::stdlib::read(path).unwrap_or_else(|| self.host.read(path))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<Utf8PathBuf, File>> {
        self.files.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn listed(&self) -> Vec<File> {
        self.host.list("mlp").iter().map(|path| self.file(path)).collect()
    }

    fn set_project_files(&mut self, mut files: Vec<File>) {
        files.sort_by(|left, right| left.path(self).cmp(right.path(self)));
        let project = ProjectFiles::get(self);
        if *project.files(self) != files {
            project.set_files(self).to(files);
        }
    }
}
