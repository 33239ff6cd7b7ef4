//! Programs in Markdown: reading their fenced blocks, compiling them in memory. What a document promises about them is for
//! the tests to say.
#![allow(
    dead_code,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "shared by several tests, which read the repository's own files"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use mlp::db::Database;
use mlp::diagnostics::{Applicability, Format, ResolvedDiagnostic, render};
use mlp::project::{Contents, Host};
use mlp::workspace;

/// The path of a program whose block names none.
pub const MAIN: &str = "main.mlp";

/// Whether the expectations are to be rewritten.
pub fn is_blessing() -> bool {
    std::env::var_os("MLP_BLESS").is_some_and(|value| value == "1")
}

/// The repository's root.
pub fn root() -> &'static Utf8Path {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a generated file with what is committed, or rewrites it.
pub fn assert_fresh(path: &str, expected: &str) {
    let full = root().join(path);
    if is_blessing() {
        std::fs::write(&full, expected).unwrap();
        return;
    }
    let found = std::fs::read_to_string(&full).unwrap_or_default();
    assert!(found == expected, "{path} is stale: run `MLP_BLESS=1 cargo test`");
}

/// A fenced block of a Markdown text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The heading above it, without `#`.
    pub heading: String,
    /// How many headings stand above it.
    pub section: usize,
    /// The first word after the fence: `mlp`, `errors`.
    pub kind: String,
    /// The second word: a path.
    pub path: Option<Utf8PathBuf>,
    /// Whether the third word is `shared`: the file is part of every program that follows.
    pub is_shared: bool,
    /// The line of the opening fence, from 1.
    pub line: usize,
    /// What stands between the fences, ending in a line break unless empty.
    pub text: String,
}

/// Every fenced block of `markdown`, in order.
pub fn blocks(markdown: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let (mut heading, mut section) = (String::new(), 0);
    let mut open: Option<Block> = None;
    for (number, line) in markdown.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, Some(info)) => {
                let mut words = info.split_whitespace();
                open = Some(Block {
                    heading: heading.clone(),
                    section,
                    kind: words.next().unwrap_or_default().to_owned(),
                    path: words.next().map(Utf8PathBuf::from),
                    is_shared: words.next() == Some("shared"),
                    line: number + 1,
                    text: String::new(),
                });
            }
            (None, None) if line.starts_with('#') => {
                line.trim_start_matches('#').trim().clone_into(&mut heading);
                section += 1;
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    found
}

impl Block {
    /// The file that this block is, if it is one: a block with a path, or a program without.
    pub fn file(&self) -> Option<(Utf8PathBuf, Contents)> {
        let path = match (&self.path, self.kind.as_str()) {
            (Some(path), _) => path.clone(),
            (None, "mlp") => Utf8PathBuf::from(MAIN),
            (None, _) => return None,
        };
        let contents = match self.kind.as_str() {
            "hex" => Contents::from_bytes(bytes(&self.text)),
            "unreadable" => Contents::Unreadable(self.text.trim().to_owned()),
            _ => Contents::Text(self.text.clone()),
        };
        Some((path, contents))
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect()
}

/// A project in memory whose files may also be broken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Example {
    pub files: BTreeMap<Utf8PathBuf, Contents>,
}

impl Host for Example {
    fn read(&self, path: &Utf8Path) -> Contents {
        self.files.get(path).cloned().unwrap_or(Contents::Missing)
    }

    fn list(&self, extension: &str) -> Vec<Utf8PathBuf> {
        let paths = self.files.keys().filter(|path| path.extension() == Some(extension));
        paths.cloned().collect()
    }
}

/// A compiled example.
pub struct Compiled {
    pub database: Database,
    pub diagnostics: Vec<ResolvedDiagnostic>,
}

impl Example {
    pub fn compile(&self) -> Compiled {
        let database = Database::new(Arc::new(self.clone()));
        let diagnostics = workspace::check(&database);
        Compiled { database, diagnostics }
    }
}

impl Compiled {
    pub fn show(&self, format: Format) -> String {
        render(&self.database, &self.diagnostics, format)
    }

    /// The files that change when every fix is applied until nothing changes.
    pub fn mended(mut self) -> BTreeMap<Utf8PathBuf, String> {
        workspace::mend(&mut self.database, Applicability::Unsafe)
    }
}
