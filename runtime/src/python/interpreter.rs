//! Which Python builds environments.

use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};

/// The oldest version that works.
const OLDEST: (u32, u32) = (3, 9);

/// Names that are looked for, newest first: current packages may not have wheels for what is newer still.
const NAMES: [&str; 7] = [
    "python3.13",
    "python3.12",
    "python3.11",
    "python3",
    "python",
    "python3.10",
    "python3.9",
];

/// The interpreter to build environments with: `MLP_PYTHON` when set, else the first on `PATH` that works.
///
/// # Errors
/// A summary and a way out.
pub(super) fn find() -> Result<Utf8PathBuf, (String, String)> {
    if let Ok(chosen) = std::env::var("MLP_PYTHON")
        && !chosen.is_empty()
    {
        return version(&chosen)
            .filter(|version| *version >= OLDEST)
            .map(|_| Utf8PathBuf::from(&chosen))
            .ok_or_else(|| {
                (
                    format!("`MLP_PYTHON` names `{chosen}`, which is no Python 3.9 or newer."),
                    "Set it to the path of an interpreter, or leave it unset to have one found on `PATH`.".to_owned(),
                )
            });
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let folders: Vec<&Utf8Path> = path
        .split(':')
        .filter(|folder| !folder.is_empty())
        .map(Utf8Path::new)
        .collect();
    NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .filter(|program| program.is_file())
        // A name may be there without a version behind it, as the shims of version managers are.
        .find(|program| version(program.as_str()).is_some_and(|version| version >= OLDEST))
        .ok_or_else(|| {
            (
                "There is no Python on this machine, or none that is 3.9 or newer.".to_owned(),
                "Install Python 3.11 or newer and put it on `PATH`, or set `MLP_PYTHON` to its path.".to_owned(),
            )
        })
}

/// Prints what is installed, when it has every package of the arguments at the version that is asked for.
const LIST_PACKAGES: &str = r#"
import importlib.metadata as installed, re, sys
for requirement in sys.argv[1:]:
    found = re.fullmatch(r"\s*([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*(?:==\s*([^\s,;*]+))?\s*", requirement)
    try:
        fits = found and found[2] in (None, installed.version(found[1]))
    except installed.PackageNotFoundError:
        fits = False
    if not fits:
        sys.exit(1)
print("\n".join(sorted({f"{each.metadata['Name']}=={each.version}" for each in installed.distributions()})))
"#;

/// The interpreter that `MLP_PYTHON` names, or `python3`, with the packages it has; nothing where it lacks one that is
/// asked for. The Parquet library that is added to every list may be of any version.
pub(super) fn with_packages(packages: &[String]) -> Option<(Utf8PathBuf, Vec<String>)> {
    let named = std::env::var("MLP_PYTHON").ok().filter(|path| !path.is_empty());
    let path = std::env::var("PATH").unwrap_or_default();
    let found = named.map(Utf8PathBuf::from).or_else(|| {
        let folders = path.split(':').filter(|folder| !folder.is_empty());
        let mut programs = folders.map(|folder| Utf8Path::new(folder).join("python3"));
        programs.find(|program| program.is_file())
    })?;
    let asked = packages.iter().map(|package| {
        if package == mlp::plan::PYARROW {
            "pyarrow"
        } else {
            package
        }
    });
    let output = Command::new(&found)
        .args(["-c", LIST_PACKAGES])
        .args(asked)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let printed = String::from_utf8(output.stdout).ok()?;
    let listed = printed.lines().map(str::to_owned).collect();
    output.status.success().then_some((found, listed))
}

fn version(program: &str) -> Option<(u32, u32)> {
    let output = Command::new(program)
        .args([
            "-I",
            "-c",
            "import sys; print(sys.version_info[0], sys.version_info[1])",
        ])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let (major, minor) = text.trim().split_once(' ')?;
    output
        .status
        .success()
        .then_some((major.parse().ok()?, minor.parse().ok()?))
}
