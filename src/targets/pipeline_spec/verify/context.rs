//! What every rule sees: the document, and each place with what stands around it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::path::path;
use super::super::{Component, Container, Dag, Document, Executor, ParameterItems, PipelineSpec, Task};
use super::Platform;

/// What every rule sees.
pub(super) struct Context<'a> {
    /// The file.
    pub(super) document: &'a Document,
    /// Its pipeline.
    pub(super) spec: &'a PipelineSpec,
    /// Where it is to run.
    pub(super) platform: Platform,
    /// The tasks that run each component, by its key.
    pub(super) runs: BTreeMap<&'a str, Vec<TaskPlace<'a>>>,
    /// Components that the root reaches, each after all that it runs; none that runs itself.
    pub(super) inner_first: Vec<ComponentPlace<'a>>,
    /// Components that run inside of loops, at any depth.
    pub(super) inside_loops: BTreeSet<&'a str>,
    /// Components that run themselves, each with the ways around: `a`, `b`, `a`.
    pub(super) recursions: Vec<Vec<&'a str>>,
}

/// A component, or the root.
#[derive(Clone, Copy)]
pub(super) struct ComponentPlace<'a> {
    /// Its key; `None` for the root.
    pub(super) key: Option<&'a str>,
    /// Itself.
    pub(super) component: &'a Component,
}

/// A task of a graph.
#[derive(Clone, Copy)]
pub(super) struct TaskPlace<'a> {
    /// The component whose graph has it.
    pub(super) around: ComponentPlace<'a>,
    /// The graph.
    pub(super) dag: &'a Dag,
    /// Its name.
    pub(super) name: &'a str,
    /// Itself.
    pub(super) task: &'a Task,
    /// What it runs; `None` when that does not exist.
    pub(super) component: Option<&'a Component>,
}

/// An executor.
#[derive(Clone, Copy)]
pub(super) struct ExecutorPlace<'a> {
    /// Its key.
    pub(super) label: &'a str,
    /// Itself.
    pub(super) executor: &'a Executor,
}

impl<'a> Context<'a> {
    pub(super) fn new(document: &'a Document, platform: Platform) -> Self {
        let mut context = Self {
            document,
            spec: &document.spec,
            platform,
            runs: BTreeMap::new(),
            inner_first: Vec::new(),
            inside_loops: BTreeSet::new(),
            recursions: Vec::new(),
        };
        for place in context.components() {
            for task in context.tasks_of(place) {
                context
                    .runs
                    .entry(task.task.component_ref.name.as_str())
                    .or_default()
                    .push(task);
            }
        }
        (context.inner_first, context.recursions) = super::references::order(&context);
        for place in context.inner_first.iter().rev() {
            let is_inside = place.key.is_some_and(|key| context.inside_loops.contains(key));
            for task in context.tasks_of(*place) {
                if is_inside || task.is_loop() {
                    context.inside_loops.insert(&task.task.component_ref.name);
                }
            }
        }
        context
    }

    /// The root.
    pub(super) fn root(&self) -> ComponentPlace<'a> {
        ComponentPlace {
            key: None,
            component: &self.spec.root,
        }
    }

    /// The root and all components.
    pub(super) fn components(&self) -> Vec<ComponentPlace<'a>> {
        let others = self.spec.components.iter().map(|(key, component)| ComponentPlace {
            key: Some(key),
            component,
        });
        std::iter::once(self.root()).chain(others).collect()
    }

    /// The component of that key.
    pub(super) fn component(&self, key: &str) -> Option<ComponentPlace<'a>> {
        let (key, component) = self.spec.components.get_key_value(key)?;
        Some(ComponentPlace {
            key: Some(key),
            component,
        })
    }

    /// The tasks of a component's graph.
    pub(super) fn tasks_of(&self, place: ComponentPlace<'a>) -> Vec<TaskPlace<'a>> {
        let dag = place.component.dag.as_ref();
        let tasks = dag
            .into_iter()
            .flat_map(|dag| dag.tasks.iter().map(move |task| (dag, task)));
        tasks
            .map(|(dag, (name, task))| TaskPlace {
                around: place,
                dag,
                name,
                task,
                component: self.spec.components.get(&task.component_ref.name),
            })
            .collect()
    }

    /// All executors.
    pub(super) fn executors(&self) -> Vec<ExecutorPlace<'a>> {
        let executors = self.spec.deployment_spec.executors.iter();
        executors
            .map(|(label, executor)| ExecutorPlace { label, executor })
            .collect()
    }

    /// The tasks that run a component.
    pub(super) fn runs_of(&self, place: ComponentPlace<'a>) -> &[TaskPlace<'a>] {
        let runs = place.key.and_then(|key| self.runs.get(key));
        runs.map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a component runs inside of a loop.
    pub(super) fn is_inside_loop(&self, place: ComponentPlace<'_>) -> bool {
        place.key.is_some_and(|key| self.inside_loops.contains(key))
    }

    /// The executor that a component runs.
    pub(super) fn executor_of(&self, component: &'a Component) -> Option<ExecutorPlace<'a>> {
        let label = component.executor_label.as_deref()?;
        let (label, executor) = self.spec.deployment_spec.executors.get_key_value(label)?;
        Some(ExecutorPlace { label, executor })
    }
}

impl<'a> ComponentPlace<'a> {
    /// The task of that name in its graph.
    pub(super) fn task(&self, context: &Context<'a>, name: &str) -> Option<TaskPlace<'a>> {
        let dag = self.component.dag.as_ref()?;
        let (name, task) = dag.tasks.get_key_value(name)?;
        Some(TaskPlace {
            around: *self,
            dag,
            name,
            task,
            component: context.spec.components.get(&task.component_ref.name),
        })
    }

    /// How sentences name it.
    pub(super) fn noun(&self) -> String {
        match self.key {
            Some(key) => format!("the component `{key}`"),
            None => "the pipeline".to_owned(),
        }
    }

    /// The path of something inside it.
    pub(super) fn at(&self, inside: &[&str]) -> String {
        match self.key {
            Some(key) => path("components", &[&[key], inside].concat()),
            None => path("root", inside),
        }
    }
}

impl<'a> TaskPlace<'a> {
    /// The path of something inside it.
    pub(super) fn at(&self, inside: &[&str]) -> String {
        path(&self.around.at(&["dag", "tasks"]), &[&[self.name], inside].concat())
    }

    /// Another task of the same graph.
    pub(super) fn beside(&self, context: &Context<'a>, name: &str) -> Option<TaskPlace<'a>> {
        self.around.task(context, name)
    }

    /// Whether it runs once for each item of a list.
    pub(super) fn is_loop(&self) -> bool {
        self.task.parameter_iterator.is_some() || self.task.artifact_iterator.is_some()
    }

    /// The input of the task that a loop runs over.
    pub(super) fn items_input(&self) -> Option<&'a str> {
        let parameter = self
            .task
            .parameter_iterator
            .as_ref()
            .and_then(|each| match &each.items {
                ParameterItems::InputParameter(name) => Some(name.as_str()),
                ParameterItems::Raw(_) => None,
            });
        let artifact = self
            .task
            .artifact_iterator
            .as_ref()
            .map(|each| each.items.input_artifact.as_str());
        parameter.or(artifact)
    }

    /// The input of the component that takes the items of a loop.
    pub(super) fn item_input(&self) -> Option<&'a str> {
        let parameter = self
            .task
            .parameter_iterator
            .as_ref()
            .map(|each| each.item_input.as_str());
        let artifact = self
            .task
            .artifact_iterator
            .as_ref()
            .map(|each| each.item_input.as_str());
        parameter.or(artifact)
    }
}

impl<'a> ExecutorPlace<'a> {
    /// The path of something inside it.
    pub(super) fn at(&self, inside: &[&str]) -> String {
        path("deploymentSpec.executors", &[&[self.label], inside].concat())
    }

    /// The container, when it is one.
    pub(super) fn container(&self) -> Option<&'a Container> {
        match self.executor {
            Executor::Container(container) => Some(container),
            Executor::Importer(_) | Executor::CustomJob(_) | Executor::Resolver(_) => None,
        }
    }
}
