//! Nodes of the tree on one line, as the language writes them. What could not be read is shown as `…`.

use super::literal::{escaped, literal, name, quoted};
use crate::syntax::ast::{
    Argument, BinaryOp, Block, Call, Condition, Else, Expr, ExprKind, Field, Ident, IfExpr, RefinementExpr, Selector,
    Setting, Statement, StatementKind, StringPart, Tag, TypeExpr, TypeKind, UnaryOp, Variant,
};

const UNREADABLE: &str = "…";

/// How tightly a form binds: a looser one inside a tighter one needs parentheses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Coalesce,
    Or,
    And,
    Compare,
    Range,
    Sum,
    Product,
    Unary,
    Postfix,
}

/// An expression, with only the parentheses it needs.
#[must_use]
pub fn expression(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Literal(value) => literal(value),
        ExprKind::String(parts) => string(parts),
        ExprKind::Name(ident) => ident_text(ident),
        ExprKind::Member { base, name } => format!("{}.{}", at_least(Level::Postfix, base), ident_text(name)),
        ExprKind::Call(inner) => call(inner),
        ExprKind::Unary { op, operand } => {
            let mark = match op {
                UnaryOp::Not => "!",
                UnaryOp::Negate => "-",
            };
            format!("{mark}{}", at_least(Level::Unary, operand))
        }
        ExprKind::Binary { op, left, right } => binary(*op, left, right),
        ExprKind::Range { start, end, inclusive } => {
            let side = |side: &Option<Box<Expr>>| {
                side.as_deref()
                    .map(|side| at_least(Level::Sum, side))
                    .unwrap_or_default()
            };
            format!("{}{}{}", side(start), if *inclusive { "..=" } else { ".." }, side(end))
        }
        ExprKind::List(elements) => format!("[{}]", joined(elements, expression)),
        ExprKind::Record(settings) => braces(&joined(settings, setting)),
        ExprKind::Columns(selectors) => columns(selectors),
        ExprKind::Index { base, index } => format!("{}[{}]", at_least(Level::Postfix, base), expression(index)),
        ExprKind::If(inner) => if_expression(inner),
        ExprKind::Tagged { word, operand } => format!("{} {}", ident_text(word), expression(operand)),
        ExprKind::Error => UNREADABLE.to_owned(),
    }
}

/// A condition of a checks, gate, challenge or monitor block.
#[must_use]
pub fn condition(condition: &Condition) -> String {
    match &condition.since {
        Some(since) => format!("{} since {}", expression(&condition.expr), ident_text(since)),
        None => expression(&condition.expr),
    }
}

/// A type.
#[must_use]
pub fn type_expr(ty: &TypeExpr) -> String {
    match &ty.kind {
        TypeKind::Named { name, arguments } if arguments.is_empty() => ident_text(name),
        TypeKind::Named { name, arguments } => format!("{}<{}>", ident_text(name), joined(arguments, type_argument)),
        TypeKind::Optional(inner) => optional(inner),
        TypeKind::Refined { base, refinement: by } => format!("{}{}", algebra_base(base), refinement(by)),
        TypeKind::Enum(variants) => format!("enum {}", braces(&joined(variants, variant))),
        TypeKind::Record(fields) => braces(&joined(fields, field)),
        TypeKind::Evidence { word, of } => format!("{} {}", ident_text(word), type_expr(of)),
        TypeKind::Without {
            base,
            columns: left_out,
        } => format!("{} without {}", algebra_base(base), columns(left_out)),
        TypeKind::Pick { base, columns: picked } => format!("{} pick {}", algebra_base(base), columns(picked)),
        TypeKind::With { base, fields } => format!("{} with {}", algebra_base(base), braces(&joined(fields, field))),
        TypeKind::Rename { base, pairs } => {
            let pair = |(old, new): &(Ident, Ident)| format!("{}: {}", ident_text(old), ident_text(new));
            format!("{} rename {}", algebra_base(base), braces(&joined(pairs, pair)))
        }
        TypeKind::Join { left, right, on } => {
            format!(
                "{} join {} on {}",
                algebra_base(left),
                type_expr(right),
                joined(on, ident_text)
            )
        }
        TypeKind::Error => UNREADABLE.to_owned(),
    }
}

fn ident_text(ident: &Ident) -> String {
    name(&ident.text)
}

fn joined<T>(parts: &[T], write: impl Fn(&T) -> String) -> String {
    parts.iter().map(write).collect::<Vec<_>>().join(", ")
}

fn braces(inside: &str) -> String {
    if inside.is_empty() {
        "{}".to_owned()
    } else {
        format!("{{ {inside} }}")
    }
}

/// The optional mark stands directly behind the base, before the refinement.
fn optional(inner: &TypeExpr) -> String {
    match &inner.kind {
        TypeKind::Refined { base, refinement: by } => format!("{}?{}", algebra_base(base), refinement(by)),
        TypeKind::Named { .. } | TypeKind::Enum(_) | TypeKind::Record(_) | TypeKind::Error => {
            format!("{}?", type_expr(inner))
        }
        TypeKind::Optional(_)
        | TypeKind::Evidence { .. }
        | TypeKind::Without { .. }
        | TypeKind::Pick { .. }
        | TypeKind::With { .. }
        | TypeKind::Rename { .. }
        | TypeKind::Join { .. } => format!("({})?", type_expr(inner)),
    }
}

/// Suffixes bind to the left, evidence words to everything on their right.
fn algebra_base(base: &TypeExpr) -> String {
    match &base.kind {
        TypeKind::Evidence { .. } => format!("({})", type_expr(base)),
        TypeKind::Named { .. }
        | TypeKind::Optional(_)
        | TypeKind::Refined { .. }
        | TypeKind::Enum(_)
        | TypeKind::Record(_)
        | TypeKind::Without { .. }
        | TypeKind::Pick { .. }
        | TypeKind::With { .. }
        | TypeKind::Rename { .. }
        | TypeKind::Join { .. }
        | TypeKind::Error => type_expr(base),
    }
}

/// A join's list of columns would take the next argument in, so it stands in parentheses.
fn type_argument(argument: &TypeExpr) -> String {
    if matches!(argument.kind, TypeKind::Join { .. }) {
        format!("({})", type_expr(argument))
    } else {
        type_expr(argument)
    }
}

fn refinement(refinement: &RefinementExpr) -> String {
    match refinement {
        RefinementExpr::In(range) => format!(" in {}", at_least(Level::Range, range)),
        RefinementExpr::Compare(op, bound) => format!(" {} {}", operator(*op), at_least(Level::Range, bound)),
        RefinementExpr::Matches(pattern) => format!(" matches {}", pattern_text(&pattern.value)),
        RefinementExpr::Length(range) => format!(" length {}", at_least(Level::Range, range)),
    }
}

/// A pattern has no holes, so its braces stand as they are.
fn pattern_text(pattern: &str) -> String {
    quoted(pattern).replace("\\{", "{").replace("\\}", "}")
}

fn field(field: &Field) -> String {
    let tags: String = field.tags.iter().map(|each| format!(" {}", tag(each))).collect();
    format!("{}: {}{tags}", ident_text(&field.name), type_expr(&field.ty))
}

fn tag(tag: &Tag) -> String {
    if tag.arguments.is_empty() {
        format!("@{}", ident_text(&tag.name))
    } else {
        format!("@{}({})", ident_text(&tag.name), joined(&tag.arguments, expression))
    }
}

fn variant(variant: &Variant) -> String {
    match &variant.text {
        Some(text) => format!("{} = {}", ident_text(&variant.name), pattern_text(&text.value)),
        None => ident_text(&variant.name),
    }
}

fn columns(selectors: &[Selector]) -> String {
    braces(&joined(selectors, |selector| match selector {
        Selector::Column(column) => ident_text(column),
        Selector::Tag(_, tag) => format!("@{}", ident_text(tag)),
    }))
}

fn setting(setting: &Setting) -> String {
    format!("{}: {}", ident_text(&setting.name), expression(&setting.value))
}

fn string(parts: &[StringPart]) -> String {
    let inside: String = parts
        .iter()
        .map(|part| match part {
            StringPart::Text(text) => escaped(text),
            StringPart::Hole(hole) => format!("{{{}}}", expression(hole)),
        })
        .collect();
    format!("\"{inside}\"")
}

fn argument(argument: &Argument) -> String {
    match &argument.name {
        Some(name) => format!("{}: {}", ident_text(name), expression(&argument.value)),
        None => expression(&argument.value),
    }
}

fn call(call: &Call) -> String {
    let mut written = ident_text(&call.callee);
    if let Some(receiver) = &call.receiver {
        written = format!("{}.{written}", ident_text(receiver));
    }
    if !call.generics.is_empty() {
        written.push_str(&format!("<{}>", joined(&call.generics, type_argument)));
    }
    written.push_str(&format!("({})", joined(&call.arguments, argument)));
    if let Some(conditions) = &call.conditions {
        written.push_str(&format!(" {}", braces(&joined(conditions, condition))));
    }
    if !call.after.is_empty() {
        written.push_str(&format!(" after {}", joined(&call.after, ident_text)));
    }
    written
}

fn if_expression(inner: &IfExpr) -> String {
    let otherwise = match &inner.otherwise {
        Some(Else::Block(other)) => format!(" else {}", block(other)),
        Some(Else::If(other)) => format!(" else {}", expression(other)),
        None => String::new(),
    };
    format!("if {} {}{otherwise}", expression(&inner.condition), block(&inner.then))
}

fn block(block: &Block) -> String {
    braces(&joined(&block.statements, statement))
}

fn statement(statement: &Statement) -> String {
    match &statement.kind {
        StatementKind::Let { name, ty, value } => {
            let ty = ty.as_ref().map(|ty| format!(": {}", type_expr(ty))).unwrap_or_default();
            format!("let {}{ty} = {}", ident_text(name), expression(value))
        }
        StatementKind::Expr(value) => expression(value),
        StatementKind::If(inner) => if_expression(inner),
        StatementKind::For { item, items, max, body } => {
            let max = max
                .as_ref()
                .map(|max| format!(" max {}", expression(max)))
                .unwrap_or_default();
            format!("for {} in {}{max} {}", ident_text(item), expression(items), block(body))
        }
        StatementKind::Finally(body) => format!("finally {}", block(body)),
        StatementKind::Return(values) => match values.as_slice() {
            [Argument { name: None, value, .. }] => format!("return {}", expression(value)),
            _ => format!("return ({})", joined(values, argument)),
        },
        StatementKind::Error => UNREADABLE.to_owned(),
    }
}

fn level(expr: &Expr) -> Level {
    match &expr.kind {
        ExprKind::Binary { op, .. } => operator_level(*op),
        ExprKind::Range { .. } => Level::Range,
        ExprKind::Unary { .. } => Level::Unary,
        ExprKind::Literal(_)
        | ExprKind::String(_)
        | ExprKind::Name(_)
        | ExprKind::Member { .. }
        | ExprKind::Call(_)
        | ExprKind::List(_)
        | ExprKind::Record(_)
        | ExprKind::Columns(_)
        | ExprKind::Index { .. }
        | ExprKind::If(_)
        | ExprKind::Tagged { .. }
        | ExprKind::Error => Level::Postfix,
    }
}

fn at_least(needed: Level, expr: &Expr) -> String {
    if level(expr) < needed {
        format!("({})", expression(expr))
    } else {
        expression(expr)
    }
}

fn binary(op: BinaryOp, left: &Expr, right: &Expr) -> String {
    let own = operator_level(op);
    // What binds to the left needs parentheses on the right at its own level; comparisons do not chain at all, and
    // `??` binds to the right.
    let (left_level, right_level) = match own {
        Level::Coalesce => (Level::Or, Level::Coalesce),
        Level::Or => (Level::Or, Level::And),
        Level::And => (Level::And, Level::Compare),
        Level::Compare => (Level::Range, Level::Range),
        Level::Range | Level::Sum => (Level::Sum, Level::Product),
        Level::Product | Level::Unary | Level::Postfix => (Level::Product, Level::Unary),
    };
    format!(
        "{} {} {}",
        at_least(left_level, left),
        operator(op),
        at_least(right_level, right)
    )
}

fn operator_level(op: BinaryOp) -> Level {
    match op {
        BinaryOp::Coalesce => Level::Coalesce,
        BinaryOp::Or => Level::Or,
        BinaryOp::And => Level::And,
        BinaryOp::Equal
        | BinaryOp::NotEqual
        | BinaryOp::Less
        | BinaryOp::LessEqual
        | BinaryOp::Greater
        | BinaryOp::GreaterEqual
        | BinaryOp::In => Level::Compare,
        BinaryOp::Add | BinaryOp::Subtract => Level::Sum,
        BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Remainder => Level::Product,
    }
}

fn operator(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Coalesce => "??",
        BinaryOp::Or => "||",
        BinaryOp::And => "&&",
        BinaryOp::Equal => "==",
        BinaryOp::NotEqual => "!=",
        BinaryOp::Less => "<",
        BinaryOp::LessEqual => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterEqual => ">=",
        BinaryOp::In => "in",
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
        BinaryOp::Remainder => "%",
    }
}

#[cfg(test)]
#[allow(clippy::wildcard_enum_match_arm, reason = "a test knows what it wrote")]
mod tests {
    use super::*;
    use crate::syntax::ast::{ItemKind, SchemaBody};
    use crate::syntax::parse_item;

    fn conditions(text: &str) -> Vec<String> {
        let parsed = parse_item(&format!("checks C on S {{ {text} }}"));
        assert_eq!(parsed.errors, []);
        match parsed.item.kind {
            ItemKind::Checks(checks) => checks.conditions.iter().map(condition).collect(),
            other => unreachable!("{other:?}"),
        }
    }

    fn ty(text: &str) -> String {
        let parsed = parse_item(&format!("schema S = {text}"));
        assert_eq!(parsed.errors, []);
        match parsed.item.kind {
            ItemKind::Schema(schema) => match schema.body {
                SchemaBody::Alias(ty) => type_expr(&ty),
                SchemaBody::Columns(_) => panic!("not an alias"),
            },
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn canonical_text_is_a_fixed_point() {
        for text in [
            "rows in 500..=5_000_000",
            "null_rate(email) <= 20%",
            "drift(amount, psi) < 0.2 since baseline",
            "(a + b) * c - (d - e) == -f % 3",
            "a ?? b ?? c",
            "!(a && b) || c in 1.. && d in ..=5",
            "`status of account` == \"a \\{b\\} {c.d[0]}\"",
            "freshness(at) <= 1d12h && cost <= 40.25 USD && bytes < 1536MiB",
            "f<A, B>(x, y: [1, 2], z: { a: 1, b: sql \"q\" }) after g, h == {}",
            "(a == b) == c",
            "if a { b } else if c { d } else { e }",
            "29% < 0.5",
        ] {
            assert_eq!(conditions(text), [text]);
        }
    }

    #[test]
    fn needless_parentheses_and_spellings_go() {
        assert_eq!(conditions("((a)) + (b * c) > (1)"), ["a + b * c > 1"]);
        assert_eq!(conditions("x < 90min y > 1_024KiB"), ["x < 1h30min", "y > 1MiB"]);
    }

    #[test]
    fn types_are_a_fixed_point() {
        for text in [
            "int? in 1..=10",
            "float > 0",
            "list<int in 1..=3> length 1..=5",
            "string matches \"^[A-Z]{2}$\"",
            "enum { own, for_free = \"for free\" }",
            "validated Dataset<A without { email, @pii } with { score: float @unit(\"EUR\") }>",
            "A join B on id, day",
            "A rename { a: b } pick { b }",
            "{ a: int, b: string? }",
        ] {
            assert_eq!(ty(text), text);
        }
        assert_eq!(ty("int in 1..=10?"), "int? in 1..=10");
    }
}
