//! One change to the whole program, one error.

use super::{changed, mutation, problems};

/// The one line that a program's problems are.
fn one(from: &str, to: &str) -> String {
    let text = mutation(from, to);
    assert_eq!(text.lines().count(), 1, "{text}");
    let (_, message) = text.trim_end().split_once(": ").unwrap();
    message.to_owned()
}

#[test]
fn training_on_data_that_was_never_validated() {
    assert_eq!(
        one(
            "  let clean = validate(raw, ApplicantQuality)\n  let rows = CreditFeatures(clean)",
            "  let rows = CreditFeatures(raw)"
        ),
        "error[E0601]: `train` demands validated data, and `parts.train` was never validated."
    );
}

#[test]
fn validating_one_table_and_using_another() {
    assert_eq!(
        one("CreditFeatures(clean)", "CreditFeatures(raw)"),
        "error[E0603]: `train` demands validated data: `clean` is validated, but `raw` is what is passed on."
    );
}

#[test]
fn a_step_behind_validation_undoes_it() {
    assert_eq!(
        one(
            "  let parts = split(rows,",
            "  let tidied = tidy(rows)\n  let parts = split(tidied,"
        ),
        "error[E0602]: `train` demands validated data, and `tidy` has changed `rows` since it was validated."
    );
    assert_eq!(
        one("train(parts.train, trees", "train(tidy(parts.train), trees"),
        "error[E0602]: `train` demands validated data, and `tidy` has changed `parts.train` since it was validated."
    );
}

#[test]
fn a_stage_that_is_left_out() {
    let without_gate =
        "  let proven = challenge(fit, champion(CreditModel, fallback: prior(parts.train)), on: parts.test) {";
    let gate = "  let gated = gate(fit, scores) {\n    auc >= min_auc\n    latency.p95 <= 20ms\n    \
                demographic_parity(sex) <= 0.15\n  }\n  let proven = challenge(gated, champion(CreditModel, fallback: \
                prior(parts.train)), on: parts.test) {";
    assert_eq!(
        one(gate, without_gate),
        "error[E0604]: `challenge` demands a gated model, and `fit` has passed no gate."
    );
    let challenge = "  let proven = challenge(gated, champion(CreditModel, fallback: prior(parts.train)), on: parts.test) \
                     {\n    candidate.auc >= champion.auc - 0.01\n  }\n  deploy(register(proven)";
    assert_eq!(
        one(challenge, "  deploy(register(gated)"),
        "error[E0605]: `register` demands a proven model, and `gated` was never compared with the champion."
    );
    assert_eq!(
        one("register(proven)", "proven"),
        "error[E0606]: `deploy` demands a registered model, and `proven` was never registered."
    );
    assert_eq!(
        one("register(proven)", "fit"),
        "error[E0606]: `deploy` demands a registered model, and `fit` was neither gated, nor compared with the \
         champion, nor registered."
    );
}

#[test]
fn a_stage_that_was_done_on_another_model() {
    assert_eq!(
        one("register(proven)", "register(gated)"),
        "error[E0603]: `register` demands a proven model: `proven` is proven, but `gated` is what is passed on."
    );
    let other = "  let other = train(parts.train)\n  let scores = evaluate(other, parts.test)";
    assert_eq!(
        one("  let scores = evaluate(fit, parts.test)", other),
        "error[E0607]: `gate` decides about `fit`, but is given the metrics of `other`."
    );
    assert_eq!(
        one("champion(CreditModel, fallback: prior(parts.train))", "gated"),
        "error[E0608]: `challenge` compares `gated` with itself, which every model survives."
    );
    assert_eq!(
        one("fallback: prior(parts.train)", "fallback: fit"),
        "error[E0608]: On the first release, `challenge` would compare `gated` with itself: it is the fallback too."
    );
}

#[test]
fn judging_on_rows_that_were_trained_on() {
    assert_eq!(
        one("evaluate(fit, parts.test)", "evaluate(fit, parts.train)"),
        "error[E0701]: `fit` is evaluated on `parts.train`, the very rows that it was trained on."
    );
    assert_eq!(
        one("evaluate(fit, parts.test)", "evaluate(fit, rows)"),
        "error[E0701]: `fit` is evaluated on `rows`, among them rows that it was trained on."
    );
    assert_eq!(
        one("train(parts.train, trees", "train(rows, trees"),
        "error[E0701]: `fit` is evaluated on `parts.test`, which is part of what it was trained on."
    );
    assert_eq!(
        one("on: parts.test", "on: parts.train"),
        "error[E0702]: The challenge is decided on `parts.train`, the very rows that `gated` was trained on."
    );
    assert_eq!(
        one("prior(parts.train)", "prior(parts.test)"),
        "error[E0702]: The challenge is decided on `parts.test`, the very rows that the champion or its fallback was \
         trained on."
    );
}

#[test]
fn two_splits_and_two_reads_share_rows() {
    let two_splits = "  let again = split(rows, test: 20%, seed: 1)\n  let fit = train(again.train, trees: 300)";
    assert_eq!(
        one("  let fit = train(parts.train, trees: 300)", two_splits),
        "error[E0701]: `fit` is evaluated on `parts.test`, but it was trained on a part of another split of the same \
         data, so they share rows."
    );
    let two_reads = "  let again = CreditFeatures(validate(read<Applicant>(source)))\n  let fit = train(again)";
    assert_eq!(
        one("  let fit = train(parts.train, trees: 300)", two_reads),
        "error[E0701]: `fit` is evaluated on `parts.test`, which is read from the same source as what it was trained on."
    );
}

#[test]
fn a_split_of_a_part_is_disjoint_from_the_other_part() {
    let nested = "  let inner = split(parts.train, test: 10%, seed: 7)\n  let fit = train(inner.train, trees: 300)";
    assert_eq!(mutation("  let fit = train(parts.train, trees: 300)", nested), "");
}

#[test]
fn contamination_is_found_across_pipelines() {
    let helper = "pipeline judge(model: CreditModel, data: validated Dataset<CreditFeatures>) -> Metrics<CreditModel> {\n  \
                  return evaluate(model, data)\n}\n\npipeline credit(";
    let program = changed("pipeline credit(", helper);
    let call = |data: &str| program.replacen("evaluate(fit, parts.test)", &format!("judge(fit, {data})"), 1);
    assert_eq!(problems(&call("parts.test")), "");
    let wrong = problems(&call("parts.train"));
    assert!(
        wrong.contains("error[E0701]: This pipeline judges a model on rows that the model may have been trained on."),
        "{wrong}"
    );
    assert_eq!(wrong.lines().count(), 1, "{wrong}");
}

#[test]
fn a_user_step_keeps_the_rows_that_it_was_given() {
    let program = changed("train(parts.train, trees", "train(validate(tidy(parts.test)), trees");
    let wrong = problems(&program);
    assert!(
        wrong.contains("error[E0701]: `fit` is evaluated on `parts.test`, the very rows"),
        "{wrong}"
    );
}

#[test]
fn timed_rows_divided_at_random_are_a_warning() {
    assert_eq!(
        one("keep { id, sex, defaulted }", "keep { id, sex, defaulted, applied_at }"),
        "warning[W0803]: `rows` has a time, `applied_at`, but is divided at random."
    );
}

#[test]
fn what_nobody_uses() {
    assert_eq!(
        one("  deploy(", "  let more = evaluate(fit, parts.test)\n  deploy("),
        "error[E0521]: `more` is computed and never used."
    );
    assert_eq!(
        one("  deploy(", "  evaluate(fit, parts.test)\n  deploy("),
        "error[E0522]: The result of `evaluate` is neither used nor bound."
    );
    assert_eq!(
        mutation("  deploy(", "  let _ = evaluate(fit, parts.test)\n  deploy("),
        ""
    );
    assert_eq!(
        one("min_auc: float", "extra: int = 3, min_auc: float"),
        "warning[W0523]: The parameter `extra` is never used."
    );
}
