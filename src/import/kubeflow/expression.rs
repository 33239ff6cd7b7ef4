//! Expressions of the language, built from a specification, and their text. Constants keep their JSON until the types
//! around them are known, since `5.0` is how a specification writes the integer 5.

use serde_json::Value as Json;

use super::names::is_nameable;
use super::types::{Slot, Types, Written};
use crate::format;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    /// A name and what is taken of it: `parts.train`.
    Path(Vec<String>),
    /// A constant.
    Constant(Json, Slot),
    /// Text with holes.
    Text(Vec<Part>),
    /// A list of which an item is not constant.
    List(Vec<Expression>),
    /// `!x`
    Not(Box<Expression>),
    /// `-x`
    Negate(Box<Expression>),
    /// Two operands.
    Binary(Operator, Box<Expression>, Box<Expression>),
    /// `x in [a, b]`
    In(Box<Expression>, Vec<Expression>),
    /// A call without arguments.
    Call(&'static str),
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    /// Text as it stands.
    Text(String),
    /// `{x}`
    Hole(Expression),
}

/// Operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    /// Sign and binding strength.
    fn written(self) -> (&'static str, u8) {
        match self {
            Self::Or => ("||", 1),
            Self::And => ("&&", 2),
            Self::Equal => ("==", 3),
            Self::NotEqual => ("!=", 3),
            Self::Less => ("<", 3),
            Self::LessEqual => ("<=", 3),
            Self::Greater => (">", 3),
            Self::GreaterEqual => (">=", 3),
            Self::Add => ("+", 4),
            Self::Subtract => ("-", 4),
            Self::Multiply => ("*", 5),
            Self::Divide => ("/", 5),
            Self::Remainder => ("%", 5),
        }
    }
}

impl Expression {
    /// A name.
    pub(super) fn name(name: &str) -> Self {
        Self::Path(vec![name.to_owned()])
    }

    /// A part of a name's value; nothing for what has no parts.
    pub(super) fn member(&self, name: &str) -> Option<Self> {
        match self {
            Self::Path(path) => {
                let mut path = path.clone();
                path.push(name.to_owned());
                Some(Self::Path(path))
            }
            Self::Constant(..)
            | Self::Text(_)
            | Self::List(_)
            | Self::Not(_)
            | Self::Negate(_)
            | Self::Binary(..)
            | Self::In(..)
            | Self::Call(_) => None,
        }
    }

    /// The names that it reads.
    pub(super) fn names<'a>(&'a self, found: &mut Vec<&'a str>) {
        match self {
            Self::Path(path) => found.extend(path.first().map(String::as_str)),
            Self::Constant(..) | Self::Call(_) => {}
            Self::Text(parts) => {
                for part in parts {
                    if let Part::Hole(hole) = part {
                        hole.names(found);
                    }
                }
            }
            Self::List(items) => items.iter().for_each(|item| item.names(found)),
            Self::Not(operand) | Self::Negate(operand) => operand.names(found),
            Self::Binary(_, left, right) => {
                left.names(found);
                right.names(found);
            }
            Self::In(value, items) => {
                value.names(found);
                items.iter().for_each(|item| item.names(found));
            }
        }
    }

    /// Its text.
    pub(super) fn write(&self, types: &Types) -> String {
        self.write_within(types, 0)
    }

    /// Its text where operators that bind less than `strength` need parentheses.
    fn write_within(&self, types: &Types, strength: u8) -> String {
        match self {
            Self::Path(path) => {
                let names: Vec<String> = path.iter().map(|name| format::name(name)).collect();
                names.join(".")
            }
            Self::Constant(value, slot) => constant(value, &types.written(*slot)),
            Self::Text(parts) => text(parts, types),
            Self::List(items) => list(items, types),
            Self::Not(operand) => format!("!{}", operand.write_within(types, 6)),
            Self::Negate(operand) => format!("-{}", operand.write_within(types, 6)),
            Self::Binary(operator, left, right) => {
                let (sign, own) = operator.written();
                let (left_needs, right_needs) = if own == 3 { (4, 4) } else { (own, own + 1) };
                let left = left.write_within(types, left_needs);
                let right = right.write_within(types, right_needs);
                parenthesised(format!("{left} {sign} {right}"), own < strength)
            }
            Self::In(value, items) => {
                let value = value.write_within(types, 4);
                parenthesised(format!("{value} in {}", list(items, types)), 3 < strength)
            }
            Self::Call(callee) => format!("{callee}()"),
        }
    }
}

fn parenthesised(text: String, needed: bool) -> String {
    if needed { format!("({text})") } else { text }
}

fn list(items: &[Expression], types: &Types) -> String {
    let items: Vec<String> = items.iter().map(|item| item.write(types)).collect();
    format!("[{}]", items.join(", "))
}

fn text(parts: &[Part], types: &Types) -> String {
    let mut written = String::from("\"");
    for part in parts {
        match part {
            Part::Text(text) => written.push_str(&escaped(text)),
            Part::Hole(hole) => written.push_str(&format!("{{{}}}", hole.write(types))),
        }
    }
    written.push('"');
    written
}

/// Text as it stands inside quotes.
pub(super) fn escaped(text: &str) -> String {
    let quoted = format::quoted(text);
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or_default().to_owned()
}

/// A constant as a value of a type.
pub(super) fn constant(value: &Json, ty: &Written) -> String {
    match (value, ty) {
        (Json::Null, _) => "none".to_owned(),
        (Json::Bool(value), _) => value.to_string(),
        (Json::Number(number), Written::Float) => number
            .as_f64()
            .map_or_else(|| number.to_string(), |it| format!("{it:?}")),
        (Json::Number(number), _) => integer(number),
        (Json::String(text), _) => format::quoted(text),
        (Json::Array(items), ty) => {
            let item = match ty {
                Written::List(item) => item,
                Written::Bool
                | Written::Int
                | Written::Float
                | Written::String
                | Written::Map(_)
                | Written::Record(_) => ty,
            };
            let items: Vec<String> = items.iter().map(|each| constant(each, item)).collect();
            format!("[{}]", items.join(", "))
        }
        (Json::Object(entries), ty) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(name, value)| format!("{}: {}", format::name(name), constant(value, field_type(ty, name))))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

fn field_type<'a>(ty: &'a Written, name: &str) -> &'a Written {
    match ty {
        Written::Map(value) => value,
        Written::Record(fields) => fields
            .iter()
            .find(|(own, _, _)| own == name)
            .map_or(ty, |(_, field, _)| field),
        Written::Bool | Written::Int | Written::Float | Written::String | Written::List(_) => ty,
    }
}

/// A number without a fraction; one with a fraction stays as it is.
fn integer(number: &serde_json::Number) -> String {
    if let Some(whole) = number.as_i64() {
        return whole.to_string();
    }
    match number.as_f64() {
        Some(float) if float.fract() == 0.0 && float.abs() < 9e18 => format!("{float:.0}"),
        Some(float) => format!("{float:?}"),
        None => number.to_string(),
    }
}

/// A type as the language writes it.
pub(super) fn type_text(ty: &Written) -> String {
    match ty {
        Written::Bool => "bool".to_owned(),
        Written::Int => "int".to_owned(),
        Written::Float => "float".to_owned(),
        Written::String => "string".to_owned(),
        Written::List(item) => format!("list<{}>", type_text(item)),
        Written::Map(value) => format!("map<{}>", type_text(value)),
        Written::Record(fields) => {
            let field = |(name, ty, lacks): &(String, Written, bool)| {
                let mark = if *lacks { "?" } else { "" };
                format!("{}: {}{mark}", format::name(name), type_text(ty))
            };
            let fields: Vec<String> = fields.iter().map(field).collect();
            format!("{{ {} }}", fields.join(", "))
        }
    }
}

/// The first key of a constant that the language cannot write as a name.
pub(super) fn unwritable_key(value: &Json) -> Option<&str> {
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
        Json::Array(items) => items.iter().find_map(unwritable_key),
        Json::Object(entries) => entries.iter().find_map(|(name, value)| {
            if is_nameable(name) {
                unwritable_key(value)
            } else {
                Some(name.as_str())
            }
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Expression, Operator, Part};
    use crate::import::kubeflow::types::Types;

    fn binary(operator: Operator, left: Expression, right: Expression) -> Expression {
        Expression::Binary(operator, Box::new(left), Box::new(right))
    }

    #[test]
    fn parentheses_stand_where_they_are_needed() {
        let types = Types::default();
        let name = Expression::name;
        let either = binary(Operator::Or, name("a"), name("b"));
        let both = binary(Operator::And, either.clone(), name("c"));
        assert_eq!(both.write(&types), "(a || b) && c");
        assert_eq!(Expression::Not(Box::new(either)).write(&types), "!(a || b)");
        let difference = binary(
            Operator::Subtract,
            name("a"),
            binary(Operator::Subtract, name("b"), name("c")),
        );
        assert_eq!(difference.write(&types), "a - (b - c)");
    }

    #[test]
    fn text_is_escaped_and_holes_are_not() {
        let types = Types::default();
        let text = Expression::Text(vec![
            Part::Text("a \"{\n".to_owned()),
            Part::Hole(Expression::name("in")),
        ]);
        assert_eq!(text.write(&types), "\"a \\\"\\{\\n{`in`}\"");
    }

    #[test]
    fn numbers_take_the_form_of_their_type() {
        let mut types = Types::default();
        let value = json!([5.0, 2.0]);
        let slot = types.constant(&value).unwrap();
        assert_eq!(Expression::Constant(value.clone(), slot).write(&types), "[5, 2]");
        let float = types.declared(crate::targets::pipeline_spec::ParameterType::Double);
        let item = types.item(slot).unwrap();
        types.unify(item, float).unwrap();
        assert_eq!(Expression::Constant(value, slot).write(&types), "[5.0, 2.0]");
    }
}
