//! The parser on whole programs: every construct, broken text, hostile text.

use mlp::syntax::{self, ast::ItemKind};

const SAMPLE: &str = include_str!("syntax/sample.mlp");

fn assert_clean(text: &str) -> syntax::Parse {
    let parse = syntax::parse(text);
    let errors: Vec<String> = parse
        .errors()
        .map(|error| {
            format!(
                "{:?} at {:?}: {}",
                error.kind,
                text.get(error.range.as_usize()),
                error.message
            )
        })
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    parse
}

#[test]
fn the_sample_program_parses() {
    let parse = assert_clean(SAMPLE);
    assert_eq!(parse.items.len(), 15);
    assert!(
        !parse
            .items
            .iter()
            .any(|(_, item)| matches!(item.item.kind, ItemKind::Broken(_)))
    );
    assert_eq!(
        parse.module_docs.as_deref(),
        Some("Credit risk: retrained nightly and whenever applicants drift.")
    );
}

#[test]
fn the_standard_library_parses() {
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/stdlib/std")).unwrap() {
        assert_clean(&std::fs::read_to_string(entry.unwrap().path()).unwrap());
    }
}

/// One slip per program; the snapshot shows what the user is told, and what applying the fix gives.
const SLIPS: &[&str] = &[
    "pipline p() {}",
    "def f():\n  return 1",
    "import pandas as pd",
    "let x = 1",
    "class A { a: int }",
    "use",
    "use a",
    "use a::{b c}",
    "use a:b",
    "schema { a: int }",
    "schema A { age: }",
    "schema A {\n  age:\n  name: string\n}",
    "schema A { amount float }",
    "schema A { amount = float }",
    "schema A { a: int in }",
    "schema A { a: int > }",
    "schema A { a: string matches 5 }",
    "schema A { a: list<int }",
    "schema A { a: int @ }",
    "schema A { größe: int }",
    "schema A { in: int }",
    "schema A { a: int; b: int }",
    "schema A { a: int??? }",
    "schema A = B witout { a }",
    "schema A B",
    "schema A {\n  a: int",
    "schema A { a: int }}",
    "schema A { a: enum { x, 1 } }",
    "record R { a: }",
    "enum E { a b = 3 }",
    "checks C S { a > 0 }",
    "checks C om S { a > 0 }",
    "checks C on S { a = 0 }",
    "checks C on S { a < b < c }",
    "checks C on S { a > 0 and not b > 1 or c }",
    "checks C on S { a > }",
    "checks C on S { a & b }",
    "features F of S { a = b }",
    "features F from S { a: b }",
    "features F from S { keep a, b }",
    "features F from S { a = b + }",
    "model M { input CreditFeatures }",
    "model M { task = binary }",
    "model M { task: }",
    "artifact A { version: '1' }",
    "step f(a: int) { run: builtin }}",
    "step f(a int) -> M { run: builtin }",
    "step f(a: int) M { run: builtin }",
    "step f(a: int) - > M { run: builtin }",
    "step f(a: int) : M { run: builtin }",
    "step f a: int -> M { run: builtin }",
    "step f(a: int, -> M { run: builtin }",
    "step f(a: int b: int) -> M { run: builtin }",
    "step f() -> M attest validated { run: builtin }",
    "step f() -> M { run: python 'a.py:f' }",
    "step f() -> M { run: python “a.py:f” }",
    "step f() -> M {\n  run: python \"a.py:f\n  image: \"x\"\n}",
    "step f() -> M {\n  resources { cpu: 2 }\n}",
    "step f() -> M { resources: { memory: 16 GiB } }",
    "step f() -> M { timeout: 5minutes }",
    "step f() -> M { timeout: 30m }",
    "step f() -> M { env: { \"A B\": \"x\" } }",
    "step f() -> M { run: command [\"a\" \"b\"] }",
    "step f() -> M { retries: 99999999999999999999 }",
    "service S M { replicas: 1 }",
    "service S for { replicas: 1 }",
    "pipeline p() {\n  lett x = f()\n  g(x)\n}",
    "pipeline p() {\n  x = f()\n  g(x)\n}",
    "pipeline p() {\n  let x f()\n}",
    "pipeline p() {\n  let x = f(a b)\n}",
    "pipeline p() {\n  let x = f(a = 1)\n}",
    "pipeline p() {\n  let x = f(a\n  let y = g()\n}",
    "pipeline p() {\n  let x = [a, b\n  let y = g()\n}",
    "pipeline p() {\n  let x = gate(m, s) {\n    auc > 1\n  let y = g()\n}",
    "pipeline p() {\n  if x:\n    f()\n}",
    "pipeline p() {\n  for x on xs { f(x) }\n}",
    "pipeline p() {\n  let x = a.b(c)\n}",
    "pipeline p() {\n  let x = \"a {b\"\n}",
    "pipeline p() {\n  let x = \"a {1 2}\"\n}",
    "pipeline p() {\n  let x = \"a\\d\"\n}",
    "pipeline p() {\n  # comment\n  let x = 1\n}",
    "pipeline p() {\n  return\n}",
    "pipeline p( {\n  f()\n}",
    "pipeline p() -> {\n  f()\n}",
    "pipeline p() {\n  let `x = 1\n}",
    "pipeline p() {\n  f(x))\n}",
    "pipeline p()",
    "monitor M S { every: 1h }",
    "monitor M on S { every 1h }",
    "trigger t for p { cron \"0 2 * * *\" }",
    "trigger t p { cron: \"0 2 * * *\" }",
    "target prod vertex { project: \"x\" }",
    "target prod: { project: \"x\" }",
    "policy P for prod { requir image.digest }",
    "policy P for prod { image.digest }",
    "test \"a\" { run p() expect f fialed }",
    "test \"a\" { ru p() }",
    "test a { run p() }",
    "}",
    "42",
    "schema A { a: int in 1..=10 $ }",
];

fn applied(text: &str, fix: &(mlp::source::TextRange, String)) -> String {
    let range = fix.0.as_usize();
    format!("{}{}{}", &text[..range.start], fix.1, &text[range.end..])
}

#[test]
fn slips_are_told_in_the_users_words() {
    let mut told = String::new();
    for text in SLIPS {
        told.push_str(&format!("{text}\n"));
        let errors: Vec<_> = syntax::parse(text).errors().collect();
        if errors.is_empty() {
            told.push_str("NO ERROR\n");
        }
        for error in errors {
            let at = &text[error.range.as_usize()];
            told.push_str(&format!("  {} at {at:?}: {}\n", error.kind.code(), error.message));
            for help in &error.help {
                told.push_str(&format!("    help: {help}\n"));
            }
            for (range, label) in &error.related {
                told.push_str(&format!("    {}: {label}\n", range.start));
            }
            for fix in &error.fix {
                let mended = applied(text, fix);
                let left = syntax::parse(&mended).errors().count();
                told.push_str(&format!("    fix: {mended:?}, then {left} errors\n"));
            }
        }
        told.push('\n');
    }
    insta::assert_snapshot!(told);
}
