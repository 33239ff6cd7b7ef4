//! Validates one Parquet file, for measuring: `validate DATA.parquet CONDITIONS.json`, where the second file holds
//! `{ "schema": …, "checks": … }` as a plan writes them. Prints the operation's report.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "an example talks to a terminal and reads files"
)]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use camino::Utf8PathBuf;
use mlp::plan::{Checks, Node, NodeKind, Operation, PLAN_VERSION, Plan, Project};
use mlp::types::Schema;
use mlp_runtime::operations::{
    Approval, Baseline, Context, Item, Lineage, PredictError, PredictRequest, PredictResponse, Predictor, run,
};

#[derive(serde::Deserialize)]
struct Conditions {
    schema: Schema,
    checks: Option<Checks>,
}

struct NoPython;

impl Predictor for NoPython {
    fn predict(&self, _request: &PredictRequest<'_>) -> Result<PredictResponse, PredictError> {
        Err(PredictError {
            summary: "validation runs no Python".to_owned(),
            details: Vec::new(),
        })
    }
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(data), Some(conditions)) = (arguments.next(), arguments.next()) else {
        return Err("usage: validate DATA.parquet CONDITIONS.json".into());
    };
    let conditions: Conditions = serde_json::from_slice(&std::fs::read(conditions)?)?;
    let folder = tempfile::tempdir_in(Utf8PathBuf::from(&data).parent().ok_or("the data lies in no folder")?)?;
    let outputs = Utf8PathBuf::try_from(folder.path().to_owned())?;
    let operation = Operation::Validate {
        schema: conditions.schema.name.clone(),
        checks: conditions.checks,
    };
    let plan = Plan {
        version: PLAN_VERSION,
        project: Project {
            name: "validate".to_owned(),
            version: "0.1.0".to_owned(),
        },
        pipelines: BTreeMap::new(),
        steps: BTreeMap::new(),
        models: BTreeMap::new(),
        services: BTreeMap::new(),
        schemas: BTreeMap::from([(conditions.schema.name.clone(), conditions.schema)]),
        targets: BTreeMap::new(),
        triggers: BTreeMap::new(),
    };
    let data = Item::Artifact {
        path: data.into(),
        digest: String::new(),
    };
    let result = run(
        &operation,
        &Context {
            plan: &plan,
            node: &Node {
                id: "validate".to_owned(),
                callee: "validate".to_owned(),
                kind: NodeKind::Operation(Box::new(operation.clone())),
                inputs: Vec::new(),
                outputs: Vec::new(),
                after: Vec::new(),
            },
            project: &outputs,
            inputs: &BTreeMap::from([("data".to_owned(), data)]),
            outputs: &outputs,
            python: &NoPython,
            registry: &outputs,
            baseline: &Baseline::default(),
            approval: Approval::default(),
            now: jiff::Timestamp::now(),
            cancelled: &AtomicBool::new(false),
            lineage: &Lineage::default(),
            log: &|line| println!("{line}"),
        },
    );
    match result {
        Ok(report) => {
            println!("{}", report.summary);
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            println!("{error}\n{error:#?}");
            Ok(ExitCode::FAILURE)
        }
    }
}
