//! Which of the project's Python files a file needs: those that it imports, directly or by way of others. An import is looked
//! for line by line; a line too many brings a file too many, and does no harm.

use std::collections::{BTreeMap, BTreeSet};

/// The given files, and those that they need.
pub(super) fn reachable(sources: &BTreeMap<String, String>, files: Vec<&str>) -> BTreeMap<String, String> {
    let mut waiting = files;
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    while let Some(path) = waiting.pop() {
        if found.contains_key(path) {
            continue;
        }
        let Some((path, text)) = sources.get_key_value(path) else {
            continue;
        };
        found.insert(path.clone(), text.clone());
        waiting.extend(imported(path, text, sources));
    }
    found
}

/// The files of the project that a file imports.
fn imported<'s>(path: &str, text: &str, sources: &'s BTreeMap<String, String>) -> Vec<&'s str> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut modules = BTreeSet::new();
    for line in text.lines() {
        let line = line.trim_start();
        if let Some(names) = line.strip_prefix("import ") {
            for name in names.split(',') {
                modules.insert(name.split_whitespace().next().unwrap_or_default().replace('.', "/"));
            }
        } else if let Some((from, names)) = line.strip_prefix("from ").and_then(|rest| rest.split_once(" import ")) {
            let module = located(from.trim(), folder);
            for name in names
                .split([',', '(', ')'])
                .filter_map(|name| name.split_whitespace().next())
            {
                modules.insert(joined(&module, name));
            }
            modules.insert(module);
        }
    }
    let mut found = Vec::new();
    for module in modules {
        // A module is looked for from the project's root and beside the file; its packages come with it.
        for base in ["", folder] {
            let mut at = base.to_owned();
            for part in module.split('/').filter(|part| !part.is_empty()) {
                at = joined(&at, part);
                for candidate in [format!("{at}.py"), format!("{at}/__init__.py")] {
                    found.extend(sources.get_key_value(&candidate).map(|(path, _)| path.as_str()));
                }
            }
        }
    }
    found
}

/// The folder or file, without its ending, that `from` names; dots in front count from the file's own folder.
fn located(module: &str, folder: &str) -> String {
    let name = module.trim_start_matches('.');
    let dots = module.len() - name.len();
    if dots == 0 {
        return name.replace('.', "/");
    }
    let parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    let kept = parts.len().saturating_sub(dots - 1);
    let base = parts.get(..kept).unwrap_or_default().join("/");
    joined(&base, &name.replace('.', "/"))
}

fn joined(base: &str, name: &str) -> String {
    match (base.is_empty(), name.is_empty()) {
        (true, _) => name.to_owned(),
        (false, true) => base.to_owned(),
        (false, false) => format!("{base}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_found_in_every_form() {
        let files = [
            "pkg/__init__.py",
            "pkg/a.py",
            "pkg/b.py",
            "pkg/deep/__init__.py",
            "pkg/deep/c.py",
            "util.py",
        ];
        let sources: BTreeMap<String, String> = files.iter().map(|path| ((*path).to_owned(), String::new())).collect();
        let found = |path: &str, text: &str| -> BTreeSet<String> {
            imported(path, text, &sources).into_iter().map(str::to_owned).collect()
        };
        let set = |paths: &[&str]| -> BTreeSet<String> { paths.iter().map(|path| (*path).to_owned()).collect() };
        assert_eq!(found("main.py", "import os, util as u\n"), set(&["util.py"]));
        assert_eq!(
            found("main.py", "from pkg.a import x\n"),
            set(&["pkg/__init__.py", "pkg/a.py"])
        );
        assert_eq!(
            found("pkg/a.py", "    from . import b\n"),
            set(&["pkg/__init__.py", "pkg/b.py"])
        );
        assert_eq!(
            found("pkg/deep/c.py", "from ..b import (f, g)\n"),
            set(&["pkg/__init__.py", "pkg/b.py"])
        );
        assert_eq!(found("pkg/a.py", "import b\n"), set(&["pkg/b.py"]));
        assert_eq!(found("main.py", "import numpy\n"), set(&[]));
    }
}
