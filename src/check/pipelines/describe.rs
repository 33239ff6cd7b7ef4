//! How messages call an expression: by what the user wrote, as far as that is short.

use crate::syntax::ast::{Expr, ExprKind};

/// "`parts.train`", "the result of `read`", "this value".
pub(super) fn expression(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Call(call) => format!("the result of `{}`", call.callee.text),
        ExprKind::Literal(_) | ExprKind::String(_) => format!("`{}`", crate::format::expression(expr)),
        _ => path(expr).map_or_else(|| "this value".to_owned(), |path| format!("`{path}`")),
    }
}

/// `a.b.c`, for names and their members.
pub(super) fn path(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Name(name) => Some(name.text.to_string()),
        ExprKind::Member { base, name } => Some(format!("{}.{}", path(base)?, name.text)),
        _ => None,
    }
}
