//! One file for each command: its arguments and what it does.

pub mod build;
mod build_images;
pub mod check;
pub mod completions;
pub mod explain;
pub mod fmt;
pub mod graph;
pub mod import;
pub mod launch;
pub mod lock;
pub mod logs;
pub mod lsp;
pub mod new;
pub mod op;
pub mod registry;
pub mod run;
pub mod runs;
pub mod show;
pub mod submit;
mod submit_airflow;
pub mod test;
pub mod verify;

use camino::{Utf8Path, Utf8PathBuf};

use crate::arguments::Command;
use crate::exit::Exit;
use crate::output::Terminal;
use crate::problem::Problem;

/// What every command knows.
pub struct Context {
    /// `--project`
    pub project: Option<Utf8PathBuf>,
    /// Where it writes.
    pub terminal: Terminal,
}

impl Context {
    /// A path of the command line, as seen from `--project`; the project itself when there is none.
    pub fn path(&self, path: Option<&Utf8Path>) -> Utf8PathBuf {
        let base = self.project.as_deref();
        match (base, path) {
            (Some(base), Some(path)) => base.join(path),
            (Some(base), None) => base.to_owned(),
            (None, Some(path)) => path.to_owned(),
            (None, None) => Utf8PathBuf::from("."),
        }
    }
}

impl Context {
    /// What to put behind `mlp` so that another command finds the same project.
    pub fn project_option(&self, path: &Utf8Path) -> String {
        if path == "." {
            String::new()
        } else {
            format!(" -C {path}")
        }
    }
}

/// Runs a command to its end.
pub fn run(command: Command, context: &Context) -> Result<Exit, Problem> {
    match command {
        Command::Check(arguments) => check::run(&arguments, context),
        Command::New(arguments) => new::run(&arguments, context),
        Command::Lsp(arguments) => lsp::run(&arguments),
        Command::Fmt(arguments) => fmt::run(&arguments, context),
        Command::Run(arguments) => run::run(&arguments, context),
        Command::Test(arguments) => test::run(&arguments, context),
        Command::Runs(arguments) => runs::run(&arguments, context),
        Command::Show(arguments) => show::run(&arguments, context),
        Command::Logs(arguments) => logs::run(&arguments, context),
        Command::Registry(arguments) => registry::run(&arguments, context),
        Command::Lock(arguments) => lock::run(&arguments, context),
        Command::Build(arguments) => build::run(&arguments, context),
        Command::Submit(arguments) => submit::run(&arguments, context),
        Command::Verify(arguments) => verify::run(&arguments, context),
        Command::Graph(arguments) => graph::run(&arguments, context),
        Command::Import(arguments) => import::run(&arguments, context),
        Command::Explain(arguments) => explain::run(&arguments, context),
        Command::Op(arguments) => op::run(&arguments, context),
        Command::Launch(arguments) => launch::run(&arguments, context),
        Command::Completions(arguments) => completions::run(&arguments, context),
    }
}
