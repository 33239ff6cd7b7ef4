//! `mlp submit` to Airflow: the DAG file placed where Airflow reads it, and a run started when it has been read.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::{AirflowTarget, AirflowVersion, exchange_json};
use mlp::targets::airflow::version;
use mlp_remote::airflow::{Airflow, AirflowError, Dag, Expected, Release, Trigger};
use mlp_remote::http::Client;
use mlp_remote::{Environment, Started};
use mlp_runtime::executor::{Cancel, CancelLevel};
use serde_json::Value as Json;

use super::Context;
use super::submit::{self, Arguments, FIRST_WAIT, Request};
use crate::exit::Exit;
use crate::files::{self, Placed};
use crate::output::Style;
use crate::problem::Problem;
use crate::project::Project;
use crate::signals;

/// How long Airflow may take to read a file: twice the five minutes after which it looks for new ones by itself.
const DEADLINE: Duration = Duration::from_mins(10);
/// Places the file, and starts a run where the target says whom to ask for one.
pub(super) fn run(
    settings: &AirflowTarget,
    request: &Request<'_>,
    project: &Project,
    arguments: &Arguments,
    context: &Context,
) -> Result<Exit, Problem> {
    let file = format!("{}.py", request.pipeline.name);
    let text = request.built.text(&file)?;
    let environment = Environment::of_process();
    let Some(host) = &settings.host else {
        let Some(folder) = folder(settings, project, &environment)? else {
            return Err(nowhere(&request.built.target.name));
        };
        only_placed(arguments, &request.built.target.name)?;
        place(&folder, &file, text, context)?;
        let message = "Airflow reads the file by itself. The target names no `host`, so no run was started.\n";
        context.terminal.out(message)?;
        return Ok(Exit::Success);
    };
    let parameters = parameters(request)?;
    let folder = folder(settings, project, &environment)?;
    let release = match settings.version {
        AirflowVersion::Two => Release::Two,
        AirflowVersion::Three => Release::Three,
    };
    let airflow = Airflow::connect(host, release, Client::new(FIRST_WAIT, &environment)?, &environment)?;
    let submission = Submission {
        airflow: &airflow,
        request,
        file: &file,
        text,
        folder,
        unpause: arguments.unpause,
        context,
    };
    let Some(started) = submission.start(&parameters, arguments.name.as_deref())? else {
        return Ok(Exit::Cancelled);
    };
    let run = airflow.run(&request.pipeline.name, &started.id);
    submit::report(&started, &run, arguments.wait, context)
}

/// A pipeline on its way to Airflow.
struct Submission<'a> {
    airflow: &'a Airflow,
    request: &'a Request<'a>,
    file: &'a str,
    text: &'a str,
    folder: Option<Utf8PathBuf>,
    unpause: bool,
    context: &'a Context,
}

impl Submission<'_> {
    /// Places, waits, starts; nothing is started when the user stops the waiting.
    fn start(&self, parameters: &BTreeMap<String, Json>, note: Option<&str>) -> Result<Option<Started>, Problem> {
        let name = &self.request.pipeline.name;
        let version = version::of(self.text)
            .ok_or_else(|| Problem::machine(format!("The DAG file of `{name}` does not say which version it is.")))?;
        let before = self.airflow.dag(name)?;
        let old_errors = self.airflow.import_errors(self.file)?;
        let placed = match &self.folder {
            Some(folder) => place(folder, self.file, self.text, self.context)?,
            None => Placed::Equal,
        };
        let old_errors = match placed {
            Placed::Written => old_errors,
            // What Airflow said of this file is about this text.
            Placed::Equal => BTreeSet::new(),
        };
        let said = version::said(version);
        let expected = Expected {
            dag: name,
            file: self.file,
            version: &said,
            old_errors: &old_errors,
        };
        // Nothing new is on its way from here.
        if self.folder.is_none() && !before.as_ref().is_some_and(|dag| expected.is(dag)) {
            return Err(elsewhere(name, &self.request.built.target.name));
        }
        let dag = match self.read(&expected, before.as_ref()) {
            Ok(dag) => dag,
            Err(error @ AirflowError::Stopped) => {
                self.context.terminal.problem(&error.into());
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        self.let_run(&dag, before.is_none())?;
        let run = format!(
            "manual__{}-{version}",
            self.request.now.strftime("%Y-%m-%dT%H-%M-%S%.3f")
        );
        Ok(Some(self.airflow.trigger(&Trigger {
            dag: name,
            run: &run,
            note,
            parameters,
        })?))
    }

    fn read(&self, expected: &Expected<'_>, before: Option<&Dag>) -> Result<Dag, AirflowError> {
        if !before.is_some_and(|dag| expected.is(dag)) {
            let message = "waiting until Airflow has read the file";
            let message = self.context.terminal.paint_error(Style::Quiet, message);
            self.context.terminal.err(&format!("{message}\n"));
        }
        let cancel = Cancel::default();
        signals::listen(&cancel);
        let stop = || cancel.level() != CancelLevel::None;
        self.airflow.read(expected, DEADLINE, &stop)
    }

    /// A run of a paused DAG waits. Airflow pauses every new one: where nothing but a request starts runs, it is let go; else
    /// its schedule would begin too, which the user must want.
    fn let_run(&self, dag: &Dag, is_new: bool) -> Result<(), Problem> {
        let name = &self.request.pipeline.name;
        let triggers: Vec<&str> = self
            .request
            .built
            .plan
            .triggers
            .values()
            .filter(|trigger| trigger.pipeline == *name)
            .map(|trigger| trigger.name.as_str())
            .collect();
        match dag.paused {
            false => Ok(()),
            true if self.unpause || (is_new && triggers.is_empty()) => {
                self.airflow.unpause(name)?;
                self.context.terminal.out(&format!("unpaused {name}\n"))
            }
            true => Err(paused(name, &triggers)),
        }
    }
}

/// Airflow has another file than the one that was compiled, or none.
fn elsewhere(name: &str, target: &str) -> Problem {
    Problem::machine(format!(
        "The DAG `{name}` that Airflow has is not the one that was compiled, and the target `{target}` names no `dags` to \
         place it in."
    ))
    .help(format!(
        "Bring what `mlp build --target {target}` writes to where Airflow reads DAG files, or name that folder as `dags`."
    ))
}

fn paused(name: &str, triggers: &[&str]) -> Problem {
    let too = match triggers {
        [] => String::new(),
        _ => format!(" Its triggers start runs from then on, too: {}.", triggers.join(", ")),
    };
    Problem::usage(format!(
        "The DAG `{name}` is paused, so its runs wait, and none was started."
    ))
    .help(format!("Add `--unpause` to let it run.{too}"))
}

/// Neither a place for the file nor someone to ask for a run.
fn nowhere(target: &str) -> Problem {
    Problem::usage(format!(
        "Nothing says where the Airflow of the target `{target}` is: it names neither `dags` nor `host`."
    ))
    .help(
        "Write `dags: \"/opt/airflow/dags\"`, the folder that Airflow reads, and `host: \"https://airflow.example.com\"` in \
         `target … : airflow { … }`, and name that target with `--target`.",
    )
}

/// What asks for a run needs someone to ask.
fn only_placed(arguments: &Arguments, target: &str) -> Result<(), Problem> {
    let asked = [
        (arguments.wait, "--wait"),
        (arguments.unpause, "--unpause"),
        (arguments.name.is_some(), "--name"),
        (!arguments.parameters.is_empty(), "--parameter"),
    ];
    match asked.into_iter().find(|(given, _)| *given) {
        None => Ok(()),
        Some((_, option)) => Err(Problem::usage(format!(
            "`{option}` is about a run, and the target `{target}` names no `host` that could start one."
        ))
        .help("Write `host: \"https://airflow.example.com\"` in the target.")),
    }
}

/// The values for Airflow, whose integers are those of Python.
fn parameters(request: &Request<'_>) -> Result<BTreeMap<String, Json>, Problem> {
    let values = submit::values(request.pipeline, request.given)?;
    Ok(values
        .iter()
        .map(|(name, value)| (name.clone(), exchange_json(value)))
        .collect())
}

/// The folder of DAG files: absolute, below the home folder, or as seen from the project.
fn folder(
    settings: &AirflowTarget,
    project: &Project,
    environment: &Environment,
) -> Result<Option<Utf8PathBuf>, Problem> {
    let Some(dags) = settings.dags.as_deref() else {
        return Ok(None);
    };
    let home = environment.home.as_deref().and_then(Utf8Path::from_path);
    let folder = match (dags.strip_prefix("~/"), home) {
        (Some(below), Some(home)) => home.join(below),
        (Some(_), None) => {
            return Err(
                Problem::machine(format!("`{dags}` is below the home folder, and there is none."))
                    .help("Set HOME, or write the whole path as `dags` of the target."),
            );
        }
        (None, _) => project.root.join(dags),
    };
    match folder.is_dir() {
        true => Ok(Some(folder)),
        false => Err(Problem::machine(format!("There is no folder `{folder}` to place the DAG file in."))
            .help("`dags` of the target is the folder that Airflow reads DAG files from; see that it is right and mounted here.")),
    }
}

/// Places a file, unless one is there that somebody else wrote.
fn place(folder: &Utf8Path, file: &str, text: &str, context: &Context) -> Result<Placed, Problem> {
    let path = folder.join(file);
    let placed = match std::fs::read(&path) {
        Ok(present) if present == text.as_bytes() => Placed::Equal,
        Ok(present) if !version::is_ours(&String::from_utf8_lossy(&present)) => {
            return Err(
                Problem::usage(format!("`{path}` was not written by mlp, and is left alone."))
                    .help("Move it away, or give the pipeline another name: a DAG is called as its pipeline."),
            );
        }
        Ok(_) => files::place(&path, text)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => files::place(&path, text)?,
        Err(error) => return Err(Problem::io("read", &path, &error)),
    };
    let word = match placed {
        Placed::Written => "wrote",
        Placed::Equal => "unchanged",
    };
    context.terminal.out(&format!("{word} {path}\n"))?;
    Ok(placed)
}

impl From<AirflowError> for Problem {
    fn from(error: AirflowError) -> Self {
        let help = error.help();
        let message = format!("{error}");
        match message.contains('\n') {
            true => Self::machine(message).help(help),
            false => Self::machine(format!("{message}.")).help(help),
        }
    }
}
