//! A pipeline lowered to tasks: steps, operations, what is computed, what is returned. Branches, loops and calls stand in
//! [`super::control`].

use std::collections::{BTreeMap, BTreeSet};

use super::condition;
use super::dag::{Ask, Dag, Kind, Launched, Need, Task, TaskId};
use super::scope::{Bound, Scope};
use crate::plan::{
    Binding, Graph, Input, Node, NodeKind, NodeTask, Operand, Operation, Pipeline, PlacedTask, Port, PortType,
    Reference, Source, Step,
};
use crate::targets::{Feature, Refusal, RefusalPlace, Request, TargetError, slice, sources};

/// What is built up for one file.
pub(super) struct Lowering<'r> {
    pub(super) request: &'r Request<'r>,
    pub(super) pipeline: &'r Pipeline,
    pub(super) dag: Dag,
    /// The pipelines that are being called, for a plan that is wrong.
    pub(super) called: Vec<&'r str>,
}

/// The tasks of a pipeline.
pub(super) fn lower<'r>(request: &'r Request<'r>, pipeline: &'r Pipeline) -> Result<Dag, TargetError> {
    let mut lowering = Lowering {
        request,
        pipeline,
        dag: Dag::default(),
        called: vec![&pipeline.name],
    };
    let mut scope = Scope::default();
    for parameter in &pipeline.parameters {
        let bound = Bound {
            source: Source::Parameter(parameter.name.clone()),
            ty: PortType::Value(parameter.ty.clone()),
            needs: BTreeSet::new(),
        };
        scope.bind_parameter(&parameter.name, bound);
    }
    lowering.body(&mut scope, &pipeline.graph, None)?;
    lowering.outputs(&scope)?;
    lowering.dag.prune();
    Ok(lowering.dag)
}

impl<'r> Lowering<'r> {
    /// The nodes of a graph, in its order.
    pub(super) fn graph(&mut self, scope: &mut Scope, graph: &'r Graph) -> Result<(), TargetError> {
        for node in &graph.nodes {
            self.node(scope, node)?;
        }
        Ok(())
    }

    fn node(&mut self, scope: &mut Scope, node: &'r Node) -> Result<(), TargetError> {
        match &node.kind {
            NodeKind::Step(call) => {
                let missing = || TargetError::Write(format!("the plan has no step `{}`", call.step));
                let step = self.request.plan.steps.get(&call.step).ok_or_else(missing)?;
                self.launch_node(scope, node, Some(step))
            }
            NodeKind::Operation(operation) => match Ask::of(operation) {
                Some(ask) => self.ask(scope, node, ask),
                None => self.launch_node(scope, node, None),
            },
            NodeKind::Branch(branch) => self.branch(scope, node, branch),
            NodeKind::Loop(each) => self.repeat(scope, node, each),
            NodeKind::Pipeline(call) => self.call(scope, node, call),
            // The pipeline itself has taken care of it.
            NodeKind::Finally(_) => Ok(()),
        }
    }

    /// A node that the launcher runs.
    fn launch_node(&mut self, scope: &mut Scope, node: &Node, step: Option<&Step>) -> Result<(), TargetError> {
        let id = scope.task_id(&node.id);
        let task = self.launched(scope, node.clone(), &id, step)?;
        self.give(scope, node, task);
        Ok(())
    }

    /// A task that asks a person, and one that goes on after a yes.
    fn ask(&mut self, scope: &mut Scope, node: &Node, ask: Ask) -> Result<(), TargetError> {
        let mut task = self.launched(scope, node.clone(), &scope.task_id(&node.id), None)?;
        let asked = Task {
            id: scope.task_id(&format!("{}-ask", node.id)),
            kind: Kind::Ask(ask),
            ..task.clone()
        };
        task.needs.insert(Need::Task(self.dag.add(asked)));
        if let Kind::Launch(launched) = &mut task.kind {
            launched.placed.approved = true;
        }
        self.give(scope, node, task);
        Ok(())
    }

    /// Adds the task of a node, and notes its outputs.
    pub(super) fn give(&mut self, scope: &mut Scope, node: &Node, task: Task) {
        let end = BTreeSet::from([Need::Task(task.id.clone())]);
        let outputs = node.outputs.iter().map(|port| {
            let bound = port_of(&task.id, port, scope.depth());
            (port.name.clone(), bound)
        });
        let outputs = outputs.collect();
        scope.made(&node.id, outputs, end);
        self.dag.add(task);
    }

    /// A task that evaluates values; gives its name.
    pub(super) fn compute(
        &mut self,
        scope: &Scope,
        id: &str,
        values: Vec<(String, Operand, PortType)>,
    ) -> Result<TaskId, TargetError> {
        let inputs = values.iter().map(|(name, value, ty)| Input {
            name: name.clone(),
            value: value.clone(),
            ty: ty.clone(),
        });
        let outputs = values.iter().map(|(name, _, ty)| Port {
            name: name.clone(),
            ty: ty.clone(),
        });
        let node = Node::computing(id.to_owned(), inputs.collect(), outputs.collect());
        let task = self.launched(scope, node, &scope.task_id(id), None)?;
        Ok(self.dag.add(task))
    }

    /// A node with everything that its operands refer to.
    pub(super) fn launched(
        &self,
        scope: &Scope,
        mut node: Node,
        id: &str,
        step: Option<&Step>,
    ) -> Result<Task, TargetError> {
        let mut needs = scope.entry.clone();
        for name in &node.after {
            needs.extend(scope.end(name));
        }
        let mut references: BTreeSet<Reference> = BTreeSet::new();
        for input in &node.inputs {
            input.value.references(&mut |reference| {
                references.insert(reference.clone());
            });
        }
        let mut bindings = Vec::new();
        let mut bound_sources = BTreeMap::new();
        let mut reads = Reads::default();
        for reference in references {
            let bound = scope.demand(&reference)?;
            let input = input_name(&reference);
            reads.source(&bound.source);
            needs.extend(bound.needs);
            bound_sources.insert(input.clone(), bound.source);
            bindings.push(Binding {
                reference,
                input,
                ty: bound.ty,
                boxed: false,
            });
        }
        let registry = reads_registry(&node);
        let travelling = sources::of(self.request, &node);
        let plan = slice::of(self.request.plan, &node);
        node.id = scope.node_path(&node.id);
        node.after = Vec::new();
        let placed = PlacedTask {
            task: NodeTask {
                pipeline: self.pipeline.name.clone(),
                node,
                bindings,
                sources: travelling,
                plan,
                python: None,
            },
            sources: bound_sources,
            returns: Vec::new(),
            approved: false,
        };
        Ok(Task {
            id: id.to_owned(),
            kind: Kind::Launch(Box::new(Launched {
                placed,
                step: step.cloned(),
                parameters: reads.parameters,
                repeats: reads.repeats,
                chosen: reads
                    .chosen
                    .into_iter()
                    .map(|branch| (branch.clone(), format!("{branch}-then")))
                    .collect(),
                outcomes: reads.outcomes,
                joins: false,
                registry,
            })),
            frames: scope.frames.clone(),
            needs,
            guard: scope.guard.clone(),
            folders: scope.folders.clone(),
            most: scope.most,
        })
    }

    /// Notes that Airflow itself reads an output of a task.
    pub(super) fn returned(&mut self, task: &str, port: &str) {
        if let Some(Task {
            kind: Kind::Launch(launched),
            ..
        }) = self.dag.get_mut(task)
            && launched.placed.returns.iter().all(|known| known != port)
        {
            launched.placed.returns.push(port.to_owned());
        }
    }

    /// Has the values of a condition returned by the tasks that give them.
    pub(super) fn returned_by(&mut self, values: &[(String, condition::Pulled)]) {
        for (_, value) in values {
            if let condition::Pulled::Result { task, port, .. } = value {
                self.returned(task, port);
            }
        }
    }

    /// What the pipeline returns: a last task, whose results people and programs read.
    fn outputs(&mut self, scope: &Scope) -> Result<(), TargetError> {
        let outputs = &self.pipeline.outputs;
        if outputs.is_empty() {
            return Ok(());
        }
        let values = outputs
            .iter()
            .map(|output| (output.name.clone(), output.value.clone(), output.ty.clone()));
        let task = self.compute(scope, "pipeline-outputs", values.collect())?;
        for output in outputs {
            self.returned(&task, &output.name);
        }
        Ok(())
    }

    /// Something at a node that Airflow cannot express.
    pub(super) fn refused(&self, node: &str, feature: Feature, why: &str, way_out: &str) -> TargetError {
        TargetError::Refused {
            target: self.request.target.title(),
            refusal: Box::new(Refusal {
                place: RefusalPlace::Node {
                    pipeline: self.called.last().copied().unwrap_or_default().to_owned(),
                    node: node.to_owned(),
                },
                feature,
                why: why.to_owned(),
                way_out: way_out.to_owned(),
            }),
        }
    }
}

/// An output of a task.
pub(super) fn port_of(task: &str, port: &Port, depth: u32) -> Bound {
    Bound {
        source: Source::Port {
            task: task.to_owned(),
            port: port.name.clone(),
            depth,
        },
        ty: port.ty.clone(),
        needs: BTreeSet::from([Need::Task(task.to_owned())]),
    }
}

/// What a task reads of the run.
#[derive(Debug, Default)]
struct Reads {
    parameters: BTreeSet<String>,
    repeats: BTreeSet<String>,
    chosen: BTreeSet<String>,
    outcomes: BTreeSet<TaskId>,
}

impl Reads {
    fn source(&mut self, source: &Source) {
        match source {
            Source::Value(_)
            | Source::Item(_)
            | Source::Port { .. }
            | Source::RunId
            | Source::ScheduledTime
            | Source::Attempt => {}
            Source::Parameter(name) => {
                self.parameters.insert(name.clone());
            }
            Source::Gathered { repeat, of, .. } => {
                self.repeats.insert(repeat.clone());
                self.source(of);
            }
            Source::Element { of, .. } => self.source(of),
            Source::Chosen {
                branch,
                then,
                otherwise,
            } => {
                self.chosen.insert(branch.clone());
                self.source(then);
                self.source(otherwise);
            }
            Source::List(items) => {
                for item in items {
                    self.source(item);
                }
            }
            Source::Computed { operands, .. } => {
                for operand in operands {
                    self.source(&operand.source);
                }
            }
            Source::Outcome(task) => {
                self.outcomes.insert(task.clone());
            }
        }
    }
}

/// The name under which the launcher finds what a reference stands for; unique within a node.
fn input_name(reference: &Reference) -> String {
    match reference {
        Reference::Parameter(name) => name.clone(),
        Reference::Output { node, port } => format!("{node}.{port}"),
        Reference::Item(name) => format!("{name}:item"),
        Reference::Outcome => "run:outcome".to_owned(),
        Reference::RunId => "run:id".to_owned(),
        Reference::ScheduledTime => "run:scheduled".to_owned(),
        Reference::Attempt => "run:attempt".to_owned(),
    }
}

/// Whether a node reads or writes what outlives a run.
fn reads_registry(node: &Node) -> bool {
    let NodeKind::Operation(operation) = &node.kind else {
        return false;
    };
    let notes = matches!(
        **operation,
        Operation::Validate { .. } | Operation::Gate { .. } | Operation::Challenge(_)
    );
    notes || operation.needs_registry()
}
