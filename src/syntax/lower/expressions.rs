//! Expressions: operators by precedence, calls, members, brackets.

use std::sync::LazyLock;

use pest::iterators::Pair;
use pest::pratt_parser::{Assoc, Op, PrattParser};

use super::Lowering;
use crate::source::TextRange;
use crate::syntax::ast::{Argument, BinaryOp, Call, Condition, Expr, ExprKind, Literal, NodeId, Setting, UnaryOp};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::Rule;

/// More operators than this in one expression are refused: trees are walked by recursion, and stacks are finite.
pub const MAX_OPERATORS: usize = 256;

static OPERATORS: LazyLock<PrattParser<Rule>> = LazyLock::new(|| {
    let left = |rule| Op::infix(rule, Assoc::Left);
    PrattParser::new()
        .op(Op::infix(Rule::coalesce, Assoc::Right))
        .op(left(Rule::or) | left(Rule::or_word))
        .op(left(Rule::and) | left(Rule::and_word))
        .op(Op::prefix(Rule::not_word))
        .op(left(Rule::compare))
        .op(left(Rule::range) | Op::prefix(Rule::range_to) | Op::postfix(Rule::open_end))
        .op(left(Rule::sum))
        .op(left(Rule::product))
        .op(Op::prefix(Rule::negate) | Op::prefix(Rule::not))
        .op(Op::postfix(Rule::member) | Op::postfix(Rule::index))
});

impl Lowering<'_> {
    /// `expression`, `head`, `bound`, `signed_number`: a flat run of operands and operators.
    pub(super) fn expression(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let range = self.range(&pair);
        if self.stands_apart(range) {
            let id = self.node(range);
            let kind = ExprKind::Error;
            return Expr { id, kind };
        }
        let operators = pair
            .clone()
            .into_inner()
            .filter(|part| is_operator(part.as_rule()))
            .count();
        if operators > MAX_OPERATORS {
            self.report(
                SyntaxError::new(
                    SyntaxErrorKind::TooComplex,
                    range,
                    format!("This expression has {operators} operators; an expression may have {MAX_OPERATORS}."),
                )
                .with_help("Name its parts: give each part a line of its own, and combine the names."),
            );
            return self.error_at(range);
        }
        // The closures of the operator parser share the state of the lowering, one at a time.
        let lowering = std::cell::RefCell::new(self);
        OPERATORS
            .map_primary(|part| lowering.borrow_mut().primary(part))
            .map_prefix(|operator, operand| lowering.borrow_mut().prefix(operator, operand))
            .map_postfix(|operand, operator| lowering.borrow_mut().postfix(operand, operator))
            .map_infix(|left, operator, right| lowering.borrow_mut().infix(left, operator, right))
            .parse(pair.into_inner())
    }

    pub(super) fn error_at(&mut self, range: TextRange) -> Expr {
        Expr {
            id: self.node(range),
            kind: ExprKind::Error,
        }
    }

    fn prefix(&mut self, operator: Pair<'_, Rule>, operand: Expr) -> Expr {
        let mark = self.range(&operator);
        let range = mark.cover(self.range_of(operand.id));
        if operator.as_rule() == Rule::not_word {
            let word_and_space = TextRange::new(mark.start as usize, self.range_of(operand.id).start as usize);
            self.report(word_operator(mark, "not", "!").with_fix(word_and_space, "!"));
        }
        let operand = Box::new(operand);
        let kind = match operator.as_rule() {
            Rule::range_to => ExprKind::Range {
                start: None,
                end: Some(operand),
                inclusive: operator.as_str() == "..=",
            },
            Rule::negate => ExprKind::Unary {
                op: UnaryOp::Negate,
                operand,
            },
            _ => ExprKind::Unary {
                op: UnaryOp::Not,
                operand,
            },
        };
        Expr {
            id: self.node(range),
            kind,
        }
    }

    fn postfix(&mut self, operand: Expr, operator: Pair<'_, Rule>) -> Expr {
        let range = self.range_of(operand.id).cover(self.range(&operator));
        let id = self.node(range);
        let base = Box::new(operand);
        if operator.as_rule() == Rule::open_end {
            let kind = ExprKind::Range {
                start: Some(base),
                end: None,
                inclusive: false,
            };
            return Expr { id, kind };
        }
        let mut parts = operator.into_inner();
        let Some(inner) = parts.next() else {
            return *base;
        };
        if let Some(arguments) = parts.next() {
            return self.metric_of(id, *base, &inner, arguments);
        }
        let kind = match inner.as_rule() {
            Rule::name => ExprKind::Member {
                base,
                name: self.ident(&inner),
            },
            _ => ExprKind::Index {
                base,
                index: Box::new(self.expression(inner)),
            },
        };
        Expr { id, kind }
    }

    /// `candidate.demographic_parity(sex)`: the one call on a member that there is.
    fn metric_of(&mut self, id: NodeId, base: Expr, callee: &Pair<'_, Rule>, arguments: Pair<'_, Rule>) -> Expr {
        let receiver = match base.kind {
            ExprKind::Name(name) if matches!(name.text.as_str(), "candidate" | "champion") => name,
            _ => {
                let range = self.range(callee);
                self.report(
                    SyntaxError::new(
                        SyntaxErrorKind::Unexpected,
                        range,
                        format!(
                            "`{}` cannot be called on a value: steps and functions stand alone.",
                            callee.as_str()
                        ),
                    )
                    .with_help(format!("Pass the value instead: `{}(…)`.", callee.as_str())),
                );
                return self.error_at(range);
            }
        };
        let call = Call {
            receiver: Some(Box::new(receiver)),
            callee: self.ident(callee),
            generics: Vec::new(),
            parentheses: self.node_of(&arguments),
            arguments: self.arguments(arguments),
            conditions: None,
            after: Vec::new(),
        };
        let kind = ExprKind::Call(call);
        Expr { id, kind }
    }

    fn infix(&mut self, left: Expr, operator: Pair<'_, Rule>, right: Expr) -> Expr {
        let range = self.range_of(left.id).cover(self.range_of(right.id));
        if operator.as_rule() == Rule::range {
            let kind = ExprKind::Range {
                start: Some(Box::new(left)),
                end: Some(Box::new(right)),
                inclusive: operator.as_str() == "..=",
            };
            return Expr {
                id: self.node(range),
                kind,
            };
        }
        let op = binary_op(&operator);
        if self.is_refused(&operator, &left) {
            return self.error_at(range);
        }
        Expr {
            id: self.node(range),
            kind: ExprKind::Binary {
                op,
                left: Box::new(left),
                right: Box::new(right),
            },
        }
    }

    /// Reports operators that are written in another way here; true where nothing can be made of the expression.
    fn is_refused(&mut self, operator: &Pair<'_, Rule>, left: &Expr) -> bool {
        let mark = self.range(operator);
        match operator.as_rule() {
            Rule::and_word => self.report(word_operator(mark, "and", "&&").with_fix(mark, "&&")),
            Rule::or_word => self.report(word_operator(mark, "or", "||").with_fix(mark, "||")),
            Rule::compare if is_open_comparison(left) && !self.parenthesised.contains(&left.id) => {
                let shown = operator.as_str();
                self.report(
                    SyntaxError::new(
                        SyntaxErrorKind::ChainedComparison,
                        mark,
                        "Comparisons do not chain: the first one gives a `bool`, which this one would compare.",
                    )
                    .with_help(format!(
                        "Compare twice, as in `a < b && b {shown} c`, or ask for a range, as in `b in a..=c`."
                    )),
                );
                return true;
            }
            _ => {}
        }
        false
    }

    fn primary(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let range = self.range(&pair);
        let kind = match pair.as_rule() {
            Rule::parenthesised => return self.parenthesised(pair, range),
            Rule::if_expression => {
                let id = self.node(range);
                return Expr {
                    id,
                    kind: ExprKind::If(self.if_expression(pair)),
                };
            }
            Rule::call | Rule::head_call => return self.call(pair),
            Rule::number => ExprKind::Literal(self.number(&pair)),
            Rule::boolean => ExprKind::Literal(Literal::Bool(pair.as_str() == "true")),
            Rule::none => ExprKind::Literal(Literal::None),
            Rule::name => {
                let id = self.node(range);
                return Expr {
                    id,
                    kind: ExprKind::Name(self.ident(&pair)),
                };
            }
            Rule::string | Rule::foreign_string => ExprKind::String(self.string_parts(pair)),
            Rule::list | Rule::record | Rule::column_set => return self.bracketed(pair, range),
            _ => ExprKind::Error,
        };
        Expr {
            id: self.node(range),
            kind,
        }
    }

    /// Parentheses leave no node; the range of what they hold grows over them.
    fn parenthesised(&mut self, pair: Pair<'_, Rule>, range: TextRange) -> Expr {
        match pair.into_inner().next() {
            Some(inner) => {
                let expr = self.expression(inner);
                self.set_range(expr.id, range);
                self.parenthesised.insert(expr.id);
                expr
            }
            None => self.error_at(range),
        }
    }

    fn bracketed(&mut self, pair: Pair<'_, Rule>, range: TextRange) -> Expr {
        let id = self.node(range);
        let kind = match pair.as_rule() {
            Rule::list => ExprKind::List(pair.into_inner().map(|element| self.expression(element)).collect()),
            Rule::record => ExprKind::Record(self.settings(pair)),
            _ => ExprKind::Columns(self.nested_selectors(pair)),
        };
        Expr { id, kind }
    }

    pub(super) fn settings(&mut self, pair: Pair<'_, Rule>) -> Vec<Setting> {
        let mut settings = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::setting => settings.extend(self.setting(part)),
                _ => self.report_mistake(&part),
            }
        }
        settings
    }

    pub(super) fn setting(&mut self, pair: Pair<'_, Rule>) -> Option<Setting> {
        let id = self.node_of(&pair);
        let (mut name, mut value) = (None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => name = Some(self.ident(&part)),
                Rule::expression => value = Some(self.expression(part)),
                Rule::tagged => value = Some(self.tagged(part)),
                _ => self.report_mistake(&part),
            }
        }
        Some(Setting {
            id,
            name: name?,
            value: value?,
        })
    }

    fn tagged(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let range = self.range(&pair);
        let id = self.node(range);
        let mut parts = pair.into_inner();
        match (parts.next(), parts.next()) {
            (Some(word), Some(operand)) => {
                let word = self.ident(&word);
                let operand = Box::new(self.primary(operand));
                Expr {
                    id,
                    kind: ExprKind::Tagged { word, operand },
                }
            }
            _ => self.error_at(range),
        }
    }

    /// `call` and `head_call`.
    pub(super) fn call(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let range = self.range(&pair);
        let id = self.node(range);
        let mut parts = pair.into_inner();
        let Some(callee) = parts.next().map(|name| self.ident(&name)) else {
            return self.error_at(range);
        };
        if parts.peek().is_none() {
            let kind = ExprKind::Name(callee);
            return Expr { id, kind };
        }
        let mut call = Call {
            receiver: None,
            callee,
            generics: Vec::new(),
            arguments: Vec::new(),
            parentheses: id,
            conditions: None,
            after: Vec::new(),
        };
        for part in parts {
            match part.as_rule() {
                Rule::call_generics => {
                    let arguments = part.into_inner().flat_map(Pair::into_inner);
                    call.generics = arguments.map(|argument| self.type_expr(argument)).collect();
                }
                Rule::arguments => {
                    call.parentheses = self.node_of(&part);
                    call.arguments = self.arguments(part);
                }
                Rule::conditions_body => call.conditions = Some(self.conditions(part)),
                _ => {
                    let names = part.into_inner().filter(|part| part.as_rule() == Rule::name);
                    call.after = names.map(|name| self.ident(&name)).collect();
                }
            }
        }
        Expr {
            id,
            kind: ExprKind::Call(call),
        }
    }

    pub(super) fn arguments(&mut self, pair: Pair<'_, Rule>) -> Vec<Argument> {
        pair.into_inner()
            .filter_map(|argument| self.argument(argument))
            .collect()
    }

    fn argument(&mut self, pair: Pair<'_, Rule>) -> Option<Argument> {
        let id = self.node_of(&pair);
        let (mut name, mut value) = (None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::argument_name => name = part.into_inner().next().map(|name| self.ident(&name)),
                _ => value = Some(self.expression(part)),
            }
        }
        Some(Argument {
            id,
            name,
            value: value?,
        })
    }

    fn conditions(&mut self, pair: Pair<'_, Rule>) -> Vec<Condition> {
        let mut conditions = Vec::new();
        self.check_body(&pair);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::condition => conditions.extend(self.condition(part)),
                _ => self.report_mistake(&part),
            }
        }
        conditions
    }

    pub(super) fn condition(&mut self, pair: Pair<'_, Rule>) -> Option<Condition> {
        let id = self.node_of(&pair);
        let (mut expr, mut since) = (None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::expression => expr = Some(self.expression(part)),
                _ => since = part.into_inner().nth(1).map(|name| self.ident(&name)),
            }
        }
        Some(Condition { id, expr: expr?, since })
    }
}

fn is_operator(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::coalesce
            | Rule::or
            | Rule::and
            | Rule::or_word
            | Rule::and_word
            | Rule::not_word
            | Rule::compare
            | Rule::range
            | Rule::range_to
            | Rule::open_end
            | Rule::sum
            | Rule::product
            | Rule::negate
            | Rule::not
            | Rule::member
            | Rule::index
    )
}

fn is_open_comparison(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Binary { op, .. } => matches!(
            op,
            BinaryOp::Equal
                | BinaryOp::NotEqual
                | BinaryOp::Less
                | BinaryOp::LessEqual
                | BinaryOp::Greater
                | BinaryOp::GreaterEqual
                | BinaryOp::In
        ),
        _ => false,
    }
}

fn word_operator(mark: TextRange, word: &str, operator: &str) -> SyntaxError {
    SyntaxError::new(
        SyntaxErrorKind::WordOperator,
        mark,
        format!("`{word}` is not an operator of the language."),
    )
    .with_help(format!("Write `{operator}`."))
}

fn binary_op(operator: &Pair<'_, Rule>) -> BinaryOp {
    match (operator.as_rule(), operator.as_str()) {
        (Rule::coalesce, _) => BinaryOp::Coalesce,
        (Rule::or | Rule::or_word, _) => BinaryOp::Or,
        (Rule::and | Rule::and_word, _) => BinaryOp::And,
        (_, "==") => BinaryOp::Equal,
        (_, "!=") => BinaryOp::NotEqual,
        (_, "<") => BinaryOp::Less,
        (_, "<=") => BinaryOp::LessEqual,
        (_, ">") => BinaryOp::Greater,
        (_, ">=") => BinaryOp::GreaterEqual,
        (_, "+") => BinaryOp::Add,
        (_, "-") => BinaryOp::Subtract,
        (_, "*") => BinaryOp::Multiply,
        (_, "/") => BinaryOp::Divide,
        (_, "%") => BinaryOp::Remainder,
        _ => BinaryOp::In,
    }
}
