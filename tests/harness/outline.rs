//! A specification as people read it: every graph with its tasks, where each takes its inputs from, and when it runs.

use std::fmt::Write as _;

use mlp::targets::pipeline_spec::{
    ArtifactSource, Component, OutputParameter, ParameterInput, ParameterItems, PipelineSpec, RuntimeValue, Task,
};

/// The root and every graph below it, by name.
pub fn outline(spec: &PipelineSpec) -> String {
    let mut text = String::new();
    let components = spec
        .components
        .iter()
        .map(|(name, component)| (name.as_str(), component));
    for (name, component) in [("root", &spec.root)].into_iter().chain(components) {
        graph(&mut text, name, component);
    }
    text
}

fn graph(text: &mut String, name: &str, component: &Component) {
    let Some(dag) = &component.dag else { return };
    writeln!(text, "{name}").unwrap();
    for (name, each) in &dag.tasks {
        task(text, name, each);
    }
    for (output, source) in &dag.outputs.parameters {
        let selectors = match source {
            OutputParameter::ValueFromOneof(several) => several.parameter_selectors.as_slice(),
            OutputParameter::ValueFromParameter(one) => std::slice::from_ref(one),
        };
        let sources: Vec<String> = selectors
            .iter()
            .map(|selector| format!("{}.{}", selector.producer_subtask, selector.output_parameter_key))
            .collect();
        writeln!(text, "  → {output} = {}", sources.join(" or ")).unwrap();
    }
    for (output, source) in &dag.outputs.artifacts {
        let sources: Vec<String> = source
            .artifact_selectors
            .iter()
            .map(|selector| format!("{}.{}", selector.producer_subtask, selector.output_artifact_key))
            .collect();
        writeln!(text, "  → {output} = artifact {}", sources.join(" or ")).unwrap();
    }
}

fn task(text: &mut String, name: &str, task: &Task) {
    write!(text, "  {name}").unwrap();
    if task.component_ref.name != format!("comp-{name}") {
        write!(text, " ({})", task.component_ref.name).unwrap();
    }
    if !task.dependent_tasks.is_empty() {
        write!(text, " after {}", task.dependent_tasks.join(", ")).unwrap();
    }
    text.push('\n');
    for (input, source) in &task.inputs.parameters {
        writeln!(text, "    {input} = {}", parameter(source)).unwrap();
    }
    for (input, source) in &task.inputs.artifacts {
        let source = match source {
            ArtifactSource::ComponentInputArtifact(name) => format!("input {name}"),
            ArtifactSource::TaskOutputArtifact(output) => {
                format!("{}.{}", output.producer_task, output.output_artifact_key)
            }
        };
        writeln!(text, "    {input} = artifact {source}").unwrap();
    }
    if let Some(each) = &task.parameter_iterator {
        let items = match &each.items {
            ParameterItems::InputParameter(name) => format!("input {name}"),
            ParameterItems::Raw(raw) => raw.clone(),
        };
        let most = task.iterator_policy.as_ref().map(|policy| policy.parallelism_limit);
        let most = most.map(|limit| format!(", {limit} at once")).unwrap_or_default();
        writeln!(text, "    for {} in {items}{most}", each.item_input).unwrap();
    }
    if let Some(trigger) = &task.trigger_policy {
        if let Some(condition) = &trigger.condition {
            writeln!(text, "    if {condition}").unwrap();
        }
        if let Some(strategy) = &trigger.strategy {
            writeln!(text, "    when {strategy:?}").unwrap();
        }
    }
}

fn parameter(source: &ParameterInput) -> String {
    let mut text = match source {
        ParameterInput {
            component_input_parameter: Some(name),
            ..
        } => format!("input {name}"),
        ParameterInput {
            task_output_parameter: Some(output),
            ..
        } => format!("{}.{}", output.producer_task, output.output_parameter_key),
        ParameterInput {
            task_final_status: Some(status),
            ..
        } => format!("how {} ended", status.producer_task),
        ParameterInput {
            runtime_value: Some(RuntimeValue::Constant(constant)),
            ..
        } => constant.to_string(),
        other => format!("{other:?}"),
    };
    if let Some(selector) = &source.parameter_expression_selector {
        write!(text, " | {selector}").unwrap();
    }
    text
}
