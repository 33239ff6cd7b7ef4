//! The artifacts that a task takes: remembered when a manifest names them, brought and verified before the node runs.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::{Port, PortType};
use mlp::types::Evidence;

use super::address::local;
use super::manifest::{Entry, Stored};
use super::objects::{Objects, ObjectsError};
use crate::container::unwritable;
use crate::events::Failure;
use crate::node::{Places, arguments};
use crate::store::{Artifact, Datum, content_digest, describe, extension};

/// Who placed an artifact where it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A task of the run.
    Task(String),
    /// The world outside.
    Outside,
}

/// An artifact that was met.
struct Known {
    stored: Stored,
    origin: Origin,
    /// Where the node finds it; nothing until it was brought.
    path: Option<Utf8PathBuf>,
}

/// The artifacts that a task takes, and where it writes its own.
pub(super) struct Artifacts<'a> {
    objects: &'a dyn Objects,
    scratch: &'a Utf8Path,
    /// The address of the folder of the task's own outputs.
    folder: String,
    known: RefCell<BTreeMap<String, Known>>,
}

impl<'a> Artifacts<'a> {
    pub(super) fn new(objects: &'a dyn Objects, scratch: &'a Utf8Path, folder: String) -> Self {
        Self {
            objects,
            scratch,
            folder,
            known: RefCell::default(),
        }
    }

    /// Where an output of the task goes.
    pub(super) fn own_address(&self, port: &str) -> String {
        format!("{}/{port}", self.folder)
    }

    /// The artifact that a manifest names.
    pub(super) fn remember(&self, stored: &Stored, ty: &PortType, origin: Origin) -> Artifact {
        let artifact = Artifact {
            digest: stored.digest.clone(),
            extension: ending(ty).to_owned(),
            size: stored.size,
            folder: stored.folder,
        };
        let mut known = self.known.borrow_mut();
        known.entry(stored.digest.clone()).or_insert_with(|| Known {
            stored: stored.clone(),
            origin,
            path: None,
        });
        artifact
    }

    /// Brings every artifact of the inputs, and verifies that it is what was written.
    ///
    /// # Errors
    /// When one cannot be had, or has changed.
    pub(super) fn bring(&self, inputs: &BTreeMap<String, Datum>) -> Result<(), Failure> {
        inputs.values().try_for_each(|datum| self.bring_datum(datum))
    }

    fn bring_datum(&self, datum: &Datum) -> Result<(), Failure> {
        match datum {
            Datum::Value(_) => Ok(()),
            Datum::List(items) => items.iter().try_for_each(|item| self.bring_datum(item)),
            Datum::Artifact(artifact) => self.bring_one(artifact),
        }
    }

    fn bring_one(&self, artifact: &Artifact) -> Result<(), Failure> {
        let mut all = self.known.borrow_mut();
        let count = all.values().filter(|known| known.path.is_some()).count();
        let Some(known) = all.get_mut(&artifact.digest).filter(|known| known.path.is_none()) else {
            return Ok(());
        };
        let name = known.stored.address.rsplit('/').next().unwrap_or_default();
        let mut path = self.place(&count.to_string(), name)?;
        if !artifact.extension.is_empty() && !artifact.folder {
            path.set_extension(&artifact.extension);
        }
        let stored = &known.stored;
        let fetched = self.objects.fetch(&stored.address, stored.folder, &path);
        fetched.map_err(ObjectsError::failure)?;
        make_executable(&path, stored).map_err(|error| unwritable(&path, &error))?;
        verify(&path, stored, &known.origin)?;
        known.path = Some(path);
        Ok(())
    }

    /// Brings a file from the world outside.
    ///
    /// # Errors
    /// When it cannot be had.
    pub(super) fn bring_source(&self, address: &str) -> Result<Artifact, Failure> {
        let name = address.rsplit('/').next().unwrap_or_default();
        let path = self.place("source", name)?;
        self.objects
            .fetch(address, false, &path)
            .map_err(ObjectsError::failure)?;
        let stored = describe_output(&path, address)?;
        let artifact = self.remember(&stored, &PortType::File, Origin::Outside);
        let mut known = self.known.borrow_mut();
        if let Some(known) = known.get_mut(&artifact.digest) {
            known.path = Some(path);
        }
        Ok(artifact)
    }

    /// A path at which nothing is.
    fn place(&self, folder: &str, name: &str) -> Result<Utf8PathBuf, Failure> {
        let folder = self.scratch.join("inputs").join(folder);
        fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
        Ok(folder.join(if name.is_empty() { "input" } else { name }))
    }

    /// What a manifest says of something that was taken and is given on.
    pub(super) fn entry(&self, datum: &Datum) -> Option<Entry> {
        match datum {
            Datum::Value(value) => Some(Entry::Value(mlp::plan::exchange_json(value))),
            Datum::Artifact(artifact) => {
                let known = self.known.borrow();
                known
                    .get(&artifact.digest)
                    .map(|known| Entry::Artifact(known.stored.clone()))
            }
            Datum::List(items) => {
                let entries: Option<Vec<_>> = items.iter().map(|item| self.entry(item)).collect();
                entries.map(Entry::List)
            }
        }
    }
}

impl Places for Artifacts<'_> {
    fn path(&self, artifact: &Artifact) -> Utf8PathBuf {
        let known = self.known.borrow();
        let path = known.get(&artifact.digest).and_then(|known| known.path.clone());
        path.unwrap_or_default()
    }

    fn address(&self, artifact: &Artifact) -> String {
        let path = self.path(artifact);
        let address = match self.known.borrow().get(&artifact.digest) {
            Some(known) => known.stored.address.clone(),
            None => return String::new(),
        };
        // A model that is one file is given as that file.
        let content = arguments::content(&path);
        let address = match content.strip_prefix(&path) {
            Ok(inner) if !inner.as_str().is_empty() => format!("{address}/{inner}"),
            Ok(_) | Err(_) => address,
        };
        local(&address).map_or_else(|| address.clone(), |path| format!("file://{path}"))
    }

    fn output(&self, port: &Port) -> Utf8PathBuf {
        let mut path = self.scratch.join("outputs").join(&port.name);
        let ending = extension(&port.ty);
        if !ending.is_empty() {
            path.set_extension(ending);
        }
        path
    }

    fn output_address(&self, port: &Port) -> String {
        let address = self.own_address(&port.name);
        match local(&address) {
            Some(_) => format!("file://{}", self.output(port)),
            None => address,
        }
    }
}

/// What a manifest says of a file or folder that goes to an address.
///
/// # Errors
/// When it cannot be read.
pub(super) fn describe_output(path: &Utf8Path, address: &str) -> Result<Stored, Failure> {
    let describe = || -> std::io::Result<Stored> {
        let content = describe(path)?;
        let mut executable = Vec::new();
        let one = [path.to_owned()];
        for file in if content.folder { &content.files } else { &one[..] } {
            if fs::metadata(file)?.permissions().mode() & 0o100 != 0 {
                let name = file.strip_prefix(path).unwrap_or(file).as_str();
                executable.push(if name.is_empty() { "." } else { name }.to_owned());
            }
        }
        Ok(Stored {
            address: address.to_owned(),
            digest: content.digest.to_hex().to_string(),
            size: content.size,
            folder: content.folder,
            executable,
        })
    };
    describe().map_err(|error| unwritable(path, &error))
}

/// Buckets keep no modes.
fn make_executable(path: &Utf8Path, stored: &Stored) -> std::io::Result<()> {
    for name in &stored.executable {
        let file = if name == "." { path.to_owned() } else { path.join(name) };
        // A manifest that names something else is damaged; the digest tells it.
        let inside = Utf8Path::new(name)
            .components()
            .all(|part| matches!(part, camino::Utf8Component::Normal(_) | camino::Utf8Component::CurDir));
        match fs::metadata(&file) {
            Ok(found) if inside && found.permissions().mode() & 0o100 == 0 => {
                let mode = found.permissions().mode() | 0o111;
                fs::set_permissions(&file, fs::Permissions::from_mode(mode))?;
            }
            Ok(_) | Err(_) => {}
        }
    }
    Ok(())
}

fn verify(path: &Utf8Path, stored: &Stored, origin: &Origin) -> Result<(), Failure> {
    let digest = content_digest(path).map_err(|error| unwritable(path, &error))?;
    if digest == stored.digest {
        return Ok(());
    }
    let size = describe(path).map(|content| content.size).unwrap_or_default();
    let address = &stored.address;
    let task = match origin {
        Origin::Task(task) => format!("`{task}`"),
        Origin::Outside => "its task".to_owned(),
    };
    let found = if size == stored.size {
        "other content".to_owned()
    } else {
        format!("{size} bytes instead of {}", stored.size)
    };
    Err(Failure {
        summary: format!("`{address}` is not what {task} wrote: it has {found}."),
        details: vec![format!("digest {digest}"), format!("wanted {}", stored.digest)],
        help: Some(format!(
            "Run {task} again, and let nothing else write below the root of the run."
        )),
    })
}

/// A registered model is a JSON file, any other a folder.
fn ending(ty: &PortType) -> &'static str {
    let registered = matches!(
        ty,
        PortType::Model {
            evidence: Evidence::Registered,
            ..
        }
    );
    if registered { "json" } else { extension(ty) }
}
