//! Steps as the containers of other platforms run them: commands through `mlp launch`, Python functions through the
//! bootstrap. Holes, values, refinements, secrets, time limits, and being ended.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests start the binary and look at the disk"
)]

mod container_support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use container_support::{Ended, Platform};
use mlp::plan::{Input, Node, Operand, Port, Reference};
use serde_json::{Value as Json, json};

const COMMANDS: &str = r#"
step show(words: list<string>, count: int in 1..=20, name: string, note: string?, wait: duration) -> (out: File, twice: int in 0..=30, kept: string?) {
  run: command ["sh", "./show.sh", "{out}", "{twice}", "{kept}", "{words}", "{count}", "n={name}", "{note}", "{wait}", "{words},", "{out.uri}"]
  env: { GREETING: "hello" }
}

pipeline main(words: list<string> = ["a b", "c"], count: int in 1..=20 = 5, name: string = "x", note: string?, wait: duration = 30min) {
  let _ = show(words, count, name, note, wait)
}
"#;

const SHOW: &str = r#"out=$1; twice=$2; kept=$3
shift 3
for each in "$@"; do printf '%s\n' "[$each]" >> "$out"; done
echo "$GREETING" >> "$out"
echo $(( ${COUNT:-10} )) > "$twice"
printf '%s' "${KEPT:-none}" > "$kept"
"#;

fn show(change: impl Fn(&mut Command), parameters: &[(&str, Json)]) -> Ended {
    let mut platform = Platform::new(COMMANDS, &[("show.sh", SHOW)]);
    for (name, value) in parameters {
        platform.parameters.insert((*name).to_owned(), value.clone());
    }
    let node = platform.node("show");
    let end = platform.run_node(&node, change);
    // What was written is looked at after the folder is gone.
    let kept = tempfile::tempdir().unwrap().keep();
    for entry in fs::read_dir(&end.folder).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), kept.join(entry.file_name())).unwrap();
    }
    Ended { folder: kept, ..end }
}

#[test]
fn holes_are_filled_as_on_this_machine() {
    let hostile = "$(touch hacked); `id` \"{{$.inputs}}\" '{name}' \\";
    let end = show(
        |_| {},
        &[
            ("name", json!(hostile)),
            ("count", json!(7.0)),
            ("wait", json!("1h30min")),
        ],
    );
    assert!(end.ok, "{}", end.stderr);
    let lines = end.read("out");
    let lines: Vec<&str> = lines.lines().collect();
    let expected = [
        "[a b]",
        "[c]",
        "[7]",
        &format!("[n={hostile}]"),
        "[none]",
        "[1h30min]",
        "[a b,c,]",
    ];
    assert_eq!(&lines[..expected.len()], expected);
    assert!(lines[expected.len()].ends_with("/out]"), "{lines:?}");
    assert_eq!(lines.last(), Some(&"hello"));
    assert_eq!(end.read("twice"), "10");
    assert_eq!(end.read("kept"), "[]");
}

#[test]
fn what_may_be_absent_is_given_when_it_is_there() {
    let change = |command: &mut Command| {
        command.env("KEPT", "a \"text\"");
    };
    for note in [json!("said"), json!(["said"])] {
        let end = show(change, &[("note", note), ("words", json!([]))]);
        assert!(end.ok, "{}", end.stderr);
        assert!(
            end.read("out").starts_with("[5]\n[n=x]\n[said]\n"),
            "{}",
            end.read("out")
        );
        assert_eq!(end.read("kept"), r#"["a \"text\""]"#);
    }
}

#[test]
fn values_that_do_not_fit_are_told_where_they_enter_and_where_they_leave() {
    let end = show(|_| {}, &[("count", json!(25.0))]);
    assert_eq!(end.code, Some(1));
    let expected = "`show` cannot take `count`: 25 does not fit `int in 1..=20`: it must be at least 1 and at most 20.";
    assert!(end.stderr.contains(expected), "{}", end.stderr);
    let end = show(|_| {}, &[("count", json!(2.5))]);
    assert!(
        end.stderr.contains("2.5 is not of type `int in 1..=20`"),
        "{}",
        end.stderr
    );
    let end = show(
        |command| {
            command.env("COUNT", "31");
        },
        &[],
    );
    assert_eq!(end.code, Some(1));
    let expected = "`show` gave an output `twice` that does not fit: 31 does not fit `int in 0..=30`";
    assert!(end.stderr.contains(expected), "{}", end.stderr);
    assert_eq!(end.read("kept"), "", "nothing is given when something does not fit");
}

#[test]
fn an_output_that_is_not_there_is_told() {
    let program = r#"
step lazy() -> File { run: command ["true", "{output}"] }
pipeline main() { let _ = lazy() }
"#;
    let mut platform = Platform::new(program, &[]);
    let end = platform.run_node(&platform.node("lazy"), |_| {});
    assert_eq!(end.code, Some(1));
    let expected = "`lazy` ended well but did not write its output `output`.";
    assert!(end.stderr.contains(expected), "{}", end.stderr);
}

#[test]
fn a_failing_program_is_told_with_its_exit_code_and_a_missing_one_by_name() {
    let program = r#"
step fails() { run: command ["sh", "-c", "echo why >&2; exit 7"] }
step absent() { run: command ["there-is-no-such-program"] }
pipeline main() { fails()
  absent() }
"#;
    let mut platform = Platform::new(program, &[]);
    let end = platform.run_node(&platform.node("fails"), |_| {});
    assert!(
        end.stderr.contains("why") && end.stderr.contains("`fails` ended with exit code 7."),
        "{}",
        end.stderr
    );
    let end = platform.run_node(&platform.node("absent"), |_| {});
    assert!(
        end.stderr.contains("there is no program `there-is-no-such-program`"),
        "{}",
        end.stderr
    );
}

const ENDLESS: &str = r#"
step endless(seconds: string) -> File {
  run: command ["sh", "-c", "trap 'echo ended; exit 0' TERM; echo started; sleep $1 & wait; echo late > $2", "endless", "{seconds}", "{output}"]
}
pipeline main(seconds: string = "1000") { let _ = endless(seconds) }
"#;

#[test]
fn time_is_up() {
    let mut platform = Platform::new(ENDLESS, &[]);
    let end = platform.run_node(&platform.node("endless"), |command| {
        command.args(["--timeout", "300ms"]);
    });
    assert_eq!(end.code, Some(1));
    let expected = "`endless` was ended because it ran longer than its timeout of 300ms.";
    assert!(end.stderr.contains(expected), "{}", end.stderr);
    let end = platform.run_node(&platform.node("endless"), |command| {
        command.args(["--timeout", "soon"]);
    });
    assert!(
        end.stderr.contains("`--timeout soon` is no length of time"),
        "{}",
        end.stderr
    );
}

/// Starts a container, waits for its first line, asks it to end, and gives all that it printed.
fn ended_by_the_platform(mut command: Command) -> (Option<i32>, String) {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut printed = String::new();
    stdout.read_line(&mut printed).unwrap();
    let asked = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(asked.success());
    stdout.read_to_string(&mut printed).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut printed).unwrap();
    (child.wait().unwrap().code(), printed)
}

#[test]
fn the_platform_may_end_a_step() {
    let platform = Platform::new(ENDLESS, &[]);
    let node = platform.node("endless");
    let (code, printed) = ended_by_the_platform(platform.command(&node, &platform.root.join("ended")));
    assert_eq!(code, Some(130), "{printed}");
    assert!(printed.contains("started\nended\n"), "the program was asked: {printed}");
    assert!(printed.contains("cancelled by the platform"), "{printed}");
}

#[test]
fn secrets_reach_the_program_and_not_the_log() {
    let program = r#"
step secretive() -> File {
  run: command ["sh", "-c", "echo $TOKEN; printf '%s' \"$TOKEN\" > $1", "secretive", "{output}"]
  secrets: { TOKEN: env "SOMEWHERE" }
}
pipeline main() { let _ = secretive() }
"#;
    let mut platform = Platform::new(program, &[("token", "hunter22\n")]);
    let node = platform.node("secretive");
    let folder = platform.root.join("secret");
    let file = format!("TOKEN=file:{}", platform.root.join("token").display());
    let output = platform
        .command(&node, &folder)
        .args(["--secret", &file])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(fs::read_to_string(folder.join("output")).unwrap(), "hunter22");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("***") && !printed.contains("hunter22"), "{printed}");
    let end = platform.run_node(&node, |_| {});
    assert!(end.stderr.contains("the platform gives none"), "{}", end.stderr);
    let end = platform.run_node(&node, |command| {
        command.args(["--secret", "TOKEN=vault:x"]);
    });
    assert!(
        end.stderr
            .contains("`--secret TOKEN=vault:x` names no place that is known"),
        "{}",
        end.stderr
    );
}

/// A machine of Google's with one secret; gives its address.
fn secret_manager() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head: Vec<String> = lines
                .by_ref()
                .map(Result::unwrap)
                .take_while(|line| !line.is_empty())
                .collect();
            let head = head.join("\n");
            let (status, body) = if head.contains("/service-accounts/default/token") {
                ("200 OK", json!({ "access_token": "t-1" }))
            } else if head.contains("/v1/projects/p/secrets/s/versions/1:access") && head.contains("Bearer t-1") {
                ("200 OK", json!({ "payload": { "data": "aHVudGVyMjI=" } }))
            } else {
                ("404 Not Found", json!({ "error": { "message": "no such secret" } }))
            };
            let body = body.to_string();
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    address
}

#[test]
fn secrets_come_from_secret_manager() {
    let program = r#"
step shell() -> File {
  run: command ["sh", "-c", "printf '%s' \"$TOKEN\" > $1", "shell", "{output}"]
  secrets: { TOKEN: env "SOMEWHERE" }
}
step snake() -> string {
  run: python "snake.py:snake"
  secrets: { TOKEN: env "SOMEWHERE" }
}
pipeline main() { let _ = shell()
  let _ = snake() }
"#;
    let snake = "import os\ndef snake():\n    print(os.environ['TOKEN'])\n    return os.environ['TOKEN']\n";
    let mut platform = Platform::new(program, &[("snake.py", snake)]);
    let address = secret_manager();
    for node in platform.graph().nodes {
        let google = |version: &'static str| {
            let address = address.clone();
            move |command: &mut Command| {
                command
                    .args(["--secret", &format!("TOKEN=projects/p/secrets/s/versions/{version}")])
                    .env_remove("GOOGLE_OAUTH_ACCESS_TOKEN")
                    .env_remove("GOOGLE_APPLICATION_CREDENTIALS")
                    .env("HOME", "/nonexistent")
                    .env("GCE_METADATA_HOST", &address)
                    .env(
                        "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER",
                        format!("http://{address}"),
                    );
            }
        };
        let end = platform.run_node(&node, google("1"));
        assert!(end.ok, "{}: {}", node.id, end.stderr);
        assert_eq!(end.read("output"), "hunter22");
        let end = platform.run_node(&node, google("2"));
        assert_eq!(end.code, Some(1));
        assert!(
            end.stderr.contains("secret `TOKEN`") && end.stderr.contains("404"),
            "{}",
            end.stderr
        );
    }
}

#[test]
fn values_are_computed_and_checked() {
    let program = r#"
step take(text: string in enum_free) { run: command ["true", "{text}"] }
pipeline main(count: int in 1..=20 = 5, name: string = "x") { take("{name}-{count + 1}") }
"#
    .replace(" in enum_free", "");
    let mut platform = Platform::new(&program, &[]);
    let take = platform.node("take");
    let count = Reference::Parameter("count".to_owned());
    let declared = platform.plan.pipelines["main"].parameters[0].ty.clone();
    let input = |name: &str, value: Operand, ty| Input {
        name: name.to_owned(),
        value,
        ty,
    };
    let text = take.inputs[0].clone();
    let outputs = vec![Port {
        name: "text".to_owned(),
        ty: text.ty.clone(),
    }];
    let inputs = vec![
        text,
        input("count", Operand::Reference(count), mlp::plan::PortType::Value(declared)),
    ];
    let node = Node::computing("take-values".to_owned(), inputs, outputs);
    let end = platform.run_node(&node, |_| {});
    assert!(end.ok, "{}", end.stderr);
    assert_eq!(end.read("text"), "x-6");
    platform.parameters.insert("count".to_owned(), json!(21));
    let end = platform.run_node(&node, |_| {});
    assert_eq!(end.code, Some(1));
    assert!(
        end.stderr
            .contains("`compute` cannot take `count`: 21 does not fit `int in 1..=20`"),
        "{}",
        end.stderr
    );
}

// --- Python -----------------------------------------------------------------------------------------------------------

const PYTHON: &str = r#"
step f(count: int in 1..=20, wait: duration, tags: list<string>, note: string?, page: File) -> (twice: int in 0..=30, pause: duration?, code: string matches "^[a-z]{2}$", size: size, about: Markdown) {
  run: python "steps/f.py:f"
  env: { GREETING: "hello" }
}
step make() -> File { run: command ["sh", "-c", "printf content > $1", "make", "{output}"] }

pipeline main(count: int in 1..=20 = 5, wait: duration = 90min, note: string?) {
  let _ = f(count, wait, ["a", "b"], note, make())
}
"#;

const F: &str = r#"
import os
import helper
from pathlib import Path


def f(count, wait, tags, note, page: Path):
    print(count, wait, tags, note, page.read_text(), os.environ["GREETING"], flush=True)
    return helper.answer(count, wait)
"#;

fn python(helper: &str, parameters: &[(&str, Json)], change: impl Fn(&mut Command)) -> (Platform, Ended) {
    let mut platform = Platform::new(PYTHON, &[("steps/f.py", F), ("steps/helper.py", helper)]);
    for (name, value) in parameters {
        platform.parameters.insert((*name).to_owned(), value.clone());
    }
    let make = platform
        .graph()
        .nodes
        .into_iter()
        .find(|node| node.callee == "make")
        .unwrap();
    assert!(platform.run_node(&make, |_| {}).ok);
    let end = platform.run_node(&platform.node("f"), change);
    (platform, end)
}

const ANSWER: &str = "
def answer(count, wait):
    return {'twice': 2 * count, 'pause': wait, 'code': 'de', 'size': 1536, 'about': '# hello'}
";

#[test]
fn a_python_function_is_called_with_values_and_files() {
    let (_platform, end) = python(ANSWER, &[("note", json!(null))], |_| {});
    assert!(end.ok, "{}", end.stderr);
    assert_eq!(end.read("twice"), "10");
    assert_eq!(end.read("pause"), r#"["1h30min"]"#);
    assert_eq!(end.read("code"), "de");
    assert_eq!(end.read("size"), "1KiB512B");
    assert_eq!(end.read("about"), "# hello");
    assert!(end.metadata("about").is_object());
}

#[test]
fn what_a_python_function_gives_is_checked_in_the_same_words() {
    for (change, expected) in [
        (
            "'twice': 2 * count",
            "'twice': 31|does not fit: 31 does not fit `int in 0..=30`: it must be at least 0 and at most 30.",
        ),
        (
            "'code': 'de'",
            "'code': 'de\\n'|does not fit: \"de\\n\" does not fit `string matches \"^[a-z]{2}$\"`",
        ),
        (
            "'twice': 2 * count",
            "'twice': 2.5|does not fit: 2.5 is not of type `int in 0..=30`",
        ),
        (
            "'size': 1536",
            "'size': None|does not fit: a value is missing: `size` must be present",
        ),
    ] {
        let (other, message) = expected.split_once('|').unwrap();
        let (_platform, end) = python(&ANSWER.replace(change, other), &[], |_| {});
        assert_eq!(end.code, Some(1), "{}", end.stderr);
        assert!(end.stderr.contains(message), "{message} is not in {}", end.stderr);
        assert_eq!(end.read("about"), "# hello");
        assert_eq!(end.read("executor_output.json"), "", "the platform is told of nothing");
    }
    let (_platform, end) = python(ANSWER, &[("count", json!(0))], |_| {});
    assert!(
        end.stderr
            .contains("`f` cannot take `count`: 0 does not fit `int in 1..=20`"),
        "{}",
        end.stderr
    );
}

#[test]
fn a_python_function_that_raises_is_told_with_its_own_traceback() {
    let (_platform, end) = python("def answer(count, wait):\n    return {}['missing']\n", &[], |_| {});
    assert_eq!(end.code, Some(1));
    assert!(
        end.stderr.contains("✗ f failed\n  `f` raised KeyError: 'missing'"),
        "{}",
        end.stderr
    );
    assert!(end.stderr.contains("helper.py\", line 2"), "{}", end.stderr);
    assert!(
        !end.stderr.contains("shim.py") && !end.stderr.contains("container.py"),
        "{}",
        end.stderr
    );
}

#[test]
fn a_python_function_has_its_time_and_may_be_ended() {
    let slow = "import time\ndef answer(count, wait):\n    time.sleep(1000)\n";
    let (platform, end) = python(slow, &[], |command| {
        command.args(["--timeout", "1500ms"]);
    });
    assert_eq!(end.code, Some(1));
    let expected = "`f` was ended because it ran longer than its timeout of 1s500ms.";
    assert!(end.stderr.contains(expected), "{}", end.stderr);
    let command = platform.command(&platform.node("f"), &platform.root.join("ended"));
    let (code, printed) = ended_by_the_platform(command);
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("`f` was cancelled."), "{printed}");
}

#[test]
fn sources_that_come_with_the_task_need_no_project() {
    let (platform, _) = python(ANSWER, &[], |_| {});
    let node = platform.node("f");
    let folder = platform.root.join("sources");
    drop(platform.command(&node, &folder));
    let mut task: Json = serde_json::from_str(&fs::read_to_string(folder.join("task.json")).unwrap()).unwrap();
    task["sources"] = json!({ "steps/f.py": F, "steps/helper.py": ANSWER });
    let mut command = platform.command(&node, &folder);
    fs::write(folder.join("task.json"), task.to_string()).unwrap();
    fs::remove_dir_all(platform.root.join("steps")).unwrap();
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    task["sources"] = json!({ "../f.py": F });
    let mut command = platform.command(&node, &folder);
    fs::write(folder.join("task.json"), task.to_string()).unwrap();
    let output = command.output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("lies outside of the project"));
}
