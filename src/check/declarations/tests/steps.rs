//! Steps, models, services, and the Python functions that they name.

use super::{check_with, key, problems, project};
use crate::check::declarations;
use crate::plan::{ArgumentPart, CachePolicy, PortType, Run, Task, VolumeSource};
use crate::types::Evidence;

const SCHEMA: &str = "schema Row { id: string @key\n x: float\n y: bool @label }\n";
const MODEL: &str = "model M {
  registry: \"m\"
  task: binary_classification
  input: Row without { @label, @key }
  output: { probability: float in 0..=1 }
  run: python \"m.py:predict\"
}\n";
const PYTHON: &str = "
from pathlib import Path
import pandas as pd

def predict(model, data: pd.DataFrame):
    return model.predict_proba(data)[:, 1]

def train(data: pd.DataFrame, trees: int = 200):
    return fit(data, trees)

def split(data, output: Path, *, seed: int | None = None):
    data.to_parquet(output)

def two(data) -> tuple[pd.DataFrame, int]:
    return data, 1

def anything(**values):
    return 1

def nothing(data):
    print(data)

async def odd(data, extra):
    return extra
";

fn program(text: &str) -> String {
    format!("{SCHEMA}{MODEL}{text}")
}

#[track_caller]
fn refuses(text: &str, expected: &[&str]) {
    assert_eq!(check_with(&program(text), &[("m.py", PYTHON)]), expected, "{text}");
}

#[test]
fn a_whole_step_is_read() {
    let text = program(
        "/// Trains.
step train(data: validated Dataset<Row>, trees: int in 10..=2000 = 200) -> M {
  run: python \"m.py:train\"
  packages: [\"pandas==3.0.1\", \"numpy==2.0\"]
  image: \"python:3.12-slim\"
  env: { OMP_NUM_THREADS: \"2\" }
  secrets: { TOKEN: env \"TOKEN\", KEY: file \"key.txt\" }
  resources: { cpu: 0.5, memory: 4GiB, gpu: \"nvidia-l4\", spot: true }
  kubernetes: { volumes: [{ path: \"/data\", claim: \"datasets\" }], labels: { team: \"risk\" } }
  timeout: 30min
  retries: { count: 2, backoff: 10s }
  cache: { key: \"v2\" }
}
step export(data: Dataset<Row>, name: string = \"x\") -> (report: File, n: int) {
  run: command [\"prog\", \"--in={data}\", \"{name}\", \"--to\", \"{report.uri}\", \"{n}\"]
  cache: never
}",
    );
    let db = project(&[("main.mlp", &text), ("m.py", PYTHON)]);
    assert_eq!(problems(&db, "main.mlp"), Vec::<String>::new());
    let train = declarations::step(&db, &key("main.mlp", "step train")).expect("it is known");
    let step = train.step.clone().expect("it has a plan");
    assert_eq!(step.docs.as_deref(), Some("Trains."));
    assert_eq!(step.packages, ["numpy==2.0", "pandas==3.0.1"]);
    assert_eq!(step.resources.cpu_millis, Some(500));
    assert_eq!(step.resources.memory, Some(4 << 30));
    assert_eq!(step.resources.gpu, Some(("nvidia-l4".to_owned(), 1)));
    assert!(step.resources.spot);
    let kubernetes = step.kubernetes.as_ref().expect("it is there");
    assert_eq!(kubernetes.labels.get("team").map(String::as_str), Some("risk"));
    assert_eq!(kubernetes.volumes[0].source, VolumeSource::Claim("datasets".to_owned()));
    assert_eq!(
        (step.timeout, step.retries.count, step.retries.backoff.first),
        (Some(1_800_000), 2, 10_000)
    );
    assert_eq!(step.cache, CachePolicy::Key("v2".to_owned()));
    assert_eq!(step.secrets.len(), 2);
    assert_eq!(step.inputs.len(), 2);
    let export = declarations::step(&db, &key("main.mlp", "step export")).expect("it is known");
    let Some(Run::Command(arguments)) = export.step.as_ref().map(|step| step.run.clone()) else {
        panic!("it runs a command");
    };
    let text = |text: &str| ArgumentPart::Text(text.to_owned());
    assert_eq!(arguments[1], [text("--in="), ArgumentPart::Hole("data".to_owned())]);
    assert_eq!(arguments[4], [ArgumentPart::Uri("report".to_owned())]);
    let model = declarations::model(&db, &key("main.mlp", "model M")).expect("it is known");
    assert_eq!(model.model.task, Task::BinaryClassification);
    assert_eq!(model.model.input, "Row without { @label, @key }");
}

#[test]
fn settings_of_steps() {
    let refuse = |line: &str, expected: &str| {
        let text = format!("step s(data: Dataset<Row>) {{ run: command [\"a\"]\n {line} }}");
        refuses(&text, &[expected]);
    };
    refuse("pakages: []", "E0401 The step `s` has no setting `pakages`.");
    refuse("timeout: 30", "E0208 `30` is an `int`, but `duration` is needed.");
    refuse("timeout: 0s", "E0403 `timeout` must be longer than nothing.");
    refuse("retries: -1", "E0403 `retries` cannot be `-1`.");
    refuse("packages: \"pandas\"", "E0403 `packages` is a list of texts.");
    refuse("cache: sometimes", "E0403 `cache` is `auto`, `never` or a key.");
    refuse("timeout: 1h\n timeout: 2h", "E0209 `timeout` is set twice.");
    refuse("resources: { cpus: 2 }", "E0401 `resources` has no setting `cpus`.");
    refuse(
        "secrets: { A: \"hunter2\" }",
        "E0403 The secret `A` must say where it is kept; its value never stands in a program.",
    );
    refuse("kubernetes: { a: 1 }", "E0401 `kubernetes` has no setting `a`.");
    refuses(
        "step s(data: Dataset<Row>) { timeout: 1h }",
        &["E0402 The step `s` does not say what it runs."],
    );
    refuses(
        "step s() { run: builtin }",
        &["E0407 Only the standard library can run `builtin`: it names an operation of the runtime itself."],
    );
    refuses(
        "step s() { run: sql \"a.sql\" }",
        &["E0901 This version of `mlp` cannot check or run `sql` yet."],
    );
    refuses(
        "step s() { run: python \"train\" }",
        &["E0403 A Python function is named by its file and its name."],
    );
    refuses(
        "step s() { run: python \"../x.py:f\" }",
        &["E0403 A Python function is named by its file and its name."],
    );
    refuses(
        "step s(data: Dataset<Row>) { run: command [\"{dta}\"] }",
        &["E0406 The step `s` has no parameter or output `dta`."],
    );
    refuses(
        "step s(n: int) { run: command [\"{n + 1}\"] }",
        &["E0406 A hole of a command holds a parameter or an output, and nothing that must be computed."],
    );
    refuses(
        "step s(n: int) { run: command [\"{n.uri}\"] }",
        &["E0406 `n` is a value, which has no address."],
    );
}

#[test]
fn parameters_and_defaults() {
    refuses(
        "step s(n: int in 1..=5 = 9) { run: command [\"a\"] }",
        &["E0208 `9` is not in `int in 1..=5`."],
    );
    refuses(
        "step s(n: int, n: int) { run: command [\"a\"] }",
        &["E0405 There are two parameters called `n`."],
    );
    refuses(
        "step s(n: float = 1, d: date = \"2024-02-30\") { run: command [\"a\"] }",
        &["E0208 `\"2024-02-30\"` is no date; a date is written \"YYYY-MM-DD\"."],
    );
    refuses(
        "step s(d: Dataset<Row> = none) { run: command [\"a\"] }",
        &["E0208 `Dataset<Row>` is an artifact, which has no constant that could be its default."],
    );
    refuses(
        "step s(d: Row) { run: command [\"a\"] }",
        &["E0201 The schema `Row` is not a type of something that is passed."],
    );
    refuses(
        "step s(c: Column<S>) { run: command [\"a\"] }",
        &[
            "E0901 This version of `mlp` cannot check or run a parameter of the type `Column`, which only the standard library has, yet.",
        ],
    );
    refuses(
        "step s<S: schema>(c: Dataset<S>) -> Dataset<S> { run: command [\"a\"] }",
        &[],
    );
    refuses(
        "step s<S: schemas>(c: int) { run: command [\"a\"] }",
        &["E0201 `schemas` is no kind of generic parameter."],
    );
}

#[test]
fn evidence_of_steps() {
    refuses(
        "step t(rows: Dataset<Row>) -> M { run: command [\"a\"] }",
        &["E0610 The step `t` trains a model on `rows`, but does not demand that the data was validated."],
    );
    refuses(
        "step t<S: schema>(rows: Dataset<S>) -> (m: M) { run: command [\"a\"] }",
        &["E0610 The step `t` trains a model on `rows`, but does not demand that the data was validated."],
    );
    refuses(
        "step t(rows: validated Dataset<Row>) -> gated M { run: command [\"a\"] }",
        &["E0611 The step `t` gives `gated M`, but does not attest it."],
    );
    refuses(
        "step t(rows: validated Dataset<Row>) -> M attests gated { run: command [\"a\"] }",
        &["E0611 The step `t` attests `gated`, but no output of it is `gated`."],
    );
    let text = program("step t(m: M) -> gated M attests gated { run: command [\"a\"] }");
    let db = project(&[("main.mlp", &text), ("m.py", PYTHON)]);
    assert_eq!(problems(&db, "main.mlp"), Vec::<String>::new());
    let step = declarations::step(&db, &key("main.mlp", "step t")).expect("it is known");
    assert_eq!(step.attests, Some(Evidence::Gated));
    refuses(
        "step t(m: validated M) { run: command [\"a\"] }",
        &["E0210 `validated` cannot be shown about the model `M`."],
    );
    refuses(
        "step t(f: gated File) { run: command [\"a\"] }",
        &["E0210 `gated` cannot be shown about the artifact type `File`."],
    );
}

#[test]
fn python_functions() {
    let refuse = |function: &str, parameters: &str, expected: &[&str]| {
        let text = format!("step s{parameters} {{ run: python \"m.py:{function}\" }}");
        refuses(&text, expected);
    };
    refuse(
        "trian",
        "(data: Dataset<Row>) -> File",
        &["E0412 The file `m.py` defines no function `trian`."],
    );
    refuse("pd", "(data: Dataset<Row>) -> File", &[]);
    refuse(
        "train",
        "(data: Dataset<Row>, tres: int) -> File",
        &["E0413 The function `train` takes no parameter `tres`."],
    );
    refuse(
        "train",
        "(trees: int) -> File",
        &["E0413 The function `train` needs a parameter `data`, which the step `s` does not have."],
    );
    refuse(
        "train",
        "(data: int) -> File",
        &["E0414 The step passes `int` as `data`, but the function is annotated `pd.DataFrame`."],
    );
    refuse(
        "train",
        "(data: Dataset<Row>, trees: string) -> File",
        &["E0414 The step passes `string` as `trees`, but the function is annotated `int`."],
    );
    refuse(
        "train",
        "(data: Dataset<Row>, trees: int? = none) -> File",
        &[
            "E0414 `trees` may be absent (`int?`), but the function is annotated `int`.",
            "E0415 The default of `trees` is `none` in the step and `200` in the function.",
        ],
    );
    refuse(
        "train",
        "(data: Dataset<Row>, trees: int = 100) -> File",
        &["E0415 The default of `trees` is `100` in the step and `200` in the function."],
    );
    refuse(
        "train",
        "(data: Dataset<Row>, trees: float = 200) -> File",
        &["E0414 The step passes `float` as `trees`, but the function is annotated `int`."],
    );
    refuse("split", "(data: Dataset<Row>, seed: int?) -> Dataset<Row>", &[]);
    refuse(
        "split",
        "(data: Dataset<Row>) -> (output: File, log: File)",
        &["E0416 The step gives `log`, but the function `split` returns nothing."],
    );
    refuse("two", "(data: Dataset<Row>) -> (a: Dataset<Row>, b: int)", &[]);
    refuse(
        "two",
        "(data: Dataset<Row>) -> (a: Dataset<Row>, b: string)",
        &["E0416 The step gives `string` as `b`, but the function is annotated to return `int` there."],
    );
    refuse(
        "two",
        "(data: Dataset<Row>) -> (a: Dataset<Row>, b: int, c: int)",
        &["E0416 The step gives `a`, `b` and `c`, but the function is annotated to return 2 values."],
    );
    refuse("anything", "(data: Dataset<Row>, x: int) -> int", &[]);
    refuse("nothing", "(data: Dataset<Row>)", &[]);
    refuse(
        "nothing",
        "(data: Dataset<Row>) -> int",
        &["E0416 The step gives `output`, but the function `nothing` returns nothing."],
    );
    refuse(
        "odd",
        "(data: Dataset<Row>) -> int",
        &["E0413 The function `odd` needs a parameter `extra`, which the step `s` does not have."],
    );
}

#[test]
fn python_files() {
    let text = program(
        "step s(data: Dataset<Row>) -> int { run: python \"other.py:f\" }\nstep t() -> int { run: python \"other.py:g\" }",
    );
    let missing = check_with(&text, &[("m.py", PYTHON)]);
    assert_eq!(missing, ["E0410 The Python file `other.py` does not exist."]);
    let broken = check_with(&text, &[("m.py", PYTHON), ("other.py", "def f(data:\n    return 1\n")]);
    assert_eq!(broken, ["E0411 The Python file `other.py` has a syntax error."]);
    let empty = check_with(&text, &[("m.py", PYTHON), ("other.py", "")]);
    assert_eq!(
        empty,
        [
            "E0412 The file `other.py` defines no function `f`.",
            "E0412 The file `other.py` defines no function `g`."
        ]
    );
    let predict = check_with(&program(""), &[("m.py", "def predict(data):\n    return 1\n")]);
    assert_eq!(
        predict,
        ["E0413 The function `predict` must take the model and the rows to predict, but takes one value only."]
    );
    let more = check_with(
        &program(""),
        &[("m.py", "def predict(model, data, threshold):\n    return 1\n")],
    );
    assert_eq!(
        more,
        [
            "E0413 The function `predict` needs a parameter `threshold`, but is called with the model and the rows alone."
        ]
    );
}

#[test]
fn models() {
    let refuse = |from: &str, to: &str, expected: &[&str]| {
        let text = format!("{SCHEMA}{}", MODEL.replace(from, to));
        assert_eq!(check_with(&text, &[("m.py", PYTHON)]), expected, "{text}");
    };
    refuse("registry: \"m\"", "", &["E0402 The model `M` lacks `registry`."]);
    refuse(
        "registry: \"m\"",
        "registy: \"m\"",
        &["E0401 The model `M` has no setting `registy`."],
    );
    refuse(
        "registry: \"m\"",
        "registry: \"a/b\"",
        &["E0403 `a/b` cannot be a name in the registry."],
    );
    refuse("binary_", "binry_", &["E0403 There is no task `binry_classification`."]);
    refuse(
        "probability: float in 0..=1",
        "probability: float",
        &["E0404 The field `probability` is `float`, which is wider than `float in 0.0..=1.0`."],
    );
    refuse(
        "probability",
        "p",
        &["E0404 The output of this model has no field `probability`, which its task needs."],
    );
    refuse(
        "Row without { @label, @key }",
        "Row without { @key }",
        &["E0802 The input of the model `M` holds `y`, which is the label that it is to predict."],
    );
    refuse(
        "Row without { @label, @key }",
        "File",
        &["E0201 This is the artifact type `File`, but a schema is needed here."],
    );
    refuse(
        "python \"m.py:predict\"",
        "command [\"a\"]",
        &["E0403 A model cannot be run with `command`."],
    );
}

#[test]
fn services_and_what_is_not_supported_yet() {
    let text = program(
        "service Api for M {
  platform: kserve { namespace: \"risk\" }
  resources: { cpu: 1, memory: 2GiB }
  replicas: 1..=5
  rollout: canary { steps: [5%, 100%], every: 1h }
}",
    );
    let db = project(&[("main.mlp", &text), ("m.py", PYTHON)]);
    assert_eq!(problems(&db, "main.mlp"), Vec::<String>::new());
    let service = declarations::service(&db, &key("main.mlp", "service Api")).expect("it is known");
    assert_eq!(
        (service.service.platform.as_str(), service.service.model.as_str()),
        ("kserve", "M")
    );
    refuses(
        "service Api for Row { platform: local }",
        &["E0201 `Row` is a schema, but a model is needed here."],
    );
    refuses(
        "service Api for N { platform: local }",
        &["E0101 There is no model called `N`."],
    );
    refuses(
        "service Api for M { platform: kserv }",
        &["E0403 There is no platform `kserv`."],
    );
    refuses(
        "service Api for M { replicas: 1 }",
        &["E0402 The service `Api` does not say where it runs."],
    );
    refuses(
        "service Api for M { platform: local\n replicas: 5..=1 }",
        &["E0205 No number of replicas lies in this range."],
    );
    refuses(
        "monitor Drift on Api { every: 1h }",
        &["E0901 This version of `mlp` cannot check or run the monitor `Drift` yet."],
    );
    refuses(
        "artifact Blob { schema_title: \"system.Blob\" }\nstep s(b: Blob) { run: command [\"a\"] }",
        &[],
    );
    refuses(
        "artifact Blob { version: \"1\" }",
        &["E0402 The artifact kind `Blob` lacks `schema_title`."],
    );
    let blob = program("artifact Blob { schema_title: \"system.Blob\" }\nstep s(b: Blob) { run: command [\"a\"] }");
    let db = project(&[("main.mlp", &blob), ("m.py", PYTHON)]);
    let step = declarations::step(&db, &key("main.mlp", "step s")).expect("it is known");
    let port = step.step.as_ref().map(|step| step.inputs[0].ty.clone());
    let expected = PortType::Custom {
        name: "Blob".to_owned(),
        schema_title: "system.Blob".to_owned(),
        version: "0.0.1".to_owned(),
    };
    assert_eq!(port, Some(expected));
}
