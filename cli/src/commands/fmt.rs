//! `mlp fmt`: the one canonical style.

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use mlp::format::{FormatError, format};
use mlp::project::{Contents, Host};

use super::Context;
use crate::exit::Exit;
use crate::files;
use crate::output::{Style, paint};
use crate::problem::Problem;
use crate::project::Project;
use crate::words::count;

/// Arguments of `mlp fmt`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mlp fmt                  every file of the project
  mlp fmt main.mlp         one file
  mlp fmt --check          change nothing, and fail where something would change

A file with syntax errors is left as it is: `mlp check` shows them.")]
pub struct Arguments {
    /// Folders or `.mlp` files; the project around the current folder when none is named
    #[arg(value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,
    /// Change nothing; say which files are not formatted
    #[arg(long)]
    check: bool,
}

/// What became of a file.
enum Outcome {
    Unchanged,
    Changed,
    Broken,
}

/// Formats.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let paths = match arguments.paths.as_slice() {
        [] => vec![context.path(None)],
        paths => paths.iter().map(|path| context.path(Some(path))).collect(),
    };
    let (mut all, mut changed, mut broken) = (0, 0, 0);
    for path in sources(&paths)? {
        all += 1;
        match file(&path, arguments.check)? {
            Outcome::Unchanged => {}
            Outcome::Changed => {
                changed += 1;
                let verb = if arguments.check { "would change" } else { "formatted" };
                context.terminal.out(&format!("{verb} {path}\n"))?;
            }
            Outcome::Broken => {
                broken += 1;
                let warning = paint(context.terminal.stderr_colour(), Style::Warn, "skipped");
                context
                    .terminal
                    .err(&format!("{warning} {path}: it has errors, which `mlp check` shows\n"));
            }
        }
    }
    let verb = if arguments.check { "would change" } else { "changed" };
    context
        .terminal
        .out(&format!("{}: {changed} {verb}\n", count(all, "file")))?;
    let failed = broken > 0 || (arguments.check && changed > 0);
    Ok(if failed { Exit::Program } else { Exit::Success })
}

/// The files that the paths name, in order, each once.
fn sources(paths: &[Utf8PathBuf]) -> Result<Vec<Utf8PathBuf>, Problem> {
    let mut found: Vec<Utf8PathBuf> = Vec::new();
    for path in paths {
        if path.is_dir() {
            let project = Project::open(path)?;
            let inside = project.host.relative(path).unwrap_or_default();
            let files = project.host.list("mlp");
            let base = if path == "." { Utf8Path::new("") } else { path };
            found.extend(
                files
                    .iter()
                    .filter_map(|file| Some(base.join(file.strip_prefix(&inside).ok()?))),
            );
        } else if path.extension() == Some("mlp") {
            found.push(path.clone());
        } else {
            return Err(Problem::usage(format!(
                "`{path}` is neither a folder nor a `.mlp` file."
            )));
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|path| seen.insert(path.clone()));
    Ok(found)
}

fn file(path: &Utf8Path, only_check: bool) -> Result<Outcome, Problem> {
    let bytes = std::fs::read(path).map_err(|error| Problem::io("read", path, &error))?;
    let Contents::Text(text) = Contents::from_bytes(bytes) else {
        return Ok(Outcome::Broken);
    };
    match format(&text) {
        Ok(formatted) if formatted == text => Ok(Outcome::Unchanged),
        Ok(formatted) => {
            if !only_check {
                files::write(path, &formatted)?;
            }
            Ok(Outcome::Changed)
        }
        Err(FormatError::Syntax(_) | FormatError::Meaning) => Ok(Outcome::Broken),
    }
}
