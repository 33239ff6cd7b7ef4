//! Values that the platform cannot compute or check: a task does, and the rest takes what it gives.

use super::Lowering;
use super::graph::Body;
use super::operand;
use super::scope::{Binds, Scope, Types};
use super::task::Runner;
use crate::plan::{COMPUTE, Input, Node, NodePath, Operand, Port, Reference};
use crate::targets::{Feature, TargetError};

impl<'r> Lowering<'r> {
    /// Adds a task that evaluates and checks values, and gives each under its own name; `id` is what refers to it.
    pub(super) fn compute(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        id: NodePath,
        inputs: Vec<Input>,
    ) -> Result<(), TargetError> {
        let outputs: Vec<Port> = inputs.iter().map(port).collect();
        let ports = outputs.iter().map(|port| (port.name.clone(), port.ty.clone()));
        body.types.outputs.insert(id.clone(), ports.collect());
        let node = Node::computing(id, inputs, outputs);
        self.launched(body, scope, node, Runner::Operation(COMPUTE), None)
    }

    /// Adds a task that only checks values; gives its name.
    pub(super) fn check(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        id: NodePath,
        inputs: Vec<Input>,
    ) -> Result<String, TargetError> {
        let node = Node::computing(id.clone(), inputs, Vec::new());
        self.launched(body, scope, node, Runner::Operation(COMPUTE), None)?;
        let missing = || TargetError::Write(format!("the check `{id}` has no task"));
        scope.task_of(&id).map(str::to_owned).ok_or_else(missing)
    }

    /// The node with every operand that is not `simple` computed by a task before it.
    pub(super) fn prepared(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        node: &Node,
        simple: impl Fn(&Input, &Types) -> Result<bool, TargetError>,
    ) -> Result<Node, TargetError> {
        let mut computed = Vec::new();
        let mut node = node.clone();
        let id = computing_id(&node.id);
        for input in &mut node.inputs {
            if !simple(input, &body.types)? {
                if !input.ty.is_value() {
                    return Err(body.types.refused(
                        Some(&node.id),
                        Feature::ArtifactList,
                        format!("`{}` is put together from several artifacts, and the platform knows only lists that a loop gathers", input.name),
                        "Leave `image` out of the step, or gather the artifacts in a loop.",
                    ));
                }
                let reference = Operand::Reference(Reference::Output {
                    node: id.clone(),
                    port: input.name.clone(),
                });
                computed.push(Input {
                    value: std::mem::replace(&mut input.value, reference),
                    ..input.clone()
                });
            }
        }
        if !computed.is_empty() {
            self.compute(body, scope, id, computed)?;
        }
        Ok(node)
    }
}

/// Whether the platform itself can hand an operand over.
pub(super) fn is_handed_over(input: &Input, types: &Types) -> Result<bool, TargetError> {
    if matches!(input.value, Operand::Value(_)) {
        return Ok(true);
    }
    // Whether it can does not depend on where the reference stands.
    let mut anywhere = Scope::new(Binds::Nothing);
    Ok(operand::take(&input.value, &input.ty, &mut anywhere, types)?.is_some())
}

/// What refers to the task that computes for a node; no node has such a name.
pub(super) fn computing_id(node: &str) -> NodePath {
    format!("{node}#compute")
}

fn port(input: &Input) -> Port {
    Port {
        name: input.name.clone(),
        ty: input.ty.clone(),
    }
}
