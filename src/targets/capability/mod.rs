//! What each target can express: data, from which errors, lowering and the documentation's table follow.
//!
//! The table is by feature. Where a program uses a feature that its target has not, [`refusals`] finds; what the platform
//! gets instead, the target's own module decides.

mod airflow;
mod refusals;

pub(crate) use refusals::caller;
pub use refusals::{Refusal, RefusalPlace, origin, refusals, step_refusals};

use super::TargetName;

/// Something that a plan may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// A step that runs a Python function.
    PythonStep,
    /// A step that runs a command.
    CommandStep,
    /// A built-in operation.
    Operation,
    /// `if/else`
    Branch,
    /// `for`
    Loop,
    /// `for` over a list of artifacts.
    ArtifactLoop,
    /// A list of artifacts that the pipeline puts together.
    ArtifactList,
    /// `finally`
    Finally,
    /// `finally` in a pipeline that another calls.
    CalledFinally,
    /// A pipeline that calls another.
    Call,
    /// `retries`
    Retries,
    /// `attempt()` of `std::run`
    Attempt,
    /// `timeout`
    Timeout,
    /// `timeout` of a command with an image of its own.
    ContainerTimeout,
    /// `cache`
    Cache,
    /// `cpu` and `memory` of `resources`
    Resources,
    /// `disk` of `resources`
    Disk,
    /// `gpu` of `resources`
    Gpu,
    /// `tpu` of `resources`
    Tpu,
    /// `spot` of `resources`
    Spot,
    /// `secrets`
    Secrets,
    /// `secrets` of a command with an image of its own.
    ContainerSecrets,
    /// `image`
    Image,
    /// A hole for a list or an optional value in a command with an image of its own.
    ContainerHole,
    /// `kubernetes`
    Kubernetes,
    /// A whole number beyond 2^53 - 1.
    LargeInteger,
    /// An operation that reads or writes the model registry.
    Registry,
    /// A trigger with a schedule.
    Schedule,
    /// A trigger that waits for data.
    DataTrigger,
    /// `approve` of `std::model`
    Approval,
    /// A name between back-ticks, or a very long one.
    Name,
}

/// How far a target supports a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// As the language means it.
    Full,
    /// The same meaning by another construct of the platform.
    Lowered(&'static str),
    /// Not at all.
    Refused {
        /// Why: the end of a sentence that begins with "no: ".
        why: &'static str,
        /// What to write instead: a full sentence.
        way_out: &'static str,
    },
}

impl Support {
    /// Whether it is not there at all.
    #[must_use]
    pub fn is_refused(self) -> bool {
        matches!(self, Self::Refused { .. })
    }
}

impl Feature {
    /// All of them.
    pub const ALL: [Self; 31] = [
        Self::PythonStep,
        Self::CommandStep,
        Self::Operation,
        Self::Branch,
        Self::Loop,
        Self::ArtifactLoop,
        Self::ArtifactList,
        Self::Finally,
        Self::CalledFinally,
        Self::Call,
        Self::Retries,
        Self::Attempt,
        Self::Timeout,
        Self::ContainerTimeout,
        Self::Cache,
        Self::Resources,
        Self::Disk,
        Self::Gpu,
        Self::Tpu,
        Self::Spot,
        Self::Secrets,
        Self::ContainerSecrets,
        Self::Image,
        Self::ContainerHole,
        Self::Kubernetes,
        Self::LargeInteger,
        Self::Registry,
        Self::Schedule,
        Self::DataTrigger,
        Self::Approval,
        Self::Name,
    ];

    /// As the documentation calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PythonStep => "`run: python`",
            Self::CommandStep => "`run: command`",
            Self::Operation => "built-in operations",
            Self::Branch => "`if/else`",
            Self::Loop => "`for`",
            Self::ArtifactLoop => "`for` over a list of artifacts",
            Self::ArtifactList => "a list of artifacts that the pipeline puts together",
            Self::Finally => "`finally`",
            Self::CalledFinally => "`finally` in a pipeline that another calls",
            Self::Call => "a pipeline that calls another",
            Self::Retries => "`retries`",
            Self::Attempt => "the number of the attempt",
            Self::Timeout => "`timeout`",
            Self::ContainerTimeout => "`timeout` of a command with an image of its own",
            Self::Cache => "`cache`",
            Self::Resources => "`cpu` and `memory`",
            Self::Disk => "`disk`",
            Self::Gpu => "`gpu`",
            Self::Tpu => "`tpu`",
            Self::Spot => "`spot`",
            Self::Secrets => "`secrets`",
            Self::ContainerSecrets => "`secrets` of a command with an image of its own",
            Self::Image => "`image`",
            Self::ContainerHole => "lists, optional values and `{{` in a command with an image of its own",
            Self::Kubernetes => "`kubernetes`",
            Self::LargeInteger => "whole numbers beyond 2^53 - 1",
            Self::Registry => "`champion`, `register` and `deploy`",
            Self::Schedule => "triggers with a schedule",
            Self::DataTrigger => "triggers that wait for data",
            Self::Approval => "`approve`",
            Self::Name => "every name",
        }
    }
}

/// How far `target` supports `feature`.
#[must_use]
pub fn support(target: TargetName, feature: Feature) -> Support {
    match target {
        TargetName::Plan => Support::Full,
        TargetName::Local => local(feature),
        TargetName::Kubeflow => kubeflow(feature),
        TargetName::Vertex => vertex(feature),
        TargetName::Airflow => airflow::support(feature),
    }
}

fn local(feature: Feature) -> Support {
    match feature {
        Feature::PythonStep => Support::Lowered("a process in an environment that is built once for each package list"),
        Feature::CommandStep => Support::Lowered("a process"),
        Feature::Operation => Support::Lowered("in the process of `mlp run`"),
        Feature::Branch
        | Feature::Loop
        | Feature::ArtifactLoop
        | Feature::ArtifactList
        | Feature::Finally
        | Feature::CalledFinally
        | Feature::Call
        | Feature::Retries
        | Feature::Attempt
        | Feature::Timeout
        | Feature::ContainerTimeout
        | Feature::Cache
        | Feature::ContainerHole
        | Feature::LargeInteger
        | Feature::Registry
        | Feature::Name => Support::Full,
        Feature::Schedule | Feature::DataTrigger => Support::Lowered("recorded; `mlp run` starts a run at once"),
        Feature::Approval => Support::Lowered("refused until the run is started with `--approve NODE`"),
        Feature::Resources | Feature::Gpu => Support::Lowered("checked against the machine, and used to schedule"),
        Feature::Tpu => Support::Lowered("refused when a run starts: no TPU is looked for on this machine"),
        Feature::Disk | Feature::Spot | Feature::Kubernetes => {
            Support::Lowered("recorded; it says nothing about this machine")
        }
        Feature::Secrets | Feature::ContainerSecrets => Support::Lowered("from an environment variable or a file"),
        Feature::Image => Support::Lowered("recorded; steps run as processes of this machine, not in containers"),
    }
}

/// What both platforms that read PipelineSpec do alike.
fn pipeline_spec(feature: Feature) -> Support {
    match feature {
        Feature::PythonStep => Support::Lowered("a container that runs the function through the step shim"),
        Feature::CommandStep => Support::Lowered("a container; without an image of its own, through `mlp launch`"),
        Feature::Operation => Support::Lowered("`mlp op` in the runtime image"),
        Feature::Branch => Support::Lowered("a group with a condition, inside a group of its own"),
        Feature::Loop => Support::Lowered("a group with an iterator, inside a group of its own"),
        Feature::ArtifactList => Support::Lowered("put together inside the step; not as an output of the pipeline"),
        Feature::Finally => Support::Lowered("an exit task"),
        Feature::Call | Feature::ArtifactLoop | Feature::Retries | Feature::Timeout | Feature::Image => Support::Full,
        Feature::CalledFinally => Support::Refused {
            why: "an exit task can stand in the outermost pipeline only",
            way_out: "Move `finally` to the pipeline that is started, or call the steps in it from there.",
        },
        Feature::Attempt => Support::Refused {
            why: "the platform tells a task its run, but not the number of its attempt",
            way_out: "Leave `attempt()` out; what a step needs to tell attempts apart it can keep in its output.",
        },
        Feature::Cache => {
            Support::Lowered("the platform's cache, with everything that decides in the task's arguments")
        }
        Feature::Resources | Feature::Gpu => Support::Lowered("the resources of the task, in the platform's names"),
        Feature::ContainerHole => Support::Refused {
            why: "the platform writes the placeholder of a list or an optional value in a form of its own, not as words",
            way_out: "Leave `image` out: then `mlp launch` fills the holes.",
        },
        Feature::LargeInteger => Support::Refused {
            why: "numbers are kept as 64-bit floating point on the way, which has no whole number beyond 9007199254740991 exactly",
            way_out: "Make it a `string`, and convert it in the step.",
        },
        Feature::Approval => Support::Refused {
            why: "a run of the platform cannot wait for a person",
            way_out: "End the pipeline before, and let people start another one that takes the model on.",
        },
        Feature::Name => Support::Lowered("made of the characters that the platform allows, and told apart by numbers"),
        Feature::DataTrigger => Support::Refused {
            why: "the platform starts pipelines at times, and never when data arrives",
            way_out: "Start the pipeline by a schedule, `cron: \"0 2 * * *\"`, or keep this trigger in a project without the target.",
        },
        Feature::ContainerTimeout
        | Feature::Disk
        | Feature::Tpu
        | Feature::Spot
        | Feature::Secrets
        | Feature::ContainerSecrets
        | Feature::Registry
        | Feature::Schedule
        | Feature::Kubernetes => Support::Full,
    }
}

fn kubeflow(feature: Feature) -> Support {
    match feature {
        Feature::ArtifactLoop => Support::Refused {
            why: "its workflow compiler has no iterator over artifacts",
            way_out: "Loop over the values that the artifacts were made from, or pass the whole list to one step.",
        },
        Feature::Timeout | Feature::ContainerTimeout => Support::Lowered("the deadline of the pod"),
        Feature::Disk => Support::Lowered("a scratch volume of that size at `/tmp`"),
        Feature::Tpu => {
            Support::Lowered("the resource and the node labels of Google Kubernetes Engine; one machine a step")
        }
        Feature::Spot => Support::Lowered("the node label and the toleration of Google Kubernetes Engine"),
        Feature::Secrets | Feature::ContainerSecrets => {
            Support::Lowered("environment variables from Kubernetes secrets")
        }
        Feature::Kubernetes => Support::Lowered("the second document of the file"),
        Feature::Registry => Support::Lowered("the volume of the target's `registry_claim`"),
        Feature::Schedule => Support::Lowered("recorded; a recurring run is made on the platform's own page"),
        Feature::PythonStep
        | Feature::CommandStep
        | Feature::Operation
        | Feature::Branch
        | Feature::Loop
        | Feature::ArtifactList
        | Feature::Finally
        | Feature::CalledFinally
        | Feature::Call
        | Feature::Retries
        | Feature::Attempt
        | Feature::Cache
        | Feature::Resources
        | Feature::Gpu
        | Feature::Image
        | Feature::ContainerHole
        | Feature::LargeInteger
        | Feature::DataTrigger
        | Feature::Approval
        | Feature::Name => pipeline_spec(feature),
    }
}

fn vertex(feature: Feature) -> Support {
    match feature {
        Feature::Timeout => Support::Lowered("`mlp launch` ends the step, since the platform has no timeout of a task"),
        Feature::ContainerTimeout => Support::Refused {
            why: "Vertex AI has no timeout of a task, and nothing of ours runs in the step's own image",
            way_out: "Leave `image` out, so that `mlp launch` keeps the time, or leave `timeout` out.",
        },
        Feature::Disk => Support::Refused {
            why: "a task of a Vertex AI pipeline cannot choose its disk; every machine has 100 GB",
            way_out: "Leave `disk` out, and keep large files in the artifacts' own storage.",
        },
        Feature::Tpu => Support::Lowered("the accelerator of the task; one machine a step"),
        Feature::Spot => Support::Refused {
            why: "a task of a Vertex AI pipeline cannot ask for a machine that may be taken away",
            way_out: "Leave `spot` out.",
        },
        Feature::Secrets => Support::Lowered("`mlp launch` reads them from Secret Manager"),
        Feature::ContainerSecrets => Support::Refused {
            why: "Vertex AI hands no secrets to a task, and nothing of ours runs in the step's own image",
            way_out: "Leave `image` out, so that `mlp launch` fetches them, or let the program read them from Secret Manager.",
        },
        Feature::Kubernetes => Support::Refused {
            why: "Vertex AI shows no Kubernetes cluster to its users",
            way_out: "Leave `kubernetes` out; files come through `/gcs/`, and machines through `resources`.",
        },
        Feature::Registry => Support::Lowered("a folder in Cloud Storage"),
        Feature::Schedule => Support::Lowered("the body of a `Schedule`"),
        Feature::PythonStep
        | Feature::CommandStep
        | Feature::Operation
        | Feature::Branch
        | Feature::Loop
        | Feature::ArtifactLoop
        | Feature::ArtifactList
        | Feature::Finally
        | Feature::CalledFinally
        | Feature::Call
        | Feature::Retries
        | Feature::Attempt
        | Feature::Cache
        | Feature::Resources
        | Feature::Gpu
        | Feature::Image
        | Feature::ContainerHole
        | Feature::LargeInteger
        | Feature::DataTrigger
        | Feature::Approval
        | Feature::Name => pipeline_spec(feature),
    }
}

/// The table of the documentation: one row for each feature, one column for each target.
#[must_use]
pub fn table() -> String {
    let mut table = String::from("| feature |");
    for target in TargetName::ALL {
        table.push_str(&format!(" {} |", target.name()));
    }
    table.push_str("\n|---|");
    table.push_str(&"---|".repeat(TargetName::ALL.len()));
    table.push('\n');
    for feature in Feature::ALL {
        table.push_str(&format!("| {} |", feature.name()));
        for target in TargetName::ALL {
            let cell = match support(target, feature) {
                Support::Full => "yes".to_owned(),
                Support::Lowered(how) => how.to_owned(),
                Support::Refused { why, .. } => format!("no: {why}"),
            };
            table.push_str(&format!(" {cell} |"));
        }
        table.push('\n');
    }
    table
}
