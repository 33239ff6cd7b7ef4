//! `mlp submit` to Airflow: against a server that answers as Airflow 3 does, and in folders that refuse to be written.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

#[path = "../../remote/tests/support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use serde_json::{Value as Json, json};
use support::{Answer, Asked, Server};

const PROGRAM: &str = r#"
step say(text: string, times: int) -> string {
  run: command ["sh", "-c", "echo $0 > $1", "{text}", "{output}"]
}

pipeline greet(text: string, times: int in 1..=5 = 2) -> string {
  return say(text, times)
}

pipeline nightly(times: int = 9007199254740993) -> string {
  return say("good night", times)
}

trigger sleep for nightly { cron: "0 2 * * *", timezone: "Europe/Berlin" }

target air: airflow { host: "HOST", dags: "dags", runner: "local", root: "/var/artifacts" }

target folder: airflow { dags: "dags", runner: "local", root: "/var/artifacts" }

target home: airflow { dags: "~/airflow/dags", runner: "local", root: "/var/artifacts" }

target nowhere: airflow { runner: "local", root: "/var/artifacts" }

target api: airflow { host: "HOST", runner: "local", root: "/var/artifacts" }
"#;

struct Fixture {
    folder: tempfile::TempDir,
}

impl Fixture {
    fn new(host: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("mlp.toml"),
            "name = \"greet\"\nversion = \"0.1.0\"\n",
        )
        .unwrap();
        std::fs::write(folder.path().join("main.mlp"), PROGRAM.replace("HOST", host)).unwrap();
        std::fs::create_dir(folder.path().join("dags")).unwrap();
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn dag(&self) -> PathBuf {
        self.path().join("dags/greet.py")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("HOME", self.path())
            .env("MLP_AIRFLOW_TOKEN", "secret-token");
        command
    }

    fn submit(&self, arguments: &[&str]) -> Output {
        self.command(env!("CARGO_BIN_EXE_mlp"))
            .arg("submit")
            .args(arguments)
            .output()
            .unwrap()
    }

    /// The version that a DAG file says it has.
    fn version(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.path().join("dags").join(name)).unwrap();
        text.split("\nVERSION = \"").nth(1).unwrap()[..12].to_owned()
    }

    /// What lies in the folder of DAG files.
    fn dags(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path().join("dags")).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What was shown on standard error, without the breaks of lines.
fn problem(output: &Output) -> String {
    let words = text(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
    words.replace(" │ ", " ")
}

/// What a server says of a DAG: where the fixture's folder is, and whether the DAG was known and is paused.
struct Scene {
    dags: mpsc::Receiver<PathBuf>,
    known: bool,
    paused: bool,
    last: &'static str,
}

/// Airflow that reads what lies in the folder of DAG files, whenever it is asked.
fn airflow(known: bool, paused: bool, last: &'static str) -> (Server, mpsc::Sender<PathBuf>) {
    let (tell, dags) = mpsc::channel();
    let mut scene = Scene {
        dags,
        known,
        paused,
        last,
    };
    let looks = AtomicUsize::new(0);
    let mut folder = None;
    let server = Server::start(move |asked: &Asked| -> Answer {
        let folder = folder.get_or_insert_with(|| scene.dags.recv().unwrap());
        let path = asked.path.split('?').next().unwrap();
        let below = path.strip_prefix("/api/v2/").unwrap_or_default();
        let (status, body) = match (asked.method.as_str(), below.split('/').collect::<Vec<_>>().as_slice()) {
            ("GET", ["version"]) => (200, json!({ "version": "3.3.2" })),
            ("GET", ["importErrors"]) => (200, json!({ "import_errors": [], "total_entries": 0 })),
            ("GET", ["dags", dag, "details"]) => details(&scene, folder, dag),
            ("PATCH", ["dags", _]) => {
                scene.paused = false;
                (200, json!({}))
            }
            ("POST", ["dags", _, "dagRuns"]) => (200, json!({})),
            ("GET", ["dags", _, "dagRuns", _]) => {
                let state = ["running", scene.last][looks.fetch_add(1, Ordering::Relaxed).min(1)];
                (200, json!({ "state": state }))
            }
            ("GET", ["dags", _, "dagRuns", _, "taskInstances"]) => {
                let task = json!({ "task_id": "output", "map_index": -1, "state": scene.last, "try_number": 1 });
                (200, json!({ "total_entries": 1, "task_instances": [task] }))
            }
            ("GET", ["dags", _, "dagRuns", _, "taskInstances", "output"]) => (200, json!({ "try_number": 1 })),
            ("GET", [.., "logs", "1"]) => (
                200,
                json!({ "content": [
                    { "event": "no rows left" },
                    { "event": "Task failed", "error_detail": [{ "exc_type": "AirflowException", "exc_value": "`output` ended" }] },
                ], "continuation_token": null }),
            ),
            _ => (500, json!({ "detail": asked.line() })),
        };
        support::json(status, &body)
    });
    (server, tell)
}

fn details(scene: &Scene, folder: &Path, dag: &str) -> (u16, Json) {
    let read = std::fs::read_to_string(folder.join(format!("{dag}.py"))).ok();
    let version = read
        .as_deref()
        .and_then(|text| Some(text.split("\nVERSION = \"").nth(1)?[..12].to_owned()));
    match version {
        None if !scene.known => (
            404,
            json!({ "detail": format!("The Dag with ID: `{dag}` was not found") }),
        ),
        version => (
            200,
            json!({
                "is_paused": scene.paused, "is_stale": false, "fileloc": "/opt/airflow/dags/greet.py",
                "doc_md": format!("Version {}.", version.as_deref().unwrap_or("none")),
            }),
        ),
    }
}

fn fixture(known: bool, paused: bool, last: &'static str) -> (Fixture, Server) {
    let (server, tell) = airflow(known, paused, last);
    let fixture = Fixture::new(&server.address);
    tell.send(fixture.path().join("dags")).unwrap();
    (fixture, server)
}

fn sent(server: &Server, method: &str) -> Vec<Asked> {
    server
        .asked()
        .into_iter()
        .filter(|asked| asked.method == method)
        .collect()
}

// ── Runs ──

#[test]
fn the_file_is_placed_and_a_run_of_it_started_with_typed_parameters() {
    let (fixture, server) = fixture(false, true, "success");
    let arguments = [
        "greet",
        "-t",
        "air",
        "-p",
        "text=it's {{x}}",
        "-p",
        "times=3",
        "--wait",
        "--name",
        "by hand",
    ];
    let output = fixture.submit(&arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let run = sent(&server, "POST").remove(0);
    let id = run.json()["dag_run_id"].as_str().unwrap().to_owned();
    assert!(
        id.starts_with("manual__20") && id.ends_with(&format!("-{}", fixture.version("greet.py"))),
        "{id}"
    );
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    assert!(id.chars().all(is_plain), "{id}");
    assert_eq!(run.header("authorization"), Some("Bearer secret-token"));
    assert_eq!(
        run.json(),
        json!({ "dag_run_id": id, "logical_date": null, "note": "by hand", "conf": { "text": "it's {{x}}", "times": 3 } })
    );
    // New, and nothing but a request starts it: nobody wants its runs to wait.
    assert_eq!(sent(&server, "PATCH")[0].json(), json!({ "is_paused": false }));
    assert_eq!(
        text(&output.stdout),
        format!(
            "wrote {}\nunpaused greet\nstarted {id}\n{}/dags/greet/runs/{id}\n  succeeded  output\nThe run succeeded.\n",
            fixture.path().canonicalize().unwrap().join("dags/greet.py").display(),
            server.address
        )
    );
    assert_eq!(fixture.dags(), ["greet.py"]);

    let again = fixture.submit(&["greet", "-t", "air", "-p", "text=x"]);
    assert!(again.status.success(), "{}", text(&again.stderr));
    assert!(text(&again.stdout).starts_with("unchanged "), "{}", text(&again.stdout));
}

#[test]
fn the_exit_code_is_the_runs_and_the_log_is_shown() {
    let (fixture, _server) = fixture(false, false, "failed");
    let output = fixture.submit(&["greet", "-t", "air", "-p", "text=x", "--wait"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    assert!(
        shown.ends_with("  failed     output: `output` ended\n             no rows left\nThe run failed: output\n"),
        "{shown}"
    );
}

#[test]
fn integers_are_carried_exactly() {
    let (fixture, server) = fixture(true, false, "success");
    let output = fixture.submit(&["nightly", "-t", "air", "-p", "times=9007199254740993"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(sent(&server, "POST")[0].body.contains("\"times\":9007199254740993"));
}

#[test]
fn a_paused_dag_is_let_run_only_when_that_is_wanted() {
    // Known before: somebody may have paused it. New, with a trigger: unpausing begins its schedule.
    for (known, pipeline, parameters, help) in [
        (true, "greet", &["-p", "text=x"][..], "Add `--unpause` to let it run."),
        (
            false,
            "nightly",
            &[][..],
            "Its triggers start runs from then on, too: sleep.",
        ),
    ] {
        let (fixture, server) = fixture(known, true, "success");
        let arguments = [&[pipeline, "-t", "air"][..], parameters].concat();
        let output = fixture.submit(&arguments);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
        let shown = problem(&output);
        assert!(
            shown.contains(&format!("The DAG `{pipeline}` is paused")) && shown.contains(help),
            "{shown}"
        );
        assert!(sent(&server, "POST").is_empty() && sent(&server, "PATCH").is_empty());
        let output = fixture.submit(&[&arguments[..], &["--unpause"]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!((sent(&server, "PATCH").len(), sent(&server, "POST").len()), (1, 1));
    }
}

#[test]
fn without_a_folder_a_run_is_started_only_of_what_airflow_has() {
    let (fixture, server) = fixture(true, false, "success");
    let output = fixture.submit(&["greet", "-t", "api", "-p", "text=x"]);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
    let shown = problem(&output);
    assert!(
        shown.contains("is not the one that was compiled") && shown.contains("mlp build"),
        "{shown}"
    );
    assert!(sent(&server, "POST").is_empty());
    assert!(fixture.dags().is_empty());
    // The two targets give the same file, which a deployment may bring.
    let built = fixture
        .command(env!("CARGO_BIN_EXE_mlp"))
        .args(["build", "-t", "api", "-o", "dags"])
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", text(&built.stderr));
    let output = fixture.submit(&["greet", "-t", "api", "-p", "text=x"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(sent(&server, "POST").len(), 1);
}

#[test]
fn what_is_wrong_is_told_before_anything_is_written_or_sent() {
    let server = Server::start(|_: &Asked| support::json(500, &json!({})));
    let fixture = Fixture::new(&server.address);
    let cases: [(&[&str], &str); 8] = [
        (&["greet", "-t", "air"], "needs a value for its parameter `text`"),
        (
            &["greet", "-t", "air", "-p", "text=x", "-p", "times=9"],
            "The parameter `times` cannot be `9`",
        ),
        (
            &["greet", "-t", "air", "-p", "text=x", "-p", "time=9"],
            "Did you mean `times`?",
        ),
        (&["greet", "-t", "nowhere"], "names neither `dags` nor `host`"),
        (&["greet", "-t", "folder", "--wait"], "`--wait` is about a run"),
        (&["greet", "-t", "folder", "--unpause"], "`--unpause` is about a run"),
        (&["greet", "-t", "folder", "--name", "x"], "`--name` is about a run"),
        (
            &["greet", "-t", "folder", "-p", "text=x"],
            "`--parameter` is about a run",
        ),
    ];
    for (arguments, message) in cases {
        let output = fixture.submit(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
        assert!(
            problem(&output).contains(message),
            "{arguments:?}: {}",
            problem(&output)
        );
    }
    assert!(server.asked().is_empty());
    assert!(fixture.dags().is_empty());
}

#[test]
fn an_airflow_that_refuses_keeps_the_file_from_being_written() {
    let server = Server::start(|asked: &Asked| match asked.path.as_str() {
        "/api/v2/version" => support::json(200, &json!({ "version": "3.3.2" })),
        _ => support::json(403, &json!({ "detail": "Forbidden" })),
    });
    let fixture = Fixture::new(&server.address);
    let output = fixture.submit(&["greet", "-t", "air", "-p", "text=x"]);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
    let shown = problem(&output);
    assert!(
        shown.contains("answered 403: Forbidden") && shown.contains("may not do that"),
        "{shown}"
    );
    assert!(!shown.contains("secret-token"), "{shown}");
    assert!(fixture.dags().is_empty());
}

// ── Placing ──

#[test]
fn a_target_without_a_host_only_gets_the_file() {
    let fixture = Fixture::new("http://unused");
    let output = fixture.submit(&["greet", "-t", "folder"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(
        text(&output.stdout).contains("no run was started"),
        "{}",
        text(&output.stdout)
    );
    let first = std::fs::read(fixture.dag()).unwrap();
    let output = fixture.submit(&["greet", "-t", "folder"]);
    assert!(
        text(&output.stdout).starts_with("unchanged "),
        "{}",
        text(&output.stdout)
    );
    assert_eq!(std::fs::read(fixture.dag()).unwrap(), first);

    let output = fixture.submit(&["greet", "-t", "home"]);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
    assert!(
        problem(&output).contains("There is no folder `"),
        "{}",
        problem(&output)
    );
    std::fs::create_dir_all(fixture.path().join("airflow/dags")).unwrap();
    let output = fixture.submit(&["greet", "-t", "home"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(
        std::fs::read(fixture.path().join("airflow/dags/greet.py")).unwrap(),
        first
    );
}

#[test]
fn a_file_of_somebody_else_is_left_alone() {
    let fixture = Fixture::new("http://unused");
    std::fs::write(fixture.dag(), "from airflow.sdk import DAG\n").unwrap();
    let output = fixture.submit(&["greet", "-t", "folder"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(
        problem(&output).contains("was not written by mlp"),
        "{}",
        problem(&output)
    );
    assert_eq!(
        std::fs::read_to_string(fixture.dag()).unwrap(),
        "from airflow.sdk import DAG\n"
    );
    std::fs::remove_file(fixture.dag()).unwrap();
    std::fs::create_dir(fixture.dag()).unwrap();
    let output = fixture.submit(&["greet", "-t", "folder"]);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
    assert_eq!(fixture.dags(), ["greet.py"]);
}

#[cfg(unix)]
#[test]
fn the_file_is_as_readable_as_the_folder_or_as_it_was() {
    use std::os::unix::fs::PermissionsExt as _;
    let fixture = Fixture::new("http://unused");
    let allow = |path: &Path, mode: u32| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    for (folder, file) in [(0o775, 0o664), (0o755, 0o644), (0o2770, 0o660)] {
        allow(&fixture.path().join("dags"), folder);
        assert!(fixture.submit(&["greet", "-t", "folder"]).status.success());
        assert_eq!(mode(&fixture.dag()), file, "{folder:o}");
        std::fs::remove_file(fixture.dag()).unwrap();
    }
    assert!(fixture.submit(&["greet", "-t", "folder"]).status.success());
    allow(&fixture.dag(), 0o640);
    change(&fixture);
    assert!(fixture.submit(&["greet", "-t", "folder"]).status.success());
    assert_eq!(mode(&fixture.dag()), 0o640);
}

/// Another text of the step.
fn change(fixture: &Fixture) {
    let source = fixture.path().join("main.mlp");
    let text = std::fs::read_to_string(&source)
        .unwrap()
        .replace("echo $0", "echo new $0");
    std::fs::write(source, text).unwrap();
}

/// Runs `mlp submit` so that no file can become longer than 512 bytes, as on a disk that fills up: with the signal that
/// the system sends then, it is killed in the middle of writing; without, writing fails.
#[cfg(target_os = "linux")]
fn on_a_full_disk(fixture: &Fixture, killed: bool) -> Output {
    let before = if killed { "" } else { "trap '' XFSZ; " };
    let script = format!("{before}ulimit -f 1; exec \"$0\" submit greet -t folder");
    let mut command = fixture.command("sh");
    command
        .args(["-c", &script, env!("CARGO_BIN_EXE_mlp")])
        .stdin(Stdio::null());
    command.output().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_changes_nothing() {
    let fixture = Fixture::new("http://unused");
    for round in ["new", "changed"] {
        let before = std::fs::read(fixture.dag()).ok();
        let output = on_a_full_disk(&fixture, false);
        assert_eq!(output.status.code(), Some(5), "{round}: {}", text(&output.stderr));
        let shown = problem(&output);
        assert!(
            shown.contains("Cannot write `") && shown.contains("Nothing was changed there"),
            "{shown}"
        );
        assert_eq!(std::fs::read(fixture.dag()).ok(), before, "{round}");
        assert_eq!(
            fixture.dags().len(),
            usize::from(before.is_some()),
            "{:?}",
            fixture.dags()
        );
        assert!(fixture.submit(&["greet", "-t", "folder"]).status.success());
        change(&fixture);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn who_is_killed_while_writing_leaves_the_old_file_and_nothing_that_airflow_imports() {
    use std::os::unix::process::ExitStatusExt as _;
    let fixture = Fixture::new("http://unused");
    assert!(fixture.submit(&["greet", "-t", "folder"]).status.success());
    let old = std::fs::read(fixture.dag()).unwrap();
    change(&fixture);
    let output = on_a_full_disk(&fixture, true);
    assert!(
        output.status.signal().is_some(),
        "{:?} {}",
        output.status,
        text(&output.stderr)
    );
    assert_eq!(std::fs::read(fixture.dag()).unwrap(), old);
    let left: Vec<String> = fixture.dags().into_iter().filter(|name| name != "greet.py").collect();
    assert!(!left.is_empty(), "it was not killed in the middle");
    for name in left {
        assert!(
            name.starts_with(".mlp-") && !name.contains(".py") && !name.contains(".zip"),
            "{name}"
        );
    }
    assert!(fixture.submit(&["greet", "-t", "folder"]).status.success());
    assert_ne!(std::fs::read(fixture.dag()).unwrap(), old);
}

// ── Ctrl-C ──

/// Interrupts `mlp submit` when it has asked for something several times, and gives its exit code and what it said.
#[cfg(unix)]
fn interrupted(fixture: &Fixture, server: &Server, asks: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = fixture.command(env!("CARGO_BIN_EXE_mlp"));
    command
        .arg("submit")
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    while server.lines().iter().filter(|line| line.contains(asks)).count() < 4 {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    assert!(
        Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    (
        output.status.code(),
        format!("{}{}", text(&output.stdout), problem(&output)),
    )
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_the_watching_and_not_the_run() {
    let (fixture, server) = fixture(true, false, "running");
    let arguments = ["greet", "-t", "air", "-p", "text=x", "--wait"];
    let (code, said) = interrupted(&fixture, &server, "/taskInstances", &arguments);
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("The run goes on; it is no longer watched."), "{said}");
    assert!(
        server
            .lines()
            .iter()
            .all(|line| !line.starts_with("DELETE") && !line.starts_with("PATCH"))
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_while_airflow_reads_the_file_starts_no_run() {
    let (server, tell) = airflow(false, false, "success");
    let fixture = Fixture::new(&server.address);
    // Airflow reads another folder.
    tell.send(fixture.path().to_owned()).unwrap();
    let (code, said) = interrupted(&fixture, &server, "/details", &["greet", "-t", "air", "-p", "text=x"]);
    assert_eq!(code, Some(130), "{said}");
    assert!(
        said.contains("no run was started") && said.contains("The file stays where it is"),
        "{said}"
    );
    assert!(sent(&server, "POST").is_empty());
    assert_eq!(fixture.dags(), ["greet.py"]);
}
