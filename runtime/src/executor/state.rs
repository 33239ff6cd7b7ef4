//! The folder `.mlp` of a project: where everything lies, and whose runs are alive.
//!
//! ```text
//! .mlp/
//!   metadata.sqlite      runs, nodes, the cache's index
//!   audit.jsonl          the trail of decisions
//!   store/AB/CDEF…       artifacts by digest
//!   registry/            models
//!   runs/RUN/lock        held while the run's process lives
//!   runs/RUN/logs/       what steps printed
//!   tmp/RUN/             scratch folders, removed with the run
//! ```

use std::fs::{self, File, TryLockError};

use camino::Utf8PathBuf;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::RunError;
use crate::metadata::{Change, Metadata, Writer};

/// The variable by which the processes of a run are known.
pub(crate) const RUN_VARIABLE: &str = "MLP_RUN_ID";

/// Where the state of a project lies.
#[derive(Clone, Debug)]
pub(super) struct State {
    root: Utf8PathBuf,
}

impl State {
    /// Makes what is missing.
    pub(super) fn open(root: Utf8PathBuf) -> Result<Self, RunError> {
        for folder in ["store", "runs", "tmp"] {
            let folder = root.join(folder);
            fs::create_dir_all(&folder).map_err(RunError::state("create", &folder))?;
        }
        let ignore = root.join(".gitignore");
        if !ignore.exists() {
            fs::write(&ignore, "*\n").map_err(RunError::state("write", &ignore))?;
        }
        Ok(Self { root })
    }

    pub(super) fn metadata(&self) -> Utf8PathBuf {
        self.root.join("metadata.sqlite")
    }

    pub(super) fn store(&self) -> Utf8PathBuf {
        self.root.join("store")
    }

    pub(super) fn registry(&self) -> Utf8PathBuf {
        self.root.join("registry")
    }

    pub(super) fn audit(&self) -> Utf8PathBuf {
        self.root.join("audit.jsonl")
    }

    pub(super) fn logs(&self, run: &str) -> Utf8PathBuf {
        self.root.join("runs").join(run).join("logs")
    }

    pub(super) fn scratch(&self, run: &str) -> Utf8PathBuf {
        self.root.join("tmp").join(run)
    }

    fn lock(&self, run: &str) -> Utf8PathBuf {
        self.root.join("runs").join(run).join("lock")
    }

    /// Makes the folders of a new run, and holds its lock until the file is dropped.
    pub(super) fn begin(&self, started: jiff::Timestamp) -> Result<(String, File), RunError> {
        let time = jiff::tz::TimeZone::UTC
            .to_datetime(started)
            .strftime("%Y%m%d-%H%M%S")
            .to_string();
        let mut salt = started.as_nanosecond().cast_unsigned() ^ u128::from(std::process::id());
        loop {
            let digest = blake3::hash(&salt.to_le_bytes()).to_hex();
            let run = format!("{time}-{}", digest.get(..4).unwrap_or_default());
            let folder = self.root.join("runs").join(&run);
            match fs::create_dir(&folder) {
                Ok(()) => {
                    let path = self.lock(&run);
                    let lock = File::create(&path).map_err(RunError::state("create", &path))?;
                    lock.lock().map_err(RunError::state("lock", &path))?;
                    // A scratch folder without a held lock is what a dead run left.
                    for folder in [self.logs(&run), self.scratch(&run)] {
                        fs::create_dir_all(&folder).map_err(RunError::state("create", &folder))?;
                    }
                    return Ok((run, lock));
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => salt = salt.wrapping_add(1),
                Err(error) => return Err(RunError::state("create", folder)(error)),
            }
        }
    }

    /// Marks runs whose process has died, and clears away what they left: scratch folders and orphaned processes.
    pub(super) fn recover(&self, metadata: &Metadata) -> Result<(), RunError> {
        // A run whose start could not be recorded has a scratch folder all the same.
        let mut runs = metadata.running()?;
        runs.extend(self.with_scratch()?);
        runs.sort_unstable();
        runs.dedup();
        runs.retain(|run| self.is_dead(run));
        if runs.is_empty() {
            return Ok(());
        }
        let writer = Writer::start(&self.metadata(), None)?;
        for run in runs {
            end_orphans(&run);
            let scratch = self.scratch(&run);
            match fs::remove_dir_all(&scratch) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(RunError::state("remove", scratch)(error));
                }
                Ok(()) | Err(_) => writer.send(Change::Interrupted { run }),
            }
        }
        writer.finish()
    }

    /// The runs that have a scratch folder.
    fn with_scratch(&self) -> Result<Vec<String>, RunError> {
        let folder = self.root.join("tmp");
        let entries = folder.read_dir_utf8().and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let entries = entries.map_err(RunError::state("read", &folder))?;
        let folders = entries.into_iter().filter(|entry| entry.path().is_dir());
        Ok(folders.map(|entry| entry.file_name().to_owned()).collect())
    }

    /// Whether nobody holds the lock of a run: the system lets go of it when a process dies, however it dies.
    fn is_dead(&self, run: &str) -> bool {
        match File::open(self.lock(run)) {
            Ok(file) => !matches!(file.try_lock(), Err(TryLockError::WouldBlock)),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        }
    }
}

/// Ends the steps that outlived a run's process, so that what runs again does not run twice. They are known by their
/// environment, never by a number that may belong to somebody else by now; where there is no `/proc`, they are left.
fn end_orphans(run: &str) {
    let mark = format!("{RUN_VARIABLE}={run}");
    let Ok(processes) = fs::read_dir("/proc") else { return };
    for process in processes.flatten() {
        let Some(id) = process.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let Ok(environment) = fs::read(process.path().join("environ")) else {
            continue;
        };
        if !environment
            .split(|byte| *byte == 0)
            .any(|variable| variable == mark.as_bytes())
        {
            continue;
        }
        // The fifth field of `stat` is the process group; the second may hold spaces, but ends with a parenthesis.
        let Ok(stat) = fs::read_to_string(process.path().join("stat")) else {
            continue;
        };
        let group = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.split_whitespace().nth(2)?.parse().ok());
        if let Some(group) = Pid::from_raw(group.unwrap_or(id)) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
