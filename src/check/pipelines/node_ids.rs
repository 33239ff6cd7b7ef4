//! Stable names of graph nodes: the binding's name, or the callee's below it. A name depends only on what is called the
//! same, so that inserting a statement renames no other node.

use std::collections::BTreeMap;

/// The names given so far, and how the call at hand is named.
#[derive(Debug, Default)]
pub(super) struct NodeIds {
    given: BTreeMap<String, u32>,
    naming: Naming,
}

/// How calls of the statement at hand are named.
#[derive(Clone, Debug, Default)]
pub(super) struct Naming {
    /// The binding's name, or the node of the outermost call.
    base: Option<String>,
    /// Whether the next call is the statement's own, not one nested in it.
    outermost: bool,
}

impl NodeIds {
    /// Begins a statement: `binding` is the name of its `let`.
    pub(super) fn begin(&mut self, binding: Option<&str>, is_call: bool) -> Naming {
        let naming = Naming {
            base: binding.map(identifier),
            outermost: is_call,
        };
        std::mem::replace(&mut self.naming, naming)
    }

    /// Names what follows below `base`: the value of an arm.
    pub(super) fn begin_below(&mut self, base: &str) -> Naming {
        let naming = Naming {
            base: Some(base.to_owned()),
            outermost: false,
        };
        std::mem::replace(&mut self.naming, naming)
    }

    /// Goes back to an earlier naming.
    pub(super) fn restore(&mut self, naming: Naming) {
        self.naming = naming;
    }

    /// The id of a call of `callee`.
    pub(super) fn claim(&mut self, callee: &str) -> String {
        let callee = identifier(callee);
        let wanted = match &self.naming.base {
            Some(base) if self.naming.outermost => base.clone(),
            Some(base) => format!("{base}.{callee}"),
            None => callee,
        };
        let id = self.unique(wanted);
        if self.naming.outermost || self.naming.base.is_none() {
            self.naming = Naming {
                base: Some(id.clone()),
                outermost: false,
            };
        }
        id
    }

    fn unique(&mut self, wanted: String) -> String {
        let count = self.given.entry(wanted.clone()).or_default();
        *count += 1;
        if *count == 1 {
            return wanted;
        }
        let numbered = format!("{wanted}_{count}");
        self.unique(numbered)
    }
}

/// The name in the form of an id: `[a-z][a-z0-9_]*`; `CreditFeatures` becomes `credit_features`.
fn identifier(name: &str) -> String {
    let mut id = String::new();
    let mut after_lower = false;
    for character in name.chars() {
        if character.is_ascii_uppercase() && after_lower {
            id.push('_');
        }
        after_lower = character.is_ascii_lowercase() || character.is_ascii_digit();
        let lower = character.to_ascii_lowercase();
        let plain = lower.is_ascii_alphanumeric() || lower == '_';
        id.push(if plain { lower } else { '_' });
    }
    if !id.starts_with(|first: char| first.is_ascii_lowercase()) {
        id.insert(0, 'n');
    }
    id
}

#[cfg(test)]
mod tests {
    use super::NodeIds;

    #[test]
    fn nested_calls_stand_below_their_binding() {
        let mut ids = NodeIds::default();
        ids.begin(Some("proven"), true);
        assert_eq!(ids.claim("challenge"), "proven");
        assert_eq!(ids.claim("champion"), "proven.champion");
        assert_eq!(ids.claim("champion"), "proven.champion_2");
    }

    #[test]
    fn unbound_calls_are_named_by_their_callee() {
        let mut ids = NodeIds::default();
        ids.begin(None, true);
        assert_eq!(ids.claim("deploy"), "deploy");
        assert_eq!(ids.claim("register"), "deploy.register");
        ids.begin(None, true);
        assert_eq!(ids.claim("CreditFeatures"), "credit_features");
        ids.begin(None, true);
        assert_eq!(ids.claim("deploy"), "deploy_2");
    }
}
