//! The Python that a DAG file brings along: readable classes, of which a file has those that it uses.

use std::collections::BTreeSet;

use super::python;
use super::runner::Runs;
use super::version;
use crate::plan::AirflowVersion;

/// A class or function, the names that call for it, and what it is built upon.
struct Helper {
    text: &'static str,
    names: &'static [&'static str],
}

/// All of them, each after those that it uses.
const HELPERS: &[Helper] = &[
    Helper {
        text: include_str!("ask.py"),
        names: &["Ask("],
    },
    Helper {
        text: include_str!("notify.py"),
        names: &["Notify("],
    },
    Helper {
        text: include_str!("common.py"),
        names: &["pull(", "skip_unless(", "TOP"],
    },
    Helper {
        text: include_str!("values.py"),
        names: &["parameter(", "item(", "outcome(", "result("],
    },
    Helper {
        text: include_str!("turns.py"),
        names: &["turns("],
    },
    Helper {
        text: include_str!("states.py"),
        names: &["task_states("],
    },
    Helper {
        text: include_str!("when.py"),
        names: &["When("],
    },
    Helper {
        text: include_str!("join.py"),
        names: &["Join("],
    },
    Helper {
        text: include_str!("items.py"),
        names: &["Items("],
    },
    Helper {
        text: include_str!("outcome.py"),
        names: &["Outcome("],
    },
    Helper {
        text: include_str!("placement.py"),
        names: &["placement("],
    },
];

/// What may be imported: the module in the third release, the one in the second where it is another, the name.
const IMPORTS: &[(&str, &str, &str)] = &[
    ("", "", "importlib"),
    ("", "", "json"),
    ("", "", "os"),
    ("", "", "subprocess"),
    ("", "", "tempfile"),
    ("datetime", "", "datetime"),
    ("datetime", "", "timedelta"),
    ("datetime", "", "timezone"),
    ("docker.types", "", "DeviceRequest"),
    ("docker.types", "", "Mount"),
    ("kubernetes.client", "", "models as k8s"),
    (
        "airflow.providers.cncf.kubernetes.operators.pod",
        "",
        "KubernetesPodOperator",
    ),
    ("airflow.providers.cncf.kubernetes.secret", "", "Secret"),
    (
        "airflow.providers.docker.exceptions",
        "",
        "DockerContainerFailedException",
    ),
    ("airflow.providers.docker.operators.docker", "", "DockerOperator"),
    ("airflow.providers.standard.operators.hitl", "", "ApprovalOperator"),
    ("airflow.sdk", "airflow", "DAG"),
    ("airflow.sdk", "", "Asset"),
    ("airflow.sdk", "", "AssetOrTimeSchedule"),
    ("airflow.sdk", "airflow.models", "BaseOperator"),
    ("airflow.sdk", "airflow.timetables.trigger", "CronTriggerTimetable"),
    ("airflow.sdk", "", "DeadlineAlert"),
    ("airflow.sdk", "", "DeadlineReference"),
    (
        "airflow.sdk",
        "airflow.timetables.trigger",
        "MultipleCronTriggerTimetable",
    ),
    ("airflow.sdk", "airflow.models.param", "Param"),
    ("airflow.sdk", "", "SyncCallback"),
    ("airflow.sdk", "airflow.utils.task_group", "TaskGroup"),
    ("airflow.sdk", "airflow.utils.trigger_rule", "TriggerRule"),
    ("airflow.sdk", "airflow.decorators", "task_group"),
    ("airflow.datasets", "", "Dataset"),
    ("airflow.timetables.datasets", "", "DatasetOrTimeSchedule"),
    ("airflow.sdk.exceptions", "airflow.exceptions", "AirflowException"),
    ("airflow.sdk.exceptions", "airflow.exceptions", "AirflowFailException"),
    ("airflow.sdk.exceptions", "airflow.exceptions", "AirflowSkipException"),
];

/// Imports, constants, helpers.
pub(super) fn head(runs: &Runs<'_>, code: &str) -> String {
    let mut used: Vec<&str> = vec![runs.step()];
    let mut all = format!("{code}\n{}", runs.step());
    for helper in HELPERS.iter().rev() {
        if helper.names.iter().any(|name| all.contains(name)) {
            all.push_str(helper.text);
            used.push(helper.text);
        }
    }
    // The base comes first; what runs a step comes last.
    let mut ordered: Vec<&str> = HELPERS
        .iter()
        .map(|helper| helper.text)
        .filter(|text| used.contains(text))
        .map(|text| match runs.settings.version {
            AirflowVersion::Two if text == include_str!("states.py") => include_str!("states_2.py"),
            AirflowVersion::Two | AirflowVersion::Three => text,
        })
        .collect();
    if code.contains("Step(") {
        ordered.push(runs.step());
    }
    let helpers = ordered
        .iter()
        .map(|text| text.trim_end())
        .collect::<Vec<_>>()
        .join("\n\n\n");
    let constants = format!("{}{}", version::line(), runs.constants());
    let imports = imports(&format!("{constants}{helpers}{code}"), runs.settings.version);
    format!("from __future__ import annotations\n\n{imports}\n{constants}\n\n{helpers}\n")
}

/// The imports that code calls for: standard library, packages, Airflow.
fn imports(code: &str, version: AirflowVersion) -> String {
    let mut lines: Vec<(&str, Vec<&str>)> = Vec::new();
    for (third, second, name) in IMPORTS {
        if !is_used(code, name.rsplit(' ').next().unwrap_or(name)) {
            continue;
        }
        let module = match version {
            AirflowVersion::Two if !second.is_empty() => second,
            AirflowVersion::Two | AirflowVersion::Three => third,
        };
        match lines
            .iter_mut()
            .find(|(known, _)| known == module && !module.is_empty())
        {
            Some((_, names)) => names.push(name),
            None => lines.push((module, vec![name])),
        }
    }
    let section = |module: &str| match module {
        "" | "datetime" => 0,
        "docker.types" | "kubernetes.client" => 1,
        _ => 2,
    };
    let mut text = String::new();
    let mut last = None;
    for (module, names) in lines {
        if last.is_some_and(|last| last != section(module)) {
            text.push('\n');
        }
        last = Some(section(module));
        match module {
            "" => text.push_str(&format!("import {}\n", names.join(", "))),
            module => text.push_str(&format!("from {module} import {}\n", names.join(", "))),
        }
    }
    text
}

/// Every name that a file may have for something else than a task.
pub(super) fn names(runs: &Runs<'_>) -> BTreeSet<String> {
    let constants = runs.constants();
    let texts = HELPERS.iter().map(|helper| helper.text);
    let texts = texts.chain([runs.step(), constants.as_str()]);
    let defined = texts.flat_map(str::lines).filter_map(|line| {
        let defined = line.strip_prefix("def ").or_else(|| line.strip_prefix("class "));
        let name = match defined {
            Some(rest) => rest.split(['(', ':']).next(),
            None => line.split_once(" = ").map(|(name, _)| name),
        };
        name.filter(|name| !name.starts_with(' '))
    });
    let imported = IMPORTS
        .iter()
        .map(|(_, _, name)| name.rsplit(' ').next().unwrap_or(name));
    let own = ["TASKS", "VERSION", "dag", "frame", "annotations", "_"];
    let all = defined.chain(imported).chain(own).chain(python::BUILTINS);
    all.map(str::to_owned).collect()
}

/// Whether a name occurs as a whole word.
fn is_used(code: &str, name: &str) -> bool {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    code.match_indices(name).any(|(at, _)| {
        let before = code.get(..at).and_then(|text| text.chars().next_back());
        let after = code.get(at + name.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(|before| is_part(before) || before == '.') && !after.is_some_and(is_part)
    })
}
