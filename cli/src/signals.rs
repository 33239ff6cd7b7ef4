//! Ctrl-C: the first lets what runs finish, the second ends it. In a container the first ends it.

use std::thread;

use mlp_runtime::executor::Cancel;

/// Listens for the rest of the process's life. Where no listener can be made, Ctrl-C ends the process as usual, and the
/// next run picks up what was finished.
pub fn listen(cancel: &Cancel) {
    let cancel = cancel.clone();
    at_each(move || {
        cancel.advance();
    });
}

/// Listens for the platform that ends a container: it asks once, and kills soon after.
pub fn end_at_once(cancel: &Cancel) {
    let cancel = cancel.clone();
    at_each(move || cancel.kill());
}

fn at_each(act: impl Fn() + Send + 'static) {
    let listener = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else {
            return;
        };
        runtime.block_on(async {
            // Made once: a signal that comes while the last one is being handled is kept.
            let Ok(mut signals) = Signals::new() else { return };
            while signals.next().await.is_some() {
                act();
            }
        });
    };
    drop(thread::Builder::new().name("signals".to_owned()).spawn(listener));
}

/// Ctrl-C, and the polite way to end a process.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> Option<()> {
        tokio::select! {
            caught = self.interrupt.recv() => caught,
            caught = self.terminate.recv() => caught,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Option<()> {
        tokio::signal::ctrl_c().await.ok()
    }
}
