//! What pages of commands cannot show: closed pipes, colours, documents for programs.
#![allow(clippy::disallowed_methods, reason = "tests start the binary")]

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

fn mlp(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlp"));
    command
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cmd/errors.in"));
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR"] {
        command.env_remove(name);
    }
    command
}

fn output(command: &mut Command) -> (Output, String) {
    let output = command.output().expect("the binary runs");
    let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    (output, text)
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    // The shell of a completion script is long enough to fill a pipe.
    for arguments in [&["completions", "zsh"][..], &["explain", "--list"], &["check"]] {
        let mut child = mlp(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut reader = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut first = String::new();
        reader.read_line(&mut first).expect("a line");
        drop(reader);
        let output = child.wait_with_output().expect("it ends");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!told.contains("panicked"), "{arguments:?}: {told}");
        assert!(
            output.status.code().is_some_and(|code| code <= 1),
            "{arguments:?}: {:?}",
            output.status
        );
    }
}

#[test]
fn colours_are_for_terminals_or_on_demand() {
    let escape = '\u{1b}';
    assert!(!output(&mut mlp(&["check"])).1.contains(escape), "not into a pipe");
    assert!(output(mlp(&["check"]).env("CLICOLOR_FORCE", "1")).1.contains(escape));
    assert!(output(&mut mlp(&["check", "--color", "always"])).1.contains(escape));
    assert!(
        !output(mlp(&["check", "--color", "never"]).env("CLICOLOR_FORCE", "1"))
            .1
            .contains(escape)
    );
    assert!(!output(mlp(&["check"]).env("NO_COLOR", "1")).1.contains(escape));
}

#[test]
fn sarif_is_a_document_with_one_result_for_each_problem() {
    let (output, text) = output(&mut mlp(&["check", "--format", "sarif", "main.mlp"]));
    assert_eq!(output.status.code(), Some(1));
    let document: serde_json::Value = serde_json::from_str(&text).expect("one JSON document and nothing else");
    assert_eq!(document["version"], "2.1.0");
    let results = document["runs"][0]["results"].as_array().expect("results");
    assert_eq!(results.len(), 1);
    assert_eq!(results[0]["ruleId"], "E0101");
}

#[test]
fn a_path_that_is_not_utf8_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let status = mlp(&["check"])
        .arg(std::ffi::OsStr::from_bytes(b"\xff.mlp"))
        .output()
        .expect("the binary runs")
        .status;
    assert_eq!(status.code(), Some(2));
}
