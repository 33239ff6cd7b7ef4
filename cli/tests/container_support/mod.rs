//! A platform in a folder: it runs the nodes of a plan one by one as containers do, as processes of their own, each told of
//! its inputs and outputs by a message.

#![allow(dead_code, reason = "each test file uses a part")]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the programs of the tests use a part of the plan"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use mlp::db::Database;
use mlp::plan::{
    Binding, Graph, Node, NodeKind, NodeTask, Operand, Parameter, Plan, PortType, Reference, Run, StepCall, build,
};
use mlp::project::DiskHost;
use serde_json::{Value as Json, json};

/// The binary under test.
pub fn mlp() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlp"));
    command
        .env_remove("MLP_REGISTRY")
        .env_remove("MLP_RUN_ID")
        .env("NO_COLOR", "1");
    command
}

/// A project, and what the nodes of one run have given.
pub struct Platform {
    _folder: tempfile::TempDir,
    pub root: PathBuf,
    pub plan: Plan,
    pub pipeline: String,
    pub run: String,
    /// Values by parameter.
    pub parameters: BTreeMap<String, Json>,
    /// What the nodes have given, by reference.
    given: BTreeMap<Reference, Given>,
}

#[derive(Clone)]
enum Given {
    Value(Json),
    Artifact(Json),
}

/// How a container ended.
pub struct Ended {
    pub ok: bool,
    pub code: Option<i32>,
    pub stderr: String,
    /// The folder of its outputs.
    pub folder: PathBuf,
}

impl Ended {
    pub fn read(&self, output: &str) -> String {
        fs::read_to_string(self.folder.join(output)).unwrap_or_default()
    }

    /// What it told the platform of an artifact.
    pub fn metadata(&self, output: &str) -> Json {
        let message: Json = serde_json::from_str(&self.read("executor_output.json")).unwrap();
        message["artifacts"][output]["artifacts"][0]["metadata"].clone()
    }
}

impl Platform {
    /// Compiles a program; its files are name and text.
    pub fn new(program: &str, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::write(root.join("mlp.toml"), "name = \"container\"\nversion = \"0.1.0\"\n").unwrap();
        fs::write(root.join("main.mlp"), program).unwrap();
        for (name, text) in files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let host = DiskHost::open(camino::Utf8Path::from_path(&root).unwrap()).unwrap();
        let plan = build(&Database::new(Arc::new(host))).unwrap_or_else(|error| panic!("{error:#?}"));
        let pipeline = plan.pipelines.keys().next().unwrap().clone();
        let mut platform = Self {
            _folder: folder,
            root,
            plan,
            pipeline,
            run: "run-1".to_owned(),
            parameters: BTreeMap::new(),
            given: BTreeMap::new(),
        };
        platform.begin("run-1");
        platform
    }

    /// Forgets the run before, with the parameters' defaults.
    pub fn begin(&mut self, run: &str) {
        self.run = run.to_owned();
        self.given.clear();
        let declared = &self.plan.pipelines[&self.pipeline].parameters;
        let default = |parameter: &Parameter| {
            let value = parameter.default.as_ref()?;
            Some((parameter.name.clone(), mlp::plan::exchange_json(value)))
        };
        self.parameters = declared.iter().filter_map(default).collect();
    }

    pub fn graph(&self) -> Graph {
        self.plan.pipelines[&self.pipeline].graph.clone()
    }

    pub fn node(&self, id: &str) -> Node {
        let graph = self.graph();
        let known: Vec<_> = graph.nodes.iter().map(|node| node.id.clone()).collect();
        let found = graph.nodes.into_iter().find(|node| node.id == id);
        found.unwrap_or_else(|| panic!("no node {id} among {known:?}"))
    }

    /// Runs every node in order until one fails; gives the ends by node.
    pub fn run_all(&mut self, change: impl Fn(&mut Command)) -> BTreeMap<String, Ended> {
        let mut ended = BTreeMap::new();
        for node in self.graph().nodes {
            let end = self.run_node(&node, &change);
            let ok = end.ok;
            ended.insert(node.id, end);
            if !ok {
                break;
            }
        }
        ended
    }

    pub fn run_node(&mut self, node: &Node, change: impl Fn(&mut Command)) -> Ended {
        let folder = self.root.join("platform").join(&self.run).join(&node.id);
        let mut command = self.command(node, &folder);
        change(&mut command);
        let output = command.stdin(Stdio::null()).output().unwrap();
        self.finish(node, &folder, &output)
    }

    pub fn finish(&mut self, node: &Node, folder: &Path, output: &Output) -> Ended {
        if output.status.success() {
            for port in &node.outputs {
                let reference = Reference::Output {
                    node: node.id.clone(),
                    port: port.name.clone(),
                };
                let path = folder.join(&port.name);
                let given = if port.ty.is_value() {
                    let text = fs::read_to_string(&path).unwrap();
                    Given::Value(serde_json::from_str(&text).unwrap_or(Json::String(text)))
                } else {
                    Given::Artifact(json!({ "name": port.name, "uri": path }))
                };
                self.given.insert(reference, given);
            }
        }
        Ended {
            ok: output.status.success(),
            code: output.status.code(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            folder: folder.to_owned(),
        }
    }

    /// What the platform would run.
    pub fn command(&self, node: &Node, folder: &Path) -> Command {
        fs::create_dir_all(folder).unwrap();
        let task = self.task(node);
        let file = folder.join("task.json");
        fs::write(&file, serde_json::to_string(&task).unwrap()).unwrap();
        let mut command = match &node.kind {
            NodeKind::Operation(operation) => {
                let mut command = mlp();
                command.args(["op", operation.name()]);
                command
            }
            NodeKind::Step(StepCall { step }) => match &self.plan.steps[step].run {
                Run::Command(_) => {
                    let mut command = mlp();
                    command.arg("launch");
                    command
                }
                Run::Python(_) => {
                    let mut command = Command::new("python3");
                    command.arg("-c").arg(mlp::targets::python_bootstrap().unwrap());
                    command
                }
            },
            NodeKind::Pipeline(_) => {
                let mut command = mlp();
                command.args(["op", "compute"]);
                command
            }
            other => panic!("{other:?} is no container"),
        };
        let message = self.message(&task, node, folder);
        command
            .current_dir(&self.root)
            .arg("--task")
            .arg(format!("@{}", file.display()))
            .arg("--executor-input")
            .arg(message.to_string());
        command
    }

    fn task(&self, node: &Node) -> NodeTask {
        let mut bindings = vec![Binding {
            reference: Reference::RunId,
            input: "run-id".to_owned(),
            ty: value("string"),
            boxed: false,
        }];
        for input in &node.inputs {
            references(&input.value, &mut |reference| {
                if bindings.iter().all(|known| known.reference != *reference) {
                    bindings.push(self.binding(reference));
                }
            });
        }
        let plan = Plan {
            pipelines: BTreeMap::new(),
            ..self.plan.clone()
        };
        let task = NodeTask {
            pipeline: self.pipeline.clone(),
            node: node.clone(),
            bindings,
            sources: BTreeMap::new(),
            plan,
            python: None,
        };
        task.with_python_request()
    }

    fn binding(&self, reference: &Reference) -> Binding {
        let (input, ty) = match reference {
            Reference::Parameter(name) => {
                let declared = &self.plan.pipelines[&self.pipeline].parameters;
                let parameter = declared.iter().find(|parameter| parameter.name == *name).unwrap();
                (name.clone(), PortType::Value(parameter.ty.clone()))
            }
            Reference::Output { node, port } => {
                let producer = self.node(node);
                let found = producer.outputs.iter().find(|each| each.name == *port).unwrap();
                (format!("{}-{port}", node.replace('.', "-")), found.ty.clone())
            }
            other => panic!("{other:?} is not used here"),
        };
        Binding {
            reference: reference.clone(),
            boxed: matches!((&ty, reference), (PortType::Value(of), Reference::Output { .. }) if of.optional),
            input,
            ty,
        }
    }

    fn message(&self, task: &NodeTask, node: &Node, folder: &Path) -> Json {
        let (mut values, mut artifacts) = (serde_json::Map::new(), serde_json::Map::new());
        values.insert("run-id".to_owned(), json!(self.run));
        for binding in &task.bindings {
            let given = match &binding.reference {
                Reference::Parameter(name) => self.parameters.get(name).cloned().map(Given::Value),
                reference => self.given.get(reference).cloned(),
            };
            match given {
                Some(Given::Value(value)) => values.insert(binding.input.clone(), as_double(value)),
                Some(Given::Artifact(artifact)) => {
                    artifacts.insert(binding.input.clone(), json!({ "artifacts": [artifact] }))
                }
                None => None,
            };
        }
        let mut outputs = serde_json::Map::new();
        let mut files = serde_json::Map::new();
        let artifact = |name: &str, title: &str| {
            let schema = json!({ "schemaTitle": title, "schemaVersion": "0.0.1" });
            json!({ "artifacts": [{ "name": name, "uri": folder.join(name), "type": schema, "metadata": {} }] })
        };
        for port in &node.outputs {
            if port.ty.is_value() {
                files.insert(port.name.clone(), json!({ "outputFile": folder.join(&port.name) }));
            } else {
                outputs.insert(port.name.clone(), artifact(&port.name, title(&port.ty)));
            }
        }
        if matches!(node.kind, NodeKind::Operation(_)) {
            outputs.insert("report".to_owned(), artifact("report", "system.Markdown"));
            outputs.insert("numbers".to_owned(), artifact("numbers", "system.Metrics"));
            outputs.insert("curves".to_owned(), artifact("curves", "system.ClassificationMetrics"));
        }
        json!({
            "inputs": { "parameterValues": values, "artifacts": artifacts },
            "outputs": {
                "parameters": files,
                "artifacts": outputs,
                "outputFile": folder.join("executor_output.json"),
            },
        })
    }
}

/// Platforms know no integers.
fn as_double(value: Json) -> Json {
    match value {
        Json::Number(number) => json!(number.as_f64()),
        Json::Array(items) => items.into_iter().map(as_double).collect(),
        other => other,
    }
}

pub fn value(kind: &str) -> PortType {
    serde_json::from_value(json!({ "value": { "kind": kind } })).unwrap()
}

fn references(operand: &Operand, visit: &mut dyn FnMut(&Reference)) {
    match operand {
        Operand::Value(_) => {}
        Operand::Reference(reference) => visit(reference),
        Operand::Expression(expression) => expression.references(&mut |reference| visit(reference)),
        Operand::List(items) => items.iter().for_each(|item| references(item, visit)),
    }
}

fn title(ty: &PortType) -> &'static str {
    match ty {
        PortType::Dataset { .. } => "system.Dataset",
        PortType::Model { .. } => "system.Model",
        PortType::Metrics { .. } => "system.Metrics",
        _ => "system.Artifact",
    }
}
