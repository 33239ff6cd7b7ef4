//! `mlp build`: files for a platform.

use camino::Utf8PathBuf;
use clap::Args;
use mlp::plan::{DeclaredTarget, Platform};
use mlp::project::manifest_file;
use mlp::targets::{self, OutputFile, TargetError, TargetName};

use super::{Context, build_images};
use crate::exit::Exit;
use crate::files;
use crate::problem::Problem;
use crate::project::Project;

/// Arguments of `mlp build`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mlp build                            for the target that `mlp.toml` names
  mlp build --target plan -o -         the plan as JSON, to standard output
  mlp build --target plan -o plan.json
  mlp build --images                   build contexts of images, to build/images")]
pub struct Arguments {
    /// The project's folder, or a single `.mlp` file
    #[arg(value_name = "PATH")]
    path: Option<Utf8PathBuf>,
    /// plan, local, kubeflow, vertex or airflow; the `target` of `mlp.toml`, or else plan
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
    let declared = manifest_file(&project.db)
        .manifest
        .as_ref()
        .and_then(|manifest| manifest.target.clone());
    let name = arguments
        .target
        .clone()
        .or(declared)
        .unwrap_or_else(|| "plan".to_owned());
    let target = TargetName::from_name(&name).ok_or_else(|| {
        let known = TargetName::ALL.map(TargetName::name);
        Problem::unknown("target", &name, known)
    })?;
    let plan = match project.plan(context)? {
        Ok(plan) => plan,
        Err(exit) => return Ok(exit),
    };
    let request = targets::Request {
        plan: &plan,
        target: &declared_target(target),
        sources: &std::collections::BTreeMap::new(),
        lock: &mlp::project::Lock::default(),
    };
    let written = targets::build(target, &request).map_err(|error| problem(&error))?.files;
    if arguments.output.as_deref().is_some_and(|output| output == "-") {
        return to_stdout(&written, context);
    }
    for file in &written {
        let path = match &arguments.output {
            Some(output) if written.len() == 1 && output.extension().is_some() => output.clone(),
            Some(output) => output.join(&file.path),
            None => project.root.join("build").join(target.name()).join(&file.path),
        };
        files::write(&path, &file.text)?;
        context.terminal.out(&format!("wrote {path}\n"))?;
    }
    Ok(Exit::Success)
}

/// The target as it is where the project declares none.
fn declared_target(target: TargetName) -> DeclaredTarget {
    let platform = match target {
        TargetName::Plan | TargetName::Local => Platform::Local,
        TargetName::Kubeflow => Platform::Kubeflow(mlp::plan::KubeflowTarget::default()),
        TargetName::Vertex => Platform::Vertex(mlp::plan::VertexTarget::default()),
        TargetName::Airflow => Platform::Airflow(mlp::plan::AirflowTarget::default()),
    };
    DeclaredTarget::undeclared(target.name(), platform)
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

fn problem(error: &TargetError) -> Problem {
    match error {
        TargetError::NotSupportedYet(name) => Problem::usage(format!("The target `{name}` is not supported yet."))
            .help("Build the target `plan`, or run the pipeline on this machine with `mlp run`."),
        TargetError::RunsInstead => Problem::usage("The target `local` writes no files.")
            .help("Run the pipeline on this machine with `mlp run`; to see the plan, build the target `plan`."),
        TargetError::Refused { refusal, .. } => Problem::usage(format!("{error}.")).help(refusal.way_out.clone()),
        TargetError::Write(_) => Problem::machine(format!("{error}.")),
        TargetError::Unsound { .. } => {
            Problem::machine(format!("{error}")).help("Please report it, with the pipeline; nothing was written.")
        }
    }
}
