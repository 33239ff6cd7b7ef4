//! A DAG before it is text: flat tasks with what each needs, and how they fall into mapped groups.
//!
//! Airflow has no mapped groups within mapped groups, so a loop in a loop is a group of its own over all turns of both. What
//! comes after the inner loop in the outer one is a second part of the outer group, behind a task that waits for all of
//! the inner turns. Nothing here knows Python.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::condition::Condition;
use crate::plan::{NodeKind, Operation, PlacedTask, Step};

/// The name of a task.
pub(super) type TaskId = String;

/// Something that must have ended before a task starts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    /// A task.
    Task(TaskId),
    /// All turns of a loop that Airflow repeats.
    Loop(String),
}

/// A task.
#[derive(Clone, Debug)]
pub(super) struct Task {
    /// Its name.
    pub(super) id: TaskId,
    /// What it does.
    pub(super) kind: Kind,
    /// The loops around that Airflow repeats, from the outermost.
    pub(super) frames: Vec<String>,
    /// What must have ended.
    pub(super) needs: BTreeSet<Need>,
    /// The task that decides whether this one runs at all.
    pub(super) guard: Option<TaskId>,
    /// Groups for the eye alone, from the outermost: called pipelines, copies of a loop's body.
    pub(super) folders: Vec<String>,
    /// How many turns of the loop around may run this task at once.
    pub(super) most: Option<u32>,
}

/// What a task does.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// A node, by the launcher.
    Launch(Box<Launched>),
    /// Lets an arm run, or not.
    Guard(Guard),
    /// Waits for the arms of a branch.
    Join,
    /// Lists the turns of a loop.
    Items(Items),
    /// Waits for the turns of a loop.
    End,
    /// Waits for the turns of inner loops, within a turn of the outer one.
    Again,
    /// Looks how the tasks before a `finally` ended.
    Outcome(Outcome),
    /// Waits for a person's yes.
    Ask(Ask),
}

/// Waits for a person's yes.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    /// Who is asked.
    pub(super) by: String,
    /// What they are asked.
    pub(super) message: String,
    /// Milliseconds after which no answer is a no.
    pub(super) timeout: Option<i64>,
}

/// A node that the launcher runs.
#[derive(Clone, Debug)]
pub(super) struct Launched {
    /// What the launcher is told.
    pub(super) placed: PlacedTask,
    /// The user's step, if it is one.
    pub(super) step: Option<Step>,
    /// Parameters of the run that it reads.
    pub(super) parameters: BTreeSet<String>,
    /// Loops of whose turns it reads.
    pub(super) repeats: BTreeSet<String>,
    /// The branches whose arms it chooses from, with the guard of the first arm.
    pub(super) chosen: BTreeMap<String, TaskId>,
    /// The tasks that looked how others ended.
    pub(super) outcomes: BTreeSet<TaskId>,
    /// Whether it gives the value of a branch: it runs when either arm has.
    pub(super) joins: bool,
    /// Whether it needs the registry.
    pub(super) registry: bool,
}

impl Launched {
    /// The built-in operation that it is.
    pub(super) fn operation(&self) -> Option<&'static str> {
        match &self.placed.task.node.kind {
            NodeKind::Operation(operation) => Some(operation.name()),
            NodeKind::Step(_)
            | NodeKind::Branch(_)
            | NodeKind::Loop(_)
            | NodeKind::Finally(_)
            | NodeKind::Pipeline(_) => None,
        }
    }
}

/// Lets an arm run when a condition holds, or when it does not.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    /// The condition.
    pub(super) condition: Condition,
    /// Whether it must hold.
    pub(super) holds: bool,
}

/// Lists the turns of a loop.
#[derive(Clone, Debug)]
pub(super) struct Items {
    /// The loop.
    pub(super) repeat: String,
    /// Its list.
    pub(super) list: List,
    /// The loop around, if Airflow repeats that too.
    pub(super) around: Option<String>,
}

/// What a loop runs over.
#[derive(Clone, Debug)]
pub(super) enum List {
    /// A list of values.
    Values(super::condition::Pulled),
    /// As many turns as another loop had, whose outputs are its items.
    TurnsOf(String),
}

/// Looks how tasks ended.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// The tasks; all of the run when absent.
    pub(super) of: Option<BTreeSet<TaskId>>,
}

impl Ask {
    /// What an operation asks, if it asks anybody.
    pub(super) fn of(operation: &Operation) -> Option<Self> {
        let Operation::Approve { by, message, timeout } = operation else {
            return None;
        };
        Some(Self {
            by: by.clone(),
            message: message.clone(),
            timeout: *timeout,
        })
    }
}

/// Tasks in an order in which each stands after what it needs.
#[derive(Debug, Default)]
pub(super) struct Dag {
    pub(super) tasks: Vec<Task>,
    positions: HashMap<TaskId, usize>,
}

impl Dag {
    /// Adds a task.
    pub(super) fn add(&mut self, task: Task) -> TaskId {
        let id = task.id.clone();
        self.positions.insert(id.clone(), self.tasks.len());
        self.tasks.push(task);
        id
    }

    /// The task of that name.
    pub(super) fn get(&self, id: &str) -> Option<&Task> {
        self.tasks.get(*self.positions.get(id)?)
    }

    /// The task of that name.
    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Task> {
        self.tasks.get_mut(*self.positions.get(id)?)
    }

    /// Takes out the tasks that only wait or decide, where nothing follows them.
    pub(super) fn prune(&mut self) {
        loop {
            let mut needed: BTreeSet<TaskId> = BTreeSet::new();
            for task in &self.tasks {
                needed.extend(task.guard.clone());
                needed.extend(task.needs.iter().filter_map(|need| match need {
                    Need::Task(id) => Some(id.clone()),
                    Need::Loop(_) => None,
                }));
            }
            let before = self.tasks.len();
            self.tasks.retain(|task| !task.is_idle() || needed.contains(&task.id));
            if self.tasks.len() == before {
                break;
            }
        }
        let positions = self.tasks.iter().enumerate();
        self.positions = positions.map(|(at, task)| (task.id.clone(), at)).collect();
    }
}

impl Task {
    /// Whether it runs only when everything before it has succeeded.
    pub(super) fn needs_success(&self) -> bool {
        match &self.kind {
            Kind::Launch(launched) => !launched.joins,
            Kind::Guard(_) | Kind::Ask(_) => true,
            Kind::Join | Kind::Items(_) | Kind::End | Kind::Again | Kind::Outcome(_) => false,
        }
    }

    /// Whether it does nothing by itself.
    pub(super) fn is_idle(&self) -> bool {
        match &self.kind {
            Kind::Join | Kind::End | Kind::Guard(_) => true,
            Kind::Launch(_) | Kind::Items(_) | Kind::Again | Kind::Outcome(_) | Kind::Ask(_) => false,
        }
    }
}
