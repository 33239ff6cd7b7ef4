//! Syntax errors as diagnostics. They are found by the parser, which knows nothing of codes and pages.

use super::{Applicability, Code, Diagnostic, Edit, Place};
use crate::db::ItemKey;
use crate::syntax::{SyntaxError, SyntaxErrorKind};

impl From<SyntaxErrorKind> for Code {
    fn from(kind: SyntaxErrorKind) -> Self {
        match kind {
            SyntaxErrorKind::Unexpected => Self::SyntaxError,
            SyntaxErrorKind::UnknownItem => Self::UnknownItem,
            SyntaxErrorKind::WrongSeparator => Self::WrongSeparator,
            SyntaxErrorKind::WordOperator => Self::WordOperator,
            SyntaxErrorKind::ForeignQuotes => Self::ForeignQuotes,
            SyntaxErrorKind::Semicolon => Self::Semicolon,
            SyntaxErrorKind::ChainedComparison => Self::ChainedComparison,
            SyntaxErrorKind::BadNumber => Self::BadNumber,
            SyntaxErrorKind::BadEscape => Self::BadEscape,
            SyntaxErrorKind::UnclosedString => Self::UnclosedString,
            SyntaxErrorKind::UnclosedBracket => Self::UnclosedBracket,
            SyntaxErrorKind::TooComplex => Self::TooComplex,
            SyntaxErrorKind::DoubleOptional => Self::DoubleOptional,
        }
    }
}

impl Diagnostic {
    /// The diagnostic of a syntax error of the item `key`. A fix that the parser offers is certain.
    #[must_use]
    pub fn from_syntax(key: &ItemKey, error: SyntaxError) -> Self {
        let place = |range| Place::Item(key.clone(), range);
        let mut diagnostic = Self::new(error.kind.into(), place(error.range), error.message);
        diagnostic.help = error.help;
        for (range, message) in error.related {
            diagnostic = diagnostic.also(place(range), message);
        }
        let Some((range, text)) = error.fix else {
            return diagnostic;
        };
        let title = match text.as_str() {
            "" => "Remove it".to_owned(),
            _ => format!("Write `{text}`"),
        };
        diagnostic.fix(title, Applicability::Safe, vec![Edit::replace(place(range), text)])
    }
}
