//! The operation `champion`: the incumbent, or the fallback on the first release.

use super::{Context, OperationError, Report};

/// `fallback` → `output`.
pub(super) fn run(_model: &str, _context: &Context) -> Result<Report, OperationError> {
    Err(super::not_built("champion"))
}
