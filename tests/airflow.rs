//! What pipelines become on Airflow: names, settings, releases. The constructs, with source beside output, stand in
//! `tests/spec/dags.md`; that the real Airflow imports and runs them is shown in `tests/conformance/airflow`.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8PathBuf;
use mlp::db::Database;
use mlp::plan::{self, AirflowTarget, AirflowVersion, DeclaredTarget, Plan, Platform, Runner};
use mlp::project::{Lock, MemoryHost};
use mlp::targets::{Built, Request, TargetError, TargetName, build};

/// Steps that the programs below call.
const STEPS: &str = r#"
/// Says something.
step say(text: string) -> string {
  run: command ["say", "{text}", "{output}"]
  retries: { count: 2, backoff: { first: 30s, factor: 3.0, longest: 10min } }
}

step count(text: string) -> int {
  run: command ["count", "{text}", "{output}"]
}

step join(texts: list<string>) -> File {
  run: command ["join", "{texts}", "{output}"]
}
"#;

fn plan_of(text: &str) -> Plan {
    let files = BTreeMap::from([(Utf8PathBuf::from("main.mlp"), format!("{STEPS}\n{text}"))]);
    plan::build(&Database::new(Arc::new(MemoryHost { files }))).unwrap()
}

fn built(text: &str, settings: AirflowTarget) -> Result<Built, TargetError> {
    let plan = plan_of(text);
    let target = DeclaredTarget::undeclared("airflow", Platform::Airflow(settings));
    let request = Request {
        plan: &plan,
        target: &target,
        sources: &BTreeMap::new(),
        lock: &Lock::default(),
    };
    build(TargetName::Airflow, &request)
}

fn on(runner: Runner) -> AirflowTarget {
    AirflowTarget {
        runner,
        root: Some("s3://bucket/runs".to_owned()),
        registry_claim: Some("registry".to_owned()),
        ..AirflowTarget::default()
    }
}

/// The whole file of the pipeline `main`.
fn file(text: &str, settings: AirflowTarget) -> String {
    let files = built(text, settings).unwrap().files;
    files.into_iter().find(|file| file.path == "main.py").unwrap().text
}

#[test]
fn a_pod_gets_what_its_step_asks_for() {
    let text = file(
        r#"
        step fit() -> string {
          run: command ["fit", "{output}"]
          image: "registry.example.com/fit@sha256:0000000000000000000000000000000000000000000000000000000000000000"
          resources: { cpu: 2, memory: 8GiB, gpu: { kind: "nvidia-tesla-t4", count: 1 }, disk: 20GiB, spot: true }
          timeout: 1h
          kubernetes: { volumes: [{ path: "/dev/shm", memory: 2GiB }], labels: { team: "risk" } }
        }
        pipeline main() -> string { return fit() }
        "#,
        on(Runner::Kubernetes),
    );
    for expected in [
        "image=\"registry.example.com/fit@sha256:",
        "requests={\"cpu\": \"2\", \"memory\": \"8Gi\", \"nvidia.com/gpu\": \"1\"}",
        "limits={\"cpu\": \"2\", \"memory\": \"8Gi\", \"nvidia.com/gpu\": \"1\"}",
        "node_selector={\"cloud.google.com/gke-accelerator\": \"nvidia-tesla-t4\", \"cloud.google.com/gke-spot\": \"true\"}",
        "k8s.V1Toleration(key=\"nvidia.com/gpu\", operator=\"Exists\", effect=\"NoSchedule\")",
        "disk=\"20Gi\"",
        "active_deadline_seconds=3660",
        "execution_timeout=timedelta(seconds=4260)",
        "k8s.V1VolumeMount(name=\"volume-0\", mount_path=\"/dev/shm\")",
        "labels={\"team\": \"risk\"}",
    ] {
        assert!(text.contains(expected), "{expected} is missing in\n{text}");
    }
}

#[test]
fn a_run_that_fails_or_is_late_is_told_of() {
    let settings = AirflowTarget {
        notify: Some("alerts.page.tell".to_owned()),
        deadline: Some(7_200_000),
        timeout: Some(10_800_000),
        owner: Some("risk".to_owned()),
        tags: vec!["credit".to_owned()],
        pool: Some("training".to_owned()),
        ..on(Runner::Local)
    };
    let text = file("pipeline main(name: string) -> string { return say(name) }", settings);
    for expected in [
        "on_failure_callback=Notify(\"alerts.page.tell\")",
        "interval=timedelta(seconds=7200)",
        "callback=SyncCallback(\"alerts.page.tell\")",
        "dagrun_timeout=timedelta(seconds=10800)",
        "default_args={\"owner\": \"risk\", \"pool\": \"training\"}",
        "tags=[\"mlp\", \"credit\"]",
        "import importlib\n",
        "DeadlineAlert, DeadlineReference,",
        "SyncCallback",
    ] {
        assert!(text.contains(expected), "{expected} is missing in\n{text}");
    }
}

#[test]
fn secrets_of_the_worker_are_found_where_the_target_or_the_step_says() {
    let program = r#"
        step fetch() -> string {
          run: command ["fetch", "{output}"]
          secrets: { TOKEN: env "FETCH_TOKEN" }
        }
        pipeline main() -> string { return fetch() }
        "#;
    for runner in [Runner::Local, Runner::Docker] {
        let text = file(program, on(runner));
        assert!(text.contains("secrets={\"TOKEN\": \"env:FETCH_TOKEN\"}"), "{text}");
    }
}

#[test]
fn what_every_pod_has_already_is_refused() {
    let program = |setting: &str| {
        format!(
            "step fit() -> string {{ run: command [\"fit\", \"{{output}}\"]\n kubernetes: {{ {setting} }} }}\n\
             pipeline main() -> string {{ return fit() }}"
        )
    };
    let refused = |setting: &str| match built(&program(setting), on(Runner::Kubernetes)) {
        Err(TargetError::Refused { refusal, .. }) => refusal.why,
        other => panic!("{other:?}"),
    };
    let volume = "volumes: [{ path: \"/tmp\", scratch: 1GiB }]";
    assert_eq!(refused(volume), "every pod has a volume at `/tmp` already");
    assert!(refused("labels: { dag_id: \"x\" }").starts_with("Airflow sets the label `dag_id` itself"));
    assert!(built(&program(volume), on(Runner::Local)).is_ok());
}

#[test]
fn no_name_of_the_users_hides_one_of_the_file() {
    let text = file(
        r#"
        step pod() -> string { run: command ["pod", "{output}"] \n retries: 2 }
        pipeline main() -> string {
          let open = pod()
          let pull = say(open)
          let class = say(pull)
          return class
        }
        "#
        .replace("\\n", "\n")
        .as_str(),
        on(Runner::Kubernetes),
    );
    for expected in [
        "POD_2 = dict(",
        "open_2 = Step(task_id=\"open\", **POD_2)",
        "pull_2 = Step(task_id=\"pull\"",
        "class_2 = Step(task_id=\"class\"",
    ] {
        assert!(text.contains(expected), "{expected} is missing in\n{text}");
    }
}

#[test]
fn a_later_second_release_is_written_with_its_own_names() {
    let settings = AirflowTarget {
        version: AirflowVersion::Two,
        ..on(Runner::Local)
    };
    let text = file(
        r#"
        pipeline main(names: list<string>) -> list<string> {
          for name in names { let said = say(name) }
          finally { let _ = say("it {outcome}") }
          return said
        }
        "#,
        settings,
    );
    assert!(!text.contains("airflow.sdk"), "{text}");
    assert!(text.contains("from airflow.models import BaseOperator"), "{text}");
    assert!(text.contains("get_task_instances()"), "{text}");
    assert!(
        text.contains("start_date=datetime(2024, 1, 1, tzinfo=timezone.utc)"),
        "{text}"
    );
    assert!(text.contains("retry_exponential_backoff=True"), "{text}");
}

#[test]
fn equal_programs_give_equal_bytes_and_a_new_step_renames_nothing() {
    let before = "pipeline main(name: string) -> string { let a = say(name) \n return say(a) }";
    let after = "pipeline main(name: string) -> string { let a = say(name) \n let _ = count(a) \n return say(a) }";
    let names = |text: &str| -> Vec<String> {
        let file = file(text, on(Runner::Local));
        let ids = file.split("task_id=\"").skip(1);
        ids.filter_map(|rest| rest.split('"').next().map(str::to_owned))
            .collect()
    };
    assert_eq!(file(before, on(Runner::Local)), file(before, on(Runner::Local)));
    let (old, new) = (names(before), names(after));
    assert!(old.iter().all(|name| new.contains(name)), "{old:?} {new:?}");
}
