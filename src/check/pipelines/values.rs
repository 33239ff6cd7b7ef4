//! Expressions: literals, names, members, lists, texts. Operators and calls stand in files of their own.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostics::{Applicability, Code, Edit, nearest};
use crate::names;
use crate::plan::{Expression, Operand, Reference, TextPart};
use crate::syntax::ast::{Expr, ExprKind, Ident, ItemKind, Literal, Setting, StringPart};
use crate::types::display::enumerate;
use crate::types::relation;
use crate::types::{DataKind, DataType, EnumType, EnumVariant, RecordField, RecordType, Type, Value};

use camino::Utf8Path;

use super::arguments::capital;
use super::describe;
use super::elaborator::Elaborator;
use super::facts::BindingKind;
use super::scope::Computed;

/// A kind of item that is needed: in words, and how it is known.
pub(super) type Wanted<'w> = (&'w str, fn(&ItemKind) -> bool);

/// A constant of a kind.
fn constant(kind: DataKind, value: Value) -> Computed {
    Computed::One {
        ty: Type::Data(DataType::plain(kind)),
        operand: Operand::Value(value),
    }
}

/// A value that is computed when the pipeline runs.
pub(super) fn computed(ty: DataType, expression: Expression) -> Computed {
    Computed::One {
        ty: Type::Data(ty),
        operand: Operand::Expression(Box::new(expression)),
    }
}

/// An operand as part of a larger expression; a list has no such form.
pub(super) fn as_expression(operand: &Operand) -> Option<Expression> {
    match operand {
        Operand::Value(value) => Some(Expression::Value(value.clone())),
        Operand::Reference(reference) => Some(Expression::Reference(reference.clone())),
        Operand::Expression(expression) => Some((**expression).clone()),
        Operand::List(_) => None,
    }
}

impl Elaborator<'_> {
    /// An expression, and a note of its type. `expected` gives meaning to bare names of enum values and to generics.
    pub(super) fn expression(&mut self, expr: &Expr, expected: Option<&Type>) -> Computed {
        let computed = self.expression_kind(expr, expected);
        self.result.types.insert(expr.id, computed.ty());
        computed
    }

    fn expression_kind(&mut self, expr: &Expr, expected: Option<&Type>) -> Computed {
        match &expr.kind {
            ExprKind::Literal(literal) => literal_value(literal, expected),
            ExprKind::String(parts) => self.text(parts),
            ExprKind::Name(name) => self.name_with(name, expected),
            ExprKind::Member { base, name } => self.member(base, name),
            ExprKind::Call(call) => self.call(expr.id, call, expected),
            ExprKind::Unary { op, operand } => self.unary(expr, *op, operand),
            ExprKind::Binary { op, left, right } => self.binary(expr, *op, left, right),
            ExprKind::List(items) => self.list(items, expected),
            ExprKind::If(branch) => self.branch(expr.id, branch, expected, true),
            ExprKind::Record(fields) => self.record(expr, fields, expected),
            ExprKind::Index { .. } => {
                self.visit(expr);
                let message = "An index in a pipeline is not supported yet.";
                let problem = self.problem(Code::NotSupportedYet, expr.id, message);
                self.report(problem.help("Pass the single values that are needed."));
                Computed::Unknown
            }
            ExprKind::Range { .. } | ExprKind::Columns(_) | ExprKind::Tagged { .. } => {
                self.visit(expr);
                let written = crate::format::expression(expr);
                let message = format!("`{written}` is no value that a pipeline could pass on.");
                let problem = self.problem(Code::ArgumentType, expr.id, message);
                self.report(problem.help("Write a value, a name, or a call."));
                Computed::Unknown
            }
            ExprKind::Error => {
                self.facts.broken = true;
                Computed::Unknown
            }
        }
    }

    /// Marks every name in an expression as used, without giving it a meaning.
    pub(super) fn visit(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Name(name) => {
                self.scopes.look_up(&name.text);
            }
            ExprKind::Member { base, .. } => self.visit(base),
            ExprKind::Call(call) => self.visit_arguments(call),
            ExprKind::Unary { operand, .. } | ExprKind::Tagged { operand, .. } => self.visit(operand),
            ExprKind::Binary { left, right, .. } => {
                self.visit(left);
                self.visit(right);
            }
            ExprKind::Range { start, end, .. } => {
                for end in [start, end].into_iter().flatten() {
                    self.visit(end);
                }
            }
            ExprKind::List(items) => items.iter().for_each(|item| self.visit(item)),
            ExprKind::Record(settings) => settings.iter().for_each(|setting| self.visit(&setting.value)),
            ExprKind::Index { base, index } => {
                self.visit(base);
                self.visit(index);
            }
            ExprKind::String(parts) => {
                for part in parts {
                    if let StringPart::Hole(hole) = part {
                        self.visit(hole);
                    }
                }
            }
            ExprKind::If(branch) => self.visit(&branch.condition),
            ExprKind::Literal(_) | ExprKind::Columns(_) => {}
            ExprKind::Error => self.facts.broken = true,
        }
    }

    /// What a name stands for; nothing after a report.
    pub(super) fn name(&mut self, name: &Ident) -> Option<Computed> {
        match self.name_with(name, None) {
            Computed::Unknown => None,
            known @ (Computed::One { .. } | Computed::Ports(_) | Computed::Nothing(_)) => Some(known),
        }
    }

    fn name_with(&mut self, name: &Ident, expected: Option<&Type>) -> Computed {
        if let Some(binding) = self.scopes.look_up(&name.text) {
            let outside = self
                .finally
                .is_some_and(|depth| self.scopes.depth_of(&name.text).is_some_and(|own| own <= depth));
            if outside && binding.kind != BindingKind::Parameter {
                self.reads_from_finally(name, binding.place);
                return Computed::Unknown;
            }
            return binding.value;
        }
        if name.text == "outcome" {
            return self.outcome(name);
        }
        if let Some(Type::Data(DataType {
            kind: DataKind::Enum(of),
            ..
        })) = expected
        {
            return self.enum_value(name, of);
        }
        self.no_value(name);
        Computed::Unknown
    }

    fn reads_from_finally(&mut self, name: &Ident, bound: crate::syntax::ast::NodeId) {
        let text = &name.text;
        let message = format!("`finally` also runs when the pipeline has failed, and then there may be no `{text}`.");
        let problem = self.problem(Code::FinallyReads, name.id, message);
        let problem = problem.also(self.place(bound), format!("`{text}` is bound outside `finally`"));
        self.report(
            problem.help("In `finally`, use `outcome`, the pipeline's parameters, and what `finally` itself computes."),
        );
    }

    fn outcome(&mut self, name: &Ident) -> Computed {
        if self.finally.is_none() {
            let message = "`outcome` is known only in `finally`, when every other step has ended.";
            let problem = self.problem(Code::FinallyMisplaced, name.id, message);
            self.report(problem.help("Move what needs it into `finally { … }`."));
            return Computed::Unknown;
        }
        let variant = |name: &str| EnumVariant {
            name: name.to_owned(),
            text: name.to_owned(),
        };
        let outcomes = EnumType {
            name: Some("Outcome".to_owned()),
            variants: ["succeeded", "failed", "cancelled"].map(variant).to_vec(),
        };
        Computed::One {
            ty: Type::Data(DataType::plain(DataKind::Enum(outcomes))),
            operand: Operand::Reference(Reference::Outcome),
        }
    }

    fn enum_value(&mut self, name: &Ident, of: &EnumType) -> Computed {
        if let Some(variant) = of.variants.iter().find(|variant| variant.name == name.text) {
            return constant(DataKind::Enum(of.clone()), Value::Enum(variant.text.clone()));
        }
        let names: Vec<&str> = of.variants.iter().map(|variant| variant.name.as_str()).collect();
        let message = format!("`{}` is not one of the values {}.", name.text, enumerate(&names));
        let mut problem = self.problem(Code::UnknownName, name.id, message);
        if let Some(near) = nearest(&name.text, names.iter().copied()) {
            let edit = Edit::replace(self.place(name.id), near.as_str());
            let title = format!("Replace `{}` with `{near}`", name.text);
            problem = problem
                .help(format!("The nearest is `{near}`."))
                .fix(title, Applicability::Safe, vec![edit]);
        }
        self.report(problem);
        Computed::Unknown
    }

    /// Reports a name that is no value: bound later, an item, or unknown.
    fn no_value(&mut self, name: &Ident) {
        let text = &name.text;
        if let Some(later) = self.scopes.bound_later(text) {
            let message = format!("`{text}` is used before the `let` that binds it.");
            let problem = self.problem(Code::BoundLater, name.id, message);
            let problem = problem.also(self.place(later), format!("`{text}` is bound here"));
            self.report(problem.help("Move the `let` above this use."));
            return;
        }
        let Some(key) = names::resolve(self.db, self.key, text) else {
            self.unknown_name(name, None);
            return;
        };
        let Some(item) = names::item(self.db, &key) else { return };
        if matches!(item.kind, ItemKind::Broken(_)) {
            return;
        }
        let keyword = key.key.split(' ').next().unwrap_or_default();
        let message = format!("`{text}` is declared as `{keyword}`; it is no value.");
        let problem = self.problem(Code::WrongKindOfName, name.id, message);
        let callable = matches!(
            item.kind,
            ItemKind::Step(_) | ItemKind::Features(_) | ItemKind::Pipeline(_)
        );
        let help = if callable {
            format!("Call it: `{text}(…)`.")
        } else {
            "Write the name of a parameter or of a `let`.".to_owned()
        };
        self.report(problem.help(help));
    }

    /// Reports a name that nothing declares; `wanted` says what kind of item would be right.
    pub(super) fn unknown_name(&mut self, name: &Ident, wanted: Option<Wanted<'_>>) {
        let scope = names::scope(self.db, self.db.file(Utf8Path::new(&self.key.file)));
        if scope.broken.contains(&name.text) {
            return;
        }
        let mut candidates = Vec::new();
        match wanted {
            None => candidates.extend(self.scopes.names()),
            Some((_, is_wanted)) => {
                for (known, key) in &scope.names {
                    if names::item(self.db, key).is_some_and(|item| is_wanted(&item.kind)) {
                        candidates.push(known.clone());
                    }
                }
            }
        }
        let what = wanted.map_or("value", |(what, _)| what);
        let message = format!("There is no {what} called `{}` here.", name.text);
        let mut problem = self.problem(Code::UnknownName, name.id, message);
        if let Some(near) = nearest(&name.text, candidates.iter().map(|known| known.as_str())) {
            let edit = Edit::replace(self.place(name.id), near.as_str());
            let title = format!("Replace `{}` with `{near}`", name.text);
            problem = problem
                .help(format!("The nearest is `{near}`."))
                .fix(title, Applicability::Safe, vec![edit]);
        }
        self.report(problem);
    }

    fn member(&mut self, base: &Expr, name: &Ident) -> Computed {
        let computed = self.expression(base, None);
        match &computed {
            Computed::Unknown => Computed::Unknown,
            Computed::Ports(ports) => {
                if let Some((_, port)) = ports.iter().find(|(own, _)| *own == name.text) {
                    return port.clone();
                }
                let names: Vec<&str> = ports.iter().map(|(own, _)| own.as_str()).collect();
                self.unknown_output(base, name, &names);
                Computed::Unknown
            }
            Computed::One { ty, operand } => self.field(base, name, ty, operand),
            Computed::Nothing(_) => {
                self.unknown_output(base, name, &[]);
                Computed::Unknown
            }
        }
    }

    fn field(&mut self, base: &Expr, name: &Ident, ty: &Type, operand: &Operand) -> Computed {
        if let Type::Data(DataType {
            kind: DataKind::Record(record),
            optional,
            ..
        }) = ty
        {
            let field = record.fields.iter().find(|field| field.name == name.text);
            if let (Some(field), Some(expression)) = (field, as_expression(operand)) {
                let expression = Expression::Field {
                    base: Box::new(expression),
                    name: name.text.to_string(),
                };
                return super::values::computed(field.ty.clone().or_absent(*optional), expression);
            }
            let names: Vec<&str> = record.fields.iter().map(|field| field.name.as_str()).collect();
            self.unknown_output(base, name, &names);
            return Computed::Unknown;
        }
        self.unknown_output(base, name, &[]);
        Computed::Unknown
    }

    fn unknown_output(&mut self, base: &Expr, name: &Ident, names: &[&str]) {
        let text = describe::expression(base);
        let message = format!("{} has nothing called `{}`.", capital(&text), name.text);
        let mut problem = self.problem(Code::UnknownOutput, name.id, message);
        if name.text == "validation" && names.contains(&"train") {
            problem = problem.help("Give the part a share of the rows: `split(…, validation: 10%)`.");
        } else if let Some(near) = nearest(&name.text, names.iter().copied()) {
            let edit = Edit::replace(self.place(name.id), near.as_str());
            let title = format!("Replace `{}` with `{near}`", name.text);
            problem = problem
                .help(format!("The nearest is `{near}`."))
                .fix(title, Applicability::Safe, vec![edit]);
        } else if names.is_empty() {
            problem = problem.help("Use the value itself: it has no parts.");
        } else {
            problem = problem.help(format!("It has {}.", enumerate(names)));
        }
        self.report(problem);
    }

    fn text(&mut self, parts: &[StringPart]) -> Computed {
        let mut pieces = Vec::new();
        for part in parts {
            match part {
                StringPart::Text(text) => pieces.push(TextPart::Text(text.clone())),
                StringPart::Hole(hole) => pieces.extend(self.hole(hole)),
            }
        }
        let string = || DataType::plain(DataKind::String);
        match pieces.as_slice() {
            [] => constant(DataKind::String, Value::String(String::new())),
            [TextPart::Text(text)] => constant(DataKind::String, Value::String(text.clone())),
            _ => computed(string(), Expression::Text(pieces)),
        }
    }

    fn hole(&mut self, hole: &Expr) -> Option<TextPart> {
        let computed = self.expression(hole, None);
        match &computed {
            Computed::Unknown => None,
            Computed::One {
                ty: Type::Data(_),
                operand,
            } => as_expression(operand).map(TextPart::Hole),
            Computed::One { .. } | Computed::Ports(_) | Computed::Nothing(_) => {
                let text = capital(&describe::expression(hole));
                let message = format!("{text} is `{}`, which has no text.", computed.ty());
                let problem = self.problem(Code::OperandTypes, hole.id, message);
                self.report(problem.help("Only values can stand in a text, not artifacts."));
                None
            }
        }
    }

    /// A record or map of constants; the expected type says which.
    fn record(&mut self, expr: &Expr, fields: &[Setting], expected: Option<&Type>) -> Computed {
        let mut values = BTreeMap::new();
        let mut types = Vec::new();
        for field in fields {
            let wanted = expected.and_then(|expected| field_type(expected, &field.name.text));
            let value = self.expression(&field.value, wanted.as_ref());
            match value {
                Computed::One {
                    ty: Type::Data(ty),
                    operand: Operand::Value(value),
                } => {
                    values.insert(field.name.text.to_string(), value);
                    types.push(RecordField {
                        name: field.name.text.to_string(),
                        ty,
                    });
                }
                Computed::Unknown => return Computed::Unknown,
                Computed::One { .. } | Computed::Ports(_) | Computed::Nothing(_) => {
                    let message = "A record or map of run-time values is not supported yet in a pipeline.";
                    let problem = self.problem(Code::NotSupportedYet, field.value.id, message);
                    self.report(problem.help("Pass the single values that are needed."));
                    return Computed::Unknown;
                }
            }
        }
        let distinct: BTreeSet<&str> = fields.iter().map(|field| field.name.text.as_str()).collect();
        if distinct.len() < fields.len() {
            let problem = self.problem(Code::DuplicateMember, expr.id, "A field of this record is given twice.");
            self.report(problem.help("Keep one of the two."));
            return Computed::Unknown;
        }
        let value = Value::Map(values);
        // A value that does not fit keeps its own type, so that the message shows it.
        let kind = match expected {
            Some(Type::Data(expected)) if relation::admit(value.clone(), expected).is_ok() => expected.kind.clone(),
            Some(_) | None => DataKind::Record(RecordType {
                name: None,
                fields: types,
            }),
        };
        constant(kind, value)
    }

    fn list(&mut self, items: &[Expr], expected: Option<&Type>) -> Computed {
        let wanted = match expected {
            Some(Type::List(item)) => Some((**item).clone()),
            Some(Type::Data(DataType {
                kind: DataKind::List(item),
                ..
            })) => Some(Type::Data((**item).clone())),
            _ => None,
        };
        let mut operands = Vec::new();
        let mut item_type: Option<Type> = None;
        for item in items {
            let expected = wanted.as_ref().or(item_type.as_ref()).cloned();
            let mut value = self.expression(item, expected.as_ref());
            if let Some(known) = &item_type {
                value = self.expect_type(item, value, known, "the list, by its first item,");
            }
            match value {
                Computed::One { ty, operand } => {
                    item_type.get_or_insert(ty);
                    operands.push(operand);
                }
                Computed::Unknown => return Computed::Unknown,
                Computed::Ports(_) | Computed::Nothing(_) => {
                    self.not_one_value(item, &value);
                    return Computed::Unknown;
                }
            }
        }
        let item = item_type.or(wanted).unwrap_or(Type::Unknown);
        list_of(item, operands, expected)
    }
}

/// The type that is expected of a field.
fn field_type(expected: &Type, field: &str) -> Option<Type> {
    let Type::Data(data) = expected else { return None };
    let ty = match &data.kind {
        DataKind::Map(of) => Some((**of).clone()),
        DataKind::Record(record) => record
            .fields
            .iter()
            .find(|own| own.name == field)
            .map(|own| own.ty.clone()),
        DataKind::Bool
        | DataKind::Int
        | DataKind::Float
        | DataKind::String
        | DataKind::Date
        | DataKind::Datetime
        | DataKind::Duration
        | DataKind::Size
        | DataKind::Money
        | DataKind::Enum(_)
        | DataKind::List(_) => None,
    };
    ty.map(Type::Data)
}

fn list_of(item: Type, operands: Vec<Operand>, expected: Option<&Type>) -> Computed {
    let Type::Data(data) = item else {
        let ty = match (&item, expected) {
            (Type::Unknown, Some(expected)) if operands.is_empty() => expected.clone(),
            _ => Type::List(Box::new(item)),
        };
        let operand = if operands.is_empty() {
            Operand::Value(Value::List(Vec::new()))
        } else {
            Operand::List(operands)
        };
        return Computed::One { ty, operand };
    };
    let constants = operands.iter().map(|operand| match operand {
        Operand::Value(value) => Some(value.clone()),
        Operand::Reference(_) | Operand::Expression(_) | Operand::List(_) => None,
    });
    let operand = match constants.collect::<Option<Vec<Value>>>() {
        Some(values) => Operand::Value(Value::List(values)),
        None => Operand::List(operands),
    };
    Computed::One {
        ty: Type::Data(DataType::plain(DataKind::List(Box::new(data)))),
        operand,
    }
}

fn literal_value(literal: &Literal, expected: Option<&Type>) -> Computed {
    match literal {
        Literal::Bool(value) => constant(DataKind::Bool, Value::Bool(*value)),
        Literal::Int(value) => constant(DataKind::Int, Value::Int(*value)),
        Literal::Float(value) | Literal::Percent(value) => constant(DataKind::Float, Value::Float(*value)),
        Literal::Duration(value) => constant(DataKind::Duration, Value::Duration(*value)),
        Literal::Size(value) => constant(DataKind::Size, Value::Size(*value)),
        Literal::Money(amount, currency) => {
            let value = Value::Money {
                amount: *amount,
                currency: currency.to_string(),
            };
            constant(DataKind::Money, value)
        }
        Literal::None => Computed::One {
            ty: match expected {
                Some(Type::Data(data)) => Type::Data(data.clone()),
                _ => Type::Data(DataType::plain(DataKind::String).or_absent(true)),
            },
            operand: Operand::Value(Value::None),
        },
        Literal::Error => Computed::Unknown,
    }
}
