//! A JSON array of diagnostics. The shape is stable: members may be added, none is renamed or removed.

use serde::Serialize;

use crate::diagnostics::{Applicability, Position, ResolvedDiagnostic, ResolvedEdit, ResolvedFix, ResolvedLabel};

#[derive(Serialize)]
struct Entry<'a> {
    code: &'static str,
    severity: String,
    summary: &'static str,
    message: &'a str,
    place: Place<'a>,
    related: Vec<Place<'a>>,
    notes: &'a [String],
    help: Option<&'a str>,
    fix: Option<Fix<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    path: &'a str,
    message: &'a str,
    start: Point,
    end: Point,
}

#[derive(Serialize)]
struct Point {
    line: u32,
    column: u32,
    offset: u32,
}

#[derive(Serialize)]
struct Fix<'a> {
    title: &'a str,
    safe: bool,
    edits: Vec<Edit<'a>>,
}

#[derive(Serialize)]
struct Edit<'a> {
    path: &'a str,
    start: u32,
    end: u32,
    text: &'a str,
}

/// One object for each diagnostic.
pub(super) fn render(diagnostics: &[ResolvedDiagnostic]) -> String {
    let entries: Vec<Entry<'_>> = diagnostics.iter().map(entry).collect();
    let text = serde_json::to_string_pretty(&entries).expect("plain structures always serialise");
    text + "\n"
}

fn entry(diagnostic: &ResolvedDiagnostic) -> Entry<'_> {
    let declaration = diagnostic.code.declaration();
    Entry {
        code: declaration.code,
        severity: diagnostic.severity.to_string(),
        summary: declaration.summary,
        message: &diagnostic.message,
        place: place(&diagnostic.primary),
        related: diagnostic.secondary.iter().map(place).collect(),
        notes: &diagnostic.notes,
        help: diagnostic.help.as_deref(),
        fix: diagnostic.fix.as_ref().map(fix),
    }
}

fn place(label: &ResolvedLabel) -> Place<'_> {
    Place {
        path: label.path.as_str(),
        message: &label.message,
        start: point(label.start, label.range.start),
        end: point(label.end, label.range.end),
    }
}

fn point(position: Position, offset: u32) -> Point {
    Point {
        line: position.line,
        column: position.column,
        offset,
    }
}

fn fix(fix: &ResolvedFix) -> Fix<'_> {
    Fix {
        title: &fix.title,
        safe: fix.applicability == Applicability::Safe,
        edits: fix.edits.iter().map(edit).collect(),
    }
}

fn edit(edit: &ResolvedEdit) -> Edit<'_> {
    Edit {
        path: edit.path.as_str(),
        start: edit.range.start,
        end: edit.range.end,
        text: &edit.text,
    }
}
