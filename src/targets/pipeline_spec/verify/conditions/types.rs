//! The types of an expression, as far as they are known, and what in it cannot work.

use cel::common::ast::{CallExpr, Expr, LiteralValue, SelectExpr};
use cel::{IdedExpr, common::ast::operators};

use super::super::super::ParameterType;

/// The type of a value; numbers of inputs are doubles, whatever the parameter's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Boolean,
    Integer,
    Double,
    Text,
    List,
    Map,
    /// Not known, or none of these.
    Other,
}

/// What is wrong with an expression, as the end of a sentence that begins with "The condition of the task …".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// A name, or an input, that is not there.
    Name(String),
    /// Types that do not go together.
    Type(String),
}

/// What the expression may name, and what was found.
pub(super) struct Checker<'a> {
    /// The type of an input parameter: `None` when there is none, [`Type::Other`] when the type is not known.
    pub(super) parameter: &'a dyn Fn(&str) -> Option<Type>,
    /// Whether there is an input artifact of that name.
    pub(super) artifact: &'a dyn Fn(&str) -> bool,
    /// Names that stand for something else than the task's inputs.
    pub(super) names: &'a [&'a str],
    /// What is wrong.
    pub(super) wrong: Vec<Wrong>,
    /// The inputs that it reads.
    pub(super) reads: Vec<String>,
    /// Whether it is within the part of the language that `kfp.local` evaluates.
    pub(super) is_local: bool,
}

impl From<ParameterType> for Type {
    fn from(parameter: ParameterType) -> Self {
        match parameter {
            ParameterType::Double | ParameterType::Integer => Self::Double,
            ParameterType::String => Self::Text,
            ParameterType::Boolean => Self::Boolean,
            ParameterType::List => Self::List,
            ParameterType::Struct | ParameterType::TaskFinalStatus | ParameterType::TaskConfig => Self::Map,
            ParameterType::Unspecified => Self::Other,
        }
    }
}

impl Type {
    fn noun(self) -> &'static str {
        match self {
            Self::Boolean => "a boolean",
            Self::Integer => "an integer",
            Self::Double => "a number",
            Self::Text => "text",
            Self::List => "a list",
            Self::Map => "a map",
            Self::Other => "a value",
        }
    }

    fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Double)
    }

    /// Whether values of both types can be compared.
    fn compares(self, other: Self) -> bool {
        self == other || self == Self::Other || other == Self::Other || (self.is_number() && other.is_number())
    }
}

impl Checker<'_> {
    /// The type of an expression. Depth is bounded by the look at the text.
    pub(super) fn check(&mut self, expression: &IdedExpr) -> Type {
        match &expression.expr {
            Expr::Literal(literal) => self.literal(literal),
            Expr::Ident(name) => self.name(name),
            Expr::Select(select) => self.select(select),
            Expr::Call(call) => self.call(call),
            Expr::List(list) => {
                for element in &list.elements {
                    self.check(element);
                }
                Type::List
            }
            Expr::Map(_) | Expr::Struct(_) => {
                self.is_local = false;
                Type::Map
            }
            // Macros have names of their own inside.
            Expr::Comprehension(_) | Expr::Unspecified => {
                self.is_local = false;
                Type::Other
            }
        }
    }

    fn literal(&mut self, literal: &LiteralValue) -> Type {
        match literal {
            LiteralValue::Boolean(_) => Type::Boolean,
            LiteralValue::Double(_) => Type::Double,
            LiteralValue::Int(_) => Type::Integer,
            LiteralValue::String(_) => Type::Text,
            LiteralValue::Null => Type::Other,
            LiteralValue::Bytes(_) | LiteralValue::UInt(_) => {
                self.is_local = false;
                Type::Other
            }
        }
    }

    fn name(&mut self, name: &str) -> Type {
        let what = match name {
            _ if self.names.contains(&name) => return Type::Other,
            "inputs" => "`inputs` as a value",
            // The types of the language are names too.
            "bool" | "bytes" | "double" | "int" | "list" | "map" | "string" | "type" | "uint" => return Type::Other,
            _ => {
                self.wrong.push(Wrong::Name(format!(
                    "uses the name `{name}`; inputs are written `inputs.parameter_values['{name}']`"
                )));
                return Type::Other;
            }
        };
        self.wrong.push(Wrong::Name(format!("uses {what}, which it is not")));
        Type::Other
    }

    /// `inputs.artifacts` and what follows; `inputs.parameter_values` alone is a map.
    fn select(&mut self, select: &SelectExpr) -> Type {
        if is_inputs(&select.operand) && !self.names.contains(&"inputs") {
            return match select.field.as_str() {
                "parameter_values" | "artifacts" | "parameters" => {
                    self.is_local = false;
                    Type::Map
                }
                field => {
                    self.wrong
                        .push(Wrong::Name(format!("uses `inputs.{field}`, which does not exist")));
                    Type::Other
                }
            };
        }
        self.is_local = false;
        self.check(&select.operand);
        Type::Other
    }

    fn call(&mut self, call: &CallExpr) -> Type {
        if let Some(known) = self.input(call) {
            return known;
        }
        let mut arguments: Vec<Type> = Vec::new();
        for argument in call.target.iter().map(AsRef::as_ref).chain(&call.args) {
            arguments.push(self.check(argument));
        }
        match (call.func_name.as_str(), arguments.as_slice()) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT, all) => {
                self.logical(all);
                Type::Boolean
            }
            (operators::EQUALS | operators::NOT_EQUALS, [left, right]) => {
                self.compared("compares", *left, *right);
                Type::Boolean
            }
            (
                operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS,
                [left, right],
            ) => {
                self.compared("orders", *left, *right);
                Type::Boolean
            }
            (operators::IN, _) => Type::Boolean,
            (
                operators::ADD | operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE | operators::MODULO,
                [left, right],
            ) => self.computed(*left, *right),
            (operators::NEGATE, [only]) => *only,
            ("int", [_]) if call.target.is_none() => Type::Integer,
            (name, _) => {
                self.is_local = false;
                function(name)
            }
        }
    }

    /// `inputs.parameter_values['x']` and `inputs.artifacts['x']`.
    fn input(&mut self, call: &CallExpr) -> Option<Type> {
        let (operators::INDEX, [map, key]) = (call.func_name.as_str(), call.args.as_slice()) else {
            return None;
        };
        let Expr::Select(select) = &map.expr else { return None };
        if !is_inputs(&select.operand) {
            return None;
        }
        let Expr::Literal(LiteralValue::String(key)) = &key.expr else {
            return None;
        };
        let name = key.inner();
        match select.field.as_str() {
            "parameter_values" | "parameters" => {
                self.reads.push(name.to_owned());
                if select.field == "parameters" {
                    self.is_local = false;
                }
                let known = (self.parameter)(name);
                if known.is_none() {
                    self.wrong.push(Wrong::Name(format!(
                        "reads the input `{name}`, which the task is not given"
                    )));
                }
                Some(known.unwrap_or(Type::Other))
            }
            "artifacts" => {
                self.is_local = false;
                if !(self.artifact)(name) {
                    self.wrong.push(Wrong::Name(format!(
                        "reads the artifact `{name}`, which the task is not given"
                    )));
                }
                Some(Type::Other)
            }
            _ => None,
        }
    }

    fn logical(&mut self, all: &[Type]) {
        for each in all.iter().filter(|each| !matches!(each, Type::Boolean | Type::Other)) {
            self.wrong
                .push(Wrong::Type(format!("takes {} for a boolean", each.noun())));
        }
    }

    fn compared(&mut self, verb: &str, left: Type, right: Type) {
        if !left.compares(right) {
            self.wrong
                .push(Wrong::Type(format!("{verb} {} with {}", left.noun(), right.noun())));
        }
    }

    fn computed(&mut self, left: Type, right: Type) -> Type {
        if left == Type::Other || right == Type::Other {
            return Type::Other;
        }
        if left == right && !matches!(left, Type::Boolean | Type::Map) {
            return left;
        }
        let hint = match left.is_number() && right.is_number() {
            true => "; numbers of inputs are doubles, so write `2.0`, or `int(…)` around the input",
            false => "",
        };
        self.wrong.push(Wrong::Type(format!(
            "computes with {} and {}{hint}",
            left.noun(),
            right.noun()
        )));
        Type::Other
    }
}

fn is_inputs(expression: &IdedExpr) -> bool {
    matches!(&expression.expr, Expr::Ident(name) if name == "inputs")
}

/// What the functions of the language give.
fn function(name: &str) -> Type {
    match name {
        "double" => Type::Double,
        "size" => Type::Integer,
        "string" => Type::Text,
        "bool" | "startsWith" | "endsWith" | "contains" | "matches" | "has" => Type::Boolean,
        _ => Type::Other,
    }
}
