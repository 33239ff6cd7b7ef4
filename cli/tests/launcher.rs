//! `mlp launch --placed` with a root in a folder: every kind of node, what passes between tasks, reuse, and how it ends.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests start the binary and look at the disk"
)]

mod launcher_support;
mod life_cycle;

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use launcher_support::Project;
use life_cycle::{FIT, PREDICT, PROGRAM, loans};
use mlp::plan::{Input, Node, Operand, Port, Reference};
use serde_json::json;

const STEPS: &str = r#"
/// Writes a file, a folder and values.
step make(words: list<string>, count: int) -> (out: File, tree: Directory, big: int, wait: duration, kept: string?) {
  run: command ["sh", "./make.sh", "{out}", "{tree}", "{big}", "{wait}", "{kept}", "{count}", "{words}"]
}

step show(out: File, tree: Directory, big: int, wait: duration, kept: string?) -> (text: string, half: int in 0..=50) {
  run: command ["sh", "./show.sh", "{text}", "{half}", "{out}", "{tree}", "{big}", "{wait}", "{kept}"]
}

step double(big: int, words: list<string>) -> (twice: int, all: string, note: File) {
  run: python "steps.py:double"
}

pipeline main(words: list<string> = ["a b", "c"], count: int = 9007199254740993) {
  let made = make(words, count)
  let _ = show(out: made.out, tree: made.tree, big: made.big, wait: made.wait, kept: made.kept)
  let _ = double(big: made.big, words)
}
"#;

const MAKE: &str = r#"out=$1; tree=$2; big=$3; wait=$4; kept=$5; count=$6
shift 6
printf '%s\n' "$@" > "$out"
mkdir -p "$tree/bin" && printf '#!/bin/sh\necho ran\n' > "$tree/bin/tool" && chmod +x "$tree/bin/tool"
printf '%s' "$count" > "$big"
printf '90min' > "$wait"
printf 'none' > "$kept"
echo "printed by make"
"#;

const SHOW: &str = r#"text=$1; half=$2
printf '%s|%s|%s|%s|%s' "$(cat "$3" | tr '\n' ,)" "$("$4/bin/tool")" "$5" "$6" "$7" > "$text"
printf '%s' "${HALF:-7}" > "$half"
"#;

const DOUBLE: &str = "\
def double(big: int, words: list[str], note):
    with open(note, 'w') as file:
        file.write('noted')
    return {'twice': big * 2, 'all': '+'.join(words)}
";

fn steps() -> Project {
    let files = [("make.sh", MAKE), ("show.sh", SHOW), ("steps.py", DOUBLE)];
    Project::new(STEPS, &files)
}

#[test]
fn commands_and_functions_pass_files_folders_and_values_on() {
    let project = steps();
    let ended = project.run_all();
    let big = 9_007_199_254_740_993_i64;
    let returned = |node: &str| ended[node].returned.clone().unwrap();
    assert_eq!(
        returned("made")["big"],
        json!(big),
        "an integer beyond 2^53 stays what it is"
    );
    assert_eq!(returned("made")["wait"], json!("1h30min"));
    assert_eq!(returned("made")["kept"], json!(null));
    let out = project.outputs("made").join("out");
    assert_eq!(returned("made")["out"], json!(out));
    assert!(ended["made"].stdout.contains("printed by make"));
    let told = format!("a b,c,|ran|{big}|1h30min|none");
    assert_eq!(returned("show")["text"], json!(told));
    assert_eq!(returned("double")["twice"], json!(big * 2));
    assert_eq!(returned("double")["all"], json!("a b+c"));
    let manifest = project.manifest("made").unwrap();
    assert_eq!(manifest["version"], json!(1));
    assert_eq!(manifest["node"], json!("made"));
    assert_eq!(manifest["ports"]["out"]["artifact"]["size"], json!(6));
    assert_eq!(manifest["ports"]["tree"]["artifact"]["folder"], json!(true));
    assert_eq!(
        fs::read_to_string(project.outputs("double").join("note")).unwrap(),
        "noted"
    );
}

#[test]
fn values_are_computed_and_artifacts_given_on_by_address() {
    let project = steps();
    assert_eq!(project.run("made").code, Some(0));
    let made = project.node("made");
    let port = |name: &str| made.outputs.iter().find(|port| port.name == name).unwrap().ty.clone();
    let input = |name: &str| Input {
        name: name.to_owned(),
        ty: port(name),
        value: Operand::Reference(Reference::Output {
            node: "made".to_owned(),
            port: name.to_owned(),
        }),
    };
    let output = |name: &str| Port {
        name: name.to_owned(),
        ty: port(name),
    };
    let names = ["out", "tree", "big", "wait"];
    let node = Node::computing(
        "outputs".to_owned(),
        names.iter().map(|name| input(name)).collect(),
        names.iter().map(|name| output(name)).collect(),
    );
    let ended = project.run_placed(&project.placed_node(node), |_| {});
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let out = project.outputs("made").join("out");
    let tree = project.outputs("made").join("tree");
    let expected = json!({"out": out, "tree": tree, "big": 9_007_199_254_740_993_i64, "wait": "1h30min"});
    assert_eq!(ended.returned, Some(expected));
}

fn whole() -> Project {
    Project::new(
        PROGRAM,
        &[("loans.csv", &loans(1.0)), ("loans.py", PREDICT), ("fit.sh", FIT)],
    )
}

#[test]
fn a_model_goes_all_the_way_into_service_and_the_same_work_is_done_once() {
    let mut project = whole();
    let ended = project.run_all();
    assert!(
        ended["raw"].stdout.contains("✓ raw  400 rows"),
        "{}",
        ended["raw"].stdout
    );
    let page = fs::read_to_string(project.outputs("clean").join("report.html")).unwrap();
    assert!(page.contains("✓ passed: 400 rows"), "{page}");
    let metrics = fs::read_to_string(project.outputs("scores").join("metrics.json")).unwrap();
    let metrics: serde_json::Value = serde_json::from_str(&metrics).unwrap();
    assert!(metrics["log_loss"].as_f64().unwrap() > 0.0, "{metrics}");
    // What judges, or keeps something in the registry, is done in every run, as on this machine.
    project.begin("run-2");
    let again = project.run_all();
    for node in ["raw", "rows", "parts", "model", "scores"] {
        assert!(again[node].stdout.contains("cached"), "{node}: {}", again[node].stdout);
        assert_eq!(again[node].returned, ended[node].returned, "{node}");
    }
    assert!(!again["gated"].stdout.contains("cached"));
    // A second attempt does the work, whatever is known of it.
    project.placement.attempt = 2;
    assert!(!project.run("raw").stdout.contains("cached"));
    // Other data is other work.
    project.begin("run-3");
    fs::write(project.path.join("loans.csv"), loans(2.0)).unwrap();
    assert!(!project.run("raw").stdout.contains("cached"));
}

#[test]
fn what_does_not_pass_ends_with_65_and_leaves_its_page_and_no_outputs() {
    let project = whole();
    let dirty = loans(1.0).replace("\n0,1,", "\n0,-1,");
    fs::write(project.path.join("loans.csv"), dirty).unwrap();
    assert_eq!(project.run("raw").code, Some(0));
    let ended = project.run("clean");
    assert_eq!(ended.code, Some(65), "{}", ended.stderr);
    assert!(ended.stderr.contains("✗ clean did not pass"), "{}", ended.stderr);
    assert_eq!(ended.returned, None);
    assert_eq!(project.manifest("clean"), None);
    let page = fs::read_to_string(project.outputs("clean").join("report.html")).unwrap();
    assert!(page.contains("did not pass") && page.contains("amount"), "{page}");
}

#[test]
fn what_cannot_be_read_ends_with_64() {
    let project = steps();
    let placed = serde_json::to_string(&project.placed("made")).unwrap();
    let rootless = r#"{"root":"","pipeline":"p","run":"r","task":"t"}"#;
    for (placed, placement, expected) in [
        ("{", rootless, "`--placed` cannot be read"),
        ("@nowhere.json", rootless, "`--placed` cannot be read: `nowhere.json`"),
        (&placed, "[]", "`--placement` cannot be read"),
        (&placed, rootless, "`--placement` cannot be read: its `root` is empty"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mlp"));
        command.args(["launch", "--placed", placed, "--placement", placement]);
        let ended = project.ended(&command.output().unwrap());
        assert_eq!(ended.code, Some(64), "{}", ended.stderr);
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
        assert!(ended.stderr.contains("help: "), "{}", ended.stderr);
    }
}

#[test]
fn values_that_do_not_fit_are_told_where_they_enter_and_where_they_leave() {
    let project = steps();
    assert_eq!(project.run("made").code, Some(0));
    let ended = project.run_with("show", |command| {
        command.env("HALF", "51");
    });
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let expected = "gave an output `half` that does not fit: 51 does not fit `int in 0..=50`";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    assert_eq!(project.manifest("show"), None);
    // The manifest of another pipeline's file: what it says is checked before it is used.
    let manifest = project.outputs("made").join("outputs.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("9007199254740993", "\"many\"")).unwrap();
    let ended = project.run("show");
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let expected = "`show` cannot take `big`: \"many\" is not of type `int`";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
}

const SECRETIVE: &str = r#"
step secretive(mode: string) -> (out: File) {
  run: command ["sh", "./secretive.sh", "{out}", "{mode}"]
  secrets: { TOKEN: env "SOMEWHERE" }
  timeout: 1s
  cache: never
}

pipeline main(mode: string = "tell") { let _ = secretive(mode) }
"#;

const SECRETIVE_SCRIPT: &str = r#"echo "token $TOKEN"
printf '%s' "$TOKEN" > "$1"
if [ "$2" = wait ]; then touch started; while kill -0 $PPID 2> /dev/null; do sleep 0.01; done; fi
"#;

fn secretive(mode: &str) -> Project {
    let mut project = Project::new(SECRETIVE, &[("secretive.sh", SECRETIVE_SCRIPT)]);
    project.placement.parameters.insert("mode".to_owned(), json!(mode));
    project
}

#[test]
fn secrets_come_by_reference_and_are_not_shown() {
    let project = secretive("tell");
    let given = |name: &'static str| {
        move |command: &mut Command| {
            command.env(name, "hush-hush");
        }
    };
    let own = project.run_with("secretive", given("SOMEWHERE"));
    let elsewhere = project.run_with("secretive", |command| {
        command
            .env("ELSEWHERE", "hush-hush")
            .args(["--secret", "TOKEN=env:ELSEWHERE"]);
    });
    for ended in [own, elsewhere, project.run_with("secretive", given("TOKEN"))] {
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stdout.contains("token ***"), "{}", ended.stdout);
        assert!(!format!("{ended:?}").contains("hush-hush"), "{ended:?}");
        let out = fs::read_to_string(project.outputs("secretive").join("out")).unwrap();
        assert_eq!(out, "hush-hush");
    }
    let ended = project.run("secretive");
    assert_eq!(ended.code, Some(1));
    assert!(
        ended
            .stderr
            .contains("cannot have its secret `TOKEN`: the variable `SOMEWHERE` is not set"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_step_has_its_time_and_may_be_ended() {
    let project = secretive("wait");
    let ended = project.run_with("secretive", |command| {
        command.env("TOKEN", "x");
    });
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("longer than its timeout of 1s"),
        "{}",
        ended.stderr
    );
    assert_eq!(project.manifest("secretive"), None);

    let started = project.path.join("started");
    fs::remove_file(&started).unwrap();
    let mut command = project.command(&project.placed("secretive"));
    command.env("TOKEN", "x").stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let begin = Instant::now();
    while !started.exists() {
        assert!(begin.elapsed() < Duration::from_secs(60), "the step does not start");
        std::thread::sleep(Duration::from_millis(5));
    }
    let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(asked.unwrap().success());
    let ended = project.ended(&child.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(ended.stderr.contains("cancelled by the platform"), "{}", ended.stderr);
    assert_eq!(project.manifest("secretive"), None);
    assert_eq!(ended.returned, None);
}

#[test]
fn a_task_that_runs_again_replaces_what_it_gave() {
    let mut project = steps();
    project.run_all();
    project.placement.attempt = 2;
    project.placement.parameters.insert("count".to_owned(), json!(1));
    let again = project.run("made");
    assert_eq!(again.returned.unwrap()["big"], json!(1));
    // An attempt that fails takes the manifest of the one before with it.
    fs::write(project.path.join("make.sh"), "exit 3").unwrap();
    let failed = project.run("made");
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    assert!(
        failed.stderr.contains("`make` ended with exit code 3"),
        "{}",
        failed.stderr
    );
    assert_eq!(project.manifest("made"), None);
}

#[test]
fn a_full_disk_at_the_root_leaves_no_manifest() {
    let possible = Command::new("unshare").args(["-rm", "true"]).output();
    if !possible.is_ok_and(|output| output.status.success()) {
        return;
    }
    let mut project = Project::new(
        r#"
step large() -> (out: File) { run: command ["sh", "-c", "head -c 9000000 /dev/zero > $1", "large", "{out}"] }
pipeline main() { let _ = large() }
"#,
        &[],
    );
    let small = tempfile::tempdir().unwrap();
    project.root = small.path().display().to_string();
    project.begin("run-1");
    let task = project.command(&project.placed("large"));
    let script =
        "mount -t tmpfs -o size=2m tmpfs \"$1\"; root=$1; shift; \"$@\"; code=$?; find \"$root\" -type f; exit $code";
    let mut command = Command::new("unshare");
    command
        .args(["-rm", "sh", "-c", script, "sh"])
        .arg(small.path())
        .arg(task.get_program())
        .args(task.get_args())
        .current_dir(task.get_current_dir().unwrap());
    let ended = project.ended(&command.output().unwrap());
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("No space left on device"), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("Make room on the disk of the root"),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.stdout, "", "nothing is left there");
    assert_eq!(project.run("large").code, Some(0));
}
