//! `mlp build`: files for a platform.

use camino::Utf8PathBuf;
use clap::Args;
use mlp::check::python::python_sources;
use mlp::plan::{DeclaredTarget, Plan};
use mlp::project::manifest_file;
use mlp::targets::{self, ChoiceError, OutputFile, TargetError, capability};
use mlp_runtime::data::words::sentence;

use super::{Context, build_images};
use crate::exit::Exit;
use crate::files;
use crate::output::Style;
use crate::problem::Problem;
use crate::project::Project;

/// Arguments of `mlp build`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mlp build                            for the target that `mlp.toml` names
  mlp build --target prod              for a target that the project declares
  mlp build --target plan -o -         the plan as JSON, to standard output
  mlp build --target plan -o plan.json
  mlp build --images                   build contexts of images, to build/images")]
pub struct Arguments {
    /// The project's folder, or a single `.mlp` file
    #[arg(value_name = "PATH")]
    path: Option<Utf8PathBuf>,
    /// A declared target, or plan, local, kubeflow, vertex, airflow; the `target` of `mlp.toml`, or else plan
    #[arg(short, long, value_name = "NAME")]
    target: Option<String>,
    /// A file, a folder, or - for standard output; build/TARGET in the project when not given
    #[arg(short, long, value_name = "PATH")]
    output: Option<Utf8PathBuf>,
    /// Write what the images of Python steps and models are built from, pinned by mlp.lock
    #[arg(long)]
    images: bool,
}

/// Compiles and writes.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let project = Project::open(&context.path(arguments.path.as_deref()))?;
    if arguments.images {
        return build_images::run(
            &project,
            arguments.target.as_deref(),
            arguments.output.as_deref(),
            context,
        );
    }
    let (target, written) = match compile(&project, arguments.target.as_deref(), context)? {
        Ok(compiled) => (compiled.target, compiled.files),
        Err(exit) => return Ok(exit),
    };
    if arguments.output.as_deref().is_some_and(|output| output == "-") {
        return to_stdout(&written, context);
    }
    for file in &written {
        let path = match &arguments.output {
            Some(output) if written.len() == 1 && output.extension().is_some() => output.clone(),
            Some(output) => output.join(&file.path),
            None => project.root.join("build").join(&target.name).join(&file.path),
        };
        files::write(&path, &file.text)?;
        context.terminal.out(&format!("wrote {path}\n"))?;
    }
    Ok(Exit::Success)
}

/// A project as a target's files.
pub struct Compiled {
    /// The plan.
    pub plan: Plan,
    /// The target.
    pub target: DeclaredTarget,
    /// The files.
    pub files: Vec<OutputFile>,
}

impl Compiled {
    /// The text of the file of that name.
    pub fn text(&self, name: &str) -> Result<&str, Problem> {
        let file = self.files.iter().find(|file| file.path == name);
        file.map(|file| file.text.as_str())
            .ok_or_else(|| Problem::machine(format!("The target `{}` wrote no `{name}`.", self.target.name)))
    }
}

/// Compiles for the target of that name, else for the one that `mlp.toml` names; shows what the user should know.
pub fn compile(project: &Project, target: Option<&str>, context: &Context) -> Result<Result<Compiled, Exit>, Problem> {
    let manifest = manifest_file(&project.db);
    let declared = manifest
        .manifest
        .as_ref()
        .and_then(|manifest| manifest.target.as_deref());
    let plan = match project.plan(context)? {
        Ok(plan) => plan,
        Err(exit) => return Ok(Err(exit)),
    };
    let name = target.or(declared).unwrap_or("plan");
    let (kind, target) = targets::choose(&plan, name).map_err(|error| unknown(&error))?;
    let request = targets::Request {
        plan: &plan,
        target: &target,
        sources: &python_sources(&project.db, &plan),
        lock: &project.lock()?,
    };
    let built = targets::build(kind, &request).map_err(|error| problem(&error, &plan))?;
    for warning in &built.warnings {
        context.terminal.err(&format!(
            "{} {warning}\n",
            context.terminal.paint_error(Style::Warn, "warning:")
        ));
    }
    Ok(Ok(Compiled {
        plan,
        target,
        files: built.files,
    }))
}

fn to_stdout(written: &[OutputFile], context: &Context) -> Result<Exit, Problem> {
    match written {
        [only] => {
            context.terminal.out(&only.text)?;
            Ok(Exit::Success)
        }
        several => Err(Problem::usage(format!(
            "The target writes {} files, which cannot all go to standard output.",
            several.len()
        ))
        .help("Name a folder with `-o`.")),
    }
}

/// A name that means no target.
pub(super) fn unknown(error: &ChoiceError) -> Problem {
    match error {
        ChoiceError::Unknown { name, known } => Problem::unknown("target", name, known.iter().map(String::as_str)),
        ChoiceError::Several { names, .. } => Problem::usage(sentence(&error.to_string())).help(format!(
            "Name the one that is meant: `--target {}`.",
            names.first().map_or("NAME", String::as_str)
        )),
    }
}

fn problem(error: &TargetError, plan: &Plan) -> Problem {
    match error {
        TargetError::RunsInstead => Problem::usage("The target `local` writes no files.")
            .help("Run the pipeline on this machine with `mlp run`; to see the plan, build the target `plan`."),
        TargetError::Refused { refusal, .. } => {
            let place = match capability::origin(plan, &refusal.place) {
                Some(origin) => format!("{}:{}: ", origin.file, origin.line),
                None => String::new(),
            };
            let message = sentence(&error.to_string());
            Problem::usage(format!("{place}{message}")).help(refusal.way_out.clone())
        }
        TargetError::Write(_) => Problem::machine(format!("{error}.")),
        TargetError::Unsound { .. } => {
            Problem::machine(format!("{error}")).help("Please report it, with the pipeline; nothing was written.")
        }
    }
}
