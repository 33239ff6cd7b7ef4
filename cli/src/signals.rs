//! Ctrl-C: the first lets what runs finish, the second ends it.

use std::thread;

use mlp_runtime::executor::Cancel;

/// Listens for the rest of the process's life. Where no listener can be made, Ctrl-C ends the process as usual, and the
/// next run picks up what was finished.
pub fn listen(cancel: &Cancel) {
    let cancel = cancel.clone();
    let listener = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else {
            return;
        };
        runtime.block_on(async {
            while interrupted().await.is_ok() {
                cancel.advance();
            }
        });
    };
    drop(thread::Builder::new().name("signals".to_owned()).spawn(listener));
}

#[cfg(unix)]
async fn interrupted() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        caught = tokio::signal::ctrl_c() => caught,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn interrupted() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
