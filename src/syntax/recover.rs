//! An item that pest refuses → as much of its tree as can be read. The header is parsed alone, the body is cut into
//! lines by the scanner, and only the lines that fail become error nodes.
//!
//! The words of the errors are made in `mistakes` and `expected`.

use pest::Parser;
use pest::error::{Error, ErrorVariant, InputLocation};

use super::ast::{
    ArtifactItem, Condition, Expr, ExprKind, FeatureMember, Field, Ident, ItemKind, ModelItem, RecordItem, SchemaBody,
    SchemaItem, ServiceItem, Setting, Statement, StatementKind, StepItem, TargetItem, TestLine, TriggerItem, TypeExpr,
    TypeKind, Variant,
};
use super::error::{SyntaxError, SyntaxErrorKind};
use super::grammar::{Grammar, Rule};
use super::lexer::{Token, TokenKind};
use super::lines::{Line, Lines, cut_lines};
use super::lower::Lowering;
use super::mistakes::{Failure, explain};
use crate::source::TextRange;

/// The rules of an item by its first word: the header alone, and the lines of its body.
fn rules_of(word: &str) -> Option<(Rule, Rule)> {
    Some(match word {
        "schema" => (Rule::schema_header, Rule::field_lines),
        "record" => (Rule::record_header, Rule::field_lines),
        "enum" => (Rule::enum_header, Rule::variant_lines),
        "checks" => (Rule::checks_header, Rule::condition_lines),
        "features" => (Rule::features_header, Rule::feature_lines),
        "model" => (Rule::model_header, Rule::model_lines),
        "artifact" => (Rule::artifact_header, Rule::setting_lines),
        "step" => (Rule::step_header, Rule::setting_lines),
        "service" => (Rule::service_header, Rule::setting_lines),
        "pipeline" => (Rule::pipeline_header, Rule::statement_lines),
        "monitor" => (Rule::monitor_header, Rule::monitor_lines),
        "trigger" => (Rule::trigger_header, Rule::setting_lines),
        "target" => (Rule::target_header, Rule::setting_lines),
        "policy" => (Rule::policy_header, Rule::policy_lines),
        "test" => (Rule::test_header, Rule::test_lines),
        _ => return None,
    })
}

/// What is left to read of an item after the parse of the whole has failed.
pub struct Recovery<'a, 't> {
    /// The item's text.
    pub text: &'t str,
    /// Its significant tokens.
    pub tokens: &'a [Token],
    /// Where nodes and errors go.
    pub lowering: &'a mut Lowering<'t>,
}

impl<'a, 't: 'a> Recovery<'a, 't> {
    /// Reads what can be read; reports at least one error.
    pub fn item(&mut self, error: &Error<Rule>) -> ItemKind {
        let Some(first) = self.tokens.first() else {
            return ItemKind::Broken(None);
        };
        let whole = self.failure(error, 0, 0..self.tokens.len());
        let Some((header, lines)) = rules_of(first.text(self.text)) else {
            self.lowering.report(explain(&whole));
            return ItemKind::Broken(self.name());
        };
        let Some((mut kind, body)) = self.header(header) else {
            self.lowering.report(explain(&whole));
            return ItemKind::Broken(self.name());
        };
        if self.tokens.get(body).is_none_or(|token| token.text(self.text) != "{") {
            self.lowering.report(explain(&whole));
            return match kind {
                ItemKind::Schema(_) => kind,
                _ => self.without_body(kind),
            };
        }
        self.body(&mut kind, lines, body, &whole);
        kind
    }

    /// An item whose header is read and whose body is not where it should be keeps what is known.
    fn without_body(&mut self, kind: ItemKind) -> ItemKind {
        match kind {
            ItemKind::Step(_) | ItemKind::Pipeline(_) | ItemKind::Features(_) | ItemKind::Model(_) => {
                ItemKind::Broken(self.name())
            }
            other => other,
        }
    }

    /// The item's own name, if the second token is one.
    fn name(&mut self) -> Option<Ident> {
        let token = self.tokens.get(1)?;
        matches!(token.kind, TokenKind::Name | TokenKind::QuotedName)
            .then(|| self.lowering.ident_at(TextRange::new(token.start, token.end)))
    }

    /// The header with an empty body, and the index of the token behind it.
    fn header(&mut self, rule: Rule) -> Option<(ItemKind, usize)> {
        let start = self.tokens.first()?.start;
        let mut pairs = Grammar::parse(rule, self.text.get(start..)?).ok()?;
        let pair = pairs.next()?;
        let end = start + pair.as_span().end();
        self.lowering.set_base(start);
        let kind = self.lowering.header(pair);
        let body = self.tokens.partition_point(|token| token.start < end);
        Some((kind, body))
    }

    fn body(&mut self, kind: &mut ItemKind, rule: Rule, open: usize, whole: &Failure<'_>) {
        let Lines { lines, close } = cut_lines(self.text, self.tokens, open + 1);
        let mut failed = false;
        for line in &lines {
            failed |= !self.line(kind, rule, line);
        }
        let opener = self.tokens.get(open).map_or(0, |token| token.start);
        let end = close.and_then(|close| self.tokens.get(close)).or(self.tokens.last());
        let range = TextRange::new(opener, end.map_or(opener, |token| token.end));
        self.lowering.set_body_range(kind, range);
        match close {
            None if !lines.iter().any(|line| line.unclosed.is_some()) => {
                self.lowering
                    .report(unclosed(TextRange::new(opener, opener + 1), "{", self.text.len()));
            }
            Some(close) if close + 1 < self.tokens.len() && !failed => self.after_body(close + 1),
            _ if !failed && close.is_some() => self.lowering.report(explain(whole)),
            _ => {}
        }
    }

    fn after_body(&mut self, index: usize) {
        let Some(token) = self.tokens.get(index) else { return };
        let shown = token.text(self.text);
        let range = TextRange::new(token.start, token.end);
        let error = if token.kind == TokenKind::Close {
            SyntaxError::new(
                SyntaxErrorKind::UnclosedBracket,
                range,
                format!("This `{shown}` closes nothing: the item has ended before it."),
            )
            .with_help(format!("Leave the `{shown}` out, or open its partner."))
        } else {
            SyntaxError::new(
                SyntaxErrorKind::Unexpected,
                range,
                format!("`{shown}` begins no item, and the item before it has ended."),
            )
            .with_help("A file holds items such as `schema`, `step` and `pipeline`; everything else stands inside one.")
        };
        self.lowering.report(error);
    }

    /// Reads one line of the body; says whether that went well.
    fn line(&mut self, kind: &mut ItemKind, rule: Rule, line: &Line) -> bool {
        let Some((first, last)) = self
            .tokens
            .get(line.tokens.start)
            .zip(self.tokens.get(line.tokens.end.saturating_sub(1)))
        else {
            return true;
        };
        let text = self.text.get(first.start..last.end).unwrap_or_default();
        let error = match Grammar::parse(rule, text) {
            Ok(pairs) => {
                self.lowering.set_base(first.start);
                for pair in pairs {
                    self.lowering.entry(kind, pair);
                }
                return true;
            }
            Err(error) => error,
        };
        let base = first.start;
        let report = match &line.unclosed {
            Some(opener) => {
                let range = TextRange::new(opener.start, opener.end);
                let error = unclosed(range, opener.text(self.text), last.end);
                let rest = self.text.get(opener.end..).unwrap_or_default();
                match rest.lines().next() {
                    Some(line) if line.contains("//") => {
                        error.with_help("`//` begins a comment, so what follows it on this line is not read.")
                    }
                    _ => error,
                }
            }
            None => explain(&self.failure(&error, base, line.tokens.clone())),
        };
        self.lowering.report(report);
        self.broken(kind, line);
        false
    }

    fn failure(&self, error: &Error<Rule>, base: usize, tokens: std::ops::Range<usize>) -> Failure<'a> {
        let position = match error.location {
            InputLocation::Pos(at) | InputLocation::Span((at, _)) => base + at,
        };
        let rules = match &error.variant {
            ErrorVariant::ParsingError { positives, .. } => positives.as_slice(),
            ErrorVariant::CustomError { .. } => &[],
        };
        Failure::new(self.text, self.tokens, tokens, position, rules)
    }

    /// An error node in place of a line, with the name that the line would have declared: uses of it stay silent.
    fn broken(&mut self, kind: &mut ItemKind, line: &Line) {
        let tokens = self.tokens.get(line.tokens.clone()).unwrap_or_default();
        let Some((first, last)) = tokens.first().zip(tokens.last()) else {
            return;
        };
        let range = TextRange::new(first.start, last.end);
        let leading = self.leading_name(tokens);
        match kind {
            ItemKind::Schema(SchemaItem {
                body: SchemaBody::Columns(fields),
                ..
            })
            | ItemKind::Record(RecordItem { fields, .. }) => {
                fields.extend(leading.map(|name| self.broken_field(name, range)));
            }
            ItemKind::Enum(item) => item.variants.extend(leading.map(|name| Variant { name, text: None })),
            ItemKind::Checks(checks) => checks.conditions.push(self.broken_condition(range)),
            ItemKind::Features(features) => {
                features
                    .members
                    .extend(leading.map(|name| self.broken_feature(name, range)));
            }
            ItemKind::Model(model) => self.broken_model_member(model, leading, range),
            ItemKind::Artifact(ArtifactItem { settings, .. })
            | ItemKind::Step(StepItem { settings, .. })
            | ItemKind::Service(ServiceItem { settings, .. })
            | ItemKind::Trigger(TriggerItem { settings, .. })
            | ItemKind::Target(TargetItem { settings, .. }) => {
                settings.extend(leading.map(|name| self.broken_setting(name, range)));
            }
            ItemKind::Monitor(monitor) => match leading {
                Some(name) if tokens.get(1).is_some_and(|mark| mark.text(self.text) == ":") => {
                    monitor.settings.push(self.broken_setting(name, range));
                }
                _ => monitor.conditions.push(self.broken_condition(range)),
            },
            ItemKind::Pipeline(pipeline) => {
                let statement = self.broken_statement(tokens, range);
                pipeline.body.statements.push(statement);
            }
            ItemKind::Test(test) => test.body.push(TestLine::Error(self.lowering.node(range))),
            ItemKind::Schema(_) | ItemKind::Policy(_) | ItemKind::Use(_) | ItemKind::Broken(_) => {}
        }
    }

    fn leading_name(&mut self, tokens: &[Token]) -> Option<Ident> {
        let first = tokens.first()?;
        matches!(first.kind, TokenKind::Name | TokenKind::QuotedName)
            .then(|| self.lowering.ident_at(TextRange::new(first.start, first.end)))
    }

    fn broken_type(&mut self, range: TextRange) -> TypeExpr {
        TypeExpr {
            id: self.lowering.node(range),
            kind: TypeKind::Error,
        }
    }

    fn broken_expression(&mut self, range: TextRange) -> Expr {
        Expr {
            id: self.lowering.node(range),
            kind: ExprKind::Error,
        }
    }

    fn broken_field(&mut self, name: Ident, range: TextRange) -> Field {
        Field {
            id: self.lowering.node(range),
            docs: None,
            name,
            ty: self.broken_type(range),
            tags: Vec::new(),
        }
    }

    fn broken_setting(&mut self, name: Ident, range: TextRange) -> Setting {
        Setting {
            id: self.lowering.node(range),
            name,
            value: self.broken_expression(range),
        }
    }

    fn broken_condition(&mut self, range: TextRange) -> Condition {
        Condition {
            id: self.lowering.node(range),
            expr: self.broken_expression(range),
            since: None,
        }
    }

    fn broken_feature(&mut self, name: Ident, range: TextRange) -> FeatureMember {
        let id = self.lowering.node(range);
        FeatureMember::Derived {
            id,
            docs: None,
            name,
            value: self.broken_expression(range),
            tags: Vec::new(),
        }
    }

    fn broken_model_member(&mut self, model: &mut ModelItem, name: Option<Ident>, range: TextRange) {
        match name {
            Some(name) if name.text == "input" => model.input = Some(self.broken_type(range)),
            Some(name) if name.text == "output" => model.output = Some(self.broken_type(range)),
            Some(name) => model.settings.push(self.broken_setting(name, range)),
            None => {}
        }
    }

    /// `let x = …`, also without its `let` or with it misspelt, still binds `x`.
    fn broken_statement(&mut self, tokens: &[Token], range: TextRange) -> Statement {
        let id = self.lowering.node(range);
        let texts: Vec<&str> = tokens.iter().take(3).map(|token| token.text(self.text)).collect();
        let bound = match texts.as_slice() {
            ["let", "mut", _] => tokens.get(2),
            [_, "=", ..] | [_, ":", "="] => tokens.first(),
            ["let", ..] | [_, _, "=" | ":"] => tokens.get(1),
            _ => None,
        };
        let bound = bound
            .copied()
            .filter(|token| matches!(token.kind, TokenKind::Name | TokenKind::QuotedName));
        let kind = match bound {
            Some(token) => StatementKind::Let {
                name: self.lowering.ident_at(TextRange::new(token.start, token.end)),
                ty: None,
                value: self.broken_expression(range),
            },
            None => StatementKind::Error,
        };
        Statement { id, kind }
    }
}

/// A bracket that is never closed; the error stands at the bracket, the place where it was missed beside it.
pub fn unclosed(opener: TextRange, bracket: &str, missed_at: usize) -> SyntaxError {
    let closer = match bracket {
        "(" => ")",
        "[" => "]",
        _ => "}",
    };
    SyntaxError::new(
        SyntaxErrorKind::UnclosedBracket,
        opener,
        format!("This `{bracket}` is never closed."),
    )
    .with_help(format!("Write `{closer}` where what it holds ends."))
    .with_related(
        TextRange::empty(missed_at),
        format!("a `{closer}` was expected here at the latest"),
    )
}
