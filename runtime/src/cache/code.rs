//! Digests of the user's code, each computed once in a run.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};

use crate::store::file_digest;

/// Folders that hold no code of the project.
const NOT_CODE: [&str; 4] = ["__pycache__", "node_modules", "site-packages", "venv"];

/// Digests of code, by what names it.
pub(crate) struct Code {
    project: Utf8PathBuf,
    python: Mutex<BTreeMap<Utf8PathBuf, String>>,
    scripts: Mutex<BTreeMap<String, String>>,
}

impl Code {
    pub(crate) fn new(project: &Utf8Path) -> Self {
        Self {
            project: project.to_owned(),
            python: Mutex::default(),
            scripts: Mutex::default(),
        }
    }

    /// The digest of a Python file and of every `.py` file in its folder and below: what it may import from the project.
    pub(crate) fn python(&self, file: &str) -> io::Result<String> {
        let path = self.project.join(file);
        let folder = path.parent().unwrap_or(&self.project).to_owned();
        let tree = match self.known(&folder) {
            Some(tree) => tree,
            None => self.read_tree(&folder)?,
        };
        let name = path.file_name().unwrap_or_default();
        Ok(format!("{name} {tree}"))
    }

    fn known(&self, folder: &Utf8Path) -> Option<String> {
        self.python
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(folder)
            .cloned()
    }

    fn read_tree(&self, folder: &Utf8Path) -> io::Result<String> {
        let mut files = Vec::new();
        list(folder, &mut files)?;
        files.sort();
        let mut hasher = blake3::Hasher::new();
        for file in files {
            let name = file.strip_prefix(folder).unwrap_or(&file).as_str();
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(name.as_bytes());
            hasher.update(file_digest(&file)?.0.as_bytes());
        }
        let digest = hasher.finalize().to_hex().to_string();
        self.python
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(folder.to_owned(), digest.clone());
        Ok(digest)
    }

    /// The digest of the file of the project that an argument of a command names, or nothing: `python3 prepare.py` is
    /// another command once `prepare.py` has changed.
    pub(crate) fn script(&self, argument: &str) -> io::Result<String> {
        let mut scripts = self.scripts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(digest) = scripts.get(argument) {
            return Ok(digest.clone());
        }
        let path = self.project.join(argument);
        // Only what belongs to the project is its code; programs of the system are not read.
        let inside = !argument.is_empty() && path.starts_with(&self.project) && path.is_file();
        let digest = if inside {
            file_digest(&path)?.0.to_hex().to_string()
        } else {
            String::new()
        };
        scripts.insert(argument.to_owned(), digest.clone());
        Ok(digest)
    }
}

fn list(folder: &Utf8Path, files: &mut Vec<Utf8PathBuf>) -> io::Result<()> {
    for entry in folder.read_dir_utf8()? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let name = entry.file_name();
        if kind.is_dir() {
            if !name.starts_with('.') && !NOT_CODE.contains(&name) {
                list(entry.path(), files)?;
            }
        } else if name.ends_with(".py") {
            files.push(entry.into_path());
        }
    }
    Ok(())
}
