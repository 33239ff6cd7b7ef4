//! `mlp launch --placed` with roots in buckets, each served by a real emulator: what is written is read back the same, and
//! whatever breaks in the middle leaves nothing that another task could take for an output.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests start programs and look at what they leave"
)]

#[path = "launcher_support/emulator.rs"]
mod emulator;
mod environment;
mod launcher_support;
#[path = "launcher_support/proxy.rs"]
mod proxy;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use emulator::{Emulator, Kind};
use launcher_support::{Ended, Project};
use proxy::{Fate, Proxy};
use serde_json::json;

const PROGRAM: &str = r#"
step make(size: int) -> (out: File, tree: Directory, count: int) {
  run: command ["python3", "make.py", "{out}", "{tree}", "{count}", "{size}"]
}

step take(out: File, tree: Directory, count: int) -> (told: string) {
  run: command ["python3", "take.py", "{told}", "{out}", "{tree}", "{count}", "{out.uri}"]
}

pipeline main(size: int = 20) {
  let made = make(size)
  let _ = take(out: made.out, tree: made.tree, count: made.count)
}
"#;

const MAKE: &str = r##"
import os, sys, time
out, tree, count, size = sys.argv[1:]
parent = os.getppid()
if os.environ.get("WAIT"):
    open("started", "w").close()
    while os.getppid() == parent:
        time.sleep(0.005)
with open(out, "wb") as file:
    file.write(bytes(range(250)) * (int(size) // 250) + b"x" * (int(size) % 250))
os.makedirs(f"{tree}/inner folder")
for name in ["a b.txt", "50% ä+&=#?.txt", "inner folder/tool", "empty"]:
    with open(f"{tree}/{name}", "w") as file:
        file.write("" if name == "empty" else f"#!/bin/sh\necho {name!r}\n")
os.chmod(f"{tree}/inner folder/tool", 0o755)
with open(count, "w") as file:
    file.write("9007199254740993")
"##;

const TAKE: &str = r#"
import os, subprocess, sys
told, out, tree, count, uri = sys.argv[1:]
names = sorted(os.path.relpath(os.path.join(at, name), tree) for at, _, names in os.walk(tree) for name in names)
ran = subprocess.run([f"{tree}/inner folder/tool"], capture_output=True, text=True).stdout.strip()
with open(told, "w") as file:
    file.write("|".join([str(os.path.getsize(out)), ",".join(names), ran, count, uri]))
"#;

/// Large enough to be moved in pieces, and no multiple of one.
const IN_PIECES: u64 = 17_000_001;

/// A run whose root is a bucket.
struct Run {
    project: Project,
    emulator: Emulator,
    proxy: Proxy,
}

impl Run {
    fn start(kind: Kind) -> Self {
        let emulator = Emulator::start(kind);
        let mut project = Project::new(PROGRAM, &[("make.py", MAKE), ("take.py", TAKE)]);
        project.root = emulator.root();
        project.begin("run 1");
        let proxy = Proxy::start(&emulator.host);
        Self {
            project,
            emulator,
            proxy,
        }
    }

    fn run(&self, node: &str) -> Ended {
        self.project
            .run_with(node, |command| self.emulator.at(command, &self.proxy.host))
    }

    fn succeed(&self, node: &str) -> Ended {
        let ended = self.run(node);
        assert_eq!(ended.code, Some(0), "{node}: {}{}", ended.stdout, ended.stderr);
        ended
    }

    fn child(&self, node: &str) -> Child {
        let mut command = self.project.command(&self.project.placed(node));
        self.emulator.at(&mut command, &self.proxy.host);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Shows that the task left nothing: who needs its outputs is told so, by the task's name.
    fn has_left_nothing(&self) {
        self.proxy.judge(|_, _| Fate::Pass);
        let ended = self.run("take");
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains("`made` has left no outputs"), "{}", ended.stderr);
        assert!(ended.stderr.contains("run `made` again first"), "{}", ended.stderr);
    }
}

/// Waits for something that is going to happen.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(60), "{what} does not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn is_written(method: &str, path: &str, name: &str) -> bool {
    method != "GET" && method != "HEAD" && method != "DELETE" && path.split('?').next().unwrap().ends_with(name)
}

fn what_is_written_is_read_back(kind: Kind, size: u64) {
    let mut run = Run::start(kind);
    run.project.placement.parameters.insert("size".to_owned(), json!(size));
    let made = run.succeed("made");
    let root = run.project.root.clone();
    let folder = format!("{root}/main/run_1-{}/made", &blake3::hash(b"run 1").to_hex()[..8]);
    let expected = json!({
        "out": format!("{folder}/out"),
        "tree": format!("{folder}/tree"),
        "count": 9_007_199_254_740_993_i64,
    });
    assert_eq!(made.returned, Some(expected));
    let taken = run.succeed("take").returned.unwrap();
    let names = "50% ä+&=#?.txt,a b.txt,empty,inner folder/tool";
    let told = format!("{size}|{names}|inner folder/tool|9007199254740993|{folder}/out");
    assert_eq!(taken["told"], json!(told));
    // The same work in another run is not done again, and what it gave is found where it lies.
    run.project.begin("run 2");
    run.project.placement.parameters.insert("size".to_owned(), json!(size));
    let again = run.succeed("made");
    assert!(again.stdout.contains("cached"), "{}", again.stdout);
    assert_eq!(again.returned, made.returned);
    assert!(run.succeed("take").stdout.contains("cached"));
}

#[test]
fn amazon_s3() {
    what_is_written_is_read_back(Kind::S3, IN_PIECES);
}

#[test]
fn google_cloud_storage() {
    // The emulator takes whole objects only.
    what_is_written_is_read_back(Kind::Google, 5_000_001);
}

#[test]
fn azure_blob_storage() {
    what_is_written_is_read_back(Kind::Azure, IN_PIECES);
}

/// Asks a process to end, or ends it.
fn signal(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

#[test]
fn a_busy_server_and_a_broken_line_are_tried_again() {
    let mut run = Run::start(Kind::S3);
    for fate in [Fate::Busy, Fate::Drop] {
        // A second attempt does the work again.
        run.project.placement.attempt = 2;
        let mut left = 1;
        run.proxy.judge(move |method, path| {
            if is_written(method, path, "/out") && left > 0 {
                left -= 1;
                return fate;
            }
            Fate::Pass
        });
        run.succeed("made");
        assert_eq!(run.proxy.count(fate), 1);
    }
    let mut left = 1;
    run.proxy.judge(move |method, path| {
        if method == "GET" && path.ends_with("/out") && left > 0 {
            left -= 1;
            return Fate::Cut;
        }
        Fate::Pass
    });
    run.succeed("take");
    assert_eq!(run.proxy.count(Fate::Cut), 1);
}

#[test]
fn a_server_that_stays_busy_fails_the_task_which_then_succeeds() {
    let mut run = Run::start(Kind::S3);
    run.proxy.judge(|method, path| match is_written(method, path, "/out") {
        true => Fate::Busy,
        false => Fate::Pass,
    });
    let ended = run.run("made");
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("/made/out` cannot be written"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("503"), "{}", ended.stderr);
    assert!(ended.stderr.contains("then run the task again"), "{}", ended.stderr);
    assert_eq!(ended.returned, None);
    run.has_left_nothing();
    run.project.placement.attempt = 2;
    run.succeed("made");
    run.succeed("take");
}

#[test]
fn nobody_there_and_no_bucket_are_told() {
    let mut run = Run::start(Kind::S3);
    run.project.root = "s3://nowhere/runs".to_owned();
    run.project.begin("run 1");
    let ended = run.run("made");
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("See that the bucket exists"), "{}", ended.stderr);
    run.project.root = "ftp://nowhere/runs".to_owned();
    run.project.begin("run 1");
    let ended = run.run("made");
    assert!(
        ended.stderr.contains("`ftp://` names no place that is known"),
        "{}",
        ended.stderr
    );
    run.project.root = "az://bank/runs".to_owned();
    run.project.begin("run 1");
    let ended = run.run("made");
    assert!(
        ended.stderr.contains("`AZURE_STORAGE_CONNECTION_STRING`"),
        "{}",
        ended.stderr
    );
}

#[test]
fn what_was_changed_after_it_was_written_is_not_taken() {
    let mut run = Run::start(Kind::S3);
    let made = run.succeed("made").returned.unwrap();
    let address = made["out"].as_str().unwrap().replace("s3://", "/");
    for (bytes, problem) in [
        ("X".repeat(20), "it has other content"),
        ("X".repeat(7), "it has 7 bytes instead of 20"),
    ] {
        let mut server = TcpStream::connect(&run.emulator.host).unwrap();
        let length = bytes.len();
        write!(
            server,
            "PUT {address} HTTP/1.1\r\nHost: {}\r\nAuthorization: AWS key:none\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{bytes}",
            run.emulator.host
        )
        .unwrap();
        let mut answer = String::new();
        server.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let ended = run.run("take");
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains("is not what `made` wrote"), "{}", ended.stderr);
        assert!(ended.stderr.contains(problem), "{}", ended.stderr);
        assert!(ended.stderr.contains("Run `made` again"), "{}", ended.stderr);
    }
    // Another run does not take what is no longer whole for an output of before.
    run.project.begin("run 2");
    let again = run.succeed("made");
    assert!(!again.stdout.contains("cached"), "{}", again.stdout);
    run.succeed("take");
    run.project.begin("run 1");
    run.project.placement.attempt = 2;
    run.succeed("made");
    run.succeed("take");
}

#[test]
fn a_task_that_is_ended_in_its_step_or_its_upload_has_given_nothing() {
    let mut run = Run::start(Kind::S3);
    let started = run.project.path.join("started");
    for (how, code) in [("-TERM", Some(130)), ("-INT", Some(130)), ("-KILL", None)] {
        let _ = fs::remove_file(&started);
        let mut command = run.project.command(&run.project.placed("made"));
        run.emulator.at(&mut command, &run.proxy.host);
        command.env("WAIT", "1").stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        until("the step", || started.exists());
        signal(&child, how);
        let ended = run.project.ended(&child.wait_with_output().unwrap());
        assert_eq!(ended.code, code, "{}", ended.stderr);
        assert_eq!(ended.returned, None);
        run.has_left_nothing();

        run.proxy.judge(|method, path| match is_written(method, path, "/out") {
            true => Fate::Hold,
            false => Fate::Pass,
        });
        let child = run.child("made");
        until("the upload", || run.proxy.count(Fate::Hold) > 0);
        signal(&child, how);
        let ended = run.project.ended(&child.wait_with_output().unwrap());
        assert_eq!(ended.code, code, "{}", ended.stderr);
        assert!(
            code.is_none() || ended.stderr.contains("cancelled by the platform"),
            "{}",
            ended.stderr
        );
        assert_eq!(ended.returned, None);
        run.has_left_nothing();
    }
    run.project.placement.attempt = 2;
    run.succeed("made");
    run.succeed("take");
}

#[test]
fn a_full_disk_fails_the_task_which_then_succeeds() {
    let possible = Command::new("unshare").args(["-rm", "true"]).output();
    if !possible.is_ok_and(|output| output.status.success()) {
        return;
    }
    let mut run = Run::start(Kind::S3);
    run.project
        .placement
        .parameters
        .insert("size".to_owned(), json!(5_000_000));
    run.succeed("made");
    fs::remove_file(run.project.returned()).unwrap();
    let small = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=1m tmpfs \"$1\" && export TMPDIR=\"$1\" && shift && exec \"$@\"";
    let task = run.project.command(&run.project.placed("take"));
    let mut command = Command::new("unshare");
    command
        .args(["-rm", "sh", "-c", script, "sh"])
        .arg(small.path())
        .arg(task.get_program())
        .args(task.get_args())
        .current_dir(task.get_current_dir().unwrap())
        .env("NO_COLOR", "1");
    run.emulator.at(&mut command, &run.proxy.host);
    let ended = run.project.ended(&command.output().unwrap());
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("No space left on device"), "{}", ended.stderr);
    assert!(ended.stderr.contains("Make room"), "{}", ended.stderr);
    assert_eq!(ended.returned, None);
    run.succeed("take");
}
