//! Lightweight Python components: which function they run, and its source as people read it.

use crate::targets::pipeline_spec::Container;

/// What the SDK puts before the source of a function.
const PREAMBLE: &[&str] = &[
    "import kfp",
    "from kfp import dsl",
    "from kfp.dsl import *",
    "from typing import *",
];

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

/// Its source without what the SDK puts before it.
pub(super) fn source(container: &Container) -> Option<String> {
    function(container)?;
    let text = container.command.last().filter(|text| text.contains("def "))?;
    let mut lines = text.lines().skip_while(|line| {
        let line = line.trim_end();
        line.is_empty() || PREAMBLE.contains(&line)
    });
    let mut source = String::new();
    for line in &mut lines {
        source.push_str(line);
        source.push('\n');
    }
    let body = source.trim_end();
    (!body.is_empty()).then(|| format!("{body}\n"))
}

#[cfg(test)]
mod tests {
    use super::{function, source};
    use crate::targets::pipeline_spec::Container;

    #[test]
    fn the_source_stands_without_its_preamble() {
        let container = Container {
            command: vec![
                "sh".to_owned(),
                "\nimport kfp\nfrom kfp import dsl\nfrom kfp.dsl import *\nfrom typing import *\n\ndef add(a: int) -> int:\n    return a\n\n".to_owned(),
            ],
            args: ["--executor_input", "{{$}}", "--function_to_execute", "add"].map(str::to_owned).to_vec(),
            ..Container::default()
        };
        assert_eq!(function(&container).as_deref(), Some("add"));
        assert_eq!(
            source(&container).as_deref(),
            Some("def add(a: int) -> int:\n    return a\n")
        );
        assert_eq!(source(&Container::default()), None);
    }
}
