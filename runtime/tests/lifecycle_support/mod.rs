//! A small project with a model type of each task, a predictor that says what it is told, and data.

#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::{
    BinaryOperator, Condition, Expression, MetricReference, Model, Node, NodeKind, Operation, Plan, Project,
    PythonFunction, Reference, Service, Subject, Task,
};
use mlp::types::{Column, DataKind, DataType, RecordField, Schema, Value};
use mlp_runtime::data::dataset::{Dataset, DatasetWriter};
use mlp_runtime::operations::{
    Approval, Baseline, Context, Item, Lineage, OperationError, PredictError, PredictRequest, PredictResponse,
    Predictor, Report, run,
};

/// A project in a temporary folder.
pub struct Bench {
    _folder: tempfile::TempDir,
    pub root: Utf8PathBuf,
    pub plan: Plan,
    pub predictor: Fake,
    pub lineage: Lineage,
    pub now: jiff::Timestamp,
    outputs: Mutex<u32>,
}

/// Says for each artifact, by the text of its `model.json`, what it was told.
#[derive(Default)]
pub struct Fake {
    pub answers: BTreeMap<String, Answer>,
}

/// What a model answers.
#[derive(Clone)]
pub enum Answer {
    /// The column and the latency of every single prediction.
    Column(&'static str, ArrayRef, f64),
    /// It raises.
    Raises,
}

impl Predictor for Fake {
    fn predict(&self, request: &PredictRequest<'_>) -> Result<PredictResponse, PredictError> {
        let columns = Dataset::open(request.data).unwrap();
        let columns: Vec<_> = columns.fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(columns, ["income", "age"], "exactly the columns of the model's input");
        let name = fs::read_to_string(request.artifact.join("model.json")).unwrap();
        match &self.answers[&name] {
            Answer::Column(field, column, latency) => {
                let batch = RecordBatch::try_from_iter([(*field, Arc::clone(column))]).unwrap();
                let mut writer = DatasetWriter::create(request.output, batch.schema()).unwrap();
                writer.write(&batch).unwrap();
                writer.finish().unwrap();
                // Not all equal, or there is nothing to resample.
                let latencies = (0..request.latency_samples)
                    .map(|i| latency + (i % 7) as f64 * 0.01)
                    .collect();
                Ok(PredictResponse { latencies })
            }
            Answer::Raises => Err(PredictError {
                summary: "`predict` raised ValueError: no such column".to_owned(),
                details: vec!["credit.py:12".to_owned()],
            }),
        }
    }
}

fn column(name: &str, kind: DataKind) -> Column {
    Column {
        name: name.to_owned(),
        ty: DataType::plain(kind),
        tags: Vec::new(),
        docs: None,
    }
}

fn model(task: Task, field: &str, kind: DataKind) -> Model {
    Model {
        name: "CreditModel".to_owned(),
        docs: Some("Estimates the risk of default of a loan.".to_owned()),
        registry: "credit-risk".to_owned(),
        task,
        input: "Input".to_owned(),
        output: vec![RecordField {
            name: field.to_owned(),
            ty: DataType::plain(kind),
        }],
        run: PythonFunction {
            file: "credit.py".to_owned(),
            function: "predict".to_owned(),
        },
        packages: Vec::new(),
    }
}

impl Bench {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        let map = DataKind::Map(Box::new(DataType::plain(DataKind::Float)));
        let service = |platform: &str| Service {
            name: "CreditApi".to_owned(),
            docs: None,
            model: "Binary".to_owned(),
            platform: platform.to_owned(),
            settings: None,
        };
        let plan = Plan {
            version: mlp::plan::PLAN_VERSION,
            project: Project {
                name: "credit".to_owned(),
                version: "0.1.0".to_owned(),
            },
            pipelines: BTreeMap::new(),
            steps: BTreeMap::new(),
            models: BTreeMap::from([
                (
                    "Binary".to_owned(),
                    model(Task::BinaryClassification, "probability", DataKind::Float),
                ),
                (
                    "Multi".to_owned(),
                    model(Task::MulticlassClassification, "probabilities", map),
                ),
                ("Number".to_owned(), model(Task::Regression, "value", DataKind::Float)),
            ]),
            services: BTreeMap::from([
                ("CreditApi".to_owned(), service("local")),
                ("CloudApi".to_owned(), service("kserve")),
            ]),
            targets: BTreeMap::new(),
            triggers: BTreeMap::new(),
            schemas: BTreeMap::from([(
                "Input".to_owned(),
                Schema {
                    name: "Input".to_owned(),
                    columns: vec![column("income", DataKind::Float), column("age", DataKind::Int)],
                    incomplete: false,
                },
            )]),
        };
        Self {
            root,
            _folder: folder,
            plan,
            predictor: Fake::default(),
            lineage: Lineage {
                run: "run-1".to_owned(),
                pipeline: "credit".to_owned(),
                ..Lineage::default()
            },
            now: "2026-01-02T03:04:05Z".parse().unwrap(),
            outputs: Mutex::new(0),
        }
    }

    /// Rows with `income`, `age`, `sex`, and one label for each task.
    pub fn data(&self, name: &str, labels: &[bool]) -> Item {
        let n = labels.len();
        let rows = || 0..i64::try_from(n).unwrap();
        let sex = rows().map(|row| if row % 3 == 0 { "female" } else { "male" });
        let class = labels.iter().enumerate().map(|(row, label)| match (label, row % 4) {
            (true, _) => "dog",
            (false, 0) => "cat",
            (false, _) => "bird",
        });
        let columns: [(&str, ArrayRef); 6] = [
            ("defaulted", Arc::new(BooleanArray::from(labels.to_vec()))),
            (
                "age",
                Arc::new(rows().map(|row| Some(18 + row * 7 % 60)).collect::<Int64Array>()),
            ),
            (
                "income",
                Arc::new(rows().map(|row| Some(row as f64)).collect::<Float64Array>()),
            ),
            ("sex", Arc::new(sex.map(Some).collect::<StringArray>())),
            ("animal", Arc::new(class.map(Some).collect::<StringArray>())),
            (
                "amount",
                Arc::new(rows().map(|row| Some(100.0 + row as f64)).collect::<Float64Array>()),
            ),
        ];
        let path = self.root.join(format!("{name}.parquet"));
        write(&path, &RecordBatch::try_from_iter(columns).unwrap());
        artifact(path)
    }

    /// A model artifact that answers with a column.
    pub fn model(&mut self, name: &str, answer: Answer) -> Item {
        let path = self.root.join("models").join(name);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("model.json"), name).unwrap();
        self.predictor.answers.insert(name.to_owned(), answer);
        Item::Artifact {
            path,
            digest: format!("digest-of-{name}"),
        }
    }

    /// A binary model with given probabilities and 5 ms of latency.
    pub fn scorer(&mut self, name: &str, probabilities: &[f64]) -> Item {
        let column = Arc::new(Float64Array::from(probabilities.to_vec()));
        self.model(name, Answer::Column("probability", column, 5.0))
    }

    pub fn registry(&self) -> Utf8PathBuf {
        self.root.join(".mlp/registry")
    }

    /// Runs an operation; gives its report and the path of its output.
    pub fn run(&self, operation: Operation, inputs: &[(&str, &Item)]) -> Result<(Report, Utf8PathBuf), OperationError> {
        let outputs = {
            let mut count = self.outputs.lock().unwrap();
            *count += 1;
            self.root.join(format!("outputs-{count}"))
        };
        fs::create_dir_all(&outputs).unwrap();
        let inputs = inputs
            .iter()
            .map(|(name, item)| ((*name).to_owned(), (*item).clone()))
            .collect();
        let context = Context {
            plan: &self.plan,
            node: &Node {
                id: "node".to_owned(),
                callee: "operation".to_owned(),
                kind: NodeKind::Operation(Box::new(operation.clone())),
                inputs: Vec::new(),
                outputs: Vec::new(),
                after: Vec::new(),
            },
            project: &self.root,
            inputs: &inputs,
            outputs: &outputs,
            baseline: &Baseline::default(),
            python: &self.predictor,
            registry: &self.registry(),
            approval: Approval::default(),
            now: self.now,
            cancelled: &AtomicBool::new(false),
            lineage: &self.lineage,
            log: &|_| {},
        };
        let report = run(&operation, &context)?;
        let left: Vec<_> = outputs
            .read_dir_utf8()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_owned())
            .collect();
        assert_eq!(left, ["output"], "nothing but the output is left");
        Ok((report, outputs.join("output")))
    }

    pub fn evaluate(&self, model: &Item, data: &Item) -> Result<(Report, Item), OperationError> {
        let operation = Operation::Evaluate {
            model: "Binary".to_owned(),
            label: "defaulted".to_owned(),
            positive: None,
            protected: vec!["sex".to_owned(), "age".to_owned()],
        };
        let (report, path) = self.run(operation, &[("model", model), ("data", data)])?;
        Ok((report, artifact(path)))
    }

    pub fn register(&self, model: &Item) -> Result<(Report, Item), OperationError> {
        let operation = Operation::Register {
            model: "Binary".to_owned(),
        };
        let (report, path) = self.run(operation, &[("model", model)])?;
        Ok((report, artifact(path)))
    }

    pub fn deploy(&self, registered: &Item, service: &str) -> Result<(Report, Utf8PathBuf), OperationError> {
        let operation = Operation::Deploy {
            service: service.to_owned(),
        };
        self.run(operation, &[("model", registered)])
    }
}

/// A file as an artifact, by its content.
pub fn artifact(path: Utf8PathBuf) -> Item {
    let digest = blake3::hash(&fs::read(&path).unwrap()).to_hex().to_string();
    Item::Artifact { path, digest }
}

pub fn write(path: &Utf8Path, batch: &RecordBatch) {
    let mut writer = DatasetWriter::create(path, batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
}

/// Labels with a third of positives.
pub fn labels(rows: usize) -> Vec<bool> {
    (0..rows).map(|row| row % 3 == 1).collect()
}

/// Probabilities that follow the labels with some noise: more `skill`, less overlap.
pub fn scores(labels: &[bool], skill: f64, seed: u64) -> Vec<f64> {
    let mut random = mlp_runtime::statistics::SplitMix64::new(seed);
    let noise = |random: &mut mlp_runtime::statistics::SplitMix64| random.below(1_000_000) as f64 / 1e6;
    labels
        .iter()
        .map(|label| noise(&mut random) * (1.0 - skill) + if *label { skill } else { 0.0 })
        .collect()
}

pub fn metric(subject: Subject, name: &str, column: Option<&str>) -> Expression {
    Expression::Metric(MetricReference {
        subject,
        metric: name.to_owned(),
        column: column.map(str::to_owned),
    })
}

pub fn number(value: f64) -> Expression {
    Expression::Value(Value::Float(value))
}

pub fn parameter(name: &str) -> Expression {
    Expression::Reference(Reference::Parameter(name.to_owned()))
}

pub fn binary(left: Expression, operator: BinaryOperator, right: Expression) -> Expression {
    Expression::Binary {
        operator,
        left: Box::new(left),
        right: Box::new(right),
    }
}

pub fn condition(text: &str, expression: Expression) -> Condition {
    Condition {
        text: text.to_owned(),
        expression,
        parameters: BTreeMap::new(),
    }
}
