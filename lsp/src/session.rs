//! Open documents and the projects they belong to. Nothing here sends or receives a message.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use mlp::db::{Database, Db};
use mlp::diagnostics::ResolvedDiagnostic;
use mlp::project::{Contents, DiskHost};
use mlp::workspace;
use tower_lsp::ls_types::{Diagnostic, TextDocumentContentChangeEvent, Uri};

use crate::convert;

/// Everything that the server knows.
#[derive(Default)]
pub struct Session {
    projects: BTreeMap<Utf8PathBuf, Project>,
    documents: BTreeMap<Uri, Document>,
}

/// An open document: where its project is, what it is called there, and the editor's version.
#[derive(Clone)]
struct Document {
    project: Utf8PathBuf,
    path: Utf8PathBuf,
    version: i32,
}

/// A project with at least one document that was open once.
struct Project {
    database: Database,
    root: Utf8PathBuf,
    /// Counts edits: an answer about an older state is not shown.
    edits: u64,
    /// Documents that have been sent diagnostics, so that these can be taken back.
    shown: BTreeSet<Uri>,
    diagnostics: Arc<Vec<ResolvedDiagnostic>>,
}

/// A project as it is at one moment, to be checked on another thread.
pub struct Snapshot {
    project: Utf8PathBuf,
    edits: u64,
    database: Database,
}

/// The problems of a project at one moment.
pub struct Checked {
    project: Utf8PathBuf,
    edits: u64,
    diagnostics: Vec<ResolvedDiagnostic>,
}

/// What is to be shown for one document.
pub struct Publication {
    /// The document.
    pub uri: Uri,
    /// All of its problems.
    pub diagnostics: Vec<Diagnostic>,
    /// The version they are about, for a document that is open.
    pub version: Option<i32>,
}

/// A position in a document, in the compiler's terms.
pub struct At<'a> {
    /// The compiler.
    pub database: &'a Database,
    /// The project's folder.
    pub root: &'a Utf8Path,
    /// The document, from the project's folder.
    pub path: Utf8PathBuf,
    /// The last problems found.
    pub diagnostics: &'a [ResolvedDiagnostic],
}

impl Session {
    /// Takes the editor's text for a file. Gives the project that changed; nothing for a document that is no file.
    pub fn open(&mut self, uri: &Uri, text: String, version: i32) -> Option<Utf8PathBuf> {
        let full = convert::path(uri)?;
        let host = DiskHost::of_document(&full);
        let path = host.relative(&full)?;
        // A document outside any project is a project of its own.
        let key = if host.only_file().is_some() {
            full
        } else {
            host.root().to_owned()
        };
        let project = self.projects.entry(key.clone()).or_insert_with(|| Project {
            root: host.root().to_owned(),
            database: Database::new(Arc::new(host)),
            edits: 0,
            shown: BTreeSet::new(),
            diagnostics: Arc::default(),
        });
        project.set(&path, Contents::from_text(text));
        let document = Document {
            project: key.clone(),
            path,
            version,
        };
        self.documents.insert(uri.clone(), document);
        Some(key)
    }

    /// Applies edits in their order.
    pub fn change(
        &mut self,
        uri: &Uri,
        changes: Vec<TextDocumentContentChangeEvent>,
        version: i32,
    ) -> Option<Utf8PathBuf> {
        let document = self.documents.get_mut(uri)?;
        document.version = version;
        let project = self.projects.get_mut(&document.project)?;
        for change in changes {
            let text = project.edited(&document.path, change);
            project.set(&document.path, Contents::from_text(text));
        }
        Some(document.project.clone())
    }

    /// Reads a file from disk again; other files may have changed with it.
    pub fn save(&mut self, uri: &Uri) -> Option<Utf8PathBuf> {
        let key = self.documents.get(uri)?.project.clone();
        let open: BTreeSet<&Utf8PathBuf> = self
            .documents
            .values()
            .filter(|document| document.project == key)
            .map(|document| &document.path)
            .collect();
        let project = self.projects.get_mut(&key)?;
        project.edits += 1;
        let texts: Vec<(Utf8PathBuf, Contents)> = open
            .into_iter()
            .map(|path| {
                (
                    path.clone(),
                    project.database.file(path).contents(&project.database).clone(),
                )
            })
            .collect();
        project.database.reload();
        for (path, contents) in texts {
            project.database.set_file(&path, contents);
        }
        Some(key)
    }

    /// Forgets the editor's text of a file; what is on disk counts again.
    pub fn close(&mut self, uri: &Uri) -> Option<Utf8PathBuf> {
        let document = self.documents.remove(uri)?;
        let project = self.projects.get_mut(&document.project)?;
        project.edits += 1;
        project.database.reload_file(&document.path);
        Some(document.project)
    }

    /// The project as it is now.
    pub fn snapshot(&self, key: &Utf8Path) -> Option<Snapshot> {
        let project = self.projects.get(key)?;
        Some(Snapshot {
            project: key.to_owned(),
            edits: project.edits,
            database: project.database.clone(),
        })
    }

    /// Whether the project has not changed since `edits`.
    pub fn is_current(&self, key: &Utf8Path, edits: u64) -> bool {
        self.projects.get(key).is_some_and(|project| project.edits == edits)
    }

    /// How often the project has changed.
    pub fn edits(&self, key: &Utf8Path) -> u64 {
        self.projects.get(key).map_or(0, |project| project.edits)
    }

    /// What to show after a check; nothing when the project has changed meanwhile.
    pub fn publish(&mut self, checked: Checked) -> Vec<Publication> {
        if !self.is_current(&checked.project, checked.edits) {
            return Vec::new();
        }
        let Some(project) = self.projects.get_mut(&checked.project) else {
            return Vec::new();
        };
        project.diagnostics = Arc::new(checked.diagnostics);
        let mut by_document: BTreeMap<Uri, Vec<Diagnostic>> = BTreeMap::new();
        let open = self
            .documents
            .iter()
            .filter(|(_, document)| document.project == checked.project);
        let known = open
            .map(|(uri, _)| uri.clone())
            .chain(std::mem::take(&mut project.shown));
        by_document.extend(known.map(|uri| (uri, Vec::new())));
        for diagnostic in project.diagnostics.iter() {
            let Some(uri) = convert::uri(&project.root.join(&diagnostic.primary.path)) else {
                continue;
            };
            let shown = convert::diagnostic(&project.database, &project.root, diagnostic);
            project.shown.insert(uri.clone());
            by_document.entry(uri).or_default().push(shown);
        }
        let publication = |(uri, diagnostics): (Uri, Vec<Diagnostic>)| {
            let version = self.documents.get(&uri).map(|document| document.version);
            Publication {
                uri,
                diagnostics,
                version,
            }
        };
        by_document.into_iter().map(publication).collect()
    }

    /// An open document in the compiler's terms.
    pub fn at(&self, uri: &Uri) -> Option<At<'_>> {
        let document = self.documents.get(uri)?;
        let project = self.projects.get(&document.project)?;
        Some(At {
            database: &project.database,
            root: &project.root,
            path: document.path.clone(),
            diagnostics: &project.diagnostics,
        })
    }
}

impl Project {
    fn set(&mut self, path: &Utf8Path, contents: Contents) {
        self.edits += 1;
        self.database.set_file(path, contents);
    }

    fn edited(&self, path: &Utf8Path, change: TextDocumentContentChangeEvent) -> String {
        let Some(range) = change.range else {
            return change.text;
        };
        let file = self.database.file(path);
        let text = file.contents(&self.database).text().unwrap_or_default();
        let start = convert::offset(&self.database, path, range.start);
        let end = convert::offset(&self.database, path, range.end).max(start);
        let before = text.get(..start).unwrap_or_default();
        let after = text.get(end..).unwrap_or_default();
        format!("{before}{}{after}", change.text)
    }
}

impl Snapshot {
    /// Checks the project; nothing when it changes meanwhile.
    pub fn check(self) -> Option<Checked> {
        let diagnostics = workspace::check_unless_changed(&self.database)?;
        Some(Checked {
            project: self.project,
            edits: self.edits,
            diagnostics,
        })
    }
}
