//! The operation `prior`: a baseline that predicts the training distribution of the label.

use super::{Context, OperationError, Report};
use mlp::types::Value;
/// `data` → `output`.
pub(super) fn run(
    _model: &str,
    _label: &str,
    _positive: Option<&Value>,
    _context: &Context,
) -> Result<Report, OperationError> {
    Err(super::not_built("prior"))
}
