//! What starts a DAG: triggers as timetables and assets.

use std::collections::BTreeMap;

use super::python;
use crate::plan::{AirflowTarget, AirflowVersion, Pipeline, Plan, Trigger};
use crate::types::Value;

/// When a DAG starts, and with what.
pub(super) struct Schedule {
    /// Python.
    pub(super) text: String,
    /// Values of parameters: Airflow has one set for each DAG.
    pub(super) parameters: BTreeMap<String, Value>,
}

/// The schedule of a pipeline: at the times of all its triggers, and whenever the data of one of them has arrived.
pub(super) fn of(plan: &Plan, pipeline: &Pipeline, settings: &AirflowTarget) -> Schedule {
    let triggers = plan.triggers.values();
    let triggers: Vec<&Trigger> = triggers.filter(|trigger| trigger.pipeline == pipeline.name).collect();
    let timetable = timetable(&triggers);
    let assets = assets(&triggers, settings.version);
    let text = match (timetable, assets) {
        (None, None) => "None".to_owned(),
        (Some(timetable), None) => timetable,
        (None, Some(assets)) => assets,
        (Some(timetable), Some(assets)) => match settings.version {
            AirflowVersion::Three => format!("AssetOrTimeSchedule(timetable={timetable}, assets={assets})"),
            AirflowVersion::Two => format!("DatasetOrTimeSchedule(timetable={timetable}, datasets={assets})"),
        },
    };
    let parameters = triggers.first().map(|trigger| trigger.parameters.clone());
    Schedule {
        text,
        parameters: parameters.unwrap_or_default(),
    }
}

/// The times. What they mean is written out: a bare text means something else in each release.
fn timetable(triggers: &[&Trigger]) -> Option<String> {
    let crons: Vec<(&str, &str)> = triggers
        .iter()
        .filter_map(|trigger| Some((trigger.cron.as_deref()?, trigger.timezone.as_str())))
        .collect();
    let (_, zone) = crons.first()?;
    let texts: Vec<String> = crons.iter().map(|(cron, _)| python::text(cron)).collect();
    let class = match crons.len() {
        1 => "CronTriggerTimetable",
        _ => "MultipleCronTriggerTimetable",
    };
    Some(format!(
        "{class}({}, timezone={})",
        texts.join(", "),
        python::text(zone)
    ))
}

/// The data: everything that one trigger names, or everything that another names.
fn assets(triggers: &[&Trigger], version: AirflowVersion) -> Option<String> {
    let class = match version {
        AirflowVersion::Three => "Asset",
        AirflowVersion::Two => "Dataset",
    };
    let asset = |address: &String| format!("{class}({})", python::text(address));
    let all: Vec<Vec<String>> = triggers
        .iter()
        .filter(|trigger| !trigger.data.is_empty())
        .map(|trigger| trigger.data.iter().map(asset).collect())
        .collect();
    match all.as_slice() {
        [] => None,
        [only] => Some(format!("[{}]", only.join(", "))),
        several => {
            let each = several.iter().map(|assets| format!("({})", assets.join(" & ")));
            Some(each.collect::<Vec<_>>().join(" | "))
        }
    }
}
