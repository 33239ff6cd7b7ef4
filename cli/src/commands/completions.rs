//! `mlp completions`: a completion script for a shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Context;
use crate::arguments::Cli;
use crate::exit::Exit;
use crate::problem::Problem;

/// Arguments of `mlp completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mlp completions bash > ~/.local/share/bash-completion/completions/mlp
  mlp completions zsh > ~/.zfunc/_mlp
  mlp completions fish > ~/.config/fish/completions/mlp.fish")]
pub struct Arguments {
    /// The shell
    shell: Shell,
}

/// Writes the script to standard output.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "mlp", &mut script);
    context.terminal.out(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Success)
}
