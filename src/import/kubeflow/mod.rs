//! Reads a specification of Kubeflow Pipelines into a project of the language that compiles back to the same meaning.
//!
//! What the language cannot say is refused with the task's name, or, where a run does not depend on it, remarked upon:
//! nothing is dropped silently. Nothing is read or written here; the files are given back.

mod branches;
mod cel;
mod component;
mod expression;
mod graph;
mod inputs;
mod names;
mod placeholder;
mod program;
mod python;
mod settings;
mod types;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use crate::targets::OutputFile;
use crate::targets::pipeline_spec::{ArtifactSchema, Component, Document, Executor, KubernetesExecutor, PipelineSpec};

use names::Names;
use program::{Output, Parameter, Pipeline, Port, Step};
use types::Types;

/// A project, made from a specification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The project's name.
    pub name: String,
    /// Its files, by path below the project's folder.
    pub files: Vec<OutputFile>,
    /// How many steps it has.
    pub steps: usize,
    /// How many pipelines it has.
    pub pipelines: usize,
    /// How many tasks were read.
    pub tasks: usize,
    /// What needs the user's eye, in full sentences.
    pub notes: Vec<String>,
}

/// Why a specification is not imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Refused(
    /// What the language cannot say, in full sentences that name the task.
    pub Vec<String>,
);

/// Makes a project of a specification.
///
/// # Errors
/// When it has something that the language cannot say, or refers to what it does not have.
pub fn import(document: &Document) -> Result<Imported, Refused> {
    let mut importer = Importer::new(document);
    importer.root();
    if !importer.problems.is_empty() {
        let mut seen = BTreeSet::new();
        importer.problems.retain(|problem| seen.insert(problem.clone()));
        return Err(Refused(importer.problems));
    }
    importer.finish().map_err(|problem| Refused(vec![problem]))
}

/// How deep graphs may stand in one another.
const DEEPEST: usize = 64;

/// How many tasks a file may come to when every group is written out.
const MOST_TASKS: usize = 200_000;

/// The state of an import.
struct Importer<'a> {
    spec: &'a PipelineSpec,
    kubernetes: BTreeMap<String, KubernetesExecutor>,
    types: Types,
    /// Names of declarations.
    items: Names,
    /// Names of artifact types by title and version.
    artifacts: BTreeMap<(String, String), String>,
    steps: Vec<Step>,
    /// Steps by everything that they are.
    known_steps: BTreeMap<String, usize>,
    pipelines: Vec<Pipeline>,
    /// Pipelines by their component's identity.
    known_pipelines: BTreeMap<usize, usize>,
    /// Identities of components: equal ones have one.
    identities: BTreeMap<String, usize>,
    /// By component; none for one that contains itself or stands too deep.
    identity_of: BTreeMap<String, Option<usize>>,
    /// Secrets by variable.
    secrets: BTreeMap<String, String>,
    sources: BTreeMap<String, String>,
    problems: Vec<String>,
    notes: Vec<String>,
    /// Whether something asks for the run's id.
    uses_run_id: bool,
    tasks: usize,
    depth: usize,
}

impl<'a> Importer<'a> {
    fn new(document: &'a Document) -> Self {
        let kubernetes = document
            .platform
            .as_ref()
            .map(|platform| platform.platforms.kubernetes.deployment_spec.executors.clone());
        let mut importer = Self {
            spec: &document.spec,
            kubernetes: kubernetes.unwrap_or_default(),
            types: Types::default(),
            items: Names::of_items(),
            artifacts: BTreeMap::new(),
            steps: Vec::new(),
            known_steps: BTreeMap::new(),
            pipelines: Vec::new(),
            known_pipelines: BTreeMap::new(),
            identities: BTreeMap::new(),
            identity_of: BTreeMap::new(),
            secrets: BTreeMap::new(),
            sources: BTreeMap::new(),
            problems: Vec::new(),
            notes: Vec::new(),
            uses_run_id: false,
            tasks: 0,
            depth: 0,
        };
        if let Some(config) = document
            .platform
            .as_ref()
            .and_then(|platform| platform.platforms.kubernetes.pipeline_config.as_ref())
        {
            importer.pipeline_config(config);
        }
        importer
    }

    fn pipeline_config(&mut self, config: &crate::targets::pipeline_spec::PipelineConfig) {
        let settings = [
            ("activeDeadlineSeconds", config.active_deadline_seconds.is_some()),
            ("resourceTtlOnCompletion", config.resource_ttl_on_completion.is_some()),
            ("resourceTtlOnFailure", config.resource_ttl_on_failure.is_some()),
            ("resourceTtlOnSuccess", config.resource_ttl_on_success.is_some()),
        ];
        for (name, given) in settings {
            if given {
                self.notes.push(format!(
                    "The pipeline's setting `{name}` of Kubernetes has no counterpart in the language and is left out."
                ));
            }
        }
        if config.workspace.is_some() {
            self.problem(
                "The pipeline shares a workspace volume between its tasks, which the language cannot say. Pass files as artifacts instead.",
            );
        }
    }

    fn problem(&mut self, text: impl Into<String>) {
        self.problems.push(text.into());
    }

    fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    /// The pipeline that the file is.
    fn root(&mut self) {
        let name = self.spec.pipeline_info.name.clone();
        let word = names::word(&name);
        if word.replace('_', "-") != name {
            self.note(format!("The pipeline `{name}` is called `{word}` in the project."));
        }
        let name = self.items.unique(&word);
        let docs = self.spec.pipeline_info.description.clone();
        let display = self.spec.pipeline_info.display_name.as_ref();
        if let Some(display) = display.filter(|display| **display != self.spec.pipeline_info.name) {
            self.note(format!(
                "The pipeline is shown as \"{display}\", which the language cannot say: people will see its name."
            ));
        }
        if let Some(root) = self
            .spec
            .default_pipeline_root
            .as_ref()
            .filter(|_| self.pipeline_root().is_none())
        {
            self.note(format!(
                "Artifacts go to `{root}`, which is no address of storage; name one as `root` of a `target`."
            ));
        }
        if let Some(pipeline) = self.pipeline(&self.spec.root, &name, docs, true) {
            self.pipelines.push(pipeline);
        }
    }

    /// Where artifacts go, if that is an address that a target can have.
    fn pipeline_root(&self) -> Option<&'a str> {
        let root = self.spec.default_pipeline_root.as_deref()?;
        let known = ["gs://", "s3://", "minio://"];
        known.iter().any(|scheme| root.starts_with(scheme)).then_some(root)
    }

    /// The type of an artifact as the language names it.
    fn artifact(&mut self, schema: &ArtifactSchema) -> String {
        let title = schema.schema_title.clone().unwrap_or_default();
        let version = schema.schema_version.clone().unwrap_or_else(|| "0.0.1".to_owned());
        match (title.as_str(), version.as_str()) {
            ("system.Artifact" | "", _) => return "Artifact".to_owned(),
            ("system.HTML", "0.0.1") => return "Html".to_owned(),
            ("system.Markdown", "0.0.1") => return "Markdown".to_owned(),
            _ => {}
        }
        if let Some(known) = self.artifacts.get(&(title.clone(), version.clone())) {
            return known.clone();
        }
        let name = self.items.unique(&names::type_name(&title));
        self.artifacts.insert((title, version), name.clone());
        name
    }

    /// What a component takes.
    fn parameters(&mut self, of: &str, component: &Component) -> Vec<Parameter> {
        let mut required = Vec::new();
        let mut optional = Vec::new();
        for (name, artifact) in &component.input_definitions.artifacts {
            self.nameable(of, name);
            if artifact.is_optional {
                self.note(format!(
                    "The input artifact `{name}` of `{of}` may be absent; in the language it is demanded wherever it is passed."
                ));
            }
            let kind = self.artifact(&artifact.artifact_type);
            required.push(Parameter {
                name: name.clone(),
                port: Port::Artifact(kind, artifact.is_artifact_list),
                default: None,
                optional: false,
                docs: artifact.description.clone(),
            });
        }
        for (name, parameter) in &component.input_definitions.parameters {
            self.nameable(of, name);
            let slot = self.types.declared(parameter.parameter_type);
            let default = parameter.default_value.clone().filter(|value| !value.is_null());
            if let Some(value) = &default {
                self.default(of, name, slot, value);
            }
            if !parameter.literals.is_empty() {
                self.note(format!(
                    "The values that `{name}` of `{of}` may have are not limited in the project."
                ));
            }
            let is_optional = parameter.is_optional || parameter.default_value.is_some();
            let list = if is_optional { &mut optional } else { &mut required };
            list.push(Parameter {
                name: name.clone(),
                port: Port::Value(slot),
                optional: is_optional && default.is_none(),
                default,
                docs: parameter.description.clone(),
            });
        }
        required.append(&mut optional);
        required
    }

    fn default(&mut self, of: &str, name: &str, slot: types::Slot, value: &serde_json::Value) {
        let known = self.types.constant(value);
        if known.and_then(|known| self.types.unify(slot, known)).is_none() {
            self.problem(format!(
                "The default of `{name}` of `{of}` mixes types, or is not of the type that is declared: lists and maps of the language hold one type."
            ));
        }
        if let Some(key) = expression::unwritable_key(value) {
            self.problem(format!(
                "The default of `{name}` of `{of}` has the key {key:?}, which can be no name."
            ));
        }
    }

    fn nameable(&mut self, of: &str, name: &str) {
        if !names::is_nameable(name) {
            self.problem(format!(
                "`{of}` has an input or output called {name:?}, which can be no name."
            ));
        }
    }

    /// What a component gives.
    fn outputs(&mut self, of: &str, component: &Component) -> Vec<Output> {
        let mut outputs = Vec::new();
        for (name, artifact) in &component.output_definitions.artifacts {
            self.nameable(of, name);
            let kind = self.artifact(&artifact.artifact_type);
            outputs.push(Output {
                name: name.clone(),
                port: Port::Artifact(kind, artifact.is_artifact_list),
            });
        }
        for (name, parameter) in &component.output_definitions.parameters {
            self.nameable(of, name);
            outputs.push(Output {
                name: name.clone(),
                port: Port::Value(self.types.declared(parameter.parameter_type)),
            });
        }
        outputs
    }

    /// A number for a component that equal ones share, with all that stands inside it; nothing for one that contains
    /// itself.
    fn identity(&mut self, name: &str) -> Option<usize> {
        if let Some(known) = self.identity_of.get(name) {
            return *known;
        }
        self.identity_of.insert(name.to_owned(), None);
        let mut component = self.spec.components.get(name)?.clone();
        self.depth += 1;
        let mut sound = self.depth <= DEEPEST;
        if let Some(dag) = component.dag.as_mut().filter(|_| sound) {
            for task in dag.tasks.values_mut() {
                match self.identity(&task.component_ref.name) {
                    Some(identity) => task.component_ref.name = identity.to_string(),
                    None => sound = false,
                }
            }
        }
        self.depth -= 1;
        let label = component.executor_label.take();
        let executor = label
            .as_ref()
            .and_then(|label| self.spec.deployment_spec.executors.get(label));
        let kubernetes = label.as_ref().and_then(|label| self.kubernetes.get(label));
        let key = serde_json::to_string(&(&component, executor, kubernetes))
            .ok()
            .filter(|_| sound)?;
        let next = self.identities.len();
        let identity = *self.identities.entry(key).or_insert(next);
        self.identity_of.insert(name.to_owned(), Some(identity));
        Some(identity)
    }

    /// What a component without a graph runs.
    fn executor(&self, component: &Component) -> Option<&'a Executor> {
        let label = component.executor_label.as_ref()?;
        self.spec.deployment_spec.executors.get(label)
    }
}
