//! Where an input comes from, and what arrives there.

use std::fmt;

use super::super::{ArtifactDefinition, ArtifactSource, InputParameter, ParameterInput, ParameterType, RuntimeValue};
use super::context::{Context, TaskPlace};
use serde_json::Value as Json;

/// Where a parameter comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'a> {
    /// A constant.
    Constant(&'a Json),
    /// An input of the graph around.
    Graph(&'a str),
    /// An output of a task.
    Output {
        /// The task.
        task: &'a str,
        /// Its output.
        output: &'a str,
    },
    /// How a task ended.
    Status(&'a str),
    /// A parameter of the run; files of the old schema have it.
    Run,
}

impl fmt::Display for Source<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(_) => formatter.write_str("a constant"),
            Self::Graph(name) => write!(formatter, "the graph's input `{name}`"),
            Self::Output { task, output } => write!(formatter, "the output `{output}` of the task `{task}`"),
            Self::Status(task) => write!(formatter, "the final status of the task `{task}`"),
            Self::Run => formatter.write_str("a parameter of the run"),
        }
    }
}

/// The sources of an input: one, when it is right.
pub(super) fn all(input: &ParameterInput) -> Vec<Source<'_>> {
    let graph = input.component_input_parameter.as_deref().map(Source::Graph);
    let constant = input.runtime_value.as_ref().map(|value| match value {
        RuntimeValue::Constant(value) => Source::Constant(value),
        RuntimeValue::RuntimeParameter(_) => Source::Run,
    });
    let output = input.task_output_parameter.as_ref().map(|each| Source::Output {
        task: &each.producer_task,
        output: &each.output_parameter_key,
    });
    let status = input
        .task_final_status
        .as_ref()
        .map(|each| Source::Status(&each.producer_task));
    [graph, constant, output, status].into_iter().flatten().collect()
}

/// The one source of an input.
pub(super) fn only(input: &ParameterInput) -> Option<Source<'_>> {
    match all(input).as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}

/// What the component of a task declares for an input.
pub(super) fn declared<'a>(place: &TaskPlace<'a>, name: &str) -> Option<&'a InputParameter> {
    place.component?.input_definitions.parameters.get(name)
}

/// The type of what arrives at an input: `None` when it is not known, or the source does not exist.
pub(super) fn parameter_type(
    context: &Context<'_>,
    place: &TaskPlace<'_>,
    input: &ParameterInput,
) -> Option<ParameterType> {
    if input.parameter_expression_selector.is_some() {
        return None;
    }
    match only(input)? {
        Source::Constant(_) | Source::Run => None,
        Source::Graph(name) => {
            let declared = &place.around.component.input_definitions.parameters;
            declared.get(name).map(|input| input.parameter_type)
        }
        Source::Output { task, output } => output_type(&place.beside(context, task)?, output),
        Source::Status(_) => Some(ParameterType::TaskFinalStatus),
    }
}

/// The type of what a task gives under a name: a list when it is a loop, whatever its component declares.
pub(super) fn output_type(place: &TaskPlace<'_>, output: &str) -> Option<ParameterType> {
    let output = place.component?.output_definitions.parameters.get(output)?;
    Some(match place.is_loop() {
        true => ParameterType::List,
        false => output.parameter_type,
    })
}

/// What arrives at an input for artifacts: `None` when the source does not exist.
pub(super) fn artifact<'a>(
    context: &Context<'a>,
    place: &TaskPlace<'a>,
    source: &ArtifactSource,
) -> Option<&'a ArtifactDefinition> {
    match source {
        ArtifactSource::ComponentInputArtifact(name) => place.around.component.input_definitions.artifacts.get(name),
        ArtifactSource::TaskOutputArtifact(output) => {
            let producer = place.beside(context, &output.producer_task)?.component?;
            producer.output_definitions.artifacts.get(&output.output_artifact_key)
        }
    }
}

/// The tasks whose outputs or status a task reads, each once, sorted.
pub(super) fn producers<'a>(place: &TaskPlace<'a>) -> std::collections::BTreeSet<&'a str> {
    let parameters = place.task.inputs.parameters.values().flat_map(all);
    let parameters = parameters.filter_map(|source| match source {
        Source::Output { task, .. } | Source::Status(task) => Some(task),
        Source::Constant(_) | Source::Graph(_) | Source::Run => None,
    });
    let artifacts = place.task.inputs.artifacts.values().filter_map(|source| match source {
        ArtifactSource::TaskOutputArtifact(output) => Some(output.producer_task.as_str()),
        ArtifactSource::ComponentInputArtifact(_) => None,
    });
    parameters.chain(artifacts).collect()
}
