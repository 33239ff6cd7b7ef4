//! The commit that a project stands at, asked of git while the run goes on.

use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use camino::Utf8Path;

/// The commit and whether the work tree differs from it.
type Found = (Option<String>, bool);

/// An answer that may still be on its way.
pub(super) struct Revision {
    asking: Mutex<Option<JoinHandle<Found>>>,
    found: OnceLock<Found>,
}

impl Revision {
    /// Asks in the background. A project outside of any repository has no commit.
    pub(super) fn ask(project: &Utf8Path) -> Self {
        let versioned = project.ancestors().any(|folder| folder.join(".git").exists());
        let project = project.to_owned();
        let asking = versioned.then(|| std::thread::spawn(move || ask(&project)));
        Self {
            asking: Mutex::new(asking),
            found: OnceLock::new(),
        }
    }

    /// The answer.
    pub(super) fn get(&self) -> Found {
        self.found
            .get_or_init(|| {
                let asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner).take();
                asking.and_then(|thread| thread.join().ok()).unwrap_or((None, false))
            })
            .clone()
    }
}

fn ask(project: &Utf8Path) -> Found {
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .arg("-C")
            .arg(project)
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "HEAD"]) else {
        return (None, false);
    };
    let dirty = git(&["status", "--porcelain", "--", "."]).is_none_or(|changes| !changes.is_empty());
    (Some(commit), dirty)
}
