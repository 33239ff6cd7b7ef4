//! The program as text, in the language's own style, with the files that belong to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::expression::{constant, type_text};
use super::program::{Branch, Call, Output, Parameter, Pipeline, Port, Statement, Step, names_read};
use super::{Imported, Importer};
use crate::format;
use crate::project::EDITION;
use crate::targets::OutputFile;

impl Importer<'_> {
    /// The files.
    ///
    /// # Errors
    /// When the text is none that the language reads: a defect of the import.
    pub(super) fn finish(mut self) -> Result<Imported, String> {
        let name = self
            .pipelines
            .last()
            .map_or_else(|| "pipeline".to_owned(), |last| last.name.clone());
        let project = project_name(&self.spec.pipeline_info.name);
        let program = self.program();
        let program = format::format(&program).map_err(|error| {
            format!("The program that was made of the file is not right, which is a defect of `mlp import`: {error}.")
        })?;
        let manifest =
            format!("name = \"{project}\"\nversion = \"0.1.0\"\nedition = \"{EDITION}\"\ntarget = \"kubeflow\"\n");
        let file = |path: String, text: String| OutputFile {
            path: path.into(),
            text,
        };
        let mut files = vec![
            file("mlp.toml".to_owned(), manifest),
            file(format!("{}.mlp", super::names::word(&name)), program),
            file(".gitignore".to_owned(), ".mlp/\nbuild/\n__pycache__/\n".to_owned()),
        ];
        let sources = std::mem::take(&mut self.sources);
        files.extend(sources.into_iter().map(|(path, text)| file(path, text)));
        self.guesses();
        Ok(Imported {
            name: project,
            files,
            steps: self.steps.len(),
            pipelines: self.pipelines.len(),
            tasks: self.tasks,
            notes: self.notes,
        })
    }

    /// Says where a type is a guess.
    fn guesses(&mut self) {
        let mut notes = Vec::new();
        let steps = self.steps.iter().map(|step| (&step.name, &step.parameters));
        let pipelines = self
            .pipelines
            .iter()
            .map(|pipeline| (&pipeline.name, &pipeline.parameters));
        for (name, parameters) in steps.chain(pipelines) {
            for parameter in parameters {
                if let Port::Value(slot) = parameter.port
                    && self.types.is_guess(slot)
                {
                    notes.push(format!(
                        "What `{}` of `{name}` holds is not said by the file; `{}` is a guess.",
                        parameter.name,
                        type_text(&self.types.written(slot))
                    ));
                }
            }
        }
        self.notes.extend(notes);
    }

    fn program(&self) -> String {
        let mut text = format!(
            "//! Imported from the Kubeflow pipeline `{}`.\n\n",
            one_line(&self.spec.pipeline_info.name)
        );
        if self.uses_run_id {
            text.push_str("use std::run::run_id\n\n");
        }
        for ((title, version), name) in &self.artifacts {
            let _ = writeln!(
                text,
                "artifact {} {{ schema_title: {}, version: {} }}\n",
                format::name(name),
                format::quoted(title),
                format::quoted(version)
            );
        }
        for step in &self.steps {
            self.step_text(step, &mut text);
        }
        for pipeline in &self.pipelines {
            self.pipeline_text(pipeline, &mut text);
        }
        self.target_text(&mut text);
        text
    }

    fn target_text(&self, text: &mut String) {
        let mut settings = Vec::new();
        if let Some(root) = self.pipeline_root() {
            settings.push(format!("root: {}", format::quoted(root)));
        }
        if !self.secrets.is_empty() {
            let secrets: Vec<String> = self
                .secrets
                .iter()
                .map(|(variable, secret)| format!("{}: {}", format::name(variable), format::quoted(secret)))
                .collect();
            settings.push(format!("secrets: {{ {} }}", secrets.join(", ")));
        }
        if !settings.is_empty() {
            let _ = writeln!(text, "target kubeflow: kubeflow {{\n{}\n}}", settings.join("\n"));
        }
    }

    fn port(&self, port: &Port) -> String {
        match port {
            Port::Value(slot) => type_text(&self.types.written(*slot)),
            Port::Artifact(kind, false) => kind.clone(),
            Port::Artifact(kind, true) => format!("list<{kind}>"),
        }
    }

    fn parameters_text(&self, parameters: &[Parameter]) -> String {
        let mut text = String::from("(");
        let several = parameters.iter().any(|parameter| parameter.docs.is_some());
        for parameter in parameters {
            if several {
                text.push('\n');
            }
            docs(parameter.docs.as_deref(), &mut text);
            let ty = self.port(&parameter.port);
            let _ = write!(text, "{}: {ty}", format::name(&parameter.name));
            match (&parameter.default, &parameter.port) {
                (Some(value), Port::Value(slot)) => {
                    let _ = write!(text, " = {}", constant(value, &self.types.written(*slot)));
                }
                (None, Port::Value(_)) if parameter.optional => text.push_str("? = none"),
                (_, _) => {}
            }
            text.push_str(", ");
        }
        text.push(')');
        text
    }

    fn outputs_text(&self, outputs: &[&Output]) -> String {
        if outputs.is_empty() {
            return String::new();
        }
        let outputs: Vec<String> = outputs
            .iter()
            .map(|output| format!("{}: {}", format::name(&output.name), self.port(&output.port)))
            .collect();
        format!(" -> ({})", outputs.join(", "))
    }

    fn step_text(&self, step: &Step, text: &mut String) {
        for remark in &step.remarks {
            let _ = writeln!(text, "// {}", one_line(remark));
        }
        docs(step.docs.as_deref(), text);
        let outputs: Vec<&Output> = step.outputs.iter().collect();
        let _ = writeln!(
            text,
            "step {}{}{} {{",
            format::name(&step.name),
            self.parameters_text(&step.parameters),
            self.outputs_text(&outputs)
        );
        let _ = writeln!(text, "run: command [{}]", step.command.join(", "));
        for (name, value) in &step.settings {
            let _ = writeln!(text, "{name}: {value}");
        }
        text.push_str("}\n\n");
    }

    fn pipeline_text(&self, pipeline: &Pipeline, text: &mut String) {
        docs(pipeline.docs.as_deref(), text);
        let outputs: Vec<&Output> = pipeline.outputs.iter().map(|(output, _)| output).collect();
        let _ = writeln!(
            text,
            "pipeline {}{}{} {{",
            format::name(&pipeline.name),
            self.parameters_text(&pipeline.parameters),
            self.outputs_text(&outputs)
        );
        let mut read = Vec::new();
        names_read(&pipeline.body, &mut read);
        pipeline.outputs.iter().for_each(|(_, value)| value.names(&mut read));
        let callees: BTreeMap<&str, &[Parameter]> = self
            .steps
            .iter()
            .map(|step| (step.name.as_str(), step.parameters.as_slice()))
            .chain(
                self.pipelines
                    .iter()
                    .map(|own| (own.name.as_str(), own.parameters.as_slice())),
            )
            .collect();
        let writer = Writer {
            importer: self,
            read: read.into_iter().collect(),
            callees,
        };
        writer.statements(&pipeline.body, text);
        if !pipeline.outputs.is_empty() {
            let values: Vec<String> = pipeline
                .outputs
                .iter()
                .map(|(output, value)| format!("{}: {}", format::name(&output.name), value.write(&self.types)))
                .collect();
            let _ = writeln!(text, "return ({})", values.join(", "));
        }
        text.push_str("}\n\n");
    }
}

/// Writes the statements of one pipeline.
struct Writer<'w> {
    importer: &'w Importer<'w>,
    /// The names that something reads.
    read: BTreeSet<&'w str>,
    callees: BTreeMap<&'w str, &'w [Parameter]>,
}

impl Writer<'_> {
    fn statements(&self, statements: &[Statement], text: &mut String) {
        for statement in statements {
            match statement {
                Statement::Call(call) => self.call(call, text),
                Statement::Branch(branch) => self.branch(branch, text),
                Statement::Loop { item, items, max, body } => {
                    let max = max.map_or_else(String::new, |max| format!(" max {max}"));
                    let items = items.write(&self.importer.types);
                    let _ = writeln!(text, "for {} in {items}{max} {{", format::name(item));
                    self.statements(body, text);
                    text.push_str("}\n");
                }
                Statement::Finally(body) => {
                    text.push_str("finally {\n");
                    self.statements(body, text);
                    text.push_str("}\n");
                }
            }
        }
    }

    fn call(&self, call: &Call, text: &mut String) {
        let types = &self.importer.types;
        let single = self
            .callees
            .get(call.callee.as_str())
            .is_some_and(|parameters| parameters.len() == 1);
        let arguments: Vec<String> = call
            .arguments
            .iter()
            .map(|(name, value)| {
                if single {
                    value.write(types)
                } else {
                    format!("{}: {}", format::name(name), value.write(types))
                }
            })
            .collect();
        // A node is named by its binding, or else by its callee; so the task keeps its name either way.
        let binding = if self.read.contains(call.name.as_str()) {
            format!("let {} = ", format::name(&call.name))
        } else if call.name.trim_start_matches('_') == call.callee {
            if call.gives {
                "let _ = ".to_owned()
            } else {
                String::new()
            }
        } else {
            format!(
                "let {} = ",
                format::name(&format!("_{}", call.name.trim_start_matches('_')))
            )
        };
        let after: Vec<String> = call.after.iter().map(|name| format::name(name)).collect();
        let after = if after.is_empty() {
            String::new()
        } else {
            format!(" after {}", after.join(", "))
        };
        let _ = writeln!(
            text,
            "{binding}{}({}){after}",
            format::name(&call.callee),
            arguments.join(", ")
        );
    }

    fn branch(&self, branch: &Branch, text: &mut String) {
        let types = &self.importer.types;
        if let Some(name) = &branch.name {
            let marked = if self.read.contains(name.as_str()) {
                name.clone()
            } else {
                "_".to_owned()
            };
            let _ = write!(text, "let {} = ", format::name(&marked));
        }
        for (index, arm) in branch.arms.iter().enumerate() {
            if index > 0 {
                text.push_str(" else ");
            }
            if let Some(condition) = &arm.condition {
                let _ = write!(text, "if {} ", condition.write(types));
            }
            text.push_str("{\n");
            self.statements(&arm.body, text);
            if let Some(value) = arm.value.as_ref().filter(|_| branch.name.is_some()) {
                let _ = writeln!(text, "{}", value.write(types));
            }
            text.push('}');
        }
        text.push('\n');
    }
}

fn docs(docs: Option<&str>, text: &mut String) {
    let Some(docs) = docs.filter(|docs| !docs.trim().is_empty()) else {
        return;
    };
    for line in docs.trim().lines() {
        let line: String = line.chars().filter(|character| !character.is_control()).collect();
        let _ = writeln!(text, "{}", format!("/// {line}").trim_end());
    }
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect()
}

/// A name that a manifest takes.
fn project_name(name: &str) -> String {
    let mut project: String = name
        .chars()
        .map(|character| character.to_ascii_lowercase())
        .map(|character| {
            if character.is_ascii_alphanumeric() || character == '_' {
                character
            } else {
                '-'
            }
        })
        .collect();
    if !project.starts_with(|first: char| first.is_ascii_lowercase()) {
        project.insert_str(0, "pipeline-");
    }
    project
}
