//! Every page of `mlp explain`: its wrong example gives exactly its diagnostic, its mended one none, and its fix turns the
//! one into the other, byte for byte.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads the repository's own files, and may stop at the first surprise"
)]

mod harness;

use harness::{Block, Example, blocks};
use mlp::diagnostics::{Code, Declaration, Format, index};
use mlp::project::Contents;

#[test]
fn every_page_keeps_its_promise() {
    let pages = Code::ALL.iter().map(|code| code.declaration());
    let failures: Vec<String> = pages
        .filter_map(|page| examine(page).err().map(|reason| format!("{}: {reason}", page.code)))
        .collect();
    assert!(
        failures.is_empty(),
        "{} pages fail\n\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn examine(page: &Declaration) -> Result<(), String> {
    let title = page.page.lines().next().unwrap_or_default();
    let expected = format!("# {}", capitalised(page.summary));
    if title != expected {
        return Err(format!("the title must be the summary: `{expected}`"));
    }
    let blocks = blocks(page.page);
    let wrong = example(&blocks, "Wrong");
    let mended = example(&blocks, "Mended");
    if wrong == mended {
        return Err("the wrong example and the mended one are the same".to_owned());
    }
    let compiled = wrong.compile();
    let [diagnostic] = compiled.diagnostics.as_slice() else {
        return Err(format!(
            "the wrong example must give one problem, and gives\n{}",
            compiled.show(Format::Line)
        ));
    };
    if diagnostic.code.declaration().code != page.code {
        return Err(format!(
            "the wrong example gives another problem\n{}",
            compiled.show(Format::Line)
        ));
    }
    let clean = mended.compile();
    if !clean.diagnostics.is_empty() {
        return Err(format!("the mended example has problems\n{}", clean.show(Format::Line)));
    }
    if diagnostic.fix.is_some() {
        let mut fixed = wrong.clone();
        let texts = compiled
            .mended()
            .into_iter()
            .map(|(path, text)| (path, Contents::Text(text)));
        fixed.files.extend(texts);
        if fixed != mended {
            return Err(format!("the fix gives {:#?}", fixed.files));
        }
    }
    Ok(())
}

#[test]
fn examples_are_in_the_canonical_style() {
    let mut failures = Vec::new();
    for page in Code::ALL.iter().map(|code| code.declaration()) {
        let formatted = in_canonical_style(page.page);
        if formatted == page.page {
            continue;
        }
        failures.push(page.code);
        if harness::is_blessing() {
            let path = harness::root().join(format!("src/diagnostics/pages/{}.md", page.code));
            std::fs::write(path, formatted).unwrap();
        }
    }
    assert!(
        failures.is_empty() || harness::is_blessing(),
        "formatted otherwise: {}",
        failures.join(", ")
    );
}

/// A page with every program formatted that parses.
fn in_canonical_style(page: &str) -> String {
    let mut lines: Vec<String> = page.lines().map(str::to_owned).collect();
    for block in blocks(page).iter().rev().filter(|block| block.kind == "mlp") {
        if let Ok(formatted) = mlp::format::format(&block.text) {
            let own = block.line..block.line + block.text.lines().count();
            lines.splice(own, formatted.lines().map(str::to_owned));
        }
    }
    lines.join("\n") + "\n"
}

/// The files of one section, with those that stand outside both examples.
fn example(blocks: &[Block], heading: &str) -> Example {
    let own = blocks.iter().filter(|block| block.heading == heading);
    let shared = blocks
        .iter()
        .filter(|block| block.heading != "Wrong" && block.heading != "Mended");
    let named = shared.filter(|block| block.path.is_some());
    Example {
        files: named.chain(own).filter_map(Block::file).collect(),
    }
}

fn capitalised(summary: &str) -> String {
    let mut characters = summary.chars();
    let first = characters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(characters).collect()
}

#[test]
fn every_file_among_the_pages_belongs_to_a_code() {
    let folder = harness::root().join("src/diagnostics/pages");
    for entry in folder.read_dir_utf8().unwrap() {
        let name = entry.unwrap().file_name().to_owned();
        let known = Code::ALL
            .iter()
            .any(|code| format!("{}.md", code.declaration().code) == name);
        assert!(known, "{name} belongs to no diagnostic");
    }
}

#[test]
fn the_index_is_fresh() {
    harness::assert_fresh("docs/diagnostics.md", &index());
}
