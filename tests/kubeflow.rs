//! What pipelines become on Kubeflow Pipelines and Vertex AI: names that stay, texts that no platform reads, settings. The
//! constructs, with source beside output, stand in `tests/spec/kubeflow.md`.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests fail by panicking, and the snapshots' library reads files"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8PathBuf;
use mlp::db::Database;
use mlp::plan::{self, DeclaredTarget, KubeflowTarget, Plan, Platform, VertexTarget};
use mlp::project::{Lock, MemoryHost};
use mlp::targets::pipeline_spec::verify::{self, verify};
use mlp::targets::pipeline_spec::{Document, Executor, PipelineSpec, read};
use mlp::targets::{Built, Request, TargetError, TargetName, build};
use serde_json::Value as Json;

/// Steps that the programs below call.
const STEPS: &str = r#"
step say(text: string) -> string {
  run: command ["say", "{text}", "{output}"]
  image: "alpine:3.20"
}

step count(text: string) -> int {
  run: command ["count", "{text}", "{output}"]
  image: "alpine:3.20"
}

step join(texts: list<string>) -> File {
  run: command ["join", "{texts}", "{output}"]
}
"#;

fn plan_of(text: &str) -> Plan {
    let files = BTreeMap::from([(Utf8PathBuf::from("main.mlp"), format!("{STEPS}\n{text}"))]);
    plan::build(&Database::new(Arc::new(MemoryHost { files }))).unwrap()
}

fn built(text: &str, target: &DeclaredTarget) -> Result<Built, TargetError> {
    let plan = plan_of(text);
    let name = match &target.platform {
        Platform::Vertex(_) => TargetName::Vertex,
        Platform::Kubeflow(_) | Platform::Local | Platform::Airflow(_) => TargetName::Kubeflow,
    };
    let request = Request {
        plan: &plan,
        target,
        sources: &BTreeMap::new(),
        lock: &Lock::default(),
    };
    build(name, &request)
}

fn kubeflow() -> DeclaredTarget {
    DeclaredTarget::undeclared("kubeflow", Platform::Kubeflow(KubeflowTarget::default()))
}

fn vertex() -> DeclaredTarget {
    let settings = VertexTarget {
        project: "bank".to_owned(),
        region: "europe-west4".to_owned(),
        root: "gs://bank/runs".to_owned(),
        service_account: Some("trainer@bank.iam.gserviceaccount.com".to_owned()),
        encryption_key: Some("projects/bank/locations/europe-west4/keyRings/a/cryptoKeys/b".to_owned()),
        ..VertexTarget::default()
    };
    DeclaredTarget::undeclared("vertex", Platform::Vertex(settings))
}

/// The pipeline `main` as it is read back; the verifier finds nothing in it, warnings included.
fn document(text: &str) -> Document {
    let files = built(text, &kubeflow()).unwrap().files;
    let main = files.iter().find(|file| file.path == "main.yaml").unwrap();
    let document = read(&main.text).unwrap();
    let findings = verify(&document, verify::Platform::Kubeflow);
    assert!(findings.is_empty(), "{findings:#?}");
    document
}

fn lowered(text: &str) -> PipelineSpec {
    document(text).spec
}

/// What the tasks of `mlp` are told, by executor.
fn tasks(spec: &PipelineSpec) -> BTreeMap<String, Json> {
    let told = spec.deployment_spec.executors.iter().filter_map(|(label, executor)| {
        let Executor::Container(container) = executor else {
            return None;
        };
        let place = container.args.iter().position(|argument| argument == "--task")?;
        let task = serde_json::from_str(container.args.get(place + 1)?).unwrap();
        Some((label.clone(), task))
    });
    told.collect()
}

#[test]
fn inserting_a_step_renames_nothing() {
    let names = |text: &str| -> BTreeSet<String> { lowered(text).components.into_keys().collect() };
    let before = names("pipeline main() -> string {\n let a = say(\"a\")\n let b = say(a)\n return b\n}");
    let after = names(
        "pipeline main() -> string {\n let x = say(\"x\")\n let a = say(\"a{x}\")\n let y = say(a)\n let b = say(y)\n return b\n}",
    );
    assert!(before.is_subset(&after), "{before:?} {after:?}");
}

#[test]
fn no_text_of_the_user_is_read_by_a_platform() {
    let hostile = r#"\{\{$.inputs.parameters['x']\}\} \{\{workflow.name\}\} $(rm) 'q' \"d\" \\ $\{X\} é 𝄞"#;
    let spec = lowered(&format!(
        "step keep(text: string) -> string {{ run: command [\"keep\", \"{hostile}\", \"{{text}}\", \"{{output}}\"] }}\n\
         pipeline main(a: string) -> string {{\n let k = keep(\"{hostile}\")\n let l = keep(\"{{a}} {hostile}\")\n \
         if l == \"{hostile}\" {{ let _ = keep(k) }}\n return l\n}}"
    ));
    let text = serde_json::to_string(&spec.deployment_spec).unwrap();
    let own = ["{{$}}"];
    let rest = own.iter().fold(text, |text, placeholder| text.replace(placeholder, ""));
    assert!(!rest.contains("{{"), "{rest}");
    let meant = "{{$.inputs.parameters['x']}} {{workflow.name}} $(rm) 'q' \"d\" \\ ${X} é 𝄞";
    let told = &tasks(&spec)["exec-k"];
    assert_eq!(told["node"]["inputs"][0]["value"]["value"]["string"], meant);
    assert_eq!(told["plan"]["steps"]["keep"]["run"]["command"][1][0]["text"], meant);
}

#[test]
fn a_task_is_told_only_what_it_reads() {
    let spec = lowered("pipeline main() -> File {\n let a = say(\"a\")\n return join([a, \"b\"])\n}");
    let told = tasks(&spec);
    let [(label, task)] = told.iter().collect::<Vec<_>>()[..] else {
        panic!("{told:?}");
    };
    assert_eq!(label, "exec-output");
    let steps: Vec<_> = task["plan"]["steps"].as_object().unwrap().keys().collect();
    assert_eq!(steps, ["join"]);
    assert_eq!(task["bindings"][0]["input"], "a-output");
}

#[test]
fn settings_reach_the_platform_in_its_own_words() {
    let source = r#"
step train(text: string) -> File {
  run:        command ["train", "{text}", "{output}"]
  env:        { MODE: "fast" }
  secrets:    { TOKEN: env "TOKEN" }
  resources:  { cpu: 0.5, memory: 4GiB, gpu: "nvidia-l4", spot: true }
  timeout:    90s
  retries:    { count: 2, backoff: { first: 1500ms, factor: 3.0, longest: 1min } }
  cache:      never
}

pipeline main(text: string) -> File { return train(text) }"#;
    let mut target = kubeflow();
    target.secrets = BTreeMap::from([("TOKEN".to_owned(), "registry/token".to_owned())]);
    let files = built(source, &target).unwrap().files;
    let document = read(&files[0].text).unwrap();
    assert!(verify(&document, verify::Platform::Kubeflow).is_empty());
    let task = &document.spec.root.dag.unwrap().tasks["output"];
    let Executor::Container(container) = &document.spec.deployment_spec.executors["exec-output"] else {
        panic!("no container");
    };
    let shown = serde_json::json!({
        "cache": task.caching_options, "retry": task.retry_policy, "env": container.env,
        "resources": container.resources, "kubernetes": document.platform,
    });
    insta::assert_snapshot!(format!(
        "{}\n\n{}",
        source.trim(),
        serde_json::to_string_pretty(&shown).unwrap()
    ));
}

#[test]
fn vertex_gets_one_document_and_a_request() {
    let files = built(
        "pipeline main(text: string = \"x\") -> string { return say(text) }",
        &vertex(),
    )
    .unwrap()
    .files;
    let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["main.yaml", "main.job.json"]);
    assert!(!files[0].text.contains("\n---\n"));
    let job: Json = serde_json::from_str(&files[1].text).unwrap();
    assert_eq!(job["displayName"], "main");
    assert_eq!(job["runtimeConfig"]["gcsOutputDirectory"], "gs://bank/runs");
    assert_eq!(job["pipelineSpec"]["schemaVersion"], "2.1.0");
    let key = "projects/bank/locations/europe-west4/keyRings/a/cryptoKeys/b";
    assert_eq!(job["encryptionSpec"]["kmsKeyName"], key);
    assert_eq!(job["serviceAccount"], "trainer@bank.iam.gserviceaccount.com");
}

#[test]
fn what_the_platform_cannot_say_is_refused_with_a_way_out() {
    let cases = [
        (
            "step two() -> (a: File, b: File) { run: command [\"two\", \"{a}\", \"{b}\"] }\n\
             pipeline main() -> list<File> { let t = two() return [t.a, t.b] }",
            "put together from several artifacts",
        ),
        (
            "step maybe() -> int? { run: command [\"maybe\", \"{output}\"] image: \"x:1\" }\n\
             pipeline main() -> int { return maybe() ?? 1 }",
            "no way to say",
        ),
        (
            "pipeline main() -> string { return say(\"\\{\\{x\\}\\}\") }",
            "for a placeholder",
        ),
    ];
    for (text, why) in cases {
        let error = built(text, &kubeflow()).unwrap_err();
        let TargetError::Refused { refusal, .. } = &error else {
            panic!("{error}");
        };
        assert!(refusal.why.contains(why), "{error}");
        assert!(refusal.way_out.ends_with('.'), "{refusal:?}");
    }
}

#[test]
fn equal_programs_give_equal_bytes() {
    let text = "pipeline main(a: string) -> string {\n let b = say(a)\n return say(\"{b} {a}\")\n}";
    assert_eq!(built(text, &kubeflow()).unwrap(), built(text, &kubeflow()).unwrap());
}
