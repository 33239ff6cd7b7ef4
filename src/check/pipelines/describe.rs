//! How messages call an expression: by what the user wrote, as far as that is short.

use crate::syntax::ast::{Expr, ExprKind};

/// "`parts.train`", "`300`", "the result of `read`", "this value".
pub(super) fn expression(expr: &Expr) -> String {
    if let ExprKind::Call(call) = &expr.kind {
        return format!("the result of `{}`", call.callee.text);
    }
    if matches!(expr.kind, ExprKind::Literal(_) | ExprKind::String(_)) {
        return format!("`{}`", crate::format::expression(expr));
    }
    path(expr).map_or_else(|| "this value".to_owned(), |path| format!("`{path}`"))
}

/// `a.b.c`, for names and their members.
pub(super) fn path(expr: &Expr) -> Option<String> {
    if let ExprKind::Name(name) = &expr.kind {
        return Some(name.text.to_string());
    }
    if let ExprKind::Member { base, name } = &expr.kind {
        return Some(format!("{}.{}", path(base)?, name.text));
    }
    None
}
