//! `mlp submit`: a run on Kubeflow Pipelines, Vertex AI or Airflow.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use mlp::plan::{DeclaredTarget, KubeflowTarget, Pipeline, Platform, VertexTarget};
use mlp::targets::TargetName;
use mlp::types::Value;
use mlp_remote::http::Client;
use mlp_remote::kubeflow::{self, Kubeflow, Submission};
use mlp_remote::vertex::Vertex;
use mlp_remote::watch::{Snapshot, State, TaskSnapshot, Watch, follow};
use mlp_remote::{Environment, RemoteError, Started, google};
use mlp_runtime::executor::{Cancel, CancelLevel};
use serde_json::Value as Json;

use super::build::{self, Compiled};
use super::{Context, submit_airflow};
use crate::exit::Exit;
use crate::output::Style;
use crate::problem::Problem;
use crate::project::{self, Project, Subject};
use crate::signals;

/// The wait before a request is sent again.
pub(super) const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait until a run is asked again how it stands.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How many digits of the specification's digest name a version.
const VERSION_DIGITS: usize = 12;
/// The experiment of runs whose target names none.
const DEFAULT_EXPERIMENT: &str = "Default";

/// Arguments of `mlp submit`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mlp submit --target prod                   the project's only pipeline, to the declared target `prod`
  mlp submit credit -t prod -p trees=300 --wait
  mlp submit credit -t airflow --unpause     its DAG placed and read by Airflow, and a run of it started

Credentials for Kubeflow are looked for in MLP_KUBEFLOW_TOKEN, the file KF_PIPELINES_SA_TOKEN_PATH, MLP_KUBEFLOW_COOKIE,
the token of a Kubeflow pod, and the cookie in ~/.config/kfp/context.json; the address is the target's `host`, else
KF_PIPELINES_ENDPOINT. Credentials for Vertex AI are looked for in GOOGLE_OAUTH_ACCESS_TOKEN, the file
GOOGLE_APPLICATION_CREDENTIALS, those of `gcloud auth application-default login`, and the machine's own. Credentials for
Airflow are looked for in MLP_AIRFLOW_TOKEN, else in MLP_AIRFLOW_USER and MLP_AIRFLOW_PASSWORD. Certificates of one's own
are named by SSL_CERT_FILE, a proxy by HTTPS_PROXY.

Ctrl-C while waiting stops the watching; the run goes on.")]
pub struct Arguments {
    #[command(flatten)]
    subject: Subject,
    /// A declared target, or kubeflow, vertex or airflow; the `target` of `mlp.toml` when not given
    #[arg(short, long, value_name = "NAME")]
    target: Option<String>,
    /// A parameter of the pipeline; may be repeated
    #[arg(short, long = "parameter", value_name = "NAME=VALUE")]
    pub(super) parameters: Vec<String>,
    /// What the run is called
    #[arg(long, value_name = "TEXT")]
    pub(super) name: Option<String>,
    /// Wait for the end, and show how the tasks stand
    #[arg(short, long)]
    pub(super) wait: bool,
    /// Airflow: let the runs of a paused DAG begin, those of its triggers too
    #[arg(long)]
    pub(super) unpause: bool,
}

/// A run to be started.
pub(super) struct Request<'a> {
    /// The pipeline.
    pub(super) pipeline: &'a Pipeline,
    /// What it was compiled to.
    pub(super) built: &'a Compiled,
    /// Parameters as the user gave them.
    pub(super) given: &'a [String],
    /// When it was asked for.
    pub(super) now: Timestamp,
    name: Option<&'a str>,
}

/// Compiles, uploads, starts, and waits if asked.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let (name, path) = arguments.subject.resolve(context)?;
    let project = Project::open(&path)?;
    let built = match build::compile(&project, arguments.target.as_deref(), context)? {
        Ok(built) => built,
        Err(exit) => return Ok(exit),
    };
    let pipeline = project::pipeline(&built.plan, name)?;
    let now = Timestamp::now();
    let request = Request {
        pipeline,
        built: &built,
        given: &arguments.parameters,
        now,
        name: arguments.name.as_deref(),
    };
    if arguments.unpause && built.target.platform.name() != TargetName::Airflow {
        return Err(Problem::usage(
            "`--unpause` is for Airflow, where a DAG that is paused starts no runs.",
        ));
    }
    let environment = Environment::of_process();
    match &built.target.platform {
        Platform::Kubeflow(settings) => {
            let parameters = parameters(&request)?;
            let kubeflow = connect_kubeflow(settings, &environment)?;
            let started = start_kubeflow(&kubeflow, settings, &request, &parameters)?;
            let run = kubeflow.run(&started.id);
            report(&started, &run, arguments.wait, context)
        }
        Platform::Vertex(settings) if settings.project.is_empty() => Err(undeclared()),
        Platform::Vertex(settings) => {
            let parameters = parameters(&request)?;
            let token = google::token(&environment)?;
            let client = Client::new(FIRST_WAIT, &environment)?;
            let vertex = Vertex::new(&settings.project, &settings.region, client, &token, &environment);
            let started = start_vertex(&vertex, settings, &request, &parameters)?;
            let run = vertex.run(&started.id);
            report(&started, &run, arguments.wait, context)
        }
        Platform::Airflow(settings) => submit_airflow::run(settings, &request, &project, arguments, context),
        Platform::Local => Err(unsupported(&built.target)),
    }
}

fn undeclared() -> Problem {
    Problem::usage("No target says in which project and region of Vertex AI the run belongs.")
        .help("Write `target prod: vertex { project: \"…\", region: \"…\", root: \"gs://…\" }`, and name it with `--target prod`.")
}

fn unsupported(target: &DeclaredTarget) -> Problem {
    Problem::usage(format!(
        "`mlp submit` starts runs on Kubeflow, Vertex AI and Airflow, and the target `{}` is none of them.",
        target.name
    ))
    .help("Name another with `--target`, or run the pipeline on this machine with `mlp run`.")
}

impl Request<'_> {
    /// What the run is called where the user does not say.
    fn title(&self) -> String {
        let default = || format!("{} {}", self.pipeline.name, self.now.strftime("%Y-%m-%d %H:%M:%S"));
        self.name.map_or_else(default, str::to_owned)
    }
}

/// The given values; every parameter without a default must be given.
pub(super) fn values(pipeline: &Pipeline, given: &[String]) -> Result<BTreeMap<String, Value>, Problem> {
    let values = super::run::parameters(pipeline, given)?;
    let missing = pipeline.parameters.iter().find(|parameter| {
        parameter.default.is_none() && !parameter.ty.optional && !values.contains_key(&parameter.name)
    });
    match missing {
        None => Ok(values),
        Some(parameter) => Err(Problem::usage(format!(
            "Pipeline `{}` needs a value for its parameter `{}`.",
            pipeline.name, parameter.name
        ))
        .help(format!("Add `-p {}=VALUE`.", parameter.name))),
    }
}

/// The values as Kubeflow and Vertex AI take them.
fn parameters(request: &Request<'_>) -> Result<BTreeMap<String, Json>, Problem> {
    values(request.pipeline, request.given)?
        .into_iter()
        .map(|(name, value)| match mlp::targets::kubeflow::parameter(&value) {
            Ok(json) => Ok((name, json)),
            Err(integer) => Err(Problem::usage(format!(
                "The parameter `{name}` cannot be {integer}: the platform carries integers up to 2^53 - 1."
            ))),
        })
        .collect()
}

fn connect_kubeflow(settings: &KubeflowTarget, environment: &Environment) -> Result<Kubeflow, Problem> {
    let host = settings
        .host
        .as_deref()
        .or(environment.variable(kubeflow::ENDPOINT_VARIABLE));
    let Some(host) = host else {
        return Err(
            Problem::usage("Nothing says where Kubeflow Pipelines is.").help(format!(
                "Write `host: \"https://…/pipeline\"` in the target, or set {}.",
                kubeflow::ENDPOINT_VARIABLE
            )),
        );
    };
    let client = Client::new(FIRST_WAIT, environment)?;
    Ok(Kubeflow::new(host, client, environment)?)
}

fn start_kubeflow(
    kubeflow: &Kubeflow,
    settings: &KubeflowTarget,
    request: &Request<'_>,
    parameters: &BTreeMap<String, Json>,
) -> Result<Started, Problem> {
    let specification = request.built.text(&format!("{}.yaml", request.pipeline.name))?;
    let pipeline = mlp::targets::kubeflow::pipeline_name(&request.pipeline.name);
    let digest = blake3::hash(specification.as_bytes()).to_hex();
    let version = format!("{pipeline}-{}", &digest[..VERSION_DIGITS]);
    Ok(kubeflow.submit(&Submission {
        pipeline: &pipeline,
        version: &version,
        specification,
        run: &request.title(),
        experiment: settings.experiment.as_deref().unwrap_or(DEFAULT_EXPERIMENT),
        namespace: settings.namespace.as_deref(),
        parameters,
        root: settings.root.as_deref(),
        service_account: settings.service_account.as_deref(),
    })?)
}

fn start_vertex(
    vertex: &Vertex,
    settings: &VertexTarget,
    request: &Request<'_>,
    parameters: &BTreeMap<String, Json>,
) -> Result<Started, Problem> {
    let text = request.built.text(&format!("{}.job.json", request.pipeline.name))?;
    let body: Json = serde_json::from_str(text)
        .map_err(|error| Problem::machine(format!("The request for {} cannot be read: {error}.", settings.project)))?;
    let pipeline = mlp::targets::kubeflow::pipeline_name(&request.pipeline.name);
    let id = format!("{pipeline}-{}", request.now.strftime("%Y%m%d%H%M%S"));
    Ok(vertex.submit(&id, &request.title(), body, parameters)?)
}

/// Tells what was started, and follows it if asked.
pub(super) fn report(started: &Started, run: &dyn Watch, wait: bool, context: &Context) -> Result<Exit, Problem> {
    let terminal = context.terminal;
    terminal.out(&format!("started {}\n{}\n", started.id, started.page))?;
    if !wait {
        return Ok(Exit::Success);
    }
    let cancel = Cancel::default();
    signals::listen(&cancel);
    let stop = || cancel.level() != CancelLevel::None;
    let mut broken = None;
    let last = follow(run, LONGEST_WAIT, &stop, &mut |task| {
        if broken.is_none() {
            broken = terminal.out(&line(task, context)).err();
        }
    })?;
    broken.map_or(Ok(()), Err)?;
    ended(&last, context)
}

fn line(task: &TaskSnapshot, context: &Context) -> String {
    let word = context
        .terminal
        .paint(style(task.state), &format!("{:<9}", task.state.word()));
    match &task.error {
        Some(error) if task.state == State::Failed => {
            // Lines of a log stand below the task's name.
            let error = error.replace('\n', "\n             ");
            format!("  {word}  {}: {error}\n", task.name)
        }
        Some(_) | None => format!("  {word}  {}\n", task.name),
    }
}

fn style(state: State) -> Style {
    match state {
        State::Succeeded => Style::Good,
        State::Failed => Style::Bad,
        State::Cancelled => Style::Warn,
        State::Waiting | State::Running | State::Skipped => Style::Quiet,
    }
}

fn ended(last: &Snapshot, context: &Context) -> Result<Exit, Problem> {
    let exit = match last.state {
        State::Succeeded | State::Skipped => Exit::Success,
        State::Failed => Exit::Failed,
        State::Cancelled => Exit::Cancelled,
        State::Waiting | State::Running => {
            context.terminal.out("The run goes on; it is no longer watched.\n")?;
            return Ok(Exit::Cancelled);
        }
    };
    let word = context.terminal.paint(style(last.state), last.state.word());
    match &last.error {
        Some(error) if exit == Exit::Failed => context.terminal.out(&format!("The run {word}: {error}\n"))?,
        Some(_) | None => context.terminal.out(&format!("The run {word}.\n"))?,
    }
    Ok(exit)
}

impl From<RemoteError> for Problem {
    fn from(error: RemoteError) -> Self {
        Self::machine(format!("{error}.")).help(error.help())
    }
}
