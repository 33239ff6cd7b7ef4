//! The drawings of one small plan, and of one whose every name is hostile.

use std::collections::BTreeMap;

use super::{Drawing, dot, html, mermaid, text};
use crate::plan::{
    Branch, Expression, Graph, Input, Loop, Node, NodeKind, Operand, Operation, PLAN_VERSION, Pipeline, Plan, Port,
    PortType, Project, Reference, StepCall,
};
use crate::types::{DataKind, DataType, Evidence, Value};

/// Text that means something in every format that is written here.
const HOSTILE: &str = "a\"]; <b>&'`{x}`|\\n%%#35;-->]]>\u{1b}[31m\n</title>${y}";

fn output(node: &str, port: &str) -> Operand {
    Operand::Reference(Reference::Output {
        node: node.to_owned(),
        port: port.to_owned(),
    })
}

fn dataset(evidence: Evidence) -> PortType {
    PortType::Dataset {
        schema: "Row".to_owned(),
        evidence,
    }
}

fn node(id: &str, callee: &str, kind: NodeKind, inputs: &[(&str, Operand)], outputs: &[(&str, PortType)]) -> Node {
    let input = |(name, value): &(&str, Operand)| Input {
        name: (*name).to_owned(),
        value: value.clone(),
        ty: dataset(Evidence::None),
    };
    let port = |(name, ty): &(&str, PortType)| Port {
        name: (*name).to_owned(),
        ty: ty.clone(),
    };
    Node {
        id: id.to_owned(),
        callee: callee.to_owned(),
        kind,
        inputs: inputs.iter().map(input).collect(),
        outputs: outputs.iter().map(port).collect(),
        after: Vec::new(),
    }
}

fn step(id: &str, inputs: &[(&str, Operand)], outputs: &[(&str, PortType)]) -> Node {
    let call = StepCall {
        step: format!("{id}_step"),
    };
    node(id, &format!("{id}_step"), NodeKind::Step(call), inputs, outputs)
}

fn read(id: &str) -> Node {
    let operation = Box::new(Operation::Read {
        schema: "Row".to_owned(),
    });
    let source = ("source", Operand::Value(Value::String("data.csv".to_owned())));
    let output = ("output", dataset(Evidence::None));
    node(id, "read", NodeKind::Operation(operation), &[source], &[output])
}

fn pipeline(name: &str, nodes: Vec<Node>) -> Drawing {
    let pipeline = Pipeline {
        name: name.to_owned(),
        docs: Some(format!("About {name}.")),
        parameters: vec![crate::plan::Parameter {
            name: "limit".to_owned(),
            ty: DataType::plain(DataKind::Int),
            default: Some(Value::Int(3)),
            docs: None,
        }],
        graph: Graph { nodes },
        outputs: Vec::new(),
        origins: BTreeMap::new(),
    };
    let plan = Plan {
        version: PLAN_VERSION,
        project: Project {
            name: "test".to_owned(),
            version: "0.1.0".to_owned(),
        },
        pipelines: BTreeMap::new(),
        steps: BTreeMap::new(),
        models: BTreeMap::new(),
        services: BTreeMap::new(),
        schemas: BTreeMap::new(),
        targets: BTreeMap::new(),
        triggers: BTreeMap::new(),
    };
    Drawing::new(&plan, &pipeline)
}

/// read → validate → split → train, with a test part used two rows later, a branch and a loop.
fn sample() -> Drawing {
    let validate = NodeKind::Operation(Box::new(Operation::Validate {
        schema: "Row".to_owned(),
        checks: None,
    }));
    let model = |evidence| PortType::Model {
        model: "M".to_owned(),
        evidence,
    };
    let validated = dataset(Evidence::Validated);
    let mut last = step("report", &[("scores", output("scores", "output"))], &[]);
    last.after.push("each".to_owned());
    let items = Operand::List(vec![Operand::Value(Value::Int(1)), Operand::Value(Value::Int(2))]);
    let each = Loop {
        item: "size".to_owned(),
        items,
        max: Some(2),
        body: Graph {
            nodes: vec![step("each.try", &[("data", output("parts", "train"))], &[])],
        },
        gather: Vec::new(),
    };
    let branch = Branch {
        condition: Expression::Reference(Reference::Parameter("limit".to_owned())),
        then: Graph {
            nodes: vec![step("choice.yes", &[("model", output("fit", "output"))], &[])],
        },
        otherwise: Graph {
            nodes: vec![step("choice.no", &[], &[])],
        },
        values: Vec::new(),
    };
    pipeline(
        "sample",
        vec![
            read("raw"),
            node(
                "clean",
                "validate",
                validate,
                &[("data", output("raw", "output"))],
                &[("output", validated.clone())],
            ),
            step(
                "parts",
                &[("data", output("clean", "output"))],
                &[("train", validated.clone()), ("test", validated)],
            ),
            step(
                "fit",
                &[("data", output("parts", "train"))],
                &[("output", model(Evidence::None))],
            ),
            step(
                "scores",
                &[("model", output("fit", "output")), ("data", output("parts", "test"))],
                &[("output", PortType::Metrics { model: "M".to_owned() })],
            ),
            node("choice", "if", NodeKind::Branch(branch), &[], &[]),
            node("each", "for", NodeKind::Loop(each), &[], &[]),
            last,
        ],
    )
}

#[test]
fn text_shows_lanes() {
    insta::assert_snapshot!(text(&sample()));
}

#[test]
fn mermaid_shows_regions_as_subgraphs() {
    insta::assert_snapshot!(mermaid(&sample()));
}

#[test]
fn dot_shows_regions_as_clusters() {
    insta::assert_snapshot!(dot(&sample()));
}

#[test]
fn the_page_holds_everything_and_needs_nothing() {
    let page = html(&sample());
    for name in [
        "raw",
        "clean",
        "parts",
        "fit",
        "scores",
        "choice.yes",
        "choice.no",
        "each.try",
        "report",
    ] {
        assert!(page.contains(&format!(">{name}</text>")), "{name} is not drawn");
    }
    assert!(page.contains("for size in [1, 2] max 2"));
    assert!(page.contains("class=\"node evidence validated\""));
    for outside in ["<script", "<link", "url(http", "src=", "@import"] {
        assert!(!page.contains(outside), "the page reaches outside with {outside}");
    }
}

#[test]
fn an_empty_pipeline_is_drawn() {
    let drawing = pipeline("nothing", Vec::new());
    assert_eq!(text(&drawing), "pipeline nothing\n  limit: int = 3\n\n");
    assert!(html(&drawing).contains("<svg"));
    assert!(mermaid(&drawing).starts_with("flowchart TD\n"));
}

/// `deploy(register(fit))` names its argument `deploy.register`: a node beside `deploy`, not inside it.
#[test]
fn an_argument_named_after_its_call_keeps_its_edge() {
    let inner = step("deploy.register", &[], &[("output", PortType::File)]);
    let outer = step("deploy", &[("model", output("deploy.register", "output"))], &[]);
    let drawn = mermaid(&pipeline("release", vec![inner, outer]));
    assert_eq!(drawn.matches("-->").count(), 1, "{drawn}");
}

fn hostile() -> Drawing {
    let mut first = read(HOSTILE);
    first.callee = HOSTILE.to_owned();
    let second = step(
        "next",
        &[(HOSTILE, output(HOSTILE, HOSTILE))],
        &[(HOSTILE, PortType::File)],
    );
    pipeline(HOSTILE, vec![first, second])
}

#[test]
fn hostile_names_stay_text_in_a_terminal() {
    let drawn = text(&hostile());
    assert!(
        drawn.chars().all(|each| each == '\n' || !each.is_control()),
        "{drawn:?}"
    );
    assert_eq!(drawn.lines().count(), 5, "one line each: {drawn}");
}

#[test]
fn hostile_names_stay_text_in_mermaid() {
    let drawn = mermaid(&hostile());
    for line in drawn.lines().filter(|line| line.contains("[\"")) {
        let label = line.split_once("[\"").and_then(|(_, rest)| rest.rsplit_once("\"]"));
        let (label, _) = label.expect("a label ends");
        let left = label.replace("<br/>", "");
        assert!(
            !left.contains(['"', '<', '>', '`', '{', '}', '|', '[', ']', '\\', '%', '&']),
            "{left}"
        );
    }
    assert_eq!(drawn.lines().filter(|line| line.contains("-->")).count(), 1, "{drawn}");
}

/// Reads DOT's quoted strings: every quote that is not escaped ends or begins one, and the last one is closed.
#[test]
fn hostile_names_stay_text_in_dot() {
    let drawn = dot(&hostile());
    let mut outside = String::new();
    let mut characters = drawn.chars();
    let mut quoted = false;
    while let Some(character) = characters.next() {
        match character {
            '\\' if quoted => drop(characters.next()),
            '"' => quoted = !quoted,
            _ if quoted => assert!(!character.is_control(), "a control character in a label"),
            _ => outside.push(character),
        }
    }
    assert!(!quoted, "a string is not closed");
    assert!(
        !outside.contains(['<', '&', '`', '%', '#', '$']),
        "text escaped its quotes: {outside}"
    );
}

#[test]
fn hostile_names_stay_text_in_the_page() {
    let page = html(&hostile());
    assert!(
        !page.contains("<b>") && !page.contains("]]>") && !page.contains('\u{1b}'),
        "{page}"
    );
    assert_eq!(
        page.matches("</title>").count(),
        1 + 2,
        "one for the page, one for each node"
    );
    assert!(page.contains("&lt;b&gt;&amp;&#39;"));
}
