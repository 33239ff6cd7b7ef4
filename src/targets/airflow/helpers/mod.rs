//! The Python that a DAG file brings along: readable classes, of which a file has those that it uses.

use super::runner::Runs;

/// A class or function, the names that call for it, and what it is built upon.
struct Helper {
    text: &'static str,
    names: &'static [&'static str],
}

/// All of them, each after those that it uses.
const HELPERS: [Helper; 9] = [
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

/// What is imported, with the names that call for it: module, name.
const IMPORTS: [(&str, &str); 25] = [
    ("", "json"),
    ("", "os"),
    ("", "subprocess"),
    ("", "tempfile"),
    ("datetime", "datetime"),
    ("datetime", "timedelta"),
    ("datetime", "timezone"),
    ("kubernetes.client", "models as k8s"),
    ("docker.types", "DeviceRequest"),
    ("docker.types", "Mount"),
    (
        "airflow.providers.cncf.kubernetes.operators.pod",
        "KubernetesPodOperator",
    ),
    ("airflow.providers.docker.operators.docker", "DockerOperator"),
    ("airflow.sdk", "DAG"),
    ("airflow.sdk", "Asset"),
    ("airflow.sdk", "AssetOrTimeSchedule"),
    ("airflow.sdk", "BaseOperator"),
    ("airflow.sdk", "CronTriggerTimetable"),
    ("airflow.sdk", "MultipleCronTriggerTimetable"),
    ("airflow.sdk", "Param"),
    ("airflow.sdk", "TaskGroup"),
    ("airflow.sdk", "TriggerRule"),
    ("airflow.sdk", "task_group"),
    ("airflow.sdk.exceptions", "AirflowException"),
    ("airflow.sdk.exceptions", "AirflowFailException"),
    ("airflow.sdk.exceptions", "AirflowSkipException"),
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
        .collect();
    if code.contains("Step(") {
        ordered.push(runs.step());
    }
    let helpers = ordered
        .iter()
        .map(|text| text.trim_end())
        .collect::<Vec<_>>()
        .join("\n\n\n");
    let constants = runs.constants();
    let mut head = String::from("from __future__ import annotations\n\n");
    head.push_str(&imports(&format!("{constants}{helpers}{code}")));
    format!("{head}\n{constants}\n\n{helpers}\n")
}

/// The imports that code calls for.
fn imports(code: &str) -> String {
    let mut text = String::new();
    let mut kind = 0;
    for (position, (module, name)) in IMPORTS.iter().enumerate() {
        let called = name.rsplit(' ').next().unwrap_or(name);
        if !is_used(code, called) {
            continue;
        }
        let own_kind = match *module {
            "" | "datetime" => 1,
            "kubernetes.client" | "docker.types" => 2,
            _ => 3,
        };
        if kind != 0 && own_kind != kind {
            text.push('\n');
        }
        kind = own_kind;
        if module.is_empty() {
            text.push_str(&format!("import {name}\n"));
            continue;
        }
        // One line for each module.
        let earlier = IMPORTS.get(..position).unwrap_or_default();
        let begun = earlier
            .iter()
            .any(|(other, name)| other == module && is_used(code, name.rsplit(' ').next().unwrap_or(name)));
        if begun {
            text.pop();
            text.push_str(&format!(", {name}\n"));
        } else {
            text.push_str(&format!("from {module} import {name}\n"));
        }
    }
    text
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
