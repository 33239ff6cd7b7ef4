//! Runs every program of `tests/programs` and compares what comes out with its `expected`: lines `$ pipeline name=value …`,
//! each followed by how the run ended, how every node ended with what it gave, and what the pipeline returned.
//!
//! What is compared is what every platform can show, so that the same programs can be run on others.
//! `MLP_BLESS=1` rewrites what stands below the `$` lines.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads the repository's own files, and may stop at the first surprise"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use mlp::db::Database;
use mlp::diagnostics::{Format, render};
use mlp::plan::{self, BuildError, Plan};
use mlp::project::DiskHost;
use mlp::types::Value;
use mlp_runtime::events::Silence;
use mlp_runtime::executor::{Executor, Options, RunOutcome};
use mlp_runtime::store::Datum;
use mlp_runtime::values::{parse_argument, value_text};

fn folder() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/programs")
}

/// The program's plan; the text of its errors, which then is what is compared.
fn compile(root: &Utf8Path) -> Result<Plan, String> {
    let db = Database::new(Arc::new(DiskHost::open(root).unwrap()));
    plan::build(&db).map_err(|error| match error {
        BuildError::Program(errors) => render(&db, &errors, Format::Line),
        error @ BuildError::Ambiguous { .. } => format!("{error}\n"),
    })
}

fn run(root: &Utf8Path, plan: &Plan, command: &str) -> String {
    let mut words = command.split_whitespace();
    let pipeline = words.next().unwrap();
    let declared = &plan.pipelines[pipeline].parameters;
    let parameters: BTreeMap<String, Value> = words
        .map(|word| {
            let (name, text) = word.split_once('=').unwrap();
            let parameter = declared.iter().find(|parameter| parameter.name == name).unwrap();
            (name.to_owned(), parse_argument(&parameter.ty, text).unwrap())
        })
        .collect();
    let state = tempfile::tempdir().unwrap();
    let executor = Executor::open_at(root, Utf8Path::from_path(state.path()).unwrap()).unwrap();
    let options = Options {
        environments: Some(Utf8PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("python")),
        ..Options::default()
    };
    match executor.run(plan, pipeline, parameters, &options, &Silence) {
        Ok(outcome) => told(&executor, &outcome),
        Err(error) => format!("{error}\n"),
    }
}

fn told(executor: &Executor, outcome: &RunOutcome) -> String {
    let mut text = format!("{}\n", outcome.outcome.name());
    // Nodes that do not depend on each other end in any order.
    let mut nodes: Vec<_> = outcome.nodes.iter().collect();
    nodes.sort_by(|a, b| a.node.cmp(&b.node));
    for node in nodes {
        write!(text, "  {} {}", node.node, node.state.name()).unwrap();
        if node.attempts > 1 {
            write!(text, " at attempt {}", node.attempts).unwrap();
        }
        for (port, datum) in &node.outputs {
            write!(text, ", {port} = {}", shown(executor, datum)).unwrap();
        }
        if let Some(failure) = &node.failure {
            write!(text, ": {}", failure.summary).unwrap();
        }
        text.push('\n');
    }
    for (name, datum) in &outcome.outputs {
        writeln!(text, "{name} = {}", shown(executor, datum)).unwrap();
    }
    text
}

/// A value as the language writes it, a file by its text.
fn shown(executor: &Executor, datum: &Datum) -> String {
    match datum {
        Datum::Value(value) => value_text(value),
        Datum::Artifact(artifact) => match fs::read_to_string(executor.artifact_path(artifact)) {
            Ok(text) => format!("<{}>", text.trim_end().replace('\n', "|")),
            Err(_) => "<…>".to_owned(),
        },
        Datum::List(items) => {
            let items: Vec<String> = items.iter().map(|item| shown(executor, item)).collect();
            format!("[{}]", items.join(", "))
        }
    }
}

fn copy_folder(from: &Utf8Path, to: &Utf8Path) {
    fs::create_dir_all(to).unwrap();
    for entry in from.read_dir_utf8().unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The program's `expected` as it comes out now.
fn actual(program: &Utf8Path, expected: &str) -> String {
    // Runs leave state beside a project, so a copy is run.
    let copy = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(copy.path()).unwrap();
    copy_folder(program, root);
    let plan = match compile(root) {
        Ok(plan) => plan,
        Err(errors) => return errors,
    };
    let commands = expected.lines().filter_map(|line| line.strip_prefix("$ "));
    let runs = commands.map(|command| format!("$ {command}\n{}", run(root, &plan, command)));
    runs.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_program_gives_what_it_promises() {
    let mut programs: Vec<_> = folder().read_dir_utf8().unwrap().map(Result::unwrap).collect();
    programs.sort_by(|a, b| a.file_name().cmp(b.file_name()));
    let mut differences = String::new();
    for program in &programs {
        let path = program.path().join("expected");
        let expected = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let actual = actual(program.path(), &expected);
        if actual != expected && std::env::var_os("MLP_BLESS").is_some() {
            fs::write(path, actual).unwrap();
        } else if actual != expected {
            write!(
                differences,
                "\n{}\nexpected\n{expected}\nfound\n{actual}",
                program.file_name()
            )
            .unwrap();
        }
    }
    assert!(differences.is_empty(), "MLP_BLESS=1 accepts this:\n{differences}");
}
