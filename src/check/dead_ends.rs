//! Dead ends: what a pipeline computes and nobody uses.
//!
//! Looked for only in a pipeline that is otherwise right: one that is being written is full of loose ends.

use crate::check::flow::Subject;
use crate::check::pipelines::facts::BindingKind;
use crate::check::pipelines::facts::Facts;
use crate::diagnostics::{Applicability, Code, Diagnostic, Edit};

/// Every unused binding, ignored result and unused parameter.
pub(crate) fn analyse(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut diagnostics = unused(subject, subject.facts);
    for ignored in &subject.facts.ignored {
        let message = format!("{} is neither used nor bound.", capital(&ignored.callee));
        let diagnostic = Diagnostic::new(Code::IgnoredResult, subject.place(ignored.place), message);
        let edit = Edit {
            place: subject.place(ignored.place),
            position: crate::diagnostics::EditPosition::Before,
            text: "let _ = ".to_owned(),
        };
        let diagnostic = diagnostic
            .note("A result that nothing takes is mostly a stage that was meant to count and does not.")
            .help("Pass it on, or bind it to `_` to say that it is not needed.")
            .fix("Bind it to `_`", Applicability::Unsafe, vec![edit]);
        diagnostics.push(diagnostic);
    }
    diagnostics
}

fn unused(subject: &Subject<'_>, facts: &Facts) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for bound in facts.uses.iter().filter(|bound| !bound.used) {
        let name = &bound.name;
        let place = subject.place(bound.place);
        match bound.kind {
            // `_name` says that the result is not needed, and names the node all the same.
            BindingKind::Let if name.starts_with('_') => {}
            BindingKind::Let => {
                let message = format!("`{name}` is computed and never used.");
                let edit = Edit::replace(place.clone(), "_");
                let diagnostic = Diagnostic::new(Code::UnusedBinding, place, message)
                    .note(
                        "What nobody uses costs time and money in every run, and is mostly a stage that was forgotten.",
                    )
                    .help("Use it, remove the line, or write `let _ = …` to say that the result is not needed.")
                    .fix("Bind it to `_`", Applicability::Unsafe, vec![edit]);
                diagnostics.push(diagnostic);
            }
            BindingKind::Parameter => {
                let message = format!("The parameter `{name}` is never used.");
                let diagnostic = Diagnostic::new(Code::UnusedParameter, place, message);
                diagnostics.push(diagnostic.help("Use it, or remove it: who runs the pipeline expects it to matter."));
            }
            BindingKind::Item => {}
        }
    }
    diagnostics
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(characters).collect()
}
