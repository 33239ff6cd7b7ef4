//! Imports of compiled Kubeflow pipelines: the project that is made, that it checks, that it compiles back.
//!
//! `tests/import/NAME.yaml` is what the real SDK compiled; `NAME.mlp` is the program that is made of it.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests read the repository's own files, and fail by panicking"
)]

mod harness;

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8PathBuf;
use harness::{assert_fresh, root};
use mlp::db::Database;
use mlp::diagnostics::{Format, Severity, render};
use mlp::import::kubeflow::{Imported, import};
use mlp::plan::{self, DeclaredTarget, KubeflowTarget, Plan, Platform};
use mlp::project::{Lock, MemoryHost};
use mlp::targets::pipeline_spec::{self, Document};
use mlp::targets::{self, Request, TargetName};
use mlp::workspace;

fn document(text: &str) -> Document {
    pipeline_spec::read(text).unwrap()
}

fn database(imported: &Imported) -> Database {
    let files = imported.files.iter().map(|file| (file.path.clone(), file.text.clone()));
    Database::new(Arc::new(MemoryHost { files: files.collect() }))
}

/// The errors of a project, as `mlp check` shows them.
fn errors(imported: &Imported) -> String {
    let db = database(imported);
    let mut problems = workspace::check(&db);
    problems.retain(|problem| problem.severity == Severity::Error);
    render(&db, &problems, Format::Terminal { colour: false })
}

/// What a plan is on Kubeflow.
fn compiled(plan: &Plan) -> BTreeMap<Utf8PathBuf, String> {
    let target = plan.targets.values().next().cloned();
    let target =
        target.unwrap_or_else(|| DeclaredTarget::undeclared("kubeflow", Platform::Kubeflow(KubeflowTarget::default())));
    let request = Request {
        plan,
        target: &target,
        sources: &BTreeMap::new(),
        lock: &Lock::default(),
    };
    let built = targets::build(TargetName::Kubeflow, &request).unwrap();
    built.files.into_iter().map(|file| (file.path, file.text)).collect()
}

fn program(imported: &Imported) -> &str {
    let file = imported.files.iter().find(|file| file.path.extension() == Some("mlp"));
    &file.unwrap().text
}

fn fixtures() -> Vec<Utf8PathBuf> {
    let folder = root().join("tests/import").read_dir_utf8().unwrap();
    let mut paths: Vec<Utf8PathBuf> = folder
        .map(|entry| entry.unwrap().path().to_owned())
        .filter(|path| path.extension() == Some("yaml"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

#[test]
fn what_the_sdk_compiled_becomes_a_project_that_compiles_back() {
    for path in fixtures() {
        let name = path.file_stem().unwrap();
        let original = document(&std::fs::read_to_string(&path).unwrap());
        let imported = import(&original).unwrap_or_else(|refused| panic!("{name}: {refused}"));
        assert_fresh(&format!("tests/import/{name}.mlp"), program(&imported));
        assert_eq!(errors(&imported), "", "{name}");
        let plan = plan::build(&database(&imported)).unwrap();
        let files = compiled(&plan);
        let again = files
            .values()
            .find(|text| document(text).spec.pipeline_info.name == original.spec.pipeline_info.name);
        assert!(again.is_some(), "{name}: no file of that name");
    }
}

/// A pipeline of one task `a`, with a container and more.
fn of_one_task(container: &str, task: &str) -> String {
    format!(
        r#"{{"pipelineInfo": {{"name": "one"}}, "schemaVersion": "2.1.0",
        "deploymentSpec": {{"executors": {{"exec-a": {{"container": {container}}}}}}},
        "components": {{"comp-a": {{"executorLabel": "exec-a",
          "inputDefinitions": {{"parameters": {{"text": {{"parameterType": "STRING"}}, "many": {{"parameterType": "LIST", "isOptional": true}}}}}}}}}},
        "root": {{"dag": {{"tasks": {{"a": {{"componentRef": {{"name": "comp-a"}}, "cachingOptions": {{}}{task}}}}}}}}}}}"#
    )
}

const TEXT: &str = r#", "inputs": {"parameters": {"text": {"runtimeValue": {"constant": "x"}}}}"#;

#[test]
fn what_the_language_cannot_say_is_refused_by_name() {
    let plain = r#"{"image": "i", "command": ["x"]}"#;
    let cases = [
        (
            r#"{"image": "i", "args": ["x"]}"#,
            TEXT,
            "`a` runs whatever the image `i` starts",
        ),
        (
            r#"{"image": "i", "command": ["x", "{{$.inputs.parameters['many']}}"]}"#,
            TEXT,
            "`a` passes a list, `many`",
        ),
        (
            r#"{"image": "i", "command": ["x", "{{$.pipeline_root}}"]}"#,
            TEXT,
            "the placeholder `{{$.pipeline_root}}`",
        ),
        (
            r#"{"image": "i", "command": ["{\"IfPresent\": {\"InputName\": \"text\"}}"]}"#,
            TEXT,
            "`IfPresent`",
        ),
        (
            r#"{"image": "{{$.inputs.parameters['i']}}", "command": ["x"]}"#,
            TEXT,
            "is a value of the run",
        ),
        (plain, "", "is not given its input `text`"),
        (
            plain,
            r#", "inputs": {"parameters": {"text": {"taskOutputParameter": {"producerTask": "b", "outputParameterKey": "o"}}}}"#,
            "the task `b`, which does not exist",
        ),
        (
            plain,
            r#", "inputs": {"parameters": {"text": {"runtimeValue": {"constant": [1, "a"]}}}}"#,
            "mixes types",
        ),
        (
            plain,
            r#", "inputs": {"parameters": {"text": {"runtimeValue": {"constant": "x"}}}}, "triggerPolicy": {"condition": "size(x) > 1"}"#,
            "The condition of `a` has `size`",
        ),
        (
            plain,
            r#", "dependentTasks": ["a"], "inputs": {"parameters": {"text": {"runtimeValue": {"constant": "x"}}}}"#,
            "in a circle",
        ),
    ];
    for (container, task, expected) in cases {
        let refused = import(&document(&of_one_task(container, task)))
            .unwrap_err()
            .to_string();
        assert!(refused.contains(expected), "{expected}: {refused}");
    }
}

#[test]
fn what_follows_from_a_refused_task_is_no_error_of_its_own() {
    let text = r#"{
      "schemaVersion": "2.1.0", "pipelineInfo": {"name": "p"},
      "deploymentSpec": {"executors": {
        "exec-i": {"importer": {"artifactUri": {"constant": "gs://b/x"}, "typeSchema": {"schemaTitle": "system.Dataset", "schemaVersion": "0.0.1"}}},
        "exec-a": {"container": {"image": "i", "command": ["x", "{{$.inputs.artifacts['data'].path}}"]}}
      }},
      "components": {
        "comp-i": {"executorLabel": "exec-i", "inputDefinitions": {"parameters": {"uri": {"parameterType": "STRING"}}},
          "outputDefinitions": {"artifacts": {"artifact": {"artifactType": {"schemaTitle": "system.Dataset", "schemaVersion": "0.0.1"}}}}},
        "comp-a": {"executorLabel": "exec-a",
          "inputDefinitions": {"artifacts": {"data": {"artifactType": {"schemaTitle": "system.Dataset", "schemaVersion": "0.0.1"}}}}}
      },
      "root": {"dag": {"tasks": {
        "i": {"componentRef": {"name": "comp-i"}, "cachingOptions": {}, "inputs": {"parameters": {"uri": {"runtimeValue": {"constant": "gs://b/x"}}}}},
        "a": {"componentRef": {"name": "comp-a"}, "cachingOptions": {}, "dependentTasks": ["i"],
          "inputs": {"artifacts": {"data": {"taskOutputArtifact": {"producerTask": "i", "outputArtifactKey": "artifact"}}}}}
      }}}
    }"#;
    let refused = import(&document(text)).unwrap_err().to_string();
    assert_eq!(refused.lines().count(), 1, "{refused}");
    assert!(refused.contains("The task `i` imports an artifact"), "{refused}");
}

#[test]
fn hostile_text_stays_text() {
    let hostile = "a\"b\\c{d}e'f\n\"\"\"g\t$HOME {{x}} \u{1F600} /// // 012 yes";
    let constant = serde_json::to_string(hostile).unwrap();
    let container =
        format!(r#"{{"image": "i", "command": ["x", {constant}], "env": [{{"name": "NAME", "value": {constant}}}]}}"#);
    let task = format!(r#", "inputs": {{"parameters": {{"text": {{"runtimeValue": {{"constant": {constant}}}}}}}}}"#);
    let imported = import(&document(&of_one_task(&container, &task))).unwrap();
    assert_eq!(errors(&imported), "");
    let plan = plan::build(&database(&imported)).unwrap();
    let step = plan.steps.values().next().unwrap();
    assert_eq!(step.env["NAME"], hostile);
    let mlp::plan::Run::Command(arguments) = &step.run else {
        panic!("a command")
    };
    assert_eq!(arguments[1], [mlp::plan::ArgumentPart::Text(hostile.to_owned())]);
}

#[test]
fn a_component_that_contains_itself_ends() {
    let text = r#"{"pipelineInfo": {"name": "loop"}, "schemaVersion": "2.1.0",
      "components": {"comp-a": {"dag": {"tasks": {
        "b": {"componentRef": {"name": "comp-a"}}, "c": {"componentRef": {"name": "comp-a"}, "cachingOptions": {}}}}}},
      "root": {"dag": {"tasks": {"a": {"componentRef": {"name": "comp-a"}}}}}}"#;
    assert!(import(&document(text)).is_err());
}
