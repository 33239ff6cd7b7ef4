//! `mlp launch`: the command of a step, inside a container of another platform.

use clap::Args;
use mlp_remote::{Environment, secrets};
use mlp_runtime::container::{Launch, launch};
use mlp_runtime::executor::Cancel;

use super::{Context, op};
use crate::exit::Exit;
use crate::problem::Problem;
use crate::signals;

/// Arguments of `mlp launch`.
#[derive(Debug, Args)]
#[command(after_help = "\
Pipelines that `mlp build` writes call it in their containers; nobody types it. It fills the step's arguments, runs the
program with the step's environment and secrets, ends it when its time is up or the platform asks for it, checks that every
output is there and fits its type, and writes it where the platform looks for it.

Environment:
  MLP_PROJECT    the folder in which the program runs; the working folder when not set

Examples:
  mlp launch --task @task.json --executor-input '{…}' --timeout 30min --secret TOKEN=file:/secrets/token

Whatever goes wrong, the exit code is 1, and the reason is on standard error.")]
pub struct Arguments {
    /// The node and what it reads of the plan, as JSON; or @FILE
    #[arg(long, value_name = "JSON")]
    task: String,
    /// Where inputs are and outputs go, as the platform says: KFP's ExecutorInput, as JSON
    #[arg(long, value_name = "JSON")]
    executor_input: String,
    /// How long the program may run; the step's own `timeout` when not given
    #[arg(long, value_name = "DURATION")]
    timeout: Option<String>,
    /// Where a secret is kept: `env:NAME`, `file:/path` or, in Secret Manager, `projects/…`; may be repeated
    #[arg(long = "secret", value_name = "VAR=REFERENCE")]
    secrets: Vec<String>,
}

/// Runs to the end.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let cancel = Cancel::default();
    signals::end_at_once(&cancel);
    let call = Launch {
        task: &arguments.task,
        executor_input: &arguments.executor_input,
        timeout: arguments.timeout.as_deref(),
        secrets: &arguments.secrets,
        fetch: &|version| secrets::content(version, &Environment::of_process()).map_err(|error| error.to_string()),
        cancel: &cancel,
    };
    op::finish(context.terminal, launch(&call))
}
