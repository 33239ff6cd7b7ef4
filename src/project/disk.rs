//! The real file system as a [`Host`]: the only file of the compiler that touches it. It knows nothing of what files mean.

#![expect(
    clippy::disallowed_methods,
    reason = "every access of the compiler to the file system goes through this file"
)]

use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::host::{Contents, Host};
use super::manifest::MANIFEST;

/// How deep folders may lie below the root: a loop of symbolic links ends here at the latest.
const DEPTH_LIMIT: usize = 64;

/// Folders that hold no sources of the project.
const SKIPPED_FOLDERS: &[&str] = &["target", "node_modules", "__pycache__", "venv"];

/// A project on disk.
#[derive(Clone, Debug)]
pub struct DiskHost {
    root: Utf8PathBuf,
    only: Option<Utf8PathBuf>,
}

/// Why there is nothing to compile.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The path that was named does not exist or cannot be looked at.
    #[error("cannot open `{path}`: {reason}")]
    Unreachable {
        /// As it was given.
        path: Utf8PathBuf,
        /// The system's reason.
        reason: io::Error,
    },
    /// A folder that is in no project, and no file was named.
    #[error(
        "there is no `{MANIFEST}` in `{0}` or in any folder above it; name a `.mlp` file, or begin a project with `mlp new`"
    )]
    NoProject(Utf8PathBuf),
    /// A file that is no source of the language.
    #[error("`{0}` is not a `.mlp` file")]
    NotASource(Utf8PathBuf),
    /// A folder on the way is not UTF-8.
    #[error("the path `{0}` is not UTF-8")]
    NotUtf8(String),
}

impl DiskHost {
    /// The project that `path` lies in: the nearest folder upwards with `mlp.toml`. A `.mlp` file outside any project is a
    /// project of its own, with its folder as the root.
    ///
    /// # Errors
    /// When the path does not exist, is neither a folder nor a `.mlp` file, or is a folder outside any project.
    pub fn open(path: &Utf8Path) -> Result<Self, OpenError> {
        let unreachable = |reason| OpenError::Unreachable {
            path: path.to_owned(),
            reason,
        };
        let full = fs::canonicalize(path).map_err(unreachable)?;
        let full =
            Utf8PathBuf::from_path_buf(full).map_err(|path| OpenError::NotUtf8(path.to_string_lossy().into_owned()))?;
        let is_folder = full.is_dir();
        if !is_folder && full.extension() != Some("mlp") && full.file_name() != Some(MANIFEST) {
            return Err(OpenError::NotASource(path.to_owned()));
        }
        if let Some(root) = full.ancestors().find(|folder| folder.join(MANIFEST).is_file()) {
            return Ok(Self {
                root: root.to_owned(),
                only: None,
            });
        }
        match (full.parent(), full.file_name()) {
            (Some(folder), Some(name)) if !is_folder => Ok(Self {
                root: folder.to_owned(),
                only: Some(Utf8PathBuf::from(name)),
            }),
            _ => Err(OpenError::NoProject(path.to_owned())),
        }
    }

    /// The project of a document in an editor, which may not be saved yet: the nearest folder upwards with `mlp.toml`, or
    /// the document alone. The path is taken as it is given, so that the editor recognises what comes back.
    #[must_use]
    pub fn of_document(path: &Utf8Path) -> Self {
        let folder = path.parent().unwrap_or(Utf8Path::new("/"));
        match folder.ancestors().find(|folder| folder.join(MANIFEST).is_file()) {
            Some(root) => Self::at(root),
            None => Self {
                root: folder.to_owned(),
                only: path.file_name().map(Utf8PathBuf::from),
            },
        }
    }

    /// The folder `root` with every source below it, whether or not it has a `mlp.toml`.
    #[must_use]
    pub fn at(root: impl Into<Utf8PathBuf>) -> Self {
        Self {
            root: root.into(),
            only: None,
        }
    }

    /// The project's root, absolute when the host was opened.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The one file that makes the project when there is no `mlp.toml`.
    #[must_use]
    pub fn only_file(&self) -> Option<&Utf8Path> {
        self.only.as_deref()
    }

    /// `path` as the compiler names it: from the root, with `/`; nothing for a path outside the project.
    #[must_use]
    pub fn relative(&self, path: &Utf8Path) -> Option<Utf8PathBuf> {
        if let Ok(inside) = path.strip_prefix(&self.root) {
            return Some(with_slashes(inside));
        }
        let full = fs::canonicalize(path)
            .ok()
            .and_then(|full| Utf8PathBuf::from_path_buf(full).ok());
        let full = full.unwrap_or_else(|| path.to_owned());
        let inside = full.strip_prefix(&self.root).ok()?;
        Some(with_slashes(inside))
    }

    /// Whether sources below this folder may belong to the project; a folder with its own manifest is another project.
    fn is_own_folder(&self, path: &Utf8Path, name: &str) -> bool {
        let is_hidden = name.starts_with('.');
        !is_hidden && !SKIPPED_FOLDERS.contains(&name) && !self.root.join(path).join(MANIFEST).is_file()
    }

    fn walk(&self, folder: &Utf8Path, depth: usize, extension: &str, found: &mut Vec<Utf8PathBuf>) {
        let Ok(entries) = fs::read_dir(self.root.join(folder)) else {
            return;
        };
        for entry in entries.flatten() {
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let path = if folder.as_str().is_empty() {
                Utf8PathBuf::from(&name)
            } else {
                Utf8PathBuf::from(format!("{folder}/{name}"))
            };
            // Links to folders are not followed: they may lead in a circle.
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder {
                if depth < DEPTH_LIMIT && self.is_own_folder(&path, &name) {
                    self.walk(&path, depth + 1, extension, found);
                }
            } else if path.extension() == Some(extension) && !self.root.join(&path).is_dir() {
                found.push(path);
            }
        }
    }
}

fn with_slashes(path: &Utf8Path) -> Utf8PathBuf {
    let parts: Vec<&str> = path.iter().collect();
    Utf8PathBuf::from(parts.join("/"))
}

impl Host for DiskHost {
    fn read(&self, path: &Utf8Path) -> Contents {
        match fs::read(self.root.join(path)) {
            Ok(bytes) => Contents::from_bytes(bytes),
            Err(error)
                if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(self.root.join(path)).is_ok() =>
            {
                Contents::Unreadable("it is a link to a file that does not exist".to_owned())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Contents::Missing,
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => Contents::Missing,
            Err(error) => Contents::Unreadable(error.to_string()),
        }
    }

    fn list(&self, extension: &str) -> Vec<Utf8PathBuf> {
        if let Some(only) = &self.only {
            return std::iter::once(only.clone())
                .filter(|path| path.extension() == Some(extension))
                .collect();
        }
        let mut found = Vec::new();
        self.walk(Utf8Path::new(""), 0, extension, &mut found);
        found.sort();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        (folder, path)
    }

    #[test]
    fn the_root_is_the_nearest_folder_with_a_manifest() {
        let (_keep, root) = folder();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join(MANIFEST), "name = \"x\"\n").unwrap();
        fs::write(root.join("a/b/c.mlp"), "").unwrap();
        fs::create_dir_all(root.join("other")).unwrap();
        fs::write(root.join("other").join(MANIFEST), "name = \"y\"\n").unwrap();
        fs::write(root.join("other/d.mlp"), "").unwrap();
        let host = DiskHost::open(&root.join("a/b/c.mlp")).unwrap();
        assert_eq!(host.root(), root);
        assert_eq!(host.list("mlp"), ["a/b/c.mlp"]);
        assert_eq!(host.relative(&root.join("a/b/c.mlp")).unwrap(), "a/b/c.mlp");
        assert_eq!(host.read(Utf8Path::new("a/b/c.mlp")), Contents::Text(String::new()));
        assert_eq!(host.read(Utf8Path::new("gone.mlp")), Contents::Missing);
        assert_eq!(host.read(Utf8Path::new("a/b/c.mlp/d.mlp")), Contents::Missing);
        assert!(matches!(host.read(Utf8Path::new("a")), Contents::Unreadable(_)));
    }

    #[test]
    fn a_file_alone_is_a_project_of_its_own() {
        let (_keep, root) = folder();
        fs::write(root.join("one.mlp"), "").unwrap();
        fs::write(root.join("two.mlp"), "").unwrap();
        let host = DiskHost::open(&root.join("one.mlp")).unwrap();
        assert_eq!(host.list("mlp"), ["one.mlp"]);
        assert_eq!(host.only_file(), Some(Utf8Path::new("one.mlp")));
        assert!(matches!(DiskHost::open(&root), Err(OpenError::NoProject(_))));
        assert!(matches!(
            DiskHost::open(&root.join("three.mlp")),
            Err(OpenError::Unreachable { .. })
        ));
        fs::write(root.join("data.csv"), "").unwrap();
        assert!(matches!(
            DiskHost::open(&root.join("data.csv")),
            Err(OpenError::NotASource(_))
        ));
    }

    #[cfg(unix)]
    #[test]
    fn links_in_a_circle_and_to_nothing_end() {
        let (_keep, root) = folder();
        fs::write(root.join(MANIFEST), "name = \"x\"\n").unwrap();
        fs::create_dir(root.join("a")).unwrap();
        std::os::unix::fs::symlink(&root, root.join("a/up")).unwrap();
        std::os::unix::fs::symlink("self.mlp", root.join("self.mlp")).unwrap();
        let host = DiskHost::open(&root).unwrap();
        std::os::unix::fs::symlink("nowhere", root.join("dangling.mlp")).unwrap();
        assert_eq!(host.list("mlp"), ["dangling.mlp", "self.mlp"]);
        assert!(matches!(
            host.read(Utf8Path::new("dangling.mlp")),
            Contents::Unreadable(_)
        ));
        assert!(matches!(host.read(Utf8Path::new("self.mlp")), Contents::Unreadable(_)));
    }
}
