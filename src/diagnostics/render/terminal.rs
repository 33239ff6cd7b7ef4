//! Diagnostics with the source around every place, drawn by `codespan-reporting`.

use codespan_reporting::diagnostic::{Diagnostic, Label, LabelStyle, Severity as Level};
use codespan_reporting::files::SimpleFiles;
use codespan_reporting::term::{self, Config, Styles, StylesWriter, termcolor::Ansi};

use camino::{Utf8Path, Utf8PathBuf};

use crate::db::Db;
use crate::diagnostics::{ResolvedDiagnostic, ResolvedLabel, Severity};

/// The drawings, one after the other.
pub(super) fn render(db: &dyn Db, diagnostics: &[ResolvedDiagnostic], colour: bool) -> String {
    let mut sources = Sources {
        db,
        paths: Vec::new(),
        files: SimpleFiles::new(),
    };
    let drawings = diagnostics.iter().map(|diagnostic| {
        let drawn = sources.drawn(diagnostic);
        draw(&sources.files, &drawn, colour).unwrap_or_else(|_| format!("{}\n", diagnostic.message))
    });
    drawings.collect()
}

fn draw(
    files: &SimpleFiles<String, &str>,
    diagnostic: &Diagnostic<usize>,
    colour: bool,
) -> Result<String, codespan_reporting::files::Error> {
    let config = Config::default();
    if !colour {
        return term::emit_into_string(&config, files, diagnostic);
    }
    let mut bytes = Vec::new();
    let styles = Styles::default();
    let mut writer = StylesWriter::new(Ansi::new(&mut bytes), &styles);
    term::emit_to_write_style(&mut writer, &config, files, diagnostic)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The files that have been pointed at, each added once.
struct Sources<'a> {
    db: &'a dyn Db,
    paths: Vec<Utf8PathBuf>,
    files: SimpleFiles<String, &'a str>,
}

impl Sources<'_> {
    fn id(&mut self, path: &Utf8Path) -> usize {
        if let Some(id) = self.paths.iter().position(|known| known == path) {
            return id;
        }
        self.paths.push(path.to_owned());
        let text = self.db.file(path).contents(self.db).text().unwrap_or_default();
        self.files.add(path.to_string(), text)
    }

    fn label(&mut self, style: LabelStyle, label: &ResolvedLabel) -> Label<usize> {
        Label::new(style, self.id(&label.path), label.range.as_usize()).with_message(&label.message)
    }

    fn drawn(&mut self, diagnostic: &ResolvedDiagnostic) -> Diagnostic<usize> {
        let level = match diagnostic.severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
        };
        let mut labels = vec![self.label(LabelStyle::Primary, &diagnostic.primary)];
        labels.extend(
            diagnostic
                .secondary
                .iter()
                .map(|label| self.label(LabelStyle::Secondary, label)),
        );
        let mut notes: Vec<String> = diagnostic.notes.iter().map(|note| paragraph("note", note)).collect();
        notes.extend(diagnostic.help.iter().map(|help| paragraph("help", help)));
        Diagnostic::new(level)
            .with_code(diagnostic.code.declaration().code)
            .with_message(&diagnostic.message)
            .with_labels(labels)
            .with_notes(notes)
    }
}

/// `note: …` with further lines indented under the first.
fn paragraph(word: &str, text: &str) -> String {
    let indent = format!("\n{}", " ".repeat(word.len() + 2));
    format!("{word}: {}", text.replace('\n', &indent))
}
