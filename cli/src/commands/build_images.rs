//! `mlp build --images`: build contexts of images, one folder for each Python step and model.

use std::collections::BTreeSet;
use std::fs;

use camino::Utf8Path;
use mlp::check::python::python_sources;
use mlp::plan::{DeclaredTarget, Plan, Platform};
use mlp::project::manifest_file;
use mlp::targets::images::{MARK, images};
use mlp::targets::{self, Request};
use mlp_runtime::data::words::sentence;

use super::Context;
use super::build::unknown;
use crate::exit::Exit;
use crate::files;
use crate::problem::Problem;
use crate::project::Project;

/// Where they go in the project, if nowhere else.
const FOLDER: &str = "build/images";

/// Compiles and writes.
pub fn run(
    project: &Project,
    target: Option<&str>,
    output: Option<&Utf8Path>,
    context: &Context,
) -> Result<Exit, Problem> {
    let output = match output {
        Some(output) if output == "-" => {
            return Err(
                Problem::usage("Images are built from folders, which cannot go to standard output.")
                    .help("Name a folder with `-o`."),
            );
        }
        Some(output) => output.to_owned(),
        None => project.root.join(FOLDER),
    };
    let lock = project.lock()?;
    let plan = match project.plan(context)? {
        Ok(plan) => plan,
        Err(exit) => return Ok(exit),
    };
    let request = Request {
        plan: &plan,
        target: &runtime(project, &plan, target)?,
        sources: &python_sources(&project.db, &plan),
        lock: &lock,
    };
    let written = images(&request).map_err(|error| Problem::usage(sentence(&error.to_string())).help(error.help()))?;
    let folders: BTreeSet<&str> = written
        .iter()
        .filter_map(|file| Some(file.path.components().next()?.as_str()))
        .collect();
    for folder in &folders {
        clear(&output.join(folder))?;
    }
    for file in &written {
        files::write(&output.join(&file.path), &file.text)?;
    }
    for folder in folders {
        context.terminal.out(&format!("wrote {}\n", output.join(folder)))?;
    }
    Ok(Exit::Success)
}

/// The target whose runtime image the images stand on: the one that is named, else the one image that all targets have.
fn runtime(project: &Project, plan: &Plan, name: Option<&str>) -> Result<DeclaredTarget, Problem> {
    let manifest = manifest_file(&project.db);
    let of_manifest = manifest
        .manifest
        .as_ref()
        .and_then(|manifest| manifest.target.as_deref());
    if let Some(name) = name.or(of_manifest) {
        return targets::choose(plan, name)
            .map(|(_, target)| target)
            .map_err(|error| unknown(&error));
    }
    let images: BTreeSet<String> = plan.targets.values().map(DeclaredTarget::image).collect();
    if images.len() > 1 {
        let images: Vec<String> = images.into_iter().collect();
        return Err(
            Problem::usage("The targets of the project have several runtime images.").help(format!(
                "Name a target with `--target`; the images are {}.",
                images.join(", ")
            )),
        );
    }
    let any = plan.targets.values().next().cloned();
    Ok(any.unwrap_or_else(|| DeclaredTarget::undeclared("local", Platform::Local)))
}

/// Removes what an earlier build left, so that no file that is gone from the project stays in an image.
fn clear(folder: &Utf8Path) -> Result<(), Problem> {
    if !folder.exists() {
        return Ok(());
    }
    let ours = fs::read_to_string(folder.join("Dockerfile")).is_ok_and(|text| text.starts_with(MARK));
    if !ours {
        return Err(Problem::usage(format!(
            "The folder `{folder}` is there and was not written by `mlp build --images`."
        ))
        .help("Remove it, or name another place with `-o`."));
    }
    fs::remove_dir_all(folder).map_err(|error| Problem::io("remove the folder", folder, &error))
}
