//! Looking codes up: `mlp explain`, and the index of all diagnostics for the documentation.

use super::codes::{Code, Declaration};
use super::nearest;
use crate::source::Name;

/// What is known about a code that a user asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Explained {
    /// It exists.
    Found(&'static Declaration),
    /// It does not; the nearest one, if one is near.
    Unknown(Option<Name>),
}

/// The declaration of `code`, in upper or lower case.
#[must_use]
pub fn explain(code: &str) -> Explained {
    let wanted = code.trim().to_ascii_uppercase();
    let mut declarations = Code::ALL.iter().map(|code| code.declaration());
    match declarations.find(|declaration| declaration.code == wanted) {
        Some(declaration) => Explained::Found(declaration),
        None => Explained::Unknown(nearest(&wanted, Code::ALL.iter().map(|code| code.declaration().code))),
    }
}

/// The families by the first two digits of a code.
const FAMILIES: &[(&str, &str)] = &[
    ("00", "Syntax"),
    ("01", "Names and modules"),
    ("02", "Values and types"),
    ("03", "Schemas and features"),
    ("04", "Steps and Python"),
    ("05", "Pipelines"),
    ("06", "Evidence"),
    ("07", "Train/test contamination"),
    ("08", "Label leakage"),
    ("09", "Not supported yet"),
    ("10", "Projects"),
    ("11", "Targets and triggers"),
];

const INTRODUCTION: &str = include_str!("index.md");

/// `docs/diagnostics.md`: every diagnostic by family, and the shape of the JSON output.
#[must_use]
pub fn index() -> String {
    let mut text = INTRODUCTION.to_owned();
    for (family, title) in FAMILIES {
        let own: Vec<&Declaration> = Code::ALL
            .iter()
            .map(|code| code.declaration())
            .filter(|declaration| declaration.code.get(1..3) == Some(family))
            .collect();
        if own.is_empty() {
            continue;
        }
        text.push_str(&format!("\n## {title}\n\n| code | | meaning |\n|---|---|---|\n"));
        for declaration in own {
            text.push_str(&row(declaration));
        }
    }
    text
}

fn row(declaration: &Declaration) -> String {
    let Declaration {
        code,
        severity,
        summary,
        ..
    } = declaration;
    format!("| [{code}](../src/diagnostics/pages/{code}.md) | {severity} | {summary} |\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::Severity;

    #[test]
    fn codes_are_found_in_any_case() {
        assert!(matches!(explain("e0001"), Explained::Found(declaration) if declaration.code == "E0001"));
        assert_eq!(explain("E10O2"), Explained::Unknown(Some(Name::from("E1002"))));
        assert_eq!(explain("train"), Explained::Unknown(None));
    }

    #[test]
    fn codes_are_in_order_and_belong_to_a_family() {
        let codes: Vec<&str> = Code::ALL.iter().map(|code| code.declaration().code).collect();
        for code in &codes {
            let (letter, digits) = code.split_at(1);
            assert!(
                FAMILIES.iter().any(|(family, _)| digits.starts_with(family)),
                "{code} has no family"
            );
            assert!(
                digits.len() == 4 && digits.chars().all(|digit| digit.is_ascii_digit()),
                "{code}"
            );
            assert!(letter == "E" || letter == "W", "{code}");
        }
        for code in Code::ALL {
            let declaration = code.declaration();
            let is_error = declaration.severity == Severity::Error;
            assert_eq!(declaration.code.starts_with('E'), is_error, "{}", declaration.code);
            assert!(!declaration.summary.ends_with('.'), "{}", declaration.code);
        }
        let mut sorted: Vec<&str> = codes.iter().map(|code| code.get(1..).unwrap_or_default()).collect();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), codes.len(), "a number stands for one diagnostic only");
    }
}
