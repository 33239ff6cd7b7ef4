//! Plans of whole programs: complete, free of dangling names, the same every time; and none for a program with errors.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests read the repository's own files, and fail by panicking"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use mlp::db::Database;
use mlp::plan::{self, BuildError, Graph, Node, NodeKind, Plan, PortType};
use mlp::project::{DiskHost, MemoryHost};

fn example(name: &str) -> Plan {
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
    plan::build(&Database::new(Arc::new(DiskHost::at(root)))).unwrap()
}

fn program(files: &[(&str, &str)]) -> Result<Plan, BuildError> {
    let files = files
        .iter()
        .map(|(path, text)| (Utf8PathBuf::from(path), (*text).to_owned()));
    let host = MemoryHost { files: files.collect() };
    plan::build(&Database::new(Arc::new(host)))
}

/// Every node at any depth.
fn nodes(graph: &Graph) -> Vec<&Node> {
    let mut found = Vec::new();
    for node in &graph.nodes {
        found.push(node);
        match &node.kind {
            NodeKind::Step(_) | NodeKind::Operation(_) | NodeKind::Pipeline(_) => {}
            NodeKind::Branch(branch) => {
                found.extend(nodes(&branch.then));
                found.extend(nodes(&branch.otherwise));
            }
            NodeKind::Loop(each) => found.extend(nodes(&each.body)),
            NodeKind::Finally(graph) => found.extend(nodes(graph)),
        }
    }
    found
}

fn assert_resolves(plan: &Plan, ty: &PortType) {
    match ty {
        PortType::Dataset { schema, .. } => assert!(plan.schemas.contains_key(schema), "no schema {schema}"),
        PortType::Model { model, .. } | PortType::Metrics { model } => {
            assert!(plan.models.contains_key(model), "no model {model}");
        }
        PortType::Deployment { service } => assert!(plan.services.contains_key(service), "no service {service}"),
        PortType::List(of) => assert_resolves(plan, of),
        PortType::Value(_)
        | PortType::File
        | PortType::Directory
        | PortType::Html
        | PortType::Markdown
        | PortType::Opaque
        | PortType::Custom { .. } => {}
    }
}

fn assert_complete(plan: &Plan) {
    for pipeline in plan.pipelines.values() {
        let all = nodes(&pipeline.graph);
        let ids: BTreeSet<&str> = all.iter().map(|node| node.id.as_str()).collect();
        assert_eq!(ids.len(), all.len(), "ids are unique");
        for node in all {
            let ports = node
                .inputs
                .iter()
                .map(|input| &input.ty)
                .chain(node.outputs.iter().map(|port| &port.ty));
            ports.for_each(|ty| assert_resolves(plan, ty));
            assert!(pipeline.origins.contains_key(&node.id), "{} has no place", node.id);
            assert!(
                node.after.iter().all(|before| ids.contains(before.as_str())),
                "{}: {:?}",
                node.id,
                node.after
            );
            if let NodeKind::Step(call) = &node.kind {
                assert!(plan.steps.contains_key(&call.step), "no step {}", call.step);
            }
        }
    }
    for model in plan.models.values() {
        assert!(plan.schemas.contains_key(&model.input), "no schema {}", model.input);
    }
    for service in plan.services.values() {
        assert!(plan.models.contains_key(&service.model), "no model {}", service.model);
    }
    for port in plan
        .steps
        .values()
        .flat_map(|step| step.inputs.iter().chain(&step.outputs))
    {
        assert_resolves(plan, &port.ty);
    }
}

#[test]
fn the_examples_give_complete_plans() {
    for name in ["credit", "flights"] {
        let plan = example(name);
        assert!(plan.pipelines.contains_key(name));
        assert_eq!(plan.project.name, name);
        assert_complete(&plan);
        let text = plan::to_json(&plan).unwrap();
        assert_eq!(plan::from_json(&text).unwrap(), plan);
        assert_eq!(
            plan::to_json(&example(name)).unwrap(),
            text,
            "the same bytes every time"
        );
    }
}

const MANIFEST: (&str, &str) = ("mlp.toml", "name = \"p\"\nversion = \"1.2.3\"\n");

#[test]
fn a_plan_knows_the_place_of_every_step() {
    let text = "\
step hello(name: string) -> File {
  run: command [\"hello\", \"{name}\", \"{output}\"]
}

pipeline main(name: string = \"you\") -> File {
  let file = hello(name)
  return file
}
";
    let plan = program(&[MANIFEST, ("greet.mlp", text)]).unwrap();
    assert_eq!(plan.project.version, "1.2.3");
    let pipeline = &plan.pipelines["main"];
    let origin = &pipeline.origins["file"];
    assert_eq!((origin.file.as_str(), origin.line), ("greet.mlp", 6));
    assert_eq!(pipeline.outputs.len(), 1);
    assert_complete(&plan);
}

#[test]
fn a_program_with_errors_has_no_plan() {
    let problems = program(&[MANIFEST, ("main.mlp", "schema S {\n  a: flaot\n}\n")]);
    let Err(BuildError::Program(problems)) = problems else {
        panic!("it has a plan: {problems:?}");
    };
    assert_eq!(problems.len(), 1);
    let text = BuildError::Program(problems).to_string();
    assert_eq!(text, "the program has 1 error");
}

#[test]
fn two_meanings_of_one_name_are_refused() {
    let step = |program: &str| {
        format!(
            "step work() -> File {{\n  run: command [\"{program}\", \"{{output}}\"]\n}}\n\n\
             pipeline {program}() -> File {{\n  return work()\n}}\n"
        )
    };
    let (first, second) = (step("one"), step("two"));
    let plan = program(&[MANIFEST, ("a.mlp", &first), ("b.mlp", &second)]);
    let Err(BuildError::Ambiguous {
        what,
        name,
        first,
        second,
    }) = plan
    else {
        panic!("one name stands for two steps: {plan:?}");
    };
    assert_eq!(
        (what, name.as_str(), first.as_str(), second.as_str()),
        ("step", "work", "a.mlp", "b.mlp")
    );
}
