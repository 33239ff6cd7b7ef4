//! The content-addressed store: every artifact once, under the BLAKE3 digest of its content, read-only.
//!
//! It knows nothing of runs and never deletes what a run may still name.

mod digest;

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::PortType;
use mlp::types::Value;
use serde::{Deserialize, Serialize};

pub(crate) use digest::{Content, content_digest, describe, file_digest, files_below};

/// What an output of a node is at run time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Datum {
    /// A value.
    Value(Value),
    /// Content in the store.
    Artifact(Artifact),
    /// Gathered from a loop.
    List(Vec<Datum>),
}

/// Content in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// BLAKE3 of the content, hexadecimal; of a folder, of its sorted entries.
    pub digest: String,
    /// The ending that tools know its format by: `parquet`, `json`, `html`, `md`, or none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub extension: String,
    /// Bytes, of all files together.
    pub size: u64,
    /// Whether it is a folder.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub folder: bool,
}

/// A store in a folder.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    root: Utf8PathBuf,
}

impl Store {
    /// The store in a folder that exists.
    pub(crate) fn new(root: Utf8PathBuf) -> Self {
        Self { root }
    }

    /// Where the content of an artifact lies.
    pub(crate) fn path(&self, artifact: &Artifact) -> Utf8PathBuf {
        let (shard, rest) = artifact.digest.split_at_checked(2).unwrap_or(("", &artifact.digest));
        let mut path = self.root.join(shard).join(rest);
        if !artifact.extension.is_empty() {
            path.set_extension(&artifact.extension);
        }
        path
    }

    /// Whether the content is there, whole: after a power cut a file may be shorter than it was.
    pub(crate) fn holds(&self, artifact: &Artifact) -> bool {
        let path = self.path(artifact);
        if artifact.folder {
            return describe(&path).is_ok_and(|content| content.size == artifact.size);
        }
        fs::metadata(path).is_ok_and(|metadata| metadata.len() == artifact.size)
    }

    /// Whether everything that a datum stands for is there, whole.
    pub(crate) fn holds_datum(&self, datum: &Datum) -> bool {
        match datum {
            Datum::Value(_) => true,
            Datum::Artifact(artifact) => self.holds(artifact),
            Datum::List(items) => items.iter().all(|item| self.holds_datum(item)),
        }
    }

    /// Takes a file or folder out of a scratch folder on the same file system into the store. What was there is moved,
    /// or left behind when the store has the content already.
    pub(crate) fn take(&self, path: &Utf8Path, extension: &str) -> io::Result<Artifact> {
        let metadata = fs::symlink_metadata(path)?;
        if metadata.is_symlink() {
            return self.take_link(path, extension);
        }
        let content = describe(path)?;
        let artifact = Artifact {
            digest: content.digest.to_hex().to_string(),
            extension: extension.to_owned(),
            size: content.size,
            folder: content.folder,
        };
        if self.holds(&artifact) {
            return Ok(artifact);
        }
        // A file that has another name elsewhere must not change its mode there, nor may it be changed from there.
        if content.folder {
            for file in &content.files {
                make_own(file)?;
            }
        } else {
            make_own(path)?;
        }
        self.place(path, &artifact)?;
        Ok(artifact)
    }

    /// A link is followed: into the store it names what the store has, elsewhere its target is copied.
    fn take_link(&self, link: &Utf8Path, extension: &str) -> io::Result<Artifact> {
        let target = Utf8PathBuf::from_path_buf(fs::canonicalize(link)?)
            .map_err(|path| io::Error::other(format!("the path {} is not UTF-8", path.display())))?;
        let copy = Utf8PathBuf::from(format!("{link}.copy"));
        copy_all(&target, &copy)?;
        self.take(&copy, extension)
    }

    fn place(&self, from: &Utf8Path, artifact: &Artifact) -> io::Result<()> {
        let path = self.path(artifact);
        let moved = match fs::rename(from, &path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if let Some(shard) = path.parent() {
                    fs::create_dir_all(shard)?;
                }
                fs::rename(from, &path)
            }
            other => other,
        };
        match moved {
            // Another run placed the same folder in the meantime.
            Err(_) if artifact.folder && self.holds(artifact) => Ok(()),
            // A damaged folder is in the way.
            Err(error) if artifact.folder && path.exists() => fs::remove_dir_all(&path)
                .and_then(|()| fs::rename(from, &path))
                .map_err(|_| error),
            other => other,
        }
    }
}

/// The ending that tools know the content of a port by.
pub(crate) fn extension(ty: &PortType) -> &'static str {
    match ty {
        PortType::Dataset { .. } => "parquet",
        PortType::Metrics { .. } | PortType::Deployment { .. } => "json",
        PortType::Html => "html",
        PortType::Markdown => "md",
        PortType::Value(_) => "txt",
        PortType::Model { .. } | PortType::File | PortType::Directory | PortType::Opaque | PortType::Custom { .. } => {
            ""
        }
        PortType::List(of) => extension(of),
    }
}

/// Makes a file read-only, after a copy if it has other names.
fn make_own(path: &Utf8Path) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    if metadata.nlink() > 1 {
        let copy = Utf8PathBuf::from(format!("{path}.copy"));
        fs::copy(path, &copy)?;
        fs::rename(&copy, path)?;
    }
    let executable = metadata.permissions().mode() & 0o111;
    fs::set_permissions(path, fs::Permissions::from_mode(0o444 | executable))
}

fn copy_all(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    let content = describe(from)?;
    if !content.folder {
        fs::copy(from, to)?;
        return fs::set_permissions(to, fs::Permissions::from_mode(0o644));
    }
    fs::create_dir_all(to)?;
    for file in &content.files {
        let Ok(relative) = file.strip_prefix(from) else {
            continue;
        };
        let target = to.join(relative);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::copy(file, &target)?;
    }
    Ok(())
}

impl Content {
    fn file(digest: blake3::Hash, size: u64) -> Self {
        Self {
            digest,
            size,
            folder: false,
            files: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> (tempfile::TempDir, Store, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        fs::create_dir_all(root.join("store")).unwrap();
        fs::create_dir_all(root.join("tmp")).unwrap();
        let tmp = root.join("tmp");
        (folder, Store::new(root.join("store")), tmp)
    }

    #[test]
    fn equal_content_is_kept_once_and_read_only() {
        let (_folder, store, tmp) = scratch();
        fs::write(tmp.join("a"), "same").unwrap();
        fs::write(tmp.join("b"), "same").unwrap();
        let first = store.take(&tmp.join("a"), "md").unwrap();
        let second = store.take(&tmp.join("b"), "md").unwrap();
        assert_eq!(first, second);
        let path = store.path(&first);
        assert!(path.as_str().ends_with(".md"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "same");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o444);
        assert!(!tmp.join("a").exists(), "the file is moved, not copied");
    }

    #[test]
    fn a_folder_has_a_digest_of_names_and_contents() {
        let (_folder, store, tmp) = scratch();
        let make = |name: &str, content: &str| {
            let folder = tmp.join(name);
            fs::create_dir_all(folder.join("inner")).unwrap();
            fs::write(folder.join("inner/x"), content).unwrap();
            fs::write(folder.join("y"), "y").unwrap();
            folder
        };
        let first = store.take(&make("one", "x"), "").unwrap();
        let same = store.take(&make("two", "x"), "").unwrap();
        let other = store.take(&make("three", "z"), "").unwrap();
        assert_eq!(first, same);
        assert_ne!(first.digest, other.digest);
        assert!(first.folder && store.holds(&first));
        assert_eq!(first.size, 2);
    }

    #[test]
    fn a_truncated_object_is_not_held_and_is_mended() {
        let (_folder, store, tmp) = scratch();
        fs::write(tmp.join("a"), "whole").unwrap();
        let artifact = store.take(&tmp.join("a"), "").unwrap();
        fs::remove_file(store.path(&artifact)).unwrap();
        fs::write(store.path(&artifact), "").unwrap();
        assert!(!store.holds(&artifact));
        fs::write(tmp.join("b"), "whole").unwrap();
        store.take(&tmp.join("b"), "").unwrap();
        assert!(store.holds(&artifact));
    }

    #[test]
    fn linked_files_are_copied_so_that_nobody_can_change_them_later() {
        let (_folder, store, tmp) = scratch();
        let source = tmp.join("users.csv");
        fs::write(&source, "rows").unwrap();
        fs::hard_link(&source, tmp.join("hard")).unwrap();
        std::os::unix::fs::symlink(&source, tmp.join("soft")).unwrap();
        let hard = store.take(&tmp.join("hard"), "csv").unwrap();
        let soft = store.take(&tmp.join("soft"), "csv").unwrap();
        assert_eq!(hard, soft);
        fs::write(&source, "changed").unwrap();
        assert_eq!(fs::read_to_string(store.path(&hard)).unwrap(), "rows");
    }
}
