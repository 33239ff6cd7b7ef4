//! Where the outputs of a graph come from. The platform takes them from its tasks alone, so what else is given (a
//! constant, an input, a computed value) passes through a task that gives it.

use super::Lowering;
use super::compute::computing_id;
use super::graph::Body;
use super::scope::Scope;
use super::values::Wire;
use crate::plan::{Input, Operand, Pipeline, PortType, Reference};
use crate::targets::pipeline_spec::{
    ArtifactSelector, ArtifactSelectors, Component, OutputParameter, ParameterSelector,
};
use crate::targets::{Feature, TargetError};

/// An output of a graph: its name, its type, and what gives it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) name: &'a str,
    pub(super) ty: &'a PortType,
    pub(super) value: &'a Operand,
}

/// The tasks that give a graph's outputs.
#[derive(Debug, Default)]
pub(super) struct Given(pub(super) Vec<GivenOutput>);

/// An output, and the task whose output it is.
#[derive(Clone, Debug)]
pub(super) struct GivenOutput {
    pub(super) name: String,
    pub(super) is_value: bool,
    pub(super) task: String,
    pub(super) key: String,
}

/// What a pipeline returns.
pub(super) fn of_pipeline(pipeline: &Pipeline) -> Vec<Wanted<'_>> {
    pipeline
        .outputs
        .iter()
        .map(|output| Wanted {
            name: &output.name,
            ty: &output.ty,
            value: &output.value,
        })
        .collect()
}

impl Given {
    /// Connects the outputs of a component that declares them.
    pub(super) fn set(&self, component: &mut Component) {
        let Some(dag) = &mut component.dag else {
            return;
        };
        for output in &self.0 {
            if output.is_value {
                let selector = OutputParameter::ValueFromParameter(output.parameter());
                dag.outputs.parameters.insert(output.name.clone(), selector);
            } else {
                let selectors = ArtifactSelectors {
                    artifact_selectors: vec![output.artifact()],
                };
                dag.outputs.artifacts.insert(output.name.clone(), selectors);
            }
        }
    }

    /// The same outputs, as another task gives them under the same names.
    pub(super) fn through(&self, task: &str) -> Self {
        let through = |output: &GivenOutput| GivenOutput {
            task: task.to_owned(),
            key: output.name.clone(),
            ..output.clone()
        };
        Self(self.0.iter().map(through).collect())
    }
}

impl GivenOutput {
    pub(super) fn parameter(&self) -> ParameterSelector {
        ParameterSelector {
            output_parameter_key: self.key.clone(),
            producer_subtask: self.task.clone(),
        }
    }

    pub(super) fn artifact(&self) -> ArtifactSelector {
        ArtifactSelector {
            output_artifact_key: self.key.clone(),
            producer_subtask: self.task.clone(),
        }
    }
}

impl<'r> Lowering<'r> {
    /// Finds the tasks that give outputs; adds one that computes the others. `id` names it.
    pub(super) fn give(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        id: &str,
        wanted: &[Wanted<'_>],
    ) -> Result<Given, TargetError> {
        let mut given = Vec::new();
        let mut computed = Vec::new();
        for output in wanted {
            match direct(body, scope, output)? {
                Some(found) => given.push(found),
                None if is_artifact_list(output.ty) => {
                    return Err(body.types.refused(
                        None,
                        Feature::ArtifactList,
                        format!("`{}` is put together from several artifacts, and the platform knows only lists that a loop gathers", output.name),
                        "Return the artifacts one by one, or gather them in a loop.",
                    ));
                }
                None => computed.push(Input {
                    name: output.name.to_owned(),
                    value: output.value.clone(),
                    ty: output.ty.clone(),
                }),
            }
        }
        if computed.is_empty() {
            return Ok(Given(given));
        }
        let node = computing_id(id);
        let names: Vec<(String, bool)> = computed
            .iter()
            .map(|input| (input.name.clone(), input.ty.is_value()))
            .collect();
        self.compute(body, scope, node.clone(), computed)?;
        for (name, is_value) in names {
            given.push(GivenOutput {
                key: name.clone(),
                name,
                is_value,
                task: scope.task_of(&node).unwrap_or_default().to_owned(),
            });
        }
        Ok(Given(given))
    }
}

/// The task of this graph that gives an output as it is asked for.
fn direct(body: &Body<'_>, scope: &Scope, wanted: &Wanted<'_>) -> Result<Option<GivenOutput>, TargetError> {
    let Operand::Reference(reference @ Reference::Output { node, port }) = wanted.value else {
        return Ok(None);
    };
    let Some(task) = scope.task_of(node) else {
        return Ok(None);
    };
    let wire = body.types.wire(reference)?;
    if !wire.fits(&Wire::output(wanted.ty)) {
        return Ok(None);
    }
    Ok(Some(GivenOutput {
        name: wanted.name.to_owned(),
        is_value: wire.parameter().is_some(),
        task: task.to_owned(),
        key: port.clone(),
    }))
}

fn is_artifact_list(ty: &PortType) -> bool {
    matches!(ty, PortType::List(_)) && !ty.is_value()
}
