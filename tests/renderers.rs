//! The five forms in which diagnostics are shown, for one project with problems in several files.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod harness;

use harness::{Compiled, Example};
use insta::assert_snapshot;
use mlp::diagnostics::{Code, Format};
use mlp::project::Contents;
use serde_json::Value;

const LOANS: &str = "\
// ä\tcafé
use bank::Lone
use std::data::{read, mask}

schema Fruit {
  amount: float;
}

step validate(path: string) -> File {
  run: command [\"check\", \"{path}\"]
}
";

fn compiled() -> Compiled {
    let files = [
        ("loans and more.mlp", LOANS),
        ("bank.mlp", "schema Loan {\n  amount: float\n}\n\nschema Loan {\n}\n"),
    ];
    let files = files.map(|(path, text)| (path.into(), Contents::Text(text.to_owned())));
    Example { files: files.into() }.compile()
}

#[test]
fn terminal() {
    assert_snapshot!(compiled().show(Format::Terminal { colour: false }));
}

#[test]
fn colours_add_nothing_but_colours() {
    let coloured = compiled().show(Format::Terminal { colour: true });
    assert!(coloured.contains("\u{1b}["));
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    plain.push_str(rest);
    assert_eq!(plain, compiled().show(Format::Terminal { colour: false }));
}

#[test]
fn lines() {
    assert_snapshot!(compiled().show(Format::Line));
}

#[test]
fn github() {
    assert_snapshot!(compiled().show(Format::Github));
}

#[test]
fn json() {
    assert_snapshot!(compiled().show(Format::Json));
}

#[test]
fn sarif() {
    let text = compiled().show(Format::Sarif);
    let mut log: Value = serde_json::from_str(&text).unwrap();
    let rules = log["runs"][0]["tool"]["driver"]["rules"].take();
    assert_eq!(rules.as_array().unwrap().len(), Code::ALL.len());
    for (rule, code) in rules.as_array().unwrap().iter().zip(Code::ALL) {
        assert_eq!(rule["id"], code.declaration().code);
        assert!(rule["shortDescription"]["text"].is_string());
        assert!(rule["help"]["text"].is_string());
    }
    for result in log["runs"][0]["results"].as_array_mut().unwrap() {
        let index = usize::try_from(result["ruleIndex"].take().as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
    assert_snapshot!(format!("{log:#}"));
}

#[test]
fn nothing_to_say() {
    let clean = Example::default().compile();
    assert_eq!(clean.show(Format::Terminal { colour: true }), "");
    assert_eq!(clean.show(Format::Line), "");
    assert_eq!(clean.show(Format::Github), "");
    assert_eq!(clean.show(Format::Json), "[]\n");
    let log: Value = serde_json::from_str(&clean.show(Format::Sarif)).unwrap();
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(log["runs"][0]["results"], Value::Array(Vec::new()));
}
