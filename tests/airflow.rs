//! What pipelines become on Airflow: names, order, groups, settings, texts. That the real Airflow imports and runs them is
//! shown in `tests/conformance/airflow`.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests fail by panicking, and the snapshots' library reads files"
)]

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

/// The part of a file that people read: the DAG.
fn dag(text: &str) -> String {
    let file = file(text, on(Runner::Local));
    let (_, rest) = file.split_once("with DAG(").unwrap();
    let (dag, _) = rest.split_once("\n\n\n# What the launcher").unwrap();
    format!("with DAG({dag}")
}

#[test]
fn steps_follow_what_they_read() {
    insta::assert_snapshot!(dag(r#"
        /// Greets.
        ///
        /// It says it twice.
        pipeline main(name: string matches "^[a-z]+$" = "ada", times: int in 1..=3 = 2) -> string {
          let first  = say("{name} {times}")
          let second = say(first)
          let _      = count("alone") after first
          return second
        }
        "#));
}

#[test]
fn arms_follow_guards_and_what_comes_after_bears_skipped_arms() {
    insta::assert_snapshot!(dag(r#"
        pipeline main(name: string, loud: bool) -> string {
          let length = count(name)
          let said = if loud && length > 3 { say("LOUD") } else { "quiet" }
          if said == "quiet" {
            let _ = say("nothing")
          }
          return say(said)
        }
        "#));
}

#[test]
fn a_loop_in_a_loop_is_a_group_of_its_own() {
    insta::assert_snapshot!(dag(r#"
        pipeline main(rows: list<string>, columns: list<int>) -> list<list<string>> {
          for row in rows max 2 {
            let head = say("row {row}")
            for column in columns {
              let cells = if column > 1 { say("{head} {column}") } else { "first" }
            }
            let _ = if row == "last" { join(cells) } else { join([]) }
          }
          return cells
        }
        "#));
}

#[test]
fn what_is_known_is_unrolled() {
    insta::assert_snapshot!(dag(r#"
        pipeline main() -> list<string> {
          for name in ["ada", "grace"] {
            let said = say("Dear {name}")
          }
          return said
        }
        "#));
}

#[test]
fn a_called_pipeline_stands_in_line_with_its_own_end() {
    insta::assert_snapshot!(dag(r#"
        pipeline inner(text: string) -> string {
          let result = say(text)
          finally { let _ = say("inner {outcome}") }
          return result
        }

        pipeline main(name: string) -> string {
          let result = inner("for {name}")
          let next = say("then {result}")
          finally {
            if outcome == failed { let _ = say("wake somebody") }
          }
          return next
        }
        "#));
}

#[test]
fn several_triggers_are_one_schedule() {
    let text = dag(r#"
        pipeline main(name: string) -> string { return say(name) }
        trigger nightly for main { cron: "0 2 * * *", timezone: "Europe/Berlin", parameters: { name: "night" } }
        trigger noon for main { cron: "0 12 * * 1", timezone: "Europe/Berlin", parameters: { name: "night" } }
        trigger arrived for main { data: ["s3://bucket/a", "s3://bucket/b"], parameters: { name: "night" } }
        "#);
    assert!(
        text.contains(
            "schedule=AssetOrTimeSchedule(timetable=MultipleCronTriggerTimetable(\"0 2 * * *\", \"0 12 * * 1\", \
             timezone=\"Europe/Berlin\"), assets=[Asset(\"s3://bucket/a\"), Asset(\"s3://bucket/b\")])"
        ),
        "{text}"
    );
    assert!(text.contains("\"name\": Param(\"night\", type=\"string\")"), "{text}");
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
