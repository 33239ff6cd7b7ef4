//! Python environments, built once per package list and shared by all projects of a user.
//!
//! An environment is used only once it is marked complete; a half-built one is removed by the next who needs it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::sync::{Arc, Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::python_packages;
use mlp::project::{Lock, LockedPackage};
use serde::{Deserialize, Serialize};

use super::{Runner, SHIM, interpreter};
use crate::events::Failure;
use crate::process::{self, Ending, Log, Program};

/// Names and beginnings of names of variables that pip and uv read: the user's own index, proxies and certificates.
const PASSED: [&str; 14] = [
    "PIP_",
    "UV_",
    "XDG_",
    "PYENV_",
    "NETRC",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_",
];

/// An environment that can be used.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    /// Its interpreter.
    pub(crate) python: Utf8PathBuf,
    /// The packages with their exact versions, as `pip freeze` gives them.
    pub(crate) lock: Vec<String>,
    /// The shim, as a file.
    pub(crate) shim: Utf8PathBuf,
}

/// The mark of a complete environment.
#[derive(Serialize, Deserialize)]
struct Complete {
    packages: Vec<String>,
    lock: Vec<String>,
}

type Slot = Arc<Mutex<Option<Environment>>>;

/// What an environment holds.
struct Wanted<'a> {
    /// The packages, as pip writes them.
    packages: &'a [String],
    /// Everything that they bring, as a file of requirements with hashes, where the project has locked it.
    locked: Option<String>,
}

/// All environments.
pub(crate) struct Environments {
    root: Utf8PathBuf,
    /// Whether the `python3` at hand will do where it has every package as asked.
    installed: bool,
    lock: Lock,
    known: Mutex<BTreeMap<Vec<String>, Slot>>,
}

impl Environments {
    /// Those below `MLP_CACHE_DIR`, or `mlp` in the user's cache folder, or the given folder when there is neither.
    pub(crate) fn of_user(otherwise: &Utf8Path, lock: &Lock) -> Self {
        let variable = |name| {
            std::env::var(name)
                .ok()
                .filter(|value| !value.is_empty())
                .map(Utf8PathBuf::from)
        };
        let root = variable("MLP_CACHE_DIR")
            .or_else(|| variable("XDG_CACHE_HOME").map(|folder| folder.join("mlp")))
            .or_else(|| variable("HOME").map(|folder| folder.join(".cache/mlp")))
            .unwrap_or_else(|| otherwise.to_owned());
        Self::new(&root, lock)
    }

    /// Those in a folder. Packages that the lock pins are installed as it says, and nothing else.
    pub(crate) fn new(root: &Utf8Path, lock: &Lock) -> Self {
        Self {
            root: camino::absolute_utf8(root).unwrap_or_else(|_| root.to_owned()),
            installed: false,
            lock: lock.clone(),
            known: Mutex::default(),
        }
    }

    /// Those of a launcher: as [`Self::of_container`], but shared by all tasks of a user where the user has a folder for
    /// them.
    pub(crate) fn of_launcher(otherwise: &Utf8Path, lock: &Lock) -> Self {
        let user = Self::of_user(otherwise, lock);
        let usable = fs::create_dir_all(user.root.join("environments")).is_ok();
        Self {
            installed: true,
            ..if usable { user } else { Self::new(otherwise, lock) }
        }
    }

    /// Those of a container: below `MLP_CACHE_DIR` or in the given folder; the `python3` of the image will do, or the one
    /// that `MLP_PYTHON` names, where it has every package as asked.
    pub(crate) fn of_container(otherwise: &Utf8Path) -> Self {
        let root = std::env::var("MLP_CACHE_DIR").ok().filter(|path| !path.is_empty());
        Self {
            installed: true,
            ..Self::new(root.as_deref().map_or(otherwise, Utf8Path::new), &Lock::default())
        }
    }

    /// The environment with these packages, built if need be. With `tables` it can read and write Parquet.
    pub(crate) fn get(
        &self,
        packages: &[String],
        tables: bool,
        runner: &Runner<'_>,
        progress: &dyn Fn(String),
    ) -> Result<Environment, Failure> {
        let packages = python_packages(packages, tables);
        let slot = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(packages.clone()).or_default())
        };
        // One thread of this process builds, the others that need the same environment wait here.
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(environment) = &*slot {
            return Ok(environment.clone());
        }
        let locked = self.lock.packages(&packages);
        let wanted = Wanted {
            packages: &packages,
            locked: locked.map(|locked| locked.iter().map(LockedPackage::requirement).collect()),
        };
        let environment = self.find_or_build(&wanted, runner, progress)?;
        *slot = Some(environment.clone());
        Ok(environment)
    }

    fn find_or_build(
        &self,
        wanted: &Wanted<'_>,
        runner: &Runner<'_>,
        progress: &dyn Fn(String),
    ) -> Result<Environment, Failure> {
        let unwritable = |error: std::io::Error| {
            Failure::new(
                format!(
                    "The folder of Python environments `{}` cannot be used: {error}.",
                    self.root
                ),
                "Set `MLP_CACHE_DIR` to a folder that may be written and has room.",
            )
        };
        let shim = self.shim().map_err(unwritable)?;
        if self.installed
            && let Some((python, lock)) = interpreter::with_packages(wanted.packages)
        {
            return Ok(Environment { python, lock, shim });
        }
        let folder = self.folder(wanted);
        if let Some(lock) = complete(&folder) {
            return Ok(Environment {
                python: folder.join("bin/python"),
                lock,
                shim,
            });
        }
        fs::create_dir_all(self.root.join("environments")).map_err(unwritable)?;
        let guard = File::create(folder.with_extension("lock")).map_err(unwritable)?;
        guard.lock().map_err(unwritable)?;
        if let Some(lock) = complete(&folder) {
            return Ok(Environment {
                python: folder.join("bin/python"),
                lock,
                shim,
            });
        }
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(unwritable)?;
        }
        progress(match wanted.packages {
            [] => "building a Python environment".to_owned(),
            packages => format!("building a Python environment with {}", packages.join(", ")),
        });
        let lock = build(&folder, wanted, runner)?;
        let mark = Complete {
            packages: wanted.packages.to_vec(),
            lock,
        };
        let text = serde_json::to_string_pretty(&mark).map_err(|error| unwritable(error.into()))?;
        let draft = folder.join("complete.draft");
        fs::write(&draft, text).map_err(unwritable)?;
        fs::rename(&draft, folder.join("complete.json")).map_err(unwritable)?;
        Ok(Environment {
            python: folder.join("bin/python"),
            lock: mark.lock,
            shim,
        })
    }

    /// By the list of packages and what is locked of it, the machine, and the interpreter that was asked for.
    fn folder(&self, wanted: &Wanted<'_>) -> Utf8PathBuf {
        let asked = std::env::var("MLP_PYTHON").unwrap_or_default();
        let machine = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
        let locked = wanted.locked.as_ref().map(|locked| format!("\nlocked\n{locked}"));
        let packages = wanted.packages.join("\n") + &locked.unwrap_or_default();
        let key = format!("environment 1\n{machine}\n{asked}\n{packages}");
        let digest = blake3::hash(key.as_bytes()).to_hex();
        self.root
            .join("environments")
            .join(digest.get(..20).unwrap_or_default())
    }

    /// The shim as a file, named by its content.
    fn shim(&self) -> std::io::Result<Utf8PathBuf> {
        let digest = blake3::hash(SHIM.as_bytes()).to_hex();
        let folder = self.root.join("shim");
        let path = folder.join(format!("{}.py", digest.get(..20).unwrap_or_default()));
        if fs::read(&path).is_ok_and(|text| text == SHIM.as_bytes()) {
            return Ok(path);
        }
        fs::create_dir_all(&folder)?;
        let draft = tempfile::NamedTempFile::new_in(&folder)?;
        fs::write(draft.path(), SHIM)?;
        draft.persist(&path).map_err(|error| error.error)?;
        Ok(path)
    }
}

/// The lock of a complete environment whose interpreter is still there.
fn complete(folder: &Utf8Path) -> Option<Vec<String>> {
    let text = fs::read_to_string(folder.join("complete.json")).ok()?;
    let mark: Complete = serde_json::from_str(&text).ok()?;
    folder.join("bin/python").exists().then_some(mark.lock)
}

fn build(folder: &Utf8Path, wanted: &Wanted<'_>, runner: &Runner<'_>) -> Result<Vec<String>, Failure> {
    let packages = wanted.packages;
    let python = interpreter::find().map_err(|(summary, help)| Failure::new(summary, help))?;
    let uv = uv();
    let own = folder.join("bin/python");
    let owned = |arguments: &[&str]| {
        arguments
            .iter()
            .map(|&argument| argument.to_owned())
            .collect::<Vec<String>>()
    };
    let create = match &uv {
        Some(uv) => owned(&[uv, "venv", "--quiet", "--python", python.as_str(), folder.as_str()]),
        None if packages.is_empty() => owned(&[python.as_str(), "-m", "venv", "--without-pip", folder.as_str()]),
        None => owned(&[python.as_str(), "-m", "venv", folder.as_str()]),
    };
    run(&create, folder, wanted, runner)?;
    if packages.is_empty() {
        return Ok(Vec::new());
    }
    let mut install = match &uv {
        Some(uv) => owned(&[uv, "pip", "install", "--quiet", "--python", own.as_str()]),
        None => owned(&[
            own.as_str(),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-input",
            "--no-color",
            "--disable-pip-version-check",
        ]),
    };
    if let Some(locked) = &wanted.locked {
        let file = folder.join("requirements.txt");
        fs::write(&file, locked).map_err(|error| {
            Failure::new(
                format!("The file `{file}` cannot be written: {error}."),
                "Make room on the disk.",
            )
        })?;
        install.extend(owned(&[
            "--no-deps",
            "--require-hashes",
            "--requirement",
            file.as_str(),
        ]));
    } else {
        install.push("--".to_owned());
        install.extend(packages.iter().cloned());
    }
    run(&install, folder, wanted, runner)?;
    let freeze = match &uv {
        Some(uv) => owned(&[uv, "pip", "freeze", "--quiet", "--python", own.as_str()]),
        None => owned(&[own.as_str(), "-m", "pip", "freeze", "--disable-pip-version-check"]),
    };
    let frozen = run(&freeze, folder, wanted, runner)?;
    let mut lock: Vec<String> = frozen.into_iter().filter(|line| !line.starts_with('#')).collect();
    lock.sort();
    Ok(lock)
}

pub(super) fn uv() -> Option<String> {
    let path = std::env::var("PATH").ok()?;
    path.split(':')
        .filter(|folder| !folder.is_empty())
        .map(|folder| Utf8Path::new(folder).join("uv"))
        .find(|program| program.is_file())
        .map(Utf8PathBuf::into_string)
}

/// Runs one command of a build; gives the lines it printed.
fn run(
    arguments: &[String],
    folder: &Utf8Path,
    wanted: &Wanted<'_>,
    runner: &Runner<'_>,
) -> Result<Vec<String>, Failure> {
    const LOG_LIMIT: u64 = 1 << 20;
    let cannot = |reason: String, details: Vec<String>| Failure {
        summary: match wanted.packages {
            [] => format!("A Python environment cannot be built: {reason}."),
            packages => format!(
                "The Python environment with {} cannot be built: {reason}.",
                packages.join(", ")
            ),
        },
        details,
        help: Some(match &wanted.locked {
            None => {
                "See that every name and version in `packages` exists and that they go together; the package index is \
                     the one that pip or uv is set up with."
                    .to_owned()
            }
            Some(_) => {
                "Only files with the hashes of `mlp.lock` are installed. If the lock was written for another kind of \
                        machine or Python, write it anew with `mlp lock --update`."
                    .to_owned()
            }
        }),
    };
    let mut variables: BTreeMap<String, String> = std::env::vars()
        .filter(|(name, _)| PASSED.iter().any(|passed| name.starts_with(passed)))
        .collect();
    variables.insert(runner.mark.0.to_owned(), runner.mark.1.to_owned());
    variables.insert("PIP_DISABLE_PIP_VERSION_CHECK".to_owned(), "1".to_owned());
    let place = folder.parent().unwrap_or(folder);
    let mut stdout = Log::new(folder.with_extension("out"), LOG_LIMIT, &[]);
    let mut stderr = Log::new(folder.with_extension("err"), LOG_LIMIT, &[]);
    let program = Program {
        arguments,
        folder: place,
        inherits: runner.inherits,
        environment: &variables,
        timeout: None,
        grace: runner.grace,
    };
    let ending = process::run(runner.handle, &program, &mut stdout, &mut stderr, runner.cancel)
        .map_err(|error| cannot(error.to_string(), Vec::new()))?;
    let printed = fs::read_to_string(stdout.path()).unwrap_or_default();
    for log in [stdout.path(), stderr.path()] {
        let _ = fs::remove_file(log);
    }
    match ending {
        Ending::Exited(status) if status.success() => Ok(printed.lines().map(str::to_owned).collect()),
        Ending::Exited(_) => {
            let lines = stderr.last_lines(30);
            let errors: Vec<String> = lines.iter().filter(|line| line.starts_with("ERROR")).cloned().collect();
            let told = if errors.is_empty() { lines } else { errors };
            Err(cannot("the installation failed".to_owned(), told))
        }
        Ending::TimedOut | Ending::Cancelled => Err(cannot("it was cancelled".to_owned(), Vec::new())),
    }
}
