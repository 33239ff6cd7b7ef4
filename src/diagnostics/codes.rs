//! The registry: every diagnostic is declared here once, with its page beside it in `pages/`.
//!
//! A page explains the rule and shows a wrong and a mended program; both are tested.

use super::Severity;

/// What is declared about a diagnostic.
#[derive(Debug, PartialEq, Eq)]
pub struct Declaration {
    /// Its stable code: `E` for errors, `W` for warnings. The first two digits are the family:
    /// 00 syntax, 01 names and modules, 02 values and types, 03 schemas and features, 04 steps and Python, 05 pipelines,
    /// 06 evidence, 07 train/test contamination, 08 label leakage, 09 not supported yet, 10 projects.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One line without a full stop.
    pub summary: &'static str,
    /// Markdown: the explanation with its examples.
    pub page: &'static str,
}

macro_rules! declare {
    ($($(#[$docs:meta])* $name:ident = $code:literal, $severity:ident, $summary:literal;)*) => {
        /// Every diagnostic.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $summary] $name,)*
        }

        impl Code {
            /// All of them, in the order of their codes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// What is declared about it.
            #[must_use]
            pub fn declaration(self) -> &'static Declaration {
                match self {
                    $(Self::$name => &Declaration {
                        code: $code,
                        severity: Severity::$severity,
                        summary: $summary,
                        page: include_str!(concat!("pages/", $code, ".md")),
                    },)*
                }
            }
        }
    };
}

declare! {
    SyntaxError = "E0001", Error, "the text is not what the grammar expects here";
    UnknownName = "E0101", Error, "a name that nothing declares";
    DependenciesNotSupported = "E0990", Error, "dependencies on other projects are not supported yet";
    ManifestSyntax = "E1001", Error, "`mlp.toml` is not valid TOML";
    UnknownManifestKey = "E1002", Error, "a setting that `mlp.toml` does not have";
    ManifestValue = "E1003", Error, "a setting in `mlp.toml` has a value that does not fit";
    MissingManifestKey = "E1004", Error, "`mlp.toml` lacks a setting that every project needs";
    NotUtf8 = "E1005", Error, "a source file is not UTF-8";
    UnreadableFile = "E1006", Error, "a source file cannot be read";
}
