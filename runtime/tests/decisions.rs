//! What `validate`, `gate` and `challenge` decide, through the executor: what follows, what the trail says, and what a
//! champion's data means for the next run.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::panic,
    reason = "tests look at the disk, and panic where something is not as it should be"
)]

mod executor_support;

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use executor_support::*;
use mlp::plan::{
    BinaryOperator, Challenge, Check, CheckKind, Checks, Condition, Expression, Input, MetricReference, Model, Node,
    NodeKind, Operand, Operation, Plan, PortType, PythonFunction, Subject, Task,
};
use mlp::types::{Bound, Column, DataKind, DataType, Evidence, RecordField, Schema, Value};
use mlp_runtime::events::{NodeState, Outcome};
use mlp_runtime::operations::Lineage;
use mlp_runtime::registry::{Cause, NewVersion, Registry};
use mlp_runtime::store::Datum;

fn rows(evidence: Evidence) -> PortType {
    PortType::Dataset {
        schema: "Rows".to_owned(),
        evidence,
    }
}

fn model(evidence: Evidence) -> PortType {
    PortType::Model {
        model: "Scorer".to_owned(),
        evidence,
    }
}

fn operation(id: &str, operation: Operation, inputs: &[(&str, Operand, PortType)], ty: PortType) -> Node {
    let mut node = container(
        id,
        id,
        NodeKind::Operation(Box::new(operation)),
        vec![port("output", ty)],
    );
    node.inputs = inputs
        .iter()
        .map(|(name, value, ty)| Input {
            name: (*name).to_owned(),
            value: value.clone(),
            ty: ty.clone(),
        })
        .collect();
    node
}

fn check(text: &str, measure: CheckKind, minimum: Option<f64>, maximum: Option<f64>) -> Check {
    let bound = |value: f64| Bound {
        value: Value::Float(value),
        inclusive: true,
    };
    Check {
        text: text.to_owned(),
        measure,
        minimum: minimum.map(bound),
        maximum: maximum.map(bound),
    }
}

/// `rows.csv` → `raw` → `clean`.
fn read_and_validate(check: Check) -> Vec<Node> {
    let source = Operand::Value(Value::String("rows.csv".to_owned()));
    let read = Operation::Read {
        schema: "Rows".to_owned(),
    };
    let validate = Operation::Validate {
        schema: "Rows".to_owned(),
        checks: Some(Checks {
            name: "Quality".to_owned(),
            checks: vec![check],
        }),
    };
    vec![
        operation(
            "raw",
            read,
            &[("source", source, value(DataKind::String))],
            rows(Evidence::None),
        ),
        operation(
            "clean",
            validate,
            &[("data", output("raw"), rows(Evidence::None))],
            rows(Evidence::Validated),
        ),
    ]
}

/// A plan with the schema `Rows` and the model `Scorer`.
fn lifecycle(steps: Vec<mlp::plan::Step>, nodes: Vec<Node>) -> Plan {
    let column = |name: &str, kind: DataKind| Column {
        name: name.to_owned(),
        ty: DataType::plain(kind),
        tags: Vec::new(),
        docs: None,
    };
    let mut plan = plan(steps, nodes);
    let columns = [column("score", DataKind::Float), column("late", DataKind::Bool)];
    for (name, count) in [("Rows", 2), ("Input", 1)] {
        let schema = Schema {
            name: name.to_owned(),
            columns: columns[..count].to_vec(),
            incomplete: false,
        };
        plan.schemas.insert(name.to_owned(), schema);
    }
    let scorer = Model {
        name: "Scorer".to_owned(),
        docs: None,
        registry: "scores".to_owned(),
        task: Task::BinaryClassification,
        input: "Input".to_owned(),
        output: vec![RecordField {
            name: "probability".to_owned(),
            ty: DataType::plain(DataKind::Float),
        }],
        run: PythonFunction {
            file: "score.py".to_owned(),
            function: "predict".to_owned(),
        },
        packages: vec!["pandas==3.0.1".to_owned()],
    };
    plan.models.insert("Scorer".to_owned(), scorer);
    plan
}

fn write_rows(sandbox: &Sandbox, shift: i32) {
    let lines: String = (0..200)
        .map(|row| format!("0.{:03},{}\n", row + shift, row % 3 == 0))
        .collect();
    sandbox.write("rows.csv", &format!("score,late\n{lines}"));
}

/// What the trail says about a node: action and verdict.
fn trail(sandbox: &Sandbox, node: &str) -> Vec<(String, String)> {
    let links = sandbox.executor().audit_trail().read().unwrap();
    links
        .into_iter()
        .map(|link| link.entry)
        .filter(|entry| entry.node.as_deref() == Some(node))
        .map(|entry| (entry.action, entry.verdict))
        .collect()
}

fn told(action: &str, verdict: &str) -> (String, String) {
    (action.to_owned(), verdict.to_owned())
}

#[test]
fn refused_data_goes_no_further_and_the_trail_says_why() {
    let sandbox = Sandbox::new();
    write_rows(&sandbox, 0);
    let mut nodes = read_and_validate(check("rows >= 1000", CheckKind::Rows, Some(1000.0), None));
    let later = shell(
        "later",
        "echo x > $2",
        vec![port("data", rows(Evidence::Validated))],
        vec![port("output", PortType::File)],
    );
    nodes.push(call("later", &later, vec![output("clean")]));
    let outcome = sandbox.run(&lifecycle(vec![later], nodes));
    assert_eq!(outcome.outcome, Outcome::Refused);
    assert_eq!(state(&outcome, "clean"), NodeState::Refused);
    assert_eq!(state(&outcome, "later"), NodeState::Skipped);
    assert_eq!(record(&outcome, "clean").record["verdict"], "fail");
    assert_eq!(outcome.failures[0].1.details[0], "rows >= 1000: it is 200.");
    assert_eq!(trail(&sandbox, "clean"), [told("validate", "fail")]);
}

/// A folder that a step makes as its model, with a `model.json` of its own; equal bytes every time.
fn fitted() -> (mlp::plan::Step, Node) {
    let fit = shell(
        "fit",
        "mkdir $1 && printf '{\"trees\": 3}' > $1/model.json",
        Vec::new(),
        vec![port("output", model(Evidence::None))],
    );
    let node = call("fit", &fit, Vec::new());
    (fit, node)
}

fn digest(outcome: &mlp_runtime::executor::RunOutcome, node: &str) -> String {
    match &record(outcome, node).outputs["output"] {
        Datum::Artifact(artifact) => artifact.digest.clone(),
        other => panic!("{other:?} is no artifact"),
    }
}

fn metric(subject: Subject, name: &str) -> Expression {
    Expression::Metric(MetricReference {
        subject,
        metric: name.to_owned(),
        column: None,
    })
}

fn at_least(text: &str, left: Expression, right: Expression) -> Condition {
    Condition {
        text: text.to_owned(),
        expression: Expression::Binary {
            operator: BinaryOperator::GreaterEqual,
            left: Box::new(left),
            right: Box::new(right),
        },
        parameters: BTreeMap::new(),
    }
}

#[test]
fn a_gate_that_does_not_hold_refuses_the_model() {
    let sandbox = Sandbox::new();
    let (fit, fit_node) = fitted();
    let first = sandbox.run(&lifecycle(vec![fit.clone()], vec![fit_node.clone()]));
    let estimate = |value: &str| format!(r#"{{"value":{value},"low":null,"high":null,"n":10,"undefined":null}}"#);
    let metrics = format!(
        r#"{{"format":"mlp.metrics/1","model":{{"name":"Scorer","digest":"{}"}},"data":{{"digest":"d","rows":10}},
            "task":"binary_classification","metrics":{{"auc":{}}},"curves":{{}}}}"#,
        digest(&first, "fit"),
        estimate("0.6"),
    );
    sandbox.write("metrics.json", &metrics);
    let ty = PortType::Metrics {
        model: "Scorer".to_owned(),
    };
    let measure = shell(
        "measure",
        "cp metrics.json $1",
        Vec::new(),
        vec![port("output", ty.clone())],
    );
    let gate = operation(
        "gated",
        Operation::Gate {
            conditions: vec![at_least(
                "auc >= 0.7",
                metric(Subject::Candidate, "auc"),
                Expression::Value(Value::Float(0.7)),
            )],
        },
        &[
            ("model", output("fit"), model(Evidence::None)),
            ("metrics", output("measured"), ty),
        ],
        model(Evidence::Gated),
    );
    let nodes = vec![fit_node, call("measured", &measure, Vec::new()), gate];
    let outcome = sandbox.run(&lifecycle(vec![fit, measure], nodes));
    assert_eq!(outcome.outcome, Outcome::Refused, "{outcome:#?}");
    assert_eq!(state(&outcome, "gated"), NodeState::Refused);
    assert!(
        outcome.failures[0].1.details[0].contains("0.6"),
        "{:?}",
        outcome.failures
    );
    assert_eq!(trail(&sandbox, "gated"), [told("gate", "fail")]);
}

#[test]
fn a_challenge_that_is_lost_refuses_and_the_same_model_is_not_run_twice() {
    let mut sandbox = Sandbox::new();
    sandbox.options.environments = Some(Utf8PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("python"));
    sandbox.write(
        "score.py",
        "def predict(model, data):\n    assert (model / 'model.json').read_text() == '{\"trees\": 3}'\n    \
             open('predicted', 'a').write('x\\n')\n    return data['score']\n",
    );
    write_rows(&sandbox, 0);
    let (fit, fit_node) = fitted();
    let challenge = |text: &str, ahead: f64| Challenge {
        model: "Scorer".to_owned(),
        label: "late".to_owned(),
        positive: None,
        protected: Vec::new(),
        confidence: 0.95,
        conditions: vec![at_least(
            text,
            metric(Subject::Candidate, "auc"),
            Expression::Binary {
                operator: BinaryOperator::Add,
                left: Box::new(metric(Subject::Champion, "auc")),
                right: Box::new(Expression::Value(Value::Float(ahead))),
            },
        )],
    };
    let run = |challenge: Challenge| {
        let mut nodes = read_and_validate(check("rows >= 1", CheckKind::Rows, Some(1.0), None));
        nodes.push(fit_node.clone());
        nodes.push(operation(
            "proven",
            Operation::Challenge(challenge),
            &[
                ("candidate", output("fit"), model(Evidence::None)),
                ("champion", output("fit"), model(Evidence::None)),
                ("on", output("clean"), rows(Evidence::Validated)),
            ],
            model(Evidence::Proven),
        ));
        sandbox.run(&lifecycle(vec![fit.clone()], nodes))
    };
    let lost = run(challenge("candidate.auc >= champion.auc + 0.1", 0.1));
    assert_eq!(lost.outcome, Outcome::Refused, "{lost:#?}");
    assert_eq!(sandbox.marks("predicted"), 1, "one artifact predicts once");
    let even = run(challenge("candidate.auc >= champion.auc + 0", 0.0));
    assert_eq!(even.outcome, Outcome::Succeeded, "Δ is 0, exactly: {even:#?}");
    assert_eq!(record(&even, "proven").record["same_model"], true);
    assert_eq!(
        trail(&sandbox, "proven"),
        [told("challenge", "fail"), told("challenge", "pass")]
    );
}

/// Reads and validates with a drift check, and names the model whose champion gives the baseline.
fn watched() -> Plan {
    let drift = CheckKind::Drift {
        column: "score".to_owned(),
        statistic: "wasserstein".to_owned(),
    };
    let text = "drift(score, wasserstein) <= 0.05 since baseline";
    let mut nodes = read_and_validate(check(text, drift, None, Some(0.05)));
    let (fit, fit_node) = fitted();
    nodes.push(fit_node);
    nodes.push(operation(
        "champion",
        Operation::Champion {
            model: "Scorer".to_owned(),
        },
        &[("fallback", output("fit"), model(Evidence::None))],
        model(Evidence::None),
    ));
    lifecycle(vec![fit], nodes)
}

/// Registers a champion made by a run whose `clean` had this digest.
fn crown(sandbox: &Sandbox, data: String) -> u64 {
    let folder = sandbox.root().join("model");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("model.json"), "{}").unwrap();
    let registry = Registry::open(&sandbox.executor().registry_path()).unwrap();
    let lineage = Lineage {
        artifacts: BTreeMap::from([("clean.output".to_owned(), data.clone())]),
        ..Lineage::default()
    };
    let now = jiff::Timestamp::now();
    let registered = registry.register(&NewVersion {
        name: "scores",
        model: "Scorer",
        docs: None,
        folder: &folder,
        digest: &data,
        lineage: &lineage,
        at: now,
    });
    let version = registered.unwrap().version.version;
    registry
        .promote("scores", version, &Cause::by_hand(now, "promoted by hand"))
        .unwrap();
    version
}

#[test]
fn drift_is_measured_from_the_champions_data() {
    let sandbox = Sandbox::new();
    let plan = watched();
    write_rows(&sandbox, 0);
    let first = sandbox.run(&plan);
    assert_eq!(first.outcome, Outcome::Succeeded, "{first:#?}");
    assert_eq!(record(&first, "clean").record["checks"][0]["note"], "no champion yet");
    crown(&sandbox, digest(&first, "clean"));

    write_rows(&sandbox, 40);
    let near = sandbox.run(&plan);
    assert_eq!(near.outcome, Outcome::Succeeded, "{near:#?}");
    let moved = record(&near, "clean").record["checks"][0]["value"].as_f64().unwrap();
    assert!((moved - 0.04).abs() < 1e-9, "{moved}");
    let again = sandbox.run(&plan);
    assert!(record(&again, "clean").cached, "nothing has changed");

    write_rows(&sandbox, 80);
    let far = sandbox.run(&plan);
    assert_eq!(far.outcome, Outcome::Refused);
    assert_eq!(trail(&sandbox, "clean").last(), Some(&told("validate", "fail")));

    crown(&sandbox, digest(&near, "clean"));
    let beside_the_new = sandbox.run(&plan);
    assert_eq!(
        beside_the_new.outcome,
        Outcome::Succeeded,
        "0.04 from the new champion's data"
    );
}

#[test]
fn drift_from_data_that_is_gone_stops_the_run() {
    let sandbox = Sandbox::new();
    let plan = watched();
    write_rows(&sandbox, 0);
    assert_eq!(sandbox.run(&plan).outcome, Outcome::Succeeded);
    crown(&sandbox, "00ff".repeat(16));
    let outcome = sandbox.run(&plan);
    assert_eq!(outcome.outcome, Outcome::Refused);
    assert_eq!(record(&outcome, "clean").record["verdict"], "insufficient_data");
    let told_to_people = &outcome.failures[0].1.details[0];
    assert!(told_to_people.contains("no longer in the store"), "{told_to_people}");
    assert_eq!(
        trail(&sandbox, "clean").last(),
        Some(&told("validate", "insufficient_data"))
    );
}
