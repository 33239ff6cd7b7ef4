//! Apache Airflow with pods, and a whole Airflow: the real operator on a cluster of this machine, and the real scheduler, DAG
//! processor and API server, of the packages that `tests/conformance/airflow/requirements.txt` pins.
//!
//! Each test runs one suite, a Python script of that folder; the script holds the cases and says what is wrong.

mod environment;

use environment::Platform;

static AIRFLOW: Platform = Platform::new("airflow");

#[test]
fn pipelines_run_in_pods_as_they_run_here() {
    AIRFLOW.suite("pods.py");
}

#[test]
fn a_whole_airflow_starts_pipelines_by_time_by_data_and_by_hand() {
    AIRFLOW.suite("standalone.py");
}
