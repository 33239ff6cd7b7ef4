//! Parts of a plan as short text for people. Nobody parses it again.

use crate::plan::{
    BinaryOperator, Expression, Function, Operand, PortType, Reference, Subject, TextPart, UnaryOperator,
};
use crate::types::Evidence;

/// `validated Dataset<Applicant>`
#[must_use]
pub fn port_type(ty: &PortType) -> String {
    match ty {
        PortType::Value(ty) => ty.to_string(),
        PortType::Dataset { schema, evidence } => format!("{}Dataset<{schema}>", evidence_prefix(*evidence)),
        PortType::Model { model, evidence } => format!("{}{model}", evidence_prefix(*evidence)),
        PortType::Metrics { model } => format!("Metrics<{model}>"),
        PortType::File => "File".to_owned(),
        PortType::Directory => "Directory".to_owned(),
        PortType::Html => "Html".to_owned(),
        PortType::Markdown => "Markdown".to_owned(),
        PortType::Opaque => "Artifact".to_owned(),
        PortType::Custom { name, .. } => name.clone(),
        PortType::Deployment { service } => format!("Deployment<{service}>"),
        PortType::List(of) => format!("list<{}>", port_type(of)),
    }
}

fn evidence_prefix(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::None => "",
        Evidence::Validated => "validated ",
        Evidence::Gated => "gated ",
        Evidence::Proven => "proven ",
        Evidence::Registered => "registered ",
    }
}

/// `300`, `"text"`, `parts.train`
#[must_use]
pub fn operand(operand: &Operand) -> String {
    match operand {
        Operand::Value(value) => value.to_string(),
        Operand::Reference(reference) => self::reference(reference),
        Operand::Expression(expression) => self::expression(expression),
        Operand::List(items) => format!("[{}]", joined(items, self::operand)),
    }
}

pub(super) fn reference(reference: &Reference) -> String {
    match reference {
        Reference::Parameter(name) | Reference::Item(name) => name.clone(),
        Reference::Output { node, port } if port == "output" => node.clone(),
        Reference::Output { node, port } => format!("{node}.{port}"),
        Reference::Outcome => "outcome".to_owned(),
        Reference::RunId => "run_id()".to_owned(),
        Reference::ScheduledTime => "scheduled_time()".to_owned(),
        Reference::Attempt => "attempt()".to_owned(),
    }
}

pub(super) fn expression(of: &Expression) -> String {
    match of {
        Expression::Value(value) => value.to_string(),
        Expression::Reference(reference) => self::reference(reference),
        Expression::Column(name) => name.clone(),
        Expression::Metric(metric) => {
            let subject = match metric.subject {
                Subject::Candidate => "",
                Subject::Champion => "champion.",
            };
            let column = metric
                .column
                .as_ref()
                .map(|column| format!("({column})"))
                .unwrap_or_default();
            format!("{subject}{}{column}", metric.metric)
        }
        Expression::Unary { operator, operand } => {
            let sign = match operator {
                UnaryOperator::Not => "!",
                UnaryOperator::Negate => "-",
            };
            format!("{sign}{}", nested(operand))
        }
        Expression::Binary { operator, left, right } => {
            format!("{} {} {}", nested(left), operator_sign(*operator), nested(right))
        }
        Expression::Between {
            value,
            low,
            high,
            inclusive,
        } => {
            let end = |bound: &Option<Box<Expression>>| bound.as_deref().map(nested).unwrap_or_default();
            let dots = if *inclusive { "..=" } else { ".." };
            format!("{} in {}{dots}{}", nested(value), end(low), end(high))
        }
        Expression::Call { function, arguments } => {
            format!("{}({})", function_name(*function), joined(arguments, expression))
        }
        Expression::If {
            condition,
            then,
            otherwise,
        } => format!(
            "if {} {{ {} }} else {{ {} }}",
            expression(condition),
            expression(then),
            expression(otherwise)
        ),
        Expression::Text(parts) => text(parts),
        Expression::Field { base, name } => format!("{}.{name}", nested(base)),
    }
}

fn text(parts: &[TextPart]) -> String {
    let part = |part: &TextPart| match part {
        TextPart::Text(text) => text.clone(),
        TextPart::Hole(hole) => format!("{{{}}}", expression(hole)),
    };
    format!("\"{}\"", parts.iter().map(part).collect::<String>())
}

/// In parentheses where it would otherwise run into its neighbours.
fn nested(of: &Expression) -> String {
    match of {
        Expression::Binary { .. } | Expression::Between { .. } | Expression::If { .. } => {
            format!("({})", expression(of))
        }
        Expression::Value(_)
        | Expression::Reference(_)
        | Expression::Column(_)
        | Expression::Metric(_)
        | Expression::Unary { .. }
        | Expression::Call { .. }
        | Expression::Text(_)
        | Expression::Field { .. } => expression(of),
    }
}

fn joined<T>(items: &[T], word: impl Fn(&T) -> String) -> String {
    items.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn operator_sign(operator: BinaryOperator) -> &'static str {
    match operator {
        BinaryOperator::Coalesce => "??",
        BinaryOperator::Or => "||",
        BinaryOperator::And => "&&",
        BinaryOperator::Equal => "==",
        BinaryOperator::NotEqual => "!=",
        BinaryOperator::Less => "<",
        BinaryOperator::LessEqual => "<=",
        BinaryOperator::Greater => ">",
        BinaryOperator::GreaterEqual => ">=",
        BinaryOperator::Add => "+",
        BinaryOperator::Subtract => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::Remainder => "%",
    }
}

/// A function's name is the name it has in a plan.
fn function_name(function: Function) -> String {
    match serde_json::to_value(function) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(_) | Err(_) => format!("{function:?}").to_lowercase(),
    }
}
