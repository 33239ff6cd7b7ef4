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

#[test]
#[ignore]
fn dump() {
    for (_, item) in syntax::parse(SAMPLE).items {
        println!("{:#?}", item.item);
    }
}
