//! The metrics that conditions may name, by the task of the model. Their formulas are the runtime's.

use crate::plan::Task;
use crate::types::DataKind;

const BINARY: &[&str] = &[
    "auc",
    "average_precision",
    "pr_auc_trapezoid",
    "log_loss",
    "brier",
    "ece",
    "accuracy",
    "precision",
    "recall",
    "specificity",
    "f1",
    "balanced_accuracy",
    "mcc",
    "selection_rate",
];

const MULTICLASS: &[&str] = &[
    "accuracy",
    "balanced_accuracy",
    "precision.macro",
    "precision.micro",
    "precision.weighted",
    "recall.macro",
    "recall.micro",
    "recall.weighted",
    "f1.macro",
    "f1.micro",
    "f1.weighted",
    "auc.ovr_macro",
    "log_loss",
    "brier",
    "ece",
];

const REGRESSION: &[&str] = &["rmse", "mae", "median_absolute_error", "r2", "mape", "wape", "rmsle"];

/// Percentiles of the time that one prediction takes.
const LATENCY: &[&str] = &["latency.p50", "latency.p90", "latency.p95", "latency.p99"];

/// Metrics of binary classification that compare the groups of a protected column.
const FAIRNESS: &[&str] = &[
    "demographic_parity",
    "demographic_parity_ratio",
    "disparate_impact",
    "equalized_odds",
    "equalized_odds_ratio",
    "average_odds",
    "equal_opportunity",
    "predictive_parity",
    "calibration_difference",
];

const TASKS: &[Task] = &[
    Task::BinaryClassification,
    Task::MulticlassClassification,
    Task::Regression,
];

/// The metrics of a task that take no column, latency included.
pub(super) fn of_task(task: Task) -> impl Iterator<Item = &'static str> {
    plain(task).iter().chain(LATENCY).copied()
}

/// The metrics of a task that take a protected column.
pub(super) fn fairness(task: Task) -> &'static [&'static str] {
    match task {
        Task::BinaryClassification => FAIRNESS,
        Task::MulticlassClassification | Task::Regression => &[],
    }
}

/// Whether a name, or the first part of a path, is a metric's of any task.
pub(super) fn is_metric(path: &str) -> bool {
    let begins = |metric: &str| metric == path || metric.split('.').next() == path.split('.').next();
    TASKS
        .iter()
        .any(|task| of_task(*task).any(begins) || fairness(*task).contains(&path))
}

/// The task that has a metric, if any has.
pub(super) fn task_with(metric: &str) -> Option<Task> {
    let has = |task: &&Task| of_task(**task).any(|own| own == metric) || fairness(**task).contains(&metric);
    TASKS.iter().find(has).copied()
}

/// What a metric is measured in.
pub(super) fn kind(metric: &str) -> DataKind {
    if LATENCY.contains(&metric) {
        DataKind::Duration
    } else {
        DataKind::Float
    }
}

/// A task in words.
pub(super) fn words(task: Task) -> &'static str {
    match task {
        Task::BinaryClassification => "binary classification",
        Task::MulticlassClassification => "multiclass classification",
        Task::Regression => "regression",
    }
}

fn plain(task: Task) -> &'static [&'static str] {
    match task {
        Task::BinaryClassification => BINARY,
        Task::MulticlassClassification => MULTICLASS,
        Task::Regression => REGRESSION,
    }
}
