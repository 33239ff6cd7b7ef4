//! The operation `project`: leaves out, keeps or renames columns.

use super::{Context, OperationError, Report};
use mlp::plan::Projection;
/// `data` → `output`.
pub(super) fn run(_projection: &Projection, _context: &Context) -> Result<Report, OperationError> {
    Err(super::not_built("project"))
}
