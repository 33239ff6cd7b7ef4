//! Build contexts of images: for every Python step and every model a folder with a Dockerfile, its packages with hashes and
//! the project's Python files. Nothing is built here, and nothing that is not pinned is written.

mod dockerfile;

use std::collections::BTreeSet;

use super::pins::{model_packages, step_packages};
use super::{OutputFile, Request};
use crate::plan::Run;
use crate::project::{LockedPackage, is_image};
use dockerfile::Dockerfile;

/// How every Dockerfile that is written here begins.
pub const MARK: &str = "# Written by `mlp build --images`.";
/// What is kept out of a context: everything but what the Dockerfile copies.
const IGNORED: &str = "*\n!project\n!requirements.txt\n";

/// Why no images can be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImagesError {
    /// The plan has neither Python steps nor models.
    #[error("the project has no Python step and no model, so there is no image to build")]
    Nothing,
    /// The base image has no digest.
    #[error(
        "the image `{0}`, which holds `mlp`, has no digest, so an image on top of it could be another one each time"
    )]
    UnpinnedBase(String),
    /// The base image's name is none.
    #[error("`{0}` is no name of an image")]
    Base(String),
    /// A list of packages is not in the lock.
    #[error("the packages of {owner} (`{packages}`) have no hashes, so others could be installed each time")]
    UnpinnedPackages {
        /// Whose they are: ``the step `train` ``.
        owner: String,
        /// The list.
        packages: String,
    },
    /// A Python file is not in the project.
    #[error("the Python file `{0}` is not in the project, so it cannot be copied into an image")]
    Source(String),
    /// Two folders would be one.
    #[error("the images of {0} and {1} would lie in the same folder")]
    SameFolder(String, String),
}

impl ImagesError {
    /// What the user can do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Nothing => "Steps that run a command need an image of their own: write `image: \"…\"` in the step.",
            Self::UnpinnedBase(_) => {
                "Run `mlp lock`, or write the digest behind the image: `name:tag@sha256:…`. The image of this version is pinned with `mlp lock --images FILE`."
            }
            Self::Base(_) => "Mend `runtime_image` in the target.",
            Self::UnpinnedPackages { .. } => "Run `mlp lock`.",
            Self::Source(_) => "Move the file into the project's folder, or mend its path in `run: python \"…\"`.",
            Self::SameFolder(..) => {
                "Give one of them another name: capital letters do not tell folders apart everywhere."
            }
        }
    }
}

/// Something that gets an image.
struct Subject<'a> {
    /// `step` or `model`
    kind: &'static str,
    name: &'a str,
    file: &'a str,
    packages: Vec<String>,
}

impl Subject<'_> {
    fn title(&self) -> String {
        format!("the {} `{}`", self.kind, self.name)
    }
}

/// The folders of all images, by the names of their steps and models. A Python step whose image is given gets one too when
/// it has packages: that image may be the one that was built from here.
///
/// # Errors
/// When the base image or the packages are not pinned, or there is nothing to build an image for.
pub fn images(request: &Request<'_>) -> Result<Vec<OutputFile>, ImagesError> {
    let image = request.target.image();
    if !is_image(&image) {
        return Err(ImagesError::Base(image));
    }
    let base = request.lock.image(&image);
    if !base.contains("@sha256:") {
        return Err(ImagesError::UnpinnedBase(image));
    }
    let subjects = subjects(request);
    if subjects.is_empty() {
        return Err(ImagesError::Nothing);
    }
    let mut seen: Vec<&Subject<'_>> = Vec::new();
    let mut files = Vec::new();
    for subject in &subjects {
        if let Some(other) = seen
            .iter()
            .find(|other| folder(other.name).eq_ignore_ascii_case(&folder(subject.name)))
        {
            return Err(ImagesError::SameFolder(other.title(), subject.title()));
        }
        seen.push(subject);
        files.extend(context(request, &base, subject)?);
    }
    Ok(files)
}

fn subjects<'a>(request: &Request<'a>) -> Vec<Subject<'a>> {
    let mut subjects = Vec::new();
    for step in request.plan.steps.values() {
        if let (Some(packages), Run::Python(function)) = (step_packages(step), &step.run)
            && (step.image.is_none() || !packages.is_empty())
        {
            subjects.push(Subject {
                kind: "step",
                name: &step.name,
                file: &function.file,
                packages,
            });
        }
    }
    subjects.extend(request.plan.models.values().map(|model| Subject {
        kind: "model",
        name: &model.name,
        file: &model.run.file,
        packages: model_packages(model),
    }));
    subjects
}

/// The folder of one image.
fn context(request: &Request<'_>, base: &str, subject: &Subject<'_>) -> Result<Vec<OutputFile>, ImagesError> {
    let Some(sources) = request.sources.get(subject.file) else {
        return Err(ImagesError::Source(subject.file.to_owned()));
    };
    if let Some(outside) = sources.keys().find(|path| !is_inside(path)) {
        return Err(ImagesError::Source(outside.clone()));
    }
    let locked: &[LockedPackage] = match request.lock.packages(&subject.packages) {
        Some(locked) => locked,
        None if subject.packages.is_empty() => &[],
        None => {
            return Err(ImagesError::UnpinnedPackages {
                owner: subject.title(),
                packages: subject.packages.join(", "),
            });
        }
    };
    let folder = folder(subject.name);
    let file = |path: &str, text: String| OutputFile {
        path: format!("{folder}/{path}").into(),
        text,
    };
    let dockerfile = Dockerfile {
        base,
        kind: subject.kind,
        name: subject.name,
        project: &request.plan.project,
        packages: !locked.is_empty(),
    };
    let mut files = vec![
        file("Dockerfile", dockerfile.text()),
        file(".dockerignore", IGNORED.to_owned()),
    ];
    if !locked.is_empty() {
        let lines: BTreeSet<String> = locked.iter().map(LockedPackage::requirement).collect();
        files.push(file("requirements.txt", lines.into_iter().collect()));
    }
    files.extend(
        sources
            .iter()
            .map(|(path, text)| file(&format!("project/{path}"), text.clone())),
    );
    Ok(files)
}

/// The name of a folder: letters, digits, `-` and `_` stay.
fn folder(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') {
                c
            } else {
                '-'
            }
        })
        .collect()
}

/// Whether a path stays below the folder that it is joined to.
fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && !path.contains(['\\', '\0', '\n', '\r'])
        && path
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != "..")
}

#[cfg(test)]
mod tests;
