//! The functions of `std::run`: what belongs to the run. They make no node.

use crate::plan::{Operand, Reference};
use crate::types::{DataKind, DataType, Type};

use super::calls::Callable;
use super::scope::Computed;

/// What a function of `std::run` gives; nothing for any other callee.
pub(super) fn run_function(callable: &Callable) -> Option<Computed> {
    let Callable::Step(key, definition) = callable else {
        return None;
    };
    if key.file != "std/run.mlp" {
        return None;
    }
    let (kind, reference) = match definition.signature.name.as_str() {
        "run_id" => (DataKind::String, Reference::RunId),
        "scheduled_time" => (DataKind::Datetime, Reference::ScheduledTime),
        "attempt" => (DataKind::Int, Reference::Attempt),
        _ => return None,
    };
    Some(Computed::One {
        ty: Type::Data(DataType::plain(kind)),
        operand: Operand::Reference(reference),
    })
}
