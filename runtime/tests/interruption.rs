//! How runs end before their time: cancelled, killed, out of time, at once with others.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "tests look at the disk, and panic where something is not as it should be"
)]

mod executor_support;

use std::collections::BTreeMap;
use std::fs;

use executor_support::*;
use mlp::plan::{NodeKind, Operand, PortType, Reference};
use mlp::types::DataKind;
use mlp_runtime::events::{NodeState, Outcome, Silence};
use mlp_runtime::executor::Executor;

fn out() -> Vec<mlp::plan::Port> {
    vec![port("output", PortType::File)]
}

#[test]
fn a_step_that_takes_too_long_is_ended_with_its_children() {
    let sandbox = Sandbox::new();
    let mut slow = shell(
        "slow",
        "trap '' TERM; sleep 600 & echo $! > child; wait; sleep 600",
        Vec::new(),
        out(),
    );
    slow.timeout = Some(300);
    let outcome = sandbox.run(&plan(vec![slow.clone()], vec![call("slow", &slow, Vec::new())]));
    assert_eq!(state(&outcome, "slow"), NodeState::Failed);
    let (_, failure) = &outcome.failures[0];
    assert!(
        failure.summary.contains("longer than its timeout of 300ms"),
        "{failure:?}"
    );
    let child = fs::read_to_string(sandbox.root().join("child")).unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.trim()));
    assert!(
        stat.is_err() || stat.unwrap().contains(") Z "),
        "the child of the step is gone"
    );
}

#[test]
fn a_step_that_is_killed_says_so() {
    let sandbox = Sandbox::new();
    let killed = shell("killed", "kill -9 $$", Vec::new(), Vec::new());
    let outcome = sandbox.run(&plan(vec![killed.clone()], vec![call("killed", &killed, Vec::new())]));
    assert!(
        outcome.failures[0].1.summary.contains("signal 9"),
        "{:?}",
        outcome.failures
    );
}

#[test]
fn the_first_cancellation_drains_and_finally_still_runs() {
    let sandbox = Sandbox::new();
    let slow = shell(
        "slow",
        "touch began; while [ ! -e go ]; do sleep 0.01; done; printf x > $1",
        Vec::new(),
        out(),
    );
    let copy = shell("copy", "cp $1 $2", vec![port("data", PortType::File)], out());
    let tell = shell(
        "tell",
        "printf $1 > $2",
        vec![port("what", value(DataKind::String))],
        out(),
    );
    let last = graph(vec![call("told", &tell, vec![Operand::Reference(Reference::Outcome)])]);
    let plan = plan(
        vec![slow.clone(), copy.clone(), tell.clone()],
        vec![
            call("slow", &slow, Vec::new()),
            call("next", &copy, vec![output("slow")]),
            container("finally", "finally", NodeKind::Finally(last), Vec::new()),
        ],
    );
    let outcome = std::thread::scope(|threads| {
        let run = threads.spawn(|| sandbox.run(&plan));
        await_file(&sandbox.root().join("began"));
        sandbox.options.cancel.advance();
        sandbox.write("go", "");
        run.join().unwrap()
    });
    assert_eq!(outcome.outcome, Outcome::Cancelled);
    assert_eq!(state(&outcome, "slow"), NodeState::Succeeded);
    assert_eq!(state(&outcome, "next"), NodeState::Cancelled);
    assert_eq!(sandbox.text(&outcome, "told", "output"), "cancelled");
}

#[test]
fn the_second_cancellation_ends_what_runs_and_the_next_run_works() {
    let mut sandbox = Sandbox::new();
    let slow = shell(
        "slow",
        "touch began; [ -e go ] || sleep 600; printf x > $1",
        Vec::new(),
        out(),
    );
    let plan = plan(vec![slow.clone()], vec![call("slow", &slow, Vec::new())]);
    let outcome = std::thread::scope(|threads| {
        let run = threads.spawn(|| sandbox.run(&plan));
        await_file(&sandbox.root().join("began"));
        sandbox.options.cancel.advance();
        sandbox.options.cancel.advance();
        run.join().unwrap()
    });
    assert_eq!(outcome.outcome, Outcome::Cancelled);
    assert_eq!(state(&outcome, "slow"), NodeState::Cancelled);
    sandbox.options.cancel = Default::default();
    sandbox.write("go", "");
    assert_eq!(sandbox.run(&plan).outcome, Outcome::Succeeded);
}

#[test]
fn two_runs_at_once_both_work() {
    let sandbox = Sandbox::new();
    let make = shell(
        "make",
        "printf $(($1 % 5)) > $2",
        vec![port("n", value(DataKind::Int))],
        out(),
    );
    let nodes = (0..60).map(|n| call(&format!("n{n}"), &make, vec![int(n)])).collect();
    let plan = plan(vec![make.clone()], nodes);
    let outcomes: Vec<_> = std::thread::scope(|threads| {
        let runs: Vec<_> = (0..4).map(|_| threads.spawn(|| sandbox.run(&plan))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    for outcome in &outcomes {
        assert_eq!(outcome.counts.succeeded, 60, "{:#?}", outcome.failures);
    }
    let runs = sandbox.executor().runs(10).unwrap();
    assert_eq!(runs.len(), 4);
    assert!(runs.iter().all(|run| run.outcome == Outcome::Succeeded));
}

#[test]
fn a_state_that_cannot_be_written_is_one_clear_error() {
    let sandbox = Sandbox::new();
    // A file where the folder belongs: permissions do not stop the superuser, under whom tests may run.
    sandbox.write(".mlp", "in the way");
    let error = Executor::open(&sandbox.root()).err().unwrap();
    assert!(error.to_string().starts_with("cannot create `"), "{error}");
}

#[test]
fn steps_do_not_leave_processes_behind() {
    let sandbox = Sandbox::new();
    let fork = shell("fork", "sleep 600 & echo $! > child; printf x > $1", Vec::new(), out());
    let outcome = sandbox.run(&plan(vec![fork.clone()], vec![call("fork", &fork, Vec::new())]));
    assert_eq!(outcome.outcome, Outcome::Succeeded, "{:#?}", outcome.failures);
    assert!(outcome.milliseconds < 30_000);
    let child = fs::read_to_string(sandbox.root().join("child")).unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.trim()));
    assert!(
        stat.is_err() || stat.unwrap().contains(") Z "),
        "the child of the step is gone"
    );
}

const ELSEWHERE: &str = "MLP_TEST_PROJECT";

fn long_plan() -> mlp::plan::Plan {
    let quick = shell("quick", "echo x >> marks; printf x > $1", Vec::new(), out());
    let slow = shell(
        "slow",
        "touch began; echo $$ >> slow_ids; [ -e go ] || sleep 600; cp $1 $2",
        vec![port("data", PortType::File)],
        out(),
    );
    plan(
        vec![quick.clone(), slow.clone()],
        vec![
            call("first", &quick, Vec::new()),
            call("second", &slow, vec![output("first")]),
        ],
    )
}

#[test]
#[ignore = "runs in a process of its own, which another test kills"]
fn run_elsewhere() {
    let Ok(root) = std::env::var(ELSEWHERE) else { return };
    let executor = Executor::open(camino::Utf8Path::new(&root)).unwrap();
    let _ = executor.run(&long_plan(), "main", BTreeMap::new(), &Default::default(), &Silence);
}

#[test]
fn a_killed_run_is_marked_and_nothing_finished_runs_twice() {
    let sandbox = Sandbox::new();
    let mut other = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "run_elsewhere"])
        .env(ELSEWHERE, sandbox.root())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    await_file(&sandbox.root().join("slow_ids"));
    let alive = sandbox.executor().runs(1).unwrap();
    assert_eq!(
        alive[0].outcome,
        Outcome::Running,
        "a run whose process lives is left alone"
    );
    other.kill().unwrap();
    other.wait().unwrap();
    let executor = sandbox.executor();
    assert_eq!(executor.runs(1).unwrap()[0].outcome, Outcome::Interrupted);
    let orphan = fs::read_to_string(sandbox.root().join("slow_ids")).unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", orphan.trim()));
    assert!(
        stat.is_err() || stat.unwrap().contains(") Z "),
        "the orphaned step was ended"
    );
    assert!(fs::read_dir(sandbox.root().join(".mlp/tmp")).unwrap().next().is_none());
    sandbox.write("go", "");
    let outcome = sandbox.run(&long_plan());
    assert_eq!(outcome.outcome, Outcome::Succeeded, "{:#?}", outcome.failures);
    assert!(record(&outcome, "first").cached);
    assert_eq!(sandbox.marks("marks"), 1);
}
