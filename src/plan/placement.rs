//! What `mlp launch` is told where the platform moves nothing between tasks (Airflow): the node, where each of its inputs
//! comes from, and the facts of the run that only the platform knows.
//!
//! Every task writes one manifest, at an address that follows from the run's root and the task's name; whoever needs an
//! output computes the address and reads it there. Nothing here knows how a platform hands the texts over.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Expression, NodeTask, PortType, Reference};
use crate::types::Value;

/// A node with the sources of everything that its operands refer to. Known when the pipeline is compiled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlacedTask {
    /// The node, the part of the plan that it reads, and a binding for each reference. Names of nodes are unique in the
    /// whole pipeline, called ones included.
    pub task: NodeTask,
    /// Where each binding's value or artifact comes from, by [`super::Binding::input`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<String, Source>,
    /// The outputs that the platform itself reads: values that it decides on or shows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returns: Vec<String>,
    /// Whether the task runs only after a person has said yes to the platform.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub approved: bool,
}

/// Where a value or an artifact comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A constant.
    Value(Value),
    /// A parameter of the run: [`Placement::parameters`].
    Parameter(String),
    /// The item of a loop: [`Placement::items`].
    Item(String),
    /// An output of another task, from the manifest that it wrote.
    Port {
        /// The task.
        task: String,
        /// Its output.
        port: String,
        /// How many of the numbers of [`Placement::at`] the task has itself: 0 outside of every loop.
        depth: u32,
    },
    /// One for each turn of a loop below the own position, in order.
    Gathered {
        /// The loop: [`Placement::frames`].
        repeat: String,
        /// How many numbers the position around the loop has.
        depth: u32,
        /// Resolved at the position of each turn.
        of: Box<Source>,
    },
    /// The member of a list of artifacts that belongs to the own turn.
    Element {
        /// The list, resolved at the position around the loop.
        of: Box<Source>,
        /// How many numbers the position around the loop has; the next one is the place in the list.
        depth: u32,
    },
    /// What the arm that ran gave.
    Chosen {
        /// The branch: [`Placement::taken`].
        branch: String,
        /// When the condition held.
        then: Box<Source>,
        /// When it did not.
        otherwise: Box<Source>,
    },
    /// A list, put together.
    List(Vec<Source>),
    /// Computed from others.
    Computed {
        /// What is computed.
        expression: Box<Expression>,
        /// What it refers to.
        operands: Vec<SourceBinding>,
    },
    /// How the tasks before a `finally` ended: [`Placement::outcomes`], by the task that looked.
    Outcome(String),
    /// The run's id.
    RunId,
    /// The time for which the run was scheduled.
    ScheduledTime,
    /// The number of the attempt, from 1.
    Attempt,
}

/// What a reference of a computed source stands for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceBinding {
    /// The reference in the expression.
    pub reference: Reference,
    /// Where it comes from.
    pub source: Source,
    /// Its type.
    pub ty: PortType,
}

/// What the platform knows of one attempt of a task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// Where artifacts go: a folder, or the address of one in a bucket.
    pub root: String,
    /// The pipeline, as the platform calls it.
    pub pipeline: String,
    /// The run, as the platform calls it.
    pub run: String,
    /// The task, as the platform calls it; unlike the node's name it is different for each copy of an unrolled loop.
    pub task: String,
    /// The number of the attempt, from 1.
    #[serde(default = "first_attempt")]
    pub attempt: u32,
    /// The time for which the run was scheduled, in RFC 3339; its start where there is none.
    #[serde(default)]
    pub scheduled: Option<String>,
    /// The turn of each loop around that the platform repeats, from the outermost, from 0.
    #[serde(default)]
    pub at: Vec<u32>,
    /// The items of those loops, by loop.
    #[serde(default)]
    pub items: BTreeMap<String, Json>,
    /// Parameters of the run that the task reads.
    #[serde(default)]
    pub parameters: BTreeMap<String, Json>,
    /// The positions of all turns of a loop, by loop, in order.
    #[serde(default)]
    pub frames: BTreeMap<String, Vec<Vec<u32>>>,
    /// Whether the condition of a branch held, by branch.
    #[serde(default)]
    pub taken: BTreeMap<String, bool>,
    /// `succeeded`, `failed` or `cancelled`, by the task that looked.
    #[serde(default)]
    pub outcomes: BTreeMap<String, String>,
}

fn first_attempt() -> u32 {
    1
}
