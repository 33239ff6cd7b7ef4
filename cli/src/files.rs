//! Writing files so that a reader never meets half of one: beside the place first, then renamed into it.
//!
//! [`write`] is for what can be made again with the same command; [`place`] is for folders that other programs watch.

use std::fs;
use std::io::Write;

use camino::Utf8Path;

use crate::problem::Problem;

/// Writes `text` to `path`, making the folders on the way.
pub fn write(path: &Utf8Path, text: &str) -> Result<(), Problem> {
    let folder = path
        .parent()
        .filter(|parent| !parent.as_str().is_empty())
        .unwrap_or(Utf8Path::new("."));
    fs::create_dir_all(folder).map_err(|error| Problem::io("make the folder", folder, &error))?;
    let failed = |error: std::io::Error| {
        Problem::io("write", path, &error).help("Choose another place with `-o`, or make this one writable.")
    };
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    keep_permissions(path, file.as_file()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Whether a file had to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// It was.
    Written,
    /// The same text was there.
    Equal,
}

/// Writes `text` to `path`, in a folder that another program reads: what it finds there at any moment, after a power failure
/// too, is the old file or the new one, and nothing beside them that it would take for one of its own. The file is as
/// readable and writable as the one it replaces, or else as the folder is.
pub fn place(path: &Utf8Path, text: &str) -> Result<Placed, Problem> {
    let failed = |error: std::io::Error| {
        let problem = Problem::io("write", path, &error);
        problem.help("Nothing was changed there. Make the folder writable, or make room on its disk.")
    };
    let folder = path.parent().unwrap_or(Utf8Path::new("."));
    let permissions = fs::metadata(path)
        .or_else(|_| fs::metadata(folder))
        .map_err(failed)?
        .permissions();
    // A hidden file without an ending is no Python file for anyone.
    let mut builder = tempfile::Builder::new();
    let mut file = builder.prefix(".mlp-").tempfile_in(folder).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.as_file()
        .set_permissions(for_a_file(permissions))
        .map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    // The name is on the disk when the folder is. Not every file system can be asked for that.
    if let Ok(folder) = fs::File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(Placed::Written)
}

/// Permissions of a folder or a file, for a file that nobody executes.
#[cfg(unix)]
fn for_a_file(permissions: fs::Permissions) -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    fs::Permissions::from_mode(permissions.mode() & 0o666)
}

#[cfg(not(unix))]
fn for_a_file(permissions: fs::Permissions) -> fs::Permissions {
    permissions
}

/// A temporary file is private; the written one is as readable as the one it replaces, or as any new file.
fn keep_permissions(path: &Utf8Path, file: &fs::File) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let permissions = match fs::metadata(path) {
            Ok(present) => present.permissions(),
            Err(_) => fs::Permissions::from_mode(0o644),
        };
        file.set_permissions(permissions)?;
    }
    #[cfg(not(unix))]
    let _ = (path, file);
    Ok(())
}
