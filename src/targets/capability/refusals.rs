//! What a pipeline uses that a target cannot express, each with its place.
//!
//! Places are nodes and steps of the plan; the checker knows where they stand in the source.

use std::collections::BTreeSet;

use super::{Feature, Support, airflow, support};
use crate::plan::{
    AirflowVersion, ArgumentPart, DeclaredTarget, Graph, Node, NodeKind, NodePath, Operand, Operation, Origin,
    Pipeline, Plan, Platform, PortType, Reference, Resources, Run, Runner, Step,
};
use crate::targets::{TargetName, accelerators};
use crate::types::{DataKind, Value};

/// The largest whole number that floating point with 64 bits keeps, and every one below.
const LARGEST_INTEGER: u64 = (1 << 53) - 1;

/// Something that a target cannot express.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// Where it is.
    pub place: RefusalPlace,
    /// What it is.
    pub feature: Feature,
    /// Why: the end of a sentence, without a full stop.
    pub why: String,
    /// What to write instead: a full sentence.
    pub way_out: String,
}

/// A place in the plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefusalPlace {
    /// A pipeline as a whole.
    Pipeline(String),
    /// A node of a pipeline.
    Node {
        /// The pipeline.
        pipeline: String,
        /// The node.
        node: NodePath,
    },
    /// A setting of a step.
    Step {
        /// Key in [`Plan::steps`].
        step: String,
        /// The setting: `timeout`, `resources.gpu`.
        setting: &'static str,
    },
    /// A setting of a trigger.
    Trigger {
        /// Key in [`Plan::triggers`].
        trigger: String,
        /// The setting: `data`.
        setting: &'static str,
    },
}

/// Everything that `target` cannot express of `pipeline` and of the steps that it calls, each once, in the order of places.
/// Pipelines that it calls are to be asked for on their own.
#[must_use]
pub fn refusals(plan: &Plan, pipeline: &Pipeline, target: &DeclaredTarget) -> Vec<Refusal> {
    let mut finder = Finder {
        plan,
        pipeline,
        target: target.platform.name(),
        is_second_airflow: match &target.platform {
            Platform::Airflow(settings) => settings.version == AirflowVersion::Two,
            Platform::Local | Platform::Kubeflow(_) | Platform::Vertex(_) => false,
        },
        registry: registry_problem(plan, target),
        found: BTreeSet::new(),
        steps: BTreeSet::new(),
    };
    finder.parameters();
    finder.graph(&pipeline.graph);
    for output in &pipeline.outputs {
        finder.operand(None, &output.value);
    }
    let Finder { mut found, steps, .. } = finder;
    for step in steps.iter().filter_map(|name| plan.steps.get(*name)) {
        found.extend(step_refusals(step, target));
    }
    found.extend(data_triggers(plan, pipeline, target));
    if let Platform::Airflow(settings) = &target.platform {
        found.extend(airflow::trigger_refusals(plan, pipeline, settings));
        found.extend(airflow::name_refusals(plan, pipeline));
    }
    found.into_iter().collect()
}

/// The triggers of a pipeline that wait for data, where the target starts nothing by data.
fn data_triggers(plan: &Plan, pipeline: &Pipeline, target: &DeclaredTarget) -> Vec<Refusal> {
    let Support::Refused { why, way_out } = support(target.platform.name(), Feature::DataTrigger) else {
        return Vec::new();
    };
    let triggers = plan.triggers.values();
    let waiting = triggers.filter(|trigger| trigger.pipeline == pipeline.name && !trigger.data.is_empty());
    let refusal = |trigger: &crate::plan::Trigger| Refusal {
        place: RefusalPlace::Trigger {
            trigger: trigger.name.clone(),
            setting: "data",
        },
        feature: Feature::DataTrigger,
        why: why.to_owned(),
        way_out: way_out.to_owned(),
    };
    waiting.map(refusal).collect()
}

/// Why a declared target has no registry that all runs share, and the way out. One that nobody declares has no settings to
/// name it in; whoever builds for it is warned.
fn registry_problem(plan: &Plan, target: &DeclaredTarget) -> Option<(&'static str, &'static str)> {
    const NO_VOLUME: (&str, &str) = (
        "they need a registry that all runs share, and the target does not say on which volume it is",
        "Add `registry_claim: \"mlp-registry\"` to the target, the name of a claim that is there.",
    );
    const NO_FOLDER: (&str, &str) = (
        "they need a registry that all runs share, a folder below the target's `root`, and that is no folder",
        "Write the path of a folder that every worker sees as `root`, or use `runner: kubernetes` with a `registry_claim`.",
    );
    let claimed = |claim: &Option<String>| claim.is_none().then_some(NO_VOLUME);
    let problem = match &target.platform {
        Platform::Local | Platform::Vertex(_) => None,
        Platform::Kubeflow(settings) => claimed(&settings.registry_claim),
        Platform::Airflow(settings) => match settings.runner {
            Runner::Kubernetes => claimed(&settings.registry_claim),
            Runner::Docker | Runner::Local => {
                let is_elsewhere = settings.root.as_ref().is_some_and(|root| root.contains("://"));
                is_elsewhere.then_some(NO_FOLDER)
            }
        },
    };
    problem.filter(|_| plan.targets.contains_key(&target.name))
}

/// Where a refused construct stands in the source, as far as the plan knows: the node, or one that calls the step.
#[must_use]
pub fn origin<'p>(plan: &'p Plan, place: &RefusalPlace) -> Option<&'p Origin> {
    match place {
        RefusalPlace::Pipeline(_) | RefusalPlace::Trigger { .. } => None,
        RefusalPlace::Node { pipeline, node } => plan.pipelines.get(pipeline)?.origins.get(node),
        RefusalPlace::Step { step, .. } => plan.pipelines.values().find_map(|pipeline| {
            let node = caller(&pipeline.graph, step)?;
            pipeline.origins.get(&node.id)
        }),
    }
}

/// A node that calls a step.
pub(crate) fn caller<'g>(graph: &'g Graph, step: &str) -> Option<&'g Node> {
    graph.nodes.iter().find_map(|node| match &node.kind {
        NodeKind::Step(call) if call.step == step => Some(node),
        NodeKind::Step(_)
        | NodeKind::Operation(_)
        | NodeKind::Branch(_)
        | NodeKind::Loop(_)
        | NodeKind::Finally(_)
        | NodeKind::Pipeline(_) => inner(node).into_iter().find_map(|graph| caller(graph, step)),
    })
}

/// Everything that `target` cannot express of the settings of one step.
#[must_use]
pub fn step_refusals(step: &Step, target: &DeclaredTarget) -> Vec<Refusal> {
    let name = target.platform.name();
    let mut found = Vec::new();
    let mut refuse = |setting: &'static str, feature: Feature, why: String, way_out: String| {
        let place = RefusalPlace::Step {
            step: step.name.clone(),
            setting,
        };
        found.push(Refusal {
            place,
            feature,
            why,
            way_out,
        });
    };
    for (setting, feature) in used(step) {
        if let Support::Refused { why, way_out } = support(name, feature) {
            refuse(setting, feature, why.to_owned(), way_out.to_owned());
        }
    }
    let is_remote = match &target.platform {
        Platform::Local => false,
        Platform::Kubeflow(_) | Platform::Vertex(_) => true,
        Platform::Airflow(settings) => settings.runner == Runner::Kubernetes,
    };
    let runs_alone = support(name, Feature::ContainerSecrets).is_refused() && runs_alone(step);
    for secret in step.secrets.keys().filter(|_| is_remote && !runs_alone) {
        if !target.secrets.contains_key(secret) {
            let example = match target.platform {
                Platform::Vertex(_) => "projects/PROJECT/secrets/NAME/versions/latest",
                Platform::Local | Platform::Kubeflow(_) | Platform::Airflow(_) => "secret-name/key",
            };
            refuse(
                "secrets",
                Feature::Secrets,
                format!("the target does not say where it keeps the secret `{secret}`"),
                format!("Add `secrets: {{ {secret}: \"{example}\" }}` to the target."),
            );
        }
    }
    let on_airflow = match &target.platform {
        Platform::Airflow(settings) => airflow::machine_problem(settings, &step.resources),
        Platform::Local | Platform::Kubeflow(_) | Platform::Vertex(_) => None,
    };
    let problems = match on_airflow {
        Some(problem) => vec![problem],
        None => machine_problems(name, &step.resources),
    };
    for (setting, feature, why, way_out) in problems {
        refuse(setting, feature, why, way_out);
    }
    if let (Platform::Airflow(settings), Some(pod)) = (&target.platform, &step.kubernetes) {
        for (why, way_out) in airflow::pod_problems(settings, pod) {
            refuse("kubernetes", Feature::Kubernetes, why, way_out);
        }
    }
    found
}

/// Whether a step is a command in an image of its own, which has nothing of ours in it.
fn runs_alone(step: &Step) -> bool {
    step.image.is_some() && matches!(step.run, Run::Command(_))
}

/// The features that a step's settings use, with the setting of each.
fn used(step: &Step) -> Vec<(&'static str, Feature)> {
    let runs_alone = runs_alone(step);
    let uses = [
        (
            runs_alone && step.timeout.is_some(),
            "timeout",
            Feature::ContainerTimeout,
        ),
        (
            runs_alone && !step.secrets.is_empty(),
            "secrets",
            Feature::ContainerSecrets,
        ),
        (runs_alone && has_container_hole(step), "run", Feature::ContainerHole),
        (step.timeout.is_some(), "timeout", Feature::Timeout),
        (step.resources.disk.is_some(), "resources.disk", Feature::Disk),
        (step.resources.gpu.is_some(), "resources.gpu", Feature::Gpu),
        (step.resources.tpu.is_some(), "resources.tpu", Feature::Tpu),
        (step.resources.spot, "resources.spot", Feature::Spot),
        (step.kubernetes.is_some(), "kubernetes", Feature::Kubernetes),
    ];
    uses.into_iter()
        .filter(|(is_used, _, _)| *is_used)
        .map(|(_, setting, feature)| (setting, feature))
        .collect()
}

/// Whether a command has a hole that no placeholder can write, or text that a platform would take for a placeholder.
fn has_container_hole(step: &Step) -> bool {
    let Run::Command(arguments) = &step.run else {
        return false;
    };
    let is_plain = |name: &str| match step.input(name).map(|port| &port.ty) {
        Some(PortType::Value(ty)) => {
            !ty.optional
                && match &ty.kind {
                    DataKind::List(_) | DataKind::Map(_) | DataKind::Record(_) => false,
                    DataKind::Bool
                    | DataKind::Int
                    | DataKind::Float
                    | DataKind::String
                    | DataKind::Date
                    | DataKind::Datetime
                    | DataKind::Duration
                    | DataKind::Size
                    | DataKind::Money
                    | DataKind::Enum(_) => true,
                }
        }
        Some(PortType::List(_)) => false,
        Some(_) | None => true,
    };
    arguments.iter().flatten().any(|part| match part {
        // Alone, `{{$}}` asks for everything that the task is given: so the platform's own Python components are called.
        ArgumentPart::Text(text) => text != "{{$}}" && text.contains("{{$"),
        ArgumentPart::Hole(name) | ArgumentPart::Uri(name) => !is_plain(name),
    })
}

/// What a platform's machines have not: setting, feature, why, way out.
fn machine_problems(target: TargetName, resources: &Resources) -> Vec<(&'static str, Feature, String, String)> {
    let mut problems = Vec::new();
    match target {
        TargetName::Plan | TargetName::Local => return problems,
        TargetName::Kubeflow | TargetName::Vertex | TargetName::Airflow => {}
    }
    if let Some((kind, topology)) = &resources.tpu
        && let Some(tpu) = accelerators::tpu(kind)
    {
        if tpu.slice(topology).is_some_and(|slice| slice.hosts > 1) {
            let shapes: Vec<&str> = tpu.single_host_topologies().collect();
            problems.push((
                "resources.tpu",
                Feature::Tpu,
                format!("a step runs on one machine, and a slice `{topology}` of `{kind}` is made of several"),
                format!("Use a slice of one machine: {}.", listed(&shapes)),
            ));
        } else if target == TargetName::Vertex && tpu.vertex_name.is_none() {
            problems.push((
                "resources.tpu",
                Feature::Tpu,
                format!("a task of a Vertex AI pipeline cannot have a TPU of the kind `{kind}`"),
                "Use `v5e`, or run the pipeline on Kubeflow.".to_owned(),
            ));
        }
    }
    if target == TargetName::Vertex {
        problems.extend(vertex_machine_problems(resources));
    }
    problems
}

fn vertex_machine_problems(resources: &Resources) -> Vec<(&'static str, Feature, String, String)> {
    /// Limits of a task's machine, from the page "Specify machine types for a pipeline step".
    const MOST_MILLIS: u64 = 96_000;
    const MOST_MEMORY: u64 = 624_000_000_000;
    let mut problems = Vec::new();
    if resources.cpu_millis.is_some_and(|millis| millis > MOST_MILLIS) {
        problems.push((
            "resources.cpu",
            Feature::Resources,
            "a task of a Vertex AI pipeline can have 96 cores at the most".to_owned(),
            "Ask for `cpu: 96` or fewer.".to_owned(),
        ));
    }
    if resources.memory.is_some_and(|bytes| bytes > MOST_MEMORY) {
        problems.push((
            "resources.memory",
            Feature::Resources,
            "a task of a Vertex AI pipeline can have 624 GB of memory at the most".to_owned(),
            "Ask for `memory: 581GiB` or less.".to_owned(),
        ));
    }
    if resources
        .gpu
        .as_ref()
        .is_some_and(|(kind, _)| kind == accelerators::ANY)
    {
        problems.push((
            "resources.gpu",
            Feature::Gpu,
            "Vertex AI must be told which kind of GPU".to_owned(),
            "Name one, as in `gpu: \"nvidia-l4\"`.".to_owned(),
        ));
    }
    problems
}

/// A walk over one pipeline.
struct Finder<'p> {
    plan: &'p Plan,
    pipeline: &'p Pipeline,
    target: TargetName,
    /// Whether it is Airflow in its second release.
    is_second_airflow: bool,
    /// Why there is no registry, and the way out; said once of a pipeline.
    registry: Option<(&'static str, &'static str)>,
    found: BTreeSet<Refusal>,
    steps: BTreeSet<&'p str>,
}

impl<'p> Finder<'p> {
    /// Keeps the refusal of a feature at a node, if the target refuses it.
    fn uses(&mut self, node: Option<&str>, feature: Feature) {
        if let Support::Refused { why, way_out } = support(self.target, feature) {
            self.refuse(node, feature, why, way_out);
        }
    }

    fn refuse(&mut self, node: Option<&str>, feature: Feature, why: &str, way_out: &str) {
        let pipeline = self.pipeline.name.clone();
        let place = match node {
            Some(node) => RefusalPlace::Node {
                pipeline,
                node: node.to_owned(),
            },
            None => RefusalPlace::Pipeline(pipeline),
        };
        self.found.insert(Refusal {
            place,
            feature,
            why: why.to_owned(),
            way_out: way_out.to_owned(),
        });
    }

    /// Keeps that there is no registry, at the first operation that needs one.
    fn operation(&mut self, node: &str, operation: &Operation) {
        if matches!(operation, Operation::Approve { .. }) {
            self.uses(Some(node), Feature::Approval);
            if self.is_second_airflow {
                let why = "Airflow 2 has no task that waits for a person";
                self.refuse(
                    Some(node),
                    Feature::Approval,
                    why,
                    "Use `version: \"3\"`, or leave `approve` out.",
                );
            }
        }
        if operation.needs_registry()
            && let Some((why, way_out)) = self.registry.take()
        {
            self.refuse(Some(node), Feature::Registry, why, way_out);
        }
    }

    fn parameters(&mut self) {
        let pipeline = self.pipeline;
        for default in pipeline
            .parameters
            .iter()
            .filter_map(|parameter| parameter.default.as_ref())
        {
            self.value(None, default);
        }
    }

    fn graph(&mut self, graph: &'p Graph) {
        for node in &graph.nodes {
            self.node(node);
        }
    }

    fn node(&mut self, node: &'p Node) {
        let at = Some(node.id.as_str());
        for input in &node.inputs {
            self.operand(at, &input.value);
        }
        match &node.kind {
            NodeKind::Step(call) => {
                self.steps.insert(&call.step);
            }
            NodeKind::Operation(operation) => self.operation(&node.id, operation),
            NodeKind::Branch(branch) => {
                branch
                    .condition
                    .references(&mut |reference| self.reference(at, reference));
                for (then, otherwise) in &branch.values {
                    self.operand(at, then);
                    self.operand(at, otherwise);
                }
                self.graph(&branch.then);
                self.graph(&branch.otherwise);
            }
            NodeKind::Loop(looped) => {
                self.operand(at, &looped.items);
                if self.is_artifact_list(&looped.items) {
                    self.uses(at, Feature::ArtifactLoop);
                }
                self.graph(&looped.body);
                for gathered in &looped.gather {
                    self.operand(at, gathered);
                }
            }
            NodeKind::Finally(graph) => self.graph(graph),
            NodeKind::Pipeline(call) => {
                if has_finally(self.plan, &call.pipeline, &mut BTreeSet::new()) {
                    self.uses(at, Feature::CalledFinally);
                }
            }
        }
    }

    fn operand(&mut self, node: Option<&str>, operand: &Operand) {
        match operand {
            Operand::Value(value) => self.value(node, value),
            Operand::List(items) => items.iter().for_each(|item| self.operand(node, item)),
            Operand::Reference(_) | Operand::Expression(_) => {
                operand.references(&mut |reference| self.reference(node, reference));
            }
        }
    }

    fn reference(&mut self, node: Option<&str>, reference: &Reference) {
        match reference {
            Reference::Attempt => self.uses(node, Feature::Attempt),
            Reference::Parameter(_)
            | Reference::Output { .. }
            | Reference::Item(_)
            | Reference::Outcome
            | Reference::RunId
            | Reference::ScheduledTime => {}
        }
    }

    fn value(&mut self, node: Option<&str>, value: &Value) {
        match value {
            Value::Int(value) if value.unsigned_abs() > LARGEST_INTEGER => self.uses(node, Feature::LargeInteger),
            Value::List(items) => items.iter().for_each(|item| self.value(node, item)),
            Value::Map(entries) => entries.values().for_each(|entry| self.value(node, entry)),
            Value::None
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::String(_)
            | Value::Date(_)
            | Value::Datetime(_)
            | Value::Duration(_)
            | Value::Size(_)
            | Value::Money { .. }
            | Value::Enum(_) => {}
        }
    }

    fn is_artifact_list(&self, items: &Operand) -> bool {
        let is_artifact = |reference: &Reference| match reference {
            Reference::Output { node, port } => {
                let port = find(&self.pipeline.graph, node).and_then(|node| {
                    let port = node.outputs.iter().find(|own| own.name == *port)?;
                    Some(!port.ty.is_value())
                });
                port.unwrap_or(false)
            }
            Reference::Parameter(_)
            | Reference::Item(_)
            | Reference::Outcome
            | Reference::RunId
            | Reference::ScheduledTime
            | Reference::Attempt => false,
        };
        let mut found = false;
        items.references(&mut |reference| found |= is_artifact(reference));
        found
    }
}

/// The graphs inside a node.
fn inner(node: &Node) -> Vec<&Graph> {
    match &node.kind {
        NodeKind::Branch(branch) => vec![&branch.then, &branch.otherwise],
        NodeKind::Loop(looped) => vec![&looped.body],
        NodeKind::Finally(graph) => vec![graph],
        NodeKind::Step(_) | NodeKind::Operation(_) | NodeKind::Pipeline(_) => Vec::new(),
    }
}

fn find<'g>(graph: &'g Graph, id: &str) -> Option<&'g Node> {
    graph.nodes.iter().find_map(|node| match node.id == id {
        true => Some(node),
        false => inner(node).into_iter().find_map(|graph| find(graph, id)),
    })
}

/// Whether a pipeline, or one that it calls, has `finally`.
fn has_finally<'p>(plan: &'p Plan, pipeline: &'p str, seen: &mut BTreeSet<&'p str>) -> bool {
    fn within<'p>(plan: &'p Plan, graph: &'p Graph, seen: &mut BTreeSet<&'p str>) -> bool {
        graph.nodes.iter().any(|node| match &node.kind {
            NodeKind::Finally(_) => true,
            NodeKind::Pipeline(call) => has_finally(plan, &call.pipeline, seen),
            NodeKind::Step(_) | NodeKind::Operation(_) | NodeKind::Branch(_) | NodeKind::Loop(_) => {
                inner(node).into_iter().any(|graph| within(plan, graph, seen))
            }
        })
    }
    let known = plan.pipelines.get(pipeline);
    seen.insert(pipeline) && known.is_some_and(|known| within(plan, &known.graph, seen))
}

fn listed(names: &[&str]) -> String {
    crate::types::display::enumerate(names)
}
