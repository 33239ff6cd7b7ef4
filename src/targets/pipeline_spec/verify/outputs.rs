//! What graphs give: every declared output, from tasks that have it, of the declared type.

use super::super::{Dag, OutputParameter, ParameterSelector, ParameterType};
use super::context::{ComponentPlace, Context, TaskPlace};
use super::finding::{FindingKind, Findings};
use super::references::mean;
use super::sources::output_type;
use super::wiring::{differ, fit};

/// How an output of a graph is named in sentences.
struct Output<'a> {
    place: ComponentPlace<'a>,
    section: &'static str,
    name: &'a str,
}

impl Output<'_> {
    fn at(&self) -> String {
        self.place.at(&["dag", "outputs", self.section, self.name])
    }

    fn noun(&self) -> String {
        format!("The output `{}` of {}", self.name, self.place.noun())
    }

    fn undeclared(&self, findings: &mut Findings) {
        findings.add(
            FindingKind::UndeclaredOutput,
            self.at(),
            format!("{} is given by its graph, and not declared.", self.noun()),
            "Declare it in `outputDefinitions`, or leave it out.",
        );
    }

    fn unconnected(&self, findings: &mut Findings) {
        findings.add(
            FindingKind::UnconnectedOutput,
            self.place.at(&["outputDefinitions", self.section, self.name]),
            format!("{} is declared, and its graph does not give it.", self.noun()),
            format!("Add it to `dag.outputs.{}`, or leave it out.", self.section),
        );
    }

    fn without_choice(&self, findings: &mut Findings) {
        findings.add(
            FindingKind::OutputChoice,
            self.at(),
            format!("{} names no task that it comes from.", self.noun()),
            "Name at least one.",
        );
    }

    /// Says that a producer or its output is not there.
    fn unknown(&self, context: &Context<'_>, dag: &Dag, task: &str, output: &str, findings: &mut Findings) {
        if dag.tasks.is_empty() {
            return;
        }
        let Some(producer) = dag.tasks.get(task) else {
            let message = format!(
                "{} comes from the task `{task}`, which is not in its graph.",
                self.noun()
            );
            let help = mean(task, dag.tasks.keys(), "Name a task of the graph.");
            findings.add(FindingKind::UnknownTask, self.at(), message, help);
            return;
        };
        let Some(component) = context.spec.components.get(&producer.component_ref.name) else {
            return;
        };
        let outputs = &component.output_definitions;
        let known: Vec<&String> = match self.section {
            "artifacts" => outputs.artifacts.keys().collect(),
            _ => outputs.parameters.keys().collect(),
        };
        let message = format!(
            "{} is the output `{output}` of the task `{task}`, which has no such output among its {}.",
            self.noun(),
            self.section
        );
        let help = mean(output, known, "Declare it in the outputs of that task's component.");
        findings.add(FindingKind::UnknownOutput, self.at(), message, help);
    }
}

/// Parameters that a graph gives.
pub(super) fn parameters(context: &Context<'_>, place: ComponentPlace<'_>, findings: &mut Findings) {
    let Some(dag) = &place.component.dag else { return };
    let (declared, given) = (&place.component.output_definitions.parameters, &dag.outputs.parameters);
    let output = |name| Output {
        place,
        section: "parameters",
        name,
    };
    for name in declared.keys().filter(|name| !given.contains_key(*name)) {
        output(name).unconnected(findings);
    }
    for (name, from) in given {
        let output = output(name);
        let selectors = match from {
            OutputParameter::ValueFromParameter(selector) => std::slice::from_ref(selector),
            OutputParameter::ValueFromOneof(choice) => choice.parameter_selectors.as_slice(),
        };
        if selectors.is_empty() {
            output.without_choice(findings);
        }
        let declared = declared.get(name).map(|output| output.parameter_type);
        if declared.is_none() {
            output.undeclared(findings);
            continue;
        }
        for selector in selectors {
            parameter(context, dag, &output, declared, selector, findings);
        }
    }
}

/// Whether what a component gives is declared as what a loop makes of it. The component of a loop declares lists; `kfp`
/// declares them for the groups inside it too, where each gives one item.
fn is_gathered(context: &Context<'_>, place: ComponentPlace<'_>, is_list: bool) -> bool {
    is_loop(context, place) || (is_list && context.is_inside_loop(place))
}

/// Whether a loop runs the component.
fn is_loop(context: &Context<'_>, place: ComponentPlace<'_>) -> bool {
    context.runs_of(place).iter().any(TaskPlace::is_loop)
}

/// One task that a parameter may come from.
fn parameter(
    context: &Context<'_>,
    dag: &Dag,
    output: &Output<'_>,
    declared: Option<ParameterType>,
    selector: &ParameterSelector,
    findings: &mut Findings,
) {
    let (task, key) = (&selector.producer_subtask, &selector.output_parameter_key);
    let given = output
        .place
        .task(context, task)
        .and_then(|producer| output_type(&producer, key));
    let Some(given) = given else {
        output.unknown(context, dag, task, key, findings);
        return;
    };
    let is_gathered = is_gathered(context, output.place, declared == Some(ParameterType::List));
    if let Some(declared) = declared
        && differ(declared, given)
        && !is_gathered
    {
        findings.add(
            FindingKind::TypeMismatch,
            output.at(),
            format!(
                "{} is declared as {}, and the output `{key}` of the task `{task}` is {}.",
                output.noun(),
                declared.name(),
                given.name()
            ),
            "Declare the same type on both sides.",
        );
    }
}

/// Artifacts that a graph gives.
pub(super) fn artifacts(context: &Context<'_>, place: ComponentPlace<'_>, findings: &mut Findings) {
    let Some(dag) = &place.component.dag else { return };
    let (declared, given) = (&place.component.output_definitions.artifacts, &dag.outputs.artifacts);
    let output = |name| Output {
        place,
        section: "artifacts",
        name,
    };
    for name in declared.keys().filter(|name| !given.contains_key(*name)) {
        output(name).unconnected(findings);
    }
    for (name, from) in given {
        let output = output(name);
        if from.artifact_selectors.is_empty() {
            output.without_choice(findings);
        }
        let declared = declared.get(name);
        if declared.is_none() {
            output.undeclared(findings);
            continue;
        }
        for selector in &from.artifact_selectors {
            let (task, key) = (&selector.producer_subtask, &selector.output_artifact_key);
            let producer = dag
                .tasks
                .get(task)
                .and_then(|task| context.spec.components.get(&task.component_ref.name));
            match producer.and_then(|component| component.output_definitions.artifacts.get(key)) {
                None => output.unknown(context, dag, task, key, findings),
                Some(given) => {
                    if let Some(declared) = declared {
                        // What a loop gathers is a list of whatever its tasks give.
                        let mut given = given.clone();
                        given.is_artifact_list |= is_gathered(context, place, declared.is_artifact_list);
                        fit(&output.noun(), declared, &given, || output.at(), findings);
                    }
                }
            }
        }
    }
}

/// What a loop gives is a list.
pub(super) fn loop_results(context: &Context<'_>, place: ComponentPlace<'_>, findings: &mut Findings) {
    if !is_loop(context, place) {
        return;
    }
    for (name, output) in &place.component.output_definitions.parameters {
        if output.parameter_type != ParameterType::List {
            findings.add(
                FindingKind::LoopOutput,
                place.at(&["outputDefinitions", "parameters", name]),
                format!(
                    "The output `{name}` of {} is {}, and a loop runs it: what comes out is a list.",
                    place.noun(),
                    output.parameter_type.name()
                ),
                "Declare it as LIST.",
            );
        }
    }
}
