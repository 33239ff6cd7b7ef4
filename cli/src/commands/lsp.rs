//! `mlp lsp`: the language server, on standard input and output.

use clap::Args;

use crate::exit::Exit;
use crate::problem::Problem;

/// Arguments of `mlp lsp`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mlp lsp       started by editors, see the page about editors")]
pub struct Arguments {}

/// Serves until the editor says `exit`.
pub fn run(_arguments: &Arguments) -> Result<Exit, Problem> {
    mlp_lsp::run().map_err(|error| Problem::machine(format!("The language server cannot run: {error}.")))?;
    Ok(Exit::Success)
}
