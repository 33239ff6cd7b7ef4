//! What starts a DAG: triggers as timetables and assets.

use std::collections::BTreeMap;

use super::python;
use crate::plan::{AirflowTarget, Pipeline, Plan, Trigger};
use crate::targets::TargetError;
use crate::types::Value;

/// When a DAG starts, and with what.
pub(super) struct Schedule {
    /// Arguments of the DAG.
    pub(super) lines: Vec<String>,
    /// Values of parameters: Airflow has one set for each DAG.
    pub(super) parameters: BTreeMap<String, Value>,
}

/// The schedule of a pipeline.
pub(super) fn of(plan: &Plan, pipeline: &Pipeline, _settings: &AirflowTarget) -> Result<Schedule, TargetError> {
    let triggers: Vec<&Trigger> = plan
        .triggers
        .values()
        .filter(|trigger| trigger.pipeline == pipeline.name)
        .collect();
    let mut lines = Vec::new();
    let cron = |trigger: &&Trigger| {
        format!(
            "CronTriggerTimetable({}, timezone={})",
            python::text(&trigger.cron),
            python::text(&trigger.timezone)
        )
    };
    match triggers.as_slice() {
        [] => lines.push("schedule=None".to_owned()),
        [only] => lines.push(format!("schedule={}", cron(only))),
        [first, ..] => {
            let crons: Vec<String> = triggers.iter().map(|trigger| python::text(&trigger.cron)).collect();
            lines.push(format!(
                "schedule=MultipleCronTriggerTimetable({}, timezone={})",
                crons.join(", "),
                python::text(&first.timezone)
            ));
        }
    }
    let parameters = triggers.first().map(|trigger| trigger.parameters.clone());
    Ok(Schedule {
        lines,
        parameters: parameters.unwrap_or_default(),
    })
}
