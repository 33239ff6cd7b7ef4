//! Stable unique names of tasks, components and inputs. A name follows from the node's own name alone, so inserting a step
//! renames no other; only of two names that would be one, the later gets a short hash.

use std::collections::HashMap;

use crate::plan::Reference;

/// The longest name: a label of Kubernetes.
const LONGEST: usize = 63;

/// Names that are taken, each with what took it.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: HashMap<String, String>,
}

impl Names {
    /// Nothing may be named so: a pipeline of that name would be taken for the component.
    pub(super) fn reserve(&mut self, name: &str) {
        self.taken.insert(name.to_owned(), String::new());
    }

    /// The name of what `path` says, unique among those that were given.
    pub(super) fn unique(&mut self, path: &str) -> String {
        let mut plain = sanitised(path);
        if self.taken.get(&plain).is_some_and(String::is_empty) {
            plain = format!("step-{plain}");
        }
        let name = if self.free(&plain, path) {
            plain
        } else {
            hashed(&plain, path)
        };
        self.taken.insert(name.clone(), path.to_owned());
        name
    }

    fn free(&self, name: &str, path: &str) -> bool {
        self.taken.get(name).is_none_or(|owner| owner == path)
    }
}

/// `Proven.champion_2` → `proven-champion-2`: what Kubernetes takes as a name.
pub(super) fn sanitised(path: &str) -> String {
    let mut name = String::with_capacity(path.len());
    for character in path.chars() {
        match character.to_ascii_lowercase() {
            kept @ ('a'..='z' | '0'..='9') => name.push(kept),
            _ if name.is_empty() || name.ends_with('-') => {}
            _ => name.push('-'),
        }
    }
    while name.ends_with('-') {
        name.pop();
    }
    if !name.starts_with(|first: char| first.is_ascii_lowercase()) {
        name.insert_str(0, if name.is_empty() { "step" } else { "step-" });
    }
    // The platform puts a task `x-driver` beside each graph `x`.
    if name.ends_with("-driver") {
        name.push_str("-step");
    }
    if name.len() > LONGEST {
        name = hashed(&name, path);
    }
    name
}

/// The name with a short hash of what it names.
fn hashed(name: &str, path: &str) -> String {
    let kept: String = name.chars().take(LONGEST - 7).collect();
    format!("{}-{:06x}", kept.trim_end_matches('-'), hash(path) & 0xff_ffff)
}

/// FNV-1a, 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The name of the input that brings a reference, the same in every graph of a pipeline. Parameters are identifiers, so
/// no other name is one; items end in `-item` and not in `-loop-item`, which `kfp.local` overwrites in nested loops.
pub(super) fn input(reference: &Reference) -> String {
    match reference {
        Reference::Parameter(name) => name.clone(),
        // `kfp.local` takes `x-Output` in a condition for an output of a task `x`.
        Reference::Output { node, port } if port == "item" || port.starts_with("Output") => {
            format!("{}-port-{}", dashed(node), port.to_ascii_lowercase())
        }
        Reference::Output { node, port } => format!("{}-{port}", dashed(node)),
        Reference::Item(name) => format!("{name}-item"),
        Reference::Outcome => "run-outcome".to_owned(),
        Reference::RunId => "run-id".to_owned(),
        Reference::ScheduledTime => "scheduled-time".to_owned(),
        Reference::Attempt => "run-attempt".to_owned(),
    }
}

fn dashed(node: &str) -> String {
    node.replace(
        |character: char| !character.is_ascii_alphanumeric() && character != '_',
        "-",
    )
}

#[cfg(test)]
mod tests {
    use super::{Names, sanitised};

    #[test]
    fn names_are_what_kubernetes_takes() {
        assert_eq!(sanitised("proven.champion_2"), "proven-champion-2");
        assert_eq!(sanitised("Größe"), "gr-e");
        assert_eq!(sanitised("9lives"), "step-9lives");
        assert_eq!(sanitised("über"), "ber");
        assert_eq!(sanitised("日本"), "step");
        assert_eq!(sanitised("train-driver"), "train-driver-step");
        let long = sanitised(&"x".repeat(300));
        assert!(long.len() <= 63 && long != sanitised(&"x".repeat(301)));
    }

    #[test]
    fn of_two_that_would_be_one_the_later_gets_a_hash() {
        let mut names = Names::default();
        assert_eq!(names.unique("a.b"), "a-b");
        let other = names.unique("a_b");
        assert!(other.starts_with("a-b-") && other.len() == "a-b-".len() + 6, "{other}");
        assert_eq!(names.unique("a.b"), "a-b");
        names.reserve("main");
        assert_eq!(names.unique("main"), "step-main");
    }
}
