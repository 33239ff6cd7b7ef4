//! The operation `deploy`: rolls a version out to a service.

use super::{Context, OperationError, Report};

/// `model` → `output`.
pub(super) fn run(_service: &str, _context: &Context) -> Result<Report, OperationError> {
    Err(super::not_built("deploy"))
}
