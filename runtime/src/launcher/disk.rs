//! Artifacts in a folder that every worker sees. They are used where they lie, and read-only.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use camino::{Utf8Path, Utf8PathBuf};

use super::address::local;
use super::objects::{Objects, ObjectsError};
use crate::container::message::clear;
use crate::store::files_below;

/// Addresses that are paths, or begin with `file://`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Disk {
    fn path<'a>(address: &'a str, done: &'static str) -> Result<&'a Utf8Path, ObjectsError> {
        local(address).ok_or_else(|| ObjectsError::Failed {
            address: address.to_owned(),
            done,
            reason: "it is no folder of this machine".to_owned(),
            help: "Write a path, or `file://` and a path.".to_owned(),
        })
    }
}

impl Objects for Disk {
    fn read(&self, address: &str) -> Result<Option<Vec<u8>>, ObjectsError> {
        let path = Self::path(address, "read")?;
        present(fs::read(path)).map_err(|error| unusable(path, "read", &error))
    }

    fn write(&self, address: &str, bytes: &[u8]) -> Result<(), ObjectsError> {
        let path = Self::path(address, "written")?;
        let written = parents(path).and_then(|()| {
            placed(path, |draft| {
                let mut file = fs::File::create(draft)?;
                io::Write::write_all(&mut file, bytes)?;
                file.sync_all()
            })
        });
        written.map_err(|error| unusable(path, "written", &error))
    }

    fn remove(&self, address: &str) -> Result<(), ObjectsError> {
        let path = Self::path(address, "removed")?;
        let removed = present(fs::remove_file(path));
        removed.map(|_| ()).map_err(|error| unusable(path, "removed", &error))
    }

    fn size(&self, address: &str, folder: bool) -> Result<Option<u64>, ObjectsError> {
        let path = Self::path(address, "read")?;
        let measure = || -> io::Result<Option<u64>> {
            match present(fs::metadata(path))? {
                Some(found) if found.is_dir() != folder => Ok(None),
                Some(found) if !folder => Ok(Some(found.len())),
                Some(_) => {
                    let sizes = files_below(path)?.into_iter().map(|file| Ok(fs::metadata(file)?.len()));
                    sizes.sum::<io::Result<u64>>().map(Some)
                }
                None => Ok(None),
            }
        };
        measure().map_err(|error| unusable(path, "read", &error))
    }

    fn fetch(&self, address: &str, _folder: bool, to: &Utf8Path) -> Result<(), ObjectsError> {
        let path = Self::path(address, "read")?;
        let linked = fs::metadata(path).and_then(|_| std::os::unix::fs::symlink(path, to));
        linked.map_err(|error| unusable(path, "read", &error))
    }

    fn put(&self, from: &Utf8Path, address: &str) -> Result<(), ObjectsError> {
        let path = Self::path(address, "written")?;
        let put = || -> io::Result<()> {
            clear(path)?;
            if movable(from)? && fs::rename(from, path).is_ok() {
                return Ok(());
            }
            placed(path, |draft| copy(from, draft))
        };
        put()
            .and_then(|()| protect(path))
            .map_err(|error| unusable(path, "written", &error))
    }
}

/// Nothing where there is nothing.
fn present<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

fn parents(path: &Utf8Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// Makes something beside its place first, so that it is there whole or not at all.
fn placed(path: &Utf8Path, make: impl FnOnce(&Utf8Path) -> io::Result<()>) -> io::Result<()> {
    let draft = Utf8PathBuf::from(format!("{path}.draft-{}", std::process::id()));
    clear(&draft)?;
    let done = make(&draft).and_then(|()| fs::rename(&draft, path));
    if done.is_err() {
        // What is left of it takes room that may be lacking; the error that is told is the first.
        let _ = clear(&draft);
    }
    done
}

/// Whether a file or folder is nobody else's: links lead to what is, and must be followed.
fn movable(path: &Utf8Path) -> io::Result<bool> {
    let found = fs::symlink_metadata(path)?;
    if !found.is_dir() {
        return Ok(found.is_file() && found.nlink() == 1);
    }
    for entry in path.read_dir_utf8()? {
        if !movable(entry?.path())? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn copy(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    if !fs::metadata(from)?.is_dir() {
        return fs::copy(from, to).map(|_| ());
    }
    fs::create_dir_all(to)?;
    for file in files_below(from)? {
        let Ok(relative) = file.strip_prefix(from) else {
            continue;
        };
        let target = to.join(relative);
        parents(&target)?;
        fs::copy(&file, &target)?;
    }
    Ok(())
}

/// Makes files read-only: others are going to read them where they lie.
fn protect(path: &Utf8Path) -> io::Result<()> {
    let files = match fs::metadata(path)?.is_dir() {
        true => files_below(path)?,
        false => vec![path.to_owned()],
    };
    for file in files {
        let executable = fs::metadata(&file)?.permissions().mode() & 0o111;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o444 | executable))?;
    }
    Ok(())
}

fn unusable(path: &Utf8Path, done: &'static str, error: &io::Error) -> ObjectsError {
    ObjectsError::Failed {
        address: path.to_string(),
        done,
        reason: error.to_string(),
        help: if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            "Make room on the disk of the root, and run the task again; nothing was left half-written."
        } else {
            "See that the root is mounted where every task runs, and that the task may read and write there."
        }
        .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        (folder, root)
    }

    #[test]
    fn small_objects_are_read_and_written() {
        let (_folder, root) = scratch();
        let address = root.join("a/b/outputs.json").into_string();
        assert_eq!(Disk.read(&address), Ok(None));
        assert_eq!(Disk.remove(&address), Ok(()));
        Disk.write(&address, b"one").unwrap();
        Disk.write(&format!("file://{address}"), b"two").unwrap();
        assert_eq!(Disk.read(&address), Ok(Some(b"two".to_vec())));
        assert_eq!(fs::read_dir(root.join("a/b")).unwrap().count(), 1, "no draft is left");
        Disk.remove(&address).unwrap();
        assert_eq!(Disk.read(&address), Ok(None));
        let error = Disk.read("s3://bucket/x").unwrap_err().failure();
        assert!(error.summary.contains("no folder of this machine"), "{error:?}");
    }

    #[test]
    fn folders_replace_what_an_earlier_attempt_left() {
        let (_folder, root) = scratch();
        let address = root.join("model").into_string();
        fs::create_dir_all(root.join("model")).unwrap();
        fs::write(root.join("model/stale"), "x").unwrap();
        let made = root.join("made");
        fs::create_dir_all(made.join("inner")).unwrap();
        fs::write(made.join("inner/file"), "12345").unwrap();
        Disk.put(&made, &address).unwrap();
        assert_eq!(Disk.size(&address, true), Ok(Some(5)));
        assert_eq!(Disk.size(&address, false), Ok(None), "it is no file");
        assert!(!root.join("model/stale").exists());
        let mode = fs::metadata(root.join("model/inner/file"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o444);
    }

    #[test]
    fn links_are_followed_so_that_nobody_can_change_them_later() {
        let (_folder, root) = scratch();
        let source = root.join("users.csv");
        fs::write(&source, "rows").unwrap();
        let made = root.join("made");
        fs::create_dir_all(&made).unwrap();
        std::os::unix::fs::symlink(&source, made.join("soft")).unwrap();
        let address = root.join("out").into_string();
        Disk.put(&made, &address).unwrap();
        fs::write(&source, "changed").unwrap();
        assert_eq!(fs::read_to_string(root.join("out/soft")).unwrap(), "rows");
        fs::hard_link(&source, root.join("hard")).unwrap();
        Disk.put(&root.join("hard"), &address).unwrap();
        assert_eq!(fs::read_to_string(root.join("out")).unwrap(), "changed");
        fs::write(&source, "again").unwrap();
        assert_eq!(fs::read_to_string(root.join("out")).unwrap(), "changed");
    }

    #[test]
    fn what_is_fetched_lies_where_it_lay() {
        let (_folder, root) = scratch();
        fs::write(root.join("data"), "rows").unwrap();
        let to = root.join("data.parquet");
        Disk.fetch(root.join("data").as_str(), false, &to).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "rows");
        let missing = Disk
            .fetch(root.join("gone").as_str(), false, &root.join("x"))
            .unwrap_err();
        assert!(missing.to_string().contains("cannot be read"), "{missing}");
        assert!(missing.failure().help.is_some());
    }
}
