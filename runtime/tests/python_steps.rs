//! Python steps and predict functions through the shim. Environments are built once, under the target folder.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "tests look at the disk, and panic where something is not as it should be"
)]

mod executor_support;

use camino::Utf8PathBuf;
use executor_support::*;
use mlp::plan::{Model, NodeKind, Operation, Plan, PortType, PythonFunction, Run, Step, Task};
use mlp::types::{Column, DataKind, DataType, EnumType, EnumVariant, Evidence, RecordField, Schema, Value};
use mlp_runtime::data::dataset::Dataset;
use mlp_runtime::events::{Event, Outcome};
use mlp_runtime::store::Datum;

fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.options.environments = Some(Utf8PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("python"));
    sandbox
}

fn python(name: &str, inputs: Vec<mlp::plan::Port>, outputs: Vec<mlp::plan::Port>) -> Step {
    let function = PythonFunction {
        file: "code/steps.py".to_owned(),
        function: name.to_owned(),
    };
    step(name, Run::Python(function), inputs, outputs)
}

fn write_code(sandbox: &Sandbox, code: &str) {
    std::fs::create_dir_all(sandbox.root().join("code")).unwrap();
    sandbox.write("code/steps.py", code);
}

fn single(step: &Step, inputs: Vec<mlp::plan::Operand>) -> Plan {
    plan(vec![step.clone()], vec![call("node", step, inputs)])
}

#[test]
fn plain_functions_take_and_give_plain_values() {
    let sandbox = sandbox();
    write_code(
        &sandbox,
        "import datetime\nfrom pathlib import Path\nfrom helpers import twice\n\n\
         def compute(n: int, when, page: Path):\n    \
             page.write_text(f'{when:%Y} {isinstance(when, datetime.datetime)}')\n    \
             return {'list': [twice(n), 0.5], 'text': 'größe', 'moment': when + datetime.timedelta(hours=1)}\n",
    );
    sandbox.write("code/helpers.py", "def twice(n):\n    return 2 * n\n");
    let floats = DataKind::List(Box::new(DataType::plain(DataKind::Float)));
    let compute = python(
        "compute",
        vec![port("n", value(DataKind::Int)), port("when", value(DataKind::Datetime))],
        vec![
            port("list", value(floats)),
            port("text", PortType::Markdown),
            port("moment", value(DataKind::Datetime)),
            port("page", PortType::Html),
        ],
    );
    let when = mlp::plan::Operand::Value(Value::Datetime("2026-01-31T08:00:00Z".to_owned()));
    let outcome = sandbox.run(&single(&compute, vec![int(3), when.clone()]));
    assert_eq!(outcome.outcome, Outcome::Succeeded, "{:#?}", outcome.failures);
    let outputs = &record(&outcome, "node").outputs;
    assert_eq!(
        outputs["list"],
        Datum::Value(Value::List(vec![Value::Float(6.0), Value::Float(0.5)]))
    );
    assert_eq!(
        outputs["moment"],
        Datum::Value(Value::Datetime("2026-01-31T09:00:00Z".to_owned()))
    );
    assert_eq!(sandbox.text(&outcome, "node", "text"), "größe");
    assert_eq!(sandbox.text(&outcome, "node", "page"), "2026 True");
    assert!(sandbox.run(&single(&compute, vec![int(3), when.clone()])).nodes[0].cached);
    sandbox.write("code/helpers.py", "def twice(n):\n    return n + n\n");
    assert!(
        !sandbox.run(&single(&compute, vec![int(3), when])).nodes[0].cached,
        "an imported module is code too"
    );
    assert!(!sandbox.root().join("code/__pycache__").exists());
}

#[test]
fn what_a_function_does_wrong_is_told_in_its_own_terms() {
    let sandbox = sandbox();
    write_code(
        &sandbox,
        "def raises():\n    raise ValueError('no rows')\n\ndef nothing():\n    return float('nan')\n\n\
         def pair():\n    return 1, 2, 3\n\ndef number():\n    return 'many'\n",
    );
    let failure = |name: &str, outputs| {
        let outcome = sandbox.run(&single(&python(name, Vec::new(), outputs), Vec::new()));
        assert_eq!(outcome.outcome, Outcome::Failed, "{name}");
        outcome.failures[0].1.clone()
    };
    let number = || port("output", value(DataKind::Float));
    let raised = failure("raises", vec![number()]);
    assert_eq!(raised.summary, "`raises` raised ValueError: no rows");
    let traceback = raised.details.join("\n");
    assert!(traceback.contains("steps.py\", line 2, in raises"), "{traceback}");
    assert!(!traceback.contains("call_step"), "no frames of the shim: {traceback}");
    assert!(
        failure("nothing", vec![number()])
            .summary
            .contains("returned nan as `output`")
    );
    let two = vec![port("a", value(DataKind::Int)), port("b", value(DataKind::Int))];
    assert!(
        failure("pair", two)
            .summary
            .contains("returned 3 values for its 2 outputs")
    );
    assert!(
        failure("number", vec![number()])
            .summary
            .contains("\"many\" is not of type `float`")
    );
    assert!(
        failure("absent", vec![number()])
            .summary
            .contains("has no function `absent`")
    );
    write_code(&sandbox, "import no_such_module\n");
    let missing = failure("raises", vec![number()]);
    assert!(
        missing
            .summary
            .contains("imports `no_such_module`, which its environment has not"),
        "{missing:?}"
    );
}

#[test]
fn a_package_that_does_not_exist_is_told_and_leaves_nothing_behind() {
    let mut sandbox = sandbox();
    let folder = sandbox.root().join("environments");
    sandbox.options.environments = Some(folder.clone());
    write_code(&sandbox, "def one():\n    return 1\n");
    let mut one = python("one", Vec::new(), vec![port("output", value(DataKind::Int))]);
    // An address that is refused at once: no index is asked.
    one.packages = vec!["no-such-package @ file:///nowhere/no_such_package-1.0-py3-none-any.whl".to_owned()];
    let outcome = sandbox.run(&single(&one, Vec::new()));
    let failure = &outcome.failures[0].1;
    assert!(
        failure.summary.contains("no-such-package") && failure.summary.contains("cannot be built"),
        "{failure:?}"
    );
    assert!(!failure.details.is_empty(), "{failure:?}");
    let built = walk(&folder).into_iter().any(|path| path.ends_with("complete.json"));
    assert!(!built, "a half-built environment is not marked complete");
}

fn walk(folder: &camino::Utf8Path) -> Vec<Utf8PathBuf> {
    folder
        .read_dir_utf8()
        .unwrap()
        .flat_map(|entry| {
            let path = entry.unwrap().into_path();
            if path.as_std_path().is_symlink() || !path.is_dir() {
                vec![path]
            } else {
                walk(&path)
            }
        })
        .collect()
}

const TABLES: &str = r#"
import pandas as pd


class Means:
    def __init__(self, shares):
        self.shares = shares


def make(rows: int) -> pd.DataFrame:
    return pd.DataFrame({
        "extra": [0] * rows,
        "kind": pd.Categorical(["a b", "c"] * (rows // 2)),
        "n": [1.0, None] * (rows // 2),
        "flag": [True, False] * (rows // 2),
        "at": pd.to_datetime(["2026-01-31T08:00:00+01:00", "2026-02-01"] * (rows // 2), utc=True, format="ISO8601"),
    })


def lacking() -> pd.DataFrame:
    return pd.DataFrame({"kind": ["c"], "n": ["many"], "flag": [True]})


def train(data: pd.DataFrame) -> Means:
    return Means(data.groupby("kind")["flag"].mean().to_dict())


def predict(model: Means, data: pd.DataFrame):
    return data["kind"].map(model.shares)
"#;

fn table_plan(steps: Vec<Step>, nodes: Vec<mlp::plan::Node>) -> Plan {
    let kinds = EnumType {
        name: None,
        variants: [("a_b", "a b"), ("c", "c")]
            .map(|(name, text)| EnumVariant {
                name: name.to_owned(),
                text: text.to_owned(),
            })
            .to_vec(),
    };
    let column = |name: &str, kind: DataKind| Column {
        name: name.to_owned(),
        ty: DataType {
            kind,
            optional: name == "n",
            refinements: Vec::new(),
        },
        tags: Vec::new(),
        docs: None,
    };
    let columns = vec![
        column("kind", DataKind::Enum(kinds)),
        column("n", DataKind::Int),
        column("flag", DataKind::Bool),
        column("at", DataKind::Datetime),
    ];
    let mut plan = plan(steps, nodes);
    let input = Schema {
        name: "Input".to_owned(),
        columns: columns[..1].to_vec(),
        incomplete: false,
    };
    plan.schemas.insert("Input".to_owned(), input);
    plan.schemas.insert(
        "Rows".to_owned(),
        Schema {
            name: "Rows".to_owned(),
            columns,
            incomplete: false,
        },
    );
    let probability = RecordField {
        name: "probability".to_owned(),
        ty: DataType::plain(DataKind::Float),
    };
    plan.models.insert(
        "Means".to_owned(),
        Model {
            name: "Means".to_owned(),
            docs: None,
            registry: "means".to_owned(),
            task: Task::BinaryClassification,
            input: "Input".to_owned(),
            output: vec![probability],
            run: PythonFunction {
                file: "code/steps.py".to_owned(),
                function: "predict".to_owned(),
            },
            packages: vec!["pandas==3.0.1".to_owned()],
        },
    );
    plan
}

#[test]
fn data_frames_become_datasets_of_the_declared_schema_and_models_predict() {
    let sandbox = sandbox();
    write_code(&sandbox, TABLES);
    let rows = || PortType::Dataset {
        schema: "Rows".to_owned(),
        evidence: Evidence::None,
    };
    let model = || PortType::Model {
        model: "Means".to_owned(),
        evidence: Evidence::None,
    };
    let with_pandas = |name: &str, inputs, output| {
        let mut step = python(name, inputs, vec![port("output", output)]);
        step.packages = vec!["pandas==3.0.1".to_owned()];
        step
    };
    let make = with_pandas("make", vec![port("rows", value(DataKind::Int))], rows());
    let lacking = with_pandas("lacking", Vec::new(), rows());
    let train = with_pandas("train", vec![port("data", rows())], model());
    let mut predict = container(
        "predicted",
        "predict",
        NodeKind::Operation(Box::new(Operation::Predict {
            model: "Means".to_owned(),
        })),
        vec![port("output", rows())],
    );
    predict.inputs = [("model", output("fit"), model()), ("data", output("made"), rows())]
        .map(|(name, value, ty)| mlp::plan::Input {
            name: name.to_owned(),
            value,
            ty,
        })
        .to_vec();
    let plan = table_plan(
        vec![make.clone(), lacking.clone(), train.clone()],
        vec![
            call("made", &make, vec![int(6)]),
            call("short", &lacking, Vec::new()),
            call("fit", &train, vec![output("made")]),
            predict,
        ],
    );
    let outcome = sandbox.run(&plan);
    let failures: Vec<&str> = outcome
        .failures
        .iter()
        .map(|(_, failure)| failure.summary.as_str())
        .collect();
    assert_eq!(
        failures,
        ["`lacking` returned a table `output` without the column `at`."]
    );
    let open = |node: &str| {
        let Datum::Artifact(artifact) = &record(&outcome, node).outputs["output"] else {
            panic!()
        };
        Dataset::open(&sandbox.executor().artifact_path(artifact)).unwrap()
    };
    let made = open("made");
    let types: Vec<String> = made
        .fields()
        .iter()
        .map(|field| format!("{}: {}", field.name(), field.data_type()))
        .collect();
    assert_eq!(
        types,
        ["kind: Utf8", "n: Int64", "flag: Boolean", "at: Timestamp(µs, \"UTC\")"]
    );
    assert_eq!(made.rows(), 6);
    let predicted = open("predicted");
    assert_eq!(predicted.rows(), 6);
    assert!(predicted.fields().iter().any(|field| field.name() == "probability"));
    let events = sandbox.events.lock().unwrap();
    let progress = events
        .iter()
        .any(|event| matches!(event, Event::NodeFinished { cached: false, .. }));
    assert!(progress);
}
