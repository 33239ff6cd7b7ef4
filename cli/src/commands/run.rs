//! `mlp run`: a pipeline on this machine.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use mlp::plan::{Graph, Node, NodeKind, Pipeline, Plan};
use mlp::types::Value;
use mlp_runtime::events::Outcome;
use mlp_runtime::executor::{Executor, Options};
use mlp_runtime::values::parse_argument;

use super::Context;
use crate::exit::Exit;
use crate::problem::Problem;
use crate::project::{self, Project, Subject};
use crate::{show, signals};

/// Arguments of `mlp run`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mlp run                                    the project's only pipeline
  mlp run credit -p trees=300 -p source=data/new.csv
  mlp run examples/credit --jobs 4           the pipeline of another project
  mlp run --fresh                            reuse nothing of earlier runs
  mlp run --json | jq -c .event              events, one JSON object a line

Ctrl-C lets running steps finish; pressed twice, it ends them.")]
pub struct Arguments {
    #[command(flatten)]
    subject: Subject,
    /// A parameter of the pipeline; may be repeated
    #[arg(short, long = "parameter", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// How many steps run at once at the most; by default as many as the machine has cores
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Run everything anew instead of reusing outputs of earlier runs
    #[arg(long)]
    fresh: bool,
    /// A node that a person approves: an `approve` of the pipeline; may be repeated
    #[arg(long, value_name = "NODE")]
    approve: Vec<String>,
    /// Write events as JSON lines
    #[arg(long)]
    json: bool,
}

/// Runs to the end.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let (name, path) = arguments.subject.resolve(context)?;
    let project = Project::open(&path)?;
    let plan = match project.plan(context)? {
        Ok(plan) => plan,
        Err(exit) => return Ok(exit),
    };
    let pipeline = project::pipeline(&plan, name)?;
    let parameters = parameters(pipeline, &arguments.parameters)?;
    let executor = Executor::open(&project.root)?;
    let mut options = Options {
        cache: !arguments.fresh,
        approved: approved(&plan, pipeline, &arguments.approve)?,
        lock: project.lock()?,
        ..Options::default()
    };
    if let Some(jobs) = arguments.jobs {
        options.jobs = usize::from(jobs);
    }
    signals::listen(&options.cancel);
    let terminal = context.terminal;
    let widths = show::widths(
        names(&plan, pipeline)
            .iter()
            .map(|(name, callee)| (name.as_str(), callee.as_str())),
    );
    let progress = show::Progress::new(terminal, widths, arguments.json);
    let outcome = executor.run(&plan, &pipeline.name, parameters, &options, &progress)?;
    if !arguments.json {
        terminal.out(&show::verdicts(terminal, &outcome.nodes))?;
        terminal.out(&show::failures(terminal, &outcome, &plan, pipeline))?;
        terminal.out(&show::footer(terminal, &outcome, &context.project_option(&path)))?;
    }
    Ok(exit(outcome.outcome))
}

/// The exit of a command whose run ended so.
pub fn exit(outcome: Outcome) -> Exit {
    match outcome {
        Outcome::Succeeded => Exit::Success,
        Outcome::Failed | Outcome::Interrupted | Outcome::Running => Exit::Failed,
        Outcome::Refused => Exit::Refused,
        Outcome::Cancelled => Exit::Cancelled,
    }
}

/// The values that the command line gives, by parameter.
pub fn parameters(pipeline: &Pipeline, given: &[String]) -> Result<BTreeMap<String, Value>, Problem> {
    let mut values = BTreeMap::new();
    for each in given {
        let (name, text) = each.split_once('=').ok_or_else(|| {
            Problem::usage(format!("`-p {each}` gives no value.")).help(format!("Write `-p {each}=VALUE`."))
        })?;
        let known = || pipeline.parameters.iter().map(|parameter| parameter.name.as_str());
        let parameter = pipeline
            .parameters
            .iter()
            .find(|parameter| parameter.name == name)
            .ok_or_else(|| {
                if pipeline.parameters.is_empty() {
                    Problem::usage(format!("Pipeline `{}` takes no parameters.", pipeline.name))
                } else {
                    Problem::unknown(
                        &format!("parameter of pipeline `{}` called", pipeline.name),
                        name,
                        known(),
                    )
                }
            })?;
        let value = parse_argument(&parameter.ty, text)
            .map_err(|message| Problem::usage(format!("The parameter `{name}` cannot be `{text}`: {message}.")))?;
        if values.insert(name.to_owned(), value).is_some() {
            return Err(Problem::usage(format!("The parameter `{name}` is given twice.")));
        }
    }
    Ok(values)
}

/// The nodes that the command line approves.
fn approved(plan: &Plan, pipeline: &Pipeline, given: &[String]) -> Result<BTreeSet<String>, Problem> {
    let mut known = names(plan, pipeline);
    known.retain(|(_, callee)| callee == "approve");
    for name in given {
        if !known.iter().any(|(known, _)| known == name) {
            let names = known.iter().map(|(name, _)| name.as_str());
            return Err(Problem::unknown("`approve` called", name, names));
        }
    }
    Ok(given.iter().cloned().collect())
}

/// The nodes' names and callees, those of regions and called pipelines too, as far as they are known before the run.
fn names(plan: &Plan, pipeline: &Pipeline) -> Vec<(String, String)> {
    let mut found = Vec::new();
    graph_names(plan, &pipeline.graph, "", 0, &mut found);
    found
}

fn graph_names(plan: &Plan, graph: &Graph, prefix: &str, depth: usize, found: &mut Vec<(String, String)>) {
    for node in &graph.nodes {
        let name = format!("{prefix}{}", node.id);
        for (inner, prefix) in inner_graphs(plan, node, prefix, &name) {
            // Pipelines cannot call themselves; the limit only keeps a broken plan from running away.
            if depth < 32 {
                graph_names(plan, inner, &prefix, depth + 1, found);
            }
        }
        found.push((name, node.callee.clone()));
    }
}

fn inner_graphs<'a>(plan: &'a Plan, node: &'a Node, prefix: &str, name: &str) -> Vec<(&'a Graph, String)> {
    let here = prefix.to_owned();
    match &node.kind {
        NodeKind::Step(_) | NodeKind::Operation(_) => Vec::new(),
        NodeKind::Branch(branch) => vec![(&branch.then, here.clone()), (&branch.otherwise, here)],
        NodeKind::Loop(each) => vec![(&each.body, here)],
        NodeKind::Finally(graph) => vec![(graph, here)],
        NodeKind::Pipeline(call) => {
            let called = plan.pipelines.get(&call.pipeline);
            called
                .map(|pipeline| (&pipeline.graph, format!("{name}/")))
                .into_iter()
                .collect()
        }
    }
}
