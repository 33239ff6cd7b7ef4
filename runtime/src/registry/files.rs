//! The registry's way with files: all or nothing, one writer at a time. It knows nothing of models.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{FlockOperation, flock};

use super::RegistryError;

/// Holds the registry's lock until dropped.
pub(super) struct Lock {
    /// Closing the file releases the lock, also when the process is killed.
    _file: File,
}

impl Lock {
    /// Waits for the lock of a folder.
    pub(super) fn acquire(root: &Utf8Path) -> Result<Self, RegistryError> {
        let path = root.join(".lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(RegistryError::io(format!("opening {path}")))?;
        loop {
            match flock(&file, FlockOperation::LockExclusive) {
                Ok(()) => return Ok(Self { _file: file }),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => {
                    return Err(RegistryError::Io {
                        action: format!("locking {path}"),
                        source: error.into(),
                    });
                }
            }
        }
    }
}

/// Writes a file so that a reader sees the old bytes or the new, never a part.
pub(crate) fn write_atomically(path: &Utf8Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Utf8Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Adds a line to a file of lines. What a killed writer left of a line is cut off first.
pub(super) fn append_line(path: &Utf8Path, line: &str) -> Result<(), RegistryError> {
    let attempt = || -> std::io::Result<()> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        file.set_len(whole as u64)?;
        file.seek(SeekFrom::End(0))?;
        file.write_all(format!("{line}\n").as_bytes())?;
        file.sync_all()
    };
    attempt().map_err(RegistryError::io(format!("writing {path}")))
}

/// The whole lines of a file; none when there is no file.
pub(super) fn read_lines(path: &Utf8Path) -> Result<Vec<String>, RegistryError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(RegistryError::io(format!("reading {path}"))(error)),
    };
    let whole = text.rfind('\n').and_then(|last| text.get(..last)).unwrap_or_default();
    Ok(whole.lines().map(str::to_owned).collect())
}

/// The files below a folder, relative, sorted.
fn files_below(folder: &Utf8Path) -> std::io::Result<Vec<Utf8PathBuf>> {
    let mut files = Vec::new();
    let mut waiting = vec![Utf8PathBuf::new()];
    while let Some(relative) = waiting.pop() {
        for entry in folder.join(&relative).read_dir_utf8()? {
            let entry = entry?;
            let path = relative.join(entry.file_name());
            // Follows links: what a model links to is part of the model.
            if fs::metadata(entry.path())?.is_dir() {
                waiting.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Copies a folder (or one file, as a folder's only content) to a place that does not exist yet.
pub(crate) fn copy_folder(from: &Utf8Path, to: &Utf8Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for relative in files_below(from)? {
        let target = to.join(&relative);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::copy(from.join(&relative), target)?;
    }
    Ok(())
}

/// BLAKE3 over the names and bytes of a folder's files, hexadecimal.
pub(super) fn content_digest(folder: &Utf8Path) -> std::io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    for relative in files_below(folder)? {
        let mut content = blake3::Hasher::new();
        content.update_reader(File::open(folder.join(&relative))?)?;
        hasher.update(&(relative.as_str().len() as u64).to_le_bytes());
        hasher.update(relative.as_str().as_bytes());
        hasher.update(content.finalize().as_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// A folder name for any text: letters, digits, `-`, `_` and inner `.` stay, all else becomes `%XX`.
pub(crate) fn folder_name(text: &str) -> String {
    let mut name = String::new();
    for (index, byte) in text.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || (byte == b'.' && index > 0);
        if plain {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    name
}

/// The text a [`folder_name`] was made from.
pub(super) fn text_of_folder(name: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = name.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}
