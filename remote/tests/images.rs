//! Asking for digests where a registry answers as the distribution project's does: challenges, refusals, no digest.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use mlp_remote::Environment;
use mlp_remote::images::{ImageError, Images};
use support::{Answer, Asked, Server, text};

const DIGEST: &str = "sha256:9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0";
/// `{"schemaVersion":2}` and its SHA-256.
const MANIFEST: &str = "{\"schemaVersion\":2}";
const MANIFEST_DIGEST: &str = "sha256:bafebd36189ad3688b7b3915ea55d461e0bfcfbdde11e54b0a123999fb6be50f";

fn with(status: u16, headers: &[&str], body: &str) -> Answer {
    let mut answer = text(status, body);
    answer.headers = headers.iter().map(|header| (*header).to_owned()).collect();
    answer
}

fn found() -> Answer {
    with(200, &[&format!("Docker-Content-Digest: {DIGEST}")], "")
}

/// A registry that wants a token of itself, which it gives to those that `admits` accepts.
fn guarded(admits: impl Fn(&Asked) -> bool + Send + 'static) -> Server {
    Server::start(move |asked| {
        let host = asked.header("host").unwrap();
        if asked.path.starts_with("/token") {
            return if admits(asked) {
                text(200, "{\"token\": \"abc\"}")
            } else {
                text(401, "{}")
            };
        }
        if asked.header("authorization") == Some("Bearer abc") {
            return found();
        }
        let challenge = format!("WWW-Authenticate: Bearer realm=\"http://{host}/token\",service=\"the registry\"");
        with(401, &[&challenge], "")
    })
}

fn image(server: &Server) -> String {
    format!("{}/team/trainer:1.4", server.address.strip_prefix("http://").unwrap())
}

fn ask(server: &Server) -> Result<String, ImageError> {
    Images::new(&Environment::default()).unwrap().digest(&image(server))
}

fn ask_with_config(server: &Server, config: &str) -> Result<String, ImageError> {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".docker")).unwrap();
    fs::write(home.path().join(".docker/config.json"), config).unwrap();
    Images::new(&at_home(home.path()))?.digest(&image(server))
}

fn at_home(home: &Path) -> Environment {
    Environment {
        home: Some(home.to_owned()),
        ..Environment::default()
    }
}

fn host(server: &Server) -> &str {
    server.address.strip_prefix("http://").unwrap()
}

#[test]
fn an_open_registry_is_asked_once() {
    let server = Server::start(|_| found());
    assert_eq!(ask(&server), Ok(DIGEST.to_owned()));
    assert_eq!(server.lines(), ["HEAD /v2/team/trainer/manifests/1.4"]);
    let asked = server.asked();
    let accept = asked[0].header("accept").unwrap();
    assert!(
        accept.starts_with("application/vnd.oci.image.index.v1+json, "),
        "{accept}"
    );
    assert!(
        accept.contains("application/vnd.docker.distribution.manifest.list.v2+json"),
        "{accept}"
    );
    assert_eq!(asked[0].header("authorization"), None);
}

#[test]
fn a_challenge_is_answered_with_a_token_for_everybody() {
    let server = guarded(|asked| asked.header("authorization").is_none());
    assert_eq!(ask(&server), Ok(DIGEST.to_owned()));
    assert_eq!(
        server.lines(),
        [
            "HEAD /v2/team/trainer/manifests/1.4",
            "GET /token?scope=repository%3Ateam%2Ftrainer%3Apull&service=the%20registry",
            "HEAD /v2/team/trainer/manifests/1.4",
        ]
    );
}

#[test]
fn credentials_of_docker_login_are_shown_to_their_registry_alone() {
    // `user:secret`
    let admits = |asked: &Asked| asked.header("authorization") == Some("Basic dXNlcjpzZWNyZXQ=");
    let server = guarded(admits);
    let config = format!(
        r#"{{"auths": {{"{}": {{"auth": "dXNlcjpzZWNyZXQ="}}}}}}"#,
        host(&server)
    );
    assert_eq!(ask_with_config(&server, &config), Ok(DIGEST.to_owned()));

    let plain = format!(
        r#"{{"auths": {{"https://{}": {{"username": "user", "password": "secret"}}}}}}"#,
        host(&server)
    );
    assert_eq!(ask_with_config(&server, &plain), Ok(DIGEST.to_owned()));

    let other = r#"{"auths": {"ghcr.io": {"auth": "dXNlcjpzZWNyZXQ="}}}"#;
    let denied = ask_with_config(&server, other);
    assert!(matches!(denied, Err(ImageError::Denied { .. })), "{denied:?}");
}

#[test]
fn an_identity_token_is_exchanged() {
    let server = guarded(|asked| asked.method == "POST" && asked.body.ends_with("&refresh_token=a%2Bb"));
    let config = format!(r#"{{"auths": {{"{}": {{"identitytoken": "a+b"}}}}}}"#, host(&server));
    assert_eq!(ask_with_config(&server, &config), Ok(DIGEST.to_owned()));
    let asked = server.asked();
    assert!(
        asked[1]
            .body
            .starts_with("grant_type=refresh_token&client_id=mlp&scope=repository%3A"),
        "{asked:?}"
    );
}

#[test]
fn a_registry_with_passwords_alone_is_shown_one() {
    let server = Server::start(|asked| match asked.header("authorization") {
        Some("Basic dXNlcjpzZWNyZXQ=") => found(),
        _ => with(401, &["WWW-Authenticate: Basic realm=\"x\""], ""),
    });
    let config = format!(
        r#"{{"auths": {{"{}": {{"auth": "dXNlcjpzZWNyZXQ="}}}}}}"#,
        host(&server)
    );
    assert_eq!(ask_with_config(&server, &config), Ok(DIGEST.to_owned()));
    assert!(matches!(ask(&server), Err(ImageError::Denied { .. })));
}

#[test]
fn secrets_that_a_program_keeps_are_asked_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("docker-credential-test-keeper");
    fs::write(
        &program,
        "#!/bin/sh\ncat > /dev/null\necho '{\"Username\": \"user\", \"Secret\": \"secret\"}'\n",
    )
    .unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let server = guarded(|asked| asked.header("authorization") == Some("Basic dXNlcjpzZWNyZXQ="));
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("config.json"), "{\"credsStore\": \"test-keeper\"}").unwrap();
    let programs = format!("{}:/bin:/usr/bin", folder.path().display());
    let environment = Environment {
        variables: [("DOCKER_CONFIG", home.path().to_str().unwrap()), ("PATH", &programs)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        home: None,
    };
    let images = Images::new(&environment).unwrap();
    assert_eq!(images.digest(&image(&server)), Ok(DIGEST.to_owned()));
}

#[test]
fn damaged_credentials_are_said_and_not_passed_over() {
    let server = Server::start(|_| found());
    for config in [
        "{",
        "{\"credsStore\": \"../x\"}",
        "{\"credsStore\": \"that-nobody-has\"}",
    ] {
        let guarded = guarded(|_| true);
        let server = if config == "{" { &server } else { &guarded };
        let result = ask_with_config(server, config);
        assert!(
            matches!(&result, Err(ImageError::Credentials(_))),
            "{config}: {result:?}"
        );
    }
}

#[test]
fn without_a_told_digest_the_manifest_is_read() {
    let server = Server::start(|asked| match asked.method.as_str() {
        "HEAD" => text(200, ""),
        _ => text(200, MANIFEST),
    });
    assert_eq!(ask(&server), Ok(MANIFEST_DIGEST.to_owned()));

    let without_head = Server::start(|asked| match asked.method.as_str() {
        "HEAD" => text(405, ""),
        _ => text(200, MANIFEST),
    });
    assert_eq!(ask(&without_head), Ok(MANIFEST_DIGEST.to_owned()));

    let page = Server::start(|asked| match asked.method.as_str() {
        "HEAD" => text(200, ""),
        _ => text(200, "<html>"),
    });
    assert!(matches!(ask(&page), Err(ImageError::Answer { .. })));
}

#[test]
fn a_registry_that_moved_is_followed_without_credentials() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/v2/team/trainer/manifests/1.4" => with(307, &["Location: /v2/elsewhere/manifests/1.4"], ""),
        "/v2/elsewhere/manifests/1.4" => found(),
        _ => text(404, ""),
    });
    assert_eq!(ask(&server), Ok(DIGEST.to_owned()));
}

#[test]
fn every_refusal_has_its_error() {
    let status = |status: u16| ask(&Server::start(move |_| text(status, "")));
    assert!(matches!(status(404), Err(ImageError::Missing { .. })));
    assert!(matches!(status(403), Err(ImageError::Denied { .. })));
    assert!(matches!(status(429), Err(ImageError::Busy { .. })));
    assert!(matches!(status(500), Err(ImageError::Answer { .. })));
    // A 401 that does not say what is wanted.
    assert!(matches!(status(401), Err(ImageError::Answer { .. })));

    let odd = ask(&Server::start(|_| with(200, &["Docker-Content-Digest: latest"], "")));
    assert!(matches!(odd, Err(ImageError::Answer { .. })), "{odd:?}");

    let no_token = Server::start(|asked| {
        let realm = format!("http://{}/token", asked.header("host").unwrap());
        match asked.path.as_str() {
            path if path.starts_with("/token") => text(200, "{}"),
            _ => with(401, &[&format!("WWW-Authenticate: Bearer realm=\"{realm}\"")], ""),
        }
    });
    assert!(matches!(ask(&no_token), Err(ImageError::Answer { .. })));

    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let images = Images::new(&Environment::default()).unwrap();
    let unreachable = images.digest(&format!("{nobody}/a:1"));
    assert!(
        matches!(unreachable, Err(ImageError::Unreachable { .. })),
        "{unreachable:?}"
    );
    assert_eq!(images.digest("A b"), Err(ImageError::Name("A b".to_owned())));
}

#[test]
fn credentials_do_not_leave_in_the_clear() {
    let server = Server::start(|_| {
        with(
            401,
            &["WWW-Authenticate: Bearer realm=\"http://auth.example/token\""],
            "",
        )
    });
    let error = ask(&server).unwrap_err();
    assert!(error.to_string().contains("where others could read them"), "{error}");
}
