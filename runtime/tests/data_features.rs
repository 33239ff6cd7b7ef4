//! The operations `features` and `project`, and with them every operator and function over columns.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::result_large_err,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod data_support;

use data_support::{Bench, choice, column, dataset_item, input_error, rows, schema};
use mlp::plan::{
    BinaryOperator, Derived, Expression, Features, Function, Operation, Projection, TextPart, UnaryOperator,
};
use mlp::types::{DataKind, Schema, Value};

fn source() -> Schema {
    schema(
        "Source",
        vec![
            column("id", DataKind::Int),
            column("a?", DataKind::Int),
            column("b?", DataKind::Int),
            column("x?", DataKind::Float),
            column("y?", DataKind::Float),
            column("s?", DataKind::String),
            column("e?", choice(&["own", "rent"])),
            column("p?", DataKind::Bool),
            column("q?", DataKind::Bool),
            column("d?", DataKind::Date),
            column("t?", DataKind::Datetime),
            column("u?", DataKind::Datetime),
            column("w?", DataKind::Duration),
        ],
    )
}

const HEADER: &str = "id,a,b,x,y,s,e,p,q,d,t,u,w";

fn col(name: &str) -> Expression {
    Expression::Column(name.to_owned())
}

fn int(value: i64) -> Expression {
    Expression::Value(Value::Int(value))
}

fn float(value: f64) -> Expression {
    Expression::Value(Value::Float(value))
}

fn string(value: &str) -> Expression {
    Expression::Value(Value::String(value.to_owned()))
}

fn binary(left: Expression, operator: BinaryOperator, right: Expression) -> Expression {
    Expression::Binary {
        operator,
        left: Box::new(left),
        right: Box::new(right),
    }
}

fn call(function: Function, arguments: impl IntoIterator<Item = Expression>) -> Expression {
    Expression::Call {
        function,
        arguments: arguments.into_iter().collect(),
    }
}

fn features(derived: Vec<(&str, DataKind, Expression)>) -> (Features, Schema) {
    let columns: Vec<_> = derived
        .iter()
        .map(|(name, kind, _)| column(name, kind.clone()))
        .collect();
    let derived = columns
        .iter()
        .zip(derived)
        .map(|(column, (_, _, value))| Derived {
            column: column.clone(),
            value,
        })
        .collect();
    let features = Features {
        name: "Made".to_owned(),
        keep: Vec::new(),
        derived,
        schema: "Made".to_owned(),
    };
    (features, schema("Made", columns))
}

/// Computes one expression over rows of CSV.
fn compute(kind: DataKind, value: Expression, csv: &[&str]) -> Result<Vec<String>, (String, String)> {
    let (features, made) = features(vec![("it?", kind, value)]);
    let mut bench = Bench::new(vec![source(), made]);
    let data = bench.land("Source", &format!("{HEADER}\n{}\n", csv.join("\n")));
    match bench.run(Operation::Features(features), &[("data", dataset_item(&data))]) {
        Ok((_, outputs)) => Ok(rows(&outputs.join("output"))),
        Err(error) => Err(input_error(error)),
    }
}

fn one(kind: DataKind, value: Expression, csv: &str) -> String {
    compute(kind, value, &[csv]).unwrap().remove(0)
}

/// A row with the given cells, by column name; the others are absent.
fn row(cells: &[(&str, &str)]) -> String {
    let cell = |name: &str| cells.iter().find(|(own, _)| *own == name).map_or("", |(_, text)| text);
    HEADER
        .split(',')
        .map(|name| if name == "id" { "1" } else { cell(name) })
        .collect::<Vec<_>>()
        .join(",")
}

#[test]
fn arithmetic_follows_the_language() {
    use BinaryOperator::{Add, Divide, Multiply, Remainder, Subtract};
    let ab = |operator| binary(col("a"), operator, col("b"));
    let xy = |operator| binary(col("x"), operator, col("y"));
    for (a, operator, b, expected) in [
        ("7", Add, "2", "9"),
        ("7", Subtract, "9", "-2"),
        ("7", Multiply, "3", "21"),
        ("7", Remainder, "3", "1"),
        ("-7", Remainder, "3", "2"),
        ("7", Remainder, "-3", "-2"),
        ("-9223372036854775808", Remainder, "-1", "0"),
        ("7", Remainder, "0", "none"),
        ("7", Add, "", "none"),
    ] {
        assert_eq!(
            one(DataKind::Int, ab(operator), &row(&[("a", a), ("b", b)])),
            expected,
            "{a} {operator:?} {b}"
        );
    }
    assert_eq!(one(DataKind::Float, ab(Divide), &row(&[("a", "7"), ("b", "2")])), "3.5");
    assert_eq!(
        one(DataKind::Float, ab(Divide), &row(&[("a", "7"), ("b", "0")])),
        "none"
    );
    for (x, operator, y, expected) in [
        ("0.5", Add, "0.25", "0.75"),
        ("1", Divide, "0", "none"),
        ("1", Divide, "-0.0", "none"),
        ("-5.5", Remainder, "2", "0.5"),
        ("1e308", Multiply, "10", "inf"),
    ] {
        assert_eq!(
            one(DataKind::Float, xy(operator), &row(&[("x", x), ("y", y)])),
            expected,
            "{x} {operator:?} {y}"
        );
    }
    assert_eq!(
        one(DataKind::Float, binary(col("a"), Add, float(0.5)), &row(&[("a", "1")])),
        "1.5"
    );
    assert_eq!(
        one(
            DataKind::String,
            binary(col("s"), Add, string("!")),
            &row(&[("s", "hi")])
        ),
        "hi!"
    );
    let negative = Expression::Unary {
        operator: UnaryOperator::Negate,
        operand: Box::new(col("x")),
    };
    assert_eq!(one(DataKind::Float, negative, &row(&[("x", "2")])), "-2.0");
}

#[test]
fn an_integer_that_overflows_names_its_row() {
    let sum = binary(col("a"), BinaryOperator::Add, col("b"));
    let fine = row(&[("a", "1"), ("b", "1")]);
    let wrong = row(&[("a", "9223372036854775807"), ("b", "1")]);
    let (summary, help) = compute(DataKind::Int, sum, &[&fine, &wrong]).unwrap_err();
    assert_eq!(
        summary,
        "The feature `it` cannot be computed for row 2: 9223372036854775807 + 1 is beyond the range of an int."
    );
    assert_eq!(
        help,
        "Compute it as a float (`to_float`), or leave such rows out before."
    );
    let floor = call(Function::Floor, [col("x")]);
    let (summary, _) = compute(DataKind::Int, floor, &[&row(&[("x", "1e300")])]).unwrap_err();
    assert!(
        summary.ends_with("for row 1: 1e300 is beyond the range of an int."),
        "{summary}"
    );
}

#[test]
fn times_and_durations_meet() {
    use BinaryOperator::{Add, Divide, Subtract};
    let times = row(&[
        ("t", "2026-01-02T00:00:00Z"),
        ("u", "2026-01-01T12:00:00Z"),
        ("w", "90min"),
    ]);
    assert_eq!(
        one(DataKind::Duration, binary(col("t"), Subtract, col("u")), &times),
        "12h"
    );
    assert_eq!(
        one(DataKind::Datetime, binary(col("t"), Add, col("w")), &times),
        "2026-01-02T01:30:00Z"
    );
    assert_eq!(
        one(DataKind::Datetime, binary(col("t"), Subtract, col("w")), &times),
        "2026-01-01T22:30:00Z"
    );
    assert_eq!(one(DataKind::Duration, binary(col("w"), Add, col("w")), &times), "3h");
    let half_hour = Expression::Value(Value::Duration(1_800_000));
    assert_eq!(one(DataKind::Float, binary(col("w"), Divide, half_hour), &times), "3.0");
}

#[test]
fn comparisons_and_logic_are_three_valued() {
    use BinaryOperator::{And, Equal, Greater, LessEqual, NotEqual, Or};
    let bool = |value, csv: &str| one(DataKind::Bool, value, csv);
    assert_eq!(bool(binary(col("a"), Equal, int(1)), &row(&[("a", "1")])), "true");
    assert_eq!(bool(binary(col("a"), Equal, int(1)), &row(&[])), "none");
    assert_eq!(
        bool(binary(col("x"), Equal, float(0.0)), &row(&[("x", "-0.0")])),
        "true"
    );
    assert_eq!(
        bool(binary(col("a"), LessEqual, float(1.5)), &row(&[("a", "1")])),
        "true"
    );
    let own = Expression::Value(Value::Enum("own".to_owned()));
    assert_eq!(
        bool(binary(col("e"), Equal, own.clone()), &row(&[("e", "own")])),
        "true"
    );
    assert_eq!(bool(binary(col("e"), NotEqual, own), &row(&[("e", "rent")])), "true");
    assert_eq!(
        bool(
            binary(col("t"), Greater, col("u")),
            &row(&[("t", "2026-01-02 00:00:00"), ("u", "2026-01-01 00:00:00")])
        ),
        "true"
    );
    for (p, operator, q, expected) in [
        ("false", And, "", "false"),
        ("true", And, "", "none"),
        ("true", Or, "", "true"),
        ("false", Or, "", "none"),
        ("true", And, "true", "true"),
    ] {
        assert_eq!(
            bool(binary(col("p"), operator, col("q")), &row(&[("p", p), ("q", q)])),
            expected,
            "{p} {operator:?} {q}"
        );
    }
    let not = Expression::Unary {
        operator: UnaryOperator::Not,
        operand: Box::new(col("p")),
    };
    assert_eq!(bool(not.clone(), &row(&[("p", "true")])), "false");
    assert_eq!(bool(not, &row(&[])), "none");
}

#[test]
fn ranges_choices_and_fallbacks() {
    let between = |low: Option<i64>, high: Option<i64>, inclusive| Expression::Between {
        value: Box::new(col("a")),
        low: low.map(|low| Box::new(int(low))),
        high: high.map(|high| Box::new(int(high))),
        inclusive,
    };
    let holds = |value, a: &str| one(DataKind::Bool, value, &row(&[("a", a)]));
    assert_eq!(holds(between(Some(1), Some(3), true), "3"), "true");
    assert_eq!(holds(between(Some(1), Some(3), false), "3"), "false");
    assert_eq!(holds(between(None, Some(3), true), "-3"), "true");
    assert_eq!(holds(between(Some(1), None, true), "0"), "false");
    assert_eq!(holds(between(Some(1), Some(3), true), ""), "none");
    let fallback = binary(col("a"), BinaryOperator::Coalesce, col("b"));
    assert_eq!(one(DataKind::Int, fallback.clone(), &row(&[("b", "2")])), "2");
    assert_eq!(one(DataKind::Int, fallback, &row(&[("a", "1"), ("b", "2")])), "1");
    assert_eq!(
        one(
            DataKind::Int,
            binary(col("a"), BinaryOperator::Coalesce, int(9)),
            &row(&[])
        ),
        "9"
    );
    let choice = Expression::If {
        condition: Box::new(binary(col("b"), BinaryOperator::Greater, int(0))),
        then: Box::new(binary(col("a"), BinaryOperator::Add, int(1))),
        otherwise: Box::new(int(0)),
    };
    let largest = row(&[("a", "9223372036854775807"), ("b", "0")]);
    let rows = compute(
        DataKind::Int,
        choice.clone(),
        &[&row(&[("a", "1"), ("b", "1")]), &largest, &row(&[("a", "5")])],
    );
    assert_eq!(
        rows.unwrap(),
        ["2", "0", "0"],
        "an arm not taken raises nothing; an absent condition is not true"
    );
    let rows = compute(DataKind::Int, choice.clone(), &[&row(&[("a", "1"), ("b", "1")])]);
    assert_eq!(rows.unwrap(), ["2"], "a condition that is present in every row");
    let (summary, _) = compute(DataKind::Int, choice, &[&row(&[]), &largest.replace(",0,", ",1,")]).unwrap_err();
    assert!(summary.contains("row 2"), "{summary}");
}

#[test]
fn functions_of_numbers() {
    use DataKind::{Float, Int};
    for (function, x, kind, expected) in [
        (Function::Floor, "-1.5", Int, "-2"),
        (Function::Ceil, "-1.5", Int, "-1"),
        (Function::Round, "2.5", Int, "3"),
        (Function::Round, "-2.5", Int, "-3"),
        (Function::Abs, "-2.5", Float, "2.5"),
        (Function::Ln, "1", Float, "0.0"),
        (Function::Ln, "0", Float, "none"),
        (Function::Ln, "-1", Float, "none"),
        (Function::Ln1p, "0", Float, "0.0"),
        (Function::Ln1p, "-1", Float, "none"),
        (Function::Exp, "0", Float, "1.0"),
        (Function::Sqrt, "9", Float, "3.0"),
        (Function::Sqrt, "-9", Float, "none"),
        (Function::ToInt, "-2.7", Int, "-2"),
        (Function::Floor, "", Int, "none"),
    ] {
        assert_eq!(
            one(kind, call(function, [col("x")]), &row(&[("x", x)])),
            expected,
            "{function:?}({x})"
        );
    }
    assert_eq!(one(Int, call(Function::Abs, [col("a")]), &row(&[("a", "-4")])), "4");
    assert_eq!(
        one(Int, call(Function::Min, [col("a"), int(3)]), &row(&[("a", "4")])),
        "3"
    );
    assert_eq!(
        one(Int, call(Function::Max, [col("a"), int(3)]), &row(&[("a", "4")])),
        "4"
    );
    assert_eq!(one(Int, call(Function::Max, [col("a"), int(3)]), &row(&[])), "none");
    assert_eq!(
        one(Float, call(Function::ToFloat, [col("a")]), &row(&[("a", "4")])),
        "4.0"
    );
    assert_eq!(
        one(Float, call(Function::ToFloat, [col("s")]), &row(&[("s", "4.5")])),
        "4.5"
    );
    assert_eq!(one(Int, call(Function::ToInt, [col("s")]), &row(&[("s", "x")])), "none");
    assert_eq!(
        one(Int, call(Function::Bucket, [col("a"), int(10)]), &row(&[("a", "-1")])),
        "-10"
    );
    assert_eq!(
        one(Int, call(Function::Bucket, [col("a"), int(0)]), &row(&[("a", "1")])),
        "none"
    );
    assert_eq!(
        one(
            Float,
            call(Function::Bucket, [col("x"), float(0.5)]),
            &row(&[("x", "1.7")])
        ),
        "1.5"
    );
}

#[test]
fn functions_of_texts_and_times() {
    use DataKind::{Bool, Float, Int, String};
    for (function, s, expected) in [
        (Function::Lower, "ÄB", "äb"),
        (Function::Upper, "äb", "ÄB"),
        (Function::Trim, "\" a \"", "a"),
        (Function::Lower, "", "none"),
    ] {
        assert_eq!(one(String, call(function, [col("s")]), &row(&[("s", s)])), expected);
    }
    assert_eq!(one(Int, call(Function::Length, [col("s")]), &row(&[("s", "äöü")])), "3");
    assert_eq!(
        one(
            Bool,
            call(Function::StartsWith, [col("s"), string("a")]),
            &row(&[("s", "abc")])
        ),
        "true"
    );
    assert_eq!(
        one(
            Bool,
            call(Function::Contains, [col("s"), string("d")]),
            &row(&[("s", "abc")])
        ),
        "false"
    );
    assert_eq!(one(Bool, call(Function::IsNone, [col("s")]), &row(&[])), "true");
    assert_eq!(
        one(
            String,
            call(Function::ToString, [col("t")]),
            &row(&[("t", "2026-01-02 03:04:05")])
        ),
        "2026-01-02T03:04:05Z"
    );
    let moment = row(&[("t", "2026-11-22T23:45:59Z"), ("d", "2024-02-29"), ("w", "36h30min")]);
    for (function, name, expected) in [
        (Function::Year, "t", "2026"),
        (Function::Month, "t", "11"),
        (Function::Day, "d", "29"),
        (Function::Hour, "t", "23"),
        (Function::Minute, "t", "45"),
        (Function::Weekday, "t", "7"),
        (Function::Weekday, "d", "4"),
        (Function::Days, "w", "1"),
    ] {
        assert_eq!(one(Int, call(function, [col(name)]), &moment), expected, "{function:?}");
    }
    assert_eq!(one(Float, call(Function::Hours, [col("w")]), &moment), "36.5");
    assert_eq!(one(Float, call(Function::Minutes, [col("w")]), &moment), "2190.0");
    let text = Expression::Text(vec![
        TextPart::Text("id ".to_owned()),
        TextPart::Hole(col("a")),
        TextPart::Text(": ".to_owned()),
        TextPart::Hole(col("w")),
    ]);
    assert_eq!(one(String, text.clone(), &row(&[("a", "7"), ("w", "1h")])), "id 7: 1h");
    assert_eq!(one(String, text, &row(&[("a", "7")])), "none");
}

#[test]
fn hashes_are_keyed_by_the_project() {
    let (features, made) = features(vec![("it", DataKind::String, call(Function::Hash, [col("s")]))]);
    let hash = |bench: &mut Bench| {
        let data = bench.land("Source", &format!("{HEADER}\n{}\n", row(&[("s", "ann@x.org")])));
        let operation = Operation::Features(features.clone());
        rows(
            &bench
                .run(operation, &[("data", dataset_item(&data))])
                .unwrap()
                .1
                .join("output"),
        )
        .remove(0)
    };
    let mut bench = Bench::new(vec![source(), made.clone()]);
    let first = hash(&mut bench);
    assert_eq!(first.len(), 32);
    assert_eq!(first, hash(&mut bench), "a project keeps its key");
    assert_ne!(
        first,
        hash(&mut Bench::new(vec![source(), made])),
        "another has its own"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(bench.path().join(".mlp/mask.key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn kept_columns_come_first_and_derived_ones_may_use_earlier_ones() {
    let (mut features, mut made) = features(vec![
        (
            "twice",
            DataKind::Int,
            binary(col("a"), BinaryOperator::Multiply, int(2)),
        ),
        (
            "more",
            DataKind::Float,
            binary(col("twice"), BinaryOperator::Divide, int(4)),
        ),
    ]);
    features.keep = vec!["id".to_owned(), "s".to_owned()];
    made.columns
        .splice(0..0, [column("id", DataKind::Int), column("s?", DataKind::String)]);
    let mut bench = Bench::new(vec![source(), made]);
    let data = bench.land("Source", &format!("{HEADER}\n{}\n", row(&[("a", "3"), ("s", "x")])));
    let (report, outputs) = bench
        .run(Operation::Features(features), &[("data", dataset_item(&data))])
        .unwrap();
    assert_eq!(rows(&outputs.join("output")), ["1|x|6|1.5"]);
    assert_eq!(report.summary, "1 row, 4 columns");
}

#[test]
fn an_absent_feature_that_may_not_be_names_its_rows() {
    let (features, made) = features(vec![("log_x", DataKind::Float, call(Function::Ln, [col("x")]))]);
    let mut bench = Bench::new(vec![source(), made]);
    let lines: Vec<String> = (0..8)
        .map(|index| row(&[("x", if index == 0 { "1" } else { "0" })]))
        .collect();
    let data = bench.land("Source", &format!("{HEADER}\n{}\n", lines.join("\n")));
    let (summary, help) = input_error(bench.refused(Operation::Features(features), &data));
    assert_eq!(
        summary,
        "The feature `log_x` of `Made` is absent in 7 rows (row 2, 3, 4, 5, 6, …), but its type says that it never is."
    );
    assert!(help.contains("`??`"), "{help}");
}

#[test]
fn columns_are_projected_and_renamed() {
    let made = schema(
        "Chosen",
        vec![column("text?", DataKind::String), column("id", DataKind::Int)],
    );
    let mut bench = Bench::new(vec![source(), made]);
    let data = bench.land("Source", &format!("{HEADER}\n{}\n", row(&[("s", "x")])));
    let projection = Projection {
        columns: vec![("s".to_owned(), "text".to_owned()), ("id".to_owned(), "id".to_owned())],
        schema: "Chosen".to_owned(),
    };
    let (report, outputs) = bench
        .run(Operation::Project(projection), &[("data", dataset_item(&data))])
        .unwrap();
    assert_eq!(rows(&outputs.join("output")), ["x|1"]);
    assert_eq!(report.summary, "1 row, 2 columns");
    let missing = Projection {
        columns: vec![("ss".to_owned(), "text".to_owned())],
        schema: "Chosen".to_owned(),
    };
    let (summary, _) = input_error(bench.refused(Operation::Project(missing), &data));
    assert_eq!(summary, "The input `data` has no column `ss`.");
}
