//! `mlp runs`: the latest runs of a project.

use clap::Args;

use super::Context;
use crate::exit::Exit;
use crate::output::Style;
use crate::problem::Problem;
use crate::{history, words};

/// Arguments of `mlp runs`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mlp runs
  mlp runs -n 5 --json")]
pub struct Arguments {
    /// How many, newest first
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// Lists.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let terminal = context.terminal;
    let runs = match history::open(context)? {
        Some(executor) => executor.runs(arguments.limit)?,
        None => Vec::new(),
    };
    if arguments.json {
        terminal.out(&history::json(&runs)?)?;
        return Ok(Exit::Success);
    }
    if runs.is_empty() {
        terminal.out("No runs yet. `mlp run` starts one.\n")?;
    }
    let width =
        |length: &dyn Fn(&mlp_runtime::metadata::RunSummary) -> usize| runs.iter().map(length).max().unwrap_or(0);
    let id = width(&|run| run.id.chars().count());
    let pipeline = width(&|run| run.pipeline.chars().count());
    for run in &runs {
        let outcome = format!("{:11}", run.outcome.name());
        let took = run.milliseconds.map(words::duration).unwrap_or_default();
        terminal.out(&format!(
            "{:id$}  {:pipeline$}  {}  {}  {took:>9}\n",
            terminal.paint(Style::Strong, &run.id),
            run.pipeline,
            terminal.paint(words::outcome_style(run.outcome), &outcome),
            words::time(&run.started),
        ))?;
    }
    Ok(Exit::Success)
}
