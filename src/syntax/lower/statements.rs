//! Statements and blocks of pipelines.

use pest::iterators::Pair;

use super::Lowering;
use super::expressions::MAX_OPERATORS;
use crate::source::TextRange;
use crate::syntax::ast::{Argument, Block, Else, Expr, ExprKind, IfExpr, Statement, StatementKind};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::Rule;

impl Lowering<'_> {
    pub(super) fn block(&mut self, pair: Pair<'_, Rule>) -> Block {
        let id = self.node_of(&pair);
        let mut statements = Vec::new();
        self.check_body(&pair);
        for part in pair.into_inner() {
            if part.as_rule() == Rule::semicolon {
                self.report_mistake(&part);
            } else {
                statements.push(self.statement(part));
            }
        }
        Block { id, statements }
    }

    pub(super) fn statement(&mut self, pair: Pair<'_, Rule>) -> Statement {
        let id = self.node_of(&pair);
        let kind = match pair.as_rule() {
            Rule::let_statement => self.let_statement(pair),
            Rule::if_expression => Some(StatementKind::If(self.if_expression(pair))),
            Rule::for_statement => self.for_statement(pair),
            Rule::finally_statement => {
                let block = pair.into_inner().find(|part| part.as_rule() == Rule::block);
                block.map(|block| StatementKind::Finally(self.block(block)))
            }
            Rule::return_statement => self.return_statement(pair),
            Rule::expression => Some(StatementKind::Expr(self.expression(pair))),
            _ => None,
        };
        Statement {
            id,
            kind: kind.unwrap_or(StatementKind::Error),
        }
    }

    fn let_statement(&mut self, pair: Pair<'_, Rule>) -> Option<StatementKind> {
        let (mut name, mut ty, mut value) = (None, None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => name = Some(self.ident(&part)),
                Rule::type_expr => ty = Some(self.type_expr(part)),
                Rule::expression => value = Some(self.expression(part)),
                _ => {}
            }
        }
        Some(StatementKind::Let {
            name: name?,
            ty,
            value: value?,
        })
    }

    fn for_statement(&mut self, pair: Pair<'_, Rule>) -> Option<StatementKind> {
        let (mut item, mut items, mut max, mut body) = (None, None, None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => item = Some(self.ident(&part)),
                Rule::head => items = Some(self.expression(part)),
                Rule::maximum => max = part.into_inner().nth(1).map(|head| self.expression(head)),
                Rule::block => body = Some(self.block(part)),
                _ => {}
            }
        }
        Some(StatementKind::For {
            item: item?,
            items: items?,
            max,
            body: body?,
        })
    }

    fn return_statement(&mut self, pair: Pair<'_, Rule>) -> Option<StatementKind> {
        let value = pair.into_inner().nth(1)?;
        if value.as_rule() == Rule::arguments {
            return Some(StatementKind::Return(self.arguments(value)));
        }
        let id = self.node_of(&value);
        let value = self.expression(value);
        Some(StatementKind::Return(vec![Argument { id, name: None, value }]))
    }

    /// `if … else if … else …`: the grammar keeps the chain flat, the tree nests it to the right.
    pub(super) fn if_expression(&mut self, pair: Pair<'_, Rule>) -> IfExpr {
        let end = self.range(&pair).end as usize;
        let start = self.range(&pair).start as usize;
        let mut arms: Vec<(usize, Option<Expr>, Block)> = Vec::new();
        let mut condition = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::head => condition = Some(self.expression(part)),
                Rule::block => {
                    let block = self.block(part);
                    arms.push((start, condition.take(), block));
                }
                Rule::else_if => arms.extend(self.else_if(part)),
                _ => {}
            }
        }
        if arms.len() > MAX_OPERATORS {
            self.too_many_arms(TextRange::new(start, end));
            arms.truncate(1);
        }
        self.nest(arms, TextRange::new(start, end))
    }

    fn else_if(&mut self, pair: Pair<'_, Rule>) -> Option<(usize, Option<Expr>, Block)> {
        let (mut start, mut condition, mut block) = (0, None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::if_word => start = self.range(&part).start as usize,
                Rule::head => condition = Some(self.expression(part)),
                Rule::block => block = Some(self.block(part)),
                _ => {}
            }
        }
        Some((start, condition, block?))
    }

    fn too_many_arms(&mut self, range: TextRange) {
        self.report(
            SyntaxError::new(
                SyntaxErrorKind::TooComplex,
                range,
                format!("This `if` has more than {MAX_OPERATORS} arms."),
            )
            .with_help("Put the cases into a list and loop over it with `for`, or split the pipeline."),
        );
    }

    fn nest(&mut self, arms: Vec<(usize, Option<Expr>, Block)>, range: TextRange) -> IfExpr {
        let mut otherwise = None;
        for (index, (start, condition, block)) in arms.into_iter().enumerate().rev() {
            let Some(condition) = condition else {
                otherwise = Some(Else::Block(block));
                continue;
            };
            let nested = IfExpr {
                condition: Box::new(condition),
                then: block,
                otherwise: otherwise.take(),
            };
            if index == 0 {
                return nested;
            }
            otherwise = Some(Else::If(Box::new(Expr {
                id: self.node(TextRange::new(start, range.end as usize)),
                kind: ExprKind::If(nested),
            })));
        }
        let condition = Box::new(self.error_at(range));
        let then = Block {
            id: self.node(range),
            statements: Vec::new(),
        };
        IfExpr {
            condition,
            then,
            otherwise,
        }
    }
}
