//! Secrets of a step in a container: by reference, on the command line, or in the environment that the platform gave.

use std::collections::BTreeMap;
use std::fs;

use camino::Utf8Path;
use mlp::plan::{SecretReference, Step};

use crate::events::Failure;

/// Gives the content of a secret that a platform keeps, or says why not.
pub(crate) type Fetch<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// The secrets of a step by variable: those that the command line refers to, and those that the platform has put into the
/// environment already. With a project, the rest are had as the step itself says.
///
/// # Errors
/// When one cannot be had.
pub(crate) fn read(
    step: &Step,
    references: &[String],
    fetch: Fetch<'_>,
    project: Option<&Utf8Path>,
) -> Result<BTreeMap<String, String>, Failure> {
    let mut secrets = BTreeMap::new();
    for option in references {
        let (variable, reference) = option.split_once('=').ok_or_else(|| unknown(option))?;
        secrets.insert(variable.to_owned(), one(step, variable, reference, option, fetch)?);
    }
    for variable in step.secrets.keys() {
        if let Ok(value) = std::env::var(variable) {
            secrets.entry(variable.clone()).or_insert(value);
        }
    }
    if let Some(project) = project {
        for (variable, reference) in &step.secrets {
            if !secrets.contains_key(variable) {
                secrets.insert(variable.clone(), own(step, variable, reference, project)?);
            }
        }
    }
    match step.secrets.keys().find(|variable| !secrets.contains_key(*variable)) {
        None => Ok(secrets),
        Some(variable) => Err(Failure::new(
            format!(
                "`{}` cannot have its secret `{variable}`: the platform gives none.",
                step.name
            ),
            "Name it in the `secrets` of the target, and build again.",
        )),
    }
}

/// As the local executor has them.
fn own(step: &Step, variable: &str, reference: &SecretReference, project: &Utf8Path) -> Result<String, Failure> {
    let option = match reference {
        SecretReference::Env(name) => format!("env:{name}"),
        SecretReference::File(path) => format!("file:{}", project.join(path)),
    };
    one(step, variable, &option, &option, &|_| Err("nobody keeps it".to_owned()))
}

fn one(step: &Step, variable: &str, reference: &str, option: &str, fetch: Fetch<'_>) -> Result<String, Failure> {
    let cannot = |message: String| {
        Failure::new(
            format!(
                "`{}` cannot have its secret `{variable}`: {}.",
                step.name,
                message.trim_end_matches('.')
            ),
            "See that it exists and that the container may read it.",
        )
    };
    if let Some(name) = reference.strip_prefix("env:") {
        return std::env::var(name).map_err(|_| cannot(format!("the variable `{name}` is not set")));
    }
    if let Some(path) = reference.strip_prefix("file:") {
        let text = fs::read_to_string(path);
        let text = text.map_err(|error| cannot(format!("the file `{path}` cannot be read: {error}")))?;
        return Ok(text.trim_end_matches(['\n', '\r']).to_owned());
    }
    if reference.starts_with("projects/") {
        return fetch(reference).map_err(cannot);
    }
    Err(unknown(option))
}

fn unknown(option: &str) -> Failure {
    Failure::new(
        format!("`--secret {option}` names no place that is known."),
        "Write `VAR=env:NAME`, `VAR=file:/path` or `VAR=projects/…/secrets/…/versions/…`.",
    )
}
