//! What Airflow can express, and what depends on the target's runner and release: the machine of a step, the one schedule of a
//! DAG, the names of its tasks.

use std::collections::BTreeMap;

use super::{Feature, Refusal, RefusalPlace, Support};
use crate::plan::{
    AirflowTarget, AirflowVersion, Graph, Kubernetes, Node, NodeKind, Pipeline, Plan, Resources, Runner, Trigger,
};
use crate::types::Value;

/// How far Airflow supports a feature with at least one runner.
pub(super) fn support(feature: Feature) -> Support {
    match feature {
        Feature::PythonStep => Support::Lowered("`mlp launch`, which runs the function through the step shim"),
        Feature::CommandStep => Support::Lowered("`mlp launch`, which is brought into the step's own image"),
        Feature::Operation => Support::Lowered("`mlp launch` in the runtime image, or in a process of the worker"),
        Feature::Branch => Support::Lowered("a guard for each arm, and a join"),
        Feature::Loop => {
            Support::Lowered("copies of the tasks where the list is known, a mapped group of tasks elsewhere")
        }
        Feature::ArtifactLoop => Support::Lowered("a mapped group; not over a list whose length only a step knows"),
        Feature::ArtifactList => Support::Lowered("put together by the launcher"),
        Feature::Finally => Support::Lowered("a teardown that looks how the run ended, and the tasks behind it"),
        Feature::CalledFinally => {
            Support::Lowered("as in the pipeline that is started; not behind a loop that is mapped")
        }
        Feature::Call => Support::Lowered("a group of tasks"),
        Feature::Retries => Support::Lowered("the retries of the task; Airflow adds a random part to each wait"),
        Feature::Timeout | Feature::ContainerTimeout => {
            Support::Lowered("the launcher ends the step, and Airflow a task that hangs")
        }
        Feature::Cache => Support::Lowered("our own content key, looked up by the launcher"),
        Feature::Resources => {
            Support::Lowered("the resources of the pod or the container; recorded with `runner: local`")
        }
        Feature::Gpu => Support::Lowered("the resources of the pod or the container; recorded with `runner: local`"),
        Feature::Disk => Support::Lowered("the ephemeral storage of the pod; recorded with other runners"),
        Feature::Tpu => Support::Lowered(
            "the resource and the node labels of Google Kubernetes Engine; one machine a step; only with `runner: kubernetes`",
        ),
        Feature::Spot => Support::Lowered(
            "the node label and the toleration of Google Kubernetes Engine; recorded with other runners",
        ),
        Feature::Secrets | Feature::ContainerSecrets => Support::Lowered(
            "environment variables from Kubernetes secrets; with other runners a variable or a file of the worker",
        ),
        Feature::Image => Support::Lowered("the image of the pod or the container; recorded with `runner: local`"),
        Feature::Kubernetes => Support::Lowered("the settings of the pod; recorded with other runners"),
        Feature::Registry => {
            Support::Lowered("the volume of the target's `registry_claim`; with other runners a folder below `root`")
        }
        Feature::Schedule => {
            Support::Lowered("a timetable with its time zone; one zone for all schedules of a pipeline")
        }
        Feature::DataTrigger => Support::Lowered("assets; several triggers start the pipeline each"),
        Feature::Approval => Support::Lowered("a question in Airflow's own list, from release 3.1 on"),
        Feature::Name => Support::Lowered("as they are: letters, digits and `_`, 250 characters with the path"),
        Feature::Attempt | Feature::ContainerHole | Feature::LargeInteger => Support::Full,
    }
}

/// What a runner has no machine for: setting, feature, why, way out.
pub(super) fn machine_problem(
    target: &AirflowTarget,
    resources: &Resources,
) -> Option<(&'static str, Feature, String, String)> {
    let runner = match target.runner {
        Runner::Kubernetes => return None,
        Runner::Docker => "containers of a Docker engine have",
        Runner::Local => "processes of a worker have",
    };
    resources.tpu.as_ref()?;
    Some((
        "resources.tpu",
        Feature::Tpu,
        format!("{runner} no TPU"),
        "Use `runner: kubernetes`, or leave `tpu` out.".to_owned(),
    ))
}

/// Where every pod has something of ours: the program, scratch space, the registry, what Airflow reads.
const OWN_PATHS: [&str; 4] = ["/mlp", "/tmp", "/mlp-registry", "/airflow/xcom"];
/// Labels by which Airflow knows its pods.
const OWN_LABELS: [&str; 9] = [
    "airflow_kpo_in_cluster",
    "airflow_version",
    "already_checked",
    "dag_id",
    "kubernetes_pod_operator",
    "map_index",
    "run_id",
    "task_id",
    "try_number",
];

/// What a step asks for that its pod has already: why, way out.
pub(super) fn pod_problems(target: &AirflowTarget, pod: &Kubernetes) -> Vec<(String, String)> {
    if target.runner != Runner::Kubernetes {
        return Vec::new();
    }
    let paths = pod.volumes.iter().map(|volume| volume.path.as_str());
    let paths = paths.filter(|path| OWN_PATHS.contains(path)).map(|path| {
        let way_out = match path {
            "/tmp" => "Say how much scratch space it needs with `disk` of `resources`.".to_owned(),
            _ => "Mount the volume at another path.".to_owned(),
        };
        (format!("every pod has a volume at `{path}` already"), way_out)
    });
    let labels = pod.labels.keys().filter(|label| OWN_LABELS.contains(&label.as_str()));
    let labels = labels.map(|label| {
        let why = format!("Airflow sets the label `{label}` itself, and finds its pods by it");
        (why, "Give the label another name.".to_owned())
    });
    paths.chain(labels).collect()
}

/// What one DAG cannot have of a pipeline's triggers: it has one set of parameters and one time zone.
pub(super) fn trigger_refusals(plan: &Plan, pipeline: &Pipeline, target: &AirflowTarget) -> Vec<Refusal> {
    let triggers = plan
        .triggers
        .values()
        .filter(|trigger| trigger.pipeline == pipeline.name);
    let triggers: Vec<&Trigger> = triggers.collect();
    let mut found = Vec::new();
    let refusal = |trigger: &Trigger, setting, feature, why: String, way_out: String| Refusal {
        place: RefusalPlace::Trigger {
            trigger: trigger.name.clone(),
            setting,
        },
        feature,
        why,
        way_out,
    };
    if let Some((first, others)) = triggers.split_first() {
        for other in others
            .iter()
            .filter(|other| values(pipeline, other) != values(pipeline, first))
        {
            found.push(refusal(
                other,
                "parameters",
                feature_of(other),
                format!(
                    "a DAG has one set of parameters, and `{}` starts it with others",
                    first.name
                ),
                format!(
                    "Give both the same values, or let this one start a pipeline of its own that calls `{}`.",
                    pipeline.name
                ),
            ));
        }
    }
    let mut schedules = triggers.iter().filter(|trigger| trigger.cron.is_some());
    let Some(first) = schedules.next() else {
        return found;
    };
    for other in schedules {
        if target.version == AirflowVersion::Two {
            found.push(refusal(
                other,
                "cron",
                Feature::Schedule,
                format!(
                    "a DAG of Airflow 2.10 has one schedule, and `{}` has one already",
                    pipeline.name
                ),
                "Write both times into one schedule, as in \"0 2,14 * * *\", or use `version: \"3\"`.".to_owned(),
            ));
        } else if other.timezone != first.timezone {
            found.push(refusal(
                other,
                "timezone",
                Feature::Schedule,
                format!(
                    "the schedules of a DAG have one time zone, and `{}` is meant in `{}`",
                    first.name, first.timezone
                ),
                format!(
                    "Write both in one time zone, or let this one start a pipeline of its own that calls `{}`.",
                    pipeline.name
                ),
            ));
        }
    }
    found
}

fn feature_of(trigger: &Trigger) -> Feature {
    match trigger.cron {
        Some(_) => Feature::Schedule,
        None => Feature::DataTrigger,
    }
}

/// What a pipeline gets for its parameters when a trigger starts it.
fn values<'p>(pipeline: &'p Pipeline, trigger: &'p Trigger) -> BTreeMap<&'p str, Option<&'p Value>> {
    let value = |parameter: &'p crate::plan::Parameter| {
        let given = trigger.parameters.get(&parameter.name).or(parameter.default.as_ref());
        (parameter.name.as_str(), given)
    };
    pipeline.parameters.iter().map(value).collect()
}

/// The longest name of a DAG or a task.
const LONGEST: usize = 250;
/// What our own tasks add to the names of nodes, at the longest: `-outputs`.
const ADDED: usize = 8;

/// Names that Airflow refuses, and tasks that would have the same one.
pub(super) fn name_refusals(plan: &Plan, pipeline: &Pipeline) -> Vec<Refusal> {
    let mut names = Names {
        plan,
        pipeline: &pipeline.name,
        calls: Vec::new(),
        taken: BTreeMap::new(),
        found: Vec::new(),
    };
    if !is_name(&pipeline.name) || pipeline.name.len() > LONGEST {
        let name = &pipeline.name;
        let why = match is_name(name) {
            true => format!(
                "a DAG's name has {LONGEST} characters at the most, and this one has {}",
                name.len()
            ),
            false => format!("a DAG cannot be called `{name}`, for its name has letters, digits and `_` alone"),
        };
        names.refuse(None, why, "Give the pipeline another name.");
    }
    names.graph(&pipeline.graph, "", 0, None);
    names.found
}

/// Letters, digits and `_`. (Names of nodes have nothing else but a dot; a dash is in the names of our own tasks.)
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A walk over a pipeline and those that it calls.
struct Names<'p> {
    plan: &'p Plan,
    pipeline: &'p str,
    calls: Vec<&'p str>,
    /// Names of tasks, with what they stand for in messages.
    taken: BTreeMap<String, String>,
    found: Vec<Refusal>,
}

impl<'p> Names<'p> {
    fn refuse(&mut self, node: Option<&str>, why: String, way_out: &str) {
        let pipeline = self.pipeline.to_owned();
        let place = match node {
            Some(node) => RefusalPlace::Node {
                pipeline,
                node: node.to_owned(),
            },
            None => RefusalPlace::Pipeline(pipeline),
        };
        self.found.push(Refusal {
            place,
            feature: Feature::Name,
            why,
            way_out: way_out.to_owned(),
        });
    }

    /// `at` is the node of the pipeline itself whose call leads here; `ends` is what the turns of loops add.
    fn graph(&mut self, graph: &'p Graph, prefix: &str, ends: usize, at: Option<&'p str>) {
        for node in &graph.nodes {
            self.node(node, prefix, ends, at);
        }
    }

    fn node(&mut self, node: &'p Node, prefix: &str, ends: usize, at: Option<&'p str>) {
        let place = at.unwrap_or(&node.id);
        let task = format!("{prefix}{}", node.id);
        let length = task.len().saturating_add(ends).saturating_add(ADDED);
        if length > LONGEST {
            let why = format!(
                "a task's name has {LONGEST} characters at the most, and `{}` has {length} with its path",
                shortened(&task)
            );
            return self.refuse(Some(place), why, "Shorten it, or the names of the calls around it.");
        }
        let what = match at {
            Some(_) => format!("`{}` in the call `{}`", node.id, prefix.trim_end_matches('.')),
            None => format!("`{}`", node.id),
        };
        if let Some(other) = self.taken.insert(task.clone(), what.clone()) {
            let why = format!("{other} and {what} would both be the task `{task}`");
            return self.refuse(Some(place), why, "Give one of them another name, with `let`.");
        }
        match &node.kind {
            NodeKind::Branch(branch) => {
                self.graph(&branch.then, prefix, ends, at);
                self.graph(&branch.otherwise, prefix, ends, at);
            }
            NodeKind::Loop(each) => {
                /// A dot and the number of a turn: no list of constants has ten thousand items.
                const TURN: usize = 5;
                self.graph(&each.body, prefix, ends.saturating_add(TURN), at);
            }
            NodeKind::Finally(last) => self.graph(last, prefix, ends, at),
            NodeKind::Pipeline(call) => self.call(&call.pipeline, &format!("{task}."), ends, place),
            NodeKind::Step(_) | NodeKind::Operation(_) => {}
        }
    }

    fn call(&mut self, pipeline: &'p str, prefix: &str, ends: usize, at: &'p str) {
        let Some(called) = self.plan.pipelines.get(pipeline) else {
            return;
        };
        if !self.calls.contains(&pipeline) {
            self.calls.push(pipeline);
            self.graph(&called.graph, prefix, ends, Some(at));
            self.calls.pop();
        }
    }
}

/// The beginning of a name that is too long for a message.
fn shortened(name: &str) -> String {
    let beginning: String = name.chars().take(40).collect();
    format!("{beginning}…")
}
