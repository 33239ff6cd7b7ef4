//! The verifier: one valid pipeline, and the ways to break it.

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
