//! `mlp launch`: one node inside a container or process of another platform.

use camino::Utf8PathBuf;
use clap::Args;
use mlp_remote::objects::Buckets;
use mlp_remote::{Environment, secrets};
use mlp_runtime::container::{Found, Launch, Stop, launch};
use mlp_runtime::executor::Cancel;
use mlp_runtime::launcher::{Place, place};

use super::{Context, op};
use crate::exit::Exit;
use crate::problem::Problem;
use crate::{signals, words};

/// Arguments of `mlp launch`.
#[derive(Debug, Args)]
#[command(after_help = "\
Pipelines that `mlp build` writes call it in their tasks; nobody types it.

With --task it runs the command of a step where the platform moves inputs and outputs (Kubeflow, Vertex AI): it fills the
step's arguments, runs the program with the step's environment and secrets, ends it when its time is up or the platform asks
for it, checks that every output is there and fits its type, and writes it where the platform looks for it. Whatever goes
wrong, the exit code is 1.

With --placed it runs any node (a step, a built-in operation, the computing of values) where the platform moves nothing
(Airflow): it reads the manifests of the tasks before it, brings their artifacts and verifies them by digest, does what `mlp
run` would do, reuses what the same work gave before, places the outputs below the root of the run (a folder, `s3://`,
`gs://`, `az://`) and writes its own manifest last. It ends with 0, with 1 when a retry may help, with 65 when the data or the
model did not pass, with 64 when it cannot read what it is told, and with 130 when it was ended.

Environment:
  MLP_PROJECT    the folder in which the program runs, with `mlp.lock`; the working folder when not set
  MLP_REGISTRY   the folder that all runs share: the registry of models, the audit trail, the data of champions
  MLP_PYTHON     the Python of Python steps, where it has their packages; else `python3`, else a new environment
  MLP_CACHE_DIR  where Python environments are kept

Examples:
  mlp launch --task @task.json --executor-input '{…}' --timeout 30min --secret TOKEN=file:/secrets/token
  mlp launch --placed @task.json --placement '{…}' --return /airflow/xcom/return.json

The reason of whatever goes wrong is on standard error.")]
pub struct Arguments {
    /// The node and what it reads of the plan, as JSON; or @FILE
    #[arg(
        long,
        value_name = "JSON",
        required_unless_present = "placed",
        requires = "executor_input"
    )]
    task: Option<String>,
    /// Where inputs are and outputs go, as the platform says: KFP's ExecutorInput, as JSON
    #[arg(long, value_name = "JSON", requires = "task")]
    executor_input: Option<String>,
    /// How long the program may run; the step's own `timeout` when not given
    #[arg(long, value_name = "DURATION", requires = "task")]
    timeout: Option<String>,
    /// The node with the sources of what it takes, as JSON; or @FILE
    #[arg(long, value_name = "JSON", conflicts_with = "task", requires = "placement")]
    placed: Option<String>,
    /// The run, the task, the attempt and their values, as the platform knows them, as JSON; or @FILE
    #[arg(long, value_name = "JSON", requires = "placed")]
    placement: Option<String>,
    /// Where to write what the platform itself reads of the outputs
    #[arg(long = "return", value_name = "FILE", requires = "placed")]
    returned: Option<Utf8PathBuf>,
    /// Where a secret is kept: `env:NAME`, `file:/path` or, in Secret Manager, `projects/…`; may be repeated
    #[arg(long = "secret", value_name = "VAR=REFERENCE")]
    secrets: Vec<String>,
}

/// Runs to the end.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let cancel = Cancel::default();
    signals::end_at_once(&cancel);
    let fetch =
        |version: &str| secrets::content(version, &Environment::of_process()).map_err(|error| error.to_string());
    let terminal = context.terminal;
    if let (Some(placed), Some(placement)) = (&arguments.placed, &arguments.placement) {
        let ended = place(&Place {
            placed,
            placement,
            returned: arguments.returned.as_deref(),
            secrets: &arguments.secrets,
            fetch: &fetch,
            objects: &Buckets::new(Environment::of_process(), &cancel),
            cancel: &cancel,
            say: &|line| terminal.err(&format!("{}\n", words::plain(line))),
        });
        let exit = exit(&ended);
        return op::finish(terminal, ended).map(|_| exit);
    }
    let call = Launch {
        task: arguments.task.as_deref().unwrap_or_default(),
        executor_input: arguments.executor_input.as_deref().unwrap_or_default(),
        timeout: arguments.timeout.as_deref(),
        secrets: &arguments.secrets,
        fetch: &fetch,
        cancel: &cancel,
    };
    op::finish(terminal, launch(&call))
}

/// What the platform decides on: whether to try again.
fn exit(ended: &Result<Found, Stop>) -> Exit {
    match ended {
        Ok(_) => Exit::Success,
        Err(Stop::Failed { .. }) => Exit::Program,
        Err(Stop::Refused { .. }) => Exit::Final,
        Err(Stop::Cancelled) => Exit::Cancelled,
        Err(Stop::Call(_)) => Exit::Call,
    }
}
