//! The operation `predict`: adds a model's predictions to a dataset.

use super::{Context, OperationError, Report};

/// `model`, `data` → `output`.
pub(super) fn run(_model: &str, _context: &Context) -> Result<Report, OperationError> {
    Err(super::not_built("predict"))
}
