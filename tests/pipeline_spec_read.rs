//! Reading specifications: every shape that is known, and one clear sentence for everything else.

#![allow(clippy::unwrap_used, reason = "tests")]

use mlp::targets::pipeline_spec::{Document, PipelineSpec, ReadError, read, read_bytes, write};
use proptest::prelude::*;
use serde_json::{Value, json};

fn spec() -> Value {
    json!({
        "schemaVersion": "2.1.0",
        "pipelineInfo": {"name": "flow"},
        "deploymentSpec": {"executors": {"exec-a": {"container": {"image": "alpine", "args": ["x"]}}}},
        "components": {"comp-a": {"executorLabel": "exec-a", "inputDefinitions": {"parameters": {
            "my_input": {"parameterType": "NUMBER_INTEGER", "isOptional": true}
        }}}},
        "root": {"dag": {"tasks": {"a": {
            "componentRef": {"name": "comp-a"},
            "inputs": {"parameters": {"my_input": {"runtimeValue": {"constant": {"snake_case": 1}}}}},
            "retryPolicy": {"maxRetryCount": 2}
        }}}}
    })
}

fn platform() -> Value {
    json!({"platforms": {"kubernetes": {"deploymentSpec": {"executors": {"exec-a": {"imagePullPolicy": "Always"}}}}}})
}

fn spec_with(pointer: &str, value: Value) -> String {
    let mut spec = spec();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    spec.pointer_mut(parent).unwrap()[key] = value;
    spec.to_string()
}

fn good(text: &str) -> Document {
    read(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn typed() -> PipelineSpec {
    good(&spec().to_string()).spec
}

/// The error with its way out, on one line.
fn said(text: &str) -> String {
    let error = read(text).map(|_| panic!("it was read: {text}")).unwrap_err();
    let ReadError { help, .. } = &error;
    format!("{error} {help}")
}

#[test]
fn every_shape_is_read() {
    let (spec, platform) = (spec(), platform());
    let yaml = write(&typed(), None).unwrap();
    for text in [
        spec.to_string(),
        format!("{spec:#}"),
        format!("# PIPELINE DEFINITION\n# Name: flow\n{spec}\n"),
        yaml.clone(),
        format!("\u{feff}{yaml}").trim_start_matches('\u{feff}').to_owned(),
        format!("---\n{yaml}...\n"),
        json!({"pipelineSpec": spec, "runtimeConfig": {"gcsOutputDirectory": "gs://b"}, "displayName": "x"}).to_string(),
        json!({"kind": "PipelineVersion", "apiVersion": "pipelines.kubeflow.org/v2beta1", "spec": {"pipelineSpec": spec}})
            .to_string(),
    ] {
        let document = good(&text);
        assert_eq!(document.spec, typed(), "{text}");
        assert_eq!(document.platform, None, "{text}");
    }
    let version = json!({
        "kind": "PipelineVersion",
        "apiVersion": "pipelines.kubeflow.org/v2beta1",
        "spec": {"pipelineSpec": spec, "platformSpec": platform}
    });
    let pipeline =
        json!({"kind": "Pipeline", "apiVersion": "pipelines.kubeflow.org/v2beta1", "metadata": {"name": "flow"}});
    for text in [
        format!("{spec}\n---\n{platform}\n"),
        format!("{yaml}---\n{platform}\n"),
        version.to_string(),
        format!("{pipeline}\n---\n{version}"),
    ] {
        let document = good(&text);
        assert_eq!(document.spec, typed(), "{text}");
        assert!(document.platform.is_some(), "{text}");
    }
    assert_eq!(read_bytes(format!("\u{feff}{yaml}").as_bytes()).unwrap().spec, typed());
}

#[test]
fn values_are_read_as_protobuf_reads_them() {
    for text in [
        spec()
            .to_string()
            .replace("componentRef", "component_ref")
            .replace("executorLabel", "executor_label"),
        spec()
            .to_string()
            .replace("deploymentSpec", "deployment_spec")
            .replace("retryPolicy", "retry_policy"),
        spec_with("/root/dag/tasks/a/retryPolicy/maxRetryCount", json!(2.0)),
        spec_with("/root/dag/tasks/a/retryPolicy/maxRetryCount", json!("2")),
        spec_with(
            "/components/comp-a/inputDefinitions/parameters/my_input/parameterType",
            json!(2),
        ),
        spec_with(
            "/components/comp-a/inputDefinitions/parameters/my_input/description",
            Value::Null,
        ),
        spec_with("/sdkVersion", Value::Null),
        spec_with("/deploymentSpec/executors/exec-a/container/env", Value::Null),
    ] {
        assert_eq!(good(&text).spec, typed(), "{text}");
    }
    // Names that people choose, and values, keep their spelling.
    let task = &typed().root.dag.unwrap().tasks["a"];
    assert!(task.inputs.parameters.contains_key("my_input"));
    assert!(serde_json::to_string(task).unwrap().contains("snake_case"));
}

#[test]
fn a_default_of_null_is_a_value() {
    let text = spec_with(
        "/components/comp-a/inputDefinitions/parameters/my_input/defaultValue",
        Value::Null,
    );
    let input = &good(&text).spec.components["comp-a"].input_definitions.parameters["my_input"];
    assert_eq!(input.default_value, Some(Value::Null));
}

#[test]
fn wrong_fields_are_told_with_their_path() {
    for (text, wanted) in [
        (
            spec_with("/root/dag/tasks/a/retryPolicy/maxRetryCont", json!(3)),
            "root.dag.tasks.a.retryPolicy: There is no field `maxRetryCont` here in schema 2.1.0. Did you mean `maxRetryCount`?",
        ),
        (
            spec_with("/root/dag/tasks/a/retryPolicy/maxRetryCount", json!("often")),
            "root.dag.tasks.a.retryPolicy.maxRetryCount: Here is text, and it must be a whole number that is not negative. \
             Write a number such as 3.",
        ),
        (
            spec_with("/root/dag/tasks/a/retryPolicy/maxRetryCount", json!(-1)),
            "root.dag.tasks.a.retryPolicy.maxRetryCount: Here is the number -1, and it must be a whole number that is not \
             negative. Write a number such as 3.",
        ),
        (
            spec_with(
                "/components/comp-a/inputDefinitions/parameters/my_input/parameterType",
                json!("NUMBER_INTEGR"),
            ),
            "components.comp-a.inputDefinitions.parameters.my_input.parameterType: `NUMBER_INTEGR` is none of the values that \
             are known here. Did you mean `NUMBER_INTEGER`?",
        ),
        (
            spec_with("/deploymentSpec/executors/exec-a/container/args", json!([5])),
            "deploymentSpec.executors.exec-a.container.args[0]: Here is the number 5, and it must be text. Put it in quotes.",
        ),
        (
            spec_with(
                "/deploymentSpec/executors/exec-a/importer",
                json!({"artifactUri": {"constant": "x"}}),
            ),
            "deploymentSpec.executors.exec-a: Here is `container` and `importer`, and there can only be one of them. Leave \
             the others out.",
        ),
        (
            spec_with("/root/dag/tasks/a/inputs/parameters/my_input/runtimeValue", json!({})),
            "root.dag.tasks.a.inputs.parameters.my_input.runtimeValue: Here is nothing. Write `constant` or \
             `runtimeParameter`.",
        ),
        (
            spec_with("/root/dag/tasks", json!([])),
            "root.dag.tasks: Here is a list, and it must be a map. Write fields with their values.",
        ),
        (
            json!({"schemaVersion": "2.1.0", "root": {}}).to_string(),
            "The field `pipelineInfo` is missing. Add `pipelineInfo`.",
        ),
        (
            format!(
                "{}\n---\n{{\"platforms\": {{\"kubernetes\": {{\"deploymentSpec\": {{\"executors\": {{\"exec-a\": {{\"colour\": 1}}}}}}}}}}}}",
                spec()
            ),
            "platforms.kubernetes.deploymentSpec.executors.exec-a: There is no field `colour` here in schema 2.1.0.",
        ),
        (
            json!({"pipelineSpec": {"schemaVersion": "2.1.0", "root": {"colour": 1}}}).to_string(),
            "pipelineSpec.root: There is no field `colour` here in schema 2.1.0.",
        ),
    ] {
        let said = said(&text);
        assert!(said.starts_with(wanted), "wanted {wanted}\nsaid   {said}");
    }
}

#[test]
fn other_files_are_told_apart() {
    for (text, wanted) in [
        ("", "The file is empty."),
        (" \n# nothing\n---\n", "The file is empty."),
        ("just words", "The file is no pipeline: it does not begin with a map."),
        ("[1, 2]", "The file is no pipeline: it does not begin with a map."),
        (
            "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec: {}\n",
            "The file is a `Workflow` of Argo",
        ),
        (
            "apiVersion: tekton.dev/v1\nkind: PipelineRun\nspec: {}\n",
            "The file is a `PipelineRun` of Tekton",
        ),
        (
            "apiVersion: v1\nkind: Pod\nspec: {}\n",
            "The file is an object of Kubernetes of kind `Pod`",
        ),
        (
            "apiVersion: pipelines.kubeflow.org/v2beta1\nkind: Pipeline\nmetadata: {}\n",
            "The file is an object of Kubernetes of kind `Pipeline`, and no pipeline.",
        ),
        (
            "apiVersion: pipelines.kubeflow.org/v2beta1\nkind: PipelineVersion\nspec: {}\n",
            "spec.pipelineSpec: The object of kind `PipelineVersion` has no pipeline in it.",
        ),
        (
            "name: x\nimplementation: {container: {image: a}}\n",
            "The file is a component of Kubeflow Pipelines 1",
        ),
        ("dag_id: x\ntasks: []\n", "The file is of Airflow"),
        ("platforms: {}\n", "The first document has settings for Kubernetes"),
        (
            "schemaVersion: 2.0.0\nroot: {}\n",
            "schemaVersion: The pipeline is of schema 2.0.0",
        ),
        (
            "schema_version: '2.0.0'\nroot: {}\n",
            "schemaVersion: The pipeline is of schema 2.0.0",
        ),
        (
            "schemaVersion: 2.1\nroot: {}\n",
            "schemaVersion: The version of the schema is 2.1, and must be text.",
        ),
        (
            "{\"pipelineSpec\": {\"schemaVersion\": \"2.0.0\"}}",
            "pipelineSpec.schemaVersion: The pipeline is of schema 2.0.0",
        ),
        ("a: 1\n---\nb: 2\n---\nc: 3\n", "The file has more than two documents"),
        ("from airflow import DAG\n\nwith DAG() as dag:\n  pass\n", ""),
    ] {
        let said = said(text);
        assert!(said.starts_with(wanted), "wanted {wanted}\nsaid   {said}");
    }
}

#[test]
fn broken_texts_are_told_with_their_place() {
    let yaml = write(&typed(), None).unwrap();
    let json = format!("{:#}", spec());
    for (text, wanted) in [
        (
            json[..json.len() / 2].to_owned(),
            "The JSON ends in the middle. The file was cut off",
        ),
        (json.replacen("\"flow\"", "\"fl\"ow\"", 1), "line 4, column "),
        (yaml.replacen("dag:", "dag: [", 1), "line "),
        (yaml.replacen("  dag:", "\tdag:", 1), "line "),
        (
            yaml.replacen("root:", "components:", 1),
            "The key `components` is there twice in one map.",
        ),
        (
            format!("{{\"a\": {}1{}}}", "[".repeat(5_000), "]".repeat(5_000)),
            "nested deeper than any pipeline is",
        ),
        (
            format!("a: {}1{}", "[".repeat(5_000), "]".repeat(5_000)),
            "line 1, column ",
        ),
        (
            format!("a: {}1{}", "{b: ".repeat(90), "}".repeat(90)),
            "nested deeper than any pipeline is",
        ),
        (
            (0..5_000_usize)
                .map(|depth| format!("{}a:\n", " ".repeat(depth)))
                .collect::<String>(),
            "nested deeper than any pipeline is",
        ),
        ("a: &a [x, x]\nb: &b [*a, *a]\n".to_owned() + &bomb(), "aliases"),
        (
            "a: \u{1}b".to_owned(),
            "line 1, column 4: The file is no text: there is the character 0x01.",
        ),
    ] {
        let said = said(&text);
        assert!(said.contains(wanted), "wanted {wanted}\nsaid   {said}");
        assert!(said.len() < 400, "{said}");
    }
    for (bytes, wanted) in [
        (&b"\x1f\x8b\x08\x00"[..], "line 1, column 2: The file is no text"),
        (&b"a: 1\nb: \xff\n"[..], "line 2, column 4: The file is no text"),
        (&b"\xff\xfea\x00"[..], "The file is UTF-16"),
    ] {
        let said = read_bytes(bytes).unwrap_err().to_string();
        assert!(said.starts_with(wanted), "{said}");
    }
}

/// Lists of lists of lists, each ten times the one before.
fn bomb() -> String {
    let mut text = "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let items = vec![format!("*l{}", level - 1); 10].join(", ");
        text.push_str(&format!("l{level}: &l{level} [{items}]\n"));
    }
    text
}

/// Text that YAML, JSON, CEL and templates each read something into.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>().prop_filter("a text", |text| !text
            .chars()
            .any(|each| each.is_control() && each != '\n' && each != '\t')),
        prop::sample::select(vec![
            "on",
            "~",
            "null",
            "1:30",
            "1_000",
            "0x1F",
            ".5",
            "2024-01-01",
            "- a",
            "a: b",
            "# no",
            "'",
            "\"",
            "\\",
            "{{$}}",
            "*a",
            "&a",
            "!!str",
            "%",
            "@",
            "`",
            "---",
            "...",
            " a ",
            "\n\n a\n",
            "\ta",
            "é\u{2028}ü",
            "",
            "|",
            ">",
            "? a",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(name in hostile(), key in hostile(), text in hostile(), number in -1e15..1e15_f64) {
        let mut spec = typed();
        spec.pipeline_info.description = Some(text.clone());
        spec.pipeline_info.display_name = Some(name.clone());
        let mut component = spec.components["comp-a"].clone();
        let input = component.input_definitions.parameters["my_input"].clone();
        component.input_definitions.parameters.insert(key.clone(), input);
        if let Some(input) = component.input_definitions.parameters.get_mut("my_input") {
            input.default_value = Some(json!({key.clone(): [text, number, null, true]}));
        }
        spec.components.insert(name, component);
        let platform = good(&format!("{}\n---\n{}", self::spec(), platform())).platform;
        let written = write(&spec, platform.as_ref()).unwrap();
        prop_assert_eq!(read(&written), Ok(Document { spec, platform }));
    }

    #[test]
    fn no_text_makes_the_reader_fail(text in any::<String>(), yaml in "[a-c:\\-\\[\\]{}\"'*& \n]{0,60}") {
        let _ = (read(&text), read(&yaml), read_bytes(text.as_bytes()));
    }
}
