//! Graphs of nodes become graphs of tasks.

use std::collections::BTreeSet;

use super::compute::is_handed_over;
use super::names::Names;
use super::scope::{Binds, Scope, Types};
use super::task::{Runner, output};
use super::values::{self, Wire};
use super::{Lowering, pipeline_name};
use crate::plan::{
    Graph, Input, Node, NodeKind, Operand, Operation, Pipeline, PortType, Reference, Run, Step, StepCall,
};
use crate::targets::TargetError;
use crate::targets::pipeline_spec::{Component, InputParameter};
use crate::types::Value;

/// A pipeline that is being lowered: the one that a file is for, or one copy for each call.
pub(super) struct Body<'r> {
    pub(super) pipeline: &'r Pipeline,
    /// What stands before the names of its components: the calls that lead to it.
    pub(super) prefix: String,
    pub(super) types: Types,
    /// Names of its tasks.
    pub(super) names: Names,
}

impl<'r> Body<'r> {
    pub(super) fn new(pipeline: &'r Pipeline, prefix: String, title: String) -> Self {
        let mut types = Types {
            title,
            pipeline: pipeline.name.clone(),
            ..Types::default()
        };
        ports(&pipeline.graph, &mut types);
        let mut names = Names::default();
        names.reserve(&pipeline_name(&pipeline.name));
        Self {
            pipeline,
            prefix,
            types,
            names,
        }
    }
}

/// Notes what every node gives, those inside others included.
fn ports(graph: &Graph, types: &mut Types) {
    for node in &graph.nodes {
        let outputs = node.outputs.iter().map(|port| (port.name.clone(), port.ty.clone()));
        types.outputs.insert(node.id.clone(), outputs.collect());
        match &node.kind {
            NodeKind::Step(_) | NodeKind::Operation(_) | NodeKind::Pipeline(_) => {}
            NodeKind::Branch(branch) => {
                ports(&branch.then, types);
                ports(&branch.otherwise, types);
            }
            NodeKind::Loop(each) => ports(&each.body, types),
            NodeKind::Finally(graph) => ports(graph, types),
        }
    }
}

impl<'r> Lowering<'r> {
    /// The pipeline that the file is for.
    pub(super) fn root(&mut self, pipeline: &'r Pipeline) -> Result<Component, TargetError> {
        let mut body = Body::new(pipeline, String::new(), self.request.target.title());
        let parameters = pipeline.parameters.iter().map(|parameter| {
            let wire = Wire::plain(PortType::Value(parameter.ty.clone()));
            (parameter.name.clone(), wire)
        });
        body.types.parameters = parameters.collect();
        self.calls.push(&pipeline.name);
        let component = self.pipeline(&mut body);
        self.calls.pop();
        component
    }

    /// The component of a pipeline whose parameters' wires are known.
    pub(super) fn pipeline(&mut self, body: &mut Body<'r>) -> Result<Component, TargetError> {
        let pipeline = body.pipeline;
        let mut scope = Scope::new(Binds::Parameters);
        self.parameter_check(body, &mut scope)?;
        let given = match finally(&pipeline.graph) {
            Some(last) => self.with_finally(body, &mut scope, last)?,
            None => {
                self.graph(body, &mut scope, &pipeline.graph.nodes)?;
                self.give(body, &mut scope, "outputs", &super::outputs::of_pipeline(pipeline))?
            }
        };
        let (mut component, _) = scope.finish();
        for parameter in &pipeline.parameters {
            let wire = body.types.wire(&Reference::Parameter(parameter.name.clone()))?;
            let Some(input) = wire.input() else {
                continue;
            };
            let default = match &parameter.default {
                None | Some(Value::None) => self.host.absent(input.is_optional),
                Some(value) => Some(values::constant(value).map_err(|number| body.types.too_large(number))?),
            };
            let input = InputParameter {
                is_optional: input.is_optional || default.is_some(),
                default_value: default,
                description: parameter.docs.clone(),
                ..input
            };
            component
                .input_definitions
                .parameters
                .insert(parameter.name.clone(), input);
        }
        for (name, wire) in &body.types.parameters {
            if wire.parameter().is_none() {
                let artifacts = &mut component.input_definitions.artifacts;
                artifacts.insert(name.clone(), values::artifact(&wire.ty));
            }
        }
        for item in &pipeline.outputs {
            output(&mut component, &item.name, &Wire::output(&item.ty));
        }
        given.set(&mut component);
        Ok(component)
    }

    /// Adds one task that checks the parameters whose types say more than the platform checks.
    fn parameter_check(&mut self, body: &mut Body<'r>, scope: &mut Scope) -> Result<(), TargetError> {
        let checked = body
            .pipeline
            .parameters
            .iter()
            .filter(|parameter| values::says_more(&parameter.ty));
        let inputs: Vec<Input> = checked
            .map(|parameter| Input {
                name: parameter.name.clone(),
                value: Operand::Reference(Reference::Parameter(parameter.name.clone())),
                ty: PortType::Value(parameter.ty.clone()),
            })
            .collect();
        if inputs.is_empty() {
            return Ok(());
        }
        let names: BTreeSet<String> = inputs.iter().map(|input| input.name.clone()).collect();
        let task = self.check(body, scope, "check-parameters".to_owned(), inputs)?;
        scope.check_parameters(task, names);
        Ok(())
    }

    /// Adds the tasks of nodes.
    pub(super) fn graph(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        nodes: &'r [Node],
    ) -> Result<(), TargetError> {
        for node in nodes {
            self.node(body, scope, node)?;
        }
        Ok(())
    }

    pub(super) fn node(&mut self, body: &mut Body<'r>, scope: &mut Scope, node: &'r Node) -> Result<(), TargetError> {
        match &node.kind {
            NodeKind::Step(call) => self.step(body, scope, node, call),
            NodeKind::Operation(operation) => self.operation(body, scope, node, operation),
            NodeKind::Branch(branch) => self.branch(body, scope, node, branch),
            NodeKind::Loop(each) => self.repeat(body, scope, node, each),
            NodeKind::Pipeline(call) => self.call(body, scope, node, call),
            // The pipeline itself has taken care of it.
            NodeKind::Finally(_) => Ok(()),
        }
    }

    fn step(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        node: &'r Node,
        call: &StepCall,
    ) -> Result<(), TargetError> {
        let plan = self.plan;
        let missing = || TargetError::Write(format!("the plan has no step `{}`", call.step));
        let step: &'r Step = plan.steps.get(&call.step).ok_or_else(missing)?;
        match &step.run {
            Run::Command(arguments) if step.image.is_some() => self.plain_container(body, scope, node, step, arguments),
            Run::Command(_) => self.launched(body, scope, node.clone(), Runner::Command, Some(step)),
            Run::Python(_) => {
                let node = self.prepared(body, scope, node, |input, types| {
                    Ok(matches!(input.value, Operand::List(_)) || is_handed_over(input, types)?)
                })?;
                self.launched(body, scope, node, Runner::Python, Some(step))
            }
        }
    }

    fn operation(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        node: &'r Node,
        operation: &Operation,
    ) -> Result<(), TargetError> {
        let node = match operation {
            Operation::Deploy { service } => self.serve_on_vertex(body, scope, node, service)?,
            Operation::Read { .. } => Some(self.imported(body, scope, node)?),
            Operation::Validate { .. }
            | Operation::Features(_)
            | Operation::Project(_)
            | Operation::Split { .. }
            | Operation::Mask { .. }
            | Operation::Predict { .. }
            | Operation::Evaluate { .. }
            | Operation::Gate { .. }
            | Operation::Challenge(_)
            | Operation::Champion { .. }
            | Operation::Prior { .. }
            | Operation::Approve { .. }
            | Operation::Register { .. } => None,
        }
        .unwrap_or_else(|| node.clone());
        self.launched(body, scope, node, Runner::Operation(operation.name()), None)
    }
}

/// The `finally` of a graph.
fn finally(graph: &Graph) -> Option<(&Node, &Graph)> {
    graph.nodes.iter().find_map(|node| match &node.kind {
        NodeKind::Finally(last) => Some((node, last)),
        NodeKind::Step(_)
        | NodeKind::Operation(_)
        | NodeKind::Branch(_)
        | NodeKind::Loop(_)
        | NodeKind::Pipeline(_) => None,
    })
}
