//! Settings of DAGs and steps as Airflow knows them: time, retries, owners, documentation.

use super::dag::{Ask, Task};
use super::runner::Runs;
use super::write::{Call, Writer};
use super::{parameters, python, schedule, version};
use crate::plan::{AirflowTarget, AirflowVersion, Pipeline, Step};
use crate::targets::{Request, TargetError};

/// `with DAG(…) as dag:`
pub(super) fn opening(request: &Request<'_>, pipeline: &Pipeline) -> Result<String, TargetError> {
    let runs = Runs::of(request)?;
    let settings = runs.settings;
    let schedule = schedule::of(request.plan, pipeline, settings);
    let mut lines = vec![format!("dag_id={}", python::text(&pipeline.name))];
    if let Some(docs) = &pipeline.docs {
        let first = docs.lines().next().unwrap_or_default();
        lines.push(format!("description={}", python::text(first)));
    }
    lines.push(format!(
        "doc_md={}\n    {}",
        python::text(&docs(pipeline)),
        version::DOCUMENTATION
    ));
    lines.push(format!("schedule={}", schedule.text));
    if settings.version == AirflowVersion::Two {
        // The second release starts nothing by itself without it.
        lines.push("start_date=datetime(2024, 1, 1, tzinfo=timezone.utc)".to_owned());
    }
    lines.push("catchup=False".to_owned());
    lines.push(format!("max_active_runs={}", settings.max_active_runs.unwrap_or(1)));
    if let Some(timeout) = settings.timeout {
        lines.push(format!("dagrun_timeout={}", python::timedelta(timeout)));
    }
    lines.extend(notifications(settings));
    let mut defaults = Vec::new();
    if let Some(owner) = &settings.owner {
        defaults.push((python::text("owner"), python::text(owner)));
    }
    if let Some(pool) = &settings.pool {
        defaults.push((python::text("pool"), python::text(pool)));
    }
    if !defaults.is_empty() {
        lines.push(format!("default_args={}", python::dict(defaults)));
    }
    let mut tags: Vec<&str> = vec!["mlp"];
    tags.extend(settings.tags.iter().map(String::as_str).filter(|tag| *tag != "mlp"));
    lines.push(format!("tags={}", python::list(tags.into_iter().map(python::text))));
    let mut text = String::from("with DAG(\n");
    for line in lines {
        text.push_str(&format!("    {line},\n"));
    }
    if !pipeline.parameters.is_empty() {
        text.push_str("    params={\n");
        for parameter in &pipeline.parameters {
            let param = parameters::param(parameter, schedule.parameters.get(&parameter.name));
            text.push_str(&format!("        {}: {param},\n", python::text(&parameter.name)));
        }
        text.push_str("    },\n");
    }
    text.push_str(") as dag:\n");
    Ok(text)
}

/// Who is told when a run fails, or has not ended in time.
fn notifications(settings: &AirflowTarget) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(path) = &settings.notify {
        lines.push(format!("on_failure_callback=Notify({})", python::text(path)));
        if let Some(deadline) = settings.deadline {
            lines.push(format!(
                "deadline=DeadlineAlert(\n        reference=DeadlineReference.DAGRUN_QUEUED_AT,\n        interval={},\n        \
                 callback=SyncCallback({}),\n    )",
                python::timedelta(deadline),
                python::text(path)
            ));
        }
    }
    lines
}

/// What people read about a pipeline. It never ends in `.md`, which Airflow would take for the name of a file.
fn docs(pipeline: &Pipeline) -> String {
    let mut docs = pipeline.docs.clone().unwrap_or_default();
    if !docs.is_empty() {
        docs.push_str("\n\n");
    }
    docs.push_str("Every task keeps its outputs below `ROOT/");
    docs.push_str(&pipeline.name);
    docs.push_str("/RUN/TASK`, with a manifest `outputs.json` beside them.\n");
    docs
}

/// The settings that all calls of a step share.
pub(super) fn step(runs: &Runs<'_>, step: &Step, call: &mut Call) -> Result<(), TargetError> {
    if let Some(docs) = step.docs.as_ref().filter(|docs| !docs.is_empty()) {
        // Airflow would take a text that ends in `.md` for the name of a file.
        call.set("doc_md", python::text(&format!("{docs}\n")));
    }
    retries(step, runs.settings.version, call);
    runs.step_settings(step, call)
}

/// Whom a task asks, and what. A no, or none in time, fails the task as it would end the run elsewhere.
pub(super) fn ask(ask: &Ask, call: &mut Call) {
    let subject = match ask.message.is_empty() {
        true => "May it go on?",
        false => &ask.message,
    };
    call.set("subject", python::text(subject));
    call.set("body", python::text(&format!("{} is asked.", ask.by)));
    if let Some(timeout) = ask.timeout {
        call.set("response_timeout", python::timedelta(timeout));
        call.set("defaults", "\"Reject\"".to_owned());
    }
}

fn retries(step: &Step, version: AirflowVersion, call: &mut Call) {
    if step.retries.count == 0 {
        return;
    }
    let backoff = &step.retries.backoff;
    call.set("retries", step.retries.count.to_string());
    call.set("retry_delay", python::timedelta(backoff.first));
    #[expect(
        clippy::float_cmp,
        reason = "the default of a factor that does nothing is exactly one"
    )]
    if backoff.factor != 1.0 {
        let factor = match version {
            // It knows doubling alone.
            AirflowVersion::Two => python::boolean(true).to_owned(),
            AirflowVersion::Three => python::float(backoff.factor),
        };
        call.set("retry_exponential_backoff", factor);
        call.set("max_retry_delay", python::timedelta(backoff.longest));
    }
}

/// Longest text that one argument of a program can have on Linux, less what the placement may take.
const LONGEST: usize = 120_000;

/// Refuses a task that cannot be told to a container.
pub(super) fn not_too_long(writer: &Writer<'_>, task: &Task, json: &str) -> Result<(), TargetError> {
    if json.len() <= LONGEST || writer.runs.tells_by_file() {
        return Ok(());
    }
    Err(TargetError::Write(format!(
        "`{}` takes {} bytes to describe, and one argument of a program holds {LONGEST}. Move constants into files, or \
         build an image with the step's Python sources",
        task.id,
        json.len()
    )))
}
