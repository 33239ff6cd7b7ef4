//! What a run tells while it goes on: one [`Event`] for every change, for progress bars, plain lines and `--json`.
//!
//! It draws nothing and stores nothing: the metadata store keeps the same facts for later.

use std::collections::BTreeMap;

use mlp::types::Value;
use serde::{Deserialize, Serialize};

/// Something happened in a run. Written as one JSON object a line: `{"event": "node_started", …}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run begins; every node of the pipeline is known.
    RunStarted {
        /// The run's id.
        run: String,
        /// The pipeline.
        pipeline: String,
        /// Its parameters, defaults filled in.
        parameters: BTreeMap<String, Value>,
        /// How many nodes the pipeline has, those of both arms and of loop bodies counted once.
        nodes: usize,
        /// RFC 3339, UTC.
        at: String,
    },
    /// All that the node takes is there; it waits for a free place.
    NodeQueued {
        /// The node, with the indices of enclosing loops: `train[2]`, `score/read`.
        node: String,
        /// The step or operation.
        callee: String,
    },
    /// The node began, or began anew after a failure.
    NodeStarted {
        /// The node.
        node: String,
        /// The step or operation.
        callee: String,
        /// From 1.
        attempt: u32,
    },
    /// A line that says what a running node is at: `building the environment (pandas==3.0.1, …)`.
    NodeProgress {
        /// The node.
        node: String,
        /// One line.
        message: String,
    },
    /// An attempt failed and another will follow.
    NodeRetried {
        /// The node.
        node: String,
        /// The attempt that failed, from 1.
        attempt: u32,
        /// How long until the next, in milliseconds.
        wait: u64,
        /// Why it failed, one line.
        reason: String,
    },
    /// The node has ended.
    NodeFinished {
        /// The node.
        node: String,
        /// The step or operation.
        callee: String,
        /// How it ended.
        state: NodeState,
        /// Whether its outputs were reused.
        cached: bool,
        /// How long it ran, in milliseconds, all attempts together.
        milliseconds: u64,
        /// One line of what it found: `1,000 rows, 21 columns`.
        summary: String,
        /// Why it did not succeed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
    },
    /// The first cancellation came: nothing new starts, what runs may finish.
    Draining,
    /// The run has ended.
    RunFinished {
        /// The run's id.
        run: String,
        /// How it ended.
        outcome: Outcome,
        /// How long it took, in milliseconds.
        milliseconds: u64,
        /// How many nodes ended how.
        counts: Counts,
    },
}

/// How a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// It waits for others or for a free place.
    Queued,
    /// It runs.
    Running,
    /// Its outputs are in the store.
    Succeeded,
    /// It broke: an exit code, a missing output, a wrong schema.
    Failed,
    /// The data or model did not pass a `validate`, `gate` or `challenge`: an expected outcome.
    Refused,
    /// Something that it needs did not succeed, or its branch was not taken.
    Skipped,
    /// The run was cancelled before it ended.
    Cancelled,
}

/// How a run stands or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It goes on.
    Running,
    /// Every node succeeded, or was skipped by a branch.
    Succeeded,
    /// A node failed.
    Failed,
    /// No node failed, but a `validate`, `gate` or `challenge` did not pass.
    Refused,
    /// It was cancelled.
    Cancelled,
    /// Its process ended without a word (killed, power cut); the next run picks up what was finished.
    Interrupted,
}

/// Why a node did not succeed, told in full.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// One sentence: what went wrong, in the user's names.
    pub summary: String,
    /// The lines below it: a traceback, conditions with their values, the end of the log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// How many nodes ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Succeeded, those from the cache among them.
    pub succeeded: usize,
    /// Succeeded without running.
    pub cached: usize,
    /// Failed.
    pub failed: usize,
    /// Refused.
    pub refused: usize,
    /// Skipped.
    pub skipped: usize,
    /// Cancelled.
    pub cancelled: usize,
}

/// Receives events, from any thread, in the order in which they happen for each node.
pub trait EventSink: Send + Sync {
    /// Takes one event. It should return soon: the run waits for it.
    fn emit(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync> EventSink for F {
    fn emit(&self, event: &Event) {
        self(event);
    }
}

/// A sink for those who do not listen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silence;

impl EventSink for Silence {
    fn emit(&self, _event: &Event) {}
}

impl NodeState {
    /// The state's name as it is stored and printed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        const ALL: [NodeState; 7] = [
            NodeState::Queued,
            NodeState::Running,
            NodeState::Succeeded,
            NodeState::Failed,
            NodeState::Refused,
            NodeState::Skipped,
            NodeState::Cancelled,
        ];
        ALL.into_iter().find(|state| state.name() == name)
    }
}

impl Outcome {
    /// The outcome's name as it is stored and printed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }

    /// The outcome of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        const ALL: [Outcome; 6] = [
            Outcome::Running,
            Outcome::Succeeded,
            Outcome::Failed,
            Outcome::Refused,
            Outcome::Cancelled,
            Outcome::Interrupted,
        ];
        ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

impl Counts {
    /// Counts one node that has ended.
    pub(crate) fn add(&mut self, state: NodeState, cached: bool) {
        match state {
            NodeState::Queued | NodeState::Running => {}
            NodeState::Succeeded => {
                self.succeeded += 1;
                self.cached += usize::from(cached);
            }
            NodeState::Failed => self.failed += 1,
            NodeState::Refused => self.refused += 1,
            NodeState::Skipped => self.skipped += 1,
            NodeState::Cancelled => self.cancelled += 1,
        }
    }

    /// How a run with these nodes ended, when it was not cancelled from outside.
    pub(crate) fn outcome(&self) -> Outcome {
        if self.failed > 0 {
            Outcome::Failed
        } else if self.refused > 0 {
            Outcome::Refused
        } else if self.cancelled > 0 {
            Outcome::Cancelled
        } else {
            Outcome::Succeeded
        }
    }
}

impl Failure {
    /// A failure of one sentence and a way out.
    #[must_use]
    pub fn new(summary: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            summary: summary.into(),
            details: Vec::new(),
            help: Some(help.into()),
        }
    }
}
