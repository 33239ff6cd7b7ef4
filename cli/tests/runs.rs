//! Bad input of every kind, through the binary: one clear error with its place and a way out, the right exit code, and a
//! next run that works.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests start the binary and look at the disk"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const PROGRAM: &str = r#"//! A table, and steps that misbehave.
use std::data::read

schema Row {
  id: int @key
  kind: enum { a, b }
  amount: float > 0
}

step hang(marks: string) -> File {
  run: command ["sh", "-c", "sleep 1000 & echo $! > started; wait", "hang", "{marks}"]
}

step begin() -> File {
  run: command ["sh", "-c", "echo x > started; while [ ! -e go ]; do sleep 0.05; done; echo x > $1", "begin", "{output}"]
}

step finish(file: File) -> File {
  run: command ["cp", "{file}", "{output}"]
}

step endless() -> File {
  run: command ["sh", "-c", "sleep 1000 & wait"]
  timeout: 1s
}

step wrong() -> Dataset<Row> {
  run: command ["sh", "-c", "echo no table > $1", "wrong", "{output}"]
}

step snake() -> int {
  run: python "code.py:one"
}

pipeline load(source: string = "rows.csv") {
  let raw = read<Row>(source)
  let _ = validate(raw)
}

pipeline hanging() { let _ = hang("x") }

pipeline two() {
  let first = begin()
  let _ = finish(first)
}

pipeline timed() { let _ = endless() }

pipeline misshapen() { let _ = wrong() }

pipeline snakes() { let _ = snake() }
"#;

const GOOD: &str = "id,kind,amount\n1,a,2.5\n2,b,3\n";

struct Project {
    folder: tempfile::TempDir,
}

struct Told {
    code: Option<i32>,
    text: String,
}

impl Project {
    fn new() -> Self {
        let project = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        project.write(
            "mlp.toml",
            "name = \"bad-input\"\nversion = \"0.1.0\"\nedition = \"2026\"\n",
        );
        project.write("main.mlp", PROGRAM);
        project.write("code.py", "def one() -> int:\n    return 1\n");
        project.write("rows.csv", GOOD);
        project
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), content).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mlp"));
        command.args(arguments).current_dir(self.path());
        command
    }

    fn mlp(&self, arguments: &[&str]) -> Told {
        told(&mut self.command(arguments))
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Waits until a step has made a file.
    fn await_file(&self, name: &str) -> PathBuf {
        let path = self.path().join(name);
        let begin = std::time::Instant::now();
        while fs::read_to_string(&path).unwrap_or_default().is_empty() {
            assert!(begin.elapsed().as_secs() < 60, "{name} did not come");
            std::thread::yield_now();
        }
        path
    }

    fn works(&self) {
        let told = self.mlp(&["run", "load"]);
        assert_eq!(told.code, Some(0), "the next run works: {}", told.text);
        let left = fs::read_dir(self.path().join(".mlp/tmp")).unwrap().count();
        assert_eq!(left, 0, "nothing half-written is left");
    }
}

fn told(command: &mut Command) -> Told {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    assert!(!text.contains("panicked"), "{text}");
    Told {
        code: output.status.code(),
        text,
    }
}

fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

/// Whether a process has ended; one that nobody has waited for yet is dead all the same.
#[cfg(target_os = "linux")]
fn is_gone(process: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.trim())).unwrap_or_default();
    stat.is_empty() || stat.contains(") Z ")
}

#[test]
fn bad_data_is_told_with_its_place() {
    let project = Project::new();
    let cases: [(&str, &[u8], i32, &str); 9] = [
        ("no column", b"id,kind\n1,a\n", 3, "rows.csv has no column `amount`."),
        (
            "ragged",
            b"id,kind,amount\n1,a,2\n2,b\n",
            3,
            "row 2 (line 3): the row has 2 fields, the header has 3.",
        ),
        (
            "wrong type",
            b"id,kind,amount\n1,a,much\n",
            3,
            "row 1 (line 2): the column `amount` holds \"much\"",
        ),
        (
            "absent",
            b"id,kind,amount\n1,a,\n",
            4,
            "amount is never absent: broken by 1 value",
        ),
        (
            "unknown variant",
            b"id,kind,amount\n1,c,2\n",
            4,
            "kind is one of \"a\", \"b\": broken by 1 value",
        ),
        ("twice", b"id,kind,amount\n1,a,2\n1,b,2\n", 4, "id is unique (@key)"),
        ("empty", b"", 3, "rows.csv is empty."),
        (
            "open quote",
            b"id,kind,amount\n1,\"a,2\n",
            3,
            "a quoted field is never closed.",
        ),
        (
            "not UTF-8",
            b"id,kind,amount\n1,\xff,2\n",
            3,
            "holds bytes that are not UTF-8",
        ),
    ];
    for (name, content, code, expected) in cases {
        project.write("rows.csv", content);
        let told = project.mlp(&["run", "load"]);
        assert_eq!(told.code, Some(code), "{name}: {}", told.text);
        assert!(told.text.contains(expected), "{name}: {}", told.text);
        assert!(
            told.text.contains("  main.mlp:"),
            "{name} names its place: {}",
            told.text
        );
    }
    project.write("rows.csv", format!("\u{feff}{GOOD}"));
    project.works();
    fs::remove_file(project.path().join("rows.csv")).unwrap();
    let told = project.mlp(&["run", "load"]);
    assert_eq!(told.code, Some(3));
    assert!(told.text.contains("There is no file rows.csv."), "{}", told.text);
    let told = project.mlp(&["run", "load", "-p", "source=."]);
    assert_eq!(told.code, Some(3));
    assert!(told.text.contains("is a folder."), "{}", told.text);
}

#[test]
fn a_wrong_type_far_down_is_found_with_its_row() {
    let project = Project::new();
    let mut text = "id,kind,amount\n".to_owned();
    for row in 1..=900_002 {
        text.push_str(if row == 900_001 { "x,a,1\n" } else { "1,a,1\n" });
    }
    project.write("rows.csv", text);
    let told = project.mlp(&["run", "load"]);
    assert_eq!(told.code, Some(3));
    let expected = "rows.csv, row 900,001 (line 900,002): the column `id` holds \"x\", which is not an int.";
    assert!(told.text.contains(expected), "{}", told.text);
    project.write("rows.csv", GOOD);
    project.works();
}

#[test]
fn steps_that_misbehave_fail_the_run_and_nothing_else() {
    let project = Project::new();
    let told = project.mlp(&["run", "timed"]);
    assert_eq!(told.code, Some(3));
    assert!(told.text.contains("longer than its timeout of 1s"), "{}", told.text);
    let told = project.mlp(&["run", "misshapen"]);
    assert_eq!(told.code, Some(3));
    assert!(
        told.text
            .contains("A dataset is a Parquet file; let `wrong` write one."),
        "{}",
        told.text
    );
    project.works();
}

#[test]
fn without_python_a_python_step_says_what_to_install() {
    let project = Project::new();
    let mut command = project.command(&["run", "snakes"]);
    command
        .env("PATH", project.path())
        .env_remove("MLP_PYTHON")
        .env("MLP_CACHE_DIR", project.path().join("cache"));
    let told = told(&mut command);
    assert_eq!(told.code, Some(3), "{}", told.text);
    assert!(
        told.text.contains("There is no Python on this machine"),
        "{}",
        told.text
    );
    assert!(told.text.contains("help: Install Python"), "{}", told.text);
}

#[test]
fn the_first_interrupt_lets_what_runs_finish_and_starts_nothing_more() {
    let project = Project::new();
    let child = project.start(&["run", "two"]);
    project.await_file("started");
    interrupt(&child);
    project.write("go", "");
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(130), "{text}");
    assert!(text.contains("1 step succeeded, 1 cancelled"), "{text}");
    let told = project.mlp(&["run", "two"]);
    assert_eq!(told.code, Some(0));
    assert!(
        told.text.contains("1 from the cache"),
        "what finished is kept: {}",
        told.text
    );
}

#[cfg(target_os = "linux")]
#[test]
fn the_second_interrupt_ends_what_runs_with_all_its_children() {
    let project = Project::new();
    let mut child = project.start(&["run", "hanging"]);
    let grandchild = fs::read_to_string(project.await_file("started")).unwrap();
    interrupt(&child);
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("cancelling") {
        line.clear();
        assert!(
            reader.read_line(&mut line).unwrap() > 0,
            "it says that it is cancelling"
        );
    }
    interrupt(&child);
    let mut rest = String::new();
    reader.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    assert!(is_gone(&grandchild), "{grandchild}");
    project.works();
}

#[test]
fn two_runs_at_once_both_work() {
    let project = Project::new();
    let runs = [project.start(&["run", "load"]), project.start(&["run", "load"])];
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    project.works();
    let told = project.mlp(&["runs"]);
    assert_eq!(told.text.matches("succeeded").count(), 3, "{}", told.text);
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_that_was_killed_does_not_stand_in_the_way() {
    let project = Project::new();
    let mut child = project.start(&["run", "hanging"]);
    let grandchild = fs::read_to_string(project.await_file("started")).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    project.works();
    assert!(is_gone(&grandchild), "what the dead run left was ended: {grandchild}");
    let told = project.mlp(&["runs"]);
    assert!(told.text.contains("interrupted"), "{}", told.text);
}

#[test]
fn damaged_metadata_says_what_may_be_removed() {
    let project = Project::new();
    project.works();
    for content in ["", "SQLite format 3\0 and then nothing more", "no database at all"] {
        project.write(".mlp/metadata.sqlite", content);
        let told = project.mlp(&["run", "load"]);
        if content.is_empty() {
            assert_eq!(told.code, Some(0), "an empty file is an empty database: {}", told.text);
            continue;
        }
        assert_eq!(told.code, Some(5), "{}", told.text);
        let words: Vec<&str> = told.text.split_whitespace().filter(|word| *word != "│").collect();
        let text = words.join(" ");
        assert!(text.contains("is damaged") && text.contains("Remove it"), "{text}");
        for name in ["metadata.sqlite", "metadata.sqlite-wal", "metadata.sqlite-shm"] {
            let _ = fs::remove_file(project.path().join(".mlp").join(name));
        }
        project.works();
    }
}

#[test]
fn content_that_is_gone_from_the_store_is_made_anew() {
    let project = Project::new();
    project.works();
    fs::remove_dir_all(project.path().join(".mlp/store")).unwrap();
    project.works();
}

/// A file system of 2 MB of its own, where the machine lets its users make one.
#[cfg(target_os = "linux")]
fn in_a_small_file_system(project: &Project, script: &str) -> Option<String> {
    let possible = Command::new("unshare").args(["-rm", "true"]).output();
    if !possible.is_ok_and(|output| output.status.success()) {
        return None;
    }
    let mounted = tempfile::tempdir().unwrap();
    let script = format!("mount -t tmpfs -o size=2m tmpfs \"$2\" && cp -R . \"$2\" && cd \"$2\" || exit 99\n{script}");
    let output = Command::new("unshare")
        .args(["-rm", "sh", "-c", &script, "sh", env!("CARGO_BIN_EXE_mlp")])
        .arg(mounted.path())
        .current_dir(project.path())
        .output()
        .unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(!text.contains("panicked"), "{text}");
    (output.status.code() != Some(99)).then_some(text)
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_and_a_read_only_folder_are_told() {
    let project = Project::new();
    let script = r#"
        "$1" run load > /dev/null; echo "first $?"
        head -c 9000000 /dev/zero > fill 2> /dev/null
        "$1" run load --fresh 2>&1; echo "full $?"
        rm fill
        "$1" run load --fresh > /dev/null; echo "mended $?"
        ls -A .mlp/tmp
        mount -o remount,ro "$2"
        "$1" run load 2>&1; echo "read-only $?"
        "$1" check > /dev/null 2>&1; echo "check $?""#;
    let Some(text) = in_a_small_file_system(&project, script) else {
        return;
    };
    for expected in ["first 0\n", "full 5\n", "mended 0\n", "read-only 5\n", "check 0\n"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let help = "can be written and that the disk is not full";
    assert_eq!(text.matches(help).count(), 2, "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn data_that_does_not_fit_on_the_disk_leaves_nothing_half_written() {
    let project = Project::new();
    let big: String = (0_u64..60_000)
        .map(|row| format!("{row},a,{}.5\n", row.wrapping_mul(6_364_136_223_846_793_005) >> 20))
        .collect();
    let outside = tempfile::tempdir().unwrap();
    let source = outside.path().join("big.csv");
    fs::write(&source, format!("id,kind,amount\n{big}")).unwrap();
    let script = format!(
        r#"
        head -c 1500000 /dev/zero > fill
        "$1" run load -p source={} 2>&1; echo "big $?"
        ls -A .mlp/tmp
        "$1" run load > /dev/null; echo "small $?""#,
        source.display()
    );
    let Some(text) = in_a_small_file_system(&project, &script) else {
        return;
    };
    assert!(text.contains("No space left on device"), "{text}");
    assert!(text.contains("help: Make room on the disk"), "{text}");
    assert!(text.contains("big 3\nsmall 0\n"), "{text}");
}
