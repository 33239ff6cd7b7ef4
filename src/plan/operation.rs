//! The built-in operations and what each needs to know beyond its inputs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Expression;
use crate::types::{Column, Value};

/// A built-in operation. Input and output ports are those of the node; names are given with each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `source` → `output`: lands a CSV, Parquet or JSON Lines file (by extension, `.gz` not yet) as a dataset.
    Read {
        /// Key in the plan's schemas.
        schema: String,
    },
    /// `data` → `output`: every constraint of the schema and every check must hold. The output is the same bytes.
    Validate {
        /// Key in the plan's schemas.
        schema: String,
        /// The table-level checks, if any.
        checks: Option<Checks>,
    },
    /// `data` → `output`: keeps and derives columns.
    Features(Features),
    /// `data` → `output`: leaves out, keeps or renames columns.
    Project(Projection),
    /// `data` → one port for each part (`train`, `test`, `validation`).
    Split {
        /// How rows are assigned.
        method: SplitMethod,
        /// The parts in port order; fractions add up to 1.
        parts: Vec<SplitPart>,
    },
    /// `data` → `output`: replaces the values of columns.
    Mask {
        /// The columns.
        columns: Vec<String>,
        /// How.
        method: MaskMethod,
    },
    /// `model`, `data` → `output`: the data with the model's output fields added.
    Predict {
        /// Key in the plan's models.
        model: String,
    },
    /// `model`, `data` → `output`: metrics.
    Evaluate {
        /// Key in the plan's models.
        model: String,
        /// The label's column in the data.
        label: String,
        /// The label value that counts as positive, for binary classification.
        positive: Option<Value>,
        /// The protected columns.
        protected: Vec<String>,
    },
    /// `model`, `metrics` → `output`: the same model, gated.
    Gate {
        /// Every condition must pass.
        conditions: Vec<Condition>,
    },
    /// `candidate`, `champion`, `on` → `output`: the candidate, proven.
    Challenge(Challenge),
    /// `fallback` → `output`: the registry's champion, or the fallback on the first release.
    Champion {
        /// Key in the plan's models.
        model: String,
    },
    /// `data` → `output`: a baseline that predicts the training distribution of the label.
    Prior {
        /// Key in the plan's models.
        model: String,
        /// The label's column.
        label: String,
        /// The label value that counts as positive, for binary classification.
        positive: Option<Value>,
    },
    /// `model` → `output`: the same model, once a person has said that it may go on.
    Approve {
        /// Who is asked.
        by: String,
        /// What they are asked; empty for the model's name alone.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        message: String,
        /// Milliseconds after which no answer is a no; as long as it takes when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout: Option<i64>,
    },
    /// `model` → `output`: a new version in the registry.
    Register {
        /// Key in the plan's models.
        model: String,
    },
    /// `model` → `output`: rolls the version out to a service, then moves the alias `champion`.
    Deploy {
        /// Key in the plan's services.
        service: String,
    },
}

impl Operation {
    /// Whether it means nothing without the registry.
    #[must_use]
    pub fn needs_registry(&self) -> bool {
        match self {
            Self::Champion { .. } | Self::Register { .. } | Self::Deploy { .. } => true,
            Self::Read { .. }
            | Self::Validate { .. }
            | Self::Features(_)
            | Self::Project(_)
            | Self::Split { .. }
            | Self::Mask { .. }
            | Self::Predict { .. }
            | Self::Evaluate { .. }
            | Self::Gate { .. }
            | Self::Challenge(_)
            | Self::Prior { .. }
            | Self::Approve { .. } => false,
        }
    }

    /// What `mlp op` calls it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Read { .. } => "read",
            Self::Validate { .. } => "validate",
            Self::Features(_) => "features",
            Self::Project(_) => "project",
            Self::Split { .. } => "split",
            Self::Mask { .. } => "mask",
            Self::Predict { .. } => "predict",
            Self::Evaluate { .. } => "evaluate",
            Self::Gate { .. } => "gate",
            Self::Challenge(_) => "challenge",
            Self::Champion { .. } => "champion",
            Self::Prior { .. } => "prior",
            Self::Approve { .. } => "approve",
            Self::Register { .. } => "register",
            Self::Deploy { .. } => "deploy",
        }
    }
}

/// Table-level checks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Checks {
    /// The declared name.
    pub name: String,
    /// The checks in order.
    pub checks: Vec<Check>,
}

/// One check: a measured number (or a uniqueness) and the range it must lie in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// The check as the formatter writes it.
    pub text: String,
    /// What is measured.
    pub measure: CheckKind,
    /// Lower end, absent when open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<crate::types::Bound>,
    /// Upper end, absent when open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<crate::types::Bound>,
}

/// What a check measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// `rows`
    Rows,
    /// `unique(a, b)`: no combination occurs twice; it has no bounds.
    Unique(Vec<String>),
    /// `null_rate(column)`
    NullRate(String),
    /// `distinct(column)`: the number of distinct present values
    Distinct(String),
    /// `mean(column)` of present values
    Mean(String),
    /// `stddev(column)`: sample standard deviation of present values
    StandardDeviation(String),
    /// `min(column)`
    Minimum(String),
    /// `max(column)`
    Maximum(String),
    /// `sum(column)`
    Sum(String),
    /// `quantile(column, 0.95)`: nearest rank
    Quantile(String, f64),
    /// `share(condition)`: the part of all rows for which a boolean over columns holds
    Share(Expression),
    /// `freshness(column)`: the age of the newest value when the check runs, in milliseconds
    Freshness(String),
    /// `drift(column, psi) since baseline`: against the profile of the last validated dataset of the champion
    Drift {
        /// The column.
        column: String,
        /// `psi`, `js_divergence`, `js_distance`, `ks`, `wasserstein`, `chi2`, `l_infinity`
        statistic: String,
    },
}

/// A feature definition, resolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Features {
    /// Its name.
    pub name: String,
    /// Columns that pass through, in output order before the derived ones.
    pub keep: Vec<String>,
    /// New columns in order; each may read kept, source and earlier derived columns.
    pub derived: Vec<Derived>,
    /// Key of the resulting schema.
    pub schema: String,
}

/// A derived column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Derived {
    /// The new column.
    pub column: Column,
    /// Its value.
    pub value: Expression,
}

/// A choice of columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Projection {
    /// Old name and new name, in output order.
    pub columns: Vec<(String, String)>,
    /// Key of the resulting schema.
    pub schema: String,
}

/// How rows are assigned to parts. Every method is a pure function of the data and the seed, so it is stable across machines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SplitMethod {
    /// By a seeded hash of the row's position; sizes are exact to a row.
    Random {
        /// The seed.
        seed: i64,
    },
    /// As random, within each value of a column.
    Stratified {
        /// The column.
        column: String,
        /// The seed.
        seed: i64,
    },
    /// In order of a date or datetime: the first part holds the earliest rows. Equal times stay together.
    Time {
        /// The column.
        column: String,
    },
    /// By a seeded hash of key columns: rows of one key stay together; sizes are approximate.
    Key {
        /// The columns.
        columns: Vec<String>,
        /// The seed.
        seed: i64,
    },
}

/// A part of a split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SplitPart {
    /// The port: `train`, `validation`, `test`.
    pub name: String,
    /// Its share of the rows, between 0 and 1.
    pub fraction: f64,
}

/// How a value is replaced. The names are those of BigQuery's data policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MaskMethod {
    /// Keyed BLAKE3, hexadecimal: equal values stay equal. The key is the project's own (`.mlp/mask.key` or `MLP_MASK_KEY`).
    Hash,
    /// Absent.
    Null,
    /// Empty text, 0, false, 1970-01-01.
    Default,
    /// `XXXX` and the last four characters.
    LastFour,
    /// The first four characters and `XXXX`.
    FirstFour,
    /// `XXXXX@domain`
    Email,
    /// The first of January of the year.
    Year,
}

/// A go/no-go condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Condition {
    /// The condition as the formatter writes it.
    pub text: String,
    /// A boolean over metrics and run-time values.
    pub expression: Expression,
    /// Run-time values the expression reads are inputs of the node with these names (`min_auc` → input `min_auc`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

/// A paired test of candidate against champion on the same rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Challenge {
    /// Key in the plan's models.
    pub model: String,
    /// The label's column.
    pub label: String,
    /// The label value that counts as positive, for binary classification.
    pub positive: Option<Value>,
    /// The protected columns.
    pub protected: Vec<String>,
    /// Conditions over `candidate.metric` and `champion.metric`. `candidate.m >= champion.m - margin` is tested for
    /// non-inferiority; any other is taken at its point values.
    pub conditions: Vec<Condition>,
    /// One-sided confidence of the test, 0.95.
    pub confidence: f64,
}
