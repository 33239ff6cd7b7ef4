//! `mlp import`: a project of the language from what another system runs.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, Subcommand};
use mlp::diagnostics::{Format, Severity, render};
use mlp::import::kubeflow::{self, Imported, Refused};
use mlp::targets::pipeline_spec;
use mlp::workspace;

use super::Context;
use crate::exit::Exit;
use crate::files;
use crate::output::Style;
use crate::problem::Problem;
use crate::project::Project;

/// The largest file that is read, in bytes: far more than a cluster would take.
const LARGEST: u64 = 256 * 1024 * 1024;

/// Arguments of `mlp import`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// From where
    #[command(subcommand)]
    from: From,
}

/// Where projects are imported from.
#[derive(Debug, Subcommand)]
enum From {
    /// A compiled pipeline of Kubeflow Pipelines or Vertex AI, as YAML or JSON
    Kubeflow(Kubeflow),
}

/// Arguments of `mlp import kubeflow`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mlp import kubeflow pipeline.yaml                 into a folder of the pipeline's name
  mlp import kubeflow pipeline.yaml -o credit-risk
  mlp build --target kubeflow credit-risk           writes it back")]
struct Kubeflow {
    /// The file that the SDK compiled
    #[arg(value_name = "FILE")]
    file: Utf8PathBuf,
    /// The folder to make; the pipeline's name when not given
    #[arg(short, long, value_name = "FOLDER")]
    output: Option<Utf8PathBuf>,
}

/// Imports.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    match &arguments.from {
        From::Kubeflow(arguments) => kubeflow(arguments, context),
    }
}

fn kubeflow(arguments: &Kubeflow, context: &Context) -> Result<Exit, Problem> {
    let path = &arguments.file;
    let text = read(path)?;
    let document = pipeline_spec::read(&text)
        .map_err(|error| Problem::usage(format!("`{path}` cannot be imported. {error}")).help(error.help.clone()))?;
    let imported = match kubeflow::import(&document) {
        Ok(imported) => imported,
        Err(refused) => return Ok(refuse(path, &refused, context)),
    };
    let folder = arguments
        .output
        .clone()
        .unwrap_or_else(|| Utf8PathBuf::from(&imported.name));
    let folder = context.path(Some(&folder));
    write(&folder, &imported)?;
    report(&folder, &imported, context)
}

/// Says everything that stands in the way.
fn refuse(path: &Utf8Path, refused: &Refused, context: &Context) -> Exit {
    let terminal = context.terminal;
    for problem in &refused.0 {
        terminal.err(&format!("  - {problem}\n"));
    }
    terminal.err(&format!(
        "`{path}` is not imported, for the {} above. Nothing was written.\n",
        if refused.0.len() == 1 { "reason" } else { "reasons" }
    ));
    Exit::Program
}

fn read(path: &Utf8Path) -> Result<String, Problem> {
    let failed = |error: std::io::Error| {
        Problem::usage(format!("Cannot read `{path}`: {error}."))
            .help("Name the YAML or JSON file that the SDK compiled.")
    };
    let size = fs::metadata(path).map_err(failed)?.len();
    if size > LARGEST {
        return Err(Problem::usage(format!(
            "`{path}` has {} MiB, which is no pipeline.",
            size >> 20
        )));
    }
    let bytes = fs::read(path).map_err(failed)?;
    String::from_utf8(bytes).map_err(|error| {
        Problem::usage(format!(
            "`{path}` is not UTF-8: the byte at offset {} begins no character.",
            error.utf8_error().valid_up_to()
        ))
    })
}

/// Writes the whole project beside its place, and renames it into it: there is all of it or nothing.
fn write(folder: &Utf8Path, imported: &Imported) -> Result<(), Problem> {
    let taken = || {
        Problem::usage(format!(
            "`{folder}` exists already; an import writes into a new folder."
        ))
        .help("Name another folder with `-o`.")
    };
    if folder.symlink_metadata().is_ok() {
        return Err(taken());
    }
    let parent = folder
        .parent()
        .filter(|parent| !parent.as_str().is_empty())
        .unwrap_or(Utf8Path::new("."));
    fs::create_dir_all(parent).map_err(|error| Problem::io("make the folder", parent, &error))?;
    let failed =
        |error: std::io::Error| Problem::io("write into", parent, &error).help("Choose another place with `-o`.");
    let beside = tempfile::Builder::new()
        .prefix(".mlp-import-")
        .tempdir_in(parent)
        .map_err(failed)?;
    let staged = Utf8Path::from_path(beside.path())
        .ok_or_else(|| Problem::usage(format!("`{folder}` is not UTF-8.")))?
        .join("project");
    for file in &imported.files {
        files::write(&staged.join(&file.path), &file.text)?;
    }
    let is_taken = [std::io::ErrorKind::AlreadyExists, std::io::ErrorKind::DirectoryNotEmpty];
    fs::rename(&staged, folder).map_err(|error| {
        if is_taken.contains(&error.kind()) {
            taken()
        } else {
            failed(error)
        }
    })
}

fn report(folder: &Utf8Path, imported: &Imported, context: &Context) -> Result<Exit, Problem> {
    let terminal = context.terminal;
    let plural = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    terminal.out(&format!(
        "imported {} as {} and {} into {}\n",
        plural(imported.tasks, "task"),
        plural(imported.steps, "step"),
        plural(imported.pipelines, "pipeline"),
        terminal.paint(Style::Strong, folder.as_str()),
    ))?;
    for file in &imported.files {
        terminal.out(&format!("  {}\n", file.path))?;
    }
    if !imported.notes.is_empty() {
        terminal.out("\nlook at:\n")?;
        for note in &imported.notes {
            terminal.out(&format!("  - {note}\n"))?;
        }
    }
    let project = Project::open(folder)?;
    let problems = workspace::check(&project.db);
    let errors: Vec<_> = problems
        .into_iter()
        .filter(|problem| problem.severity == Severity::Error)
        .collect();
    if errors.is_empty() {
        return Ok(Exit::Success);
    }
    let format = Format::Terminal {
        colour: terminal.stderr_colour(),
    };
    terminal.err(&render(&project.db, &errors, format));
    terminal.err("The project was written, and has the errors above: mend them in its files.\n");
    Ok(Exit::Program)
}
