//! Earlier runs of a project: found by id, by the beginning of an id, or by `last`.

use camino::Utf8PathBuf;
use mlp::diagnostics::nearest;
use mlp::project::DiskHost;
use mlp_runtime::RunError;
use mlp_runtime::executor::Executor;
use mlp_runtime::metadata::{NodeRecord, RunRecord};
use serde::Serialize;

use crate::commands::Context;
use crate::problem::Problem;

/// How many runs are searched for a name that is near.
const SEARCHED: usize = 1_000;

/// The folder of the project that the command works on.
pub fn root(context: &Context) -> Result<Utf8PathBuf, Problem> {
    Ok(DiskHost::open(&context.path(None))?.root().to_owned())
}

/// The executor of the project; nothing where nothing has run yet, so that asking leaves no trace.
pub fn open(context: &Context) -> Result<Option<Executor>, Problem> {
    let root = root(context)?;
    if !root.join(".mlp").is_dir() {
        return Ok(None);
    }
    Ok(Some(Executor::open(&root)?))
}

/// The run of that name, and the executor that knows more.
pub fn find(context: &Context, name: &str) -> Result<(Executor, RunRecord), Problem> {
    let none = || Problem::usage("There are no runs in this project yet.").help("`mlp run` starts one.");
    let executor = open(context)?.ok_or_else(none)?;
    let wanted = if name == "last" { "latest" } else { name };
    match executor.show(wanted) {
        Ok(run) => Ok((executor, run)),
        Err(RunError::UnknownRun { .. }) => {
            let known = executor.runs(SEARCHED)?;
            if known.is_empty() {
                return Err(none());
            }
            let problem = Problem::usage(format!("There is no run `{name}` in this project."));
            Err(match nearest(name, known.iter().map(|run| run.id.as_str())) {
                Some(near) => problem.help(format!("Did you mean `{near}`? `mlp runs` lists them all.")),
                None => problem.help("`mlp runs` lists them all; `last` is the latest."),
            })
        }
        Err(error) => Err(error.into()),
    }
}

/// The step of that name in a run.
pub fn node<'a>(run: &'a RunRecord, name: &str) -> Result<&'a NodeRecord, Problem> {
    run.nodes.iter().find(|node| node.node == name).ok_or_else(|| {
        let what = format!("step in run {} called", run.summary.id);
        Problem::unknown(&what, name, run.nodes.iter().map(|node| node.node.as_str()))
    })
}

/// A value as indented JSON.
pub fn json(value: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|error| Problem::machine(format!("The answer cannot be written as JSON: {error}.")))
}
