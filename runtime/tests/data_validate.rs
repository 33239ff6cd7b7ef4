//! The operation `validate`: every constraint, every check, and the report when they do not hold.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::result_large_err,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod data_support;

use data_support::{Bench, between, choice, column, dataset_item, refined, schema, tagged};
use mlp::plan::{BinaryOperator, Check, CheckKind, Checks, Expression, Operation};
use mlp::types::{Bound, DataKind, DataType, RecordField, RecordType, Refinement, Schema, Value};
use mlp_runtime::operations::{OperationError, Verdict};

fn people() -> Schema {
    schema(
        "Person",
        vec![
            tagged(column("id", DataKind::Int), "key"),
            refined(
                column("age", DataKind::Int),
                between(Some(Value::Int(18)), Some(Value::Int(100))),
            ),
            refined(
                column("amount?", DataKind::Float),
                Refinement::Range {
                    minimum: Some(Bound {
                        value: Value::Int(0),
                        inclusive: false,
                    }),
                    maximum: None,
                },
            ),
            column("housing", choice(&["own", "rent"])),
            tagged(
                refined(
                    column("email?", DataKind::String),
                    Refinement::Matches("^[^@]+@[^@]+$".to_owned()),
                ),
                "pii",
            ),
            refined(
                column("code?", DataKind::String),
                Refinement::Length {
                    minimum: 2,
                    maximum: Some(3),
                },
            ),
            refined(
                column("born?", DataKind::Date),
                between(Some(Value::Date("1900-01-01".to_owned())), None),
            ),
            column("seen?", DataKind::Datetime),
        ],
    )
}

const HEADER: &str = "id,age,amount,housing,email,code,born,seen\n";
const GOOD: &str = "1,30,5,own,a@b,ab,1990-01-01,2026-01-09T00:00:00Z\n\
                    2,40,,rent,,,,2026-01-08T00:00:00Z\n\
                    3,50,7.5,own,c@d,abc,1980-01-01,\n";

fn validate(checks: Vec<Check>) -> Operation {
    let checks = Checks {
        name: "Quality".to_owned(),
        checks,
    };
    Operation::Validate {
        schema: "Person".to_owned(),
        checks: (!checks.checks.is_empty()).then_some(checks),
    }
}

fn inclusive(value: Value) -> Option<Bound> {
    Some(Bound { value, inclusive: true })
}

fn check(text: &str, measure: CheckKind, minimum: Option<Bound>, maximum: Option<Bound>) -> Check {
    Check {
        text: text.to_owned(),
        measure,
        minimum,
        maximum,
    }
}

/// Validates rows; the verdict, the summary and the details of what does not hold.
fn judge(rows: &str, checks: Vec<Check>) -> Result<String, (Verdict, String, Vec<String>)> {
    let mut bench = Bench::new(vec![people()]);
    let data = bench.land("Person", &format!("{HEADER}{rows}"));
    match bench.run(validate(checks), &[("data", dataset_item(&data))]) {
        Ok((report, outputs)) => {
            assert_eq!(
                std::fs::read(outputs.join("output")).unwrap(),
                std::fs::read(&data).unwrap()
            );
            Ok(report.summary)
        }
        Err(OperationError::Refused {
            verdict,
            summary,
            details,
            ..
        }) => Err((verdict, summary, details)),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn good_rows_pass_and_come_out_as_the_same_bytes() {
    let unique = check("unique(id)", CheckKind::Unique(vec!["id".to_owned()]), None, None);
    assert_eq!(
        judge(GOOD, vec![unique]).unwrap(),
        "3 rows: 11 constraints and 1 check hold"
    );
}

#[test]
fn every_violation_is_told_at_once_with_counts_and_examples() {
    let bad = "1,30,5,own,a@b,ab,1990-01-01,\n\
               2,17,0,Own,ab,a,1899-12-31,\n\
               3,,-1,,a@b@c,abcd,,\n\
               1,101,5,own,a@b,ab,,\n";
    let (verdict, summary, details) = judge(bad, vec![]).unwrap_err();
    assert_eq!(verdict, Verdict::Fail);
    assert_eq!(
        summary,
        "9 of 11 conditions for `Person` do not hold in 4 rows: `age is never absent`, `age in 18..=100`, `amount > 0` \
         and 6 more."
    );
    assert_eq!(
        details,
        [
            "age is never absent: broken by 1 value (25% of 4 rows): row 3: none.",
            "age in 18..=100: broken by 2 values (50% of 4 rows): row 2: 17; row 4: 101.",
            "amount > 0: broken by 2 values (50% of 4 rows): row 2: 0.0; row 3: -1.0.",
            "housing is never absent: broken by 1 value (25% of 4 rows): row 3: none.",
            "housing is one of \"own\", \"rent\": broken by 1 value (25% of 4 rows): row 2: \"Own\" (is \"own\" meant?).",
            "email matches \"^[^@]+@[^@]+$\": broken by 2 values (50% of 4 rows): row 2: (personal data, not shown); \
             row 3: (personal data, not shown).",
            "code length 2..=3: broken by 2 values (50% of 4 rows): row 2: \"a\"; row 3: \"abcd\".",
            "born >= 1900-01-01: broken by 1 value (25% of 4 rows): row 2: 1899-12-31.",
            "id is unique (@key): 1 row (25%) repeat an earlier one: \"1\" in rows 1, 4.",
            "Mend the data where it comes from, or, where it is right, say so in the schema or the checks.",
        ]
    );
}

#[test]
fn only_the_first_few_examples_are_shown() {
    let rows: String = (1..=9).map(|id| format!("{id},1,,own,,,,\n")).collect();
    let (_, _, details) = judge(&rows, vec![]).unwrap_err();
    assert_eq!(
        details[0],
        "age in 18..=100: broken by 9 values (100% of 9 rows): row 1: 1; row 2: 1; row 3: 1; row 4: 1; row 5: 1."
    );
}

fn measured(text: &str, measure: CheckKind, wrong: (Option<Bound>, Option<Bound>)) -> (Verdict, String) {
    let (verdict, _, details) = judge(GOOD, vec![check(text, measure.clone(), wrong.0, wrong.1)]).unwrap_err();
    assert!(judge(GOOD, vec![check(text, measure, None, None)]).is_ok() || verdict == Verdict::InsufficientData);
    (verdict, details[0].clone())
}

#[test]
fn each_check_tells_its_value() {
    let name = |column: &str| column.to_owned();
    let float = |value| (inclusive(Value::Float(value)), None);
    let int = |value| (inclusive(Value::Int(value)), None);
    let own = Expression::Binary {
        operator: BinaryOperator::Equal,
        left: Box::new(Expression::Column(name("housing"))),
        right: Box::new(Expression::Value(Value::Enum(name("own")))),
    };
    let cases = [
        ("rows >= 5", CheckKind::Rows, int(5), "it is 3."),
        (
            "null_rate(email) >= 0.5",
            CheckKind::NullRate(name("email")),
            float(0.5),
            "it is 33.33%.",
        ),
        (
            "distinct(housing) >= 3",
            CheckKind::Distinct(name("housing")),
            int(3),
            "it is 2.",
        ),
        ("mean(age) >= 41", CheckKind::Mean(name("age")), int(41), "it is 40.0."),
        (
            "stddev(age) >= 11",
            CheckKind::StandardDeviation(name("age")),
            int(11),
            "it is 10.0.",
        ),
        ("min(age) >= 31", CheckKind::Minimum(name("age")), int(31), "it is 30."),
        (
            "max(amount) >= 8",
            CheckKind::Maximum(name("amount")),
            int(8),
            "it is 7.5.",
        ),
        ("sum(age) >= 121", CheckKind::Sum(name("age")), int(121), "it is 120."),
        (
            "quantile(age, 0.5) >= 41",
            CheckKind::Quantile(name("age"), 0.5),
            int(41),
            "it is 40.0.",
        ),
        (
            "share(housing == own) >= 90%",
            CheckKind::Share(own),
            float(0.9),
            "it is 66.67%.",
        ),
        (
            "min(born) >= 1985-01-01",
            CheckKind::Minimum(name("born")),
            (inclusive(Value::Date(name("1985-01-01"))), None),
            "it is 1980-01-01.",
        ),
        (
            "freshness(seen) <= 12h",
            CheckKind::Freshness(name("seen")),
            (None, inclusive(Value::Duration(43_200_000))),
            "it is 1d.",
        ),
    ];
    for (text, measure, wrong, told) in cases {
        assert_eq!(
            measured(text, measure, wrong),
            (Verdict::Fail, format!("{text}: {told}"))
        );
    }
}

#[test]
fn bounds_are_included_or_not_as_they_say() {
    let rows = |inclusive| {
        let bound = Some(Bound {
            value: Value::Int(3),
            inclusive,
        });
        judge(GOOD, vec![check("rows", CheckKind::Rows, bound, None)]).is_ok()
    };
    assert!(rows(true));
    assert!(!rows(false));
}

#[test]
fn keys_of_several_columns_may_not_repeat_together() {
    let pair = |first: &str, second: &str| CheckKind::Unique(vec![first.to_owned(), second.to_owned()]);
    assert!(
        judge(
            GOOD,
            vec![check("unique(id, housing)", pair("id", "housing"), None, None)]
        )
        .is_ok()
    );
    let twins = "1,30,,own,,,,\n2,30,,own,,,,\n3,31,,own,,,,\n4,30,,own,,,,\n";
    let (_, _, details) = judge(
        twins,
        vec![check("unique(age, housing)", pair("age", "housing"), None, None)],
    )
    .unwrap_err();
    assert_eq!(
        details[0],
        "unique(age, housing): 2 rows (50%) repeat an earlier one: \"30, own\" in rows 1, 2, 4."
    );
    let absent = "1,30,,own,,,,\n2,30,,own,,,,\n";
    assert!(
        judge(
            absent,
            vec![check("unique(age, email)", pair("age", "email"), None, None)]
        )
        .is_ok(),
        "rows in which a key column is absent are not compared"
    );
}

#[test]
fn what_no_rows_can_tell_is_insufficient_data() {
    let mean = check(
        "mean(age) >= 1",
        CheckKind::Mean("age".to_owned()),
        inclusive(Value::Int(1)),
        None,
    );
    let (verdict, summary, details) = judge("", vec![mean.clone()]).unwrap_err();
    assert_eq!(verdict, Verdict::InsufficientData);
    assert_eq!(
        summary,
        "1 of 12 conditions for `Person` cannot be told in 0 rows: `mean(age) >= 1`."
    );
    assert_eq!(details[0], "mean(age) >= 1: cannot be told: there are no values.");
    let spread = check(
        "stddev(age) >= 1",
        CheckKind::StandardDeviation("age".to_owned()),
        inclusive(Value::Int(1)),
        None,
    );
    let (verdict, _, _) = judge("1,30,,own,,,,\n", vec![spread]).unwrap_err();
    assert_eq!(verdict, Verdict::InsufficientData);
}

#[test]
fn what_lies_inside_a_value_is_checked_too() {
    let item = DataType {
        refinements: vec![between(Some(Value::Int(1)), None)],
        ..DataType::plain(DataKind::Int)
    };
    let place = RecordType {
        name: None,
        fields: vec![RecordField {
            name: "zip".to_owned(),
            ty: DataType {
                refinements: vec![Refinement::Matches("^[0-9]+$".to_owned())],
                ..DataType::plain(DataKind::String)
            },
        }],
    };
    let nested = schema(
        "Person",
        vec![
            refined(
                column("marks", DataKind::List(Box::new(item))),
                Refinement::Length {
                    minimum: 1,
                    maximum: None,
                },
            ),
            column("place?", DataKind::Record(place)),
        ],
    );
    let mut bench = Bench::new(vec![nested]);
    bench.file(
        "n.jsonl",
        "{\"marks\": [1, 2], \"place\": {\"zip\": \"12\"}}\n{\"marks\": [], \"place\": null}\n\
         {\"marks\": [3, 0], \"place\": {\"zip\": \"x\"}}\n",
    );
    let read = Operation::Read {
        schema: "Person".to_owned(),
    };
    let data = bench
        .run(read, &[("source", data_support::text_item("n.jsonl"))])
        .unwrap()
        .1
        .join("output");
    let OperationError::Refused { details, .. } = bench.refused(validate(vec![]), &data) else {
        panic!("it was not refused");
    };
    assert_eq!(
        details[..3],
        [
            "marks length 1..: broken by 1 value (33.33% of 3 rows): row 2: [].",
            "marks[] >= 1: broken by 1 value (33.33% of 3 rows): row 3: 0.",
            "place.zip matches \"^[0-9]+$\": broken by 1 value (33.33% of 3 rows): row 3: \"x\".",
        ]
    );
}

#[test]
fn the_record_holds_the_values_of_checks_that_pass() {
    let mut bench = Bench::new(vec![people()]);
    let data = bench.land("Person", &format!("{HEADER}{GOOD}"));
    let rows = check("rows >= 1", CheckKind::Rows, inclusive(Value::Int(1)), None);
    let (report, _) = bench
        .run(validate(vec![rows]), &[("data", dataset_item(&data))])
        .unwrap();
    assert_eq!(report.record["verdict"], "pass");
    assert_eq!(report.record["rows"], 3);
    assert_eq!(report.record["checks"][0]["value"], 3);
    assert_eq!(report.record["constraints"][1]["violations"], 0);
}

#[test]
fn many_row_groups_give_the_same_report_as_one() {
    let mut rows = String::new();
    for id in 0..600_000 {
        let id = if id == 599_999 { 5 } else { id };
        let age = if id % 100_000 == 7 { 7 } else { 30 };
        rows.push_str(&format!("{id},{age},,own,,,,\n"));
    }
    let (_, summary, details) = judge(&rows, vec![]).unwrap_err();
    assert!(
        summary.starts_with("2 of 11 conditions for `Person` do not hold in 600,000 rows"),
        "{summary}"
    );
    assert_eq!(
        details[0],
        "age in 18..=100: broken by 6 values (0.001% of 600,000 rows): row 8: 7; row 100,008: 7; row 200,008: 7; row \
         300,008: 7; row 400,008: 7."
    );
    assert_eq!(
        details[1],
        "id is unique (@key): 1 row (0.0001667%) repeat an earlier one: \"5\" in rows 6, 600,000."
    );
}

#[test]
fn a_dataset_without_a_column_of_the_schema_is_refused() {
    let mut fewer = people();
    fewer.columns.remove(1);
    fewer.name = "Fewer".to_owned();
    let mut bench = Bench::new(vec![people(), fewer]);
    let data = bench.land("Fewer", "id,amount,housing,email,code,born,seen\n");
    let (summary, _) = data_support::input_error(bench.refused(validate(vec![]), &data));
    assert_eq!(summary, "The input `data` has no column `age`.");
}

/// Some columns of the example project's table.
fn credit() -> Schema {
    schema(
        "Person",
        vec![
            column(
                "status_of_existing_checking_account",
                choice(&[
                    "... < 0 DM",
                    "0 <= ... < 200 DM",
                    "... >= 200 DM / salary assignments for at least 1 year",
                    "no checking account",
                ]),
            ),
            refined(
                column("duration_in_month", DataKind::Int),
                between(Some(Value::Int(1)), Some(Value::Int(120))),
            ),
            refined(
                column("credit_amount", DataKind::Float),
                between(Some(Value::Int(1)), None),
            ),
            column(
                "telephone",
                choice(&["none", "yes, registered under the customers name"]),
            ),
            column("creditability", choice(&["good", "bad"])),
        ],
    )
}

/// The real data of the example project: a thousand applications with spaces, dots and commas in their values.
#[test]
fn the_german_credit_data_is_read_validated_and_split() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/credit/data/german_credit.csv");
    let mut bench = Bench::new(vec![credit()]);
    let read = Operation::Read {
        schema: "Person".to_owned(),
    };
    let (report, outputs) = bench.run(read, &[("source", data_support::text_item(path))]).unwrap();
    assert_eq!(report.summary, "1,000 rows, 5 columns");
    let data = outputs.join("output");
    let good = Expression::Binary {
        operator: BinaryOperator::Equal,
        left: Box::new(Expression::Column("creditability".to_owned())),
        right: Box::new(Expression::Value(Value::Enum("good".to_owned()))),
    };
    let checks = vec![
        check(
            "rows",
            CheckKind::Rows,
            inclusive(Value::Int(1_000)),
            inclusive(Value::Int(1_000)),
        ),
        check(
            "share(creditability == good)",
            CheckKind::Share(good),
            inclusive(Value::Float(0.7)),
            inclusive(Value::Float(0.7)),
        ),
        check(
            "mean(credit_amount)",
            CheckKind::Mean("credit_amount".to_owned()),
            inclusive(Value::Int(3_271)),
            None,
        ),
    ];
    let (report, outputs) = bench.run(validate(checks), &[("data", dataset_item(&data))]).unwrap();
    assert_eq!(report.summary, "1,000 rows: 11 constraints and 3 checks hold");
    let split = Operation::Split {
        method: mlp::plan::SplitMethod::Stratified {
            column: "creditability".to_owned(),
            seed: 42,
        },
        parts: [("train", 0.75), ("test", 0.25)]
            .map(|(name, fraction)| mlp::plan::SplitPart {
                name: name.to_owned(),
                fraction,
            })
            .to_vec(),
    };
    let (report, outputs) = bench
        .run(split, &[("data", dataset_item(&outputs.join("output")))])
        .unwrap();
    assert_eq!(report.summary, "train 750, test 250");
    let bad = data_support::rows(&outputs.join("test"))
        .iter()
        .filter(|row| row.ends_with("|bad"))
        .count();
    assert_eq!(bad, 75);
}
