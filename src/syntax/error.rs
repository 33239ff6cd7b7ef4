//! Syntax errors as plain data: what is wrong, where, and how to mend it. Nothing here finds them.

use crate::source::TextRange;

/// The kinds of syntax errors; each has its own code and page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SyntaxErrorKind {
    /// The grammar expects something else here.
    Unexpected,
    /// The text begins no item.
    UnknownItem,
    /// `=` where `:` belongs, or the reverse.
    WrongSeparator,
    /// `and`, `or`, `not`
    WordOperator,
    /// Quotes of another language.
    ForeignQuotes,
    /// `;`
    Semicolon,
    /// `a < b < c`
    ChainedComparison,
    /// A number that does not fit, or whose unit does not exist.
    BadNumber,
    /// `\d` in a string
    BadEscape,
    /// A string or name without its end.
    UnclosedString,
    /// A bracket without its partner.
    UnclosedBracket,
    /// Nested too deeply, or too long an expression.
    TooComplex,
    /// `T??`
    DoubleOptional,
}

impl SyntaxErrorKind {
    /// The code under which the error is explained.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unexpected => "E0001",
            Self::UnknownItem => "E0002",
            Self::WrongSeparator => "E0003",
            Self::WordOperator => "E0004",
            Self::ForeignQuotes => "E0005",
            Self::Semicolon => "E0006",
            Self::ChainedComparison => "E0007",
            Self::BadNumber => "E0008",
            Self::BadEscape => "E0009",
            Self::UnclosedString => "E0010",
            Self::UnclosedBracket => "E0011",
            Self::TooComplex => "E0012",
            Self::DoubleOptional => "E0013",
        }
    }
}

/// A syntax error of one item; ranges are relative to the item's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The text that is wrong.
    pub range: TextRange,
    /// Which error it is.
    pub kind: SyntaxErrorKind,
    /// What is wrong, as a sentence.
    pub message: String,
    /// What to write instead, as a sentence.
    pub help: Option<String>,
    /// Other places involved, with what is to be said about them.
    pub related: Vec<(TextRange, String)>,
    /// Text that, put in the place of a range, mends it.
    pub fix: Option<(TextRange, String)>,
}

impl SyntaxError {
    /// An error without help, related places or fix.
    pub fn new(kind: SyntaxErrorKind, range: TextRange, message: impl Into<String>) -> Self {
        Self {
            range,
            kind,
            message: message.into(),
            help: None,
            related: Vec::new(),
            fix: None,
        }
    }

    /// Adds what to write instead.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn with_related(mut self, range: TextRange, message: impl Into<String>) -> Self {
        self.related.push((range, message.into()));
        self
    }

    /// Adds a mend: `text` in place of `range`.
    #[must_use]
    pub fn with_fix(mut self, range: TextRange, text: impl Into<String>) -> Self {
        self.fix = Some((range, text.into()));
        self
    }

    /// The same error in a text that has `offset` bytes before this one.
    #[must_use]
    pub fn offset(mut self, offset: usize) -> Self {
        self.range = self.range.offset(offset);
        for (range, _) in &mut self.related {
            *range = range.offset(offset);
        }
        if let Some((range, _)) = &mut self.fix {
            *range = range.offset(offset);
        }
        self
    }
}
