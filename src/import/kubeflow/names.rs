//! Names: readable words of the language from the names of components, tasks and inputs; each once where it must be.

use std::collections::BTreeSet;

/// Names of the language itself that a declaration may not take: what needs no `use`, and words with a meaning of
/// their own.
const TAKEN: &[&str] = &[
    "validate",
    "gate",
    "challenge",
    "champion",
    "register",
    "deploy",
    "date",
    "datetime",
    "outcome",
    "bool",
    "int",
    "float",
    "string",
    "duration",
    "size",
    "money",
    "list",
    "map",
    "Dataset",
    "Metrics",
    "File",
    "Directory",
    "Html",
    "Markdown",
    "Artifact",
    "Deployment",
    "Checks",
    "Column",
    "Model",
    "Service",
    "approve",
    "shadow",
    "ab_test",
    "query",
    "import",
];

/// The names of one scope.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// The scope of declarations.
    pub(super) fn of_items() -> Self {
        Self {
            taken: TAKEN.iter().copied().map(str::to_owned).collect(),
        }
    }

    /// Takes a name if it is free.
    pub(super) fn take(&mut self, name: &str) -> bool {
        self.taken.insert(name.to_owned())
    }

    /// Takes `wanted`, or the first of `wanted_2`, `wanted_3`, … that is free.
    pub(super) fn unique(&mut self, wanted: &str) -> String {
        if self.take(wanted) {
            return wanted.to_owned();
        }
        for count in 2_u32.. {
            let numbered = format!("{wanted}_{count}");
            if self.take(&numbered) {
                return numbered;
            }
        }
        wanted.to_owned()
    }
}

/// A word of the language: `print-op 2` becomes `print_op_2`.
pub(super) fn word(text: &str) -> String {
    let mut word = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            word.push(character.to_ascii_lowercase());
        } else if !word.ends_with('_') {
            word.push('_');
        }
    }
    let trimmed = word.trim_matches('_');
    match trimmed.chars().next() {
        None => "unnamed".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("n{trimmed}"),
        Some(_) => trimmed.to_owned(),
    }
}

/// A name of a type: `system.ClassificationMetrics` becomes `SystemClassificationMetrics`.
pub(super) fn type_name(text: &str) -> String {
    let mut name = String::new();
    let mut upper = true;
    for character in text.chars() {
        if !character.is_ascii_alphanumeric() {
            upper = true;
        } else if upper {
            name.push(character.to_ascii_uppercase());
            upper = false;
        } else {
            name.push(character);
        }
    }
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        name.insert_str(0, "Kind");
    }
    name
}

/// One thing of a list of them: `names` gives `name`.
pub(super) fn singular(text: &str) -> String {
    match text.strip_suffix('s') {
        Some(one) if one.len() > 1 && !one.ends_with('s') => one.to_owned(),
        Some(_) | None => "item".to_owned(),
    }
}

/// Whether a text can be a name at all, in back-ticks if need be.
pub(super) fn is_nameable(text: &str) -> bool {
    !text.is_empty() && !text.contains(|character: char| character == '`' || character.is_control())
}

/// Splits a name into what stands before its number, and the number, so that `add-10` comes after `add-9`.
pub(super) fn natural(name: &str) -> (&str, u64) {
    let base = name.trim_end_matches(|character: char| character.is_ascii_digit());
    let number = name.get(base.len()..).and_then(|digits| digits.parse().ok());
    match number {
        Some(number) if base.ends_with('-') => (base.trim_end_matches('-'), number),
        Some(_) | None => (name, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::{Names, natural, singular, type_name, word};

    #[test]
    fn names_are_words() {
        assert_eq!(word("print-op-2"), "print_op_2");
        assert_eq!(word("Train Model!"), "train_model");
        assert_eq!(word("2nd"), "n2nd");
        assert_eq!(word("ä"), "unnamed");
        assert_eq!(type_name("system.Dataset"), "SystemDataset");
        assert_eq!(type_name("1x"), "Kind1x");
        assert_eq!(singular("names"), "name");
        assert_eq!(singular("address"), "item");
    }

    #[test]
    fn a_name_is_given_once() {
        let mut names = Names::of_items();
        assert_eq!(names.unique("train"), "train");
        assert_eq!(names.unique("train"), "train_2");
        assert_eq!(names.unique("validate"), "validate_2");
    }

    #[test]
    fn numbers_count() {
        let mut tasks = ["add-10", "add-9", "add", "b2"];
        tasks.sort_by_key(|name| natural(name));
        assert_eq!(tasks, ["add", "add-9", "add-10", "b2"]);
    }
}
