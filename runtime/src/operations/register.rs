//! The operation `register`: a new version in the registry.

use super::{Context, OperationError, Report};

/// `model` → `output`.
pub(super) fn run(_model: &str, _context: &Context) -> Result<Report, OperationError> {
    Err(super::not_built("register"))
}
