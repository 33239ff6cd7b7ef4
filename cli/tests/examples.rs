//! The examples, as a newcomer runs them: checked, formatted, tested, run, and run again — with real Python and real data.
#![allow(clippy::disallowed_methods, reason = "tests start the binary and copy projects")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a command printed, and how it ended.
struct Told {
    code: Option<i32>,
    text: String,
}

/// A copy of an example in a folder of its own. Python environments are shared by all tests and kept between runs.
struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    fn copy(example: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(example);
        copy(&source, folder.path());
        Self { folder }
    }

    fn mlp(&self, arguments: &[&str]) -> Told {
        let environments = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("environments");
        let output = Command::new(env!("CARGO_BIN_EXE_mlp"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("MLP_CACHE_DIR", environments)
            .env("NO_COLOR", "1")
            .output()
            .expect("the binary runs");
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
        Told {
            code: output.status.code(),
            text: text.concat(),
        }
    }

    /// Runs a command that must succeed, and gives what it printed.
    fn succeeds(&self, arguments: &[&str]) -> String {
        let told = self.mlp(arguments);
        assert_eq!(told.code, Some(0), "mlp {}\n{}", arguments.join(" "), told.text);
        told.text
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("the example is there") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_name() == ".mlp" {
            continue;
        }
        if entry.path().is_dir() {
            fs::create_dir(&target).expect("a folder");
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// The lines of a run's output that speak of `node`.
fn line<'a>(text: &'a str, node: &str) -> &'a str {
    text.lines()
        .find(|line| line.split_whitespace().nth(1) == Some(node))
        .unwrap_or_else(|| panic!("no line for {node} in\n{text}"))
}

#[test]
fn a_credit_model_is_deployed_and_the_next_one_meets_it() {
    let project = Project::copy("credit");
    assert!(project.succeeds(&["check"]).contains("no errors"));
    project.succeeds(&["fmt", "--check"]);

    let first = project.succeeds(&["run", "-p", "trees=50"]);
    assert!(line(&first, "proven.champion").contains("fallback"), "{first}");
    assert!(line(&first, "deploy").contains("version 1"), "{first}");

    let same = project.succeeds(&["run", "-p", "trees=50"]);
    assert!(line(&same, "fit").contains("cached"), "{same}");
    assert!(line(&same, "scores").contains("cached"), "{same}");

    let next = project.succeeds(&["run", "-p", "trees=60"]);
    assert!(line(&next, "clean").contains("cached"), "{next}");
    assert!(!line(&next, "fit").contains("cached"), "{next}");
    assert!(line(&next, "proven.champion").contains("version 1"), "{next}");
    assert!(line(&next, "deploy").contains("version 2"), "{next}");

    let refused = project.mlp(&["run", "-p", "trees=50", "-p", "min_auc=0.99"]);
    assert_eq!(refused.code, Some(4), "{}", refused.text);
    assert!(line(&refused.text, "deploy").contains("skipped"), "{}", refused.text);
    let registry = project.succeeds(&["registry", "list"]);
    assert!(registry.contains("champion") && !registry.contains(" 3 "), "{registry}");

    let tests = project.succeeds(&["test"]);
    assert!(tests.contains("2 passed"), "{tests}");
}

#[test]
fn late_flights_are_predicted_from_what_is_known_before_departure() {
    let project = Project::copy("flights");
    assert!(project.succeeds(&["check"]).contains("no errors"));
    project.succeeds(&["fmt", "--check"]);

    let run = project.succeeds(&["run", "-p", "rounds=20"]);
    assert!(line(&run, "clean").contains("327,346 rows"), "{run}");
    assert!(line(&run, "parts").contains("train 261,877, test 65,469"), "{run}");
    assert!(line(&run, "deploy").contains("version 1"), "{run}");
}

#[test]
fn a_feature_known_only_after_the_flight_does_not_compile() {
    let project = Project::copy("flights");
    let main = project.folder.path().join("main.mlp");
    let text = fs::read_to_string(&main).expect("the program");
    let leaking = text.replace("origin, dest, distance }", "origin, dest, distance, air_time }");
    assert_ne!(text, leaking, "the example keeps these columns");
    fs::write(&main, leaking).expect("written");
    let told = project.mlp(&["check", "--format", "short"]);
    assert_eq!(told.code, Some(1), "{}", told.text);
    assert!(
        told.text.contains("error[E0802]") && told.text.contains("`air_time`"),
        "{}",
        told.text
    );
    assert_eq!(told.text.matches("error[").count(), 1, "{}", told.text);
}
