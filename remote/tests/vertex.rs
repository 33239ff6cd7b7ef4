//! Submitting to an API that answers as Vertex AI Pipelines does, with tokens from every kind of credentials.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use mlp_remote::vertex::Vertex;
use mlp_remote::watch::{State, Watch as _};
use mlp_remote::{Environment, RemoteError, google};
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::{Value as Json, json};
use support::{Server, client, text};

/// A key made for this test; it opens nothing.
const KEY: &str = include_str!("data/service-account-key.pem");

fn environment(variables: &[(&str, &str)], home: Option<&Path>) -> Environment {
    Environment {
        variables: variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        home: home.map(Path::to_owned),
    }
}

fn vertex(server: &Server) -> Vertex {
    let variables = [("CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM", server.address.as_str())];
    Vertex::new(
        "bank-ml",
        "europe-west4",
        client(),
        "token-1",
        &environment(&variables, None),
    )
}

fn body() -> Json {
    json!({
        "displayName": "credit", "labels": { "team": "risk" },
        "runtimeConfig": { "gcsOutputDirectory": "gs://b/p", "parameterValues": { "trees": 200 } },
        "pipelineSpec": { "pipelineInfo": { "name": "credit" } },
    })
}

#[test]
fn the_request_of_the_target_is_sent_with_the_parameters_of_the_run() {
    let server =
        Server::start(|_| support::json(200, &json!({ "name": "projects/1/locations/l/pipelineJobs/credit-1" })));
    let parameters = BTreeMap::from([
        ("trees".to_owned(), json!(300)),
        ("source".to_owned(), json!("gs://b/x.csv")),
    ]);
    let started = vertex(&server)
        .submit("credit-1", "by hand", body(), &parameters)
        .unwrap();
    assert_eq!(started.id, "credit-1");
    assert!(
        started
            .page
            .contains("/locations/europe-west4/pipelines/runs/credit-1?project=bank-ml"),
        "{}",
        started.page
    );
    let asked = &server.asked()[0];
    assert_eq!(
        asked.line(),
        "POST /v1/projects/bank-ml/locations/europe-west4/pipelineJobs?pipelineJobId=credit-1"
    );
    assert_eq!(asked.header("authorization"), Some("Bearer token-1"));
    let mut expected = body();
    expected["displayName"] = json!("by hand");
    expected["runtimeConfig"]["parameterValues"] = json!({ "trees": 300, "source": "gs://b/x.csv" });
    assert_eq!(asked.json(), expected);
}

#[test]
fn a_lost_answer_does_not_start_the_run_twice() {
    let mut number = 0;
    let server = Server::start(move |asked| {
        number += 1;
        match (number, asked.method.as_str()) {
            (1, _) => support::json(500, &json!({ "error": { "code": 500, "message": "Internal error." } })),
            (2, "POST") => support::json(
                409,
                &json!({ "error": { "code": 409, "message": "credit-1 already exists", "status": "ALREADY_EXISTS" } }),
            ),
            _ => support::json(200, &json!({ "name": "projects/1/locations/l/pipelineJobs/credit-1" })),
        }
    });
    let started = vertex(&server)
        .submit("credit-1", "by hand", body(), &BTreeMap::new())
        .unwrap();
    assert_eq!(started.id, "credit-1");
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn a_run_is_shown_with_its_tasks() {
    let server = Server::start(|_| {
        support::json(
            200,
            &json!({
                "state": "PIPELINE_STATE_FAILED", "error": { "code": 9, "message": "train failed" },
                "jobDetail": { "taskDetails": [
                    { "taskId": "-71", "taskName": "train", "state": "FAILED", "error": { "message": "exit 1" } },
                    { "taskId": "12", "taskName": "deploy", "state": "NOT_TRIGGERED" }
                ] },
            }),
        )
    });
    let snapshot = vertex(&server).run("credit-1").snapshot().unwrap();
    assert_eq!(snapshot.state, State::Failed);
    assert_eq!(snapshot.error.as_deref(), Some("train failed"));
    assert_eq!(snapshot.tasks["-71"].error.as_deref(), Some("exit 1"));
    assert_eq!(snapshot.tasks["12"].state, State::Skipped);
}

#[test]
fn a_refusal_has_the_platforms_words() {
    let server = Server::start(|_| {
        support::json(
            400,
            &json!({ "error": { "code": 400, "message": "Invalid value for parameter trees.", "status": "INVALID_ARGUMENT" } }),
        )
    });
    let error = vertex(&server)
        .submit("credit-1", "r", body(), &BTreeMap::new())
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("answered 400: Invalid value for parameter trees."),
        "{error}"
    );
}

#[test]
fn a_service_account_signs_for_its_token() {
    let server = Server::start(|_| support::json(200, &json!({ "access_token": "from-key", "expires_in": 3599 })));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.json");
    let uri = format!("{}/token", server.address);
    let key = json!({
        "type": "service_account", "client_email": "trainer@bank-ml.iam.gserviceaccount.com", "token_uri": uri,
        "private_key": KEY,
    });
    std::fs::write(&path, key.to_string()).unwrap();
    let found = google::token(&environment(
        &[("GOOGLE_APPLICATION_CREDENTIALS", path.to_str().unwrap())],
        None,
    ))
    .unwrap();
    assert_eq!(found, "from-key");
    let asked = &server.asked()[0];
    let assertion = asked.body.split("assertion=").nth(1).unwrap();
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let claims: Json =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(signed.split_once('.').unwrap().1).unwrap()).unwrap();
    assert_eq!(claims["iss"], "trainer@bank-ml.iam.gserviceaccount.com");
    assert_eq!(claims["aud"], json!(uri));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
    let der: String = KEY.lines().filter(|line| !line.starts_with("-----")).collect();
    let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref())
        .verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
        .unwrap();
}

#[test]
fn a_signed_in_user_refreshes_a_token() {
    let server = Server::start(|_| support::json(200, &json!({ "access_token": "from-user" })));
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join(".config/gcloud")).unwrap();
    let credentials = json!({
        "type": "authorized_user", "client_id": "id", "client_secret": "s/e+c", "refresh_token": "r t",
        "token_uri": server.address,
    });
    std::fs::write(
        home.path().join(".config/gcloud/application_default_credentials.json"),
        credentials.to_string(),
    )
    .unwrap();
    assert_eq!(
        google::token(&environment(&[], Some(home.path()))).unwrap(),
        "from-user"
    );
    assert_eq!(
        server.asked()[0].body,
        "grant_type=refresh_token&client_id=id&client_secret=s%2Fe%2Bc&refresh_token=r%20t"
    );
}

#[test]
fn the_metadata_server_gives_a_token() {
    let server = Server::start(|_| support::json(200, &json!({ "access_token": "from-machine" })));
    let host = server.address.strip_prefix("http://").unwrap();
    assert_eq!(
        google::token(&environment(&[("GCE_METADATA_HOST", host)], None)).unwrap(),
        "from-machine"
    );
    assert_eq!(server.asked()[0].header("metadata-flavor"), Some("Google"));
}

#[test]
fn credentials_that_cannot_be_used_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.json");
    let cases = [
        ("{", "EOF while parsing"),
        (r#"{"type": "service_account"}"#, "the field `token_uri` is missing"),
        (
            r#"{"type": "external_account"}"#,
            "of the type `external_account` are not supported",
        ),
        (
            r#"{"type": "service_account", "token_uri": "http://x", "client_email": "e", "private_key": "nonsense"}"#,
            "`private_key`",
        ),
    ];
    for (content, message) in cases {
        std::fs::write(&path, content).unwrap();
        let error = google::token(&environment(
            &[("GOOGLE_APPLICATION_CREDENTIALS", path.to_str().unwrap())],
            None,
        ))
        .unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
    let error = google::token(&environment(
        &[("GOOGLE_APPLICATION_CREDENTIALS", "/no/such/file")],
        None,
    ))
    .unwrap_err();
    assert!(error.to_string().contains("/no/such/file"), "{error}");
}

#[test]
fn an_expired_token_is_told_as_such() {
    let server = Server::start(|_| {
        text(
            401,
            r#"{"error": {"code": 401, "message": "Request had invalid authentication credentials."}}"#,
        )
    });
    let error = vertex(&server).run("x").snapshot().unwrap_err();
    assert!(matches!(error, RemoteError::Refused { status: 401, .. }));
    assert!(error.help().contains("Sign in again"));
}
