//! What the verifier says: the kinds, one finding, and the list that the rules add to.

use std::fmt;

use crate::diagnostics::Severity;

/// Something that is wrong with a specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its kind.
    pub kind: FindingKind,
    /// Where: `root.dag.tasks.train.inputs.parameters.trees`.
    pub path: String,
    /// What is wrong, in one full sentence with the file's own names.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Finding {
    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.kind.severity()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, message, .. } = self;
        write!(
            formatter,
            "{}[{}]: {path}: {message}",
            self.severity(),
            self.kind.code()
        )
    }
}

macro_rules! finding_kinds {
    ($($variant:ident $severity:ident $code:literal $summary:literal)*) => {
        /// The kinds of findings. Codes are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FindingKind {
            $(#[doc = $summary] $variant,)*
        }

        impl FindingKind {
            /// All of them, by concern.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name in outputs.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }

            /// How bad it is.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self {
                    $(Self::$variant => Severity::$severity,)*
                }
            }

            /// What it means and why it matters.
            #[must_use]
            pub fn summary(self) -> &'static str {
                match self {
                    $(Self::$variant => $summary,)*
                }
            }
        }
    };
}

finding_kinds! {
    SchemaVersion Error "schema-version"
        "`schemaVersion` is not `2.1.0`, the only version that both platforms take."
    SecondDocument Error "second-document"
        "The file has a second document with settings for Kubernetes; Vertex AI refuses any file of two documents."
    TooLarge Warning "too-large"
        "The pipeline is larger than 1 MB; Kubernetes refuses objects of 1.5 to 3 MB."
    PipelineName Error "pipeline-name"
        "The pipeline's name does not match the pattern of the platform, or leaves no room for what it appends."
    PipelineNameCollision Error "pipeline-name-collision"
        "The pipeline is named like one of its components or tasks: `kfp` then loads that one alone, and says nothing."
    Name Error "name"
        "A task or component has a name that Kubernetes does not take."
    ReservedName Error "reserved-name"
        "A name is one that Kubeflow adds itself: the output `executor-logs`, or `x-driver` beside a task `x`."

    UnknownComponent Error "unknown-component"
        "A task runs a component that does not exist."
    UnknownExecutor Error "unknown-executor"
        "A component runs an executor that does not exist."
    ComponentBody Error "component-body"
        "A component has neither a graph nor an executor, or both; the root must have a graph."
    RecursiveComponent Error "recursive-component"
        "A component runs itself, directly or through others."
    EmptyGraph Error "empty-graph"
        "A graph has no tasks."
    UnusedComponent Warning "unused-component"
        "No task that the root reaches runs the component."
    UnusedExecutor Warning "unused-executor"
        "No component runs the executor."
    SharedComponent Warning "shared-component"
        "Two tasks run one component: `kfp.local` names folders by component, so each overwrites the other's outputs."
    UnknownTask Error "unknown-task"
        "An input, output or dependency names a task that its graph does not have."
    UnknownOutput Error "unknown-output"
        "Something reads an output that the producer's component does not declare."
    UnknownGraphInput Error "unknown-graph-input"
        "A task reads an input that the graph around it does not declare."

    MissingInput Error "missing-input"
        "A task does not give an input that its component requires."
    UndeclaredInput Error "undeclared-input"
        "A task gives an input that its component does not declare."
    InputSource Error "input-source"
        "An input has no source, or several."
    OptionalInput Warning "optional-input"
        "An input that is required reads one that may be absent."
    TypeMismatch Error "type-mismatch"
        "A parameter goes where another type is declared; the platforms convert nothing."
    ArtifactMismatch Error "artifact-mismatch"
        "An artifact goes where another type, or another major version of it, is declared."
    ListMismatch Error "list-mismatch"
        "A list of artifacts goes where one is declared, or the other way round."

    ParameterType Error "parameter-type"
        "A parameter is declared without a type."
    ArtifactType Error "artifact-type"
        "An artifact's type lacks its title or its version, or the title is not `namespace.Name`."
    ConstantType Error "constant-type"
        "A constant, or an item of a constant list, has not the declared type."
    DefaultValue Error "default-value"
        "A default has not the declared type."
    IntegerRange Error "integer-range"
        "An integer is beyond ±(2^53 - 1), and numbers of a specification are doubles."
    LiteralValue Error "literal-value"
        "A value is not among the declared literals, or a literal has not the declared type."

    MissingDependency Error "missing-dependency"
        "A task reads another's output and does not name it in `dependentTasks`: `kfp.local` sorts by these alone."
    DependencyCycle Error "dependency-cycle"
        "Tasks wait for each other."
    UndeclaredOutput Error "undeclared-output"
        "A graph gives an output that its component does not declare."
    UnconnectedOutput Error "unconnected-output"
        "A component declares an output that its graph does not give."
    OutputChoice Error "output-choice"
        "An output names no task that it comes from."

    LoopItem Error "loop-item"
        "The item of a loop is not an input of the component that it runs, or is given from outside as well."
    LoopItems Error "loop-items"
        "What a loop runs over is not a list, or not an input of its task."
    LoopOutput Error "loop-output"
        "An output of a loop is not declared as a list."
    LoopPolicy Warning "loop-policy"
        "A limit of iterations stands on a task that is no loop."
    LoopLocal Warning "loop-local"
        "A loop reads outputs of tasks beside it: `kfp.local` puts the loop's item in their place."
    LoopItemName Warning "loop-item-name"
        "Loops within each other have items named `…-loop-item`: `kfp.local` overwrites the outer item."
    ArtifactLoop Error "artifact-loop"
        "A loop runs over artifacts, which Kubeflow's compiler refuses."

    ConditionSyntax Error "condition-syntax"
        "A condition is not an expression of the Common Expression Language."
    ConditionName Error "condition-name"
        "A condition uses a name or an input that its task has not."
    ConditionType Error "condition-type"
        "A condition compares values that are never equal, computes with different types, or gives no boolean."
    ConditionTooLong Warning "condition-too-long"
        "A condition is too long or too deep to be checked."
    ConditionLocal Warning "condition-local"
        "A condition is outside the part of the language that `kfp.local` evaluates; there it is false, and nothing is said."
    ConditionBare Warning "condition-bare"
        "A condition's input is not one that the graph around has by the same name: `kfp.local` takes it for false."
    SelectorSyntax Error "selector-syntax"
        "A `parameterExpressionSelector` is not an expression over `string_value`."

    PlaceholderUnknown Error "placeholder-unknown"
        "A text has a placeholder of no form that is known."
    PlaceholderInput Error "placeholder-input"
        "A placeholder names an input that is not there."
    PlaceholderOutput Error "placeholder-output"
        "A placeholder names an output that is not declared."
    PlaceholderKind Error "placeholder-kind"
        "A placeholder asks an artifact for what only parameters have, or the other way round."
    PlaceholderPlatform Warning "placeholder-platform"
        "A placeholder is one that the platform does not fill in, or not at this place."
    PlaceholderStructure Warning "placeholder-structure"
        "`Concat` or `IfPresent` stands where the platform does not evaluate it."
    StructureSyntax Error "structure-syntax"
        "`Concat` or `IfPresent` has not the form that the platforms read."

    ExecutorKind Error "executor-kind"
        "The executor is of a kind that the platform does not run."
    Image Error "image"
        "A container has no image."
    EnvironmentName Error "environment-name"
        "An environment variable has a name that Kubernetes does not take, or one that is there already."
    ResourceSyntax Error "resource-syntax"
        "An amount of processors or memory is not written as Kubernetes reads it."
    ResourceOrder Error "resource-order"
        "More is requested than the limit allows."
    ResourceLimit Error "resource-limit"
        "A limit is beyond what Vertex AI has: 96 processors and 624 GB."
    MemoryUnit Warning "memory-unit"
        "An amount of memory has no unit, and so counts bytes."
    Accelerator Error "accelerator"
        "Accelerators are counted without a kind, or their count is not a positive number."
    AcceleratorName Warning "accelerator-name"
        "An accelerator's name is none that the platform knows."
    RetryPolicy Error "retry-policy"
        "A wait between retries is not written `30s`, or the factor is no positive number."

    ImporterInput Error "importer-input"
        "An importer has no address, or reads one from an input that its component does not declare."
    ImporterType Error "importer-type"
        "An importer's type is not that of its component's one output."
    ImporterTaskOutput Warning "importer-task-output"
        "An importer's address comes from a task; Kubeflow's importer reads inputs of the graph alone."
    ImporterOrder Warning "importer-order"
        "An importer waits for tasks; Kubeflow starts it at once."
    ImporterCondition Error "importer-condition"
        "A condition stands on an importer, which Kubeflow's compiler refuses."
    Workspace Error "workspace"
        "The workspace is used, and the settings for Kubernetes declare none."

    FinalStatus Error "final-status"
        "A task takes another's final status, and does not run when that one fails."
    ExitPlace Warning "exit-place"
        "A task that runs after failures stands inside a group; Kubeflow knows that at the root alone."
    ExitHook Warning "exit-hook"
        "Several tasks run after one, whatever became of it; Kubeflow keeps the last."
    ExitLoop Warning "exit-loop"
        "A task runs after a loop, whatever became of it; Kubeflow does not start it."

    PlatformExecutor Error "platform-executor"
        "Settings for Kubernetes name an executor that does not exist."
    PlatformReference Error "platform-reference"
        "A setting for Kubernetes reads an input or output that is not there."
    PlatformValue Error "platform-value"
        "A setting for Kubernetes has a value that Kubernetes refuses."
}

/// The list that the rules add to.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<Finding>,
}

impl Findings {
    /// Adds one; called with what a rule has found, never to ask.
    pub(super) fn add(&mut self, kind: FindingKind, path: String, message: String, help: impl Into<String>) {
        self.list.push(Finding {
            kind,
            path,
            message,
            help: help.into(),
        });
    }

    /// Whether one of that kind is there already, so that what follows from it is left unsaid.
    pub(super) fn has(&self, kind: FindingKind) -> bool {
        self.list.iter().any(|finding| finding.kind == kind)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.list.len()
    }

    /// Errors first, each in the order in which rules and places come.
    pub(super) fn into_sorted(mut self) -> Vec<Finding> {
        self.list
            .sort_by(|left, right| (left.severity(), &left.path).cmp(&(right.severity(), &right.path)));
        self.list
    }
}
