//! From a component with its container to a step: one for all tasks that run the same with the same settings.

use super::names::{natural, word};
use super::placeholder::{Piece, concatenated, pieces};
use super::program::{Output, Parameter, Port, Step};
use super::settings::Settings;
use super::types::Written;
use super::{Importer, expression, python};
use crate::format;
use crate::targets::pipeline_spec::{Component, Container, Task};

impl Importer<'_> {
    /// The step that a task calls.
    pub(super) fn step(
        &mut self,
        name: &str,
        task: &Task,
        component: &Component,
        container: &Container,
    ) -> Option<usize> {
        let label = component.executor_label.clone().unwrap_or_default();
        let kubernetes = self.kubernetes.get(&label).cloned();
        let key = serde_json::to_string(&(
            &component.input_definitions,
            &component.output_definitions,
            container,
            &kubernetes,
            &task.retry_policy,
            &task.caching_options,
        ));
        let key = key.ok()?;
        if let Some(known) = self.known_steps.get(&key) {
            return Some(*known);
        }
        if component.task_config_passthroughs.is_some() || component.single_platform_specs.is_some() {
            self.problem(format!(
                "The task `{name}` takes over settings of its own task (`taskConfigPassthroughs` or `singlePlatformSpecs`), which the language cannot say."
            ));
        }
        let parameters = self.parameters(name, component);
        let outputs = self.outputs(name, component);
        let settings = Settings::read(container, task, kubernetes.as_ref());
        for refusal in settings.refusals {
            self.problem(format!("The task `{name}` cannot be imported: {refusal}."));
        }
        for (variable, secret) in settings.secrets {
            let known = self.secrets.insert(variable.clone(), secret.clone());
            if known.is_some_and(|known| known != secret) {
                self.problem(format!(
                    "The task `{name}` takes the variable `{variable}` from the secret `{secret}`, and another task from another one; a target knows one secret for each variable."
                ));
            }
        }
        let function = python::function(container);
        let wanted = function.as_deref().map_or_else(|| word(natural(name).0), word);
        let step_name = self.items.unique(&wanted);
        let source = python::source(container).map(|source| self.source(&step_name, source));
        let command = self.command(name, container, &parameters, &outputs, source.as_deref());
        for remark in &settings.remarks {
            self.note(format!("Step `{step_name}`: {remark}"));
        }
        self.steps.push(Step {
            name: step_name,
            docs: task
                .task_info
                .as_ref()
                .map(|info| info.name.clone())
                .filter(|display| display != name && !display.is_empty()),
            remarks: settings.remarks,
            parameters,
            outputs,
            command,
            settings: settings.written,
        });
        let index = self.steps.len() - 1;
        self.known_steps.insert(key, index);
        Some(index)
    }

    /// The file that holds a source.
    fn source(&mut self, step: &str, source: &str) -> String {
        if let Some((known, _)) = self.sources.iter().find(|(_, text)| *text == source) {
            return known.clone();
        }
        let path = format!("{step}.py");
        self.sources.insert(path.clone(), source.to_owned());
        path
    }

    fn command(
        &mut self,
        task: &str,
        container: &Container,
        parameters: &[Parameter],
        outputs: &[Output],
        source: Option<&str>,
    ) -> Vec<String> {
        if container.command.is_empty() {
            let image = &container.image;
            self.problem(if image.starts_with("argostub/") {
                format!(
                    "The task `{task}` makes or removes a volume during the run (`{image}`), which the language cannot say; make the claim beforehand."
                )
            } else {
                format!(
                    "The task `{task}` runs whatever the image `{image}` starts by itself; the language names the program. Give its container a `command`."
                )
            });
        }
        let last = container.command.len().saturating_sub(1);
        let mut command = Vec::new();
        for (index, argument) in container.command.iter().chain(&container.args).enumerate() {
            command.push(match source {
                Some(path) if index == last => format!("file({})", format::quoted(path)),
                Some(_) | None => self.argument(task, argument, parameters, outputs),
            });
        }
        command
    }

    /// An argument as the language writes it.
    fn argument(&mut self, task: &str, argument: &str, parameters: &[Parameter], outputs: &[Output]) -> String {
        let joined = argument
            .starts_with("{\"Concat\": ")
            .then(|| concatenated(argument))
            .flatten();
        let is_struct = ["{\"Concat\": ", "{\"IfPresent\": "]
            .iter()
            .any(|start| argument.starts_with(start));
        if joined.is_none() && is_struct {
            self.problem(format!(
                "The task `{task}` passes an argument only when an input is present (`IfPresent`), which a command of the language cannot say. Let the program itself look whether it is there."
            ));
        }
        let pieces = pieces(joined.as_deref().unwrap_or(argument));
        if let [Piece::Text(text)] = pieces.as_slice()
            && is_raw(text)
        {
            return format!("\"\"\"{text}\"\"\"");
        }
        let parts: Vec<String> = pieces
            .into_iter()
            .map(|piece| self.piece(task, piece, parameters, outputs))
            .collect();
        format!("\"{}\"", parts.concat())
    }

    fn piece(&mut self, task: &str, piece: Piece, parameters: &[Parameter], outputs: &[Output]) -> String {
        let input = |name: &str| parameters.iter().find(|own| own.name == name).map(|own| &own.port);
        let output = |name: &str| outputs.iter().find(|own| own.name == name).map(|own| &own.port);
        let (name, port, uri) = match &piece {
            Piece::Text(text) => return expression::escaped(text),
            Piece::ExecutorInput => return expression::escaped("{{$}}"),
            Piece::InputParameter(name) => (name, input(name), false),
            Piece::InputPath(name) => (name, input(name), false),
            Piece::InputUri(name) => (name, input(name), true),
            Piece::OutputPath(name) | Piece::OutputFile(name) => (name, output(name), false),
            Piece::OutputUri(name) => (name, output(name), true),
            Piece::Other(placeholder) => {
                self.problem(format!(
                    "The task `{task}` has the placeholder `{placeholder}` in its command, which the language cannot say."
                ));
                return String::new();
            }
        };
        let is_output = matches!(piece, Piece::OutputPath(_) | Piece::OutputUri(_) | Piece::OutputFile(_));
        let name = name.clone();
        let Some(port) = port.cloned() else {
            let what = if is_output { "output" } else { "input" };
            self.problem(format!(
                "The command of the task `{task}` names the {what} `{name}`, which it does not have."
            ));
            return String::new();
        };
        if is_output && input(&name).is_some() {
            self.problem(format!(
                "The task `{task}` has an input and an output that are both called `{name}`; a hole of a command could mean either. Rename one."
            ));
        }
        self.whole_lists(task, &name, &port, parameters);
        if uri {
            format!("{{{}.uri}}", format::name(&name))
        } else {
            format!("{{{}}}", format::name(&name))
        }
    }

    /// A list in a command of the language is one argument for each item; in a specification it is JSON.
    fn whole_lists(&mut self, task: &str, name: &str, port: &Port, parameters: &[Parameter]) {
        let is_input = parameters.iter().any(|own| own.name == name);
        let what = match port {
            Port::Value(slot) => match self.types.written(*slot) {
                Written::List(_) => "a list",
                Written::Map(_) | Written::Record(_) => "a struct",
                Written::Bool | Written::Int | Written::Float | Written::String => return,
            },
            Port::Artifact(_, true) => "a list of artifacts",
            Port::Artifact(_, false) => return,
        };
        if is_input {
            self.problem(format!(
                "The task `{task}` passes {what}, `{name}`, as JSON in its command, which a command of the language cannot say. Pass its parts, or write it to a file in a step before."
            ));
        }
    }
}

/// Whether a text is better read over several lines, and may stand between three quotes as it is.
fn is_raw(text: &str) -> bool {
    let plain = |character: char| character == '\n' || character == '\t' || !character.is_control();
    text.contains('\n')
        && !text.contains("\"\"\"")
        && !text.ends_with('"')
        && text
            .chars()
            .all(|character| plain(character) && character != '\u{FEFF}')
}
