//! `mlp submit` against servers that answer as the platforms do.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

#[path = "../../remote/tests/support/mod.rs"]
mod support;

use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use support::{Answer, Asked, Server};

const PROGRAM: &str = r#"
step say(text: string, times: int) -> string {
  run:   command ["sh", "-c", "echo $0 > $1", "{text}", "{output}"]
  image: "alpine:3.19"
}

pipeline greet(text: string, times: int in 1..=5 = 2) -> string {
  return say(text, times)
}

target dev: kubeflow { host: "HOST", namespace: "team-a", experiment: "greetings" }

target prod: vertex { project: "bank-ml", region: "europe-west4", root: "gs://bank-ml/pipelines", labels: { team: "risk" } }
"#;

fn project(host: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("mlp.toml"),
        "name = \"greet\"\nversion = \"0.1.0\"\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("main.mlp"), PROGRAM.replace("HOST", host)).unwrap();
    folder
}

fn submit(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mlp"))
        .arg("submit")
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", folder)
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Kubeflow with nothing in it; a run ends as `last` says, at the third look.
fn kubeflow(last: &'static str) -> Server {
    let looks = AtomicUsize::new(0);
    Server::start(move |asked: &Asked| {
        let path = asked.path.split('?').next().unwrap();
        let (status, body) = match (asked.method.as_str(), path) {
            ("GET", "/apis/v2beta1/pipelines/names/greet") => {
                (404, json!({ "error": "NotFound", "message": "not found" }))
            }
            ("POST", "/apis/v2beta1/pipelines") => (200, json!({ "pipeline_id": "p" })),
            ("POST", "/apis/v2beta1/pipelines/upload_version") => (200, json!({ "pipeline_version_id": "v" })),
            ("POST", "/apis/v2beta1/experiments") => (200, json!({ "experiment_id": "e" })),
            ("POST", "/apis/v2beta1/runs") => (200, json!({ "run_id": "r" })),
            ("GET", "/apis/v2beta1/runs/r") => {
                let state = if looks.fetch_add(1, Ordering::Relaxed) < 2 {
                    "RUNNING"
                } else {
                    last
                };
                let task =
                    json!({ "task_id": "1", "display_name": "say", "state": state, "error": { "message": "exit 1" } });
                (
                    200,
                    json!({ "state": state, "run_details": { "task_details": [task] }, "error": { "message": "it failed" } }),
                )
            }
            _ => (200, json!({})),
        };
        support::json(status, &body)
    })
}

#[test]
fn a_run_on_kubeflow_is_started_with_typed_parameters_and_followed() {
    let server = kubeflow("SUCCEEDED");
    let folder = project(&server.address);
    let output = submit(
        folder.path(),
        &[
            "--target",
            "dev",
            "-p",
            "text=it's {{x}}",
            "-p",
            "times=3",
            "--wait",
            "--name",
            "by hand",
        ],
        &[("MLP_KUBEFLOW_TOKEN", "secret")],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    assert!(
        shown.starts_with(&format!("started r\n{}/#/runs/details/r\n", server.address)),
        "{shown}"
    );
    assert!(
        shown.contains("running    say\n") && shown.contains("succeeded  say\n"),
        "{shown}"
    );
    assert!(shown.ends_with("The run succeeded.\n"), "{shown}");
    let asked = server.asked();
    let uploaded = asked
        .iter()
        .find(|asked| asked.path.contains("upload_version"))
        .unwrap();
    assert!(
        uploaded.body.contains("# PIPELINE DEFINITION\n# Name: greet\n"),
        "{}",
        uploaded.body
    );
    let run = asked
        .iter()
        .find(|asked| asked.line() == "POST /apis/v2beta1/runs")
        .unwrap();
    assert_eq!(run.header("authorization"), Some("Bearer secret"));
    assert_eq!(
        run.json()["runtime_config"]["parameters"],
        json!({ "text": "it's {{x}}", "times": 3 })
    );
    assert_eq!(run.json()["display_name"], "by hand");
    assert_eq!(
        server
            .asked()
            .iter()
            .filter(|asked| asked.path.ends_with("/runs/r"))
            .count(),
        3
    );
}

#[test]
fn the_exit_code_is_the_runs() {
    for (last, code, end) in [
        ("FAILED", 3, "The run failed: it failed\n"),
        ("CANCELED", 130, "The run cancelled.\n"),
    ] {
        let server = kubeflow(last);
        let folder = project(&server.address);
        let output = submit(folder.path(), &["-t", "dev", "-p", "text=x", "--wait"], &[]);
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        assert!(text(&output.stdout).ends_with(end), "{}", text(&output.stdout));
    }
}

#[test]
fn a_run_on_vertex_sends_the_request_that_build_writes() {
    let server = Server::start(|_: &Asked| -> Answer {
        support::json(
            200,
            &json!({ "name": "projects/1/locations/l/pipelineJobs/x", "state": "PIPELINE_STATE_SUCCEEDED" }),
        )
    });
    let folder = project("http://unused");
    let variables = [
        ("CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM", server.address.as_str()),
        ("GOOGLE_OAUTH_ACCESS_TOKEN", "token"),
    ];
    let output = submit(folder.path(), &["-t", "prod", "-p", "text=hello", "--wait"], &variables);
    assert!(
        output.status.success(),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    let asked = server.asked();
    assert!(
        asked[0]
            .line()
            .starts_with("POST /v1/projects/bank-ml/locations/europe-west4/pipelineJobs?pipelineJobId=greet-20"),
        "{}",
        asked[0].line()
    );
    assert_eq!(asked[0].header("authorization"), Some("Bearer token"));
    let body = asked[0].json();
    assert_eq!(body["runtimeConfig"]["parameterValues"]["text"], "hello");
    assert_eq!(body["runtimeConfig"]["gcsOutputDirectory"], "gs://bank-ml/pipelines");
    assert_eq!(body["labels"]["team"], "risk");
    assert_eq!(body["pipelineSpec"]["schemaVersion"], "2.1.0");
}

#[test]
fn what_is_wrong_is_told_before_anything_is_sent() {
    let server = kubeflow("SUCCEEDED");
    let folder = project(&server.address);
    let cases: [(&[&str], i32, &str); 5] = [
        (&["-t", "dev"], 2, "needs a value for its parameter `text`"),
        (
            &["-t", "dev", "-p", "text=x", "-p", "times=9"],
            2,
            "The parameter `times` cannot be `9`",
        ),
        (&["-t", "staging", "-p", "text=x"], 2, "staging"),
        (
            &["-t", "plan", "-p", "text=x"],
            2,
            "starts runs on Kubeflow, Vertex AI and Airflow",
        ),
        (
            &["-t", "prod", "-p", "text=x"],
            5,
            "There are no credentials for Google Cloud",
        ),
    ];
    for (arguments, code, message) in cases {
        let output = submit(folder.path(), arguments, &[]);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
        let shown = text(&output.stderr)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .replace(" │ ", " ");
        assert!(shown.contains(message), "{arguments:?}: {shown}");
    }
    assert!(server.asked().is_empty());
}

#[test]
fn vertex_without_a_declared_target_is_told_what_to_write() {
    let folder = project("http://unused");
    let source = std::fs::read_to_string(folder.path().join("main.mlp")).unwrap();
    let undeclared = source.split("target prod").next().unwrap();
    std::fs::write(folder.path().join("main.mlp"), undeclared).unwrap();
    let output = submit(folder.path(), &["-t", "vertex", "-p", "text=x"], &[]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(
        text(&output.stderr).contains("in which project and region"),
        "{}",
        text(&output.stderr)
    );
}
