//! `mlp test`: the `test` blocks of a project.

use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use mlp::check::pipelines::{Expectation, ExpectedOutcome, TestCase, test_cases};
use mlp::db::ItemKey;
use mlp::diagnostics::{Place, line_index, locate};
use mlp::plan::Plan;
use mlp::syntax::ast::ItemKind;
use mlp::{names, workspace};
use mlp_runtime::events::{NodeState, Silence};
use mlp_runtime::executor::{CancelLevel, Executor, Options, RunOutcome};
use mlp_runtime::metadata::NodeRecord;

use super::Context;
use crate::exit::Exit;
use crate::output::{Style, Terminal};
use crate::problem::Problem;
use crate::project::Project;
use crate::{signals, words};

/// Arguments of `mlp test`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mlp test                 every `test` block of the project
  mlp test dirty           those whose name contains the word

Tests run in a state of their own: they see no earlier run, and leave none.")]
pub struct Arguments {
    /// A part of the names of the tests to run
    #[arg(value_name = "FILTER")]
    filter: Option<String>,
    /// The project's folder, or a single `.mlp` file
    #[arg(value_name = "PATH")]
    path: Option<Utf8PathBuf>,
}

/// Runs the tests one after the other.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let terminal = context.terminal;
    let project = Project::open(&context.path(arguments.path.as_deref()))?;
    let plan = match project.plan(context)? {
        Ok(plan) => plan,
        Err(exit) => return Ok(exit),
    };
    let wanted = arguments.filter.as_deref().unwrap_or_default().to_lowercase();
    let mut cases = cases(&project);
    cases.retain(|(_, case)| case.name.to_lowercase().contains(&wanted));
    let options = Options {
        lock: project.lock()?,
        ..Options::default()
    };
    signals::listen(&options.cancel);
    let (mut held, mut failed) = (0, 0);
    for (key, case) in &cases {
        if options.cancel.level() != CancelLevel::None {
            return Ok(Exit::Cancelled);
        }
        let start = Instant::now();
        let misses = run_case(&project, &plan, key, case, &options)?;
        let took = words::duration(u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX));
        report(terminal, &case.name, &took, &misses)?;
        if misses.is_empty() { held += 1 } else { failed += 1 }
    }
    if cases.is_empty() {
        terminal.out("No test to run.\n")?;
    } else {
        terminal.out(&format!(
            "\n{}: {held} passed, {failed} failed\n",
            words::count(cases.len(), "test")
        ))?;
    }
    Ok(if failed > 0 { Exit::Program } else { Exit::Success })
}

fn cases(project: &Project) -> Vec<(ItemKey, TestCase)> {
    let mut found = Vec::new();
    for file in workspace::files(&project.db) {
        for (key, _) in &names::file_items(&project.db, file).items {
            let item = names::item(&project.db, key);
            if item.is_some_and(|item| matches!(item.kind, ItemKind::Test(_))) {
                found.extend(test_cases(&project.db, key).into_iter().map(|case| (key.clone(), case)));
            }
        }
    }
    found
}

/// What did not come out as expected: one line each.
fn run_case(
    project: &Project,
    plan: &Plan,
    key: &ItemKey,
    case: &TestCase,
    options: &Options,
) -> Result<Vec<String>, Problem> {
    let scratch = tempfile::tempdir().map_err(|error| Problem::io("make", "a temporary folder", &error))?;
    let state = Utf8Path::from_path(scratch.path())
        .ok_or_else(|| Problem::machine("The temporary folder's path is not UTF-8."))?;
    let executor = Executor::open_at(&project.root, state)?;
    let outcome = executor.run(plan, &case.pipeline, case.arguments.clone(), options, &Silence)?;
    let miss = |expectation: &Expectation| {
        let problem = miss(expectation, &outcome)?;
        let place = place(project, key, expectation);
        Some(format!("{place}: {}: {problem}", expectation.text))
    };
    Ok(case.expectations.iter().filter_map(miss).collect())
}

fn place(project: &Project, key: &ItemKey, expectation: &Expectation) -> String {
    let (path, range) = locate(&project.db, &Place::Node(key.clone(), expectation.node));
    let file = mlp::db::Db::file(&project.db, &path);
    let text = file.contents(&project.db).text().unwrap_or_default();
    let line = line_index(&project.db, file)
        .characters(text, range.start as usize)
        .line;
    format!("{path}:{}", line.saturating_add(1))
}

/// Why an expectation does not hold; nothing when it does.
fn miss(expectation: &Expectation, outcome: &RunOutcome) -> Option<String> {
    let about = |node: &&NodeRecord| {
        node.node == expectation.subject || node.callee == expectation.subject || is_iteration(&node.node, expectation)
    };
    let nodes: Vec<&NodeRecord> = outcome.nodes.iter().filter(about).collect();
    let state = |node: &NodeRecord| node.state;
    let holds = match expectation.outcome {
        ExpectedOutcome::Succeeded => !nodes.is_empty() && nodes.iter().all(|node| state(node) == NodeState::Succeeded),
        ExpectedOutcome::Failed => nodes
            .iter()
            .any(|node| matches!(state(node), NodeState::Failed | NodeState::Refused)),
        // A node behind a failure may have left no record at all.
        ExpectedOutcome::Skipped => nodes.iter().all(|node| state(node) == NodeState::Skipped),
        ExpectedOutcome::Cached => !nodes.is_empty() && nodes.iter().all(|node| node.cached),
    };
    if holds {
        return None;
    }
    let told = |node: &&NodeRecord| {
        let reason = node
            .failure
            .as_ref()
            .map(|failure| format!(" ({})", failure.summary))
            .unwrap_or_default();
        let cached = if node.cached { ", cached" } else { "" };
        format!("`{}` {}{cached}{reason}", node.node, node.state.name())
    };
    if nodes.is_empty() {
        return Some(format!("`{}` did not run", expectation.subject));
    }
    Some(nodes.iter().map(told).collect::<Vec<_>>().join(", "))
}

/// `train[2]` is an iteration of `train`.
fn is_iteration(node: &str, expectation: &Expectation) -> bool {
    node.strip_prefix(expectation.subject.as_str())
        .is_some_and(|rest| rest.starts_with('['))
}

fn report(terminal: Terminal, name: &str, took: &str, misses: &[String]) -> Result<(), Problem> {
    let (sign, style) = if misses.is_empty() {
        ("✓", Style::Good)
    } else {
        ("✗", Style::Bad)
    };
    let took = terminal.paint(Style::Quiet, &format!("({took})"));
    let mut text = format!("{} {} {took}\n", terminal.paint(style, sign), words::plain(name));
    for miss in misses {
        text.push_str(&format!("    {}\n", words::plain(miss)));
    }
    terminal.out(&text)
}
