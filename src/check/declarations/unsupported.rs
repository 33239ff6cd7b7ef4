//! Items that parse, and that this version can neither check nor run. Each says so once.

use super::context::Context;
use crate::db::{Db, ItemKey};
use crate::diagnostics::Diagnostic;
use crate::syntax::ast::{Ident, ItemKind};

/// The one problem of a monitor or policy.
pub(crate) fn report(db: &dyn Db, key: &ItemKey, kind: &ItemKind) -> Vec<Diagnostic> {
    let (name, construct, instead): (&Ident, &str, &str) = match kind {
        ItemKind::Monitor(item) => (
            &item.name,
            "monitor",
            "Leave it out; evaluate the service's model in a pipeline.",
        ),
        ItemKind::Policy(item) => (
            &item.name,
            "policy",
            "Leave it out; state the rule as a condition of a gate.",
        ),
        ItemKind::Use(_)
        | ItemKind::Schema(_)
        | ItemKind::Record(_)
        | ItemKind::Enum(_)
        | ItemKind::Checks(_)
        | ItemKind::Features(_)
        | ItemKind::Model(_)
        | ItemKind::Artifact(_)
        | ItemKind::Step(_)
        | ItemKind::Service(_)
        | ItemKind::Pipeline(_)
        | ItemKind::Trigger(_)
        | ItemKind::Target(_)
        | ItemKind::Test(_)
        | ItemKind::Broken(_) => return Vec::new(),
    };
    let mut cx = Context::new(db, key);
    cx.unsupported(name.id, &format!("the {construct} `{}`", name.text), instead);
    cx.diagnostics
}
