//! The operation `challenge`: a paired test of candidate against champion.

use super::{Context, OperationError, Report};
use mlp::plan::Challenge;
/// `candidate`, `champion`, `on` → `output`.
pub(super) fn run(_challenge: &Challenge, _context: &Context) -> Result<Report, OperationError> {
    Err(super::not_built("challenge"))
}
