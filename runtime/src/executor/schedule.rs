//! The scheduler: which node may begin, what follows from how it ended.
//!
//! It runs on one thread and blocks on nothing but messages. What nodes do is done elsewhere (see [`super::work`]).

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use mlp::plan::{Graph, Node, NodeKind, Operation, Pipeline, Resources};

use super::CancelLevel;
use super::containers::LoopProgress;
use super::layout::every_node;
use super::options::Room;
use super::scope::{Binding, NodeKey, Progress, RunFacts, Scope, ScopeId, Scopes};
use super::session::Session;
use super::work::{Done, End, Found, Job, Task};
use crate::events::{Counts, Event, Failure, NodeState};
use crate::metadata::{Change, NodeRecord, time_text};
use crate::node::{broken_plan, inputs};
use crate::operations::Lineage;
use crate::store::Datum;

/// What the scheduler is told.
pub(super) enum Message {
    /// A job has ended.
    Done(Box<Done>),
    /// The run is to be cancelled.
    Cancel,
}

/// What is to be done next, in this order; a list rather than recursion, so that long chains need no deep stack.
pub(super) enum Next {
    /// Everything that the node needs is there.
    Begin(NodeKey),
    /// Something that the node needs did not succeed.
    Skip(NodeKey),
    /// All nodes of the graph have ended.
    Close(ScopeId),
}

/// How far a run has come.
pub(super) struct Scheduler<'p, 's> {
    pub(super) session: &'s Session<'p>,
    pub(super) scopes: Scopes<'p>,
    pub(super) next: VecDeque<Next>,
    pub(super) loops: BTreeMap<NodeKey, LoopProgress>,
    queue: VecDeque<(NodeKey, u32)>,
    retries: Vec<(Instant, NodeKey, u32)>,
    running: BTreeMap<NodeKey, &'p Resources>,
    room: Room,
    jobs: Sender<Job<'p>>,
    started: BTreeMap<NodeKey, (i64, u64)>,
    draining: bool,
    finished: bool,
    pub(super) counts: Counts,
    pub(super) ended: Vec<NodeRecord>,
    pub(super) failures: Vec<(String, Failure)>,
    artifacts: BTreeMap<String, String>,
}

static NOTHING_DECLARED: Resources = Resources {
    cpu_millis: None,
    memory: None,
    disk: None,
    gpu: None,
    tpu: None,
    spot: false,
};

impl<'p, 's> Scheduler<'p, 's> {
    pub(super) fn new(session: &'s Session<'p>, jobs: Sender<Job<'p>>) -> Self {
        Self {
            session,
            scopes: Scopes::default(),
            next: VecDeque::new(),
            loops: BTreeMap::new(),
            queue: VecDeque::new(),
            retries: Vec::new(),
            running: BTreeMap::new(),
            room: Room::new(&session.options.machine),
            jobs,
            started: BTreeMap::new(),
            draining: false,
            finished: false,
            counts: Counts::default(),
            ended: Vec::new(),
            failures: Vec::new(),
            artifacts: BTreeMap::new(),
        }
    }

    /// Runs a pipeline to its end; gives the scope that it ran in.
    pub(super) fn run(
        &mut self,
        pipeline: &'p Pipeline,
        parameters: BTreeMap<String, Datum>,
        messages: &Receiver<Message>,
    ) -> ScopeId {
        let root = self.open_scope(&pipeline.graph, None, None, ("", ""), Binding::Parameters(parameters));
        loop {
            self.settle();
            if self.finished {
                return root;
            }
            self.dispatch();
            if !self.next.is_empty() {
                continue;
            }
            match self.receive(messages) {
                Some(Message::Done(done)) => self.job_ended(*done),
                Some(Message::Cancel) => self.drain(),
                None => {}
            }
            if self.session.writer.failed() {
                // Nothing can be recorded any more: what runs is ended, and the caller tells why.
                self.session.options.cancel.kill();
                self.drain();
            }
        }
    }

    /// Waits for a message, or until a retry is due.
    fn receive(&mut self, messages: &Receiver<Message>) -> Option<Message> {
        let due = self.retries.iter().map(|(due, ..)| *due).min();
        let message = match due {
            None => messages.recv().ok(),
            Some(due) => messages
                .recv_timeout(due.saturating_duration_since(Instant::now()))
                .ok(),
        };
        let now = Instant::now();
        let (ready, waiting) = self.retries.drain(..).partition(|(due, ..)| *due <= now);
        self.retries = waiting;
        let ready: Vec<_> = ready;
        self.queue
            .extend(ready.into_iter().map(|(_, key, attempt)| (key, attempt)));
        message
    }

    /// Starts no further node.
    fn drain(&mut self) {
        if !self.draining {
            self.draining = true;
            self.session.emit(&Event::Draining);
        }
        let waiting: Vec<_> = self.queue.drain(..).collect();
        for (key, attempt) in waiting {
            self.queue_or_cancel(key, attempt);
        }
        for (due, key, attempt) in std::mem::take(&mut self.retries) {
            if self.may_start(key.scope) {
                self.retries.push((due, key, attempt));
            } else {
                self.end_leaf(key, attempt.saturating_sub(1), None, End::Cancelled);
            }
        }
    }

    fn queue_or_cancel(&mut self, key: NodeKey, attempt: u32) {
        if self.may_start(key.scope) {
            self.queue.push_back((key, attempt));
        } else {
            self.end_leaf(key, attempt.saturating_sub(1), None, End::Cancelled);
        }
    }

    /// After the first cancellation only what belongs to a `finally` starts, after the second nothing.
    pub(super) fn may_start(&self, scope: ScopeId) -> bool {
        match self.session.options.cancel.level() {
            CancelLevel::None => !self.draining || self.scopes.get(scope).in_finally,
            CancelLevel::Drain => self.scopes.get(scope).in_finally,
            CancelLevel::Kill => false,
        }
    }

    fn settle(&mut self) {
        while let Some(next) = self.next.pop_front() {
            match next {
                Next::Begin(key) => self.begin(key),
                Next::Skip(key) => self.skip(key),
                Next::Close(scope) => self.close(scope),
            }
        }
    }

    /// Hands out as many queued nodes as there is room for, the first come first.
    fn dispatch(&mut self) {
        let mut index = 0;
        while self.running.len() < self.session.options.jobs.max(1) {
            let Some(&(key, attempt)) = self.queue.get(index) else {
                break;
            };
            let needs = self.needs(key);
            if !self.room.take(needs) {
                index += 1;
                continue;
            }
            self.queue.remove(index);
            match self.job(key, attempt) {
                Ok(job) => {
                    self.running.insert(key, needs);
                    // The threads live until this sender is gone.
                    let _ = self.jobs.send(job);
                }
                Err(failure) => {
                    self.room.give_back(needs);
                    self.end_leaf(key, 0, None, End::Failed(failure));
                }
            }
        }
    }

    fn needs(&self, key: NodeKey) -> &'p Resources {
        match &self.node(key).kind {
            NodeKind::Step(call) => self
                .session
                .plan
                .steps
                .get(&call.step)
                .map_or(&NOTHING_DECLARED, |step| &step.resources),
            NodeKind::Operation(_)
            | NodeKind::Branch(_)
            | NodeKind::Loop(_)
            | NodeKind::Finally(_)
            | NodeKind::Pipeline(_) => &NOTHING_DECLARED,
        }
    }

    fn job(&self, key: NodeKey, attempt: u32) -> Result<Job<'p>, Failure> {
        let node = self.node(key);
        let task = match &node.kind {
            NodeKind::Step(call) => match self.session.plan.steps.get(&call.step) {
                Some(step) => Task::Step(step),
                None => return Err(broken_plan(&format!("there is no step `{}`", call.step))),
            },
            NodeKind::Operation(operation) => Task::Operation(operation),
            NodeKind::Branch(_) | NodeKind::Loop(_) | NodeKind::Finally(_) | NodeKind::Pipeline(_) => {
                return Err(broken_plan("a node that holds a graph cannot be run as one"));
            }
        };
        let mut taken = BTreeMap::new();
        for input in &node.inputs {
            let datum = self
                .scopes
                .resolve(key.scope, &input.value, &self.facts(attempt))
                .and_then(|datum| inputs::check(&input.ty, datum))
                .map_err(|message| inputs::failure(&node.callee, &input.name, &message))?;
            taken.insert(input.name.clone(), datum);
        }
        let lineage = matches!(task, Task::Operation(Operation::Register { .. })).then(|| Box::new(self.lineage()));
        Ok(Job {
            key,
            path: self.path(key),
            node,
            task,
            inputs: taken,
            attempt,
            lineage,
        })
    }

    fn lineage(&self) -> Lineage {
        Lineage {
            artifacts: self.artifacts.clone(),
            ..self.session.lineage()
        }
    }

    pub(super) fn facts(&self, attempt: u32) -> RunFacts<'s> {
        RunFacts {
            run: &self.session.run,
            scheduled: &self.session.scheduled,
            attempt,
        }
    }

    fn job_ended(&mut self, done: Done) {
        if let Some(needs) = self.running.remove(&done.key) {
            self.room.give_back(needs);
        }
        let spent = self.started.remove(&done.key);
        let began = spent.map_or(done.started, |(began, _)| began);
        let spent = spent.map_or(0, |(_, spent)| spent) + done.milliseconds;
        if let End::Failed(failure) = &done.end
            && let Some(wait) = self.retry_wait(done.key, done.attempt)
        {
            self.session.emit(&Event::NodeRetried {
                node: self.path(done.key),
                attempt: done.attempt,
                wait: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                reason: failure.summary.clone(),
            });
            self.started.insert(done.key, (began, spent));
            self.retries.push((Instant::now() + wait, done.key, done.attempt + 1));
            return;
        }
        self.end_leaf(done.key, done.attempt, Some((began, spent)), done.end);
    }

    /// How long to wait before the next attempt, if there is to be one.
    fn retry_wait(&self, key: NodeKey, attempt: u32) -> Option<Duration> {
        let NodeKind::Step(call) = &self.node(key).kind else {
            return None;
        };
        let retries = &self.session.plan.steps.get(&call.step)?.retries;
        if attempt > retries.count || !self.may_start(key.scope) {
            return None;
        }
        let backoff = &retries.backoff;
        let growth = backoff
            .factor
            .max(1.0)
            .powi(i32::try_from(attempt - 1).unwrap_or(i32::MAX));
        #[expect(clippy::cast_precision_loss, reason = "waits are far below 2^53 milliseconds")]
        let (first, longest) = (backoff.first.max(0) as f64, backoff.longest.max(0) as f64);
        Some(Duration::from_secs_f64((first * growth).min(longest) / 1_000.0))
    }

    /// A step or operation has ended, or never began.
    pub(super) fn end_leaf(&mut self, key: NodeKey, attempts: u32, ran: Option<(i64, u64)>, end: End) {
        let (state, found, failure) = match end {
            End::Succeeded(found) => (NodeState::Succeeded, found, None),
            End::Failed(failure) => (NodeState::Failed, Found::default(), Some(failure)),
            End::Refused(failure, record) => (
                NodeState::Refused,
                Found {
                    record,
                    ..Found::default()
                },
                Some(failure),
            ),
            End::Cancelled => (NodeState::Cancelled, Found::default(), None),
        };
        let path = self.path(key);
        for (port, datum) in &found.outputs {
            if let Datum::Artifact(artifact) = datum {
                self.artifacts.insert(format!("{path}.{port}"), artifact.digest.clone());
            }
        }
        let record = NodeRecord {
            node: path,
            callee: self.node(key).callee.clone(),
            state,
            cached: found.cached,
            attempts: if found.cached { 0 } else { attempts },
            started: ran.map(|(began, _)| time_text(began)),
            milliseconds: ran.map(|(_, spent)| spent),
            summary: found.summary,
            failure,
            record: found.record,
            outputs: found.outputs.clone(),
        };
        self.tell(record, ran.map(|(began, _)| began));
        self.node_ended(key, state, found.outputs);
    }

    /// Counts, stores and announces how a leaf ended.
    fn tell(&mut self, record: NodeRecord, started: Option<i64>) {
        self.counts.add(record.state, record.cached);
        if let Some(failure) = &record.failure {
            self.failures.push((record.node.clone(), failure.clone()));
        }
        self.session.emit(&Event::NodeFinished {
            node: record.node.clone(),
            callee: record.callee.clone(),
            state: record.state,
            cached: record.cached,
            milliseconds: record.milliseconds.unwrap_or(0),
            summary: record.summary.clone(),
            failure: record.failure.clone(),
        });
        self.session.writer.send(Change::Node {
            run: self.session.run.clone(),
            started,
            record: Box::new(record.clone()),
        });
        self.ended.push(record);
    }

    /// Notes how a node ended, and what follows for those that wait for it.
    pub(super) fn node_ended(&mut self, key: NodeKey, state: NodeState, outputs: BTreeMap<String, Datum>) {
        let progress = self.scopes.progress(key);
        progress.state = state;
        progress.outputs = outputs;
        let layout = Rc::clone(&self.scopes.get(key.scope).layout);
        for &position in layout.dependents.get(key.position).into_iter().flatten() {
            let dependent = NodeKey {
                scope: key.scope,
                position,
            };
            let waiting = self.scopes.progress(dependent);
            waiting.waits = waiting.waits.saturating_sub(1);
            waiting.doomed |= state != NodeState::Succeeded;
            if waiting.waits == 0 {
                let doomed = waiting.doomed;
                self.next.push_back(if doomed {
                    Next::Skip(dependent)
                } else {
                    Next::Begin(dependent)
                });
            }
        }
        let is_last = matches!(self.node(key).kind, NodeKind::Finally(_));
        let scope = self.scopes.get_mut(key.scope);
        scope.counts.add(state, false);
        if is_last {
            scope.last_left = scope.last_left.saturating_sub(1);
        } else {
            scope.left = scope.left.saturating_sub(1);
        }
        if scope.left == 0 {
            self.ordinary_ended(key.scope, is_last);
        }
    }

    /// All ordinary nodes of a scope have ended: now its `finally`, then it is done.
    fn ordinary_ended(&mut self, id: ScopeId, last_began: bool) {
        let scope = self.scopes.get(id);
        if scope.last_left == 0 {
            self.next.push_back(Next::Close(id));
        } else if !last_began {
            let layout = Rc::clone(&scope.layout);
            self.next.extend(
                layout
                    .last
                    .iter()
                    .map(|&position| Next::Begin(NodeKey { scope: id, position })),
            );
        }
    }

    /// Begins to run a graph.
    pub(super) fn open_scope(
        &mut self,
        graph: &'p Graph,
        outer: Option<ScopeId>,
        owner: Option<NodeKey>,
        (prefix, suffix): (&str, &str),
        binding: Binding<'p>,
    ) -> ScopeId {
        let layout = self.scopes.layout(graph);
        let around = owner.map(|owner| self.scopes.get(owner.scope));
        let calls = matches!(binding, Binding::Parameters(_));
        let in_finally = matches!(binding, Binding::Outcome(_)) || around.is_some_and(|scope| scope.in_finally);
        let depth = around.map_or(0, |scope| scope.depth) + usize::from(calls);
        let nodes = layout
            .waits
            .iter()
            .map(|&waits| Progress {
                waits,
                doomed: false,
                state: NodeState::Queued,
                outputs: BTreeMap::new(),
            })
            .collect();
        let last_left = layout.last.len();
        let left = graph.nodes.len() - last_left;
        let id = self.scopes.open(Scope {
            graph,
            layout: Rc::clone(&layout),
            outer,
            owner,
            prefix: prefix.into(),
            suffix: suffix.into(),
            binding,
            nodes,
            left,
            last_left,
            in_finally,
            counts: Counts::default(),
            depth,
        });
        if left == 0 {
            self.ordinary_ended(id, false);
        }
        for (position, &waits) in layout.waits.iter().enumerate() {
            if waits == 0 && !layout.last.contains(&position) {
                self.next.push_back(Next::Begin(NodeKey { scope: id, position }));
            }
        }
        id
    }

    fn begin(&mut self, key: NodeKey) {
        let node = self.node(key);
        let is_last = matches!(node.kind, NodeKind::Finally(_));
        let allowed = self.may_start(key.scope) || (is_last && self.session.options.cancel.level() < CancelLevel::Kill);
        if !allowed {
            self.skip(key);
            return;
        }
        match &node.kind {
            NodeKind::Step(_) | NodeKind::Operation(_) => {
                let (path, callee) = (self.path(key), node.callee.clone());
                self.session.emit(&Event::NodeQueued { node: path, callee });
                self.queue.push_back((key, 1));
            }
            NodeKind::Branch(branch) => self.begin_branch(key, branch),
            NodeKind::Loop(each) => self.begin_loop(key, each),
            NodeKind::Finally(graph) => self.begin_finally(key, graph),
            NodeKind::Pipeline(call) => self.begin_call(key, call),
        }
    }

    /// A node that will not run: skipped, or cancelled when the run is.
    fn skip(&mut self, key: NodeKey) {
        let state = if self.draining || self.session.options.cancel.level() > CancelLevel::None {
            NodeState::Cancelled
        } else {
            NodeState::Skipped
        };
        let node = self.node(key);
        self.tell_unrun(key.scope, node, state);
        self.node_ended(key, state, BTreeMap::new());
    }

    /// Announces a node that will not run, and the steps and operations inside it.
    pub(super) fn tell_unrun(&mut self, scope: ScopeId, node: &'p Node, state: NodeState) {
        match &node.kind {
            NodeKind::Step(_) | NodeKind::Operation(_) => self.tell_unrun_leaf(scope, node, state),
            NodeKind::Branch(branch) => {
                self.tell_unrun_graph(scope, &branch.then, state);
                self.tell_unrun_graph(scope, &branch.otherwise, state);
            }
            NodeKind::Loop(each) => self.tell_unrun_graph(scope, &each.body, state),
            NodeKind::Finally(graph) => self.tell_unrun_graph(scope, graph, state),
            NodeKind::Pipeline(_) => self.tell_unrun_leaf(scope, node, state),
        }
    }

    /// Announces the steps and operations of a graph that will not run.
    pub(super) fn tell_unrun_graph(&mut self, scope: ScopeId, graph: &'p Graph, state: NodeState) {
        let mut leaves = Vec::new();
        every_node(graph, &mut |node| leaves.push(node));
        for node in leaves {
            match &node.kind {
                NodeKind::Step(_) | NodeKind::Operation(_) | NodeKind::Pipeline(_) => {
                    self.tell_unrun_leaf(scope, node, state);
                }
                NodeKind::Branch(_) | NodeKind::Loop(_) | NodeKind::Finally(_) => {}
            }
        }
    }

    fn tell_unrun_leaf(&mut self, scope: ScopeId, node: &Node, state: NodeState) {
        let scope = self.scopes.get(scope);
        let record = NodeRecord {
            node: format!("{}{}{}", scope.prefix, node.id, scope.suffix),
            callee: node.callee.clone(),
            state,
            cached: false,
            attempts: 0,
            started: None,
            milliseconds: None,
            summary: String::new(),
            failure: None,
            record: serde_json::Value::Null,
            outputs: BTreeMap::new(),
        };
        self.tell(record, None);
    }

    /// All nodes of a graph have ended: so has the node that holds it.
    fn close(&mut self, id: ScopeId) {
        match self.scopes.get(id).owner {
            None => self.finished = true,
            Some(owner) => self.graph_ended(owner, id),
        }
    }

    pub(super) fn node(&self, key: NodeKey) -> &'p Node {
        let graph: &'p Graph = self.scopes.get(key.scope).graph;
        graph
            .nodes
            .get(key.position)
            .expect("positions come from the graph of the scope")
    }

    /// The node's name in the run: with the pipelines that were called, and the indices of the loops around it.
    pub(super) fn path(&self, key: NodeKey) -> String {
        let scope = self.scopes.get(key.scope);
        format!("{}{}{}", scope.prefix, self.node(key).id, scope.suffix)
    }
}
