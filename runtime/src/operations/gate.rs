//! The operation `gate`: go/no-go on metrics.

use super::{Context, OperationError, Report};
use mlp::plan::Condition;
/// `model`, `metrics` → `output`.
pub(super) fn run(_conditions: &[Condition], _context: &Context) -> Result<Report, OperationError> {
    Err(super::not_built("gate"))
}
