//! Plans built by hand, and a project to run them in.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex};

use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::{
    ArgumentPart, Graph, Input, Node, NodeKind, Operand, PLAN_VERSION, Pipeline, Plan, Port, PortType, Project,
    Reference, Run, Step, StepCall,
};
use mlp::types::{DataKind, DataType, Value};
use mlp_runtime::events::{Event, NodeState};
use mlp_runtime::executor::{Executor, Options, RunOutcome};
use mlp_runtime::store::Datum;

/// A project in a temporary folder.
pub struct Sandbox {
    folder: tempfile::TempDir,
    pub options: Options,
    pub events: Arc<Mutex<Vec<Event>>>,
}

impl Sandbox {
    pub fn new() -> Self {
        let mut options = Options {
            jobs: 4,
            grace: 300,
            ..Options::default()
        };
        options.machine.cpu_millis = 4_000;
        Self {
            folder: tempfile::tempdir().unwrap(),
            options,
            events: Arc::default(),
        }
    }

    pub fn root(&self) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.folder.path().to_owned()).unwrap()
    }

    pub fn executor(&self) -> Executor {
        Executor::open(&self.root()).unwrap()
    }

    pub fn write(&self, path: &str, text: &str) {
        fs::write(self.root().join(path), text).unwrap();
    }

    pub fn run(&self, plan: &Plan) -> RunOutcome {
        self.run_with(plan, BTreeMap::new())
    }

    pub fn run_with(&self, plan: &Plan, parameters: BTreeMap<String, Value>) -> RunOutcome {
        let events = Arc::clone(&self.events);
        let sink = move |event: &Event| events.lock().unwrap().push(event.clone());
        self.executor()
            .run(plan, "main", parameters, &self.options, &sink)
            .unwrap()
    }

    /// The text of an output that is a file.
    pub fn text(&self, outcome: &RunOutcome, node: &str, port: &str) -> String {
        let record = record(outcome, node);
        match &record.outputs[port] {
            Datum::Artifact(artifact) => fs::read_to_string(self.executor().artifact_path(artifact)).unwrap(),
            other => panic!("{other:?} is no file"),
        }
    }

    /// How often a step left a mark by `echo x >> marks/NAME`.
    pub fn marks(&self, name: &str) -> usize {
        fs::read_to_string(self.root().join(name)).map_or(0, |text| text.lines().count())
    }
}

pub fn record<'a>(outcome: &'a RunOutcome, node: &str) -> &'a mlp_runtime::metadata::NodeRecord {
    outcome
        .nodes
        .iter()
        .find(|record| record.node == node)
        .unwrap_or_else(|| panic!("no node {node} in {outcome:#?}"))
}

pub fn state(outcome: &RunOutcome, node: &str) -> NodeState {
    record(outcome, node).state
}

pub fn value(ty: DataKind) -> PortType {
    PortType::Value(DataType::plain(ty))
}

pub fn port(name: &str, ty: PortType) -> Port {
    Port {
        name: name.to_owned(),
        ty,
    }
}

/// Arguments with `{x}` for holes.
pub fn command(arguments: &[&str]) -> Run {
    let parts = |argument: &str| match argument.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) => vec![ArgumentPart::Hole(name.to_owned())],
        None => vec![ArgumentPart::Text(argument.to_owned())],
    };
    Run::Command(arguments.iter().map(|argument| parts(argument)).collect())
}

/// A step that runs a shell script; `$1`, `$2`… are its inputs, then its outputs.
pub fn shell(name: &str, script: &str, inputs: Vec<Port>, outputs: Vec<Port>) -> Step {
    let mut arguments = vec!["sh".to_owned(), "-c".to_owned(), script.to_owned(), name.to_owned()];
    arguments.extend(inputs.iter().chain(&outputs).map(|port| format!("{{{}}}", port.name)));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    step(name, command(&arguments), inputs, outputs)
}

pub fn step(name: &str, run: Run, inputs: Vec<Port>, outputs: Vec<Port>) -> Step {
    Step {
        name: name.to_owned(),
        docs: None,
        inputs,
        outputs,
        run,
        image: None,
        packages: Vec::new(),
        env: BTreeMap::new(),
        secrets: BTreeMap::new(),
        resources: Default::default(),
        timeout: None,
        retries: Default::default(),
        cache: Default::default(),
        kubernetes: None,
    }
}

/// The output `output` of a node.
pub fn output(node: &str) -> Operand {
    port_of(node, "output")
}

pub fn port_of(node: &str, port: &str) -> Operand {
    Operand::Reference(Reference::Output {
        node: node.to_owned(),
        port: port.to_owned(),
    })
}

pub fn int(value: i64) -> Operand {
    Operand::Value(Value::Int(value))
}

/// A call of a step, with its inputs in order.
pub fn call(id: &str, step: &Step, inputs: Vec<Operand>) -> Node {
    Node {
        id: id.to_owned(),
        callee: step.name.clone(),
        kind: NodeKind::Step(StepCall {
            step: step.name.clone(),
        }),
        inputs: step
            .inputs
            .iter()
            .zip(inputs)
            .map(|(port, value)| Input {
                name: port.name.clone(),
                value,
                ty: port.ty.clone(),
            })
            .collect(),
        outputs: step.outputs.clone(),
        after: Vec::new(),
    }
}

/// A node that holds graphs.
pub fn container(id: &str, callee: &str, kind: NodeKind, outputs: Vec<Port>) -> Node {
    Node {
        id: id.to_owned(),
        callee: callee.to_owned(),
        kind,
        inputs: Vec::new(),
        outputs,
        after: Vec::new(),
    }
}

pub fn graph(nodes: Vec<Node>) -> Graph {
    Graph { nodes }
}

pub fn plan(steps: Vec<Step>, nodes: Vec<Node>) -> Plan {
    let pipeline = Pipeline {
        name: "main".to_owned(),
        docs: None,
        parameters: Vec::new(),
        graph: graph(nodes),
        outputs: Vec::new(),
        origins: BTreeMap::new(),
    };
    Plan {
        version: PLAN_VERSION,
        project: Project {
            name: "test".to_owned(),
            version: "0.1.0".to_owned(),
        },
        pipelines: BTreeMap::from([("main".to_owned(), pipeline)]),
        steps: steps.into_iter().map(|step| (step.name.clone(), step)).collect(),
        models: BTreeMap::new(),
        services: BTreeMap::new(),
        schemas: BTreeMap::new(),
        targets: BTreeMap::new(),
        triggers: BTreeMap::new(),
    }
}

/// Waits until a file is there; panics when it does not come.
pub fn await_file(path: &Utf8Path) {
    let begin = std::time::Instant::now();
    while !path.exists() {
        assert!(begin.elapsed().as_secs() < 20, "{path} did not come");
        std::thread::yield_now();
    }
}
