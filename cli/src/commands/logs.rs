//! `mlp logs`: what the steps of a run printed.

use std::fs::File;
use std::io::{self, Write};

use clap::Args;
use mlp_runtime::metadata::{LogFile, LogStream};

use super::Context;
use crate::exit::Exit;
use crate::history;
use crate::output::Style;
use crate::problem::Problem;

/// Arguments of `mlp logs`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mlp logs last train      what the step printed
  mlp logs                 what every step of the latest run printed")]
pub struct Arguments {
    /// The run's id, the beginning of it, or last
    #[arg(value_name = "RUN", default_value = "last")]
    run: String,
    /// A step of the run; all of them when none is named
    #[arg(value_name = "STEP")]
    step: Option<String>,
}

/// Copies the logs to standard output.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let terminal = context.terminal;
    let (executor, run) = history::find(context, &arguments.run)?;
    let step = arguments
        .step
        .as_deref()
        .map(|step| history::node(&run, step))
        .transpose()?;
    let files = executor.logs(&run.summary.id, step.map(|node| node.node.as_str()))?;
    if files.is_empty() {
        terminal.err("Nothing was printed.\n");
    }
    for file in &files {
        if files.len() > 1 {
            terminal.out(&format!("{}\n", terminal.paint(Style::Strong, &heading(file))))?;
        }
        match copy(file) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Exit::Success),
            Err(error) => return Err(Problem::io("read the log", &file.path, &error)),
        }
    }
    Ok(Exit::Success)
}

fn heading(file: &LogFile) -> String {
    let stream = match file.stream {
        LogStream::Stdout => "stdout",
        LogStream::Stderr => "stderr",
    };
    format!("── {} (attempt {}, {stream})", file.node, file.attempt)
}

fn copy(file: &LogFile) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    io::copy(&mut File::open(&file.path)?, &mut stdout)?;
    stdout.flush()
}
