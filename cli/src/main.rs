//! The command `mlp`: arguments in, exit code out. What it says and does is in the compiler and the runtime.

#![allow(
    clippy::disallowed_methods,
    reason = "only the compiler is kept from the world outside"
)]

mod arguments;
mod commands;
mod exit;
mod files;
mod history;
mod output;
mod problem;
mod project;
mod show;
mod signals;
mod words;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Cli;
use crate::output::Terminal;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let terminal = Terminal::new(cli.color);
    let context = commands::Context {
        project: cli.project,
        terminal,
    };
    match commands::run(cli.command, &context) {
        Ok(exit) => exit.into(),
        Err(problem) => {
            terminal.problem(&problem);
            problem.exit().into()
        }
    }
}
