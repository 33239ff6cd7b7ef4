//! Submitting to an API that answers as Airflow 3.3 (and 2.10) does.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod support;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mlp_remote::Environment;
use mlp_remote::airflow::{Airflow, AirflowError, Expected, ImportError, Release, Trigger};
use mlp_remote::watch::{State, Watch as _, follow};
use serde_json::{Value as Json, json};
use support::{Answer, Asked, Server, client};

const VERSION: &str = "1a2b3c4d5e6f";

fn environment(variables: &[(&str, &str)]) -> Environment {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Environment {
        variables: variables.iter().map(owned).collect(),
        home: None,
    }
}

fn signed_in() -> Environment {
    environment(&[("MLP_AIRFLOW_TOKEN", "secret")])
}

fn connect(server: &Server, environment: &Environment) -> Result<Airflow, AirflowError> {
    Airflow::connect(&server.address, Release::Three, client(), environment)
}

/// The details of a DAG as Airflow 3.3 gives them, without what nobody reads.
fn details(version: &str, paused: bool) -> Json {
    json!({
        "dag_id": "credit", "is_paused": paused, "is_stale": false, "fileloc": "/opt/airflow/dags/credit.py",
        "doc_md": format!("Credit.\n\nversion {version}"), "file_token": "eyJi.4NTf", "has_import_errors": false,
    })
}

fn unknown() -> (u16, Json) {
    (404, json!({ "detail": "The Dag with ID: `credit` was not found" }))
}

fn no_errors() -> (u16, Json) {
    (200, json!({ "import_errors": [], "total_entries": 0 }))
}

fn import_error(timestamp: &str) -> Json {
    json!({
        "import_error_id": 1, "timestamp": timestamp, "filename": "risk/credit.py", "bundle_name": "dags-folder",
        "stack_trace": "Traceback (most recent call last):\nModuleNotFoundError: No module named 'alerts'\n",
    })
}

/// An installation of 3.3.2 that answers the rest as `rest` says.
fn installation(mut rest: impl FnMut(&Asked) -> (u16, Json) + Send + 'static) -> Server {
    Server::start(move |asked: &Asked| -> Answer {
        let (status, body) = match asked.line().as_str() {
            "GET /api/v2/version" => (200, json!({ "version": "3.3.2", "git_version": ".release:aa19" })),
            _ => rest(asked),
        };
        support::json(status, &body)
    })
}

fn expected(old_errors: &BTreeSet<ImportError>) -> Expected<'_> {
    Expected {
        dag: "credit",
        file: "credit.py",
        version: VERSION,
        old_errors,
    }
}

const LONG: Duration = Duration::from_mins(5);

#[test]
fn a_token_is_carried_and_a_password_is_exchanged_for_one() {
    let server = installation(|asked| match asked.path.as_str() {
        "/auth/token" => (201, json!({ "access_token": "given" })),
        _ => (200, details(VERSION, false)),
    });
    let airflow = connect(&server, &signed_in()).unwrap();
    airflow.dag("credit").unwrap().unwrap();
    let airflow = connect(
        &server,
        &environment(&[("MLP_AIRFLOW_USER", "eva"), ("MLP_AIRFLOW_PASSWORD", "geheim")]),
    )
    .unwrap();
    airflow.dag("credit").unwrap().unwrap();
    let asked = server.asked();
    assert_eq!(
        server.lines(),
        [
            "GET /api/v2/version",
            "GET /api/v2/dags/credit/details",
            "GET /api/v2/version",
            "POST /auth/token",
            "GET /api/v2/dags/credit/details"
        ]
    );
    assert_eq!(asked[0].header("authorization"), None);
    assert_eq!(asked[1].header("authorization"), Some("Bearer secret"));
    assert_eq!(asked[3].json(), json!({ "username": "eva", "password": "geheim" }));
    assert_eq!(asked[4].header("authorization"), Some("Bearer given"));
}

#[test]
fn airflow_2_is_asked_in_its_own_way() {
    let server = Server::start(|asked: &Asked| {
        let (status, body) = match asked.line().as_str() {
            "GET /api/v1/version" => (200, json!({ "version": "2.10.5", "git_version": null })),
            "GET /api/v1/dags/credit/details" => (
                200,
                json!({ "is_paused": true, "is_active": true, "doc_md": format!("version {VERSION}"), "fileloc": "/x" }),
            ),
            "PATCH /api/v1/dags/credit?update_mask=is_paused" => (200, json!({ "is_paused": false })),
            "POST /api/v1/dags/credit/dagRuns" => (200, json!({ "state": "queued" })),
            _ => (200, json!({ "import_errors": [], "total_entries": 0 })),
        };
        support::json(status, &body)
    });
    let variables = environment(&[("MLP_AIRFLOW_USER", "eva"), ("MLP_AIRFLOW_PASSWORD", "geheim")]);
    let airflow = Airflow::connect(&server.address, Release::Two, client(), &variables).unwrap();
    let old = airflow.import_errors("credit.py").unwrap();
    let dag = airflow.read(&expected(&old), LONG, &|| false).unwrap();
    assert!(dag.paused && !dag.stale);
    airflow.unpause("credit").unwrap();
    let started = airflow.trigger(&trigger(&BTreeMap::new())).unwrap();
    assert_eq!(
        started.page,
        format!("{}/dags/credit/grid?dag_run_id=manual__1", server.address)
    );
    let asked = server.asked();
    assert!(
        asked
            .iter()
            .skip(1)
            .all(|asked| asked.header("authorization") == Some("Basic ZXZhOmdlaGVpbQ=="))
    );
    assert_eq!(
        asked.last().unwrap().json(),
        json!({ "dag_run_id": "manual__1", "conf": {}, "note": "by hand" })
    );
}

#[test]
fn who_cannot_sign_in_is_told_without_the_password() {
    let cases = [
        (
            401,
            json!({ "detail": "Invalid credentials" }),
            "answered 401: Invalid credentials",
            "those of a user",
        ),
        (
            404,
            json!({ "detail": "Not Found" }),
            "answered 404: Not Found",
            "no tokens for passwords",
        ),
        (
            422,
            json!({ "detail": "1 validation error for LoginBody\npassword\n  [input_value='geheim']" }),
            "input_value='***'",
            "own words",
        ),
        (
            201,
            json!({ "token": "geheim" }),
            "has no `access_token`",
            "not of a web page",
        ),
    ];
    for (status, body, message, help) in cases {
        let server = installation(move |_| (status, body.clone()));
        let variables = environment(&[("MLP_AIRFLOW_USER", "eva"), ("MLP_AIRFLOW_PASSWORD", "geheim")]);
        let error = connect(&server, &variables).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        assert!(error.help().contains(help), "{}", error.help());
        assert!(
            !format!("{error} {error:?} {}", error.help()).contains("geheim"),
            "{error}"
        );
    }
    for (given, missing) in [
        ("MLP_AIRFLOW_USER", "MLP_AIRFLOW_PASSWORD is not set"),
        ("MLP_AIRFLOW_PASSWORD", "MLP_AIRFLOW_USER is not set"),
    ] {
        let server = installation(|_| no_errors());
        let error = connect(&server, &environment(&[(given, "geheim")])).unwrap_err();
        assert!(error.to_string().ends_with(missing), "{error}");
        assert!(!error.to_string().contains("geheim"), "{error}");
    }
}

#[test]
fn another_release_than_the_targets_is_told() {
    let removed =
        json!({ "error": "/api/v1 has been removed in Airflow 3, please use its upgraded version /api/v2 instead." });
    let server = Server::start(move |_| support::json(404, &removed));
    let error = Airflow::connect(&server.address, Release::Two, client(), &signed_in()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{}/api/v1/version does not exist, so there is no Airflow 2 there",
            server.address
        )
    );
    assert!(
        error.help().contains("If it is Airflow 3 (the default)"),
        "{}",
        error.help()
    );
    let server = Server::start(|_| support::json(200, &json!({ "version": "2.10.5" })));
    let error = connect(&server, &signed_in()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "The target is for Airflow 3, and the one at its `host` is 2.10.5"
    );
    assert!(error.help().contains("`version` to \"2\""), "{}", error.help());
}

#[test]
fn every_refusal_says_what_to_do() {
    let cases = [
        (401, json!({ "detail": "Not authenticated" }), "MLP_AIRFLOW_TOKEN"),
        (403, json!({ "detail": "Forbidden" }), "rights"),
        (
            422,
            json!({ "detail": [{ "type": "missing", "loc": ["body", "logical_date"], "msg": "Field required", "input": {} }] }),
            "own words",
        ),
        (500, json!({ "detail": "Internal Server Error" }), "try again later"),
        (302, json!(null), "wants to know who asks"),
    ];
    let words = [
        "Not authenticated",
        "Forbidden",
        "body.logical_date: Field required",
        "Internal Server Error",
        "null",
    ];
    for ((status, body, help), words) in cases.into_iter().zip(words) {
        let server = installation(move |_| (status, body.clone()));
        let error = connect(&server, &signed_in()).unwrap().dag("credit").unwrap_err();
        let url = format!("{}/api/v2/dags/credit/details", server.address);
        assert_eq!(
            error.to_string(),
            format!("Airflow does not say how the DAG stands: {url} answered {status}: {words}")
        );
        assert!(error.help().contains(help), "{}", error.help());
    }
    let error = Airflow::connect("127.0.0.1:1", Release::Three, client(), &signed_in()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("http://127.0.0.1:1/api/v2/version cannot be reached"),
        "{error}"
    );
    assert!(error.help().contains("address"), "{}", error.help());
}

#[test]
fn a_new_file_is_waited_for() {
    let looks = AtomicUsize::new(0);
    let server = installation(move |asked| match asked.line().as_str() {
        "GET /api/v2/dags/credit/details" if looks.fetch_add(1, Ordering::Relaxed) == 0 => unknown(),
        "GET /api/v2/dags/credit/details" => (200, details(VERSION, true)),
        _ => no_errors(),
    });
    let dag = connect(&server, &signed_in())
        .unwrap()
        .read(&expected(&BTreeSet::new()), LONG, &|| false)
        .unwrap();
    assert!(dag.paused);
    assert!(
        !server.lines().iter().any(|line| line.starts_with("PUT")),
        "{:?}",
        server.lines()
    );
}

#[test]
fn an_old_version_is_not_taken_for_the_new_one_and_reading_is_hurried_once() {
    let looks = AtomicUsize::new(0);
    let server = installation(move |asked| match asked.line().as_str() {
        "GET /api/v2/dags/credit/details" => match looks.fetch_add(1, Ordering::Relaxed) {
            0 => (200, details("000000000000", false)),
            1 => {
                let mut gone = details(VERSION, false);
                gone["is_stale"] = json!(true);
                (200, gone)
            }
            _ => (200, details(VERSION, false)),
        },
        // Who may not ask for it, waits.
        "PUT /api/v2/parseDagFile/eyJi.4NTf" => (403, json!({ "detail": "Forbidden" })),
        _ => no_errors(),
    });
    connect(&server, &signed_in())
        .unwrap()
        .read(&expected(&BTreeSet::new()), LONG, &|| false)
        .unwrap();
    let lines = server.lines();
    assert_eq!(
        lines.iter().filter(|line| line.starts_with("PUT")).count(),
        1,
        "{lines:?}"
    );
    assert_eq!(
        lines.iter().filter(|line| line.ends_with("details")).count(),
        3,
        "{lines:?}"
    );
}

#[test]
fn a_file_that_cannot_be_imported_is_shown_with_pythons_words() {
    let listing = |errors: Vec<Json>| (200, json!({ "total_entries": errors.len(), "import_errors": errors }));
    let looks = AtomicUsize::new(0);
    let server = installation(move |asked| match asked.path.split('?').next().unwrap() {
        "/api/v2/dags/credit/details" => unknown(),
        // That of the file as it was before, and one of another file.
        _ if looks.fetch_add(1, Ordering::Relaxed) < 2 => {
            let mut other = import_error("2026-11-23T20:40:18Z");
            other["filename"] = json!("churn.py");
            listing(vec![import_error("2026-11-23T20:40:18Z"), other])
        }
        _ => listing(vec![import_error("2026-11-23T20:41:18Z")]),
    });
    let airflow = connect(&server, &signed_in()).unwrap();
    let old = airflow.import_errors("credit.py").unwrap();
    assert_eq!(old.len(), 1);
    let error = airflow.read(&expected(&old), LONG, &|| false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Airflow cannot import `risk/credit.py`, so no run was started. Python says:\n\
         Traceback (most recent call last):\nModuleNotFoundError: No module named 'alerts'"
    );
    assert!(error.help().contains("Airflow's own environment"), "{}", error.help());
}

#[test]
fn a_file_that_is_never_read_is_told_at_the_deadline() {
    for (answer, help) in [
        (unknown(), "is the folder that Airflow reads"),
        ((200, details("000000000000", false)), "`/opt/airflow/dags/credit.py`"),
    ] {
        let server = installation(move |asked| match asked.path.ends_with("details") {
            true => answer.clone(),
            false => no_errors(),
        });
        let airflow = connect(&server, &signed_in()).unwrap();
        let error = airflow
            .read(&expected(&BTreeSet::new()), Duration::ZERO, &|| false)
            .unwrap_err();
        assert!(matches!(&error, AirflowError::Unread { .. }), "{error}");
        assert!(error.help().contains(help), "{}", error.help());
    }
}

#[test]
fn waiting_for_a_file_stops_when_it_is_told_to() {
    let server = installation(|asked| match asked.path.ends_with("details") {
        true => unknown(),
        false => no_errors(),
    });
    let airflow = connect(&server, &signed_in()).unwrap();
    let asked = Cell::new(0);
    let stop = || asked.replace(asked.get() + 1) > 0;
    assert_eq!(
        airflow.read(&expected(&BTreeSet::new()), LONG, &stop),
        Err(AirflowError::Stopped)
    );
}

fn trigger(parameters: &BTreeMap<String, Json>) -> Trigger<'_> {
    Trigger {
        dag: "credit",
        run: "manual__1",
        note: Some("by hand"),
        parameters,
    }
}

#[test]
fn a_run_is_started_with_typed_values() {
    let server = installation(|_| (200, json!({ "dag_run_id": "manual__1", "state": "queued" })));
    let parameters = BTreeMap::from([
        ("trees".to_owned(), json!(9_007_199_254_740_993_i64)),
        ("name".to_owned(), json!("it's {{x}}")),
    ]);
    let started = connect(&server, &signed_in())
        .unwrap()
        .trigger(&trigger(&parameters))
        .unwrap();
    assert_eq!(started.id, "manual__1");
    assert_eq!(started.page, format!("{}/dags/credit/runs/manual__1", server.address));
    let asked = server.asked();
    assert_eq!(asked[1].line(), "POST /api/v2/dags/credit/dagRuns");
    assert_eq!(
        asked[1].json(),
        json!({
            "dag_run_id": "manual__1", "logical_date": null, "note": "by hand",
            "conf": { "name": "it's {{x}}", "trees": 9_007_199_254_740_993_i64 },
        })
    );
}

#[test]
fn a_run_is_never_started_twice() {
    // The first attempt gets through, and its answer is lost.
    let attempts = AtomicUsize::new(0);
    let conflict = json!({ "detail": { "reason": "Unique constraint violation", "statement": "hidden" } });
    let server = installation(move |asked| match asked.method.as_str() {
        "POST" if attempts.fetch_add(1, Ordering::Relaxed) == 0 => (502, json!(null)),
        "POST" => (409, conflict.clone()),
        _ => (200, json!({ "dag_run_id": "manual__1" })),
    });
    let parameters = BTreeMap::new();
    connect(&server, &signed_in())
        .unwrap()
        .trigger(&trigger(&parameters))
        .unwrap();
    assert_eq!(
        server.lines()[1..],
        [
            "POST /api/v2/dags/credit/dagRuns",
            "POST /api/v2/dags/credit/dagRuns",
            "GET /api/v2/dags/credit/dagRuns/manual__1"
        ]
    );
}

#[test]
fn what_airflow_does_not_start_is_told_in_its_words() {
    let refused = json!({ "detail": "Invalid input for param trees: 99 is greater than the maximum of 10" });
    let server = installation(move |_| (400, refused.clone()));
    let parameters = BTreeMap::new();
    let error = connect(&server, &signed_in())
        .unwrap()
        .trigger(&trigger(&parameters))
        .unwrap_err();
    assert!(
        error.to_string().starts_with("The run could not be started: "),
        "{error}"
    );
    assert!(
        error.to_string().ends_with("99 is greater than the maximum of 10"),
        "{error}"
    );
    assert!(error.help().contains("own words"), "{}", error.help());
}

fn task(id: &str, index: i64, state: Option<&str>) -> Json {
    json!({ "task_id": id, "map_index": index, "state": state, "try_number": 2 })
}

/// A log as Airflow 3.3 gives it.
fn log() -> Json {
    json!({ "continuation_token": null, "content": [
        { "event": "::group::Log message source details" },
        { "event": "/logs/attempt=2.log" },
        { "event": "::endgroup::" },
        { "event": "::group::Pre Execute", "level": "info" },
        { "event": "DAG bundles loaded: dags-folder", "level": "info" },
        { "event": "::endgroup::", "level": "info" },
        { "event": "reading 5 rows\nno rows left\n", "level": "info", "logger": "task.stdout" },
        { "event": "Task failed with exception", "level": "error", "error_detail": [
            { "exc_type": "AirflowFailException", "exc_value": "fit failed: exit code 1", "frames": [] }
        ] },
    ] })
}

#[test]
fn a_run_is_followed_to_its_end_with_the_log_of_what_failed() {
    let looks = AtomicUsize::new(0);
    let server = installation(move |asked| match asked.path.split('?').next().unwrap() {
        "/api/v2/dags/credit/dagRuns/r" => {
            let state = ["queued", "running", "failed"][looks.fetch_add(1, Ordering::Relaxed).min(2)];
            (200, json!({ "state": state }))
        }
        "/api/v2/dags/credit/dagRuns/r/taskInstances" => {
            let tasks = vec![
                task("load", -1, Some("success")),
                task("fit", 0, Some("success")),
                task("fit", 1, Some("failed")),
                task("x-then", -1, Some("skipped")),
                task("report", -1, Some("upstream_failed")),
                task("outputs", -1, None),
            ];
            (200, json!({ "total_entries": tasks.len(), "task_instances": tasks }))
        }
        "/api/v2/dags/credit/dagRuns/r/taskInstances/fit/1" => (200, task("fit", 1, Some("failed"))),
        "/api/v2/dags/credit/dagRuns/r/taskInstances/fit/logs/2" => (200, log()),
        other => (500, json!({ "detail": other })),
    });
    let airflow = connect(&server, &signed_in()).unwrap();
    let run = airflow.run("credit", "r");
    let mut told = Vec::new();
    let last = follow(&run, Duration::from_millis(1), &|| false, &mut |task| {
        told.push((task.name.clone(), task.state, task.error.clone()));
    })
    .unwrap();
    assert_eq!((last.state, last.error.as_deref()), (State::Failed, Some("fit[1]")));
    let why = "fit failed: exit code 1\nreading 5 rows\nno rows left".to_owned();
    assert_eq!(
        told,
        [
            ("fit[0]".to_owned(), State::Succeeded, None),
            ("fit[1]".to_owned(), State::Failed, Some(why)),
            ("load".to_owned(), State::Succeeded, None),
            ("report".to_owned(), State::Skipped, None),
        ]
    );
    let logs: Vec<String> = server
        .lines()
        .into_iter()
        .filter(|line| line.contains("/logs/"))
        .collect();
    assert_eq!(
        logs,
        ["GET /api/v2/dags/credit/dagRuns/r/taskInstances/fit/logs/2?full_content=true&map_index=1"]
    );
}

#[test]
fn a_log_that_cannot_be_had_hides_no_failure() {
    let server = installation(|asked| match asked.path.split('?').next().unwrap() {
        "/api/v2/dags/credit/dagRuns/r" => (200, json!({ "state": "failed" })),
        "/api/v2/dags/credit/dagRuns/r/taskInstances" => (
            200,
            json!({ "total_entries": 1, "task_instances": [task("fit", -1, Some("failed"))] }),
        ),
        _ => (403, json!({ "detail": "Forbidden" })),
    });
    let airflow = connect(&server, &signed_in()).unwrap();
    let mut told = Vec::new();
    follow(&airflow.run("credit", "r"), Duration::ZERO, &|| false, &mut |task| {
        told.push(task.clone())
    })
    .unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].state, told[0].error.as_deref()), (State::Failed, None));
}

#[test]
fn long_listings_are_read_page_by_page() {
    let server = installation(|asked| match asked.path.split_once('?') {
        Some((_, query)) => {
            let offset: usize = query.rsplit('=').next().unwrap().parse().unwrap();
            let tasks: Vec<Json> = (offset..250.min(offset + 100))
                .map(|index| task("fit", i64::try_from(index).unwrap(), Some("running")))
                .collect();
            (200, json!({ "total_entries": 250, "task_instances": tasks }))
        }
        None => (200, json!({ "state": "running" })),
    });
    let airflow = connect(&server, &signed_in()).unwrap();
    assert_eq!(airflow.run("credit", "r").snapshot().unwrap().tasks.len(), 250);
    assert_eq!(server.lines().len(), 5);
}
