//! The verifier: one valid pipeline, and the ways to break it.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use mlp::targets::pipeline_spec::verify::{Finding, FindingKind, Platform, verify};
use mlp::targets::pipeline_spec::{Document, ReadError, read};
use serde_json::{Value, json};

/// What must happen when a file is read that cannot be.
const READ: &str = "read";

fn mutations() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/kubeflow/mutations.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn platform(name: Option<&Value>) -> Platform {
    match name.and_then(Value::as_str) {
        Some("vertex") => Platform::Vertex,
        Some(other) => panic!("unknown platform {other}"),
        None => Platform::Kubeflow,
    }
}

/// Both documents as a file; Vertex AI reads the first alone.
fn document(file: &Value, platform: Platform) -> Result<Document, ReadError> {
    let mut text = file["spec"].to_string();
    if platform == Platform::Kubeflow {
        text = format!("# settings for Kubernetes follow\n{text}\n---\n{}\n", file["platform"]);
    }
    read(&text)
}

/// Puts a value at a pointer, or takes away what is there.
fn mutate(file: &mut Value, pointer: &str, value: Option<&Value>) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/").replace("~0", "~");
    match (file.pointer_mut(parent).unwrap_or_else(|| panic!("{parent}")), value) {
        (Value::Object(fields), Some(value)) => {
            fields.insert(key, value.clone());
        }
        (Value::Object(fields), None) => {
            fields.remove(&key).unwrap_or_else(|| panic!("{pointer} is not there"));
        }
        (Value::Array(items), Some(value)) => items[key.parse::<usize>().unwrap()] = value.clone(),
        (other, _) => panic!("{pointer} is inside {other}"),
    }
}

#[test]
fn the_pipeline_that_is_broken_below_is_valid() {
    let file = mutations();
    for platform in [Platform::Kubeflow, Platform::Vertex] {
        let findings = verify(&document(&file, platform).unwrap(), platform);
        assert_eq!(findings, [], "{platform:?}");
    }
}

#[test]
fn every_mutation_is_found() {
    let file = mutations();
    let mut missed = Vec::new();
    for row in file["mutations"].as_array().unwrap() {
        let platform = platform(row.get("platform"));
        let mut broken = json!({"spec": file["spec"], "platform": file["platform"]});
        mutate(&mut broken, row["pointer"].as_str().unwrap(), row.get("value"));
        let wanted = row["finding"].as_str().unwrap();
        let found: Vec<String> = match document(&broken, platform) {
            Err(_) => vec![READ.to_owned()],
            Ok(document) => verify(&document, platform).iter().map(ToString::to_string).collect(),
        };
        let is_found = found
            .iter()
            .any(|each| each == wanted || each.contains(&format!("[{wanted}]")));
        // One mistake gives one kind of error.
        let is_alone = found
            .iter()
            .all(|each| !each.starts_with("error") || each.contains(&format!("[{wanted}]")));
        if !is_found || !is_alone {
            missed.push(format!("{}: wanted {wanted}, found {found:#?}", row["name"]));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn every_kind_has_a_mutation() {
    let file = mutations();
    let rows = file["mutations"].as_array().unwrap();
    // These take more than one change, and have tests of their own.
    let elsewhere = ["loop-item-name", "second-document", "too-large"];
    let without: Vec<&str> = FindingKind::ALL
        .iter()
        .map(|kind| kind.code())
        .filter(|code| !elsewhere.contains(code) && !rows.iter().any(|row| row["finding"] == *code))
        .collect();
    assert_eq!(without, Vec::<&str>::new());
}

#[test]
fn findings_are_sentences_with_a_way_out() {
    let file = mutations();
    for row in file["mutations"].as_array().unwrap() {
        let platform = platform(row.get("platform"));
        let mut broken = json!({"spec": file["spec"], "platform": file["platform"]});
        mutate(&mut broken, row["pointer"].as_str().unwrap(), row.get("value"));
        let Ok(document) = document(&broken, platform) else {
            continue;
        };
        for Finding {
            message, help, path, ..
        } in verify(&document, platform)
        {
            assert!(
                message.ends_with('.') && message.starts_with(char::is_uppercase),
                "{message}"
            );
            assert!(
                help.ends_with(['.', '?', '`']) && help.starts_with(char::is_uppercase),
                "{help}"
            );
            assert!(!path.is_empty(), "{message}");
        }
    }
}

/// What each kind of finding means; `MLP_BLESS=1` writes it anew.
#[test]
fn the_reference_is_up_to_date() {
    let mut text = String::from(
        "# Findings of `mlp verify`\n\nWhat the verifier says of a compiled pipeline, whoever wrote it. Errors are what a platform refuses, fails on or \
         gets\nwrong; warnings are what some of them do. Written by a test; change `src/targets/pipeline_spec/verify/finding.rs`.\n\n\
         | kind | severity | meaning |\n|---|---|---|\n",
    );
    for kind in FindingKind::ALL {
        let summary = kind.summary().replace('|', "\\|");
        text.push_str(&format!("| `{}` | {} | {summary} |\n", kind.code(), kind.severity()));
    }
    text.push_str(
        "\nA file that cannot be read has the one finding `unreadable` in `--format json`, with its place.\n\
         `tests/conformance/kubeflow/mutations.json` has a pipeline for every kind.\n",
    );
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/verify.md");
    if std::env::var_os("MLP_BLESS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let present = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        present == text,
        "docs/verify.md is stale: run the test again with MLP_BLESS=1"
    );
}

#[test]
fn codes_are_unique() {
    let mut codes: Vec<&str> = FindingKind::ALL.iter().map(|kind| kind.code()).collect();
    codes.sort_unstable();
    let count = codes.len();
    codes.dedup();
    assert_eq!(codes.len(), count);
}

/// The kinds that are found, errors and warnings.
fn kinds(document: &Document, platform: Platform) -> Vec<&'static str> {
    verify(document, platform)
        .iter()
        .map(|finding| finding.kind.code())
        .collect()
}

#[test]
fn vertex_refuses_a_second_document() {
    let document = document(&mutations(), Platform::Kubeflow).unwrap();
    assert_eq!(kinds(&document, Platform::Vertex), ["second-document"]);
}

#[test]
fn a_large_pipeline_is_warned_of() {
    let mut document = document(&mutations(), Platform::Kubeflow).unwrap();
    document.spec.pipeline_info.description = Some("x".repeat(1_200_000));
    assert_eq!(kinds(&document, Platform::Kubeflow), ["too-large"]);
}

#[test]
fn loops_inside_loops_whose_items_kfp_local_mixes_up_are_warned_of() {
    let text = mutations()["spec"].to_string().replace("word-item", "word-loop-item");
    let mut spec: Value = serde_json::from_str(&text).unwrap();
    // The inner loop moves into the body of another.
    spec["components"]["comp-around"] = spec["components"]["comp-loop"].clone();
    let each = &mut spec["components"]["comp-around"]["dag"]["tasks"]["each"];
    each["componentRef"]["name"] = json!("comp-body");
    spec["components"]["comp-body"] = json!({
        "inputDefinitions": spec["components"]["comp-each"]["inputDefinitions"],
        "outputDefinitions": spec["components"]["comp-each"]["outputDefinitions"],
        "dag": {
            "tasks": {"inner": {
                "componentRef": {"name": "comp-loop"},
                "inputs": {"parameters": {
                    "words": {"componentInputParameter": "words"},
                    "name": {"componentInputParameter": "word-loop-item"}
                }}
            }},
            "outputs": {"parameters": {"text": {"valueFromParameter": {
                "producerSubtask": "inner", "outputParameterKey": "text"
            }}}}
        }
    });
    spec["components"]["comp-work"]["dag"]["tasks"]["loop"]["componentRef"]["name"] = json!("comp-around");
    let document = read(&spec.to_string()).unwrap();
    assert_eq!(kinds(&document, Platform::Kubeflow), ["loop-item-name"]);
}

#[test]
fn a_file_of_one_component_may_be_named_like_it() {
    let component = json!({
        "schemaVersion": "2.1.0",
        "pipelineInfo": {"name": "a"},
        "deploymentSpec": {"executors": {"exec-a": {"container": {"image": "alpine", "command": ["true"]}}}},
        "components": {"comp-a": {"executorLabel": "exec-a"}},
        "root": {"dag": {"tasks": {"a": {"componentRef": {"name": "comp-a"}}}}}
    });
    let document = read(&component.to_string()).unwrap();
    assert_eq!(kinds(&document, Platform::Kubeflow), Vec::<&str>::new());
}

/// A chain, each task after the one before.
fn chain(tasks: usize, argument: &str) -> Value {
    let mut spec = json!({
        "schemaVersion": "2.1.0",
        "pipelineInfo": {"name": "chain"},
        "deploymentSpec": {"executors": {}},
        "components": {},
        "root": {"dag": {"tasks": {}}}
    });
    for number in 0..tasks {
        let name = format!("t{number}");
        spec["deploymentSpec"]["executors"][format!("exec-{name}")] = json!({"container": {
            "image": "alpine", "command": ["echo", argument, "{{$.inputs.parameters['x']}}", "{{$.outputs.parameters['x'].output_file}}"]
        }});
        let x = json!({"parameters": {"x": {"parameterType": "STRING"}}});
        spec["components"][format!("comp-{name}")] =
            json!({"executorLabel": format!("exec-{name}"), "inputDefinitions": x, "outputDefinitions": x});
        let mut task = json!({"componentRef": {"name": format!("comp-{name}")}});
        match number.checked_sub(1) {
            Some(before) => {
                let before = format!("t{before}");
                task["dependentTasks"] = json!([before]);
                task["inputs"]["parameters"]["x"] =
                    json!({"taskOutputParameter": {"producerTask": before, "outputParameterKey": "x"}});
            }
            None => task["inputs"]["parameters"]["x"] = json!({"runtimeValue": {"constant": "a"}}),
        }
        spec["root"]["dag"]["tasks"][name] = task;
    }
    spec
}

#[test]
fn ten_thousand_tasks_and_fifty_megabytes_are_verified() {
    let document = read(&chain(10_000, "").to_string()).unwrap();
    assert_eq!(kinds(&document, Platform::Kubeflow), ["too-large"]);
    let document = read(&chain(100, &"x".repeat(500_000)).to_string()).unwrap();
    assert_eq!(kinds(&document, Platform::Kubeflow), ["too-large"]);
}

#[test]
fn components_may_be_nested_deep() {
    // Ten thousand graphs within each other: nothing recurses on what a file says.
    let mut spec = chain(1, "");
    for depth in 0..10_000 {
        let inner = spec["root"].clone();
        spec["components"][format!("comp-d{depth}")] = inner;
        spec["root"] = json!({"dag": {"tasks": {"d": {"componentRef": {"name": format!("comp-d{depth}")}}}}});
    }
    let document = read(&spec.to_string()).unwrap();
    assert_eq!(kinds(&document, Platform::Kubeflow), Vec::<&str>::new());
}
