//! A platform that moves nothing: it tells each task of a straight pipeline where the run's root is, and lets
//! `mlp launch --placed` do the rest.

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
    Binding, Node, NodeTask, Operand, Parameter, PlacedTask, Placement, Plan, PortType, Reference, Source, build,
};
use mlp::project::DiskHost;
use serde_json::Value as Json;

/// A project, and one run of its only pipeline.
pub struct Project {
    folder: tempfile::TempDir,
    pub path: PathBuf,
    pub plan: Plan,
    pub pipeline: String,
    /// Where artifacts go.
    pub root: String,
    /// The facts of the next attempt; the task's name is set for each.
    pub placement: Placement,
}

/// How a task ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// What was returned to the platform.
    pub returned: Option<Json>,
}

impl Project {
    /// Compiles a program; its files are name and text.
    pub fn new(program: &str, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("project");
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("mlp.toml"), "name = \"placed\"\nversion = \"0.1.0\"\n").unwrap();
        fs::write(path.join("main.mlp"), program).unwrap();
        for (name, text) in files {
            let file = path.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let root = folder.path().canonicalize().unwrap().join("root").display().to_string();
        let mut project = Self {
            plan: compile(&path),
            pipeline: String::new(),
            placement: Placement::default(),
            root,
            path,
            folder,
        };
        project.pipeline = project.plan.pipelines.keys().next().unwrap().clone();
        project.begin("run-1");
        project
    }

    /// Compiles anew after its files were changed.
    pub fn recompile(&mut self) {
        self.plan = compile(&self.path);
    }

    /// Another run, with the parameters' defaults.
    pub fn begin(&mut self, run: &str) {
        let declared = &self.plan.pipelines[&self.pipeline].parameters;
        let default = |parameter: &Parameter| {
            let value = parameter.default.as_ref()?;
            Some((parameter.name.clone(), mlp::plan::exchange_json(value)))
        };
        self.placement = Placement {
            root: self.root.clone(),
            pipeline: self.pipeline.clone(),
            run: run.to_owned(),
            attempt: 1,
            parameters: declared.iter().filter_map(default).collect(),
            ..Placement::default()
        };
    }

    pub fn node(&self, id: &str) -> Node {
        let nodes = &self.plan.pipelines[&self.pipeline].graph.nodes;
        let found = nodes.iter().find(|node| node.id == id);
        found.unwrap_or_else(|| panic!("no node {id}")).clone()
    }

    /// What the platform tells of a node: everything comes from parameters and from other tasks.
    pub fn placed(&self, id: &str) -> PlacedTask {
        self.placed_node(self.node(id))
    }

    pub fn placed_node(&self, node: Node) -> PlacedTask {
        let (mut bindings, mut sources) = (Vec::<Binding>::new(), BTreeMap::new());
        for input in &node.inputs {
            references(&input.value, &mut |reference| {
                if bindings.iter().any(|known| known.reference == *reference) {
                    return;
                }
                if let Some((ty, source)) = self.source(reference) {
                    let input = format!("from-{}", bindings.len());
                    sources.insert(input.clone(), source);
                    bindings.push(Binding {
                        reference: reference.clone(),
                        input,
                        ty,
                        boxed: false,
                    });
                }
            });
        }
        let returns = node.outputs.iter().map(|port| port.name.clone()).collect();
        let task = NodeTask {
            pipeline: self.pipeline.clone(),
            node,
            bindings,
            sources: BTreeMap::new(),
            plan: Plan {
                pipelines: BTreeMap::new(),
                ..self.plan.clone()
            },
            python: None,
        };
        PlacedTask {
            task,
            sources,
            returns,
            approved: false,
        }
    }

    fn source(&self, reference: &Reference) -> Option<(PortType, Source)> {
        match reference {
            Reference::Parameter(name) => {
                let declared = &self.plan.pipelines[&self.pipeline].parameters;
                let parameter = declared.iter().find(|parameter| parameter.name == *name).unwrap();
                Some((PortType::Value(parameter.ty.clone()), Source::Parameter(name.clone())))
            }
            Reference::Output { node, port } => {
                let producer = self.node(node);
                let found = producer.outputs.iter().find(|each| each.name == *port).unwrap();
                let source = Source::Port {
                    task: node.clone(),
                    port: port.clone(),
                    depth: 0,
                };
                Some((found.ty.clone(), source))
            }
            _ => None,
        }
    }

    /// The command of a task, in the project's folder.
    pub fn command(&self, placed: &PlacedTask) -> Command {
        let file = self.folder.path().join(format!("{}.json", placed.task.node.id));
        fs::write(&file, serde_json::to_string(placed).unwrap()).unwrap();
        let mut placement = self.placement.clone();
        if placement.task.is_empty() {
            placement.task.clone_from(&placed.task.node.id);
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_mlp"));
        command
            .current_dir(&self.path)
            .env_remove("MLP_RUN_ID")
            .env("MLP_REGISTRY", self.folder.path().join("registry"))
            .env("MLP_CACHE_DIR", self.folder.path().join("environments"))
            .env("NO_COLOR", "1")
            .arg("launch")
            .arg("--placed")
            .arg(format!("@{}", file.display()))
            .arg("--placement")
            .arg(serde_json::to_string(&placement).unwrap())
            .arg("--return")
            .arg(self.returned())
            .stdin(Stdio::null());
        command
    }

    pub fn returned(&self) -> PathBuf {
        self.folder.path().join("xcom/return.json")
    }

    pub fn run(&self, id: &str) -> Ended {
        self.run_with(id, |_| {})
    }

    pub fn run_with(&self, id: &str, change: impl Fn(&mut Command)) -> Ended {
        self.run_placed(&self.placed(id), change)
    }

    pub fn run_placed(&self, placed: &PlacedTask, change: impl Fn(&mut Command)) -> Ended {
        let _ = fs::remove_file(self.returned());
        let mut command = self.command(placed);
        change(&mut command);
        self.ended(&command.output().unwrap())
    }

    pub fn ended(&self, output: &Output) -> Ended {
        let returned = fs::read_to_string(self.returned()).ok();
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            returned: returned.map(|text| serde_json::from_str(&text).unwrap()),
        }
    }

    /// Every node in order, each to success.
    pub fn run_all(&self) -> BTreeMap<String, Ended> {
        let nodes = &self.plan.pipelines[&self.pipeline].graph.nodes;
        nodes
            .iter()
            .map(|node| {
                let ended = self.run(&node.id);
                assert_eq!(ended.code, Some(0), "{}: {}", node.id, ended.stderr);
                (node.id.clone(), ended)
            })
            .collect()
    }

    /// The folder of a task's outputs, for a root on this machine.
    pub fn outputs(&self, task: &str) -> PathBuf {
        Path::new(&self.root)
            .join(&self.pipeline)
            .join(&self.placement.run)
            .join(task)
    }

    /// The manifest of a task, for a root on this machine.
    pub fn manifest(&self, task: &str) -> Option<Json> {
        let text = fs::read_to_string(self.outputs(task).join("outputs.json")).ok()?;
        Some(serde_json::from_str(&text).unwrap())
    }
}

fn compile(path: &Path) -> Plan {
    let host = DiskHost::open(camino::Utf8Path::from_path(path).unwrap()).unwrap();
    build(&Database::new(Arc::new(host))).unwrap_or_else(|error| panic!("{error:#?}"))
}

fn references(operand: &Operand, visit: &mut dyn FnMut(&Reference)) {
    match operand {
        Operand::Value(_) => {}
        Operand::Reference(reference) => visit(reference),
        Operand::Expression(expression) => expression.references(&mut |reference| visit(reference)),
        Operand::List(items) => items.iter().for_each(|item| references(item, visit)),
    }
}
