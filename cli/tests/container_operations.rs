//! Built-in operations as the containers of other platforms run them: a whole life cycle through messages and files, what a
//! page and the metadata show, and that a stage which does not pass says why, leaves its report, and fails.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests start the binary and look at the disk"
)]

mod container_support;

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use container_support::Platform;
use serde_json::json;

const PROGRAM: &str = r#"
use std::data::{mask, read, split}
use std::model::{evaluate, predict, prior}

schema Loan {
  id: int @key
  amount: float > 0
  sex: enum { female, male }
  defaulted: bool @label
}

checks LoanQuality on Loan {
  rows in 10..=5_000
  drift(amount, psi) < 0.2 since baseline
}

features LoanFeatures from Loan {
  keep { id, amount, defaulted }
  group = if sex == female { "f" } else { "m" } @protected
  log_amount = ln(amount)
}

model LoanModel {
  registry: "loan-risk"
  task:     binary_classification
  input:    LoanFeatures without { @label, @protected, @key }
  output:   { probability: float in 0..=1 }
  run:      python "loans.py:predict"
}

step fit(data: validated Dataset<LoanFeatures>, share: float in 0..=1) -> LoanModel {
  run: command ["sh", "./fit.sh", "{share}", "{data}", "{output}"]
}

service LoanApi for LoanModel { platform: local }

pipeline loans(source: string = "loans.csv", worst: float = 0.9, share: float in 0..=1 = 0.3) {
  let raw = read<Loan>(source)
  let clean = validate(raw, LoanQuality)
  let rows = LoanFeatures(clean)
  let parts = split(rows, test: 25%, seed: 42)
  let model = fit(parts.train, share)
  let scores = evaluate(model, parts.test)
  let gated = gate(model, scores) {
    log_loss <= worst
    latency.p95 <= 20s
  }
  let proven = challenge(gated, champion(LoanModel, fallback: prior(parts.train)), on: parts.test) {
    candidate.log_loss <= champion.log_loss + 1.0
  }
  deploy(register(proven), to: LoanApi)
}
"#;

/// A model that always says the same, in the form that needs no Python.
const FIT: &str = r#"set -e
test -s "$2"
mkdir "$3"
printf '{"format":"prior","task":"binary_classification","values":{"probability":%s}}' "$1" > "$3/model.json"
"#;

fn loans(scale: f64) -> String {
    let mut text = "id,amount,sex,defaulted\n".to_owned();
    for row in 0..400_u32 {
        let amount = f64::from(row * 7919 % 1000 + 1) * scale;
        let (sex, defaulted) = (["female", "male"][(row % 2) as usize], row % 10 < 3);
        writeln!(text, "{row},{amount},{sex},{defaulted}").unwrap();
    }
    text
}

fn platform() -> Platform {
    Platform::new(
        PROGRAM,
        &[
            ("loans.csv", &loans(1.0)),
            ("loans.py", "def predict(model, data):\n    return data\n"),
            ("fit.sh", FIT),
        ],
    )
}

#[test]
fn a_model_goes_all_the_way_into_service_and_the_next_run_knows_it() {
    let mut platform = platform();
    let registry = platform.root.join("shared");
    let shared = |command: &mut Command| {
        command.env("MLP_REGISTRY", &registry);
    };
    let ended = platform.run_all(shared);
    for (node, end) in &ended {
        assert!(end.ok, "{node}: {}", end.stderr);
    }
    assert_eq!(ended.len(), platform.graph().nodes.len());
    assert_eq!(ended["raw"].metadata("output")["rows"], json!(400));
    let page = ended["clean"].read("report");
    assert!(page.contains("✓ passed: 400 rows"), "{page}");
    assert!(
        page.contains("no baseline") || page.contains("no champion yet"),
        "{page}"
    );
    let metrics = ended["scores"].metadata("output");
    assert!(metrics["log_loss"].as_f64().unwrap() > 0.0, "{metrics}");
    assert_eq!(metrics["rows"], json!(100));
    let curves = ended["scores"].metadata("curves");
    assert_eq!(
        curves["confusionMatrix"]["annotationSpecs"][1]["displayName"],
        "positive"
    );
    let counted = curves["confusionMatrix"]["rows"].as_array().unwrap().iter();
    let counted: u64 = counted
        .flat_map(|row| row["row"].as_array().unwrap())
        .map(|cell| cell.as_u64().unwrap())
        .sum();
    assert_eq!(counted, 100);
    assert!(
        curves["confidenceMetrics"][0]["confidenceThreshold"].is_number(),
        "{curves}"
    );
    assert!(ended["scores"].read("report").contains("demographic_parity(group)"));
    assert!(ended["gated"].read("report").contains("| ✓ | `log_loss <= worst` |"));
    let registered = ended["deploy.register"].metadata("output");
    assert_eq!(
        (&registered["name"], &registered["version"]),
        (&json!("loan-risk"), &json!(1))
    );
    assert!(ended["deploy"].read("report").contains("LoanApi"));
    assert!(registry.join("deployments/LoanApi.json").exists());
    let trail = fs::read_to_string(registry.join("audit.jsonl")).unwrap();
    let actions = ["validate", "gate", "challenge", "register", "deploy"];
    assert_eq!(trail.lines().count(), actions.len(), "{trail}");

    platform.begin("run-2");
    fs::write(platform.root.join("loans.csv"), loans(50.0)).unwrap();
    let ended = platform.run_all(shared);
    let clean = &ended["clean"];
    assert!(!clean.ok, "amounts fifty times as large have drifted");
    assert!(
        clean.stderr.contains("drift(amount, psi) < 0.2 since baseline: it is"),
        "{}",
        clean.stderr
    );
    assert!(clean.read("report").contains("✗"), "{}", clean.read("report"));

    platform.begin("run-3");
    fs::write(platform.root.join("loans.csv"), loans(1.0)).unwrap();
    platform.parameters.insert("share".to_owned(), json!(0.31));
    let ended = platform.run_all(shared);
    for (node, end) in &ended {
        assert!(end.ok, "{node}: {}", end.stderr);
    }
    assert_eq!(ended["deploy.register"].metadata("output")["version"], json!(2));
}

#[test]
fn a_model_that_is_not_good_enough_is_refused_with_its_report() {
    let mut platform = platform();
    platform.parameters.insert("worst".to_owned(), json!(0.01));
    let ended = platform.run_all(|_| {});
    let gated = &ended["gated"];
    assert_eq!(gated.code, Some(1));
    assert!(gated.stderr.contains("✗ gated did not pass"), "{}", gated.stderr);
    assert!(gated.stderr.contains("log_loss <= worst"), "{}", gated.stderr);
    let page = gated.read("report");
    assert!(page.contains("✗ did not pass: "), "{page}");
    assert!(
        page.contains("| ✗ | `log_loss <= worst` |") && page.contains("| ✓ | `latency.p95 <= 20s` |"),
        "{page}"
    );
    assert_eq!(gated.metadata("numbers")["verdict"], "fail");
    assert!(gated.metadata("output").is_null(), "there is no gated model");
    assert!(!ended.contains_key("proven"));
}

#[test]
fn dirty_data_is_refused_with_rows_and_examples() {
    let mut platform = platform();
    let dirty = loans(1.0).replacen("1,", "1,-", 1).replace("male\n", "unknown\n");
    fs::write(platform.root.join("loans.csv"), format!("{dirty}400,-5,male,true\n")).unwrap();
    let ended = platform.run_all(|_| {});
    let clean = &ended["clean"];
    assert_eq!(clean.code, Some(1));
    assert!(clean.stderr.contains("amount"), "{}", clean.stderr);
    let page = clean.read("report");
    assert!(page.contains("| ✗ | `amount") && page.contains("-5"), "{page}");
    assert_eq!(clean.metadata("numbers")["verdict"], "fail");
}

#[test]
fn what_needs_a_registry_says_so() {
    let mut platform = platform();
    let ended = platform.run_all(|_| {});
    let champion = &ended["proven.champion"];
    assert_eq!(champion.code, Some(1));
    assert!(
        champion.stderr.contains("`MLP_REGISTRY` names no folder"),
        "{}",
        champion.stderr
    );
    assert!(champion.stderr.contains("registry_claim"), "{}", champion.stderr);
}

#[test]
fn a_missing_file_and_a_wrong_call_are_told() {
    let mut platform = platform();
    platform.parameters.insert("source".to_owned(), json!("nothing.csv"));
    let ended = platform.run_all(|_| {});
    assert!(ended["raw"].stderr.contains("nothing.csv"), "{}", ended["raw"].stderr);

    let read = platform.node("raw");
    let folder = platform.root.join("wrong");
    let output = platform
        .command(&read, &folder)
        .args(["--executor-input", "{"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let output = container_support::mlp()
        .args(["op", "gate", "--executor-input", "{}", "--task"])
        .arg(format!("@{}", folder.join("task.json").display()))
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.contains("its node `raw` is no `gate`"), "{stderr}");
}
