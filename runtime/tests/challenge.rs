//! `challenge`: every verdict of every test, on the same rows for both models.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::result_large_err,
    reason = "a test may fail and touch files"
)]

mod lifecycle_support;

use std::sync::Arc;

use arrow::array::Float64Array;
use lifecycle_support::{Answer, Bench, binary, condition, labels, metric, number, scores};
use mlp::plan::{BinaryOperator, Challenge, Condition, Expression, Operation, Subject};
use mlp::types::Value;
use mlp_runtime::operations::{Item, OperationError, Report, Verdict};
use mlp_runtime::registry::{Registry, Stage};

fn candidate(name: &str) -> Expression {
    metric(Subject::Candidate, name, None)
}

fn champion(name: &str) -> Expression {
    metric(Subject::Champion, name, None)
}

/// `candidate.m >= champion.m - margin`
fn not_worse(name: &str, margin: f64) -> Condition {
    let right = binary(champion(name), BinaryOperator::Subtract, number(margin));
    condition("c", binary(candidate(name), BinaryOperator::GreaterEqual, right))
}

/// `candidate.m <= champion.m + margin`
fn not_higher(name: &str, margin: f64) -> Condition {
    let right = binary(champion(name), BinaryOperator::Add, number(margin));
    condition("c", binary(candidate(name), BinaryOperator::LessEqual, right))
}

fn challenge(
    bench: &Bench,
    own: &Item,
    other: &Item,
    on: &Item,
    conditions: Vec<Condition>,
) -> Result<Report, OperationError> {
    let operation = Operation::Challenge(Challenge {
        model: "Binary".to_owned(),
        label: "defaulted".to_owned(),
        positive: None,
        protected: vec!["sex".to_owned()],
        conditions,
        confidence: 0.95,
    });
    bench
        .run(operation, &[("candidate", own), ("champion", other), ("on", on)])
        .map(|(report, _)| report)
}

fn verdict(result: &Result<Report, OperationError>) -> Verdict {
    match result {
        Ok(_) => Verdict::Pass,
        Err(OperationError::Refused { verdict, .. }) => *verdict,
        Err(error) => panic!("{error:?}"),
    }
}

/// The record of the first condition's test.
fn test_of(result: &Result<Report, OperationError>) -> serde_json::Value {
    let record = match result {
        Ok(report) => &report.record,
        Err(OperationError::Refused { record, .. }) => record,
        Err(error) => panic!("{error:?}"),
    };
    record["conditions"][0]["test"].clone()
}

struct Arena {
    bench: Bench,
    data: Item,
    good: Item,
    poor: Item,
    similar: Item,
}

fn arena(rows: usize) -> Arena {
    let mut bench = Bench::new();
    let labels: Vec<bool> = labels(rows);
    let data = bench.data("test", &labels);
    let good_scores = scores(&labels, 0.4, 1);
    let slightly: Vec<f64> = good_scores
        .iter()
        .enumerate()
        .map(|(row, p)| (p + if row % 2 == 0 { 0.12 } else { -0.12 }).clamp(0.0, 1.0))
        .collect();
    let good = bench.scorer("good", &good_scores);
    let poor = bench.scorer("poor", &scores(&labels, 0.05, 2));
    let similar = bench.scorer("similar", &slightly);
    Arena {
        bench,
        data,
        good,
        poor,
        similar,
    }
}

#[test]
fn each_metric_has_its_test_and_its_three_verdicts() {
    let arena = arena(400);
    type Make = fn(&str, f64) -> Condition;
    let conditions: [(&str, &str, Make); 4] = [
        ("auc", "DeLong, paired", not_worse),
        ("accuracy", "McNemar, with Bonett and Price's interval", not_worse),
        ("brier", "paired bootstrap", not_higher),
        ("f1", "paired bootstrap", not_worse),
    ];
    for (name, method, make) in conditions {
        let Arena {
            bench,
            data,
            good,
            poor,
            similar,
        } = &arena;
        let better = challenge(bench, good, poor, data, vec![make(name, 0.01)]);
        assert_eq!(verdict(&better), Verdict::Pass, "{name}");
        assert_eq!(test_of(&better)["method"], method);
        assert!(test_of(&better)["low"].as_f64() <= test_of(&better)["difference"].as_f64());
        let worse = challenge(bench, poor, good, data, vec![make(name, 0.01)]);
        assert_eq!(verdict(&worse), Verdict::Fail, "{name}");
        let unclear = challenge(bench, similar, good, data, vec![make(name, 0.001)]);
        assert_ne!(verdict(&unclear), Verdict::Pass, "{name}");
        let tolerant = challenge(bench, similar, good, data, vec![make(name, 0.5)]);
        assert_eq!(verdict(&tolerant), Verdict::Pass, "{name}");
    }
}

#[test]
fn undecided_says_how_many_rows_would_decide() {
    let Arena {
        mut bench, data, good, ..
    } = arena(150);
    let other = bench.scorer("other", &scores(&labels(150), 0.4, 7));
    let result = challenge(&bench, &other, &good, &data, vec![not_worse("auc", 0.02)]);
    let Err(OperationError::Refused {
        verdict,
        summary,
        details,
        ..
    }) = &result
    else {
        panic!("{result:?}")
    };
    assert_eq!(*verdict, Verdict::InsufficientData);
    assert_eq!(summary, "the data cannot tell whether `c` holds");
    assert!(details[0].starts_with("? c      0."), "{details:#?}");
    assert!(
        details[0].contains(" more) would decide it, if the difference stays as it is"),
        "{details:#?}"
    );
    let test = test_of(&result);
    let gap = test["difference"].as_f64().unwrap() + 0.02;
    let needed = 150.0 * (1.644_853_626_951_472_2 * test["standard_error"].as_f64().unwrap() / gap).powi(2);
    let needed = mlp_runtime::data::words::thousands(needed.ceil() as u64);
    assert!(
        details[0].contains(&format!("about {needed} rows")),
        "{needed} {details:#?}"
    );
}

#[test]
fn the_same_model_is_no_worse_than_itself_but_not_better() {
    let Arena { bench, data, good, .. } = arena(200);
    let conditions = vec![
        not_worse("auc", 0.0),
        not_higher("latency.p95", 0.0),
        not_higher("log_loss", 0.0),
    ];
    let report = challenge(&bench, &good, &good, &data, conditions).unwrap();
    assert_eq!(
        report.summary,
        "3 conditions hold, and the candidate is the champion: the same model"
    );
    assert_eq!(report.record["same_model"], true);
    assert_eq!(report.record["conditions"][0]["test"]["difference"], 0.0);
    let better = condition("c", binary(candidate("auc"), BinaryOperator::Greater, champion("auc")));
    let result = challenge(&bench, &good, &good, &data, vec![better]);
    assert_eq!(verdict(&result), Verdict::Fail);
    assert_eq!(test_of(&result)["method"], "identical predictions");
}

#[test]
fn superiority_and_every_spelling_are_understood() {
    let Arena {
        bench,
        data,
        good,
        poor,
        ..
    } = arena(400);
    let difference = binary(candidate("auc"), BinaryOperator::Subtract, champion("auc"));
    let spellings = [
        binary(candidate("auc"), BinaryOperator::Greater, champion("auc")),
        binary(champion("auc"), BinaryOperator::LessEqual, candidate("auc")),
        binary(
            binary(champion("auc"), BinaryOperator::Subtract, number(0.01)),
            BinaryOperator::Less,
            candidate("auc"),
        ),
        binary(difference, BinaryOperator::GreaterEqual, number(0.05)),
    ];
    for expression in spellings {
        let result = challenge(&bench, &good, &poor, &data, vec![condition("c", expression.clone())]);
        assert_eq!(verdict(&result), Verdict::Pass, "{expression:?}");
        assert_eq!(test_of(&result)["method"], "DeLong, paired");
        let result = challenge(&bench, &poor, &good, &data, vec![condition("c", expression.clone())]);
        assert_eq!(verdict(&result), Verdict::Fail, "{expression:?}");
    }
}

#[test]
fn other_conditions_are_taken_at_their_values() {
    let Arena {
        bench,
        data,
        good,
        poor,
        ..
    } = arena(400);
    let scaled = binary(champion("auc"), BinaryOperator::Multiply, number(0.99));
    let conditions = vec![
        condition(
            "candidate.auc >= 0.6",
            binary(candidate("auc"), BinaryOperator::GreaterEqual, number(0.6)),
        ),
        condition("scaled", binary(candidate("auc"), BinaryOperator::GreaterEqual, scaled)),
    ];
    let report = challenge(&bench, &good, &poor, &data, conditions.clone()).unwrap();
    assert!(report.record["conditions"][0]["metrics"]["auc"].as_f64().unwrap() > 0.6);
    assert!(report.record["conditions"][1].get("test").is_none());
    assert_eq!(
        verdict(&challenge(&bench, &poor, &good, &data, conditions)),
        Verdict::Fail
    );
}

#[test]
fn latency_is_compared_by_measured_predictions() {
    let Arena {
        mut bench, data, good, ..
    } = arena(200);
    let column = || Arc::new(Float64Array::from(scores(&labels(200), 0.4, 1)));
    let slow = bench.model("slow", Answer::Column("probability", column(), 9.0));
    let margin = Expression::Value(Value::Duration(1));
    let right = binary(champion("latency.p95"), BinaryOperator::Add, margin);
    let conditions = vec![condition(
        "c",
        binary(candidate("latency.p95"), BinaryOperator::LessEqual, right),
    )];
    let result = challenge(&bench, &slow, &good, &data, conditions.clone());
    assert_eq!(verdict(&result), Verdict::Fail);
    assert_eq!(test_of(&result)["n"], 300);
    assert_eq!(
        verdict(&challenge(&bench, &good, &slow, &data, conditions)),
        Verdict::Pass
    );
}

#[test]
fn few_rows_show_nothing() {
    let Arena {
        bench,
        data,
        good,
        poor,
        ..
    } = arena(24);
    let result = challenge(&bench, &good, &poor, &data, vec![not_worse("brier", 10.0)]);
    assert_eq!(verdict(&result), Verdict::InsufficientData);
    assert_eq!(
        test_of(&result)["reason"],
        "24 paired rows; a comparison takes at least 30"
    );
    let rare = {
        let mut bench = Bench::new();
        let labels: Vec<bool> = (0..200).map(|row| row < 5).collect();
        let data = bench.data("rare", &labels);
        let (good, poor) = (
            bench.scorer("good", &scores(&labels, 0.9, 1)),
            bench.scorer("poor", &scores(&labels, 0.0, 2)),
        );
        challenge(&bench, &good, &poor, &data, vec![not_worse("auc", 0.01)])
    };
    assert_eq!(verdict(&rare), Verdict::InsufficientData);
    assert_eq!(
        test_of(&rare)["reason"],
        "5 rows of the rarer class; the test takes at least 10"
    );
}

#[test]
fn an_undefined_metric_is_undecided_and_named() {
    let Arena {
        bench,
        data,
        good,
        poor,
        ..
    } = arena(300);
    let fair = |subject| metric(subject, "equal_opportunity", Some("sex"));
    let claim = binary(
        fair(Subject::Candidate),
        BinaryOperator::LessEqual,
        fair(Subject::Champion),
    );
    let result = challenge(&bench, &good, &poor, &data, vec![condition("c", claim)]);
    assert_eq!(verdict(&result), Verdict::InsufficientData);
    let reason = "the candidate's equal_opportunity(sex): in group `female` no row has a positive label";
    assert_eq!(test_of(&result)["reason"], reason);
}

#[test]
fn an_unknown_metric_is_a_mistake() {
    let Arena {
        bench,
        data,
        good,
        poor,
        ..
    } = arena(100);
    let error = challenge(&bench, &good, &poor, &data, vec![not_worse("rmse", 0.0)]).unwrap_err();
    assert_eq!(error.to_string(), "The model has no metric `rmse` on this data.");
}

#[test]
fn a_first_release_must_beat_the_baseline() {
    let Arena {
        bench,
        data,
        good,
        poor,
        ..
    } = arena(400);
    let prior = Operation::Prior {
        model: "Binary".to_owned(),
        label: "defaulted".to_owned(),
        positive: None,
    };
    let (_, path) = bench.run(prior, &[("data", &data)]).unwrap();
    let baseline = Item::Artifact {
        path,
        digest: "prior".to_owned(),
    };
    let champion_operation = Operation::Champion {
        model: "Binary".to_owned(),
    };
    let (told, path) = bench.run(champion_operation, &[("fallback", &baseline)]).unwrap();
    assert_eq!(told.summary, "the fallback, since `credit-risk` has no champion yet");
    let fallback = Item::Artifact {
        path,
        digest: "prior".to_owned(),
    };
    let better = || condition("c", binary(candidate("auc"), BinaryOperator::Greater, champion("auc")));
    let won = challenge(&bench, &good, &fallback, &data, vec![better()]);
    assert_eq!(verdict(&won), Verdict::Pass);
    assert_eq!(test_of(&won)["champion"], 0.5);
    let registry = Registry::open(&bench.registry()).unwrap();
    let evidence = registry.evidence("digest-of-good", Stage::Challenge).unwrap().unwrap();
    assert_eq!(evidence["champion"], "prior");
    let lost = challenge(
        &bench,
        &poor,
        &fallback,
        &data,
        vec![condition(
            "c",
            binary(
                candidate("auc"),
                BinaryOperator::GreaterEqual,
                binary(champion("auc"), BinaryOperator::Add, number(0.2)),
            ),
        )],
    );
    assert_eq!(verdict(&lost), Verdict::Fail);
}
