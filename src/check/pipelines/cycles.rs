//! Pipelines that call each other in a circle: such a pipeline has no end. Judged by names alone, before anything is
//! elaborated.

use crate::db::{Db, ItemKey};
use crate::names;
use crate::syntax::ast::{Block, Call, Else, Expr, ExprKind, ItemKind, NodeId, StatementKind, StringPart};

/// The calls of other pipelines in the body of a pipeline.
fn calls(db: &dyn Db, key: &ItemKey) -> Vec<(ItemKey, NodeId)> {
    let Some(item) = names::item(db, key) else {
        return Vec::new();
    };
    let ItemKind::Pipeline(pipeline) = &item.kind else {
        return Vec::new();
    };
    let mut found: Vec<&Call> = Vec::new();
    block(&pipeline.body, &mut found);
    let pipelines = found.into_iter().filter_map(|call| {
        let callee = names::resolve(db, key, &call.callee.text)?;
        let is_pipeline = matches!(names::item(db, &callee)?.kind, ItemKind::Pipeline(_));
        is_pipeline.then_some((callee, call.callee.id))
    });
    pipelines.collect()
}

/// The first call through which a pipeline comes back to itself, and the pipelines on the way.
pub(super) fn cycle(db: &dyn Db, key: &ItemKey) -> Option<(NodeId, Vec<ItemKey>)> {
    for (callee, place) in calls(db, key) {
        let mut seen = vec![callee.clone()];
        let mut waiting = vec![vec![callee]];
        while let Some(path) = waiting.pop() {
            let Some(last) = path.last() else { continue };
            if last == key {
                return Some((place, path));
            }
            for (next, _) in calls(db, last) {
                if next == *key || !seen.contains(&next) {
                    seen.push(next.clone());
                    waiting.push(path.iter().cloned().chain([next]).collect());
                }
            }
        }
    }
    None
}

fn block<'a>(body: &'a Block, found: &mut Vec<&'a Call>) {
    for statement in &body.statements {
        match &statement.kind {
            StatementKind::Let { value, .. } => expression(value, found),
            StatementKind::Expr(expr) => expression(expr, found),
            StatementKind::If(branch) => arms(branch, found),
            StatementKind::For { items, body, .. } => {
                expression(items, found);
                block(body, found);
            }
            StatementKind::Finally(body) => block(body, found),
            StatementKind::Return(values) => values.iter().for_each(|value| expression(&value.value, found)),
            StatementKind::Error => {}
        }
    }
}

fn arms<'a>(branch: &'a crate::syntax::ast::IfExpr, found: &mut Vec<&'a Call>) {
    expression(&branch.condition, found);
    block(&branch.then, found);
    match &branch.otherwise {
        Some(Else::Block(body)) => block(body, found),
        Some(Else::If(expr)) => expression(expr, found),
        None => {}
    }
}

fn expression<'a>(expr: &'a Expr, found: &mut Vec<&'a Call>) {
    match &expr.kind {
        ExprKind::Call(call) => {
            found.push(call);
            call.arguments
                .iter()
                .for_each(|argument| expression(&argument.value, found));
        }
        ExprKind::Member { base, .. } => expression(base, found),
        ExprKind::Unary { operand, .. } | ExprKind::Tagged { operand, .. } => expression(operand, found),
        ExprKind::Binary { left, right, .. } => {
            expression(left, found);
            expression(right, found);
        }
        ExprKind::Index { base, index } => {
            expression(base, found);
            expression(index, found);
        }
        ExprKind::List(items) => items.iter().for_each(|item| expression(item, found)),
        ExprKind::Record(settings) => settings.iter().for_each(|setting| expression(&setting.value, found)),
        ExprKind::If(branch) => arms(branch, found),
        ExprKind::String(parts) => {
            for part in parts {
                if let StringPart::Hole(hole) = part {
                    expression(hole, found);
                }
            }
        }
        ExprKind::Literal(_) | ExprKind::Name(_) | ExprKind::Range { .. } | ExprKind::Columns(_) | ExprKind::Error => {}
    }
}
