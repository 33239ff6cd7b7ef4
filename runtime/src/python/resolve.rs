//! What a list of packages brings, with the hashes of the files: asked of uv where it is installed, else of pip. Nothing is
//! installed here.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use mlp::project::{LockedPackage, is_digest};
use serde::Deserialize;

use super::environment::uv;
use super::interpreter;
use crate::events::Failure;

/// What a list of packages brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// Every package, by name.
    pub packages: Vec<LockedPackage>,
    /// Whether the hashes are those of all files of each version; else only of the files that fit this machine.
    pub every_file: bool,
}

/// The versions that the package index has now, for the Python that environments are built with.
///
/// # Errors
/// When there is neither uv nor pip, when the packages do not exist or do not go together, or when the answer has something
/// that cannot be pinned.
pub fn resolve(packages: &[String]) -> Result<Resolution, Failure> {
    let python = interpreter::find().map_err(|(summary, help)| Failure::new(summary, help))?;
    let mut resolved = match uv() {
        Some(uv) => with_uv(&uv, python.as_str(), packages)?,
        None => with_pip(python.as_str(), packages)?,
    };
    for package in &mut resolved.packages {
        package.hashes.sort();
        package.hashes.dedup();
    }
    resolved.packages.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(resolved)
}

fn with_uv(uv: &str, python: &str, packages: &[String]) -> Result<Resolution, Failure> {
    let mut command = Command::new(uv);
    command.args([
        "pip",
        "compile",
        "--quiet",
        "--no-header",
        "--no-annotate",
        "--no-emit-index-url",
    ]);
    command.args(["--generate-hashes", "--color", "never", "--python", python, "-"]);
    let output = run(command, &(packages.join("\n") + "\n"), packages)?;
    Ok(Resolution {
        packages: read_requirements(&String::from_utf8_lossy(&output.stdout)).map_err(|told| unpinned(&told))?,
        every_file: true,
    })
}

fn with_pip(python: &str, packages: &[String]) -> Result<Resolution, Failure> {
    let mut command = Command::new(python);
    command.args([
        "-m",
        "pip",
        "install",
        "--dry-run",
        "--ignore-installed",
        "--quiet",
        "--no-input",
        "--no-color",
    ]);
    command
        .args(["--disable-pip-version-check", "--report", "-", "--"])
        .args(packages);
    let output = run(command, "", packages)?;
    Ok(Resolution {
        packages: read_report(&output.stdout).map_err(|told| unpinned(&told))?,
        every_file: false,
    })
}

/// Runs a resolver to its end. It shares the terminal's Ctrl-C with this process.
fn run(mut command: Command, input: &str, packages: &[String]) -> Result<Output, Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |reason: String, details: Vec<String>| {
        Failure {
        summary: format!("The packages {} cannot be resolved: {reason}.", packages.join(", ")),
        details,
        help: Some(
            "See that every name and version exists and that they go together. Packages are resolved by `uv` where it is \
             on PATH, else by `python -m pip`, with the index that it is set up with."
                .to_owned(),
        ),
    }
    };
    let cannot = |error: std::io::Error| failed(format!("`{name}` cannot be run: {error}"), Vec::new());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(cannot)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A resolver that ends without reading says why on its standard error.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(cannot)?;
    if output.status.success() {
        return Ok(output);
    }
    let told = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<String> = told
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(str::to_owned)
        .collect();
    let last = lines.len().saturating_sub(30);
    Err(failed(
        "the resolver says no".to_owned(),
        lines.into_iter().skip(last).collect(),
    ))
}

fn unpinned(told: &str) -> Failure {
    Failure::new(
        format!("The packages cannot be pinned: {told}."),
        "Name packages of an index, by name and version; what comes from an address or a folder has no version to pin.",
    )
}

/// Reads lines such as `six==1.17.0 \` with `--hash=sha256:…` behind them.
fn read_requirements(text: &str) -> Result<Vec<LockedPackage>, String> {
    let joined = text.replace("\\\n", " ");
    let lines = joined
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut words = line.split_whitespace();
            let requirement = words.next().unwrap_or_default();
            let (name, version) = requirement
                .split_once("==")
                .ok_or_else(|| format!("`{}` has no version", requirement.trim_end_matches(';')))?;
            let name = name.split('[').next().unwrap_or_default();
            let hashes = words.filter_map(|word| word.strip_prefix("--hash="));
            locked(name, version.trim_end_matches(';'), hashes)
        })
        .collect()
}

/// What `pip install --report` writes, as far as it is read here.
#[derive(Deserialize)]
struct Report {
    install: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    metadata: Metadata,
    download_info: Download,
    #[serde(default)]
    is_direct: bool,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct Download {
    archive_info: Option<Archive>,
}

#[derive(Deserialize)]
struct Archive {
    /// By algorithm, in hexadecimal digits.
    #[serde(default)]
    hashes: BTreeMap<String, String>,
}

fn read_report(json: &[u8]) -> Result<Vec<LockedPackage>, String> {
    let report: Report =
        serde_json::from_slice(json).map_err(|error| format!("pip's report cannot be read: {error}"))?;
    report
        .install
        .iter()
        .map(
            |Item {
                 metadata,
                 download_info,
                 is_direct,
             }| {
                if *is_direct {
                    return Err(format!("`{}` has no version", metadata.name));
                }
                let archive = download_info.archive_info.as_ref();
                let hash = archive.and_then(|archive| archive.hashes.get("sha256"));
                let hash = hash.map(|digits| format!("sha256:{digits}"));
                locked(&metadata.name, &metadata.version, hash.iter().map(String::as_str))
            },
        )
        .collect()
}

fn locked<'a>(name: &str, version: &str, hashes: impl Iterator<Item = &'a str>) -> Result<LockedPackage, String> {
    let hashes: Vec<String> = hashes.filter(|hash| is_digest(hash)).map(str::to_owned).collect();
    if hashes.is_empty() {
        return Err(format!("the index has no SHA-256 hash of `{name}` {version}"));
    }
    Ok(LockedPackage {
        name: normalised(name),
        version: version.to_owned(),
        hashes,
    })
}

/// The one spelling of a package's name: lower-case letters, and runs of `-`, `_` and `.` as one `-` (PEP 503).
fn normalised(name: &str) -> String {
    let words = name.split(['-', '_', '.']).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(digit: char) -> String {
        format!("sha256:{}", digit.to_string().repeat(64))
    }

    fn package(name: &str, version: &str, digits: &str) -> LockedPackage {
        LockedPackage {
            name: name.to_owned(),
            version: version.to_owned(),
            hashes: digits.chars().map(digest).collect(),
        }
    }

    #[test]
    fn lines_of_requirements_are_read() {
        let (a, b) = (digest('a'), digest('b'));
        let text = format!(
            "# by somebody\nSix==1.17.0 \\\n    --hash={a} \\\n    --hash={b}\n\nruamel.yaml[jinja2]==0.18 ; python_version < \"4\" \\\n    --hash={b}\n    # via x\n"
        );
        assert_eq!(
            read_requirements(&text),
            Ok(vec![
                package("six", "1.17.0", "ab"),
                package("ruamel-yaml", "0.18", "b")
            ])
        );
        assert_eq!(
            read_requirements("tool @ https://example.com/tool.whl"),
            Err("`tool` has no version".to_owned())
        );
        assert_eq!(
            read_requirements("six==1.17.0 --hash=md5:00"),
            Err("the index has no SHA-256 hash of `six` 1.17.0".to_owned())
        );
    }

    #[test]
    fn a_report_is_read() {
        let report = |direct: bool, algorithm: &str| {
            let item = serde_json::json!({
                "is_direct": direct,
                "metadata": { "name": "Typing_Extensions", "version": "4.1" },
                "download_info": { "url": "https://x", "archive_info": { "hashes": { algorithm: "c".repeat(64) } } },
            });
            serde_json::json!({ "version": "1", "install": [item] }).to_string()
        };
        assert_eq!(
            read_report(report(false, "sha256").as_bytes()),
            Ok(vec![package("typing-extensions", "4.1", "c")])
        );
        assert!(read_report(report(true, "sha256").as_bytes()).is_err());
        assert!(read_report(report(false, "md5").as_bytes()).is_err());
        assert!(read_report(b"no JSON").is_err());
    }
}
