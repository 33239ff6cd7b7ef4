//! Diagnostics: the model, the registry of codes, fixes and renderers.
//!
//! A diagnostic points at nodes of items, not at offsets, so that it stays valid when text moves; ranges are looked up when
//! it is shown.

mod codes;
pub mod fixes;
mod registry;
mod render;
mod resolve;
mod syntax;

pub use codes::{Code, Declaration};
pub use registry::{Explained, explain, index};
pub use render::{Format, render};
pub use resolve::{
    Position, ResolvedDiagnostic, ResolvedEdit, ResolvedFix, ResolvedLabel, line_index, locate, resolve, resolve_all,
};

use camino::Utf8PathBuf;

use crate::db::ItemKey;
use crate::source::{Name, TextRange};
use crate::syntax::ast::NodeId;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The program is not accepted.
    Error,
    /// The program is accepted, and probably wrong.
    Warning,
}

impl std::fmt::Display for Severity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// Where a label points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A node of an item.
    Node(ItemKey, NodeId),
    /// Bytes of an item, relative to its start: syntax errors.
    Item(ItemKey, TextRange),
    /// Bytes of any file: Python sources, `mlp.toml`, text between items.
    File(Utf8PathBuf, TextRange),
}

/// A place with what is to be said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub place: Place,
    /// A few words; may be empty for the primary label.
    pub message: String,
}

/// A problem of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its declaration.
    pub code: Code,
    /// What is wrong, in one full sentence with the user's own names; enough when it is all that is shown.
    pub message: String,
    /// The place that is wrong.
    pub primary: Label,
    /// Other places involved, in any file.
    pub secondary: Vec<Label>,
    /// Why it matters, more facts (columns that differ, nearest names): one paragraph each.
    pub notes: Vec<String>,
    /// What to write instead.
    pub help: Option<String>,
    /// A mechanical mend.
    pub fix: Option<Fix>,
}

/// Whether a fix keeps the meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applicability {
    /// Certainly what was meant; `mlp check --fix` applies it.
    Safe,
    /// Probably; shown, applied only on demand.
    Unsafe,
}

/// Edits that mend a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What applying it does, as an imperative: "Replace `amuont` with `amount`".
    pub title: String,
    /// Whether it is certain.
    pub applicability: Applicability,
    /// The edits; they do not overlap.
    pub edits: Vec<Edit>,
}

/// Replaces the text at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The place.
    pub place: Place,
    /// Where in the place.
    pub position: EditPosition,
    /// The new text.
    pub text: String,
}

/// Where an edit applies within its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditPosition {
    /// Before its first byte.
    Before,
    /// Instead of it.
    Replace,
    /// After its last byte.
    After,
}

impl Diagnostic {
    /// A diagnostic with its one required place.
    #[must_use]
    pub fn new(code: Code, place: Place, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            primary: Label {
                place,
                message: String::new(),
            },
            secondary: Vec::new(),
            notes: Vec::new(),
            help: None,
            fix: None,
        }
    }

    /// How bad it is, as its code declares.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.code.declaration().severity
    }

    /// Says something at the primary place.
    #[must_use]
    pub fn label(mut self, message: impl Into<String>) -> Self {
        self.primary.message = message.into();
        self
    }

    /// Points at another place.
    #[must_use]
    pub fn also(mut self, place: Place, message: impl Into<String>) -> Self {
        self.secondary.push(Label {
            place,
            message: message.into(),
        });
        self
    }

    /// Adds a fact or reason.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Offers a mend.
    #[must_use]
    pub fn fix(mut self, title: impl Into<String>, applicability: Applicability, edits: Vec<Edit>) -> Self {
        self.fix = Some(Fix {
            title: title.into(),
            applicability,
            edits,
        });
        self
    }
}

impl Edit {
    /// Replaces the text of a place.
    #[must_use]
    pub fn replace(place: Place, text: impl Into<String>) -> Self {
        Self {
            place,
            position: EditPosition::Replace,
            text: text.into(),
        }
    }
}

/// The name in `candidates` that is nearest to `wanted`, if one is near enough to be what was meant.
#[must_use]
pub fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<Name> {
    let limit = (wanted.chars().count() / 3).max(1);
    let distance = |candidate: &str| match candidate.eq_ignore_ascii_case(wanted) {
        true => usize::from(candidate != wanted),
        false => strsim::damerau_levenshtein(wanted, candidate),
    };
    candidates
        .into_iter()
        .map(|candidate| (distance(candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| Name::from(candidate))
}
