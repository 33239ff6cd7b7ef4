//! Types, columns, tags, parameters.

use pest::iterators::Pair;

use super::Lowering;
use super::expressions::MAX_OPERATORS;
use crate::source::TextRange;
use crate::syntax::ast::{
    BinaryOp, Expr, ExprKind, Field, Generic, Ident, NodeId, Output, Param, RefinementExpr, Selector, Tag, TypeExpr,
    TypeKind, Variant,
};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::Rule;

impl Lowering<'_> {
    /// `type_expr` and `type_argument`: evidence words, a base, suffixes that bind to the left.
    pub(super) fn type_expr(&mut self, pair: Pair<'_, Rule>) -> TypeExpr {
        let range = self.range(&pair);
        let parts = pair.clone().into_inner().count();
        if parts > MAX_OPERATORS {
            self.report(
                SyntaxError::new(
                    SyntaxErrorKind::TooComplex,
                    range,
                    format!("This type is put together from {parts} parts; a type may have {MAX_OPERATORS}."),
                )
                .with_help("Name its parts: `schema Name = …` gives a name to a part, which others can go on from."),
            );
            return TypeExpr {
                id: self.node(range),
                kind: TypeKind::Error,
            };
        }
        let mut evidence = Vec::new();
        let mut ty: Option<TypeExpr> = None;
        for part in pair.into_inner() {
            if part.as_rule() == Rule::evidence {
                evidence.extend(part.into_inner().map(|word| self.ident(&word)));
            } else {
                ty = Some(match ty {
                    None => self.type_base(part),
                    Some(base) => self.type_suffix(base, part),
                });
            }
        }
        let mut ty = ty.unwrap_or_else(|| self.missing_type());
        for word in evidence.into_iter().rev() {
            let range = self.range_of(word.id).cover(self.range_of(ty.id));
            ty = TypeExpr {
                id: self.node(range),
                kind: TypeKind::Evidence { word, of: Box::new(ty) },
            };
        }
        ty
    }

    fn missing_type(&mut self) -> TypeExpr {
        TypeExpr {
            id: self.node(TextRange::empty(self.base)),
            kind: TypeKind::Error,
        }
    }

    fn type_base(&mut self, pair: Pair<'_, Rule>) -> TypeExpr {
        if matches!(pair.as_rule(), Rule::type_expr) {
            return self.type_expr(pair);
        }
        let id = self.node_of(&pair);
        let kind = match pair.as_rule() {
            Rule::enum_type => TypeKind::Enum(self.nested_variants(pair)),
            Rule::record_type => TypeKind::Record(self.nested_fields(pair)),
            _ => self.named_type(pair),
        };
        TypeExpr { id, kind }
    }

    fn named_type(&mut self, pair: Pair<'_, Rule>) -> TypeKind {
        let mut parts = pair.into_inner();
        let Some(name) = parts.next().map(|name| self.ident(&name)) else {
            return TypeKind::Error;
        };
        let arguments = parts
            .flat_map(Pair::into_inner)
            .map(|argument| self.type_expr(argument))
            .collect();
        TypeKind::Named { name, arguments }
    }

    fn type_suffix(&mut self, base: TypeExpr, pair: Pair<'_, Rule>) -> TypeExpr {
        let range = self.range_of(base.id).cover(self.range(&pair));
        if pair.as_rule() == Rule::optional {
            return self.optional(base, range, &pair);
        }
        let id = self.node(range);
        let boxed = Box::new(base);
        let kind = match pair.as_rule() {
            Rule::without => TypeKind::Without {
                base: boxed,
                columns: self.nested_selectors(pair),
            },
            Rule::pick => TypeKind::Pick {
                base: boxed,
                columns: self.nested_selectors(pair),
            },
            Rule::with => TypeKind::With {
                base: boxed,
                fields: self.nested_fields(pair),
            },
            Rule::rename => TypeKind::Rename {
                base: boxed,
                pairs: self.rename_pairs(pair),
            },
            Rule::join => self.join(boxed, pair),
            _ => return self.refined(id, *boxed, pair),
        };
        TypeExpr { id, kind }
    }

    fn optional(&mut self, base: TypeExpr, range: TextRange, pair: &Pair<'_, Rule>) -> TypeExpr {
        let mark = self.range(pair);
        let already = matches!(base.kind, TypeKind::Optional(_));
        if already || mark.len() > 1 {
            let first = usize::from(!already);
            let mark = TextRange::new(mark.start as usize + first, mark.end as usize);
            self.report(
                SyntaxError::new(SyntaxErrorKind::DoubleOptional, mark, "This type is optional already.")
                    .with_help("One `?` says that the value may be missing; it never nests.")
                    .with_fix(mark, ""),
            );
        }
        if already {
            return base;
        }
        TypeExpr {
            id: self.node(range),
            kind: TypeKind::Optional(Box::new(base)),
        }
    }

    /// `int? in 1..=10` is an optional refined `int`, however it is written.
    fn refined(&mut self, id: NodeId, base: TypeExpr, pair: Pair<'_, Rule>) -> TypeExpr {
        let Some(refinement) = self.refinement(pair) else {
            return base;
        };
        match base.kind {
            TypeKind::Optional(inner) => {
                let inner_range = self.range_of(inner.id).cover(self.range_of(id));
                let refined = TypeExpr {
                    id: self.node(inner_range),
                    kind: TypeKind::Refined {
                        base: inner,
                        refinement,
                    },
                };
                TypeExpr {
                    id,
                    kind: TypeKind::Optional(Box::new(refined)),
                }
            }
            _ => TypeExpr {
                id,
                kind: TypeKind::Refined {
                    base: Box::new(base),
                    refinement,
                },
            },
        }
    }

    fn refinement(&mut self, pair: Pair<'_, Rule>) -> Option<RefinementExpr> {
        let rule = pair.as_rule();
        let mut parts = pair.into_inner();
        let word = parts.next()?;
        let operand = parts.next()?;
        Some(match rule {
            Rule::within => RefinementExpr::In(Box::new(self.expression(operand))),
            Rule::length => RefinementExpr::Length(Box::new(self.expression(operand))),
            Rule::matches => RefinementExpr::Matches(self.text_literal(&operand)),
            _ => {
                let op = match word.as_str() {
                    "<" => BinaryOp::Less,
                    "<=" => BinaryOp::LessEqual,
                    ">" => BinaryOp::Greater,
                    _ => BinaryOp::GreaterEqual,
                };
                RefinementExpr::Compare(op, Box::new(self.bound(operand)))
            }
        })
    }

    fn bound(&mut self, pair: Pair<'_, Rule>) -> Expr {
        match pair.as_rule() {
            Rule::signed_number | Rule::bound => self.expression(pair),
            _ => Expr {
                id: self.node_of(&pair),
                kind: ExprKind::Error,
            },
        }
    }

    fn rename_pairs(&mut self, pair: Pair<'_, Rule>) -> Vec<(Ident, Ident)> {
        let mut pairs = Vec::new();
        for part in pair.into_inner() {
            if part.as_rule() == Rule::rename_pair {
                let mut names = part.into_inner().filter(|part| part.as_rule() == Rule::name);
                if let (Some(old), Some(new)) = (names.next(), names.next()) {
                    pairs.push((self.ident(&old), self.ident(&new)));
                }
            } else {
                self.report_mistake(&part);
            }
        }
        pairs
    }

    fn join(&mut self, left: Box<TypeExpr>, pair: Pair<'_, Rule>) -> TypeKind {
        let mut right = None;
        let mut on = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::named_type => right = Some(self.type_base(part)),
                Rule::name => on.push(self.ident(&part)),
                _ => {}
            }
        }
        let right = Box::new(right.unwrap_or_else(|| self.missing_type()));
        TypeKind::Join { left, right, on }
    }

    /// The columns between braces anywhere inside `pair`.
    pub(super) fn nested_selectors(&mut self, pair: Pair<'_, Rule>) -> Vec<Selector> {
        let set = match pair.as_rule() {
            Rule::column_set => Some(pair),
            _ => pair.into_inner().find(|part| part.as_rule() == Rule::column_set),
        };
        let mut selectors = Vec::new();
        for part in set.into_iter().flat_map(Pair::into_inner) {
            match part.as_rule() {
                Rule::name => selectors.push(Selector::Column(self.ident(&part))),
                Rule::tag_name => {
                    let id = self.node_of(&part);
                    selectors.extend(part.into_inner().map(|name| Selector::Tag(id, self.ident(&name))));
                }
                _ => self.report_mistake(&part),
            }
        }
        selectors
    }

    fn nested_fields(&mut self, pair: Pair<'_, Rule>) -> Vec<Field> {
        let mut fields = Vec::new();
        for body in pair.into_inner().filter(|part| part.as_rule() == Rule::fields_body) {
            for part in body.into_inner() {
                match part.as_rule() {
                    Rule::field => fields.extend(self.field(part)),
                    _ => self.report_mistake(&part),
                }
            }
        }
        fields
    }

    fn nested_variants(&mut self, pair: Pair<'_, Rule>) -> Vec<Variant> {
        let mut variants = Vec::new();
        for body in pair.into_inner().filter(|part| part.as_rule() == Rule::variants_body) {
            for part in body.into_inner() {
                match part.as_rule() {
                    Rule::variant => variants.extend(self.variant(part)),
                    _ => self.report_mistake(&part),
                }
            }
        }
        variants
    }

    pub(super) fn field(&mut self, pair: Pair<'_, Rule>) -> Option<Field> {
        let id = self.node_of(&pair);
        let docs = self.docs_of(&pair);
        let (mut name, mut ty, mut tags) = (None, None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => name = Some(self.ident(&part)),
                Rule::type_expr => ty = Some(self.type_expr(part)),
                Rule::tag => tags.extend(self.tag(part)),
                _ => self.report_mistake(&part),
            }
        }
        Some(Field {
            id,
            docs,
            name: name?,
            ty: ty?,
            tags,
        })
    }

    pub(super) fn variant(&mut self, pair: Pair<'_, Rule>) -> Option<Variant> {
        let (mut name, mut text) = (None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => name = Some(self.ident(&part)),
                Rule::text => text = Some(self.text_literal(&part)),
                _ => {}
            }
        }
        Some(Variant { name: name?, text })
    }

    pub(super) fn tag(&mut self, pair: Pair<'_, Rule>) -> Option<Tag> {
        let id = self.node_of(&pair);
        let (mut name, mut arguments) = (None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::tag_name => name = part.into_inner().next().map(|name| self.ident(&name)),
                _ => arguments.extend(part.into_inner().map(|argument| self.expression(argument))),
            }
        }
        Some(Tag {
            id,
            name: name?,
            arguments,
        })
    }

    pub(super) fn generics(&mut self, pair: Pair<'_, Rule>) -> Vec<Generic> {
        let mut generics = Vec::new();
        for generic in pair.into_inner() {
            let mut names = generic.into_inner().filter(|part| part.as_rule() == Rule::name);
            if let (Some(name), Some(kind)) = (names.next(), names.next()) {
                generics.push(Generic {
                    name: self.ident(&name),
                    kind: self.ident(&kind),
                });
            }
        }
        generics
    }

    pub(super) fn parameters(&mut self, pair: Pair<'_, Rule>) -> Vec<Param> {
        pair.into_inner()
            .filter_map(|parameter| self.parameter(parameter))
            .collect()
    }

    fn parameter(&mut self, pair: Pair<'_, Rule>) -> Option<Param> {
        let id = self.node_of(&pair);
        let docs = self.docs_of(&pair);
        let (mut name, mut ty, mut default) = (None, None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => name = Some(self.ident(&part)),
                Rule::type_expr => ty = Some(self.type_expr(part)),
                Rule::expression => default = Some(self.expression(part)),
                _ => self.report_mistake(&part),
            }
        }
        Some(Param {
            id,
            docs,
            name: name?,
            ty: ty?,
            default,
        })
    }

    pub(super) fn output(&mut self, pair: Pair<'_, Rule>) -> Output {
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::named_outputs => {
                    return Output::Named(part.into_inner().flat_map(|inner| self.parameters(inner)).collect());
                }
                Rule::type_expr => return Output::One(self.type_expr(part)),
                _ => {}
            }
        }
        Output::None
    }
}
