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
