//! The Python files that steps and models run, and the project's own modules that these import, directly or by way of
//! others. What is not the project's own comes with packages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use tree_sitter::{Node, Parser};

use crate::db::{Db, File};
use crate::plan::{Plan, Run};
use crate::project::PythonSources;

/// One imported module, as written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    /// How many dots stand before it: 0 for an absolute import.
    pub dots: usize,
    /// The words between the dots.
    pub module: Vec<String>,
    /// The names that `from … import` brings in, which may be modules themselves.
    pub names: Vec<String>,
}

/// Every import of a Python file, those inside functions among them; sorted, each once.
#[salsa::tracked]
pub fn imports(db: &dyn Db, file: File) -> Arc<Vec<Import>> {
    let text = file.contents(db).text().unwrap_or_default();
    let mut parser = Parser::new();
    let tree = match parser.set_language(&tree_sitter_python::LANGUAGE.into()) {
        Ok(()) => parser.parse(text, None),
        Err(_) => None,
    };
    let mut found = BTreeSet::new();
    let mut rest: Vec<Node<'_>> = tree.iter().map(tree_sitter::Tree::root_node).collect();
    while let Some(node) = rest.pop() {
        match node.kind() {
            "import_statement" => found.extend(plain_imports(node, text)),
            "import_from_statement" => found.extend(from_import(node, text)),
            _ => {
                let mut cursor = node.walk();
                rest.extend(node.named_children(&mut cursor));
            }
        }
    }
    Arc::new(found.into_iter().collect())
}

/// What each Python file that the plan's steps and models run brings with it. A file that is not there brings nothing.
#[must_use]
pub fn python_sources(db: &dyn Db, plan: &Plan) -> PythonSources {
    let steps = plan.steps.values().filter_map(|step| match &step.run {
        Run::Python(function) => Some(function),
        Run::Command(_) => None,
    });
    let functions = steps.chain(plan.models.values().map(|model| &model.run));
    let run: BTreeSet<&str> = functions.map(|function| function.file.as_str()).collect();
    run.into_iter()
        .map(|path| (path.to_owned(), brought(db, Utf8Path::new(path))))
        .filter(|(path, texts)| texts.contains_key(path))
        .collect()
}

/// The texts of a file that is run and of what it imports. Python searches the folder of that file first.
fn brought(db: &dyn Db, run: &Utf8Path) -> BTreeMap<String, String> {
    let beside = run.parent().unwrap_or(Utf8Path::new(""));
    let mut waiting = vec![run.to_owned()];
    let mut seen = BTreeSet::new();
    let mut found = BTreeMap::new();
    while let Some(path) = waiting.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let file = db.file(&path);
        let Some(text) = file.contents(db).text() else {
            continue;
        };
        found.insert(path.to_string(), text.to_owned());
        for import in imports(db, file).iter() {
            waiting.extend(files(db, import, &path, beside));
        }
    }
    found
}

/// The project's files that an import loads: those of the packages on the way, and the module's own.
fn files(db: &dyn Db, import: &Import, importer: &Utf8Path, beside: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut files = Vec::new();
    if let Some(climbs) = import.dots.checked_sub(1) {
        let package = importer.parent().and_then(|folder| {
            let mut above = folder.ancestors();
            above.nth(climbs)
        });
        if let Some(package) = package {
            load(db, package, import, &mut files);
        }
        return files;
    }
    for root in [beside, Utf8Path::new("")] {
        load(db, root, import, &mut files);
        if !files.is_empty() {
            break;
        }
    }
    files
}

/// What Python would load for an import whose first word stands in `root`.
fn load(db: &dyn Db, root: &Utf8Path, import: &Import, files: &mut Vec<Utf8PathBuf>) {
    let mut folder = root.to_owned();
    if import.dots > 0 {
        files.extend(existing(db, folder.join("__init__.py")));
    }
    for word in &import.module {
        let module = existing(db, folder.join(format!("{word}.py")));
        folder.push(word);
        files.extend(existing(db, folder.join("__init__.py")).or(module));
    }
    for name in &import.names {
        let module = existing(db, folder.join(format!("{name}.py")));
        files.extend(existing(db, folder.join(name).join("__init__.py")).or(module));
    }
}

fn existing(db: &dyn Db, path: Utf8PathBuf) -> Option<Utf8PathBuf> {
    db.file(&path).contents(db).text().is_some().then_some(path)
}

/// `import a.b, c as d`
fn plain_imports(statement: Node<'_>, text: &str) -> Vec<Import> {
    let modules = named(statement)
        .into_iter()
        .map(|node| node.child_by_field_name("name").unwrap_or(node));
    let import = |node| Import {
        dots: 0,
        module: words(node, text),
        names: Vec::new(),
    };
    modules.map(import).collect()
}

/// `from ..a.b import c, d as e`
fn from_import(statement: Node<'_>, text: &str) -> Option<Import> {
    let module = statement.child_by_field_name("module_name")?;
    let written = text.get(module.byte_range())?;
    let dots = written.bytes().take_while(|byte| *byte == b'.').count();
    let dotted = match module.kind() {
        "dotted_name" => Some(module),
        _ => named(module).into_iter().find(|child| child.kind() == "dotted_name"),
    };
    let mut cursor = statement.walk();
    let names = statement.children_by_field_name("name", &mut cursor);
    let name = |node: Node<'_>| {
        let name = node.child_by_field_name("name").unwrap_or(node);
        text.get(name.byte_range()).map(str::to_owned)
    };
    Some(Import {
        dots,
        module: dotted.map(|node| words(node, text)).unwrap_or_default(),
        names: names.filter_map(name).collect(),
    })
}

fn named(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).collect()
}

/// The identifiers of a dotted name.
fn words(dotted: Node<'_>, text: &str) -> Vec<String> {
    let identifiers = named(dotted).into_iter().filter(|child| child.kind() == "identifier");
    identifiers
        .filter_map(|word| text.get(word.byte_range()).map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Import, imports, python_sources};
    use crate::db::{Database, Db};
    use crate::project::MemoryHost;

    fn database(files: &[(&str, &str)]) -> Database {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).into(), (*text).to_owned()))
            .collect();
        Database::new(Arc::new(MemoryHost { files }))
    }

    fn read(text: &str) -> Vec<Import> {
        let db = database(&[("a.py", text)]);
        imports(&db, db.file("a.py".into())).as_ref().clone()
    }

    fn import(dots: usize, module: &[&str], names: &[&str]) -> Import {
        let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Import {
            dots,
            module: own(module),
            names: own(names),
        }
    }

    #[test]
    fn every_form_of_import_is_read() {
        assert_eq!(
            read("import os, a.b as c"),
            [import(0, &["a", "b"], &[]), import(0, &["os"], &[])]
        );
        assert_eq!(
            read("from a.b import (c, d as e)"),
            [import(0, &["a", "b"], &["c", "d"])]
        );
        assert_eq!(read("from . import c"), [import(1, &[], &["c"])]);
        assert_eq!(read("from ..a import *"), [import(2, &["a"], &[])]);
        assert_eq!(
            read("def f():\n    if x:\n        import a\n"),
            [import(0, &["a"], &[])]
        );
        assert_eq!(read("from __future__ import annotations\n# import a\n\"import b\""), []);
        assert_eq!(read("from import ("), []);
    }

    /// The paths that a step of `steps/train.py` brings, for a project with these files.
    fn sources(files: &[(&str, &str)]) -> Vec<String> {
        let program = "step train() {\n  run: python \"steps/train.py:train\"\n}\n\npipeline p() {\n  train()\n}\n";
        let mut all = vec![("main.mlp", program)];
        all.extend(files);
        let db = database(&all);
        let plan = crate::plan::build(&db).unwrap();
        python_sources(&db, &plan)
            .remove("steps/train.py")
            .unwrap()
            .into_keys()
            .collect()
    }

    #[test]
    fn imports_are_followed_within_the_project() {
        let found = sources(&[
            (
                "steps/train.py",
                "import os, helper, shared.text\nfrom shared import numbers\n\ndef train():\n    pass\n",
            ),
            ("steps/helper.py", "import helper_of_helper\n"),
            ("steps/unused.py", ""),
            ("helper.py", "the one beside the step comes first"),
            ("helper_of_helper.py", "import helper\n"),
            ("shared/__init__.py", "from .base import Base\n"),
            ("shared/base.py", "from ..outside import x\n"),
            ("shared/text.py", "from . import deep\nfrom .deep.bottom import y\n"),
            ("shared/numbers/__init__.py", ""),
            ("shared/deep/__init__.py", ""),
            ("shared/deep/bottom.py", "from .... import too_far\n"),
            ("outside.py", ""),
        ]);
        assert_eq!(
            found,
            [
                "helper_of_helper.py",
                "outside.py",
                "shared/__init__.py",
                "shared/base.py",
                "shared/deep/__init__.py",
                "shared/deep/bottom.py",
                "shared/numbers/__init__.py",
                "shared/text.py",
                "steps/helper.py",
                "steps/train.py",
            ]
        );
    }

    #[test]
    fn a_project_without_python_has_no_sources() {
        let db = database(&[("main.mlp", "pipeline p() {\n}\n")]);
        let plan = crate::plan::build(&db).unwrap();
        assert!(python_sources(&db, &plan).is_empty());
    }
}
