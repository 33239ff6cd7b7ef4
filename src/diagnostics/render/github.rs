//! Workflow commands of GitHub Actions: they mark the lines of a pull request.

use crate::diagnostics::{ResolvedDiagnostic, Severity};

/// `::error file=…,line=…,col=…,title=…::message`
pub(super) fn render(diagnostics: &[ResolvedDiagnostic]) -> String {
    diagnostics
        .iter()
        .map(|diagnostic| command(diagnostic) + "\n")
        .collect()
}

fn command(diagnostic: &ResolvedDiagnostic) -> String {
    let place = &diagnostic.primary;
    let declaration = diagnostic.code.declaration();
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let title = format!("{}: {}", declaration.code, declaration.summary);
    let paragraphs = std::iter::once(&diagnostic.message)
        .chain(&diagnostic.notes)
        .chain(&diagnostic.help);
    let message: Vec<&str> = paragraphs.map(String::as_str).collect();
    // GitHub shows columns only where a range ends in the line in which it begins.
    let end = if place.end.line == place.start.line {
        format!(
            "endLine={},col={},endColumn={}",
            place.end.line, place.start.column, place.end.column
        )
    } else {
        format!("endLine={},col={}", place.end.line, place.start.column)
    };
    format!(
        "::{level} file={},line={},{end},title={}::{}",
        property(place.path.as_str()),
        place.start.line,
        property(&title),
        data(&message.join("\n\n"))
    )
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_command_is_escaped() {
        assert_eq!(data("100%\r\na: b"), "100%25%0D%0Aa: b");
        assert_eq!(property("a:b,c"), "a%3Ab%2Cc");
    }
}
