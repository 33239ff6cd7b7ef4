//! The registry: every diagnostic is declared here once, with its page beside it in `pages/`.
//!
//! A page explains the rule and shows a wrong and a mended program; both are tested.

use super::Severity;

/// What is declared about a diagnostic.
#[derive(Debug, PartialEq, Eq)]
pub struct Declaration {
    /// Its stable code: `E` for errors, `W` for warnings. The first two digits are the family:
    /// 00 syntax, 01 names and modules, 02 values and types, 03 schemas and features, 04 steps and Python, 05 pipelines,
    /// 06 evidence, 07 train/test contamination, 08 label leakage, 09 not supported yet, 10 projects, 11 targets and triggers.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One line without a full stop.
    pub summary: &'static str,
    /// Markdown: the explanation with its examples.
    pub page: &'static str,
}

macro_rules! declare {
    ($($(#[$docs:meta])* $name:ident = $code:literal, $severity:ident, $summary:literal;)*) => {
        /// Every diagnostic.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $summary] $name,)*
        }

        impl Code {
            /// All of them, in the order of their codes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// What is declared about it.
            #[must_use]
            pub fn declaration(self) -> &'static Declaration {
                match self {
                    $(Self::$name => &Declaration {
                        code: $code,
                        severity: Severity::$severity,
                        summary: $summary,
                        page: include_str!(concat!("pages/", $code, ".md")),
                    },)*
                }
            }
        }
    };
}

declare! {
    SyntaxError = "E0001", Error, "the text is not what the grammar expects here";
    UnknownItem = "E0002", Error, "text that begins no item";
    WrongSeparator = "E0003", Error, "`=` where `:` belongs, or `:` where `=` belongs";
    WordOperator = "E0004", Error, "an operator of another language";
    ForeignQuotes = "E0005", Error, "a string in quotes that are not straight double quotes";
    Semicolon = "E0006", Error, "a line that ends in a semicolon";
    ChainedComparison = "E0007", Error, "comparisons that are chained";
    BadNumber = "E0008", Error, "a number that does not fit, or whose unit does not exist";
    BadEscape = "E0009", Error, "an escape that strings do not have";
    UnclosedString = "E0010", Error, "a string or a quoted name without its end";
    UnclosedBracket = "E0011", Error, "a bracket without its partner";
    TooComplex = "E0012", Error, "text that is nested too deeply, or an expression that is too long";
    DoubleOptional = "E0013", Error, "a type that is made optional twice";
    UnknownName = "E0101", Error, "a name that nothing declares";
    DuplicateDeclaration = "E0102", Error, "two declarations of one name in a file";
    UnknownModule = "E0103", Error, "an import from a module that does not exist";
    NotInModule = "E0104", Error, "an import of a name that the module does not declare";
    ImportedTwice = "E0105", Error, "a name that is brought in more than once";
    CyclicImport = "E0106", Error, "modules that import each other in a circle";
    ShadowedName = "E0107", Error, "a declaration with the name of something that is already known in the file";
    ReservedModule = "E0108", Error, "a file that lies where the standard library is";
    UnusedImport = "W0109", Warning, "an import that is never used";
    SameName = "E0110", Error, "two files that declare one pipeline, target or trigger";
    WrongKindOfName = "E0201", Error, "a name of another kind than is needed";
    TypeArguments = "E0202", Error, "a type with the wrong number of arguments";
    BadRefinement = "E0204", Error, "a refinement that does not fit its type";
    EmptyRange = "E0205", Error, "a range that no value lies in";
    BadPattern = "E0206", Error, "a pattern that is no regular expression";
    NotConstant = "E0207", Error, "a value that is not a constant where one is needed";
    ConstantRefused = "E0208", Error, "a constant that its type does not allow";
    DuplicateMember = "E0209", Error, "a name that is declared twice in one place";
    EvidenceDoesNotFit = "E0210", Error, "evidence about something that cannot carry it";
    OperandTypes = "E0211", Error, "operands whose types do not go together";
    FunctionArguments = "E0212", Error, "a function with arguments that it does not take";
    CyclicDefinition = "E0213", Error, "a definition that is made of itself";
    UnknownColumn = "E0301", Error, "a column that the schema does not have";
    DuplicateColumn = "E0302", Error, "a column that is there already";
    UnknownTag = "E0303", Error, "a tag that does not exist";
    BadTag = "E0304", Error, "a tag that cannot stand where it does";
    JoinColumns = "E0305", Error, "schemas whose columns do not join";
    BadCheck = "E0306", Error, "a check that cannot be decided";
    UnknownSetting = "E0401", Error, "a setting that does not exist";
    MissingSetting = "E0402", Error, "a setting that is missing";
    BadSetting = "E0403", Error, "a setting with a value that it cannot have";
    ModelOutput = "E0404", Error, "a model whose output does not fit its task";
    DuplicateParameter = "E0405", Error, "a parameter or output that is declared twice";
    UnknownHole = "E0406", Error, "a hole of a command that the step cannot fill";
    BuiltinOutsideLibrary = "E0407", Error, "`run: builtin` outside the standard library";
    PythonFile = "E0410", Error, "a file of a step that cannot be read";
    PythonSyntax = "E0411", Error, "a Python file with a syntax error";
    PythonFunctionMissing = "E0412", Error, "a Python function that its file does not define";
    PythonParameters = "E0413", Error, "a Python function whose parameters are not those of the step";
    PythonAnnotation = "E0414", Error, "a Python annotation that contradicts the step";
    PythonDefault = "E0415", Error, "a Python default that contradicts the step";
    PythonReturn = "E0416", Error, "a Python function that returns something else than the step gives";
    NotCallable = "E0501", Error, "a call of something that cannot be called";
    MissingArgument = "E0502", Error, "a call without an argument that it needs";
    UnknownArgument = "E0503", Error, "an argument that the callee does not take";
    DuplicateArgument = "E0504", Error, "a parameter that is given twice";
    ArgumentType = "E0505", Error, "a value of another type than is needed";
    ArgumentSchema = "E0506", Error, "data without the columns that are needed";
    CannotInfer = "E0507", Error, "a generic parameter that nothing binds";
    AlreadyBound = "E0508", Error, "a name that is bound twice in a pipeline";
    BoundLater = "E0509", Error, "a name that is used before it is bound";
    UnknownOutput = "E0510", Error, "an output that does not exist";
    SplitShares = "E0511", Error, "a split that leaves a part without rows";
    SplitMethods = "E0512", Error, "a split in two ways at once";
    MissingSeed = "E0513", Error, "a random split without a seed";
    ConditionNotBool = "E0514", Error, "a condition that is not true or false";
    ArmsDiffer = "E0515", Error, "an `if` whose arms give different types";
    NotAList = "E0516", Error, "a loop over something that is no list";
    FinallyMisplaced = "E0517", Error, "a `finally` or an `outcome` where it cannot be";
    FinallyReads = "E0518", Error, "a `finally` that reads what may not exist";
    ReturnDiffers = "E0519", Error, "a pipeline that returns something else than it promises";
    PipelineCycle = "E0520", Error, "a pipeline that calls itself";
    UnusedBinding = "E0521", Error, "a result that is computed and never used";
    IgnoredResult = "E0522", Error, "a call whose result nothing takes";
    UnusedParameter = "W0523", Warning, "a parameter of a pipeline that is never used";
    ConditionForm = "E0524", Error, "a condition that decides nothing about a model";
    UnknownMetric = "E0525", Error, "a metric that the model does not have";
    LabelNeeded = "E0526", Error, "data whose label does not fit the model";
    MaskMethod = "E0527", Error, "a mask that does not fit the column";
    TestSubject = "E0528", Error, "an expectation of something that the pipeline does not have";
    TestRun = "E0529", Error, "a test that runs no pipeline, or expects nothing";
    NotValidated = "E0601", Error, "a step that demands validated data gets data that was never validated";
    EvidenceUndone = "E0602", Error, "validated data was changed before it is used";
    StageOnAnotherArtifact = "E0603", Error, "a stage was done on another artifact than the one that is passed on";
    NotGated = "E0604", Error, "a model goes on without having passed a gate";
    NotProven = "E0605", Error, "a model goes on without having been compared with the champion";
    NotRegistered = "E0606", Error, "a model is deployed without having been registered";
    MetricsOfAnotherModel = "E0607", Error, "a gate decides on the metrics of another model";
    ChampionIsCandidate = "E0608", Error, "a model is compared with itself";
    ServiceOfAnotherModel = "E0609", Error, "a model is deployed to the service of another";
    UnvalidatedTraining = "E0610", Error, "a training step that does not demand validated data";
    UnattestedEvidence = "E0611", Error, "a step that gives evidence without attesting it";
    NotTheChampion = "E0612", Error, "a challenge of another model than the one in service";
    EvaluatedOnTraining = "E0701", Error, "a model is evaluated on rows that it was trained on";
    ChallengedOnTraining = "E0702", Error, "a challenge is decided on rows that a model was trained on";
    LabelInFeature = "E0801", Error, "a feature that is computed from the label";
    LabelInModelInput = "E0802", Error, "a model that is given the label it is to predict";
    RandomSplitOfTimedData = "W0803", Warning, "rows with a time are divided at random";
    NotSupportedYet = "E0901", Error, "something that this version cannot check or run yet";
    DependenciesNotSupported = "E0990", Error, "dependencies on other projects are not supported yet";
    ManifestSyntax = "E1001", Error, "`mlp.toml` is not valid TOML";
    UnknownManifestKey = "E1002", Error, "a setting that `mlp.toml` does not have";
    ManifestValue = "E1003", Error, "a setting in `mlp.toml` has a value that does not fit";
    MissingManifestKey = "E1004", Error, "`mlp.toml` lacks a setting that every project needs";
    NotUtf8 = "E1005", Error, "a source file is not UTF-8";
    UnreadableFile = "E1006", Error, "a source file cannot be read";
    TargetPlatform = "E1101", Error, "a target of a platform that does not exist, or with the name of another";
    StorageAddress = "E1102", Error, "an address that the platform cannot reach";
    CloudName = "E1103", Error, "a name that Google Cloud does not allow";
    EncryptionKey = "E1104", Error, "an encryption key that the target cannot use";
    KubernetesName = "E1105", Error, "a name that Kubernetes does not allow";
    BadLabel = "E1106", Error, "a label that the platform does not allow";
    SecretPlace = "E1107", Error, "a secret that the platform does not keep there";
    BadVolume = "E1108", Error, "a volume that cannot be mounted";
    UnknownAccelerator = "E1109", Error, "an accelerator that does not exist";
    AcceleratorShape = "E1110", Error, "accelerators in a number or shape that does not exist";
    GpuWithoutTimeout = "W1111", Warning, "a step with an accelerator and no timeout";
    TargetRefuses = "E1112", Error, "something that a declared target cannot express";
    BadSchedule = "E1113", Error, "a schedule that is none";
    NeverFires = "E1114", Error, "a schedule that never starts anything";
    UnknownTimeZone = "E1115", Error, "a time zone that does not exist";
    UnpinnedImage = "W1116", Warning, "an image without a digest";
    AirflowName = "E1117", Error, "a name that Airflow does not allow";
    RunnerSetting = "E1118", Error, "a setting that means nothing for the runner or the release of Airflow";
}
