//! The language server: protocol and threads. It knows nothing of the language; every answer comes from the compiler.
//!
//! | module | what it does |
//! |---|---|
//! | [`server`] | answers the protocol's messages |
//! | [`session`] | open documents and the projects they belong to |
//! | [`convert`] | compiler positions and diagnostics in the protocol's terms |

#![allow(
    clippy::disallowed_methods,
    reason = "only the compiler is kept from the world outside"
)]

mod convert;
mod server;
mod session;

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tower_lsp::{LspService, Server};

use server::LanguageServer;

/// How long typing must rest before a project is checked again.
const REST: Duration = Duration::from_millis(120);

/// Serves an editor on standard input and output until it says `exit`.
///
/// # Errors
/// When no thread can be started.
pub fn run() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(tokio::io::stdin(), tokio::io::stdout(), REST));
    Ok(())
}

/// Serves an editor on any pair of streams; a project is checked when its documents have not changed for `rest`.
pub async fn serve(input: impl AsyncRead + Unpin, output: impl AsyncWrite, rest: Duration) {
    let (service, socket) = LspService::new(|client| LanguageServer::new(client, rest));
    // One message after the other: edits must be applied in the order in which they were typed.
    Server::new(input, output, socket)
        .concurrency_level(1)
        .serve(service)
        .await;
}
