//! Finds and reads placeholders: `{{$.inputs.parameters['x']}}`.

/// What a placeholder stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Placeholder<'a> {
    /// A value or artifact of the task.
    Port {
        /// Whether it is given or taken.
        direction: Direction,
        /// Whether it is a parameter or an artifact.
        section: Section,
        /// Its name.
        name: &'a str,
        /// What of it: empty for the value itself.
        part: &'a str,
    },
    /// Something of the run: `pipeline_job_name`; empty for everything that the executor is given.
    Run(&'a str),
    /// No form that is known.
    Unknown,
}

/// Whether something is given or taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// An input.
    Input,
    /// An output.
    Output,
}

/// Parameters or artifacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// Parameters.
    Parameter,
    /// Artifacts.
    Artifact,
}

/// The placeholders of a text, each with its own text, in order. What begins with `{{$` is meant as one.
pub(super) fn placeholders(text: &str) -> Vec<(&str, Placeholder<'_>)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, from)) = rest.split_once("{{$") {
        let (inside, length) = match from.split_once("}}") {
            Some((inside, _)) => (inside, inside.len() + "{{$}}".len()),
            None => (from, from.len() + "{{$".len()),
        };
        let start = rest.len() - from.len() - "{{$".len();
        let whole = rest.get(start..start + length).unwrap_or(rest);
        let is_closed = whole.ends_with("}}");
        found.push((whole, if is_closed { read(inside) } else { Placeholder::Unknown }));
        rest = rest.get(start + length..).unwrap_or_default();
    }
    found
}

/// Reads what stands between `{{$` and `}}`.
fn read(inside: &str) -> Placeholder<'_> {
    if inside.is_empty() {
        return Placeholder::Run("");
    }
    const PORTS: [(&str, Direction, Section); 4] = [
        (".inputs.parameters", Direction::Input, Section::Parameter),
        (".inputs.artifacts", Direction::Input, Section::Artifact),
        (".outputs.parameters", Direction::Output, Section::Parameter),
        (".outputs.artifacts", Direction::Output, Section::Artifact),
    ];
    for (prefix, direction, section) in PORTS {
        if let Some(rest) = inside.strip_prefix(prefix) {
            return match name(rest) {
                Some((name, part)) => Placeholder::Port {
                    direction,
                    section,
                    name,
                    part,
                },
                None => Placeholder::Unknown,
            };
        }
    }
    match inside.strip_prefix('.') {
        Some(name) => Placeholder::Run(name),
        None => Placeholder::Unknown,
    }
}

/// `['x'].path` → `x` and `.path`; other quotes are read too.
fn name(rest: &str) -> Option<(&str, &str)> {
    ["'", "\""].into_iter().find_map(|quote| {
        let from = rest.strip_prefix('[')?.strip_prefix(quote)?;
        let (name, part) = from.split_once(quote)?;
        Some((name, part.strip_prefix(']')?))
    })
}

#[cfg(test)]
mod tests {
    use super::{Direction, Placeholder, Section, placeholders};

    #[test]
    fn placeholders_are_found_inside_texts() {
        let text = "a{{$.inputs.parameters['x']}}b{{$.outputs.artifacts[\"m\"].path}}{{$}} {{ no }}{{$.pipeline_root}}";
        let found: Vec<_> = placeholders(text)
            .into_iter()
            .map(|(_, placeholder)| placeholder)
            .collect();
        let port = |direction, section, name, part| Placeholder::Port {
            direction,
            section,
            name,
            part,
        };
        assert_eq!(
            found,
            [
                port(Direction::Input, Section::Parameter, "x", ""),
                port(Direction::Output, Section::Artifact, "m", ".path"),
                Placeholder::Run(""),
                Placeholder::Run("pipeline_root"),
            ]
        );
    }

    #[test]
    fn broken_ones_are_unknown() {
        for text in [
            "{{$",
            "{{$.inputs.parameters['x'}}",
            "{{$.inputs.parameters[x]}}",
            "{{$x}}",
            "{{$é",
            "{{${{$",
        ] {
            let found = placeholders(text);
            assert!(
                matches!(found.as_slice(), [(_, Placeholder::Unknown)]),
                "{text}: {found:?}"
            );
        }
    }
}
