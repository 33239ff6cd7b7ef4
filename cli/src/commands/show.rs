//! `mlp show`: one run, or one step of it.

use clap::Args;
use mlp_runtime::executor::Executor;
use mlp_runtime::metadata::{NodeRecord, RunRecord};
use mlp_runtime::store::Datum;

use super::Context;
use crate::exit::Exit;
use crate::output::Style;
use crate::problem::Problem;
use crate::{history, show, words};

/// Arguments of `mlp show`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mlp show                 the latest run
  mlp show 01JDC           the run whose id begins so
  mlp show last gated      one step of it: what it found, recorded and gave")]
pub struct Arguments {
    /// The run's id, the beginning of it, or last
    #[arg(value_name = "RUN", default_value = "last")]
    run: String,
    /// A step of the run
    #[arg(value_name = "STEP")]
    step: Option<String>,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// Shows.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let (executor, run) = history::find(context, &arguments.run)?;
    let node = arguments
        .step
        .as_deref()
        .map(|step| history::node(&run, step))
        .transpose()?;
    let text = match (node, arguments.json) {
        (None, true) => history::json(&run)?,
        (Some(node), true) => history::json(node)?,
        (None, false) => overview(context, &executor, &run),
        (Some(node), false) => step(context, &executor, node),
    };
    context.terminal.out(&text)?;
    Ok(Exit::Success)
}

fn overview(context: &Context, executor: &Executor, run: &RunRecord) -> String {
    let terminal = context.terminal;
    let summary = &run.summary;
    let outcome = terminal.paint(words::outcome_style(summary.outcome), summary.outcome.name());
    let took = summary.milliseconds.map(words::duration).unwrap_or_default();
    let mut text = format!(
        "run {} of pipeline {}: {outcome}\n",
        terminal.paint(Style::Strong, &summary.id),
        summary.pipeline
    );
    let mut fact = |name: &str, value: &str| {
        if !value.is_empty() {
            let name = terminal.paint(Style::Quiet, &format!("{name:9}"));
            text.push_str(&format!("  {name}  {}\n", words::plain(value)));
        }
    };
    fact("started", &words::time(&summary.started));
    fact("took", &took);
    let dirty = if run.dirty { " and uncommitted changes" } else { "" };
    fact(
        "commit",
        &run.commit
            .as_ref()
            .map(|commit| format!("{commit}{dirty}"))
            .unwrap_or_default(),
    );
    for (name, value) in &run.parameters {
        fact("parameter", &format!("{name} = {value}"));
    }
    for (name, datum) in &run.outputs {
        fact("returned", &format!("{name}: {}", datum_text(executor, datum)));
    }
    text.push('\n');
    let widths = show::widths(run.nodes.iter().map(|node| (node.node.as_str(), node.callee.as_str())));
    for node in &run.nodes {
        text.push_str(&show::line(terminal, widths, node));
        text.push('\n');
    }
    text + &show::verdicts(terminal, &run.nodes)
}

fn step(context: &Context, executor: &Executor, node: &NodeRecord) -> String {
    show::details(context.terminal, node, None, |datum| datum_text(executor, datum))
}

fn datum_text(executor: &Executor, datum: &Datum) -> String {
    match datum {
        Datum::Value(value) => value.to_string(),
        Datum::Artifact(artifact) => {
            let path = executor.artifact_path(artifact);
            format!("{} ({})", path, words::size(artifact.size))
        }
        Datum::List(items) => {
            let items: Vec<String> = items.iter().map(|item| datum_text(executor, item)).collect();
            format!("[{}]", items.join(", "))
        }
    }
}
