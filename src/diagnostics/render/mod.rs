//! Diagnostics as text: for people, for editors, for machines. Nothing here finds or sorts problems.

mod github;
mod json;
mod line;
mod sarif;
mod terminal;

use super::resolve::ResolvedDiagnostic;
use crate::db::Db;

/// The forms in which diagnostics are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// With the source around every place, for people.
    Terminal {
        /// Whether to use ANSI colours.
        colour: bool,
    },
    /// `path:line:column: error[E0601]: message`, one line each.
    Line,
    /// A JSON array, one object each; the shape is described in `docs/diagnostics.md`.
    Json,
    /// One SARIF 2.1.0 log.
    Sarif,
    /// Workflow commands of GitHub Actions, one line each.
    Github,
}

/// All of `diagnostics` in `format`, ending in a line break unless there is nothing to say.
#[must_use]
pub fn render(db: &dyn Db, diagnostics: &[ResolvedDiagnostic], format: Format) -> String {
    match format {
        Format::Terminal { colour } => terminal::render(db, diagnostics, colour),
        Format::Line => line::render(diagnostics),
        Format::Json => json::render(diagnostics),
        Format::Sarif => sarif::render(diagnostics),
        Format::Github => github::render(diagnostics),
    }
}
