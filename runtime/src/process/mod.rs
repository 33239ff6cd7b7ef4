//! Child processes: started in their own group, watched, ended, and what they print kept within bounds.
//!
//! It knows nothing of steps: it runs an argument vector and says how it ended. No string ever reaches a shell.

mod log;

use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

pub(crate) use log::{Log, mask_text};

use crate::executor::{Cancel, CancelLevel};

/// Variables that a child gets from this process, because programs do not work without them; everything else is declared.
const INHERITED: [&str; 9] = [
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TZ",
    "USER",
    "LD_LIBRARY_PATH",
    "SSL_CERT_FILE",
];

/// How long output is awaited after the process itself has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What to run.
#[derive(Debug)]
pub(crate) struct Program<'a> {
    /// The program and its arguments.
    pub(crate) arguments: &'a [String],
    /// Where it runs.
    pub(crate) folder: &'a Utf8Path,
    /// Whether it gets every variable of this process, and not only those without which programs do not work.
    pub(crate) inherits: bool,
    /// Variables beyond the inherited ones.
    pub(crate) environment: &'a BTreeMap<String, String>,
    /// Milliseconds after which it is ended.
    pub(crate) timeout: Option<u64>,
    /// Milliseconds between asking it to end and killing it.
    pub(crate) grace: u64,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// By itself.
    Exited(ExitStatus),
    /// It took too long.
    TimedOut,
    /// The run was cancelled.
    Cancelled,
}

/// Runs a program to its end and keeps what it prints. Blocks; to be called on a thread that may block.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn run(
    handle: &tokio::runtime::Handle,
    program: &Program<'_>,
    stdout: &mut Log,
    stderr: &mut Log,
    cancel: &Cancel,
) -> io::Result<Ending> {
    let Some((name, arguments)) = program.arguments.split_first() else {
        return Err(io::Error::other("the argument vector is empty"));
    };
    let mut command = std::process::Command::new(find_program(name, program)?.as_str());
    command
        .args(arguments)
        .current_dir(program.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    if !program.inherits {
        command.env_clear();
        let kept = INHERITED
            .iter()
            .filter_map(|name| Some((name, std::env::var_os(name)?)));
        command.envs(kept);
    }
    command.envs(program.environment);
    handle.block_on(watch(Command::from(command), program, stdout, stderr, cancel))
}

async fn watch(
    mut command: Command,
    program: &Program<'_>,
    stdout: &mut Log,
    stderr: &mut Log,
    cancel: &Cancel,
) -> io::Result<Ending> {
    let mut child = command.spawn()?;
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let printing = async { tokio::join!(pump(out.as_mut(), stdout), pump(err.as_mut(), stderr)) };
    tokio::pin!(printing);
    let mut printed = false;
    let ending = {
        let ending = end(&mut child, group, program, cancel);
        tokio::pin!(ending);
        loop {
            tokio::select! {
                ending = &mut ending => break ending?,
                _ = &mut printing, if !printed => printed = true,
            }
        }
    };
    // What it left behind in its group may not outlive it: it could still write to the outputs.
    signal(group, Signal::KILL);
    if !printed {
        let _ = tokio::time::timeout(LAST_WORDS, &mut printing).await;
    }
    Ok(ending)
}

/// Waits for the end of a process, and brings it about when time is up or the run is cancelled.
async fn end(child: &mut Child, group: Option<Pid>, program: &Program<'_>, cancel: &Cancel) -> io::Result<Ending> {
    let mut cancelled = cancel.subscribe();
    let time_is_up = async {
        match program.timeout {
            Some(milliseconds) => tokio::time::sleep(Duration::from_millis(milliseconds)).await,
            None => std::future::pending().await,
        }
    };
    let killed = async {
        // The sender lives as long as `cancel`, so that this cannot fail while the process runs.
        let _ = cancelled.wait_for(|level| *level == CancelLevel::Kill).await;
    };
    let reason = tokio::select! {
        biased;
        status = child.wait() => return Ok(Ending::Exited(status?)),
        () = killed => Ending::Cancelled,
        () = time_is_up => Ending::TimedOut,
    };
    signal(group, Signal::TERM);
    if tokio::time::timeout(Duration::from_millis(program.grace), child.wait())
        .await
        .is_err()
    {
        signal(group, Signal::KILL);
        child.wait().await?;
    }
    Ok(reason)
}

/// Signals a whole group; one that is gone already needs no signal.
fn signal(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        let _ = kill_process_group(group, signal);
    }
}

/// Copies a stream into a log until it ends. A log that cannot be written (a full disk) does not stop the step: it
/// remembers the error, and the stream is drained.
async fn pump<R: AsyncRead + Unpin>(stream: Option<&mut R>, log: &mut Log) {
    const CHUNK: usize = 1 << 16;
    let Some(stream) = stream else { return };
    let mut buffer = Vec::with_capacity(4096);
    loop {
        buffer.clear();
        match stream.read_buf(&mut buffer).await {
            Ok(0) => break,
            Ok(count) => {
                log.write(&buffer);
                if count == buffer.capacity() && buffer.capacity() < CHUNK {
                    buffer.reserve(CHUNK);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    log.finish();
}

/// The file of a program: a name without `/` is looked up in the child's own `PATH`.
fn find_program(name: &str, program: &Program<'_>) -> io::Result<Utf8PathBuf> {
    if name.contains('/') {
        let path = program.folder.join(name);
        return if path.exists() {
            Ok(path)
        } else {
            Err(io::ErrorKind::NotFound.into())
        };
    }
    let inherited = std::env::var("PATH").unwrap_or_default();
    let path = program
        .environment
        .get("PATH")
        .map_or(inherited.as_str(), String::as_str);
    path.split(':')
        .filter(|folder| !folder.is_empty())
        .map(|folder| Utf8Path::new(folder).join(name))
        .find(|path| rustix::fs::access(path.as_std_path(), rustix::fs::Access::EXEC_OK).is_ok() && path.is_file())
        .ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// How a process ended, in words: `exit code 3`, `signal 9 (killed; the system does so when memory runs out)`.
pub(crate) fn status_text(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(9)) => "signal 9 (KILL: by somebody, or by the system when memory ran out)".to_owned(),
        (None, Some(11)) => "signal 11 (SEGV: the program crashed)".to_owned(),
        (None, Some(number)) => format!("signal {number}"),
        (None, None) => "an unknown status".to_owned(),
    }
}
