//! What each target can express: data, from which errors, lowering and the documentation's table follow.

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
    /// `finally`
    Finally,
    /// A pipeline that calls another.
    Call,
    /// `retries`
    Retries,
    /// `timeout`
    Timeout,
    /// `cache`
    Cache,
    /// `resources`
    Resources,
    /// `secrets`
    Secrets,
    /// `image`
    Image,
}

/// How far a target supports a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// As the language means it.
    Full,
    /// The same meaning by another construct of the platform.
    Lowered(&'static str),
    /// Not at all.
    Refused(&'static str),
    /// The target is not written yet.
    Planned,
}

impl Feature {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::PythonStep,
        Self::CommandStep,
        Self::Operation,
        Self::Branch,
        Self::Loop,
        Self::Finally,
        Self::Call,
        Self::Retries,
        Self::Timeout,
        Self::Cache,
        Self::Resources,
        Self::Secrets,
        Self::Image,
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
            Self::Finally => "`finally`",
            Self::Call => "a pipeline that calls another",
            Self::Retries => "`retries`",
            Self::Timeout => "`timeout`",
            Self::Cache => "`cache`",
            Self::Resources => "`resources`",
            Self::Secrets => "`secrets`",
            Self::Image => "`image`",
        }
    }
}

/// How far `target` supports `feature`.
#[must_use]
pub fn support(target: TargetName, feature: Feature) -> Support {
    match target {
        TargetName::Plan => Support::Full,
        TargetName::Local => local(feature),
        TargetName::Kubeflow | TargetName::Vertex | TargetName::Airflow => Support::Planned,
    }
}

fn local(feature: Feature) -> Support {
    match feature {
        Feature::PythonStep => Support::Lowered("a process in an environment that is built once for each package list"),
        Feature::CommandStep => Support::Lowered("a process"),
        Feature::Operation => Support::Lowered("in the process of `mlp run`"),
        Feature::Branch
        | Feature::Loop
        | Feature::Finally
        | Feature::Call
        | Feature::Retries
        | Feature::Timeout
        | Feature::Cache => Support::Full,
        Feature::Resources => Support::Lowered("checked against the machine, and used to schedule"),
        Feature::Secrets => Support::Lowered("from an environment variable or a file"),
        Feature::Image => Support::Lowered("recorded; steps run as processes of this machine, not in containers"),
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
                Support::Refused(why) => format!("no: {why}"),
                Support::Planned => "not yet".to_owned(),
            };
            table.push_str(&format!(" {cell} |"));
        }
        table.push('\n');
    }
    table
}
