//! The operation `validate`: every constraint and every check must hold.

use super::{Context, OperationError, Report};
use mlp::plan::Checks;
/// `data` → `output`.
pub(super) fn run(_schema: &str, _checks: Option<&Checks>, _context: &Context) -> Result<Report, OperationError> {
    Err(super::not_built("validate"))
}
