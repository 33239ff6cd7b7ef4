//! Lightweight Python components: which function they run, and which argument is its source.

use crate::targets::pipeline_spec::Container;

/// The function that a lightweight component runs.
pub(super) fn function(container: &Container) -> Option<String> {
    let at = container
        .args
        .iter()
        .position(|argument| argument == "--function_to_execute")?;
    let name = container.args.get(at + 1)?;
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    (!name.is_empty() && name.chars().all(is_word)).then(|| name.clone())
}

/// Its source, byte for byte, if a file can hold it: the last argument of the command.
pub(super) fn source(container: &Container) -> Option<&str> {
    let function = function(container)?;
    let text = container.command.last()?;
    (text.contains(&format!("def {function}(")) && !text.starts_with('\u{FEFF}')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::{function, source};
    use crate::targets::pipeline_spec::Container;

    #[test]
    fn the_source_is_the_last_argument_of_the_command() {
        let text = "\nimport kfp\n\ndef add(a: int) -> int:\n    return a\n\n";
        let container = Container {
            command: vec!["sh".to_owned(), text.to_owned()],
            args: ["--executor_input", "{{$}}", "--function_to_execute", "add"]
                .map(str::to_owned)
                .to_vec(),
            ..Container::default()
        };
        assert_eq!(function(&container).as_deref(), Some("add"));
        assert_eq!(source(&container), Some(text));
        assert_eq!(source(&Container::default()), None);
    }
}
