//! From places in items to places in files: what a reader, an editor or a machine is shown. No problem is found here.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Applicability, Code, Diagnostic, Edit, EditPosition, Label, Place, Severity};
use crate::db::{Db, File};
use crate::names;
use crate::source::{LineIndex, TextRange};

/// A diagnostic with every place as a range of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedDiagnostic {
    /// Its declaration.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one sentence.
    pub message: String,
    /// The place that is wrong.
    pub primary: ResolvedLabel,
    /// Other places involved.
    pub secondary: Vec<ResolvedLabel>,
    /// Why it matters, and more facts.
    pub notes: Vec<String>,
    /// What to write instead.
    pub help: Option<String>,
    /// A mechanical mend.
    pub fix: Option<ResolvedFix>,
}

/// A range of a file with what is to be said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedLabel {
    /// The file, from the project's root; `std/…` for the standard library.
    pub path: Utf8PathBuf,
    /// The bytes, from the start of the file; on character boundaries and inside the text.
    pub range: TextRange,
    /// Where the range begins.
    pub start: Position,
    /// Where it ends.
    pub end: Position,
    /// A few words; may be empty.
    pub message: String,
}

/// A place as people count: both numbers from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

/// A fix with every edit as a range of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedFix {
    /// What applying it does, as an imperative.
    pub title: String,
    /// Whether it is certain.
    pub applicability: Applicability,
    /// The edits; they do not overlap.
    pub edits: Vec<ResolvedEdit>,
}

/// Replaces bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResolvedEdit {
    /// The file, from the project's root.
    pub path: Utf8PathBuf,
    /// The bytes that go; empty for an insertion.
    pub range: TextRange,
    /// The text that comes.
    pub text: String,
}

/// Where the lines of `file` begin.
#[salsa::tracked]
pub fn line_index(db: &dyn Db, file: File) -> Arc<LineIndex> {
    Arc::new(LineIndex::new(file.contents(db).text().unwrap_or_default()))
}

/// Looks every place of `diagnostic` up in the text as it is now.
#[must_use]
pub fn resolve(db: &dyn Db, diagnostic: &Diagnostic) -> ResolvedDiagnostic {
    ResolvedDiagnostic {
        code: diagnostic.code,
        severity: diagnostic.code.declaration().severity,
        message: diagnostic.message.clone(),
        primary: resolve_label(db, &diagnostic.primary),
        secondary: diagnostic
            .secondary
            .iter()
            .map(|label| resolve_label(db, label))
            .collect(),
        notes: diagnostic.notes.clone(),
        help: diagnostic.help.clone(),
        fix: diagnostic.fix.as_ref().map(|fix| ResolvedFix {
            title: fix.title.clone(),
            applicability: fix.applicability,
            edits: fix.edits.iter().map(|edit| resolve_edit(db, edit)).collect(),
        }),
    }
}

/// Resolves all of them, in the order of files and positions, each once.
#[must_use]
pub fn resolve_all(db: &dyn Db, diagnostics: &[Diagnostic]) -> Vec<ResolvedDiagnostic> {
    let mut resolved: Vec<_> = diagnostics.iter().map(|diagnostic| resolve(db, diagnostic)).collect();
    resolved.sort_by(|left, right| order(left).cmp(&order(right)));
    resolved.dedup_by(|later, earlier| order(later) == order(earlier));
    resolved
}

fn order(diagnostic: &ResolvedDiagnostic) -> (&Utf8Path, TextRange, &'static str, &str) {
    let ResolvedLabel { path, range, .. } = &diagnostic.primary;
    (path, *range, diagnostic.code.declaration().code, &diagnostic.message)
}

/// The file and the bytes of a place; the empty range at the file's start when the place no longer exists.
#[must_use]
pub fn locate(db: &dyn Db, place: &Place) -> (Utf8PathBuf, TextRange) {
    let (path, range) = match place {
        Place::Node(key, node) => {
            let start = item_start(db, key);
            let own = names::spans(db, key).get(*node);
            (Utf8PathBuf::from(key.file.as_str()), own.offset(start))
        }
        Place::Item(key, range) => (Utf8PathBuf::from(key.file.as_str()), range.offset(item_start(db, key))),
        Place::File(path, range) => (path.clone(), *range),
    };
    let text = db.file(&path).contents(db).text().unwrap_or_default();
    let range = TextRange::new(boundary(text, range.start as usize), boundary(text, range.end as usize));
    (path, range)
}

fn item_start(db: &dyn Db, key: &crate::db::ItemKey) -> usize {
    let file = db.file(Utf8Path::new(&key.file));
    let range = names::file_items(db, file).range(key);
    range.map_or(0, |range| range.start as usize)
}

/// The nearest character boundary at or before `offset`.
fn boundary(text: &str, offset: usize) -> usize {
    let offset = offset.min(text.len());
    (0..=offset)
        .rev()
        .find(|offset| text.is_char_boundary(*offset))
        .unwrap_or(0)
}

fn resolve_label(db: &dyn Db, label: &Label) -> ResolvedLabel {
    let (path, range) = locate(db, &label.place);
    let file = db.file(&path);
    let text = file.contents(db).text().unwrap_or_default();
    let index = line_index(db, file);
    let position = |offset: u32| {
        let found = index.characters(text, offset as usize);
        Position {
            line: found.line.saturating_add(1),
            column: found.column.saturating_add(1),
        }
    };
    ResolvedLabel {
        start: position(range.start),
        end: position(range.end),
        path,
        range,
        message: label.message.clone(),
    }
}

fn resolve_edit(db: &dyn Db, edit: &Edit) -> ResolvedEdit {
    let (path, range) = locate(db, &edit.place);
    let range = match edit.position {
        EditPosition::Before => TextRange::empty(range.start as usize),
        EditPosition::Replace => range,
        EditPosition::After => TextRange::empty(range.end as usize),
    };
    ResolvedEdit {
        path,
        range,
        text: edit.text.clone(),
    }
}
