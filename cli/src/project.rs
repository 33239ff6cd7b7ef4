//! The project that a command works on: found on disk, checked, made into a plan.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use mlp::db::Database;
use mlp::diagnostics::{Format, render};
use mlp::plan::{self, BuildError, Pipeline, Plan};
use mlp::project::{DiskHost, Lock};
use mlp::workspace;

use crate::commands::Context;
use crate::exit::Exit;
use crate::problem::Problem;

/// An opened project.
pub struct Project {
    /// Where it is, absolute.
    pub root: Utf8PathBuf,
    /// The files as the compiler sees them.
    pub host: DiskHost,
    /// The compiler's queries over it.
    pub db: Database,
}

/// What a command gets when it asks for something that needs a program without errors.
pub enum Compiled {
    /// The plan.
    Plan(Box<Plan>),
    /// There is none; the errors have been shown.
    Errors,
}

/// The positional arguments of a command over one pipeline: `[PIPELINE] [PATH]`, where a first argument that is a folder
/// or a `.mlp` file is the path.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Subject {
    /// The pipeline; may be left out when the project has one, or be the project's folder instead
    #[arg(value_name = "PIPELINE")]
    first: Option<String>,
    /// The project's folder, or a single `.mlp` file
    #[arg(value_name = "PATH")]
    second: Option<Utf8PathBuf>,
}

impl Subject {
    /// The pipeline's name, if one was given, and the path.
    pub fn resolve(&self, context: &Context) -> Result<(Option<&str>, Utf8PathBuf), Problem> {
        match (self.first.as_deref(), &self.second) {
            (Some(first), None) if is_project(context, Utf8Path::new(first)) => {
                Ok((None, context.path(Some(Utf8Path::new(first)))))
            }
            (first, None) if first.is_some_and(|first| first.contains(['/', '\\'])) => {
                let path = first.unwrap_or_default();
                Err(Problem::usage(format!("There is no folder or `.mlp` file `{path}`."))
                    .help("Name a folder with a `mlp.toml`, or a `.mlp` file."))
            }
            (first, second) => Ok((first, context.path(second.as_deref()))),
        }
    }
}

fn is_project(context: &Context, first: &Utf8Path) -> bool {
    let path = context.path(Some(first));
    (path.is_dir() && (path.join("mlp.toml").is_file() || first.as_str().contains(['/', '.'])))
        || (path.extension() == Some("mlp") && path.is_file())
}

impl Project {
    /// The project that `path` lies in.
    pub fn open(path: &Utf8Path) -> Result<Self, Problem> {
        let host = DiskHost::open(path)?;
        let db = Database::new(Arc::new(host.clone()));
        workspace::prepare(&db);
        Ok(Self {
            root: host.root().to_owned(),
            db,
            host,
        })
    }

    /// The plan; errors of the program are shown on standard error.
    pub fn compile(&self, context: &Context) -> Result<Compiled, Problem> {
        match plan::build(&self.db) {
            Ok(plan) => Ok(Compiled::Plan(Box::new(plan))),
            Err(BuildError::Program(errors)) => {
                let colour = context.terminal.stderr_colour();
                context
                    .terminal
                    .err(&render(&self.db, &errors, Format::Terminal { colour }));
                Ok(Compiled::Errors)
            }
            Err(error @ BuildError::Ambiguous { .. }) => {
                context.terminal.problem(&Problem::usage(format!("{error}.")));
                Ok(Compiled::Errors)
            }
        }
    }

    /// What `mlp.lock` pins.
    pub fn lock(&self) -> Result<Lock, Problem> {
        Lock::of_project(&self.host).map_err(|error| {
            Problem::usage(format!("{error}."))
                .help("Take it back from version control, or delete it and run `mlp lock`.")
        })
    }

    /// The plan, or the exit of a command that cannot go on without.
    pub fn plan(&self, context: &Context) -> Result<Result<Plan, Exit>, Problem> {
        Ok(match self.compile(context)? {
            Compiled::Plan(plan) => Ok(*plan),
            Compiled::Errors => Err(Exit::Program),
        })
    }
}

/// The pipeline of that name, or the only one.
pub fn pipeline<'a>(plan: &'a Plan, name: Option<&str>) -> Result<&'a Pipeline, Problem> {
    let known = || plan.pipelines.keys().map(String::as_str);
    if let Some(name) = name {
        return plan
            .pipelines
            .get(name)
            .ok_or_else(|| Problem::unknown("pipeline", name, known()));
    }
    let mut pipelines = plan.pipelines.values();
    match (pipelines.next(), pipelines.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(Problem::usage("The project has no pipeline.")
            .help("Write `pipeline name() { … }` in one of its `.mlp` files.")),
        (Some(_), Some(_)) => {
            let names: Vec<&str> = known().collect();
            Err(Problem::usage("The project has several pipelines, and none was named.")
                .help(format!("Name one of: {}.", names.join(", "))))
        }
    }
}
