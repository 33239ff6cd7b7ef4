//! `mlp lock`: images pinned to digests, packages to hashes.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use mlp::project::{LOCK_FILE, Lock, is_digest, is_image};
use mlp::targets::pins::Pins;
use mlp_remote::Environment;
use mlp_remote::images::{ImageError, Images};
use mlp_runtime::data::words::sentence;
use mlp_runtime::events::Failure;
use mlp_runtime::python::resolve;

use super::Context;
use crate::exit::Exit;
use crate::files;
use crate::problem::Problem;
use crate::project::Project;

/// Arguments of `mlp lock`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mlp lock                             pin what is not pinned yet
  mlp lock --update                    pin everything anew
  mlp lock --images digests.txt        take digests from a file: `python:3.12-slim sha256:…`
  mlp lock --check                     fail when mlp.lock is not up to date, for CI

Digests are asked of the registries, with the credentials that `docker login` left. Packages are
resolved by uv where it is on PATH, else by pip.")]
pub struct Arguments {
    /// The project's folder, or a single `.mlp` file
    #[arg(value_name = "PATH")]
    path: Option<Utf8PathBuf>,
    /// Write nothing and ask nobody; fail when mlp.lock does not pin just what the project names
    #[arg(long, conflicts_with_all = ["update", "images"])]
    check: bool,
    /// Pin everything anew, not only what is not pinned yet
    #[arg(long)]
    update: bool,
    /// A file with an image and its digest in each line, for images whose registry is not to be asked
    #[arg(long, value_name = "FILE")]
    images: Option<Utf8PathBuf>,
}

/// Pins, or checks what is pinned.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let project = Project::open(&context.path(arguments.path.as_deref()))?;
    let old = project.lock()?;
    let plan = match project.plan(context)? {
        Ok(plan) => plan,
        Err(exit) => return Ok(exit),
    };
    let pins = Pins::of(&plan);
    if arguments.check {
        return check(&pins, &old, context);
    }
    let given = match &arguments.images {
        Some(path) => read_images(path)?,
        None => BTreeMap::new(),
    };
    let kept = if arguments.update { Lock::default() } else { old.clone() };
    let lock = Lock {
        images: images(&pins, &given, &old, &kept, context)?,
        packages: packages(&pins, &kept, context)?,
        ..Lock::default()
    };
    let path = project.root.join(LOCK_FILE);
    if lock == old {
        let told = if path.exists() {
            "is up to date"
        } else {
            "is not needed: there is nothing to pin"
        };
        context.terminal.out(&format!("{LOCK_FILE} {told}\n"))?;
        return Ok(Exit::Success);
    }
    files::write(&path, &lock.to_text())?;
    context.terminal.out(&format!("wrote {path}\n"))?;
    Ok(Exit::Success)
}

fn check(pins: &Pins, lock: &Lock, context: &Context) -> Result<Exit, Problem> {
    let differences = pins.differences(lock);
    if differences.is_empty() {
        context.terminal.out(&format!("{LOCK_FILE} is up to date\n"))?;
        return Ok(Exit::Success);
    }
    let problem = Problem::usage(format!("`{LOCK_FILE}` is not up to date. {}", differences.join(" ")));
    context.terminal.problem(&problem.help("Run `mlp lock`."));
    Ok(Exit::Program)
}

/// The digests: those that were given, those that are kept, and for the rest the registries'.
fn images(
    pins: &Pins,
    given: &BTreeMap<String, String>,
    old: &Lock,
    kept: &Lock,
    context: &Context,
) -> Result<BTreeMap<String, String>, Problem> {
    let mut digests = BTreeMap::new();
    let mut registries = None;
    for image in &pins.images {
        let digest = match given.get(image).or_else(|| kept.images.get(image)) {
            Some(known) => known.clone(),
            None => {
                context.terminal.err(&format!("asking for the digest of {image}\n"));
                let registries = match &mut registries {
                    Some(registries) => registries,
                    none => none.insert(Images::new(&Environment::of_process()).map_err(|error| unknown(&error))?),
                };
                registries.digest(image).map_err(|error| unknown(&error))?
            }
        };
        digests.insert(image.clone(), digest);
    }
    // The runtime image of this version is in no registry by that name: it stays as it was given once.
    for (image, digest) in old.images.iter().chain(given) {
        if pins.may_pin(image) && !pins.images.contains(image) {
            digests.insert(image.clone(), digest.clone());
        }
    }
    Ok(digests)
}

fn packages(
    pins: &Pins,
    kept: &Lock,
    context: &Context,
) -> Result<BTreeMap<String, Vec<mlp::project::LockedPackage>>, Problem> {
    let mut locked = BTreeMap::new();
    for (key, list) in &pins.packages {
        if let Some(known) = kept.packages.get(key) {
            locked.insert(key.clone(), known.clone());
            continue;
        }
        context.terminal.err(&format!("resolving {}\n", list.join(", ")));
        let resolution = resolve(list).map_err(unresolved)?;
        if !resolution.every_file {
            context.terminal.err(
                "warning: pip knows the hashes of the files for this machine alone; with uv on PATH the lock holds for all\n",
            );
        }
        locked.insert(key.clone(), resolution.packages);
    }
    Ok(locked)
}

/// Reads lines such as `python:3.12-slim sha256:…`.
fn read_images(path: &Utf8Path) -> Result<BTreeMap<String, String>, Problem> {
    let text = fs::read_to_string(path).map_err(|error| {
        Problem::usage(format!("Cannot read `{path}`: {error}."))
            .help("Name a file with an image and its digest in each line.")
    })?;
    let mut images = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [image, digest] if is_image(image) && is_digest(digest) => {
                images.insert(image.to_owned(), digest.to_owned());
            }
            _ => {
                return Err(
                    Problem::usage(format!("Line {} of `{path}` is no image with its digest.", index + 1)).help(
                        "Write the image as the project names it, a space, and `sha256:` with 64 hexadecimal digits.",
                    ),
                );
            }
        }
    }
    Ok(images)
}

fn unknown(error: &ImageError) -> Problem {
    let problem = match error {
        ImageError::Name(_) | ImageError::Missing { .. } | ImageError::Denied { .. } => {
            Problem::usage(sentence(&error.to_string()))
        }
        ImageError::Unreachable { .. }
        | ImageError::Busy { .. }
        | ImageError::Answer { .. }
        | ImageError::Credentials(_) => Problem::machine(sentence(&error.to_string())),
    };
    problem.help(error.help())
}

fn unresolved(failure: Failure) -> Problem {
    let details: String = failure.details.iter().map(|line| format!("\n{line}")).collect();
    let problem = Problem::usage(format!("{}{details}", failure.summary));
    match failure.help {
        Some(help) => problem.help(help),
        None => problem,
    }
}
