//! One node, one task: the component, its executor, and what the container is told.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::Body;
use super::operand::{self, Taken};
use super::scope::{Scope, define, give};
use super::values::{self, Wire};
use super::{Lowering, names, settings, shown};
use crate::plan::{Binding, Node, NodeTask, Operand, PortType, Reference, Step};
use crate::project::LockedPackage;
use crate::targets::pipeline_spec::{
    Component, ComponentRef, Container, Executor, KubernetesExecutor, ParameterSource, Task, TaskInfo,
};
use crate::targets::{Feature, TargetError, python_bootstrap, slice, sources};

/// What runs a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runner {
    /// `mlp op`, with the operation's name.
    Operation(&'static str),
    /// `mlp launch`
    Command,
    /// The text that runs Python steps.
    Python,
}

/// A task that is being put together.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) component: Component,
    pub(super) task: Task,
    pub(super) after: BTreeSet<String>,
    pub(super) container: Container,
    pub(super) kubernetes: KubernetesExecutor,
}

impl<'r> Lowering<'r> {
    /// A task whose container evaluates the node's operands itself.
    pub(super) fn launched(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        mut node: Node,
        runner: Runner,
        step: Option<&'r Step>,
    ) -> Result<(), TargetError> {
        let mut draft = Draft::default();
        let mut bindings = Vec::new();
        if runner == Runner::Python {
            bindings = hand_over(body, scope, &mut node, &mut draft)?;
        }
        self.bind(body, scope, &node, step.is_some(), &mut draft, &mut bindings)?;
        for name in &node.after {
            draft.after.extend(scope.wait_for(name));
        }
        outputs(&mut draft.component, &node);
        shown::declare(self.plan, &node, &mut draft.component);
        if step.is_none() && settings::is_of_one_run(&node) {
            bindings.push(bound(&mut draft, body, scope, &names::input(&RUN_ID), &RUN_ID)?);
        }
        let sources = sources::of(self.request, &node);
        let id = node.id.clone();
        let task = NodeTask {
            pipeline: body.pipeline.name.clone(),
            plan: slice::of(self.plan, &node),
            node,
            bindings,
            sources,
            python: None,
        };
        let task = if runner == Runner::Python {
            self.with_requirements(task.with_python_request())
        } else {
            task
        };
        let json = told(&task, runner, body)?;
        let image = step.and_then(|step| step.image.as_deref());
        draft.container = Container {
            command: self.command(runner)?,
            args: ["--task", &json, "--executor-input", "{{$}}"]
                .map(str::to_owned)
                .to_vec(),
            image: self.image(image),
            ..Container::default()
        };
        match (step, runner) {
            (Some(step), _) => settings::step(self, step, &mut draft, true)?,
            (None, Runner::Operation(_)) => settings::operation(self, &task.node, &mut draft),
            (None, Runner::Command | Runner::Python) => {}
        }
        let name = self.place(body, scope, &id, draft);
        scope.made(&id, &name, None);
        Ok(())
    }

    /// The task of a Python step with the locked packages, where they are locked.
    fn with_requirements(&self, mut task: NodeTask) -> NodeTask {
        let Some(request) = &mut task.python else {
            return task;
        };
        let packages: Vec<String> = request
            .get("packages")
            .and_then(|packages| serde_json::from_value(packages.clone()).ok())
            .unwrap_or_default();
        if let Some(locked) = self.request.lock.packages(&packages)
            && let Some(request) = request.as_object_mut()
        {
            let requirement = |package: &LockedPackage| {
                let hashes = package.hashes.iter().map(|hash| format!(" --hash={hash}"));
                format!("{}=={}{}", package.name, package.version, hashes.collect::<String>())
            };
            let requirements: Vec<String> = locked.iter().map(requirement).collect();
            request.insert("requirements".to_owned(), requirements.into());
        }
        task
    }

    /// The inputs of a task, and what the node's operands refer to.
    fn bind(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        node: &Node,
        shows_constants: bool,
        draft: &mut Draft,
        bindings: &mut Vec<Binding>,
    ) -> Result<(), TargetError> {
        let mut inner: Vec<&Reference> = Vec::new();
        for input in &node.inputs {
            match &input.value {
                Operand::Reference(reference) if is_own(reference, node) => {}
                Operand::Reference(reference) => {
                    bindings.push(bound(draft, body, scope, &input.name, reference)?);
                }
                Operand::Value(value) if shows_constants => {
                    if let Ok(taken) = operand::constant(value, &input.ty)
                        && !values::holds_placeholder(value)
                        && *value != crate::types::Value::None
                    {
                        draft.take(&input.name, &taken);
                    }
                }
                Operand::Value(_) | Operand::Expression(_) | Operand::List(_) => {
                    operand::references(&input.value, &mut |reference| inner.push(reference));
                }
            }
        }
        for reference in inner {
            if bindings.iter().any(|binding| binding.reference == *reference) {
                continue;
            }
            let plain = names::input(reference);
            let taken = node.inputs.iter().any(|input| input.name == plain);
            let name = if taken { format!("from-{plain}") } else { plain };
            bindings.push(bound(draft, body, scope, &name, reference)?);
        }
        Ok(())
    }

    /// Adds a task with its component and executor; gives its name.
    pub(super) fn place(&mut self, body: &mut Body<'r>, scope: &mut Scope, id: &str, draft: Draft) -> String {
        let Draft {
            mut component,
            mut task,
            after,
            container,
            kubernetes,
        } = draft;
        let (name, label) = self.labels(body, id);
        let executor = format!("exec-{label}");
        component.executor_label = Some(executor.clone());
        self.executors.insert(executor.clone(), Executor::Container(container));
        if kubernetes != KubernetesExecutor::default() {
            self.kubernetes.insert(executor, kubernetes);
        }
        task.component_ref = ComponentRef {
            name: format!("comp-{label}"),
        };
        task.dependent_tasks = after.into_iter().collect();
        task.task_info = Some(TaskInfo { name: shown_name(id) });
        self.components.insert(format!("comp-{label}"), component);
        scope.tasks.insert(name.clone(), task);
        name
    }

    /// Adds a task that runs a graph; gives its name.
    pub(super) fn place_graph(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        id: &str,
        component: Component,
        mut task: Task,
    ) -> String {
        let (name, label) = self.labels(body, id);
        task.component_ref = ComponentRef {
            name: format!("comp-{label}"),
        };
        task.task_info = Some(TaskInfo { name: shown_name(id) });
        self.components.insert(format!("comp-{label}"), component);
        scope.tasks.insert(name.clone(), task);
        name
    }

    /// The names of a task and of its component.
    pub(super) fn labels(&mut self, body: &mut Body<'r>, id: &str) -> (String, String) {
        let name = body.names.unique(id);
        let label = self.names.unique(&format!("{}{id}", body.prefix));
        (name, label)
    }

    /// The image of a step; that of the runtime where it has none.
    pub(super) fn image(&self, image: Option<&str>) -> String {
        let target = self.request.target;
        let runtime = || match &target.runtime_image {
            Some(image) => image.clone(),
            None => format!("mlp:{}", env!("CARGO_PKG_VERSION")),
        };
        self.request.lock.image(&image.map_or_else(runtime, str::to_owned))
    }

    /// The text that runs Python steps, made when it is first needed.
    fn python_bootstrap(&mut self) -> Result<String, TargetError> {
        if self.bootstrap.is_none() {
            let text = python_bootstrap().map_err(|error| TargetError::Write(error.to_string()))?;
            self.bootstrap = Some(text);
        }
        Ok(self.bootstrap.clone().unwrap_or_default())
    }

    fn command(&mut self, runner: Runner) -> Result<Vec<String>, TargetError> {
        Ok(match runner {
            Runner::Operation(name) => ["mlp", "op", name].map(str::to_owned).to_vec(),
            Runner::Command => ["mlp", "launch"].map(str::to_owned).to_vec(),
            Runner::Python => vec!["python3".to_owned(), "-c".to_owned(), self.python_bootstrap()?],
        })
    }
}

/// What a container is told stands in one argument, and Linux takes none of 128 KiB or more.
const LONGEST_TASK: usize = 120 * 1024;

/// The task as an argument; refused where it is longer than an argument may be.
fn told(task: &NodeTask, runner: Runner, body: &Body<'_>) -> Result<String, TargetError> {
    let json = serde_json::to_string(task).map_err(|error| TargetError::Write(error.to_string()))?;
    let json = values::without_placeholders(&json);
    if json.len() <= LONGEST_TASK {
        return Ok(json);
    }
    let (feature, way_out) = match runner {
        Runner::Python => (
            Feature::PythonStep,
            "Build an image that has the Python files with `mlp build --images`, and name it as the step's `image`.",
        ),
        Runner::Command => (
            Feature::CommandStep,
            "Put the long text into a file, and pass its path.",
        ),
        Runner::Operation(_) => (
            Feature::Operation,
            "Write fewer or shorter conditions, checks or constants in one call.",
        ),
    };
    let why = format!(
        "what its container is told has {} bytes, and no more than {LONGEST_TASK} can be told",
        json.len()
    );
    Err(body.types.refused(Some(&task.node.id), feature, why, way_out))
}

/// Any reference that is no outcome: constants have none.
const RUN_ID: Reference = Reference::RunId;

/// What people read: a task that the program does not name is called after the node that it serves.
pub(super) fn shown_name(id: &str) -> String {
    id.trim_start_matches('#').replace('#', " ")
}

/// Whether a reference stands for what the platform puts together for an input of the node.
fn is_own(reference: &Reference, node: &Node) -> bool {
    matches!(reference, Reference::Output { node: of, .. } if *of == node.id)
}

/// Hands over what the platform itself puts together: texts with values in them, fields of records. The node then refers
/// to its own input.
fn hand_over(
    body: &Body<'_>,
    scope: &mut Scope,
    node: &mut Node,
    draft: &mut Draft,
) -> Result<Vec<Binding>, TargetError> {
    let mut bindings = Vec::new();
    for input in &mut node.inputs {
        if !matches!(input.value, Operand::Expression(_)) {
            continue;
        }
        let Some(taken) = operand::take(&input.value, &input.ty, scope, &body.types)? else {
            continue;
        };
        let reference = Reference::Output {
            node: node.id.clone(),
            port: input.name.clone(),
        };
        input.value = Operand::Reference(reference.clone());
        draft.take(&input.name, &taken);
        bindings.push(Binding {
            reference,
            input: input.name.clone(),
            ty: taken.wire.ty,
            boxed: taken.wire.boxed,
        });
    }
    Ok(bindings)
}

impl Draft {
    /// Gives the task an operand as the input of that name.
    pub(super) fn take(&mut self, name: &str, taken: &Taken) {
        define(&mut self.component.input_definitions, name, &RUN_ID, &taken.wire);
        give(&mut self.task.inputs, name, taken.source.clone());
        for (beside, source) in &taken.beside {
            give(&mut self.task.inputs, beside, source.clone());
        }
        self.after.extend(taken.after.iter().cloned());
    }
}

/// Binds a reference to an input of the task.
fn bound(
    draft: &mut Draft,
    body: &Body<'_>,
    scope: &mut Scope,
    name: &str,
    reference: &Reference,
) -> Result<Binding, TargetError> {
    let reached = scope.reach(reference, &body.types)?;
    define(&mut draft.component.input_definitions, name, reference, &reached.wire);
    give(&mut draft.task.inputs, name, reached.source);
    draft.after.extend(reached.after);
    Ok(Binding {
        reference: reference.clone(),
        input: name.to_owned(),
        ty: reached.wire.ty,
        boxed: reached.wire.boxed,
    })
}

/// Declares what a node gives.
pub(super) fn outputs(component: &mut Component, node: &Node) {
    let ports: BTreeMap<&str, &PortType> = node.outputs.iter().map(|port| (port.name.as_str(), &port.ty)).collect();
    for (name, ty) in ports {
        output(component, name, &Wire::output(ty));
    }
}

/// Declares one output.
pub(super) fn output(component: &mut Component, name: &str, wire: &Wire) {
    let definitions = &mut component.output_definitions;
    match wire.parameter() {
        Some(parameter_type) => {
            let source = ParameterSource {
                description: None,
                parameter_type,
            };
            definitions.parameters.insert(name.to_owned(), source);
        }
        None => {
            definitions
                .artifacts
                .insert(name.to_owned(), values::artifact(&wire.ty));
        }
    }
}
