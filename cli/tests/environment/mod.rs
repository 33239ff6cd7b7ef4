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

/// A platform's folder.
pub fn folder(name: &str) -> PathBuf {
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

/// An environment with the pinned packages, one for each list of packages and interpreter.
fn environment(requirements: &Path) -> PathBuf {
    let interpreter = succeed(Command::new("python3").args(["-c", "import sys; print(sys.executable, sys.version)"]));
    let list = fs::read(requirements).expect("the list of packages");
    let complete = complete(&[&list, &interpreter.stdout], |half| {
        succeed(Command::new("python3").args(["-m", "venv"]).arg(half));
        install(&half.join("bin/python"), requirements);
    });
    complete.join("bin/python")
}

/// The Node packages that `package-lock.json` in a platform's folder pins; none of their scripts has run.
#[allow(dead_code, reason = "each test file uses a part")]
pub fn node(name: &str) -> PathBuf {
    let lists = folder(name);
    let lock = fs::read(lists.join("package-lock.json")).expect("the list of packages");
    let npm = Command::new("npm").arg("--version").output().unwrap_or_else(|error| {
        panic!(
            "`npm` cannot start ({error}): this test needs packages of Node.js; install it with npm, and put it on PATH"
        )
    });
    let complete = complete(&[&lock, &npm.stdout], |half| {
        fs::create_dir(half).expect("a folder");
        for name in ["package.json", "package-lock.json"] {
            fs::copy(lists.join(name), half.join(name)).expect("a copy of the list");
        }
        let quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
        succeed(
            Command::new("npm")
                .args(["ci", "--ignore-scripts"])
                .args(quiet)
                .current_dir(half),
        );
    });
    complete.join("node_modules")
}

/// A folder below `target/conformance` that is named by what it is made of. Only a complete one has its final name; a lock
/// keeps two test binaries from making the same one.
fn complete(parts: &[&[u8]], make: impl FnOnce(&Path)) -> PathBuf {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
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
        make(&half);
        fs::rename(&half, &complete).expect("a complete environment gets its name");
    }
    complete
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
