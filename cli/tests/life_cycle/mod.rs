//! A project that goes through the whole life cycle of a model without Python: its program, and its files.

use std::fmt::Write as _;

/// A pipeline with every stage of the life cycle.
pub const PROGRAM: &str = r#"
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

/// A step that gives a model which always says the same, in the form that needs no Python.
pub const FIT: &str = r#"set -e
test -s "$2"
mkdir "$3"
printf '{"format":"prior","task":"binary_classification","values":{"probability":%s}}' "$1" > "$3/model.json"
"#;

/// What the model's Python file holds; the model needs none of it.
pub const PREDICT: &str = "def predict(model, data):\n    return data\n";

/// Rows in which three of ten loans default.
pub fn loans(scale: f64) -> String {
    let mut text = "id,amount,sex,defaulted\n".to_owned();
    for row in 0..400_u32 {
        let amount = f64::from(row * 7919 % 1000 + 1) * scale;
        let (sex, defaulted) = (["female", "male"][(row % 2) as usize], row % 10 < 3);
        writeln!(text, "{row},{amount},{sex},{defaulted}").unwrap();
    }
    text
}
