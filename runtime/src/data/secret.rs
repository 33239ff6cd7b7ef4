//! The project's own key, with which personal data is hashed: from `MLP_MASK_KEY`, or `.mlp/mask.key`, made on first use.
//!
//! Equal texts hash equally within a project and differently in another. The key never reaches a log or an output.

use std::io::{Read, Write};
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};

use crate::operations::OperationError;

/// The variable that holds the key where the project's folder is not shared: in a container.
const VARIABLE: &str = "MLP_MASK_KEY";
/// The domain of keys that are derived from what the user set.
const DOMAIN: &str = "mlp 2026 mask key";

/// The key, found or made when it is first asked for.
#[derive(Debug)]
pub struct HashKey {
    file: Utf8PathBuf,
    key: OnceLock<[u8; 32]>,
}

impl HashKey {
    /// The key of the project in a folder.
    #[must_use]
    pub fn new(project: &Utf8Path) -> Self {
        Self {
            file: project.join(".mlp").join("mask.key"),
            key: OnceLock::new(),
        }
    }

    /// The keyed hash of a text: lower-case hexadecimal BLAKE3, 32 characters.
    ///
    /// # Errors
    /// When the key can be neither read nor made.
    pub fn hash(&self, text: &str) -> Result<String, OperationError> {
        let key = match self.key.get() {
            Some(key) => key,
            None => {
                let key = self.find()?;
                self.key.get_or_init(|| key)
            }
        };
        let mut hexadecimal = blake3::keyed_hash(key, text.as_bytes()).to_hex().to_string();
        hexadecimal.truncate(32);
        Ok(hexadecimal)
    }

    fn find(&self) -> Result<[u8; 32], OperationError> {
        if let Some(set) = std::env::var_os(VARIABLE).filter(|set| !set.is_empty()) {
            return Ok(blake3::derive_key(DOMAIN, set.as_encoded_bytes()));
        }
        match std::fs::read(&self.file) {
            Ok(bytes) => self.derive(&bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => self.create(),
            Err(error) => Err(self.failed("read", error)),
        }
    }

    fn derive(&self, bytes: &[u8]) -> Result<[u8; 32], OperationError> {
        if bytes.trim_ascii().is_empty() {
            return Err(OperationError::Input {
                summary: format!("The mask key {} is empty.", self.file),
                help: format!(
                    "Remove the file to have a new key made, or set {VARIABLE}; hashes will differ from earlier ones."
                ),
            });
        }
        Ok(blake3::derive_key(DOMAIN, bytes.trim_ascii()))
    }

    /// Makes a key that only the user can read. Of two runs that do so at once, one wins and both use its key: the file
    /// is complete before it gets its name.
    fn create(&self) -> Result<[u8; 32], OperationError> {
        let mut random = [0; 32];
        let folder = self.file.parent().unwrap_or(&self.file);
        std::fs::create_dir_all(folder).map_err(|error| self.failed("create", error))?;
        std::fs::File::open("/dev/urandom")
            .and_then(|mut source| source.read_exact(&mut random))
            .map_err(|error| self.failed("create", error))?;
        let text = blake3::Hash::from_bytes(random).to_hex();
        // Temporary files are created with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| self.failed("create", error))?;
        file.write_all(text.as_bytes())
            .map_err(|error| self.failed("create", error))?;
        match file.persist_noclobber(&self.file) {
            Ok(_) => self.derive(text.as_bytes()),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
                let bytes = std::fs::read(&self.file).map_err(|error| self.failed("read", error))?;
                self.derive(&bytes)
            }
            Err(error) => Err(self.failed("create", error.error)),
        }
    }

    fn failed(&self, verb: &str, source: std::io::Error) -> OperationError {
        OperationError::Io {
            action: format!("cannot {verb} the mask key {} (or set {VARIABLE})", self.file),
            source,
        }
    }
}
