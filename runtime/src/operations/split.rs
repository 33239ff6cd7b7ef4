//! The operation `split`: cuts a dataset into parts.

use super::{Context, OperationError, Report};
use mlp::plan::{SplitMethod, SplitPart};
/// `data` → one port for each part.
pub(super) fn run(_method: &SplitMethod, _parts: &[SplitPart], _context: &Context) -> Result<Report, OperationError> {
    Err(super::not_built("split"))
}
