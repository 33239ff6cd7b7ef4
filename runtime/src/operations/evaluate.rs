//! The operation `evaluate`: measures a model on data.

use super::{Context, OperationError, Report};
use mlp::types::Value;
/// `model`, `data` → `output`.
pub(super) fn run(
    _model: &str,
    _label: &str,
    _positive: Option<&Value>,
    _protected: &[String],
    _context: &Context,
) -> Result<Report, OperationError> {
    Err(super::not_built("evaluate"))
}
