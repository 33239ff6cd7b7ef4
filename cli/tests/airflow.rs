//! Apache Airflow, with its real software: what `mlp build` writes is imported, serialised, checked and run by the packages
//! that `tests/conformance/airflow/requirements.txt` pins.
//!
//! Each test runs one suite, a Python script of that folder; the script holds the cases and says what is wrong.

mod environment;

use environment::Platform;

static AIRFLOW: Platform = Platform::new("airflow");

#[test]
fn programs_run_on_airflow_as_they_run_here() {
    AIRFLOW.suite("programs.py");
}

#[test]
fn the_examples_decide_on_airflow_as_they_decide_here() {
    AIRFLOW.suite("examples.py");
}

#[test]
fn hostile_texts_come_back_from_airflow() {
    AIRFLOW.suite("hostile.py");
}
