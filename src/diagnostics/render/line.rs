//! One line for each diagnostic, in the form that editors and `grep` know.

use crate::diagnostics::ResolvedDiagnostic;

/// `path:line:column: error[E0601]: message`
pub(super) fn render(diagnostics: &[ResolvedDiagnostic]) -> String {
    diagnostics.iter().map(|diagnostic| line(diagnostic) + "\n").collect()
}

fn line(diagnostic: &ResolvedDiagnostic) -> String {
    let place = &diagnostic.primary;
    let declaration = diagnostic.code.declaration();
    format!(
        "{}:{}:{}: {}[{}]: {}",
        place.path,
        place.start.line,
        place.start.column,
        diagnostic.severity,
        declaration.code,
        diagnostic.message.replace('\n', " ")
    )
}
