//! Feature definitions, checks and label leakage.

use super::{key, project, refuses};
use crate::check::declarations;

const APPLICANT: &str = r#"
schema Applicant {
  id:         string                     @key
  email:      string?                    @pii(email)
  age:        int in 18..=100            @protected
  housing:    enum { own, rent, free }
  amount:     float > 0                  @unit("EUR")
  months:     int in 1..=120
  applied_at: datetime                   @event_time
  paid:       float                      @after(label)
  defaulted:  bool                       @label
}
"#;

fn with_schema(text: &str) -> String {
    format!("{APPLICANT}\n{text}")
}

#[track_caller]
fn refuses_beside_schema(text: &str, expected: &[&str]) {
    refuses(&with_schema(text), expected);
}

#[test]
fn types_flow_through_features() {
    let text = with_schema(
        "features F from Applicant {
  keep { id, sex_is, @label, @key }
}
features CreditFeatures from Applicant {
  keep { id, @label }
  age_decade = floor(age / 10)
  log_amount = ln(amount)
  monthly    = amount / months
  per_age    = amount / (age - 18)
  owns_home  = housing == own
  home       = if housing in [own, free] { 1 } else { 0.5 }
  domain     = lower(email ?? \"nobody\")
  hidden     = hash(email)
  waited     = hours(applied_at - applied_at)
  double     = age_decade * 2
  small      = age < 30 && amount in 1..=100
}",
    );
    let db = project(&[("main.mlp", &text)]);
    assert_eq!(
        super::problems(&db, "main.mlp"),
        ["E0301 `Applicant` has no column `sex_is`."]
    );
    let features = declarations::features(&db, &key("main.mlp", "features CreditFeatures")).expect("it is known");
    let columns: Vec<String> = features
        .schema
        .columns
        .iter()
        .map(|column| {
            let tags: Vec<String> = column.tags.iter().map(|tag| format!(" @{}", tag.name)).collect();
            format!("{}: {}{}", column.name, column.ty, tags.concat())
        })
        .collect();
    assert_eq!(
        columns,
        [
            "id: string @key",
            "defaulted: bool @label",
            "age_decade: int in 1..=10",
            "log_amount: float",
            "monthly: float > 0.0",
            "per_age: float?",
            "owns_home: bool",
            "home: float in 0.5..=1.0",
            "domain: string @pii",
            "hidden: string?",
            "waited: float",
            "double: int in 2..=20",
            "small: bool",
        ]
    );
    let double = features.reads.iter().find(|(column, _)| column == "double");
    assert_eq!(double, Some(&("double".to_owned(), vec!["age".to_owned()])));
}

#[test]
fn mistakes_in_features() {
    refuses_beside_schema(
        "features F from Applicant { x = amuont * 2\n y = x + 1 }",
        &["E0301 `Applicant` has no column `amuont`."],
    );
    refuses_beside_schema(
        "features F from Applicant { y = x + 1\n x = amount }",
        &["E0301 `x` is computed further down."],
    );
    refuses_beside_schema(
        "features F from Applicant { amount = age }",
        &["E0302 There is already a column `amount`."],
    );
    refuses_beside_schema(
        "features F from Applicant { x = housing == owm }",
        &["E0301 `owm` is neither a column of `Applicant` nor a value of `enum { own, rent, free }`."],
    );
    refuses_beside_schema(
        "features F from Applicant { x = housing == \"own\" }",
        &["E0211 `==` does not go between `enum { own, rent, free }` and `string`."],
    );
    refuses_beside_schema(
        "features F from Applicant { x = lgo(amount) }",
        &["E0101 There is no function `lgo`."],
    );
    refuses_beside_schema(
        "features F from Applicant { x = ln(amount, 2) }",
        &["E0212 `ln` takes one argument, but 2 are given."],
    );
    refuses_beside_schema(
        "features F from Applicant { x = ln(id) }",
        &["E0212 `ln` takes a number, but this is `string`."],
    );
    refuses_beside_schema(
        "features F from Applicant { x = if age { 1 } else { 2 } }",
        &["E0211 The condition of an `if` is a `bool`, but this is `int in 18..=100`."],
    );
    refuses_beside_schema(
        "features F from Applicant { x = if age > 20 { 1 } else { \"a\" } }",
        &["E0211 Both sides must have one type, but these are `int in 1..=1` and `string`."],
    );
    refuses_beside_schema(
        "features F<S: schema> from S { x = 1 }",
        &["E0901 This version of `mlp` cannot check or run the generic feature definition `F` yet."],
    );
}

#[test]
fn features_that_know_the_label() {
    refuses_beside_schema(
        "features F from Applicant { keep { @label }\n x = defaulted == true }",
        &["E0801 The feature `x` is computed from `defaulted`, which is the label."],
    );
    refuses_beside_schema(
        "features F from Applicant { x = paid > 0\n y = !x }",
        &["E0801 The feature `x` is computed from `paid`, which is known only after the label."],
    );
    refuses_beside_schema(
        "features F from Applicant { late = paid > 100 @label\n z = amount }
features G from F { keep { z }\n w = if late { 1 } else { 2 } }",
        &["E0801 The feature `w` is computed from `late`, which is the label."],
    );
    refuses_beside_schema(
        "features F from Applicant { keep { paid }\n x = paid @after(label) }",
        &[],
    );
    let text = with_schema(
        "features F from Applicant { late = paid > 100 @label }\nfeatures G from F { w = if late { 1 } else { 2 } }",
    );
    let db = project(&[("main.mlp", &text)]);
    let chain = declarations::diagnostics(&db, &key("main.mlp", "features G"));
    assert!(
        chain[0].notes.contains(&"`w` ← `late` ← `paid`.".to_owned()),
        "{chain:?}"
    );
    let shared = ("shared.mlp", APPLICANT);
    let db = project(&[
        shared,
        (
            "main.mlp",
            "use shared::Applicant\nfeatures F from Applicant { x = paid }",
        ),
    ]);
    let diagnostics = declarations::diagnostics(&db, &key("main.mlp", "features F"));
    let elsewhere = |place: &crate::diagnostics::Place| matches!(place, crate::diagnostics::Place::Node(key, _) if key.file == "shared.mlp");
    assert!(
        diagnostics
            .iter()
            .any(|diagnostic| diagnostic.secondary.iter().any(|label| elsewhere(&label.place)))
    );
}

#[test]
fn checks_of_every_measure() {
    let text = with_schema(
        "checks Quality on Applicant {
  rows in 500..=5_000_000
  unique(id, email)
  null_rate(email) <= 20%
  distinct(housing) == 3
  mean(age) in 25..=60
  stddev(amount) > 0
  min(applied_at) >= \"2020-01-01T00:00:00Z\"
  max(amount) < 1_000_000
  sum(amount) > 0
  quantile(amount, 95%) < 10_000
  share(housing == own && age > 20) >= 10%
  freshness(applied_at) <= 2d
  drift(amount, psi) < 0.2 since baseline
}",
    );
    let db = project(&[("main.mlp", &text)]);
    assert_eq!(super::problems(&db, "main.mlp"), Vec::<String>::new());
    let checks = declarations::checks(&db, &key("main.mlp", "checks Quality")).expect("it is known");
    let texts: Vec<&str> = checks.checks.checks.iter().map(|check| check.text.as_str()).collect();
    assert_eq!(texts.len(), 13);
    assert_eq!(texts[0], "rows in 500..=5_000_000");
    assert_eq!(texts[12], "drift(amount, psi) < 0.2 since baseline");
}

#[test]
fn mistakes_in_checks() {
    let refuse = |line: &str, expected: &str| {
        refuses_beside_schema(&format!("checks Q on Applicant {{ {line} }}"), &[expected]);
    };
    refuse("rosw > 3", "E0101 There is no measure `rosw`.");
    refuse("age > 3", "E0101 There is no measure `age`.");
    refuse(
        "mean(housing) > 3",
        "E0306 `mean` needs a number, but `housing` is `enum { own, rent, free }`.",
    );
    refuse(
        "freshness(amount) < 2d",
        "E0306 `freshness` needs a `date` or `datetime`, but `amount` is `float > 0.0`.",
    );
    refuse("mean(aeg) > 3", "E0301 `Applicant` has no column `aeg`.");
    refuse(
        "mean(age)",
        "E0306 This measures a number, and does not say what it may be.",
    );
    refuse("unique(id) > 3", "E0306 `unique` holds or does not; it has no bound.");
    refuse("null_rate(email) > 120%", "E0208 `1.2` is not in `float in 0.0..=1.0`.");
    refuse("null_rate(email) < 0%", "E0205 No value lies in this range.");
    refuse("drift(amount, psi) < 0.2", "E0306 `drift` does not say since when.");
    refuse(
        "drift(amount, pis) < 0.2 since baseline",
        "E0101 There is no statistic `pis`.",
    );
    refuse(
        "drift(housing, ks) < 0.2 since baseline",
        "E0306 `ks` cannot be computed of `housing`, which is `enum { own, rent, free }`.",
    );
    refuse(
        "drift(amount, chi2) < 0.2 since baseline",
        "E0306 `chi2` cannot be computed of `amount`, which is `float > 0.0`.",
    );
    refuse(
        "mean(age) > 3 since baseline",
        "E0306 Only `drift` compares with an earlier dataset.",
    );
    refuse(
        "share(age) > 3%",
        "E0306 `share` counts rows for which a condition holds, but this is `int in 18..=100`.",
    );
    refuse(
        "freshness(applied_at) < 3",
        "E0208 `3` is an `int`, but `duration` is needed.",
    );
}
