//! The operation `read`: lands a file as a dataset.

use super::{Context, OperationError, Report};

/// `source` → `output`.
pub(super) fn run(_schema: &str, _context: &Context) -> Result<Report, OperationError> {
    Err(super::not_built("read"))
}
