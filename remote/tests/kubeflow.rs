//! Submitting to an API that answers as Kubeflow Pipelines 2.17 does.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use mlp_remote::kubeflow::{Kubeflow, Submission};
use mlp_remote::watch::{State, Watch as _, follow};
use mlp_remote::{Environment, RemoteError};
use serde_json::json;
use support::{Answer, Asked, Server, client, text};

const SPECIFICATION: &str = "pipelineInfo:\n  name: credit\n# mlp-boundary-0\n";

fn submission(parameters: &BTreeMap<String, serde_json::Value>) -> Submission<'_> {
    Submission {
        pipeline: "credit",
        version: "credit-1a2b",
        specification: SPECIFICATION,
        run: "credit by hand",
        experiment: "risk",
        namespace: Some("team a"),
        parameters,
        root: Some("s3://bucket/root"),
        service_account: Some("trainer"),
    }
}

/// An installation in which something may be there already.
fn installation(filled: bool) -> impl FnMut(&Asked) -> Answer + Send + 'static {
    move |asked: &Asked| {
        let path = asked.path.split('?').next().unwrap();
        let (status, body) = match (asked.method.as_str(), path) {
            ("GET", "/apis/v2beta1/pipelines/names/credit") if filled => (200, json!({ "pipeline_id": "p1" })),
            ("GET", "/apis/v2beta1/pipelines/names/credit") => (
                404,
                json!({ "error": "NotFound", "code": 5, "message": "Pipeline credit not found", "details": [] }),
            ),
            ("POST", "/apis/v2beta1/pipelines") => (200, json!({ "pipeline_id": "p1", "name": "credit" })),
            ("GET", "/apis/v2beta1/pipelines/p1/versions") if filled => (
                200,
                json!({ "pipeline_versions": [
                    { "pipeline_version_id": "v0", "display_name": "credit-9" },
                    { "pipeline_version_id": "v1", "display_name": "credit-1a2b" }
                ], "total_size": 2 }),
            ),
            ("POST", "/apis/v2beta1/pipelines/upload_version") => (200, json!({ "pipeline_version_id": "v1" })),
            ("GET", "/apis/v2beta1/experiments") if filled => (
                200,
                json!({ "experiments": [{ "experiment_id": "e1", "display_name": "risk" }] }),
            ),
            ("POST", "/apis/v2beta1/experiments") => (200, json!({ "experiment_id": "e1" })),
            ("POST", "/apis/v2beta1/runs") => (200, json!({ "run_id": "r1", "state": "PENDING" })),
            ("GET", _) => (200, json!({})),
            _ => (500, json!({ "message": "not expected" })),
        };
        support::json(status, &body)
    }
}

#[test]
fn a_first_submission_makes_pipeline_version_and_experiment() {
    let server = Server::start(installation(false));
    let kubeflow = Kubeflow::new(&server.address, client(), &Environment::default()).unwrap();
    let parameters = BTreeMap::from([
        ("trees".to_owned(), json!(300)),
        ("name".to_owned(), json!("it's {{x}}")),
    ]);
    let started = kubeflow.submit(&submission(&parameters)).unwrap();
    assert_eq!(started.id, "r1");
    assert_eq!(started.page, format!("{}/#/runs/details/r1", server.address));
    let asked = server.asked();
    let posts: Vec<&Asked> = asked.iter().filter(|asked| asked.method == "POST").collect();
    assert_eq!(posts.len(), 4, "{:?}", server.lines());
    assert_eq!(
        posts[0].json(),
        json!({ "name": "credit", "display_name": "credit", "namespace": "team a" })
    );
    assert_eq!(
        posts[1].path,
        "/apis/v2beta1/pipelines/upload_version?name=credit-1a2b&pipelineid=p1"
    );
    let media_type = posts[1].header("content-type").unwrap();
    let boundary = media_type.strip_prefix("multipart/form-data; boundary=").unwrap();
    assert!(!SPECIFICATION.contains(boundary), "{boundary}");
    let parts: Vec<&str> = posts[1].body.split(&format!("--{boundary}")).collect();
    assert_eq!(parts.len(), 3);
    assert!(parts[1].contains("name=\"uploadfile\""), "{}", parts[1]);
    assert!(
        parts[1].ends_with(&format!("\r\n\r\n{SPECIFICATION}\r\n")),
        "{}",
        parts[1]
    );
    assert_eq!(
        posts[2].json(),
        json!({ "display_name": "risk", "namespace": "team a" })
    );
    assert_eq!(
        posts[3].json(),
        json!({
            "display_name": "credit by hand", "experiment_id": "e1", "service_account": "trainer",
            "pipeline_version_reference": { "pipeline_id": "p1", "pipeline_version_id": "v1" },
            "runtime_config": {
                "parameters": { "name": "it's {{x}}", "trees": 300 }, "pipeline_root": "s3://bucket/root"
            },
        })
    );
}

#[test]
fn what_is_there_is_used_again() {
    let server = Server::start(installation(true));
    let kubeflow = Kubeflow::new(&server.address, client(), &Environment::default()).unwrap();
    let parameters = BTreeMap::new();
    kubeflow.submit(&submission(&parameters)).unwrap();
    let posts: Vec<String> = server
        .lines()
        .into_iter()
        .filter(|line| line.starts_with("POST"))
        .collect();
    assert_eq!(posts, ["POST /apis/v2beta1/runs"]);
}

#[test]
fn a_run_is_followed_to_its_end() {
    let mut answers = ["PENDING", "RUNNING", "RUNNING", "FAILED"].into_iter();
    let server = Server::start(move |_| {
        let state = answers.next().unwrap_or("FAILED");
        support::json(
            200,
            &json!({
                "run_id": "r1", "state": state, "error": { "message": "1 task failed" },
                "run_details": { "task_details": [
                    { "task_id": "t1", "display_name": "train", "state": state, "error": { "message": "exit 1" } },
                    { "task_id": "t0", "display_name": "train-driver", "state": "SUCCEEDED" }
                ] },
            }),
        )
    });
    let kubeflow = Kubeflow::new(&server.address, client(), &Environment::default()).unwrap();
    let mut told = Vec::new();
    let run = kubeflow.run("r1");
    let last = follow(&run, Duration::from_millis(1), &|| false, &mut |task| {
        told.push((task.name.clone(), task.state));
    })
    .unwrap();
    assert_eq!(last.state, State::Failed);
    assert_eq!(last.error.as_deref(), Some("1 task failed"));
    assert_eq!(
        told,
        [
            ("train".to_owned(), State::Running),
            ("train".to_owned(), State::Failed)
        ]
    );
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn following_stops_when_it_is_told_to() {
    let server = Server::start(|_| support::json(200, &json!({ "state": "RUNNING" })));
    let kubeflow = Kubeflow::new(&server.address, client(), &Environment::default()).unwrap();
    let run = kubeflow.run("r1");
    let last = follow(&run, Duration::from_mins(1), &|| true, &mut |_| {}).unwrap();
    assert_eq!(last.state, State::Running);
}

#[test]
fn a_busy_platform_is_asked_again() {
    let mut refusals = 2;
    let server = Server::start(move |_| {
        refusals -= 1;
        if refusals >= 0 {
            return support::json(503, &json!({ "message": "busy" }));
        }
        support::json(200, &json!({ "state": "SUCCEEDED" }))
    });
    let kubeflow = Kubeflow::new(&server.address, client(), &Environment::default()).unwrap();
    assert_eq!(kubeflow.run("r1").snapshot().unwrap().state, State::Succeeded);
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn a_run_is_never_created_twice() {
    let mut base = installation(true);
    let server = Server::start(move |asked| {
        if asked.line() == "POST /apis/v2beta1/runs" {
            return support::json(500, &json!({ "error": "Internal", "message": "database is locked" }));
        }
        base(asked)
    });
    let kubeflow = Kubeflow::new(&server.address, client(), &Environment::default()).unwrap();
    let parameters = BTreeMap::new();
    let error = kubeflow.submit(&submission(&parameters)).unwrap_err();
    assert_eq!(error.status(), Some(500));
    let posts = server
        .lines()
        .into_iter()
        .filter(|line| line.starts_with("POST"))
        .count();
    assert_eq!(posts, 1);
}

#[test]
fn every_refusal_says_what_to_do() {
    let cases: [(u16, &str, &str, &str); 4] = [
        (
            401,
            r#"{"error":"Unauthenticated","message":"Request header error: there is no user identity header."}"#,
            "answered 401: Request header error: there is no user identity header.",
            "Sign in again",
        ),
        (302, "", "answered 302: no explanation", "login in a browser"),
        (
            200,
            "<!doctype html><title>Dashboard</title>",
            "it is no JSON, but begins `<!doctype html>",
            "not of a web page",
        ),
        (404, "page not found", "answered 404: page not found", "address"),
    ];
    for (status, body, message, help) in cases {
        let server = Server::start(move |_| text(status, body));
        let kubeflow = Kubeflow::new(&server.address, client(), &Environment::default()).unwrap();
        let error = kubeflow.run("r1").snapshot().unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        assert!(error.help().contains(help), "{}", error.help());
    }
}

#[test]
fn nobody_there_is_told_with_the_address() {
    let kubeflow = Kubeflow::new("http://127.0.0.1:1", client(), &Environment::default()).unwrap();
    let error = kubeflow.run("r1").snapshot().unwrap_err();
    assert!(
        matches!(&error, RemoteError::Unreachable { url, .. } if url.starts_with("http://127.0.0.1:1/")),
        "{error}"
    );
}

#[test]
fn credentials_come_from_variables_and_files() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join(".config/kfp")).unwrap();
    std::fs::write(
        home.path().join(".config/kfp/context.json"),
        r#"{"client_authentication_cookie": "authservice_session=abc"}"#,
    )
    .unwrap();
    std::fs::write(home.path().join("token"), "from-file\n").unwrap();
    let file = home.path().join("token").display().to_string();
    type Case<'c> = (&'c [(&'c str, &'c str)], &'c str, &'c str);
    let cases: [Case<'_>; 4] = [
        (
            &[
                ("MLP_KUBEFLOW_TOKEN", "secret"),
                ("KF_PIPELINES_SA_TOKEN_PATH", "/none"),
            ],
            "authorization",
            "Bearer secret",
        ),
        (
            &[("KF_PIPELINES_SA_TOKEN_PATH", &file)],
            "authorization",
            "Bearer from-file",
        ),
        (&[("MLP_KUBEFLOW_COOKIE", "a=b")], "cookie", "a=b"),
        (&[], "cookie", "authservice_session=abc"),
    ];
    for (variables, header, value) in cases {
        let environment = Environment {
            variables: variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            home: Some(home.path().to_owned()),
        };
        let server = Server::start(|_| support::json(200, &json!({})));
        let kubeflow = Kubeflow::new(&server.address, client(), &environment).unwrap();
        kubeflow.run("r1").snapshot().unwrap();
        assert_eq!(server.asked()[0].header(header), Some(value));
    }
}
