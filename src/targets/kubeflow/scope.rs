//! Graphs that are being built, and how a reference is reached from inside them.
//!
//! A graph that stands in another sees nothing of it. What it reads from outside becomes an input of its own, and the
//! graph around hands it over; that graph may have to ask for it in turn. Order alone (`after`) goes the same way.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::names;
use super::values::{self, Wire};
use crate::plan::{NodePath, PortType, Reference};
use crate::targets::pipeline_spec::{
    ArtifactSource, Component, Dag, FinalStatus, InputDefinitions, InputParameter, ParameterInput, ParameterType,
    RuntimeValue, Task, TaskInputs, TaskOutputArtifact, TaskOutputParameter,
};
use crate::targets::{Feature, Refusal, RefusalPlace, TargetError};
use crate::types::{DataKind, DataType, EnumType, EnumVariant};

/// What a graph binds beside its nodes.
#[derive(Debug)]
pub(super) enum Binds {
    /// A pipeline's parameters.
    Parameters,
    /// The item of a loop, by its name.
    Item(String),
    /// Nothing.
    Nothing,
}

/// A graph that is being built.
#[derive(Debug)]
pub(super) struct Scope {
    binds: Binds,
    /// The task of each node that stands in it, and a task that checks what the first gives.
    nodes: HashMap<NodePath, Made>,
    /// What it reads from outside.
    captures: BTreeMap<Reference, Wire>,
    /// The nodes outside that it waits for.
    waits: BTreeSet<NodePath>,
    /// The task that checks the parameters, with those that it checks.
    parameter_check: Option<(String, BTreeSet<String>)>,
    /// The task whose end is the outcome.
    ended: Option<String>,
    pub(super) tasks: BTreeMap<String, Task>,
}

/// The task of a node.
#[derive(Clone, Debug)]
struct Made {
    task: String,
    check: Option<String>,
}

/// Where a reference is found in a graph.
#[derive(Clone, Debug)]
pub(super) struct Reached {
    pub(super) source: Source,
    pub(super) wire: Wire,
    /// The tasks that must have ended before.
    pub(super) after: Vec<String>,
}

/// A value or an artifact.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Parameter(ParameterInput),
    Artifact(ArtifactSource),
}

/// The types of what a pipeline's references stand for.
#[derive(Debug, Default)]
pub(super) struct Types {
    /// The target's title and the pipeline's name, for messages.
    pub(super) title: String,
    pub(super) pipeline: String,
    pub(super) parameters: BTreeMap<String, Wire>,
    pub(super) outputs: HashMap<NodePath, Vec<(String, PortType)>>,
    /// Items of the loops around, the innermost last.
    pub(super) items: Vec<(String, PortType)>,
}

impl Types {
    /// Something at a node that the platform cannot express.
    pub(super) fn refused(
        &self,
        node: Option<&str>,
        feature: Feature,
        why: impl Into<String>,
        way_out: &str,
    ) -> TargetError {
        let pipeline = self.pipeline.clone();
        let place = match node {
            Some(node) => RefusalPlace::Node {
                pipeline,
                node: node.to_owned(),
            },
            None => RefusalPlace::Pipeline(pipeline),
        };
        TargetError::Refused {
            target: self.title.clone(),
            refusal: Box::new(Refusal {
                place,
                feature,
                why: why.into(),
                way_out: way_out.to_owned(),
            }),
        }
    }

    /// An integer that the platform cannot hold.
    pub(super) fn too_large(&self, number: i64) -> TargetError {
        self.refused(
            None,
            Feature::LargeInteger,
            format!("{number} is beyond 9007199254740991, up to which 64-bit floating point is exact"),
            "Make it a `string`, and convert it in the step.",
        )
    }

    /// What a reference stands for.
    pub(super) fn wire(&self, reference: &Reference) -> Result<Wire, TargetError> {
        let unknown = || TargetError::Write(format!("the plan has no {reference:?} here"));
        let value = |kind| Ok(Wire::plain(PortType::Value(DataType::plain(kind))));
        match reference {
            Reference::Parameter(name) => self.parameters.get(name).cloned().ok_or_else(unknown),
            Reference::Output { node, port } => {
                let ports = self.outputs.get(node).ok_or_else(unknown)?;
                let port = ports.iter().find(|(name, _)| name == port).ok_or_else(unknown)?;
                Ok(Wire::output(&port.1))
            }
            Reference::Item(name) => {
                let item = self.items.iter().rev().find(|(own, _)| own == name);
                item.map(|(_, ty)| Wire::plain(ty.clone())).ok_or_else(unknown)
            }
            Reference::Outcome => value(DataKind::Enum(outcome_type())),
            Reference::RunId => value(DataKind::String),
            Reference::ScheduledTime => value(DataKind::Datetime),
            Reference::Attempt => value(DataKind::Int),
        }
    }
}

fn outcome_type() -> EnumType {
    let variant = |name: &str| EnumVariant {
        name: name.to_owned(),
        text: name.to_owned(),
    };
    EnumType {
        name: None,
        variants: ["succeeded", "failed", "cancelled"].map(variant).to_vec(),
    }
}

impl Scope {
    pub(super) fn new(binds: Binds) -> Self {
        Self {
            binds,
            nodes: HashMap::new(),
            captures: BTreeMap::new(),
            waits: BTreeSet::new(),
            parameter_check: None,
            ended: None,
            tasks: BTreeMap::new(),
        }
    }

    /// Notes the task that runs a node.
    pub(super) fn made(&mut self, node: &str, task: &str, check: Option<&str>) {
        let made = Made {
            task: task.to_owned(),
            check: check.map(str::to_owned),
        };
        self.nodes.insert(node.to_owned(), made);
    }

    /// Notes the task that checks some parameters.
    pub(super) fn check_parameters(&mut self, task: String, parameters: BTreeSet<String>) {
        self.parameter_check = Some((task, parameters));
    }

    /// Notes the task whose end is the outcome.
    pub(super) fn ends_with(&mut self, task: &str) {
        self.ended = Some(task.to_owned());
    }

    /// The task of a node that stands in this very graph.
    pub(super) fn task_of(&self, node: &str) -> Option<&str> {
        self.nodes.get(node).map(|made| made.task.as_str())
    }

    /// The tasks that a node's end is known by; outside of this graph nothing is known yet, and the graph waits.
    pub(super) fn wait_for(&mut self, node: &str) -> Vec<String> {
        if let Some(made) = self.nodes.get(node) {
            return made.all();
        }
        self.waits.insert(node.to_owned());
        Vec::new()
    }

    /// Where a reference is found; what stands outside becomes an input.
    pub(super) fn reach(&mut self, reference: &Reference, types: &Types) -> Result<Reached, TargetError> {
        let wire = types.wire(reference)?;
        match reference {
            Reference::RunId => return Ok(constant("{{$.pipeline_job_uuid}}", wire)),
            Reference::ScheduledTime => return Ok(constant("{{$.pipeline_job_schedule_time_utc}}", wire)),
            Reference::Outcome => {
                if let Some(task) = &self.ended {
                    let status = FinalStatus {
                        producer_task: task.clone(),
                    };
                    return Ok(Reached {
                        source: Source::Parameter(ParameterInput {
                            task_final_status: Some(status),
                            ..ParameterInput::default()
                        }),
                        wire,
                        after: vec![task.clone()],
                    });
                }
            }
            Reference::Output { node, port } => {
                if let Some(made) = self.nodes.get(node) {
                    return Ok(made.output(port, wire));
                }
            }
            Reference::Parameter(_) | Reference::Item(_) | Reference::Attempt => {}
        }
        let after = match (&self.binds, &self.parameter_check, reference) {
            (Binds::Parameters, Some((task, checked)), Reference::Parameter(name)) if checked.contains(name) => {
                vec![task.clone()]
            }
            _ => Vec::new(),
        };
        if !self.has(reference) {
            self.captures.insert(reference.clone(), wire.clone());
        }
        let name = names::input(reference);
        let source = if wire.parameter().is_some() {
            Source::Parameter(ParameterInput {
                component_input_parameter: Some(name),
                ..ParameterInput::default()
            })
        } else {
            Source::Artifact(ArtifactSource::ComponentInputArtifact(name))
        };
        Ok(Reached { source, wire, after })
    }

    /// Whether the graph itself binds a name that is an input of it anyway.
    fn has(&self, reference: &Reference) -> bool {
        match (&self.binds, reference) {
            (Binds::Parameters, Reference::Parameter(_)) => true,
            (Binds::Item(own), Reference::Item(name)) => own == name,
            (Binds::Parameters | Binds::Item(_) | Binds::Nothing, _) => false,
        }
    }

    /// The component of the finished graph, without outputs, and what it needs of the graph around.
    pub(super) fn finish(self) -> (Component, Needs) {
        let mut inputs = InputDefinitions::default();
        for (reference, wire) in &self.captures {
            define(&mut inputs, &names::input(reference), reference, wire);
        }
        let component = Component {
            dag: Some(Dag {
                tasks: self.tasks,
                ..Dag::default()
            }),
            input_definitions: inputs,
            ..Component::default()
        };
        let needs = Needs {
            captures: self.captures.into_keys().collect(),
            waits: self.waits,
        };
        (component, needs)
    }

    /// Hands over what a finished graph needs: the inputs of its task, and the tasks that it waits for.
    pub(super) fn hand_over(
        &mut self,
        needs: &Needs,
        types: &Types,
    ) -> Result<(TaskInputs, BTreeSet<String>), TargetError> {
        let mut inputs = TaskInputs::default();
        let mut after = BTreeSet::new();
        for reference in &needs.captures {
            let reached = self.reach(reference, types)?;
            after.extend(reached.after);
            give(&mut inputs, &names::input(reference), reached.source);
        }
        for node in &needs.waits {
            after.extend(self.wait_for(node));
        }
        Ok((inputs, after))
    }
}

/// What a graph needs of the one around it.
#[derive(Debug, Default)]
pub(super) struct Needs {
    pub(super) captures: BTreeSet<Reference>,
    pub(super) waits: BTreeSet<NodePath>,
}

impl Made {
    fn all(&self) -> Vec<String> {
        let mut all = vec![self.task.clone()];
        all.extend(self.check.clone());
        all
    }

    fn output(&self, port: &str, wire: Wire) -> Reached {
        let producer_task = self.task.clone();
        let source = if wire.parameter().is_some() {
            Source::Parameter(ParameterInput {
                task_output_parameter: Some(TaskOutputParameter {
                    output_parameter_key: port.to_owned(),
                    producer_task,
                }),
                ..ParameterInput::default()
            })
        } else {
            Source::Artifact(ArtifactSource::TaskOutputArtifact(TaskOutputArtifact {
                output_artifact_key: port.to_owned(),
                producer_task,
            }))
        };
        Reached {
            source,
            wire,
            after: self.all(),
        }
    }
}

/// Sets an input of a task.
pub(super) fn give(inputs: &mut TaskInputs, name: &str, source: Source) {
    match source {
        Source::Parameter(parameter) => {
            inputs.parameters.insert(name.to_owned(), parameter);
        }
        Source::Artifact(artifact) => {
            inputs.artifacts.insert(name.to_owned(), artifact);
        }
    }
}

/// Declares an input for what a reference stands for.
pub(super) fn define(inputs: &mut InputDefinitions, name: &str, reference: &Reference, wire: &Wire) {
    match (reference, wire.input()) {
        (Reference::Outcome, _) => {
            let status = InputParameter {
                default_value: None,
                description: None,
                is_optional: true,
                literals: Vec::new(),
                parameter_type: ParameterType::TaskFinalStatus,
            };
            inputs.parameters.insert(name.to_owned(), status);
        }
        (_, Some(input)) => {
            inputs.parameters.insert(name.to_owned(), input);
        }
        (_, None) => {
            inputs.artifacts.insert(name.to_owned(), values::artifact(&wire.ty));
        }
    }
}

fn constant(text: &str, wire: Wire) -> Reached {
    Reached {
        source: Source::Parameter(ParameterInput {
            runtime_value: Some(RuntimeValue::Constant(text.into())),
            ..ParameterInput::default()
        }),
        wire,
        after: Vec::new(),
    }
}
