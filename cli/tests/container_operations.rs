//! Built-in operations as the containers of other platforms run them: a whole life cycle through messages and files, what a
//! page and the metadata show, and that a stage which does not pass says why, leaves its report, and fails.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests start the binary and look at the disk"
)]

mod container_support;
mod life_cycle;

use std::fs;
use std::process::Command;

use container_support::Platform;
use life_cycle::{FIT, PREDICT, PROGRAM, loans};
use serde_json::json;

fn platform() -> Platform {
    Platform::new(
        PROGRAM,
        &[("loans.csv", &loans(1.0)), ("loans.py", PREDICT), ("fit.sh", FIT)],
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
