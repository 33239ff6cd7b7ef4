//! The real software of a platform: an environment of the packages that `tests/conformance/PLATFORM/requirements.txt` pins,
//! and the suites, Python scripts, that run in it.

#![allow(
    clippy::disallowed_methods,
    reason = "tests start processes and build an environment"
)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, OnceLock, PoisonError};

/// A platform, by its folder in `tests/conformance`; made once for a test binary.
pub struct Platform {
    name: &'static str,
    /// Suites use all processors, so they run one after the other.
    turn: Mutex<()>,
    /// The interpreter of the environment, built at first use.
    python: OnceLock<PathBuf>,
}

impl Platform {
    /// The platform; nothing is built yet.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            turn: Mutex::new(()),
            python: OnceLock::new(),
        }
    }

    /// The interpreter of the environment.
    #[allow(dead_code, reason = "each test file uses a part")]
    pub fn python(&self) -> &Path {
        self.python
            .get_or_init(|| environment(&folder(self.name).join("requirements.txt")))
    }

    /// Runs a suite of the platform's folder: cases that say what is wrong.
    #[allow(dead_code, reason = "each test file uses a part")]
    pub fn suite(&self, script: &str) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        succeed(
            Command::new(self.python())
                .arg("-B")
                .arg(folder(self.name).join(script))
                .env("PYTHONPATH", folder("common"))
                .env("MLP", env!("CARGO_BIN_EXE_mlp"))
                .env(
                    "MLP_CACHE_DIR",
                    Path::new(env!("CARGO_TARGET_TMPDIR")).join("environments"),
                ),
        );
    }
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/conformance")
        .join(name)
}

/// Runs a program that must succeed.
pub fn succeed(command: &mut Command) -> Output {
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
fn environment(requirements: &Path) -> PathBuf {
    let interpreter = succeed(Command::new("python3").args(["-c", "import sys; print(sys.executable, sys.version)"]));
    let mut hasher = blake3::Hasher::new();
    hasher.update(&fs::read(requirements).expect("the list of packages"));
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
        install(&half.join("bin/python"), requirements);
        fs::rename(&half, &complete).expect("a complete environment gets its name");
    }
    complete.join("bin/python")
}

/// Installs what the list names, which is complete: nothing is resolved, and what comes is what was hashed.
fn install(python: &Path, requirements: &Path) {
    let pip = ["-m", "pip", "--disable-pip-version-check"];
    succeed(
        Command::new(python)
            .args(pip)
            .args(["install", "--quiet", "--no-deps", "--require-hashes", "-r"])
            .arg(requirements),
    );
    succeed(Command::new(python).args(pip).arg("check"));
}
