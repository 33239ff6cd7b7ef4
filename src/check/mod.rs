//! What a program means and whether it may run: declarations, pipelines, and one file for each analysis of the language.
//!
//! Results are free of positions; diagnostics point at nodes. A result whose declaration has an error is still as complete
//! as it can be, so that one mistake gives one error.

mod contamination;
mod dead_ends;
pub mod declarations;
mod evidence;
mod flow;
mod leakage;
pub mod pins;
pub mod pipelines;
mod provenance;
pub mod python;
pub mod same_names;
pub mod targets;

use crate::db::{Db, ItemKey};
use crate::diagnostics::Diagnostic;
use crate::syntax::ast::ItemKind;

/// Every problem of one item that is not a syntax error or an import error.
#[must_use]
pub fn item_diagnostics(db: &dyn Db, key: &ItemKey) -> Vec<Diagnostic> {
    let mut diagnostics = declarations::diagnostics(db, key);
    if let Some(item) = crate::names::item(db, key)
        && matches!(item.kind, ItemKind::Pipeline(_) | ItemKind::Test(_))
    {
        diagnostics.extend(pipelines::diagnostics(db, key));
    }
    diagnostics
}
