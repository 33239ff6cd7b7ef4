//! What the launcher needs of the place where artifacts lie. It knows nothing of buckets: [`Objects`] is implemented
//! elsewhere for them, and by [`super::Disk`] for folders.

use camino::Utf8Path;
use thiserror::Error;

use crate::events::Failure;

/// Why something at an address cannot be had or placed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ObjectsError {
    /// It does not work.
    #[error("`{address}` cannot be {done}: {reason}")]
    Failed {
        /// The address.
        address: String,
        /// What should have been done with it: `read`, `written`.
        done: &'static str,
        /// Why not.
        reason: String,
        /// What to do, as a sentence.
        help: String,
    },
    /// The platform ended it in the middle.
    #[error("it was cancelled")]
    Cancelled,
}

impl ObjectsError {
    /// As the failure of a node.
    #[must_use]
    pub fn failure(self) -> Failure {
        let summary = format!("{self}.");
        match self {
            Self::Failed { help, .. } => Failure::new(summary, help),
            Self::Cancelled => Failure::new(summary, "Run the task again."),
        }
    }
}

/// Reads and writes at addresses. Everything blocks until it is done.
///
/// All methods fail when the place cannot be reached, denies it or is full, and when the platform wants the task to end.
pub trait Objects {
    /// A small object; nothing where there is none.
    ///
    /// # Errors
    /// See the trait.
    fn read(&self, address: &str) -> Result<Option<Vec<u8>>, ObjectsError>;

    /// Places a small object, whole or not at all, instead of what is there.
    ///
    /// # Errors
    /// See the trait.
    fn write(&self, address: &str, bytes: &[u8]) -> Result<(), ObjectsError>;

    /// Removes a small object; nothing happens where there is none.
    ///
    /// # Errors
    /// See the trait.
    fn remove(&self, address: &str) -> Result<(), ObjectsError>;

    /// The bytes of a file, or of all files of a folder together; nothing where there is none.
    ///
    /// # Errors
    /// See the trait.
    fn size(&self, address: &str, folder: bool) -> Result<Option<u64>, ObjectsError>;

    /// Brings a file or folder to a path at which nothing is. It is not to be changed there.
    ///
    /// # Errors
    /// See the trait; also when there is none.
    fn fetch(&self, address: &str, folder: bool, to: &Utf8Path) -> Result<(), ObjectsError>;

    /// Places a file or folder instead of what is there, links followed. What was at the path may be gone then.
    ///
    /// # Errors
    /// See the trait.
    fn put(&self, from: &Utf8Path, address: &str) -> Result<(), ObjectsError>;
}
