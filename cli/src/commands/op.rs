//! `mlp op`: one built-in operation, inside a container of another platform.

use clap::Args;
use mlp_runtime::container::{Found, Operate, Stop, operate};
use mlp_runtime::executor::Cancel;

use super::Context;
use crate::exit::Exit;
use crate::output::{Style, Terminal};
use crate::problem::Problem;
use crate::words;
use crate::{show, signals};

/// Arguments of `mlp op`.
#[derive(Debug, Args)]
#[command(after_help = "\
Pipelines that `mlp build` writes call it in their containers; nobody types it. It reads the inputs that the platform
brings, does what `mlp run` would do, and writes the outputs, a report and metrics where the platform looks for them, also
when the data or the model does not pass. `compute` evaluates and checks values.

Environment:
  MLP_REGISTRY   the folder that all runs share: the registry of models, the audit trail, the data of champions
  MLP_PYTHON     the Python that predicts, where it has the packages of the model; else `python3`, else a new environment
  MLP_PROJECT    the folder of the project's Python files, where they do not come with the task

Examples:
  mlp op validate --task @task.json --executor-input '{…}'

Whatever goes wrong, the exit code is 1, and the reason is on standard error.")]
pub struct Arguments {
    /// read, validate, features, project, split, mask, predict, evaluate, gate, challenge, champion, prior, register, deploy
    /// or compute
    #[arg(value_name = "NAME")]
    name: String,
    /// The node and what it reads of the plan, as JSON; or @FILE
    #[arg(long, value_name = "JSON")]
    task: String,
    /// Where inputs are and outputs go, as the platform says: KFP's ExecutorInput, as JSON
    #[arg(long, value_name = "JSON")]
    executor_input: String,
}

/// Runs to the end.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let terminal = context.terminal;
    let cancel = Cancel::default();
    signals::end_at_once(&cancel);
    let call = Operate {
        name: &arguments.name,
        task: &arguments.task,
        executor_input: &arguments.executor_input,
        cancel: &cancel,
        say: &|line| terminal.err(&format!("{}\n", words::plain(line))),
    };
    finish(terminal, operate(&call))
}

/// Tells how a container ended. Platforms know success and failure alone.
pub fn finish(terminal: Terminal, ended: Result<Found, Stop>) -> Result<Exit, Problem> {
    let (node, what, failure) = match ended {
        Ok(found) => {
            let line = format!("✓ {}  {}", words::plain(&found.node), words::plain(&found.summary));
            terminal.out(&format!("{}\n", line.trim_end()))?;
            return Ok(Exit::Success);
        }
        Err(Stop::Cancelled) => {
            terminal.err("cancelled by the platform\n");
            return Ok(Exit::Cancelled);
        }
        Err(Stop::Failed { node, failure }) => (node, "failed", failure),
        Err(Stop::Refused { node, failure }) => (node, "did not pass", failure),
        Err(Stop::Call(failure)) => (String::new(), "cannot be called so", failure),
    };
    let heading = format!(
        "✗ {} {what}",
        if node.is_empty() {
            "mlp".to_owned()
        } else {
            words::plain(&node)
        }
    );
    let heading = terminal.paint(Style::Bad, &heading);
    terminal.err(&format!("{heading}\n{}", show::failure(terminal, &failure)));
    Ok(Exit::Program)
}
