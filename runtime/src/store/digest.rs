//! Digests of files and folders.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};

/// What lies at a path.
pub(crate) struct Content {
    /// Of the bytes of a file, of the sorted entries of a folder.
    pub(crate) digest: blake3::Hash,
    /// Bytes, of all files together.
    pub(crate) size: u64,
    /// Whether it is a folder.
    pub(crate) folder: bool,
    /// The files of a folder, at any depth, sorted.
    pub(crate) files: Vec<Utf8PathBuf>,
}

/// Reads a file or folder and digests it. Links inside a folder are followed.
pub(crate) fn describe(path: &Utf8Path) -> io::Result<Content> {
    if !fs::metadata(path)?.is_dir() {
        let (digest, size) = file_digest(path)?;
        return Ok(Content::file(digest, size));
    }
    let files = files_below(path)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"mlp folder 1\n");
    let mut total = 0;
    for file in &files {
        let (digest, size) = file_digest(file)?;
        let name = file.strip_prefix(path).unwrap_or(file).as_str();
        let executable = fs::metadata(file)?.permissions().mode() & 0o100 != 0;
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update(&[u8::from(executable)]);
        hasher.update(digest.as_bytes());
        total += size;
    }
    Ok(Content {
        digest: hasher.finalize(),
        size: total,
        folder: true,
        files,
    })
}

/// The digest of a file or folder, hexadecimal.
pub(crate) fn content_digest(path: &Utf8Path) -> io::Result<String> {
    Ok(describe(path)?.digest.to_hex().to_string())
}

/// The files of a folder, at any depth, sorted.
pub(crate) fn files_below(folder: &Utf8Path) -> io::Result<Vec<Utf8PathBuf>> {
    let mut files = Vec::new();
    list(folder, &mut files)?;
    files.sort();
    Ok(files)
}

fn list(folder: &Utf8Path, files: &mut Vec<Utf8PathBuf>) -> io::Result<()> {
    for entry in folder.read_dir_utf8()? {
        let path = entry?.into_path();
        if fs::metadata(&path)?.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// The digest and size of a file.
pub(crate) fn file_digest(path: &Utf8Path) -> io::Result<(blake3::Hash, u64)> {
    const CHUNK: usize = 1 << 17;
    let mut file = File::open(path)?;
    let expected = file.metadata()?.len();
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; CHUNK.min(usize::try_from(expected).unwrap_or(CHUNK).saturating_add(1))];
    let mut size = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((hasher.finalize(), size)),
            Ok(count) => {
                hasher.update(buffer.get(..count).unwrap_or_default());
                size += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
