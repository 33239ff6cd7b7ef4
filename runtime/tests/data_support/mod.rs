//! What the tests of data operations share: a plan with schemas, a folder, an operation run over files in it.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::{Node, NodeKind, Operation, Plan, Project};
use mlp::types::{Bound, Column, ColumnTag, DataKind, DataType, EnumType, EnumVariant, Refinement, Schema, Value};
use mlp_runtime::data::dataset::{Dataset, Wanted};
use mlp_runtime::operations::{
    Approval, Baseline, Context, Item, Lineage, OperationError, PredictError, PredictRequest, PredictResponse,
    Predictor, Report, run,
};

/// A folder with a plan, in which operations are run one after another.
pub struct Bench {
    folder: tempfile::TempDir,
    plan: Plan,
    runs: usize,
    pub log: Mutex<Vec<String>>,
    pub now: jiff::Timestamp,
    pub baseline: Baseline,
    pub cancelled: AtomicBool,
}

struct NoPython;

impl Predictor for NoPython {
    fn predict(&self, _request: &PredictRequest<'_>) -> Result<PredictResponse, PredictError> {
        unreachable!("data operations run no Python")
    }
}

impl Bench {
    pub fn new(schemas: Vec<Schema>) -> Self {
        let plan = Plan {
            version: mlp::plan::PLAN_VERSION,
            project: Project {
                name: "bench".to_owned(),
                version: "0.1.0".to_owned(),
            },
            pipelines: BTreeMap::new(),
            steps: BTreeMap::new(),
            models: BTreeMap::new(),
            services: BTreeMap::new(),
            targets: BTreeMap::new(),
            triggers: BTreeMap::new(),
            schemas: schemas
                .into_iter()
                .map(|schema| (schema.name.clone(), schema))
                .collect(),
        };
        Self {
            folder: tempfile::tempdir().unwrap(),
            plan,
            runs: 0,
            log: Mutex::new(Vec::new()),
            now: "2026-01-10T00:00:00Z".parse().unwrap(),
            baseline: Baseline::default(),
            cancelled: AtomicBool::new(false),
        }
    }

    pub fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.folder.path()).unwrap()
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> Utf8PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Runs an operation over inputs; gives its report and the folder of its outputs.
    pub fn run(
        &mut self,
        operation: Operation,
        inputs: &[(&str, Item)],
    ) -> Result<(Report, Utf8PathBuf), OperationError> {
        self.runs += 1;
        let outputs = self.path().join(format!("outputs-{}", self.runs));
        std::fs::create_dir(&outputs).unwrap();
        let inputs: BTreeMap<String, Item> = inputs
            .iter()
            .map(|(name, item)| ((*name).to_owned(), item.clone()))
            .collect();
        let node = Node {
            id: "node".to_owned(),
            callee: "operation".to_owned(),
            kind: NodeKind::Operation(Box::new(operation.clone())),
            inputs: Vec::new(),
            outputs: Vec::new(),
            after: Vec::new(),
        };
        let log = |line: &str| self.log.lock().unwrap().push(line.to_owned());
        let registry = self.path().join("registry");
        let context = Context {
            plan: &self.plan,
            node: &node,
            project: self.path(),
            inputs: &inputs,
            outputs: &outputs,
            python: &NoPython,
            registry: &registry,
            baseline: &self.baseline,
            approval: Approval::default(),
            now: self.now,
            cancelled: &self.cancelled,
            lineage: &Lineage::default(),
            log: &log,
        };
        run(&operation, &context).map(|report| (report, outputs))
    }

    /// Lands a CSV text as a dataset of the schema; gives its file.
    pub fn land(&mut self, schema: &str, csv: &str) -> Utf8PathBuf {
        self.file("landed.csv", csv);
        let read = Operation::Read {
            schema: schema.to_owned(),
        };
        self.run(read, &[("source", text_item("landed.csv"))])
            .unwrap()
            .1
            .join("output")
    }

    /// Runs an operation over the dataset `data` that fails; gives its error.
    pub fn refused(&mut self, operation: Operation, data: &Utf8Path) -> OperationError {
        self.run(operation, &[("data", dataset_item(data))])
            .map(|_| ())
            .unwrap_err()
    }
}

pub fn text_item(text: &str) -> Item {
    Item::Value(Value::String(text.to_owned()))
}

pub fn dataset_item(path: &Utf8Path) -> Item {
    Item::Artifact {
        path: path.to_owned(),
        digest: blake3::hash(&std::fs::read(path).unwrap()).to_hex().to_string(),
    }
}

/// The summary and help of an input error.
pub fn input_error(error: OperationError) -> (String, String) {
    let OperationError::Input { summary, help } = error else {
        panic!("{error:?}")
    };
    (summary, help)
}

/// Every row of a dataset as text, `|` between its columns.
pub fn rows(path: &Utf8Path) -> Vec<String> {
    let dataset = Dataset::open(path).unwrap();
    let wanted: Vec<Wanted> = dataset
        .fields()
        .iter()
        .map(|field| Wanted {
            name: field.name().clone(),
            ty: field.data_type().clone(),
        })
        .collect();
    let cancelled = AtomicBool::new(false);
    let mut rows = Vec::new();
    for batch in dataset.read(&wanted, None, &cancelled).unwrap() {
        let records = batch.unwrap().records;
        for row in 0..records.num_rows() {
            let cells = records
                .columns()
                .iter()
                .map(|column| mlp_runtime::data::cell::text(column, row));
            rows.push(cells.collect::<Vec<_>>().join("|"));
        }
    }
    rows
}

pub fn schema(name: &str, columns: Vec<Column>) -> Schema {
    Schema {
        name: name.to_owned(),
        columns,
        incomplete: false,
    }
}

/// A column; a name that ends in `?` makes it optional.
pub fn column(name: &str, kind: DataKind) -> Column {
    let (name, optional) = name.strip_suffix('?').map_or((name, false), |name| (name, true));
    Column {
        name: name.to_owned(),
        ty: DataType {
            optional,
            ..DataType::plain(kind)
        },
        tags: Vec::new(),
        docs: None,
    }
}

pub fn refined(mut column: Column, refinement: Refinement) -> Column {
    column.ty.refinements.push(refinement);
    column
}

pub fn tagged(mut column: Column, tag: &str) -> Column {
    column.tags.push(ColumnTag {
        name: tag.to_owned(),
        arguments: Vec::new(),
    });
    column
}

pub fn between(minimum: Option<Value>, maximum: Option<Value>) -> Refinement {
    let bound = |value: Value| Bound { value, inclusive: true };
    Refinement::Range {
        minimum: minimum.map(bound),
        maximum: maximum.map(bound),
    }
}

pub fn choice(texts: &[&str]) -> DataKind {
    DataKind::Enum(EnumType {
        name: None,
        variants: texts
            .iter()
            .map(|text| EnumVariant {
                name: (*text).to_owned(),
                text: (*text).to_owned(),
            })
            .collect(),
    })
}
