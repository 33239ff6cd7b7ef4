//! The literate specification: `tests/spec/*.md` states a rule, shows a program, and what the compiler makes of it.
//!
//! A case is one or more files, followed by what is expected of them. A block is a file when it is a program (` ```mlp `) or
//! names a path (` ```python train.py `); one that says ` ```mlp bank.mlp shared ` is part of every later case. Expectations are `errors` (one line for each problem), `terminal` (the full
//! drawing), `fix PATH` (the file after every fix), `kubeflow` and `airflow` (what the pipeline `main` becomes there). A case without expectations is clean. A heading begins a new case, and so does a file that the case has already.
//! `MLP_BLESS=1` rewrites the expectations, and adds `errors` where a case has problems and says nothing of them.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads the repository's own files, and may stop at the first surprise"
)]

mod harness;
#[path = "harness/outline.rs"]
mod outline;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use harness::{Block, Example, MAIN, blocks, is_blessing};
use mlp::db::Database;
use mlp::diagnostics::Format;
use mlp::plan::{AirflowTarget, DeclaredTarget, KubeflowTarget, Platform, Runner};
use mlp::project::{Contents, Lock};
use mlp::targets::pipeline_spec::read;
use mlp::targets::pipeline_spec::verify::{self, verify};
use mlp::targets::{self, Request, TargetName};

/// A program with what is expected of it.
#[derive(Default)]
struct Case {
    section: usize,
    files: Example,
    shared: Example,
    last_line: usize,
    expectations: Vec<Block>,
}

impl Case {
    /// Whether a file with this path can still join the case.
    fn accepts(&self, path: &Utf8Path) -> bool {
        self.expectations.is_empty() && !self.files.files.contains_key(path)
    }

    /// The case's own files with those that the chapter shares.
    fn project(&self) -> Example {
        let mut project = self.shared.clone();
        project.files.extend(self.files.files.clone());
        project
    }
}

/// One chapter's text, and how it must read.
struct Chapter {
    name: String,
    text: String,
}

const EXPECTATIONS: &[&str] = &["errors", "terminal", "fix", "kubeflow", "airflow"];

impl Chapter {
    fn load(name: &str) -> Self {
        let path = harness::root().join("tests/spec").join(name);
        Self {
            name: name.to_owned(),
            text: std::fs::read_to_string(path).unwrap(),
        }
    }

    fn cases(&self) -> Vec<Case> {
        let mut cases: Vec<Case> = Vec::new();
        let mut shared = Example::default();
        for block in blocks(&self.text) {
            if block.is_shared {
                shared.files.extend(block.file());
                continue;
            }
            let last_line = block.line + block.text.lines().count() + 1;
            let is_expectation = EXPECTATIONS.contains(&block.kind.as_str());
            let open = cases.last_mut().filter(|case| case.section == block.section);
            match (is_expectation, block.file(), open) {
                (true, _, Some(case)) => case.expectations.push(block),
                (true, _, None) => panic!("{}:{}: an expectation without a program", self.name, block.line),
                (false, Some((path, contents)), Some(case)) if case.accepts(&path) => {
                    case.files.files.insert(path, contents);
                    case.last_line = last_line;
                }
                (false, Some(file), _) => cases.push(Case {
                    section: block.section,
                    files: Example { files: [file].into() },
                    shared: shared.clone(),
                    last_line,
                    expectations: Vec::new(),
                }),
                (false, None, _) => {}
            }
        }
        cases
    }

    /// Every place where the chapter differs from what the compiler says, with the lines to replace and the new text.
    fn differences(&self) -> Vec<Difference> {
        let mut found = Vec::new();
        for case in self.cases() {
            let project = case.project();
            let compiled = project.compile();
            let lines = compiled.show(Format::Line);
            let says_problems = case
                .expectations
                .iter()
                .any(|block| !["fix", "kubeflow", "airflow"].contains(&block.kind.as_str()));
            if !says_problems && !lines.is_empty() {
                found.push(Difference::missing(case.last_line, &lines));
            }
            for block in &case.expectations {
                let actual = match block.kind.as_str() {
                    "errors" => lines.clone(),
                    "kubeflow" => on_kubeflow(&compiled.database),
                    "airflow" => on_airflow(&compiled.database),
                    "terminal" => compiled.show(Format::Terminal { colour: false }),
                    _ => {
                        let path = block.path.clone().unwrap_or_else(|| Utf8PathBuf::from(MAIN));
                        let unchanged = project.files.get(&path).and_then(Contents::text).unwrap_or_default();
                        project
                            .compile()
                            .mended()
                            .remove(&path)
                            .unwrap_or_else(|| unchanged.to_owned())
                    }
                };
                let actual = without_trailing_space(&actual);
                if actual != without_trailing_space(&block.text) {
                    found.push(Difference::other(block, &actual));
                }
            }
        }
        found
    }

    fn blessed(&self, differences: &[Difference]) -> String {
        let mut lines: Vec<String> = self.text.lines().map(str::to_owned).collect();
        for difference in differences.iter().rev() {
            lines.splice(difference.lines.clone(), difference.actual.lines().map(str::to_owned));
        }
        lines.join("\n") + "\n"
    }
}

/// Lines of a chapter that must be others.
struct Difference {
    lines: std::ops::Range<usize>,
    expected: String,
    actual: String,
}

impl Difference {
    fn missing(line: usize, actual: &str) -> Self {
        Self {
            lines: line..line,
            expected: "no problem\n".to_owned(),
            actual: format!("\n```errors\n{actual}```"),
        }
    }

    fn other(block: &Block, actual: &str) -> Self {
        Self {
            lines: block.line..block.line + block.text.lines().count(),
            expected: block.text.clone(),
            actual: format!("{actual}\n"),
        }
    }
}

/// The text as it is written into a chapter: drawings end some lines, and themselves, in space.
fn without_trailing_space(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned()
}

/// What the pipeline `main` becomes on Kubeflow, where the verifier has nothing to say of it; or why it becomes nothing.
fn on_kubeflow(database: &Database) -> String {
    let plan = mlp::plan::build(database).unwrap();
    let request = Request {
        plan: &plan,
        target: &DeclaredTarget::undeclared("kubeflow", Platform::Kubeflow(KubeflowTarget::default())),
        sources: &BTreeMap::new(),
        lock: &Lock::default(),
    };
    let built = match targets::build(TargetName::Kubeflow, &request) {
        Ok(built) => built,
        Err(error) => return format!("{error}\n"),
    };
    let main = built.files.iter().find(|file| file.path == "main.yaml").unwrap();
    let document = read(&main.text).unwrap();
    let findings = verify(&document, verify::Platform::Kubeflow);
    assert!(findings.is_empty(), "{findings:#?}");
    outline::outline(&document.spec)
}

/// The DAG that the pipeline `main` becomes on Airflow, without what is the same in every file; or why it becomes none.
fn on_airflow(database: &Database) -> String {
    let plan = mlp::plan::build(database).unwrap();
    let settings = AirflowTarget {
        runner: Runner::Local,
        ..AirflowTarget::default()
    };
    let request = Request {
        plan: &plan,
        target: &DeclaredTarget::undeclared("airflow", Platform::Airflow(settings)),
        sources: &BTreeMap::new(),
        lock: &Lock::default(),
    };
    let built = match targets::build(TargetName::Airflow, &request) {
        Ok(built) => built,
        Err(error) => return format!("{error}\n"),
    };
    let main = built.files.iter().find(|file| file.path == "main.py").unwrap();
    let (_, dag) = main.text.split_once("with DAG(\n").unwrap();
    let (dag, _) = dag.split_once("\n\n\n# What the launcher").unwrap();
    let common = [
        "    dag_id=",
        "    doc_md=",
        "    f\"",
        "    catchup=",
        "    max_active_runs=",
        "    tags=",
    ];
    let own = dag
        .lines()
        .filter(|line| !common.iter().any(|common| line.starts_with(common)));
    let own: Vec<&str> = own.collect();
    format!("with DAG(\n{}\n", own.join("\n"))
}

fn examine(name: &str) {
    let chapter = Chapter::load(name);
    let differences = chapter.differences();
    if is_blessing() {
        let path = harness::root().join("tests/spec").join(name);
        std::fs::write(path, chapter.blessed(&differences)).unwrap();
        return;
    }
    let mut report = String::new();
    for difference in &differences {
        let Difference {
            lines,
            expected,
            actual,
        } = difference;
        write!(
            report,
            "\ntests/spec/{name}:{}\nexpected\n{expected}found\n{actual}",
            lines.start
        )
        .unwrap();
    }
    assert!(
        differences.is_empty(),
        "{} differences (MLP_BLESS=1 accepts them)\n{report}",
        differences.len()
    );
}

macro_rules! chapters {
    ($($test:ident: $file:literal,)*) => {
        $(#[test] fn $test() { examine($file); })*

        #[test]
        fn every_chapter_is_run() {
            let run = [$($file),*];
            for entry in harness::root().join("tests/spec").read_dir_utf8().unwrap() {
                let name = entry.unwrap().file_name().to_owned();
                assert!(run.contains(&name.as_str()), "tests/spec/{name} is run by no test");
            }
        }
    };
}

chapters! {
    airflow: "airflow.md",
    checks: "checks.md",
    contamination: "contamination.md",
    control_flow: "control-flow.md",
    dags: "dags.md",
    evidence: "evidence.md",
    features: "features.md",
    kubeflow: "kubeflow.md",
    label_leakage: "label-leakage.md",
    models: "models.md",
    mistakes: "mistakes.md",
    names_and_modules: "names-and-modules.md",
    not_yet_supported: "not-yet-supported.md",
    pipelines: "pipelines.md",
    projects: "projects.md",
    python_steps: "python-steps.md",
    schema_algebra: "schema-algebra.md",
    schemas: "schemas.md",
    services: "services.md",
    steps: "steps.md",
    syntax: "syntax.md",
    targets: "targets.md",
    tests: "tests.md",
    triggers: "triggers.md",
    values: "values.md",
}
