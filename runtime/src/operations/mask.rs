//! The operation `mask`: replaces the values of columns.

use super::{Context, OperationError, Report};
use mlp::plan::MaskMethod;
/// `data` → `output`.
pub(super) fn run(_columns: &[String], _method: MaskMethod, _context: &Context) -> Result<Report, OperationError> {
    Err(super::not_built("mask"))
}
