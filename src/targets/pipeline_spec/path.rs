//! Paths inside a file: `root.dag.tasks.train.inputs.parameters.x`.

/// A path behind a path; a name that would be misread stands in brackets.
pub(super) fn path(outside: &str, inside: &[&str]) -> String {
    let mut text = outside.to_owned();
    for segment in inside {
        if segment.is_empty() || segment.contains(['.', '[', ']', '"', ' ']) {
            text.push_str(&format!("[{segment:?}]"));
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(segment);
        }
    }
    text
}

/// A path behind a name or an index, as errors find it on their way out.
pub(super) fn inside(segment: &str, rest: &str) -> String {
    let mut text = path("", &[segment]);
    if !rest.is_empty() && !rest.starts_with('[') {
        text.push('.');
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::{inside, path};

    #[test]
    fn names_that_would_be_misread_stand_in_brackets() {
        assert_eq!(path("root.dag", &["tasks", "a.b", ""]), "root.dag.tasks[\"a.b\"][\"\"]");
        assert_eq!(inside("tasks", &inside("train", "")), "tasks.train");
        assert_eq!(inside("args", "[3]"), "args[3]");
    }
}
