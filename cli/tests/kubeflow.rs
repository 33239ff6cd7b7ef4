//! Kubeflow Pipelines and Vertex AI, with their real software: what `mlp build` writes is parsed, loaded, run and compared
//! by the packages that `tests/conformance/kubeflow/requirements.txt` pins.
//!
//! Each test runs one suite, a Python script of that folder; the script holds the cases and says what is wrong.

mod environment;

use environment::Platform;

static KUBEFLOW: Platform = Platform::new("kubeflow");

#[test]
fn the_mended_orchestration_is_right_where_kfp_local_is_wrong() {
    KUBEFLOW.suite("orchestration.py");
}

#[test]
fn pipelines_of_the_sdk_and_of_the_language_mean_the_same() {
    KUBEFLOW.suite("twins.py");
}

#[test]
fn googles_own_launchers_send_what_the_program_says() {
    KUBEFLOW.suite("launchers.py");
}

#[test]
fn programs_run_on_kubeflow_as_they_run_here() {
    KUBEFLOW.suite("programs.py");
}

#[test]
fn no_text_breaks_anything() {
    KUBEFLOW.suite("hostile.py");
}

#[test]
fn vertex_ai_is_sent_what_its_own_sdk_would_send() {
    KUBEFLOW.suite("vertex_jobs.py");
}

#[test]
fn the_table_of_what_real_checkers_miss_is_true() {
    KUBEFLOW.suite("mutations.py");
}

#[test]
fn the_examples_decide_on_kubeflow_as_they_decide_here() {
    KUBEFLOW.suite("examples.py");
}
