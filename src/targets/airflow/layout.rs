//! How tasks fall into groups that Airflow repeats, and what comes before what.
//!
//! A task needs others of its own turn directly. What it needs of a loop around was needed by the task that lists its own
//! turns. What it needs of a loop inside its own turn comes before the second part of its group: see [`super::dag`].

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::dag::{Dag, Guard, Kind, Need, Task, TaskId};

/// The tasks of a DAG, in groups, each unit after those that it follows.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) units: Vec<Unit>,
}

impl Layout {
    /// Every task, in order.
    pub(super) fn placed(&self) -> impl Iterator<Item = &Placed> {
        self.units.iter().flat_map(|unit| match unit {
            Unit::Task(placed) => std::slice::from_ref(placed),
            Unit::Group(group) => group.tasks.as_slice(),
        })
    }

    /// Takes out what a task needs no less because another does that it needs too: people read the rest. What bears failed or
    /// skipped tasks keeps all of them, and stands for none.
    fn leave_out_what_follows(&mut self) {
        let direct: HashMap<Upstream, BTreeSet<Upstream>> = self
            .placed()
            .filter(|placed| placed.task.needs_success())
            .map(|placed| (Upstream::Task(placed.task.id.clone()), placed.upstream.clone()))
            .collect();
        let placed = self.units.iter_mut().flat_map(|unit| match unit {
            Unit::Task(placed) => std::slice::from_mut(placed),
            Unit::Group(group) => group.tasks.as_mut_slice(),
        });
        for placed in placed.filter(|placed| placed.task.needs_success()) {
            let follows: BTreeSet<Upstream> = placed
                .upstream
                .iter()
                .filter_map(|before| direct.get(before))
                .flatten()
                .cloned()
                .collect();
            placed.upstream.retain(|before| !follows.contains(before));
        }
    }
}

/// A task outside of every repeated group, or such a group.
#[derive(Debug)]
pub(super) enum Unit {
    Task(Placed),
    Group(Group),
}

/// A group that Airflow repeats.
#[derive(Debug)]
pub(super) struct Group {
    /// Its name.
    pub(super) id: String,
    /// The loop whose turns it has.
    pub(super) repeat: String,
    /// Groups for the eye around it.
    pub(super) folders: Vec<String>,
    pub(super) tasks: Vec<Placed>,
}

/// A task with what comes directly before it.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) task: Task,
    pub(super) upstream: BTreeSet<Upstream>,
}

/// What comes before a task.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Upstream {
    Task(TaskId),
    /// A repeated group, by its name.
    Group(String),
}

/// A part of a repeated group: the loops around, and how many inner loops come before it.
type Part = (Vec<String>, u32);

/// Puts tasks into groups.
pub(super) fn layout(dag: &Dag) -> Layout {
    let mut levels = Levels::new(dag);
    for task in &dag.tasks {
        levels.place(task);
    }
    levels.units()
}

struct Levels<'d> {
    dag: &'d Dag,
    /// The loops around each loop.
    parents: HashMap<&'d str, Vec<String>>,
    /// For each loop within another, in which part of that its last prerequisite stands.
    loops: HashMap<&'d str, u32>,
    /// The part in which each task stands.
    tasks: HashMap<&'d str, u32>,
    /// What the task that lists a loop's turns waits for because the body does, by loop.
    hoisted: HashMap<&'d str, BTreeSet<Need>>,
}

impl<'d> Levels<'d> {
    fn new(dag: &'d Dag) -> Self {
        let mut parents: HashMap<&str, Vec<String>> = HashMap::new();
        for task in &dag.tasks {
            if let Kind::Items(items) = &task.kind {
                let around = items.around.as_deref().map_or_else(Vec::new, |around| {
                    let mut frames = parents.get(around).cloned().unwrap_or_default();
                    frames.push(around.to_owned());
                    frames
                });
                parents.insert(&items.repeat, around);
            }
        }
        Self {
            dag,
            parents,
            loops: HashMap::new(),
            tasks: HashMap::new(),
            hoisted: HashMap::new(),
        }
    }

    /// The loops in whose turn a task thinks: for one that lists turns, those around the loop.
    fn frames(&self, task: &'d Task) -> Vec<String> {
        match &task.kind {
            Kind::Items(items) => self.parents.get(items.repeat.as_str()).cloned().unwrap_or_default(),
            Kind::Launch(_)
            | Kind::Guard(_)
            | Kind::Join
            | Kind::End
            | Kind::Again
            | Kind::Outcome(_)
            | Kind::Ask(_) => task.frames.clone(),
        }
    }

    fn place(&mut self, task: &'d Task) {
        let frames = self.frames(task);
        let guard = task.guard.clone().map(Need::Task);
        let mut level = 0;
        for need in task.needs.iter().cloned().chain(guard) {
            let (theirs, after) = match &need {
                Need::Task(id) => match self.dag.get(id) {
                    Some(needed) => (needed.frames.clone(), self.tasks.get(id.as_str()).copied().unwrap_or(0)),
                    None => continue,
                },
                Need::Loop(repeat) => {
                    let parent = self.parents.get(repeat.as_str()).cloned().unwrap_or_default();
                    (parent, self.loops.get(repeat.as_str()).map_or(1, |level| level + 1))
                }
            };
            if theirs.is_empty() {
                continue;
            }
            if theirs == frames {
                level = level.max(after);
            } else if let Some(inner) = frames.get(theirs.len())
                && frames.starts_with(&theirs)
                && let Some((inner, _)) = self.parents.get_key_value(inner.as_str())
            {
                let inner: &'d str = inner;
                let known = self.loops.entry(inner).or_default();
                *known = (*known).max(after);
                self.hoisted.entry(inner).or_default().insert(need);
            }
        }
        if let Kind::Items(items) = &task.kind {
            let known = self.loops.entry(&items.repeat).or_default();
            *known = (*known).max(level);
        }
        self.tasks.insert(&task.id, level);
    }

    fn level(&self, task: &str) -> u32 {
        self.tasks.get(task).copied().unwrap_or(0)
    }

    /// The groups and tasks, sorted.
    fn units(&self) -> Layout {
        let mut parts: BTreeMap<Part, Vec<&Task>> = BTreeMap::new();
        let mut units: Vec<Unit> = Vec::new();
        let mut order: Vec<Part> = Vec::new();
        for task in &self.dag.tasks {
            if task.frames.is_empty() {
                continue;
            }
            let part = (task.frames.clone(), self.level(&task.id));
            let tasks = parts.entry(part.clone()).or_default();
            if tasks.is_empty() {
                order.push(part);
            }
            tasks.push(task);
        }
        let known: BTreeSet<&Part> = parts.keys().collect();
        for part in &order {
            let tasks = parts.get(part).map_or(&[][..], Vec::as_slice);
            units.push(Unit::Group(self.group(part, tasks, &known)));
        }
        let mut seen = 0;
        // Groups stand where their first task stood, as far as the order allows it.
        let mut sequence: Vec<Unit> = Vec::new();
        let mut groups = units.into_iter();
        for task in &self.dag.tasks {
            if task.frames.is_empty() {
                let upstream = self.upstream_of_single(task, &known);
                sequence.push(Unit::Task(Placed {
                    task: task.clone(),
                    upstream,
                }));
            } else if order.get(seen) == Some(&(task.frames.clone(), self.level(&task.id))) {
                seen += 1;
                sequence.extend(groups.next());
            }
        }
        let mut layout = Layout {
            units: sorted(sequence),
        };
        layout.leave_out_what_follows();
        layout
    }

    /// What comes before a task outside of every repeated group.
    fn upstream_of_single(&self, task: &Task, known: &BTreeSet<&Part>) -> BTreeSet<Upstream> {
        let mut needs = task.needs.clone();
        if let Kind::Items(items) = &task.kind {
            needs.extend(self.hoisted.get(items.repeat.as_str()).cloned().unwrap_or_default());
        }
        let mut upstream = BTreeSet::new();
        for need in &needs {
            self.before(need, known, &mut upstream);
        }
        if let Some(guard) = &task.guard
            && !self.is_covered(task, &upstream)
        {
            self.before(&Need::Task(guard.clone()), known, &mut upstream);
        }
        upstream
    }

    /// What a need is to a task outside: a task, or whole groups.
    fn before(&self, need: &Need, known: &BTreeSet<&Part>, upstream: &mut BTreeSet<Upstream>) {
        match need {
            Need::Task(id) => match self.dag.get(id) {
                Some(needed) if needed.frames.is_empty() => {
                    upstream.insert(Upstream::Task(id.clone()));
                }
                Some(needed) => {
                    let part = (needed.frames.clone(), self.level(id));
                    upstream.insert(Upstream::Group(group_id(&part)));
                }
                None => {}
            },
            Need::Loop(repeat) => {
                let parts = known.iter().filter(|(frames, _)| frames.contains(repeat));
                upstream.extend(parts.map(|part| Upstream::Group(group_id(part))));
            }
        }
    }

    /// Whether something before a task already follows the task's guard.
    fn is_covered(&self, task: &Task, upstream: &BTreeSet<Upstream>) -> bool {
        upstream.iter().any(|before| match before {
            Upstream::Task(id) => self
                .dag
                .get(id)
                .is_some_and(|before| before.guard == task.guard && !matches!(before.kind, Kind::Items(_))),
            Upstream::Group(_) => false,
        })
    }

    fn group(&self, part: &Part, tasks: &[&Task], known: &BTreeSet<&Part>) -> Group {
        let (frames, level) = part;
        let repeat = frames.last().cloned().unwrap_or_default();
        let folders = match self.dag.get(&format!("{repeat}-items")) {
            Some(items) if frames.len() == 1 => items.folders.clone(),
            Some(_) | None => Vec::new(),
        };
        let mut group = Group {
            id: group_id(part),
            repeat,
            folders,
            tasks: Vec::new(),
        };
        let again = (*level > 0).then(|| self.again(part, known));
        let again_id = again.as_ref().map(|again| again.task.id.clone());
        group.tasks.extend(again);
        let mut guards: BTreeSet<TaskId> = BTreeSet::new();
        for task in tasks {
            let mut task = (*task).clone();
            if let Some(guard) = &task.guard {
                task.guard = Some(self.guard(guard, part, again_id.as_deref(), &mut guards, &mut group.tasks));
            }
            let mut upstream: BTreeSet<Upstream> = BTreeSet::new();
            for need in &task.needs {
                if let Need::Task(id) = need
                    && let Some(needed) = self.dag.get(id)
                    && (needed.frames.is_empty() || (needed.frames == *frames && self.level(id) == *level))
                {
                    upstream.insert(Upstream::Task(id.clone()));
                }
            }
            let covered = group.tasks.iter().any(|before| {
                before.task.guard == task.guard && upstream.contains(&Upstream::Task(before.task.id.clone()))
            });
            match (&task.guard, &again_id) {
                (Some(guard), _) if !covered => {
                    upstream.insert(Upstream::Task(guard.clone()));
                }
                (None, Some(again)) if !upstream.iter().any(|before| self.stands_in(before, part)) => {
                    upstream.insert(Upstream::Task(again.clone()));
                }
                (Some(_) | None, _) => {}
            }
            group.tasks.push(Placed { task, upstream });
        }
        group
    }

    fn stands_in(&self, before: &Upstream, (frames, level): &Part) -> bool {
        match before {
            Upstream::Task(id) => self
                .dag
                .get(id)
                .is_some_and(|task| task.frames == *frames && self.level(id) == *level),
            Upstream::Group(_) => false,
        }
    }

    /// The first task of a later part: it waits for the parts before and for the inner loops.
    fn again(&self, part: &Part, known: &BTreeSet<&Part>) -> Placed {
        let (frames, level) = part;
        let before = known.iter().filter(|(other, theirs)| {
            if other == frames {
                return theirs < level;
            }
            let inner = other.get(frames.len()).filter(|_| other.starts_with(frames));
            inner.is_some_and(|inner| self.loops.get(inner.as_str()).is_none_or(|inner| inner < level))
        });
        Placed {
            upstream: before.map(|part| Upstream::Group(group_id(part))).collect(),
            task: Task {
                id: format!("{}-begin", group_id(part)),
                kind: Kind::Again,
                frames: frames.clone(),
                needs: BTreeSet::new(),
                guard: None,
                folders: Vec::new(),
                most: None,
            },
        }
    }

    /// The guard that a task of a part follows: the guard itself, or its copy in this part.
    fn guard(
        &self,
        guard: &str,
        part: &Part,
        again: Option<&str>,
        made: &mut BTreeSet<TaskId>,
        tasks: &mut Vec<Placed>,
    ) -> TaskId {
        let (frames, level) = part;
        let Some(known) = self.dag.get(guard) else {
            return guard.to_owned();
        };
        if known.frames != *frames || self.level(guard) == *level {
            return guard.to_owned();
        }
        let id = format!("{guard}-{}", level + 1);
        if !made.insert(id.clone()) {
            return id;
        }
        let outer = known
            .guard
            .as_deref()
            .map(|outer| self.guard(outer, part, again, made, tasks));
        let before = outer.clone().or_else(|| again.map(str::to_owned));
        let kind = match &known.kind {
            Kind::Guard(guard) => Kind::Guard(Guard {
                condition: guard.condition.clone(),
                holds: guard.holds,
            }),
            Kind::Launch(_)
            | Kind::Join
            | Kind::Items(_)
            | Kind::End
            | Kind::Again
            | Kind::Outcome(_)
            | Kind::Ask(_) => Kind::Again,
        };
        tasks.push(Placed {
            upstream: before.into_iter().map(Upstream::Task).collect(),
            task: Task {
                id: id.clone(),
                kind,
                guard: outer,
                needs: BTreeSet::new(),
                ..known.clone()
            },
        });
        id
    }
}

/// The name of a part's group, which may hold no point.
fn group_id((frames, level): &Part) -> String {
    let repeat = frames.last().map_or("", String::as_str).replace('.', "-");
    match level {
        0 => repeat,
        level => format!("{repeat}-{}", level + 1),
    }
}

impl Unit {
    /// What it is called by those that follow it.
    fn own(&self) -> Upstream {
        match self {
            Self::Task(placed) => Upstream::Task(placed.task.id.clone()),
            Self::Group(group) => Upstream::Group(group.id.clone()),
        }
    }

    /// What must stand before it.
    fn before(&self) -> BTreeSet<Upstream> {
        match self {
            Self::Task(placed) => placed.upstream.clone(),
            Self::Group(group) => {
                let own: BTreeSet<&str> = group.tasks.iter().map(|placed| placed.task.id.as_str()).collect();
                let outside = group.tasks.iter().flat_map(|placed| &placed.upstream);
                let outside = outside.filter(|before| match before {
                    Upstream::Task(id) => !own.contains(id.as_str()),
                    Upstream::Group(_) => true,
                });
                let mut before: BTreeSet<Upstream> = outside.cloned().collect();
                before.insert(Upstream::Task(format!("{}-items", group.repeat)));
                before
            }
        }
    }
}

/// Units in an order in which each follows what comes before it; otherwise as they are.
fn sorted(units: Vec<Unit>) -> Vec<Unit> {
    let names: HashMap<Upstream, usize> = units.iter().enumerate().map(|(at, unit)| (unit.own(), at)).collect();
    let mut waiting: Vec<usize> = vec![0; units.len()];
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); units.len()];
    for (at, unit) in units.iter().enumerate() {
        for before in unit.before() {
            if let Some(before) = names.get(&before)
                && let (Some(followers), Some(waiting)) = (followers.get_mut(*before), waiting.get_mut(at))
            {
                followers.push(at);
                *waiting += 1;
            }
        }
    }
    let mut ready: BTreeSet<usize> = (0..units.len()).filter(|at| waiting.get(*at) == Some(&0)).collect();
    let mut order = Vec::new();
    while let Some(at) = ready.pop_first() {
        order.push(at);
        for follower in followers.get(at).into_iter().flatten() {
            if let Some(count) = waiting.get_mut(*follower) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(*follower);
                }
            }
        }
    }
    let mut units: Vec<Option<Unit>> = units.into_iter().map(Some).collect();
    order
        .into_iter()
        .filter_map(|at| units.get_mut(at).and_then(Option::take))
        .collect()
}
