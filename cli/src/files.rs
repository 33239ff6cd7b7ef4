//! Writing files so that a reader never meets half of one: beside the place first, then renamed into it.

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
