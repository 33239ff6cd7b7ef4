//! `prior`, `predict`, `evaluate` and `gate`, with a predictor that says what it is told.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::result_large_err,
    reason = "a test may fail and touch files"
)]

mod lifecycle_support;

use std::fs;
use std::sync::Arc;

use arrow::array::{Array, AsArray, Float64Array, StringArray};
use arrow::datatypes::Float64Type;
use lifecycle_support::{Answer, Bench, artifact, binary, condition, labels, metric, number, parameter, scores};
use mlp::plan::{BinaryOperator, Condition, Expression, Operation, Subject};
use mlp::types::Value;
use mlp_runtime::data::dataset::{Dataset, Wanted};
use mlp_runtime::metrics::MetricsReport;
use mlp_runtime::operations::{Item, OperationError, Verdict};
use mlp_runtime::registry::{Registry, Stage};

fn report(item: &Item) -> MetricsReport {
    let Item::Artifact { path, .. } = item else { panic!() };
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn floats(path: &camino::Utf8Path, name: &str) -> Vec<f64> {
    let data = Dataset::open(path).unwrap();
    let wanted = [Wanted {
        name: name.to_owned(),
        ty: arrow::datatypes::DataType::Float64,
    }];
    let cancelled = std::sync::atomic::AtomicBool::new(false);
    let batches = data.read(&wanted, None, &cancelled).unwrap();
    batches
        .flat_map(|batch| {
            batch
                .unwrap()
                .records
                .column(0)
                .as_primitive::<Float64Type>()
                .values()
                .to_vec()
        })
        .collect()
}

#[test]
fn evaluate_tells_everything_about_this_model_on_this_data() {
    let mut bench = Bench::new();
    let labels = labels(300);
    let data = bench.data("test", &labels);
    let model = bench.scorer("fit", &scores(&labels, 0.4, 1));
    let (told, metrics) = bench.evaluate(&model, &data).unwrap();
    let report = report(&metrics);
    assert_eq!(report.model.digest, "digest-of-fit");
    assert_eq!(report.data.rows, 300);
    assert!(told.summary.starts_with("auc 0."), "{}", told.summary);
    assert!(told.summary.ends_with(" on 300 rows"), "{}", told.summary);
    let auc = &report.metrics["auc"];
    assert!(
        auc.low.unwrap() < auc.value.unwrap() && auc.value.unwrap() < auc.high.unwrap(),
        "{auc}"
    );
    assert!(report.metrics["latency.p99"].value.is_some());
    let sex = &report.groups[0];
    assert_eq!(
        sex.groups
            .iter()
            .map(|group| (group.name.as_str(), group.rows))
            .collect::<Vec<_>>(),
        [("female", 100), ("male", 200)]
    );
    assert!(
        sex.groups[0].metrics["auc"].undefined.is_some(),
        "no woman in this data defaulted"
    );
    assert!(sex.fairness["demographic_parity"].value.is_some());
    let reason = sex.fairness["equal_opportunity"].undefined.as_deref().unwrap();
    assert_eq!(reason, "in group `female` no row has a positive label");
    assert_eq!(report.groups[1].groups.len(), 4, "ages by quartile");
    assert_eq!(report.curves.confusion.iter().flatten().sum::<u64>(), 300);
    assert_eq!(report.curves.roc.first().unwrap().2, None);
    assert_eq!(told.record["metrics"]["auc"]["n"], 300);
}

#[test]
fn evaluate_gives_equal_bytes_for_equal_data() {
    let mut bench = Bench::new();
    let labels = labels(120);
    let data = bench.data("test", &labels);
    let model = bench.scorer("fit", &scores(&labels, 0.4, 1));
    let (first, second) = (
        bench.evaluate(&model, &data).unwrap().1,
        bench.evaluate(&model, &data).unwrap().1,
    );
    let digest = |item: Item| match item {
        Item::Artifact { digest, .. } => digest,
        Item::Value(_) | Item::List(_) => panic!(),
    };
    assert_eq!(digest(first), digest(second));
}

#[test]
fn a_model_that_answers_nonsense_is_told_so() {
    let mut bench = Bench::new();
    let data = bench.data("test", &labels(60));
    let mut bad = vec![0.5; 60];
    bad[16] = 1.3;
    let mut nan = vec![0.5; 60];
    nan[1] = f64::NAN;
    for (name, probabilities, expected) in [
        (
            "outside",
            bad,
            "The model `CreditModel` gave 1.3 as `probability` for row 17.",
        ),
        (
            "nan",
            nan,
            "The model `CreditModel` gave NaN as `probability` for row 2.",
        ),
        (
            "short",
            vec![0.5; 59],
            "The model `CreditModel` gave 59 predictions for 60 rows.",
        ),
    ] {
        let model = bench.scorer(name, &probabilities);
        let error = bench.evaluate(&model, &data).unwrap_err();
        let OperationError::Input { summary, help } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(summary, expected);
        assert!(help.contains("must return"), "{help}");
    }
    let model = bench.model("raises", Answer::Raises);
    let error = bench.evaluate(&model, &data).unwrap_err();
    assert!(
        matches!(&error, OperationError::Predict(error) if error.details == ["credit.py:12"]),
        "{error:?}"
    );
}

#[test]
fn an_absent_label_is_told_with_its_row() {
    let mut bench = Bench::new();
    let path = bench.root.join("test.parquet");
    let batch = arrow::array::RecordBatch::try_from_iter([
        (
            "income",
            Arc::new(Float64Array::from(vec![1.0, 2.0])) as arrow::array::ArrayRef,
        ),
        ("age", Arc::new(arrow::array::Int64Array::from(vec![1, 2]))),
        (
            "defaulted",
            Arc::new(arrow::array::BooleanArray::from(vec![Some(true), None])),
        ),
    ]);
    lifecycle_support::write(&path, &batch.unwrap());
    let model = bench.scorer("fit", &[0.5, 0.5]);
    let operation = Operation::Evaluate {
        model: "Binary".to_owned(),
        label: "defaulted".to_owned(),
        positive: None,
        protected: Vec::new(),
    };
    let error = bench
        .run(operation, &[("model", &model), ("data", &artifact(path))])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "Row 2: the column `defaulted` is absent, so the row cannot be scored."
    );
}

#[test]
fn a_text_label_needs_a_positive_value() {
    let mut bench = Bench::new();
    let labels = labels(90);
    let data = bench.data("test", &labels);
    let model = bench.scorer("fit", &scores(&labels, 1.0, 1));
    let operation = |positive| Operation::Evaluate {
        model: "Binary".to_owned(),
        label: "animal".to_owned(),
        positive,
        protected: Vec::new(),
    };
    let inputs = [("model", &model), ("data", &data)];
    let error = bench.run(operation(None), &inputs).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Nothing says which value of the label `animal` counts as positive."
    );
    let (told, _) = bench
        .run(operation(Some(Value::Enum("dog".to_owned()))), &inputs)
        .unwrap();
    assert_eq!(told.record["metrics"]["auc"]["value"], 1.0);
}

#[test]
fn the_prior_predicts_the_distribution_without_python() {
    let bench = Bench::new();
    let data = bench.data("train", &labels(90));
    for (model, label, metric, value) in [
        ("Binary", "defaulted", "auc", 0.5),
        ("Multi", "animal", "auc.ovr_macro", 0.5),
        ("Number", "amount", "r2", 0.0),
    ] {
        let prior = Operation::Prior {
            model: model.to_owned(),
            label: label.to_owned(),
            positive: None,
        };
        let (_, folder) = bench.run(prior, &[("data", &data)]).unwrap();
        let baseline = Item::Artifact {
            path: folder,
            digest: "prior".to_owned(),
        };
        let evaluate = Operation::Evaluate {
            model: model.to_owned(),
            label: label.to_owned(),
            positive: None,
            protected: Vec::new(),
        };
        let (told, _) = bench.run(evaluate, &[("model", &baseline), ("data", &data)]).unwrap();
        let found = told.record["metrics"][metric]["value"].as_f64().unwrap();
        assert!((found - value).abs() < 1e-12, "{metric} {found}");
        assert!(told.record["metrics"]["latency.p50"]["value"].as_f64().is_some());
    }
}

#[test]
fn the_prior_of_no_rows_is_refused() {
    let bench = Bench::new();
    let data = bench.data("train", &[]);
    let prior = Operation::Prior {
        model: "Binary".to_owned(),
        label: "defaulted".to_owned(),
        positive: None,
    };
    let error = bench.run(prior, &[("data", &data)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "The data has no rows, so the label `defaulted` has no distribution."
    );
}

#[test]
fn predict_adds_the_output_beside_the_data() {
    let mut bench = Bench::new();
    let labels = labels(40_000);
    let probabilities = scores(&labels, 0.4, 1);
    let data = bench.data("rows", &labels);
    let model = bench.scorer("fit", &probabilities);
    let predict = Operation::Predict {
        model: "Binary".to_owned(),
    };
    let (told, path) = bench.run(predict, &[("model", &model), ("data", &data)]).unwrap();
    assert_eq!(told.summary, "40,000 rows, probability added");
    assert_eq!(floats(&path, "probability"), probabilities);
    assert_eq!(floats(&path, "income"), (0..40_000).map(f64::from).collect::<Vec<_>>());
}

fn gate(bench: &Bench, model: &Item, metrics: &Item, conditions: Vec<Condition>) -> Result<String, OperationError> {
    let parameters = [("min_auc", &Item::Value(Value::Float(0.7)))];
    let mut inputs = vec![("model", model), ("metrics", metrics)];
    inputs.extend(parameters);
    let (report, path) = bench.run(Operation::Gate { conditions }, &inputs)?;
    assert_eq!(
        fs::read_to_string(path.join("model.json")).unwrap(),
        "fit",
        "the same model comes out"
    );
    Ok(report.summary)
}

fn at_least(name: &str, right: Expression) -> Expression {
    binary(
        metric(Subject::Candidate, name, None),
        BinaryOperator::GreaterEqual,
        right,
    )
}

fn at_most(name: &str, column: Option<&str>, right: Expression) -> Expression {
    binary(
        metric(Subject::Candidate, name, column),
        BinaryOperator::LessEqual,
        right,
    )
}

struct Gated {
    bench: Bench,
    model: Item,
    metrics: Item,
}

fn gated() -> Gated {
    let mut bench = Bench::new();
    let labels = labels(300);
    let data = bench.data("test", &labels);
    let model = bench.scorer("fit", &scores(&labels, 0.4, 1));
    let metrics = bench.evaluate(&model, &data).unwrap().1;
    Gated { bench, model, metrics }
}

#[test]
fn a_gate_passes_the_same_model_and_keeps_evidence() {
    let Gated { bench, model, metrics } = gated();
    let conditions = vec![
        condition("auc >= min_auc", at_least("auc", parameter("min_auc"))),
        condition(
            "latency.p95 <= 20ms",
            at_most("latency.p95", None, Expression::Value(Value::Duration(20))),
        ),
    ];
    assert_eq!(gate(&bench, &model, &metrics, conditions).unwrap(), "2 conditions hold");
    let registry = Registry::open(&bench.registry()).unwrap();
    let evidence = registry.evidence("digest-of-fit", Stage::Gate).unwrap().unwrap();
    assert_eq!(evidence["verdict"], "pass");
    assert_eq!(evidence["conditions"][0]["values"]["min_auc"], 0.7);
    assert_eq!(evidence["metrics"]["model"]["digest"], "digest-of-fit");
}

#[test]
fn a_gate_refuses_and_tells_every_condition() {
    let Gated { bench, model, metrics } = gated();
    let conditions = vec![
        condition("auc >= 0.99", at_least("auc", number(0.99))),
        condition("brier <= 0.5", at_most("brier", None, number(0.5))),
        condition(
            "equal_opportunity(sex) <= 0.1",
            at_most("equal_opportunity", Some("sex"), number(0.1)),
        ),
    ];
    let error = gate(&bench, &model, &metrics, conditions).unwrap_err();
    let OperationError::Refused {
        verdict,
        summary,
        details,
        record,
    } = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!(*verdict, Verdict::Fail);
    assert_eq!(summary, "`auc >= 0.99` does not hold");
    assert!(
        details[0].starts_with("✗ auc >= 0.99                        0."),
        "{details:#?}"
    );
    assert!(details[0].ends_with(", n = 300"), "{details:#?}");
    assert!(
        details[1].starts_with("✓ brier <= 0.5                       0."),
        "{details:#?}"
    );
    assert_eq!(
        details[2],
        "? equal_opportunity(sex) <= 0.1      undefined: in group `female` no row has a positive label"
    );
    assert_eq!(record["conditions"].as_array().unwrap().len(), 3);
    let registry = Registry::open(&bench.registry()).unwrap();
    assert_eq!(registry.evidence("digest-of-fit", Stage::Gate).unwrap(), None);
}

#[test]
fn what_the_data_cannot_tell_does_not_pass() {
    let Gated { bench, model, metrics } = gated();
    let unknown = || at_most("equal_opportunity", Some("sex"), number(0.1));
    let negated = Expression::Unary {
        operator: mlp::plan::UnaryOperator::Not,
        operand: Box::new(unknown()),
    };
    let or_false = binary(unknown(), BinaryOperator::Or, at_least("auc", number(0.99)));
    let substituted = binary(
        binary(
            metric(Subject::Candidate, "equal_opportunity", Some("sex")),
            BinaryOperator::Coalesce,
            number(0.0),
        ),
        BinaryOperator::LessEqual,
        number(0.1),
    );
    for expression in [unknown(), negated, or_false, substituted] {
        let error = gate(&bench, &model, &metrics, vec![condition("c", expression)]).unwrap_err();
        let OperationError::Refused { verdict, summary, .. } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(*verdict, Verdict::InsufficientData);
        assert_eq!(summary, "the data cannot tell whether `c` holds");
    }
    let decided = binary(unknown(), BinaryOperator::Or, at_least("auc", number(0.6)));
    assert!(
        gate(&bench, &model, &metrics, vec![condition("c", decided)]).is_ok(),
        "true or unknown is true"
    );
}

#[test]
fn conditions_may_calculate() {
    let Gated { bench, model, metrics } = gated();
    let between = Expression::Between {
        value: Box::new(metric(Subject::Candidate, "auc", None)),
        low: Some(Box::new(number(0.6))),
        high: Some(Box::new(number(1.0))),
        inclusive: true,
    };
    let sum = binary(
        metric(Subject::Candidate, "recall", None),
        BinaryOperator::Add,
        metric(Subject::Candidate, "specificity", None),
    );
    let conditions = vec![
        condition("auc in 0.6..=1", between),
        condition(
            "recall + specificity > 1",
            binary(sum, BinaryOperator::Greater, number(1.0)),
        ),
    ];
    assert_eq!(gate(&bench, &model, &metrics, conditions).unwrap(), "2 conditions hold");
}

#[test]
fn metrics_about_another_model_gate_nothing() {
    let Gated { mut bench, metrics, .. } = gated();
    let other = bench.scorer("other", &[0.5; 300]);
    let error = gate(&bench, &other, &metrics, Vec::new()).unwrap_err();
    let OperationError::Refused {
        verdict,
        summary,
        details,
        ..
    } = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!(*verdict, Verdict::Fail);
    assert_eq!(
        summary,
        "the metrics are about another model than the one that is gated"
    );
    assert!(details[0].contains("digest-of-other") && details[1].contains("digest-of-fit"));
}

#[test]
fn an_unknown_metric_is_a_mistake_not_a_lack_of_data() {
    let Gated { bench, model, metrics } = gated();
    let conditions = vec![condition("rmse <= 1", at_most("rmse", None, number(1.0)))];
    let error = gate(&bench, &model, &metrics, conditions).unwrap_err();
    let OperationError::Input { summary, help } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(summary, "The metrics of `CreditModel` have no `rmse`.");
    assert!(help.contains("`auc`") || help.contains("auc"), "{help}");
}

#[test]
fn damaged_metrics_are_told() {
    let Gated { bench, model, .. } = gated();
    let path = bench.root.join("metrics.json");
    fs::write(&path, "{").unwrap();
    let error = gate(&bench, &model, &artifact(path), Vec::new()).unwrap_err();
    assert!(
        matches!(&error, OperationError::Input { summary, .. } if summary.contains("cannot be read")),
        "{error:?}"
    );
}

#[test]
fn multiclass_models_answer_with_maps() {
    let mut bench = Bench::new();
    let labels = labels(90);
    let data = bench.data("test", &labels);
    let text = |dog: bool| {
        if dog {
            r#"{"dog":0.8,"cat":0.1,"bird":0.1}"#
        } else {
            r#"{"dog":0.1,"cat":0.4,"bird":0.5}"#
        }
    };
    let answers: StringArray = labels.iter().map(|label| Some(text(*label))).collect();
    assert_eq!(answers.len(), 90);
    let good = bench.model("good", Answer::Column("probabilities", Arc::new(answers), 1.0));
    let bad: StringArray = labels.iter().map(|_| Some(r#"{"dog":0.8,"cat":0.1}"#)).collect();
    let bad = bench.model("bad", Answer::Column("probabilities", Arc::new(bad), 1.0));
    let operation = || Operation::Evaluate {
        model: "Multi".to_owned(),
        label: "animal".to_owned(),
        positive: None,
        protected: vec!["sex".to_owned()],
    };
    let (told, _) = bench.run(operation(), &[("model", &good), ("data", &data)]).unwrap();
    assert_eq!(
        told.record["curves"]["classes"],
        serde_json::json!(["bird", "cat", "dog"])
    );
    assert!(told.record["metrics"]["f1.macro"]["value"].as_f64().is_some());
    let error = bench.run(operation(), &[("model", &bad), ("data", &data)]).unwrap_err();
    assert!(
        error.to_string().contains("probabilities that add up to 0.9"),
        "{error}"
    );
}
