//! `drift … since baseline`: what a column is compared with, and what is told when it cannot be.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::result_large_err,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod data_support;

use data_support::{Bench, choice, column, dataset_item, schema};
use mlp::plan::{Check, CheckKind, Checks, Operation};
use mlp::types::{Bound, DataKind, Schema, Value};
use mlp_runtime::operations::{Baseline, OperationError, Verdict};

fn loans() -> Schema {
    schema(
        "Loan",
        vec![
            column("amount?", DataKind::Float),
            column("housing", choice(&["own", "rent"])),
            column("late?", DataKind::Bool),
        ],
    )
}

fn drift(column: &str, statistic: &str, limit: f64) -> Operation {
    let check = Check {
        text: format!("drift({column}, {statistic}) <= {limit} since baseline"),
        measure: CheckKind::Drift {
            column: column.to_owned(),
            statistic: statistic.to_owned(),
        },
        minimum: None,
        maximum: Some(Bound {
            value: Value::Float(limit),
            inclusive: true,
        }),
    };
    Operation::Validate {
        schema: "Loan".to_owned(),
        checks: Some(Checks {
            name: "Quality".to_owned(),
            checks: vec![check],
        }),
    }
}

/// Rows with the amounts 0, 1, 2, … moved by `shift`; of ten rows `owners` own their home.
fn rows(shift: usize, owners: usize) -> String {
    (0..100)
        .map(|row| {
            let housing = if row % 10 < owners { "own" } else { "rent" };
            format!("{},{housing},{}\n", row + shift, row % 2 == 0)
        })
        .collect()
}

/// The record of the check, whether it holds or not, with its verdict.
fn judge(baseline: &str, present: &str, operation: Operation) -> (Verdict, serde_json::Value, Vec<String>) {
    let mut bench = Bench::new(vec![loans()]);
    let header = "amount,housing,late\n";
    bench.baseline = Baseline::Dataset(bench.land("Loan", &format!("{header}{baseline}")));
    let data = bench.land("Loan", &format!("{header}{present}"));
    verdict(&mut bench, operation, &data)
}

fn verdict(
    bench: &mut Bench,
    operation: Operation,
    data: &camino::Utf8Path,
) -> (Verdict, serde_json::Value, Vec<String>) {
    match bench.run(operation, &[("data", dataset_item(data))]) {
        Ok((report, _)) => (Verdict::Pass, report.record["checks"][0].clone(), Vec::new()),
        Err(OperationError::Refused {
            verdict,
            record,
            details,
            ..
        }) => (verdict, record["checks"][0].clone(), details),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn equal_data_has_not_moved() {
    for (column, statistic) in [
        ("amount", "psi"),
        ("amount", "ks"),
        ("amount", "wasserstein"),
        ("amount", "js_divergence"),
        ("housing", "psi"),
        ("housing", "chi2"),
        ("housing", "l_infinity"),
        ("late", "js_distance"),
    ] {
        let (verdict, record, _) = judge(&rows(0, 5), &rows(0, 5), drift(column, statistic, 0.0));
        assert_eq!(verdict, Verdict::Pass, "{column} {statistic}: {record}");
        assert_eq!(record["value"], 0.0, "{column} {statistic}");
    }
}

#[test]
fn data_that_moved_is_refused_with_the_distance() {
    let (verdict, record, details) = judge(&rows(0, 5), &rows(30, 5), drift("amount", "wasserstein", 20.0));
    assert_eq!(verdict, Verdict::Fail);
    assert!((record["value"].as_f64().unwrap() - 30.0).abs() < 1e-9, "{record}");
    assert_eq!(
        details[0],
        "drift(amount, wasserstein) <= 20 since baseline: it is 30.0."
    );
    let (verdict, record, _) = judge(&rows(0, 5), &rows(30, 5), drift("amount", "ks", 0.31));
    assert_eq!(verdict, Verdict::Pass, "{record}");
    let (verdict, record, _) = judge(&rows(0, 5), &rows(0, 8), drift("housing", "l_infinity", 0.2));
    assert_eq!(verdict, Verdict::Fail);
    assert!((record["value"].as_f64().unwrap() - 0.3).abs() < 1e-9, "{record}");
    // Three tenths of the rows left the three lowest bins for the highest: 0.3 is counted as 0.0001, 0.1 as 0.4.
    let (verdict, record, _) = judge(&rows(0, 5), &rows(30, 5), drift("amount", "psi", 0.2));
    assert_eq!(verdict, Verdict::Fail);
    let expected = 3.0 * (0.1 - 1e-4) * (0.1_f64 / 1e-4).ln() + (0.1 - 0.4) * (0.1_f64 / 0.4).ln();
    assert!((record["value"].as_f64().unwrap() - expected).abs() < 1e-9, "{record}");
}

#[test]
fn without_a_baseline_the_check_holds_and_says_so() {
    let mut bench = Bench::new(vec![loans()]);
    let data = bench.land("Loan", "amount,housing,late\n1,own,true\n");
    bench.baseline = Baseline::None("no champion yet".to_owned());
    let (verdict, record, _) = verdict(&mut bench, drift("amount", "psi", 0.2), &data);
    assert_eq!(verdict, Verdict::Pass);
    assert_eq!(record["note"], "no champion yet");
}

#[test]
fn a_baseline_that_cannot_be_compared_is_insufficient_data_with_a_way_out() {
    let mut bench = Bench::new(vec![loans()]);
    let data = bench.land("Loan", "amount,housing,late\n1,own,true\n");
    bench.baseline = Baseline::Gone("the data of version 3 of `loans`".to_owned());
    let (found, _, details) = verdict(&mut bench, drift("amount", "psi", 0.2), &data);
    assert_eq!(found, Verdict::InsufficientData);
    assert_eq!(
        details[0],
        "drift(amount, psi) <= 0.2 since baseline: cannot be told: the data of version 3 of `loans` is no longer in the \
         store. Restore `.mlp/store` from a backup, or take the check out until a new champion serves, whose data is \
         then the baseline."
    );
    let (found, _, details) = judge(",own,true\n", &rows(0, 5), drift("amount", "psi", 0.2));
    assert_eq!(found, Verdict::InsufficientData, "the baseline has no amounts");
    assert!(details[0].contains("one of the two sides has no values"), "{details:?}");
}

#[test]
fn a_column_that_is_new_has_no_baseline_and_one_of_another_type_cannot_be_told() {
    let mut older = loans();
    older.name = "Older".to_owned();
    older.columns = vec![column("amount", DataKind::String)];
    let mut bench = Bench::new(vec![loans(), older]);
    bench.baseline = Baseline::Dataset(bench.land("Older", "amount\nmuch\n"));
    let data = bench.land("Loan", "amount,housing,late\n1,own,true\n");
    let (found, record, _) = verdict(&mut bench, drift("housing", "psi", 0.2), &data);
    assert_eq!(found, Verdict::Pass);
    assert_eq!(record["note"], "the champion's data has no column `housing`");
    let (found, _, details) = verdict(&mut bench, drift("amount", "psi", 0.2), &data);
    assert_eq!(found, Verdict::InsufficientData);
    assert!(
        details[0].contains("another type in the column `amount`"),
        "{details:?}"
    );
}
