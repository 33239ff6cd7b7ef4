//! Compiler positions and diagnostics in the protocol's terms. Columns are UTF-16 units there.

use camino::{Utf8Path, Utf8PathBuf};
use mlp::db::{Database, Db};
use mlp::diagnostics::{Applicability, ResolvedDiagnostic, ResolvedFix, ResolvedLabel, Severity, line_index};
use mlp::source::{LineColumn, TextRange};
use tower_lsp::ls_types::{
    CodeAction, CodeActionKind, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Location,
    NumberOrString, Position, Range, TextEdit, Uri, WorkspaceEdit,
};

/// The document at `path`; nothing for a path that no URI can name.
pub fn uri(path: &Utf8Path) -> Option<Uri> {
    Uri::from_file_path(path)
}

/// The path of a document; nothing for one that is no file.
pub fn path(uri: &Uri) -> Option<Utf8PathBuf> {
    let path = uri.to_file_path()?;
    Utf8PathBuf::from_path_buf(path.into_owned()).ok()
}

/// A range of a file of the project in lines and UTF-16 columns.
pub fn range(db: &Database, path: &Utf8Path, range: TextRange) -> Range {
    Range {
        start: position(db, path, range.start as usize),
        end: position(db, path, range.end as usize),
    }
}

fn position(db: &Database, path: &Utf8Path, offset: usize) -> Position {
    let file = db.file(path);
    let text = file.contents(db).text().unwrap_or_default();
    let found = line_index(db, file).utf16(text, offset);
    Position::new(found.line, found.column)
}

/// The byte that a position of the protocol means; one past the end of a line or of the text means that end.
pub fn offset(db: &Database, path: &Utf8Path, position: Position) -> usize {
    let file = db.file(path);
    let text = file.contents(db).text().unwrap_or_default();
    let place = LineColumn {
        line: position.line,
        column: position.character,
    };
    line_index(db, file).offset_of_utf16(text, place)
}

/// A diagnostic as editors show it: one text, with notes and help below the message.
pub fn diagnostic(db: &Database, root: &Utf8Path, diagnostic: &ResolvedDiagnostic) -> Diagnostic {
    let declaration = diagnostic.code.declaration();
    let paragraphs = std::iter::once(&diagnostic.message)
        .chain(&diagnostic.notes)
        .chain(&diagnostic.help);
    let message: Vec<&str> = paragraphs.map(String::as_str).collect();
    let related = diagnostic
        .secondary
        .iter()
        .filter_map(|label| related(db, root, label))
        .collect();
    Diagnostic {
        range: range(db, &diagnostic.primary.path, diagnostic.primary.range),
        severity: Some(match diagnostic.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
        }),
        code: Some(NumberOrString::String(declaration.code.to_owned())),
        source: Some("mlp".to_owned()),
        message: message.join("\n\n"),
        related_information: Some(related),
        tags: (diagnostic.code == mlp::diagnostics::Code::UnusedImport).then(|| vec![DiagnosticTag::UNNECESSARY]),
        ..Diagnostic::default()
    }
}

fn related(db: &Database, root: &Utf8Path, label: &ResolvedLabel) -> Option<DiagnosticRelatedInformation> {
    Some(DiagnosticRelatedInformation {
        location: location(db, root, &label.path, label.range)?,
        message: label.message.clone(),
    })
}

/// A place of the project; nothing for the standard library, which is no file on disk.
pub fn location(db: &Database, root: &Utf8Path, path: &Utf8Path, own: TextRange) -> Option<Location> {
    if path.starts_with("std") {
        return None;
    }
    Some(Location::new(uri(&root.join(path))?, range(db, path, own)))
}

/// A fix as a quick fix; preferred when it is certain.
pub fn quick_fix(db: &Database, root: &Utf8Path, fix: &ResolvedFix, mends: Diagnostic) -> CodeAction {
    let mut changes: std::collections::HashMap<Uri, Vec<TextEdit>> = std::collections::HashMap::new();
    for edit in &fix.edits {
        if let Some(uri) = uri(&root.join(&edit.path)) {
            let own = TextEdit::new(range(db, &edit.path, edit.range), edit.text.clone());
            changes.entry(uri).or_default().push(own);
        }
    }
    CodeAction {
        title: fix.title.clone(),
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![mends]),
        edit: Some(WorkspaceEdit::new(changes)),
        is_preferred: Some(fix.applicability == Applicability::Safe),
        ..CodeAction::default()
    }
}
