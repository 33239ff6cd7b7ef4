//! The operation `features`: keeps and derives columns.

use super::{Context, OperationError, Report};
use mlp::plan::Features;
/// `data` → `output`.
pub(super) fn run(_features: &Features, _context: &Context) -> Result<Report, OperationError> {
    Err(super::not_built("features"))
}
