//! The executor on plans built by hand: how nodes end, what follows, what is kept.

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
use mlp::plan::{
    Backoff, BinaryOperator, Branch, Call, Expression, Loop, NodeKind, Operand, Parameter, PortType, Reference,
    Resources, SecretReference,
};
use mlp::types::{Bound, Column, DataKind, DataType, Evidence, Refinement, Schema, Value};
use mlp_runtime::RunError;
use mlp_runtime::events::{Event, NodeState, Outcome, Silence};
use mlp_runtime::metadata::LogStream;
use mlp_runtime::store::Datum;

fn out() -> Vec<mlp::plan::Port> {
    vec![port("output", PortType::File)]
}

#[test]
fn independent_nodes_run_at_once_and_results_flow() {
    let sandbox = Sandbox::new();
    // Each waits for the other's file: one after the other they would never end.
    let meet = "touch $1.here; while [ ! -e $2.here ]; do :; done; printf $1 > $3";
    let text = || port("me", value(DataKind::String));
    let pair = shell(
        "meet",
        meet,
        vec![text(), port("other", value(DataKind::String))],
        out(),
    );
    let join = shell(
        "join",
        "cat $1 $2 > $3",
        vec![port("a", PortType::File), port("b", PortType::File)],
        out(),
    );
    let plan = plan(
        vec![pair.clone(), join.clone()],
        vec![
            call("a", &pair, vec![Operand::text("a"), Operand::text("b")]),
            call("b", &pair, vec![Operand::text("b"), Operand::text("a")]),
            call("both", &join, vec![output("a"), output("b")]),
        ],
    );
    let outcome = sandbox.run(&plan);
    assert_eq!(outcome.outcome, Outcome::Succeeded, "{:#?}", outcome.failures);
    assert_eq!(sandbox.text(&outcome, "both", "output"), "ab");
    let shown = sandbox.executor().show("latest").unwrap();
    assert_eq!(shown.summary.outcome, Outcome::Succeeded);
    assert_eq!(shown.nodes.len(), 3);
    assert!(
        fs::read_dir(sandbox.root().join(".mlp/tmp")).unwrap().next().is_none(),
        "scratch folders are removed"
    );
}

#[test]
fn a_second_run_finds_everything_in_the_cache_whatever_nodes_are_called() {
    let sandbox = Sandbox::new();
    let count = shell(
        "count",
        "echo x >> marks; printf $1 > $2",
        vec![port("n", value(DataKind::Int))],
        out(),
    );
    let first = plan(
        vec![count.clone()],
        vec![call("one", &count, vec![int(1)]), call("two", &count, vec![int(2)])],
    );
    let outcome = sandbox.run(&first);
    assert_eq!(
        (outcome.counts.succeeded, outcome.counts.cached),
        (2, 0),
        "{:#?}",
        outcome.failures
    );
    let renamed = plan(
        vec![count.clone()],
        vec![call("other", &count, vec![int(2)]), call("new", &count, vec![int(3)])],
    );
    let outcome = sandbox.run(&renamed);
    assert!(record(&outcome, "other").cached);
    assert!(!record(&outcome, "new").cached);
    assert_eq!(sandbox.text(&outcome, "other", "output"), "2");
    assert_eq!(sandbox.marks("marks"), 3);
    let mut uncached = Sandbox::new();
    uncached.options.cache = false;
    uncached.run(&first);
    uncached.run(&first);
    assert_eq!(uncached.marks("marks"), 4);
}

#[test]
fn changed_scripts_and_damaged_outputs_run_again() {
    let sandbox = Sandbox::new();
    sandbox.write("make.sh", "echo x >> marks; printf one > $1");
    let make = step("make", command(&["sh", "make.sh", "{output}"]), Vec::new(), out());
    let plan = plan(vec![make.clone()], vec![call("made", &make, Vec::new())]);
    let outcome = sandbox.run(&plan);
    assert!(sandbox.run(&plan).nodes[0].cached);
    sandbox.write("make.sh", "echo x >> marks; printf two > $1");
    let second = sandbox.run(&plan);
    assert_eq!(sandbox.text(&second, "made", "output"), "two");
    assert_eq!(sandbox.marks("marks"), 2);
    sandbox.write("make.sh", "echo x >> marks; printf one > $1");
    let Datum::Artifact(artifact) = &outcome.nodes[0].outputs["output"] else {
        panic!()
    };
    let path = sandbox.executor().artifact_path(artifact);
    fs::remove_file(&path).unwrap();
    fs::write(&path, "").unwrap();
    let third = sandbox.run(&plan);
    assert!(!third.nodes[0].cached);
    assert_eq!(sandbox.text(&third, "made", "output"), "one");
}

#[test]
fn a_failure_skips_what_depends_on_it_and_nothing_else() {
    let sandbox = Sandbox::new();
    let bad = shell("bad", "echo about to fail >&2; exit 3", Vec::new(), out());
    let good = shell("good", "printf x > $1", Vec::new(), out());
    let copy = shell("copy", "cp $1 $2", vec![port("data", PortType::File)], out());
    let plan = plan(
        vec![bad.clone(), good.clone(), copy.clone()],
        vec![
            call("broken", &bad, Vec::new()),
            call("after_broken", &copy, vec![output("broken")]),
            call("later", &copy, vec![output("after_broken")]),
            call("fine", &good, Vec::new()),
            call("after_fine", &copy, vec![output("fine")]),
        ],
    );
    let outcome = sandbox.run(&plan);
    assert_eq!(outcome.outcome, Outcome::Failed);
    assert_eq!(state(&outcome, "after_broken"), NodeState::Skipped);
    assert_eq!(state(&outcome, "later"), NodeState::Skipped);
    assert_eq!(state(&outcome, "after_fine"), NodeState::Succeeded);
    let (node, failure) = &outcome.failures[0];
    assert_eq!(node, "broken");
    assert_eq!(failure.summary, "`bad` ended with exit code 3.");
    assert_eq!(failure.details, ["about to fail"]);
    let logs = sandbox.executor().logs("latest", Some("broken")).unwrap();
    assert_eq!(logs.len(), 1);
    assert_eq!((logs[0].stream, logs[0].attempt), (LogStream::Stderr, 1));
    assert_eq!(fs::read_to_string(&logs[0].path).unwrap(), "about to fail\n");
    assert!(matches!(
        sandbox.executor().show_node("latest", "nobody"),
        Err(RunError::UnknownNode { .. })
    ));
    assert!(matches!(
        sandbox.executor().show("nothing"),
        Err(RunError::UnknownRun { .. })
    ));
}

#[test]
fn finally_runs_after_all_and_knows_the_outcome() {
    let sandbox = Sandbox::new();
    let fails = shell("fails", "exit 1", Vec::new(), Vec::new());
    let tell = shell(
        "tell",
        "printf $1 > $2",
        vec![port("what", value(DataKind::String))],
        out(),
    );
    let last = call("told", &tell, vec![Operand::Reference(Reference::Outcome)]);
    let build = |nodes| plan(vec![fails.clone(), tell.clone()], nodes);
    let finally = || {
        container(
            "finally",
            "finally",
            NodeKind::Finally(graph(vec![last.clone()])),
            Vec::new(),
        )
    };
    let outcome = sandbox.run(&build(vec![call("first", &fails, Vec::new()), finally()]));
    assert_eq!(outcome.outcome, Outcome::Failed);
    assert_eq!(sandbox.text(&outcome, "told", "output"), "failed");
    let outcome = sandbox.run(&build(vec![finally()]));
    assert_eq!(outcome.outcome, Outcome::Succeeded, "{:#?}", outcome.failures);
    assert_eq!(sandbox.text(&outcome, "told", "output"), "succeeded");
}

#[test]
fn a_branch_runs_one_arm_and_gives_its_value() {
    let sandbox = Sandbox::new();
    let number = shell(
        "number",
        "echo 7 > $1",
        Vec::new(),
        vec![port("output", value(DataKind::Int))],
    );
    let say = shell("say", "printf $1 > $2", vec![port("n", value(DataKind::Int))], out());
    let condition = Expression::Binary {
        operator: BinaryOperator::Greater,
        left: Box::new(Expression::Reference(Reference::Output {
            node: "n".to_owned(),
            port: "output".to_owned(),
        })),
        right: Box::new(Expression::Value(Value::Int(5))),
    };
    let branch = Branch {
        condition,
        then: graph(vec![call("large", &say, vec![output("n")])]),
        otherwise: graph(vec![call("small", &say, vec![int(0)])]),
        values: vec![(output("large"), output("small"))],
    };
    let plan = plan(
        vec![number.clone(), say.clone()],
        vec![
            call("n", &number, Vec::new()),
            container("chosen", "if", NodeKind::Branch(branch), out()),
            call(
                "copied",
                &shell("copy", "", vec![port("data", PortType::File)], out()),
                vec![output("chosen")],
            ),
        ],
    );
    let mut plan = plan;
    let copy = shell("copy", "cp $1 $2", vec![port("data", PortType::File)], out());
    plan.steps.insert("copy".to_owned(), copy);
    let outcome = sandbox.run(&plan);
    assert_eq!(outcome.outcome, Outcome::Succeeded, "{:#?}", outcome.failures);
    assert_eq!(state(&outcome, "small"), NodeState::Skipped);
    assert_eq!(sandbox.text(&outcome, "copied", "output"), "7");
}

#[test]
fn a_loop_gathers_in_order_and_reads_what_is_around_it() {
    let sandbox = Sandbox::new();
    let double = shell(
        "double",
        "echo $(($1 * $2)) > $3",
        vec![port("n", value(DataKind::Int)), port("by", value(DataKind::Int))],
        vec![port("output", value(DataKind::Int))],
    );
    let factor = shell(
        "factor",
        "echo 2 > $1",
        Vec::new(),
        vec![port("output", value(DataKind::Int))],
    );
    let body = graph(vec![call(
        "doubled",
        &double,
        vec![Operand::Reference(Reference::Item("n".to_owned())), output("by")],
    )]);
    let each = Loop {
        item: "n".to_owned(),
        items: Operand::List(vec![int(3), int(1), int(2)]),
        max: Some(2),
        body,
        gather: vec![output("doubled")],
    };
    let numbers = PortType::List(Box::new(value(DataKind::Int)));
    let show = shell("show", "echo $1 $2 $3 > $4", vec![port("all", numbers.clone())], out());
    let plan = plan(
        vec![double.clone(), factor.clone(), show.clone()],
        vec![
            call("by", &factor, Vec::new()),
            container("all", "for", NodeKind::Loop(each), vec![port("output", numbers)]),
            call("shown", &show, vec![output("all")]),
        ],
    );
    let outcome = sandbox.run(&plan);
    assert_eq!(outcome.outcome, Outcome::Succeeded, "{:#?}", outcome.failures);
    assert_eq!(sandbox.text(&outcome, "shown", "output"), "6 2 4\n");
    assert_eq!(state(&outcome, "doubled[1]"), NodeState::Succeeded);
}

#[test]
fn a_pass_that_fails_fails_the_loop_but_not_its_other_passes() {
    let sandbox = Sandbox::new();
    let pick = shell(
        "pick",
        "test $1 -ne 2",
        vec![port("n", value(DataKind::Int))],
        Vec::new(),
    );
    let body = graph(vec![call(
        "picked",
        &pick,
        vec![Operand::Reference(Reference::Item("n".to_owned()))],
    )]);
    let each = Loop {
        item: "n".to_owned(),
        items: Operand::List(vec![int(1), int(2), int(3)]),
        max: None,
        body,
        gather: Vec::new(),
    };
    let after = shell("after", "true", Vec::new(), Vec::new());
    let mut last = call("last", &after, Vec::new());
    last.after.push("all".to_owned());
    let plan = plan(
        vec![pick.clone(), after.clone()],
        vec![container("all", "for", NodeKind::Loop(each), Vec::new()), last],
    );
    let outcome = sandbox.run(&plan);
    assert_eq!(outcome.outcome, Outcome::Failed);
    assert_eq!(
        (outcome.counts.succeeded, outcome.counts.failed, outcome.counts.skipped),
        (2, 1, 1)
    );
}

#[test]
fn a_pipeline_calls_another() {
    let sandbox = Sandbox::new();
    let say = shell("say", "printf $1 > $2", vec![port("n", value(DataKind::Int))], out());
    let parameter = Operand::Reference(Reference::Parameter("n".to_owned()));
    let mut plan = plan(vec![say.clone()], Vec::new());
    let mut inner = plan.pipelines["main"].clone();
    inner.name = "inner".to_owned();
    inner.parameters = vec![Parameter {
        name: "n".to_owned(),
        ty: DataType::plain(DataKind::Int),
        default: None,
        docs: None,
    }];
    inner.graph = graph(vec![call("said", &say, vec![parameter])]);
    inner.outputs = vec![mlp::plan::Output {
        name: "output".to_owned(),
        value: output("said"),
        ty: PortType::File,
    }];
    plan.pipelines.insert("inner".to_owned(), inner);
    let mut node = container(
        "called",
        "inner",
        NodeKind::Pipeline(Call {
            pipeline: "inner".to_owned(),
        }),
        out(),
    );
    node.inputs = vec![mlp::plan::Input {
        name: "n".to_owned(),
        value: int(4),
        ty: value(DataKind::Int),
    }];
    let copy = shell("copy", "cp $1 $2", vec![port("data", PortType::File)], out());
    plan.steps.insert("copy".to_owned(), copy.clone());
    plan.pipelines.get_mut("main").unwrap().graph = graph(vec![node, call("copied", &copy, vec![output("called")])]);
    let outcome = sandbox.run(&plan);
    assert_eq!(outcome.outcome, Outcome::Succeeded, "{:#?}", outcome.failures);
    assert_eq!(state(&outcome, "called/said"), NodeState::Succeeded);
    assert_eq!(sandbox.text(&outcome, "copied", "output"), "4");
}

#[test]
fn a_step_is_tried_again_as_often_as_declared() {
    let sandbox = Sandbox::new();
    let mut flaky = shell(
        "flaky",
        "echo x >> marks; test $(wc -l < marks) -ge 3 && printf ok > $1",
        Vec::new(),
        out(),
    );
    flaky.retries.count = 2;
    flaky.retries.backoff = Backoff {
        first: 1,
        factor: 2.0,
        longest: 10,
    };
    let outcome = sandbox.run(&plan(vec![flaky.clone()], vec![call("flaky", &flaky, Vec::new())]));
    assert_eq!(outcome.outcome, Outcome::Succeeded, "{:#?}", outcome.failures);
    assert_eq!(record(&outcome, "flaky").attempts, 3);
    let events = sandbox.events.lock().unwrap();
    let retried: Vec<u32> = events
        .iter()
        .filter_map(|event| match event {
            Event::NodeRetried { attempt, .. } => Some(*attempt),
            _ => None,
        })
        .collect();
    assert_eq!(retried, [1, 2]);
}

#[test]
fn outputs_that_are_missing_or_wrong_are_told_with_their_names() {
    let sandbox = Sandbox::new();
    let summary = |script: &str, outputs: Vec<mlp::plan::Port>| {
        let odd = shell("odd", script, Vec::new(), outputs);
        let mut plan = plan(vec![odd.clone()], vec![call("odd", &odd, Vec::new())]);
        let column = |name: &str| Column {
            name: name.to_owned(),
            ty: DataType::plain(DataKind::Int),
            tags: Vec::new(),
            docs: None,
        };
        let rows = Schema {
            name: "Rows".to_owned(),
            columns: vec![column("a"), column("b")],
            incomplete: false,
        };
        plan.schemas.insert("Rows".to_owned(), rows);
        let outcome = sandbox.run(&plan);
        assert_eq!(outcome.outcome, Outcome::Failed, "{script}");
        let failure = outcome.failures[0].1.clone();
        format!("{} {:?} {:?}", failure.summary, failure.details, failure.help)
    };
    let missing = summary("true", out());
    assert!(
        missing.contains("did not write its output `output`") && missing.contains("/.mlp/tmp/"),
        "{missing}"
    );
    let folder = summary("mkdir $1", out());
    assert!(folder.contains("wrote a folder as its output `output`"), "{folder}");
    let mut ranged = DataType::plain(DataKind::Int);
    let bound = |value| {
        Some(Bound {
            value: Value::Int(value),
            inclusive: true,
        })
    };
    ranged.refinements = vec![Refinement::Range {
        minimum: bound(1),
        maximum: bound(9),
    }];
    let number = || vec![port("n", PortType::Value(ranged.clone()))];
    let text = summary("echo many > $1", number());
    assert!(text.contains("`many` is not of type `int in 1..=9`"), "{text}");
    let large = summary("echo 10 > $1", number());
    assert!(large.contains("10 does not fit `int in 1..=9`"), "{large}");
    let table = summary(
        "echo not parquet > $1",
        vec![port(
            "rows",
            PortType::Dataset {
                schema: "Rows".to_owned(),
                evidence: Evidence::None,
            },
        )],
    );
    assert!(table.contains("`rows` that is no `Dataset<Rows>`"), "{table}");
}

#[test]
fn what_a_step_prints_is_kept_within_bounds_and_without_secrets() {
    let mut sandbox = Sandbox::new();
    sandbox.options.log_limit = 1_000;
    sandbox.write("secret.txt", "correct horse\n");
    let mut loud = shell(
        "loud",
        "yes 0123456789 | head -c 50000000; echo the end: $WORD",
        Vec::new(),
        Vec::new(),
    );
    loud.secrets
        .insert("WORD".to_owned(), SecretReference::File("secret.txt".to_owned()));
    let outcome = sandbox.run(&plan(vec![loud.clone()], vec![call("loud", &loud, Vec::new())]));
    assert_eq!(outcome.outcome, Outcome::Succeeded, "{:#?}", outcome.failures);
    let logs = sandbox.executor().logs("latest", None).unwrap();
    let text = fs::read_to_string(&logs[0].path).unwrap();
    assert!(text.len() < 2_200, "{}", text.len());
    assert!(
        text.starts_with("0123456789\n") && text.contains("mlp left out"),
        "{text}"
    );
    assert!(text.ends_with("the end: ***\n"), "{text}");
    let mut poor = shell("poor", "true", Vec::new(), Vec::new());
    poor.secrets
        .insert("WORD".to_owned(), SecretReference::File("nowhere.txt".to_owned()));
    let outcome = sandbox.run(&plan(vec![poor.clone()], vec![call("poor", &poor, Vec::new())]));
    assert!(
        outcome.failures[0].1.summary.contains("cannot have its secret `WORD`"),
        "{:?}",
        outcome.failures
    );
}

#[test]
fn steps_see_a_clean_environment() {
    let sandbox = Sandbox::new();
    let mut see = shell(
        "see",
        "env | cut -d= -f1 | sort > $1; test -t 0; cat >> $1",
        Vec::new(),
        out(),
    );
    see.env.insert("DECLARED".to_owned(), "1".to_owned());
    let outcome = sandbox.run(&plan(vec![see.clone()], vec![call("seen", &see, Vec::new())]));
    let text = sandbox.text(&outcome, "seen", "output");
    assert!(
        text.contains("DECLARED") && text.contains("PATH") && text.contains("MLP_RUN_ID"),
        "{text}"
    );
    assert!(!text.contains("CARGO"), "{text}");
}

#[test]
fn bad_parameters_and_too_large_steps_are_refused_before_anything_runs() {
    let sandbox = Sandbox::new();
    let mut large = shell("large", "echo x >> marks", Vec::new(), Vec::new());
    large.resources = Resources {
        cpu_millis: Some(64_000),
        ..Resources::default()
    };
    let mut plan = plan(vec![large.clone()], vec![call("large", &large, Vec::new())]);
    let run = |plan: &_, parameters: &[(&str, Value)]| {
        let parameters = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        sandbox
            .executor()
            .run(plan, "main", parameters, &sandbox.options, &Silence)
            .unwrap_err()
            .to_string()
    };
    let refused = run(&plan, &[]);
    assert!(
        refused.contains("step `large` asks for 64 cpu, but this machine has 4 cpu"),
        "{refused}"
    );
    let mut ty = DataType::plain(DataKind::Int);
    ty.refinements = vec![Refinement::Range {
        minimum: Some(Bound {
            value: Value::Int(10),
            inclusive: true,
        }),
        maximum: None,
    }];
    plan.pipelines.get_mut("main").unwrap().parameters = vec![Parameter {
        name: "trees".to_owned(),
        ty,
        default: None,
        docs: None,
    }];
    assert!(run(&plan, &[]).contains("needs the parameter `trees` (int >= 10)"));
    assert!(run(&plan, &[("trees", Value::Int(5))]).contains("5 does not fit `int >= 10`"));
    assert!(run(&plan, &[("trees", Value::Int(10)), ("leaves", Value::Int(1))]).contains("no parameter `leaves`"));
    let missing = sandbox
        .executor()
        .run(&plan, "other", BTreeMap::new(), &sandbox.options, &Silence);
    assert!(matches!(missing, Err(RunError::UnknownPipeline { .. })));
    assert_eq!(sandbox.marks("marks"), 0);
    assert_eq!(sandbox.executor().runs(10).unwrap(), Vec::new());
}

#[test]
fn a_run_time_value_outside_its_refinement_stops_the_step_that_takes_it() {
    let sandbox = Sandbox::new();
    let number = shell(
        "number",
        "echo 7 > $1",
        Vec::new(),
        vec![port("output", value(DataKind::Int))],
    );
    let mut ty = DataType::plain(DataKind::Int);
    ty.refinements = vec![Refinement::Range {
        minimum: None,
        maximum: Some(Bound {
            value: Value::Int(5),
            inclusive: true,
        }),
    }];
    let take = shell("take", "true", vec![port("n", PortType::Value(ty))], Vec::new());
    let plan = plan(
        vec![number.clone(), take.clone()],
        vec![call("n", &number, Vec::new()), call("taken", &take, vec![output("n")])],
    );
    let outcome = sandbox.run(&plan);
    assert_eq!(state(&outcome, "taken"), NodeState::Failed);
    let summary = &outcome.failures[0].1.summary;
    assert_eq!(
        summary,
        "`take` cannot take `n`: 7 does not fit `int <= 5`: it must be at most 5."
    );
}

#[test]
fn a_program_that_is_not_there_is_told() {
    let sandbox = Sandbox::new();
    let absent = step("absent", command(&["no-such-program"]), Vec::new(), Vec::new());
    let outcome = sandbox.run(&plan(vec![absent.clone()], vec![call("absent", &absent, Vec::new())]));
    assert!(
        outcome.failures[0]
            .1
            .summary
            .contains("there is no program `no-such-program`"),
        "{:?}",
        outcome.failures
    );
}

#[test]
#[ignore = "measures; run it alone, in release"]
fn measure_a_thousand_steps() {
    let mut sandbox = Sandbox::new();
    sandbox.options.jobs = 2;
    let make = shell("make", "printf x > $2", vec![port("n", value(DataKind::Int))], out());
    let nodes = (0..1000).map(|n| call(&format!("n{n}"), &make, vec![int(n)])).collect();
    let wide = plan(vec![make.clone()], nodes);
    let link = shell(
        "link",
        "printf x > $3",
        vec![port("n", value(DataKind::Int)), port("data", PortType::File)],
        out(),
    );
    let first = call("n0", &make, vec![int(-1)]);
    let links = (1..200).map(|n| call(&format!("n{n}"), &link, vec![int(n), output(&format!("n{}", n - 1))]));
    let chain = plan(
        vec![make.clone(), link.clone()],
        std::iter::once(first).chain(links).collect(),
    );
    for (name, plan) in [("cold", &wide), ("cached", &wide), ("chain of 200", &chain)] {
        let outcome = sandbox.run(plan);
        assert_eq!(outcome.outcome, Outcome::Succeeded);
        println!("{name}: {} ms", outcome.milliseconds);
    }
}
