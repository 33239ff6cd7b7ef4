//! What is computed again after an edit, counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use camino::Utf8Path;

use super::Database;
use crate::project::{Contents, MemoryHost};
use crate::workspace;

const PATH: &str = "credit.mlp";

const TEXT: &str = r#"use std::data::read

schema Applicant {
  amount: float
}

step first(data: Dataset<Applicant>) -> File {
  run: command ["first", "{data}"]
}

step second(data: Dataset<Applicant>) -> File {
  run: command ["second", "{data}"]
}

pipeline credit() -> File {
  let raw = read<Applicant>("applicants.csv")
  return first(raw)
}
"#;

/// A database whose executed queries are counted by name.
struct Counted {
    database: Database,
    executed: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Counted {
    fn new() -> Self {
        let executed = Arc::new(Mutex::new(BTreeMap::new()));
        let counts = Arc::clone(&executed);
        let listen = move |event: salsa::Event| {
            if let salsa::EventKind::WillExecute { database_key } = event.kind {
                let shown = format!("{database_key:?}");
                let name = shown.split('(').next().unwrap_or_default().to_owned();
                *counts.lock().unwrap().entry(name).or_default() += 1;
            }
        };
        let files = [(PATH.into(), TEXT.to_owned())].into();
        let database = Database::listening(Arc::new(MemoryHost { files }), Box::new(listen));
        let counted = Self { database, executed };
        let _ = counted.executed_by_check();
        counted
    }

    fn executed_by_check(&self) -> BTreeMap<String, usize> {
        self.executed.lock().unwrap().clear();
        let _ = workspace::check(&self.database);
        self.executed.lock().unwrap().clone()
    }

    fn after_edit(&mut self, text: &str) -> BTreeMap<String, usize> {
        self.database
            .set_file(Utf8Path::new(PATH), Contents::from_text(text.to_owned()));
        self.executed_by_check()
    }
}

fn count(executed: &BTreeMap<String, usize>, query: &str) -> usize {
    executed.get(query).copied().unwrap_or(0)
}

#[test]
fn nothing_is_computed_twice() {
    let counted = Counted::new();
    assert_eq!(counted.executed_by_check(), BTreeMap::new());
}

#[test]
fn editing_a_body_parses_and_checks_that_item_alone() {
    let mut counted = Counted::new();
    let executed = counted.after_edit(&TEXT.replace("[\"second\"", "[\"2nd\""));
    assert_eq!(count(&executed, "parse_text"), 1, "{executed:?}");
    assert_eq!(count(&executed, "item_diagnostics"), 1, "{executed:?}");
    assert_eq!(count(&executed, "scope"), 0, "{executed:?}");
}

#[test]
fn moving_text_parses_and_checks_nothing() {
    let mut counted = Counted::new();
    let executed = counted.after_edit(&format!("\n\n{TEXT}"));
    assert_eq!(count(&executed, "parse_text"), 0, "{executed:?}");
    assert_eq!(count(&executed, "item_diagnostics"), 0, "{executed:?}");
    assert_eq!(count(&executed, "scope"), 0, "{executed:?}");
}

#[test]
fn a_diagnostic_moves_with_its_text() {
    let mut counted = Counted::new();
    let wrong = TEXT.replace("use std::data::read\n", "use std::dat::read\n");
    counted.after_edit(&wrong);
    let before = workspace::check(&counted.database);
    counted.after_edit(&format!("\n\n{wrong}"));
    let after = workspace::check(&counted.database);
    assert_eq!(before.len(), 1, "{before:#?}");
    assert_eq!(before[0].primary.start.line + 2, after[0].primary.start.line);
}

#[test]
fn files_come_and_go() {
    let mut counted = Counted::new();
    let using = TEXT.replace("schema Applicant {\n  amount: float\n}\n", "use bank::Applicant\n");
    counted.after_edit(&using);
    assert_eq!(workspace::check(&counted.database).len(), 1);
    let bank = Utf8Path::new("bank.mlp");
    counted.database.set_file(
        bank,
        Contents::from_text("schema Applicant {\n  amount: float\n}\n".to_owned()),
    );
    assert_eq!(workspace::check(&counted.database), []);
    counted.database.reload_file(bank);
    assert_eq!(workspace::check(&counted.database).len(), 1);
    counted.database.reload();
    assert_eq!(workspace::check(&counted.database), []);
}
