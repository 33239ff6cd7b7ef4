//! Follows a run to its end.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use crate::RemoteError;

/// How long to wait after the first look; the wait doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// How a run or a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not started.
    Waiting,
    /// Running.
    Running,
    /// Ended well.
    Succeeded,
    /// Not needed, or its condition did not hold.
    Skipped,
    /// Ended badly.
    Failed,
    /// Ended by someone.
    Cancelled,
}

impl State {
    /// Whether nothing more will happen.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Self::Waiting | Self::Running => false,
            Self::Succeeded | Self::Skipped | Self::Failed | Self::Cancelled => true,
        }
    }

    /// As it is shown.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A run as the platform shows it at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The whole.
    pub state: State,
    /// Why it failed.
    pub error: Option<String>,
    /// Its tasks with their states and errors, by the platform's own id; in order of those ids.
    pub tasks: BTreeMap<String, TaskSnapshot>,
}

/// A task at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskSnapshot {
    /// What it is called.
    pub name: String,
    /// How it stands.
    pub state: State,
    /// Why it failed.
    pub error: Option<String>,
}

/// A run of a platform.
pub trait Watch {
    /// How it stands now.
    ///
    /// # Errors
    /// When the platform does not say.
    fn snapshot(&self) -> Result<Snapshot, RemoteError>;

    /// Why a task failed, where the platform says so elsewhere than in the snapshot: by the task's key in
    /// [`Snapshot::tasks`]. `None` too when the platform does not answer, since the task has failed all the same.
    fn reason(&self, _task: &str) -> Option<String> {
        None
    }
}

/// Calls `tell` for every task whose state has changed, until the run has ended or `stop` says so; the last snapshot then. It looks
/// often at first, and every `longest` later on.
///
/// # Errors
/// When the platform stops answering.
pub fn follow(
    run: &dyn Watch,
    longest: Duration,
    stop: &dyn Fn() -> bool,
    tell: &mut dyn FnMut(&TaskSnapshot),
) -> Result<Snapshot, RemoteError> {
    let mut seen: BTreeMap<String, State> = BTreeMap::new();
    let mut wait = FIRST_WAIT.min(longest);
    loop {
        let snapshot = run.snapshot()?;
        for (id, task) in &snapshot.tasks {
            if seen.insert(id.clone(), task.state) != Some(task.state) && task.state != State::Waiting {
                tell(&explained(run, id, task));
            }
        }
        if snapshot.state.is_final() || stop() {
            return Ok(snapshot);
        }
        pause(wait, stop);
        wait = (wait * 2).min(longest);
    }
}

/// A task with the reason of its failure.
fn explained(run: &dyn Watch, id: &str, task: &TaskSnapshot) -> TaskSnapshot {
    let mut task = task.clone();
    if task.state == State::Failed && task.error.is_none() {
        task.error = run.reason(id);
    }
    task
}

/// Waits in small parts, so that an interruption is heard at once.
pub(crate) fn pause(interval: Duration, stop: &dyn Fn() -> bool) {
    let end = Instant::now() + interval;
    while Instant::now() < end && !stop() {
        thread::sleep(Duration::from_millis(50).min(interval));
    }
}
