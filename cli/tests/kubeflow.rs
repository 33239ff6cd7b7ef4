//! Kubeflow Pipelines and Vertex AI, with their real software: what `mlp build` writes is parsed, loaded, run and compared
//! by the packages that `tests/conformance/kubeflow/requirements.txt` pins.
//!
//! Each test runs one suite, a Python script of that folder; the script holds the cases and says what is wrong.
#![allow(
    clippy::disallowed_methods,
    reason = "tests start processes and build an environment"
)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Suites use all processors, so they run one after the other.
static TURN: Mutex<()> = Mutex::new(());

/// The interpreter of the environment, built at first use.
static PYTHON: LazyLock<PathBuf> = LazyLock::new(environment);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/kubeflow")
}

/// Runs a program that must succeed.
fn succeed(command: &mut Command) -> Output {
    let output = command.output().expect("the program starts");
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    output
}

/// An environment with the pinned packages, below `target/conformance`, one for each list of packages and interpreter.
/// Only a complete one has its final name; a lock keeps two test binaries from building the same one.
fn environment() -> PathBuf {
    let requirements = folder().join("requirements.txt");
    let interpreter = succeed(Command::new("python3").args(["-c", "import sys; print(sys.executable, sys.version)"]));
    let mut hasher = blake3::Hasher::new();
    hasher.update(&fs::read(&requirements).expect("the list of packages"));
    hasher.update(&interpreter.stdout);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../conformance");
    fs::create_dir_all(&target).expect("a folder below the build's");
    let name = &hasher.finalize().to_hex()[..16];
    let complete = target.join(name);
    let lock = File::create(target.join(format!("{name}.lock"))).expect("a lock file");
    lock.lock().expect("the lock");
    if !complete.exists() {
        let half = target.join(format!("{name}.half"));
        if half.exists() {
            fs::remove_dir_all(&half).expect("what an interrupted build left can be removed");
        }
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&half));
        succeed(
            Command::new(half.join("bin/python"))
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    "--require-hashes",
                    "-r",
                ])
                .arg(&requirements),
        );
        fs::rename(&half, &complete).expect("a complete environment gets its name");
    }
    complete.join("bin/python")
}

/// Runs a suite.
fn suite(script: &str) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    succeed(
        Command::new(PYTHON.as_path())
            .arg("-B")
            .arg(folder().join(script))
            .env("MLP", env!("CARGO_BIN_EXE_mlp"))
            .env(
                "MLP_CACHE_DIR",
                Path::new(env!("CARGO_TARGET_TMPDIR")).join("environments"),
            ),
    );
}

#[test]
fn the_mended_orchestration_is_right_where_kfp_local_is_wrong() {
    suite("orchestration.py");
}

#[test]
fn pipelines_of_the_sdk_and_of_the_language_mean_the_same() {
    suite("twins.py");
}

#[test]
fn googles_own_launchers_send_what_the_program_says() {
    suite("launchers.py");
}

#[test]
fn programs_run_on_kubeflow_as_they_run_here() {
    suite("programs.py");
}

#[test]
fn no_text_breaks_anything() {
    suite("hostile.py");
}

#[test]
fn vertex_ai_is_sent_what_its_own_sdk_would_send() {
    suite("vertex_jobs.py");
}

#[test]
fn the_table_of_what_real_checkers_miss_is_true() {
    suite("mutations.py");
}

#[test]
fn the_examples_decide_on_kubeflow_as_they_decide_here() {
    suite("examples.py");
}
