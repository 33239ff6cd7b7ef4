//! The parser and the formatter on whole programs: every construct, broken text, hostile text.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests read the repository's own programs"
)]

use mlp::format;
use mlp::syntax::{self, SyntaxErrorKind, ast::ItemKind};
use proptest::prelude::*;

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
        assert!(!errors.is_empty(), "no error for {text}");
        for error in errors {
            let at = &text[error.range.as_usize()];
            told.push_str(&format!("  {} at {at:?}: {}\n", error.kind.code(), error.message));
            if let Some(help) = &error.help {
                told.push_str(&format!("    help: {help}\n"));
            }
            for (range, label) in &error.related {
                told.push_str(&format!("    {}: {label}\n", range.start));
            }
            if let Some(fix) = &error.fix {
                let mended = applied(text, fix);
                let left = syntax::parse(&mended).errors().count();
                told.push_str(&format!("    fix: {mended:?}, then {left} errors\n"));
            }
        }
        told.push('\n');
    }
    insta::assert_snapshot!(told);
}

/// Deeper than any stack: refused before anything recurses.
#[test]
fn deep_nesting_is_one_clear_error() {
    let deep = [
        format!("checks C on S {{ {}a{} }}", "(".repeat(10_000), ")".repeat(10_000)),
        format!("checks C on S {{ {}a{} }}", "[".repeat(10_000), "]".repeat(10_000)),
        format!("pipeline p() {{ {}a{} }}", "if b {".repeat(10_000), "}".repeat(10_000)),
        format!("schema S = {}int{}", "list<".repeat(10_000), ">".repeat(10_000)),
        format!("checks C on S {{ {} }}", "\"{".repeat(10_000)),
        format!("checks C on S {{ {}a }}", "(".repeat(10_000)),
    ];
    for text in deep {
        let errors: Vec<_> = syntax::parse(&text).errors().collect();
        assert_eq!(errors.len(), 1, "{}", &text[..60]);
        assert_eq!(errors[0].kind, SyntaxErrorKind::TooComplex, "{}", errors[0].message);
    }
}

#[test]
fn long_chains_are_one_clear_error() {
    let long = [
        format!("checks C on S {{ {}a }}", "a + ".repeat(10_000)),
        format!("checks C on S {{ {}a }}", "!".repeat(10_000)),
        format!("checks C on S {{ {}a }}", "- ".repeat(10_000)),
        format!("checks C on S {{ a{} }}", ".b".repeat(10_000)),
        format!("checks C on S {{ a{} }}", " ?? b".repeat(10_000)),
        format!(
            "pipeline p() {{ if a {{ b() }} {} }}",
            "else if c { d() } ".repeat(10_000)
        ),
        format!("schema S = A {}", "without { b } ".repeat(10_000)),
        format!("schema S = {}A", "validated ".repeat(10_000)),
    ];
    for text in long {
        let errors: Vec<_> = syntax::parse(&text).errors().collect();
        assert_eq!(errors.len(), 1, "{}", &text[..60]);
        assert_eq!(errors[0].kind, SyntaxErrorKind::TooComplex, "{}", errors[0].message);
    }
}

/// What is refused is refused for its depth alone: just below the limit, everything parses on a test's small stack.
#[test]
fn what_is_not_too_deep_parses() {
    let depth = 60;
    assert_clean(&format!(
        "checks C on S {{ {}a{} }}",
        "(".repeat(depth),
        ")".repeat(depth)
    ));
    assert_clean(&format!(
        "checks C on S {{ {}a{} }}",
        "f([".repeat(depth / 2),
        "])".repeat(depth / 2)
    ));
    assert_clean(&format!(
        "pipeline p() {{ {}a(){} }}",
        "if b {".repeat(depth),
        "}".repeat(depth)
    ));
    assert_clean(&format!("schema S = {}int{}", "list<".repeat(depth), ">".repeat(depth)));
    assert_clean(&format!(
        "step f() -> M {{ a: {}1{} }}",
        "{ a: ".repeat(depth),
        "}".repeat(depth)
    ));
    assert_clean(&format!("checks C on S {{ {}a }}", "a + ".repeat(250)));
}

/// A file of `size` bytes, whole, and one item with as many lines, broken at its end.
fn parse_large(size: usize) {
    let one = SAMPLE.replace("//!", "//");
    let times = size / one.len() + 1;
    assert_eq!(syntax::parse(&one.repeat(times)).items.len(), 15 * times);
    let wide = format!("checks C on S {{\n{}  a = 1\n}}", "  a > 1\n".repeat(size / 80));
    assert_eq!(syntax::parse(&wide).errors().count(), 1);
}

#[test]
fn large_files_are_parsed() {
    parse_large(300_000);
}

#[test]
#[ignore = "takes half a minute without optimisation, ten times what the tenth of it takes"]
fn ten_megabytes_are_parsed() {
    parse_large(10_000_000);
}

#[test]
fn large_files_without_items_are_parsed() {
    for text in [
        "x ",
        "{",
        "}",
        "\"",
        "\n",
        "`",
        "\"\"\"\n",
        "step ",
        "// c\n",
        "use a::b\n",
    ] {
        let file = text.repeat(100_000 / text.len());
        let parse = syntax::parse(&file);
        assert!(text.trim().is_empty() || text.starts_with("//") || !parse.items.is_empty());
    }
}

/// Every item that is whole before the cut is there; equal text gives equal trees, so that the cutting is what counts.
#[test]
fn every_prefix_keeps_the_items_before_the_cut() {
    let whole = syntax::segments(SAMPLE).items;
    for cut in (0..SAMPLE.len()).filter(|cut| SAMPLE.is_char_boundary(*cut)) {
        let segments = syntax::segments(&SAMPLE[..cut]).items;
        let complete: Vec<_> = whole
            .iter()
            .take_while(|segment| segment.range.end as usize <= cut)
            .collect();
        let kept: Vec<_> = segments.iter().take(complete.len()).collect();
        assert_eq!(kept, complete, "cut at {cut}");
    }
    for line in 0..SAMPLE.lines().count() {
        let text: String = SAMPLE.lines().take(line).map(|line| format!("{line}\n")).collect();
        let broken = syntax::parse(&text)
            .items
            .iter()
            .filter(|(_, item)| !item.errors.is_empty())
            .count();
        assert!(broken <= 1, "{broken} items are broken in the first {line} lines");
    }
}

/// A line that is taken out, or broken, costs no other item.
#[test]
fn a_broken_line_costs_only_its_item() {
    let whole = syntax::parse(SAMPLE);
    for broken in ["", "  @@@ ((", "  \"open", "  }", "  {", "  )"] {
        for line in 0..SAMPLE.lines().count() {
            let mut lines: Vec<&str> = SAMPLE.lines().collect();
            lines[line] = broken;
            let text = lines.join("\n");
            let parse = syntax::parse(&text);
            let same = parse
                .items
                .iter()
                .filter(|(_, item)| whole.items.iter().any(|(_, other)| item.item == other.item))
                .count();
            assert!(
                same >= whole.items.len() - 2,
                "{same} items survive {broken:?} at line {}",
                line + 1
            );
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_parsed(text in "\\PC{0,200}") {
        check_total(&text);
    }

    #[test]
    fn any_mixture_of_tokens_is_parsed(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..120)) {
        check_total(&words.join(" "));
        check_total(&words.concat());
    }

    #[test]
    fn any_mutation_of_the_sample_is_parsed(at in 0..SAMPLE.len(), length in 0..40_usize, word in proptest::sample::select(WORDS)) {
        let start = (0..=at).rev().find(|at| SAMPLE.is_char_boundary(*at)).unwrap_or(0);
        let end = (start + length..=SAMPLE.len()).find(|end| SAMPLE.is_char_boundary(*end)).unwrap_or(SAMPLE.len());
        check_total(&format!("{}{word}{}", &SAMPLE[..start], &SAMPLE[end..]));
    }
}

const WORDS: &[&str] = &[
    "schema",
    "step",
    "pipeline",
    "checks",
    "features",
    "model",
    "test",
    "use",
    "A",
    "b",
    "::",
    ":",
    "=",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    "->",
    ",",
    "\n",
    "let",
    "if",
    "else",
    "for",
    "in",
    "return",
    "finally",
    "on",
    "from",
    "after",
    "since",
    "1",
    "2h",
    "25%",
    "1..=5",
    "..",
    "\"a\"",
    "\"{",
    "\"\"\"",
    "\"",
    "`",
    "//",
    "///",
    "@",
    "?",
    "??",
    "&&",
    "!",
    "-",
    "+",
    ".",
    ";",
    "'",
    "ö",
    "without",
    "join",
    "enum",
    "none",
    "validated",
    "40 USD",
];

/// Parsing ends, ranges lie in the text, items and errors are in order, and what lies between items means nothing.
fn check_total(text: &str) {
    assert_eq!(syntax::tree(text).text(text), text);
    let parse = syntax::parse(text);
    let mut end = 0;
    for (range, item) in &parse.items {
        let between = &text[end..range.start as usize];
        assert!(
            between
                .lines()
                .all(|line| line.trim().trim_start_matches('\u{feff}').is_empty() || line.trim().starts_with("//")),
            "{between:?} is lost"
        );
        end = range.end as usize;
        let item_text = &text[range.as_usize()];
        for node in &item.spans.ranges {
            assert!(item_text.get(node.as_usize()).is_some(), "{node:?} in {item_text:?}");
        }
        for error in &item.errors {
            assert!(
                item_text.get(error.range.as_usize()).is_some(),
                "{error:?} in {item_text:?}"
            );
        }
    }
}

/// All programs of the repository.
fn programs() -> Vec<(std::path::PathBuf, String)> {
    let mut folders = vec![std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR"))];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(".mlp") {
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                found.push((path, text));
            }
        }
    }
    found
}

#[test]
fn formatting_is_idempotent_and_keeps_comments() {
    for (path, text) in programs() {
        let Ok(once) = format::format(&text) else {
            assert!(
                syntax::parse(&text).errors().next().is_some(),
                "{} is refused without an error",
                path.display()
            );
            continue;
        };
        assert_eq!(
            format::format(&once).as_deref(),
            Ok(once.as_str()),
            "{}",
            path.display()
        );
        let comments = |text: &str| text.lines().filter(|line| line.contains("//")).count();
        assert_eq!(comments(&text), comments(&once), "{}", path.display());
    }
}

#[test]
fn the_sample_program_formatted() {
    insta::assert_snapshot!(format::format(SAMPLE).unwrap());
}

#[test]
#[ignore = "shows how a file is formatted: FILE=… cargo test -- --ignored shown --nocapture"]
fn shown() {
    let text = std::fs::read_to_string(std::env::var("FILE").unwrap()).unwrap();
    print!("{}", format::format(&text).unwrap());
}

#[test]
fn an_untidy_program_formatted() {
    let once = format::format(include_str!("syntax/untidy.mlp")).unwrap();
    assert_eq!(format::format(&once).as_deref(), Ok(once.as_str()));
    insta::assert_snapshot!(once);
}

#[test]
fn broken_text_is_not_formatted() {
    let refused = format::format("schema A { a int }");
    assert!(matches!(refused, Err(format::FormatError::Syntax(errors)) if errors.len() == 1));
}
