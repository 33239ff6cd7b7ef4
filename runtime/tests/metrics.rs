//! Our metrics and tests against scikit-learn, SciPy and fairlearn, on the same data.
//!
//! The Python environment is built once from a locked list of packages, below the target folder. Where it cannot be built,
//! the test fails: a comparison that is skipped shows nothing.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may fail and touch files"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use mlp_runtime::metrics::{Evaluation, Grouping, MetricId, Sample, binary, fairness, latency, multiclass, regression};
use mlp_runtime::statistics::{Placements, mcnemar, paired_proportions, wilson};
use serde_json::Value;

const REQUIREMENTS: &str = include_str!("metrics/requirements.txt");

static REFERENCE: LazyLock<Value> = LazyLock::new(|| {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/metrics/reference.py");
    let output = run(Command::new(environment().join("bin/python")).arg(script));
    serde_json::from_str(&output).expect("the reference prints JSON")
});

/// The environment for the locked packages, built unless it is there.
fn environment() -> PathBuf {
    let hash = blake3::hash(REQUIREMENTS.as_bytes()).to_hex();
    let base = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = base.join(format!("metrics-reference-{}", &hash[..16]));
    // Two test processes must not build at once.
    let lock = fs::File::create(base.join("metrics-reference.lock")).unwrap();
    lock.lock().unwrap();
    let complete = folder.join("complete");
    if !complete.exists() {
        let python = ["python3.11", "python3"].into_iter().find(|python| {
            Command::new(python)
                .arg("--version")
                .output()
                .is_ok_and(|output| output.status.success())
        });
        let python = python.expect("the metrics are compared with scikit-learn, which takes python3.11 or newer");
        run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder));
        let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/metrics/requirements.txt");
        run(Command::new(folder.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--require-hashes", "--requirement"])
            .arg(requirements));
        fs::write(complete, "").unwrap();
    }
    folder
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn close(what: &str, ours: f64, theirs: f64) {
    let tolerance = 1e-9 * theirs.abs().max(1e-3);
    assert!(
        (ours - theirs).abs() <= tolerance,
        "{what}: ours {ours}, theirs {theirs}"
    );
}

fn cases(name: &str) -> &'static [Value] {
    let cases = REFERENCE[name].as_array().unwrap();
    assert!(!cases.is_empty());
    cases
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn expected(value: &Value) -> BTreeMap<&str, f64> {
    value
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_f64().unwrap()))
        .collect()
}

fn booleans(value: &Value) -> Vec<bool> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|label| label.as_bool().unwrap())
        .collect()
}

/// Compares every metric of the evaluation; the reference must know them all, and none besides.
fn compare(evaluation: &Evaluation, column: Option<&str>, theirs: &BTreeMap<&str, f64>) {
    let once = vec![1; evaluation.sample.rows()];
    let ours: BTreeSet<MetricId> = evaluation.catalogue().into_iter().map(|(id, _)| id).collect();
    let ours: Vec<_> = ours.into_iter().filter(|id| id.column.as_deref() == column).collect();
    let names: Vec<&str> = ours.iter().map(|id| id.name.as_str()).collect();
    assert_eq!(names, theirs.keys().copied().collect::<Vec<_>>());
    for id in &ours {
        let measure = evaluation.measure(id, &once).unwrap().unwrap();
        close(&id.to_string(), measure, theirs[id.name.as_str()]);
    }
}

#[test]
fn binary_classification_agrees() {
    for case in cases("binary") {
        let sample = binary::Sample::new(booleans(&case["labels"]), numbers(&case["probabilities"]));
        let groups = case["groups"].as_array().unwrap().iter();
        let groups: Vec<_> = groups.map(|group| group.as_str().map(str::to_owned)).collect();
        let evaluation = Evaluation {
            sample: Sample::Binary(sample),
            groupings: vec![Grouping::by_value("sex", &groups)],
        };
        compare(&evaluation, None, &expected(&case["expected"]));
        compare(&evaluation, Some("sex"), &expected(&case["fairness"]));
    }
    assert_eq!(fairness::METRICS.len(), 9);
}

#[test]
fn multiclass_classification_agrees() {
    for case in cases("multiclass") {
        let classes = case["classes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|class| class.as_str().unwrap().to_owned());
        let labels = case["labels"].as_array().unwrap().iter();
        let labels = labels.map(|label| usize::try_from(count(label)).unwrap()).collect();
        let sample = multiclass::Sample::new(classes.collect(), labels, numbers(&case["probabilities"]));
        let evaluation = Evaluation {
            sample: Sample::Multiclass(sample),
            groupings: Vec::new(),
        };
        compare(&evaluation, None, &expected(&case["expected"]));
    }
}

#[test]
fn regression_agrees() {
    for case in cases("regression") {
        let sample = regression::Sample::new(numbers(&case["labels"]), numbers(&case["predictions"]));
        let evaluation = Evaluation {
            sample: Sample::Regression(sample),
            groupings: Vec::new(),
        };
        compare(&evaluation, None, &expected(&case["expected"]));
    }
}

#[test]
fn delong_agrees_with_all_pairs() {
    for case in cases("binary") {
        let labels = booleans(&case["labels"]);
        let own = Placements::new(&labels, &numbers(&case["probabilities"])).unwrap();
        let rival = Placements::new(&labels, &numbers(&case["rival"])).unwrap();
        close("auc", own.auc(), case["expected"]["auc"].as_f64().unwrap());
        close("variance", own.variance(), case["delong"]["variance"].as_f64().unwrap());
        let difference = case["delong"]["variance_of_difference"].as_f64().unwrap();
        close(
            "variance of the difference",
            own.variance_of_difference(&rival),
            difference,
        );
    }
}

#[test]
fn mcnemar_agrees() {
    for case in cases("mcnemar") {
        let ours = mcnemar(count(&case["b"]), count(&case["c"]));
        close(&case.to_string(), ours.p_value, case["p"].as_f64().unwrap());
    }
}

#[test]
fn intervals_agree() {
    for case in cases("wilson") {
        let ours = wilson(count(&case["successes"]), count(&case["trials"]), 0.95).unwrap();
        close(&case.to_string(), ours.low, case["low"].as_f64().unwrap());
        close(&case.to_string(), ours.high, case["high"].as_f64().unwrap());
    }
    for case in cases("paired") {
        let ours = paired_proportions(count(&case["b"]), count(&case["c"]), count(&case["rows"]));
        close(&case.to_string(), ours.centre, case["centre"].as_f64().unwrap());
        close(&case.to_string(), ours.standard_error, case["error"].as_f64().unwrap());
    }
}

#[test]
fn latency_agrees() {
    for case in cases("latency") {
        let values = numbers(&case["values"]);
        for percentile in latency::PERCENTILES {
            let ours = latency::percentile(&values, percentile.quantile);
            close(
                percentile.name,
                ours.value.unwrap(),
                case["expected"][percentile.name].as_f64().unwrap(),
            );
            assert!(ours.low.is_none_or(|low| low <= ours.value.unwrap()), "{ours}");
            assert!(ours.high.is_none_or(|high| high >= ours.value.unwrap()), "{ours}");
        }
    }
}
