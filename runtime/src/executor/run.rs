//! One run from its parameters to its outcome.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use mlp::plan::{NodeKind, Pipeline, Plan};
use mlp::types::Value;
use mlp::types::display::enumerate;

use super::layout::{every_node, every_node_called};
use super::revision::Revision;
use super::schedule::{Message, Scheduler};
use super::scope::{RunFacts, ScopeId};
use super::session::Session;
use super::work::Job;
use super::{CancelLevel, Executor, Options, RunOutcome, worker};
use crate::audit::Trail;
use crate::cache::Code;
use crate::error::RunError;
use crate::events::{Event, EventSink, Outcome};
use crate::metadata::{Change, RunEnd, RunStart, Writer};
use crate::python::Environments;
use crate::store::{Datum, Store};
use crate::values;

/// More threads than this help nobody.
const MOST_JOBS: usize = 512;

pub(super) fn run(
    executor: &Executor,
    plan: &Plan,
    name: &str,
    parameters: BTreeMap<String, Value>,
    options: &Options,
    sink: &dyn EventSink,
) -> Result<RunOutcome, RunError> {
    let clock = Instant::now();
    let pipeline = plan.pipelines.get(name).ok_or_else(|| RunError::UnknownPipeline {
        name: name.to_owned(),
        known: enumerate(&plan.pipelines.keys().collect::<Vec<_>>()),
    })?;
    let parameters = bind(pipeline, parameters)?;
    options.machine.check(plan, steps_of(plan, pipeline).into_iter())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(RunError::state("start the executor for", &executor.project))?;
    let session = open_session(
        executor,
        plan,
        pipeline,
        parameters,
        options,
        sink,
        runtime.handle().clone(),
    )?;
    let (session, lock) = session;
    let mut nodes = 0;
    every_node(&pipeline.graph, &mut |node| {
        nodes += usize::from(matches!(node.kind, NodeKind::Step(_) | NodeKind::Operation(_)));
    });
    session.emit(&Event::RunStarted {
        run: session.run.to_string(),
        pipeline: name.to_owned(),
        parameters: session.parameters.clone(),
        nodes,
        at: session.scheduled.clone(),
    });
    let mut outcome = schedule(&session, pipeline, &runtime);
    outcome.milliseconds = u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX);
    finish(session, outcome, lock)
}

/// Everything that the threads of a run share, and the run's lock.
fn open_session<'p>(
    executor: &'p Executor,
    plan: &'p Plan,
    pipeline: &Pipeline,
    parameters: BTreeMap<String, Value>,
    options: &'p Options,
    sink: &'p dyn EventSink,
    handle: tokio::runtime::Handle,
) -> Result<(Session<'p>, fs::File), RunError> {
    let now = jiff::Timestamp::now();
    let metadata = executor.metadata()?;
    let (run, lock) = executor.state.begin(now)?;
    let run: Arc<str> = run.into();
    // Written before anything of the run happens, so that no run is unknown to those that follow it.
    let start = Change::RunStarted(RunStart {
        run: run.clone(),
        pipeline: pipeline.name.clone(),
        parameters: parameters.clone(),
        started: now.as_millisecond(),
    });
    let writer = Writer::start(&executor.state.metadata(), Some(start))?;
    let session = Session {
        plan,
        project: &executor.project,
        state: &executor.state,
        options,
        sink,
        run,
        pipeline: pipeline.name.clone(),
        parameters,
        scheduled: now.to_string(),
        now,
        store: Store::new(executor.state.store()),
        writer,
        metadata: Mutex::new(metadata),
        code: Code::new(&executor.project),
        handle,
        cancelled: Arc::default(),
        environments: match &options.environments {
            Some(folder) => Environments::new(folder, &options.lock),
            None => Environments::of_user(&executor.project.join(".mlp/environments"), &options.lock),
        },
        revision: Revision::ask(&executor.project),
        locks: Mutex::default(),
        trail: Trail::new(executor.state.audit()),
    };
    Ok((session, lock))
}

/// The parameters with their defaults, each checked against its type.
fn bind(pipeline: &Pipeline, mut given: BTreeMap<String, Value>) -> Result<BTreeMap<String, Value>, RunError> {
    let mut bound = BTreeMap::new();
    for parameter in &pipeline.parameters {
        let value = given.remove(&parameter.name).or_else(|| parameter.default.clone());
        let value = match value {
            Some(value) => value,
            None if parameter.ty.optional => Value::None,
            None => {
                return Err(RunError::MissingParameter {
                    pipeline: pipeline.name.clone(),
                    name: parameter.name.clone(),
                    ty: parameter.ty.to_string(),
                });
            }
        };
        values::check(&parameter.ty, &value).map_err(|message| RunError::BadParameter {
            name: parameter.name.clone(),
            message,
        })?;
        bound.insert(parameter.name.clone(), value);
    }
    match given.into_keys().next() {
        None => Ok(bound),
        Some(name) => Err(RunError::UnknownParameter {
            pipeline: pipeline.name.clone(),
            name,
            known: enumerate(
                &pipeline
                    .parameters
                    .iter()
                    .map(|parameter| &parameter.name)
                    .collect::<Vec<_>>(),
            ),
        }),
    }
}

/// The steps that a pipeline may run, those of the pipelines it calls included.
fn steps_of<'p>(plan: &'p Plan, pipeline: &'p Pipeline) -> Vec<&'p str> {
    let mut steps = Vec::new();
    every_node_called(plan, pipeline, &mut |node| match &node.kind {
        NodeKind::Step(call) => steps.push(call.step.as_str()),
        NodeKind::Operation(_)
        | NodeKind::Branch(_)
        | NodeKind::Loop(_)
        | NodeKind::Finally(_)
        | NodeKind::Pipeline(_) => {}
    });
    steps.sort_unstable();
    steps.dedup();
    steps
}

/// Runs the graph on as many threads as there are jobs.
fn schedule(session: &Session<'_>, pipeline: &Pipeline, runtime: &tokio::runtime::Runtime) -> RunOutcome {
    let (job_sender, jobs) = channel::<Job<'_>>();
    let (messages, inbox) = channel();
    let jobs = Mutex::new(jobs);
    let cancelled = Arc::clone(&session.cancelled);
    let watcher = runtime.spawn(watch_cancel(
        session.options.cancel.subscribe(),
        messages.clone(),
        cancelled,
    ));
    let outcome = std::thread::scope(|threads| {
        for _ in 0..session.options.jobs.clamp(1, MOST_JOBS) {
            let messages = messages.clone();
            let jobs = &jobs;
            threads.spawn(move || work(session, jobs, &messages));
        }
        let parameters = session
            .parameters
            .iter()
            .map(|(name, value)| (name.clone(), Datum::Value(value.clone())));
        let mut scheduler = Scheduler::new(session, job_sender);
        let root = scheduler.run(pipeline, parameters.collect(), &inbox);
        conclude(session, pipeline, scheduler, root)
    });
    watcher.abort();
    outcome
}

fn work<'p>(session: &Session<'p>, jobs: &Mutex<Receiver<Job<'p>>>, messages: &Sender<Message>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        let done = worker::run(session, job);
        if messages.send(Message::Done(Box::new(done))).is_err() {
            return;
        }
    }
}

/// Tells the scheduler of each step of a cancellation, and the operations of the last.
async fn watch_cancel(
    mut levels: tokio::sync::watch::Receiver<CancelLevel>,
    messages: Sender<Message>,
    cancelled: Arc<AtomicBool>,
) {
    for level in [CancelLevel::Drain, CancelLevel::Kill] {
        if levels.wait_for(|reached| *reached >= level).await.is_err() {
            return;
        }
        if level == CancelLevel::Kill {
            cancelled.store(true, Ordering::Relaxed);
        }
        if messages.send(Message::Cancel).is_err() {
            return;
        }
    }
}

fn conclude(session: &Session<'_>, pipeline: &Pipeline, scheduler: Scheduler<'_, '_>, root: ScopeId) -> RunOutcome {
    let outcome = if session.options.cancel.level() > CancelLevel::None && scheduler.counts.cancelled > 0 {
        Outcome::Cancelled
    } else {
        scheduler.counts.outcome()
    };
    let facts = RunFacts {
        run: &session.run,
        scheduled: &session.scheduled,
        attempt: 1,
    };
    // What a failed node should have given is left out.
    let outputs = pipeline
        .outputs
        .iter()
        .filter_map(|output| {
            let datum = scheduler.scopes.resolve(root, &output.value, &facts).ok()?;
            Some((output.name.clone(), datum))
        })
        .collect();
    RunOutcome {
        run: session.run.to_string(),
        outcome,
        counts: scheduler.counts,
        milliseconds: 0,
        failures: scheduler.failures,
        nodes: scheduler.ended,
        outputs,
    }
}

/// Writes the end of the run down, and lets go of what it held.
fn finish(session: Session<'_>, outcome: RunOutcome, lock: fs::File) -> Result<RunOutcome, RunError> {
    let (commit, dirty) = session.revision.get();
    let scratch = session.state.scratch(&session.run);
    session.writer.send(Change::RunEnded(RunEnd {
        run: session.run.clone(),
        outcome: outcome.outcome,
        milliseconds: outcome.milliseconds,
        commit,
        dirty,
        outputs: outcome.outputs.clone(),
    }));
    let Session { writer, sink, .. } = session;
    let written = writer.finish();
    // What is left of it holds no result, and goes with the next run that finds it.
    let _ = fs::remove_dir_all(scratch);
    drop(lock);
    written?;
    sink.emit(&Event::RunFinished {
        run: outcome.run.clone(),
        outcome: outcome.outcome,
        milliseconds: outcome.milliseconds,
        counts: outcome.counts,
    });
    Ok(outcome)
}
