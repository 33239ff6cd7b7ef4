//! The roles of columns: `@label`, `@key`, `@pii(kind)`, `@protected`, `@event_time`, `@after(column)`, `@unit("EUR")`.

use super::context::Context;
use crate::diagnostics::{Code, nearest};
use crate::syntax::ast::{Expr, ExprKind, Ident, NodeId, Tag};
use crate::types::{ColumnTag, DataKind, DataType, Value};

/// A tag of the language.
#[derive(Debug)]
pub struct TagDeclaration {
    /// Its name, without `@`.
    pub name: &'static str,
    /// How it is written.
    pub form: &'static str,
    /// What it says, for hover and completion.
    pub docs: &'static str,
}

/// Every tag.
pub static TAGS: &[TagDeclaration] = &[
    TagDeclaration {
        name: "label",
        form: "@label or @label(positive_value)",
        docs: "What the model is to predict. For an enum, the value that counts as positive stands in parentheses.",
    },
    TagDeclaration {
        name: "key",
        form: "@key",
        docs: "Identifies a row.",
    },
    TagDeclaration {
        name: "pii",
        form: "@pii or @pii(kind)",
        docs: "Tells who a person is. What is computed from it carries the tag too, unless through `hash` or `bucket`.",
    },
    TagDeclaration {
        name: "protected",
        form: "@protected",
        docs: "A group that must not be treated worse: metrics are computed for each of its values.",
    },
    TagDeclaration {
        name: "event_time",
        form: "@event_time",
        docs: "When the row became known; a `date` or `datetime`.",
    },
    TagDeclaration {
        name: "after",
        form: "@after(label) or @after(column)",
        docs: "Known only after the label or another column is, so a prediction cannot use it.",
    },
    TagDeclaration {
        name: "unit",
        form: "@unit(\"EUR\")",
        docs: "What a number counts.",
    },
];

/// Where tags stand: the column and the columns beside it.
pub(crate) struct Tagged<'a> {
    /// The column's name.
    pub(crate) column: &'a str,
    /// Its type, if that is known.
    pub(crate) ty: Option<&'a DataType>,
    /// Names that `@after` may speak of.
    pub(crate) columns: &'a [&'a str],
}

impl Context<'_> {
    /// Whether a tag exists; reported where not.
    pub(crate) fn known_tag(&mut self, name: &Ident) -> bool {
        let known = || TAGS.iter().map(|tag| tag.name);
        if known().any(|tag| tag == name.text.as_str()) {
            return true;
        }
        let message = format!("There is no tag `@{}`.", name.text);
        let diagnostic = self.problem(Code::UnknownTag, name.id, message);
        let diagnostic = match nearest(&name.text, known()) {
            Some(found) => self.did_you_mean(diagnostic, name, &found),
            None => {
                let tags: Vec<String> = known().map(|tag| format!("`@{tag}`")).collect();
                diagnostic.help(format!("The tags are {}.", tags.join(", ")))
            }
        };
        self.report(diagnostic);
        false
    }

    /// The tags of a column.
    pub(crate) fn tags(&mut self, tags: &[Tag], of: &Tagged<'_>) -> Vec<ColumnTag> {
        let mut known: Vec<ColumnTag> = Vec::new();
        for tag in tags {
            if !self.known_tag(&tag.name) {
                continue;
            }
            if known.iter().any(|other| other.name == tag.name.text.as_str()) {
                let message = format!("`{}` carries `@{}` twice.", of.column, tag.name.text);
                self.bad_tag(tag.id, message, "Leave one out.");
                continue;
            }
            if let Some(arguments) = self.tag_arguments(tag, of) {
                known.push(ColumnTag {
                    name: tag.name.text.to_string(),
                    arguments,
                });
            }
        }
        known
    }

    pub(crate) fn bad_tag(&mut self, node: NodeId, message: String, help: &str) {
        let diagnostic = self.problem(Code::BadTag, node, message).help(help);
        self.report(diagnostic);
    }

    /// The arguments of a tag; the tag without them where they have an error, so that its role is known.
    fn tag_arguments(&mut self, tag: &Tag, of: &Tagged<'_>) -> Option<Vec<Value>> {
        match (tag.name.text.as_str(), tag.arguments.as_slice()) {
            ("label", []) | ("pii", []) => Some(Vec::new()),
            ("label", [positive]) => Some(self.positive_value(positive, of)),
            ("pii", [kind]) => Some(self.name_argument(kind)),
            ("key" | "protected", []) => Some(Vec::new()),
            ("event_time", []) => {
                if of
                    .ty
                    .is_some_and(|ty| !matches!(ty.kind, DataKind::Date | DataKind::Datetime))
                {
                    let message = format!(
                        "`{}` is tagged `@event_time`, but it is no date or datetime.",
                        of.column
                    );
                    self.bad_tag(tag.id, message, "Give the column the type `datetime` or `date`.");
                    return None;
                }
                Some(Vec::new())
            }
            ("after", [column]) => Some(self.after_argument(column, of)),
            ("unit", [unit]) => self.unit_argument(tag, unit, of),
            (name, arguments) => {
                let form = TAGS
                    .iter()
                    .find(|known| known.name == name)
                    .map_or("", |known| known.form);
                let message = match arguments.len() {
                    0 => format!("`@{name}` needs a value in parentheses."),
                    1 => format!("`@{name}` does not take anything in parentheses."),
                    count => format!("`@{name}` does not take {count} values in parentheses."),
                };
                self.bad_tag(tag.id, message, &format!("It is written {form}."));
                (name != "unit").then(Vec::new)
            }
        }
    }

    fn positive_value(&mut self, positive: &Expr, of: &Tagged<'_>) -> Vec<Value> {
        let Some(ty) = of.ty else { return Vec::new() };
        let Some(value) = self.constant_of(positive, ty) else {
            return Vec::new();
        };
        match (&positive.kind, value) {
            (ExprKind::Name(name), _) => vec![Value::String(name.text.to_string())],
            (_, value) => vec![value],
        }
    }

    fn name_argument(&mut self, expr: &Expr) -> Vec<Value> {
        match &expr.kind {
            ExprKind::Name(name) => vec![Value::String(name.text.to_string())],
            _ => {
                let message = "A plain name is needed in the parentheses of `@pii`.".to_owned();
                self.bad_tag(expr.id, message, "Name what it is, as in `@pii(email)`.");
                Vec::new()
            }
        }
    }

    fn after_argument(&mut self, expr: &Expr, of: &Tagged<'_>) -> Vec<Value> {
        let ExprKind::Name(name) = &expr.kind else {
            let message = "A column is needed in the parentheses of `@after`.".to_owned();
            self.bad_tag(expr.id, message, "Write `@after(label)`, or name the column.");
            return Vec::new();
        };
        let text = name.text.as_str();
        if text == of.column {
            let message = format!("`{text}` cannot be known only after itself.");
            self.bad_tag(expr.id, message, "Write `@after(label)`, or name another column.");
        } else if text != "label" && !of.columns.contains(&text) {
            self.unknown_column(name, of.columns, "There is no column");
        }
        vec![Value::String(name.text.to_string())]
    }

    fn unit_argument(&mut self, tag: &Tag, unit: &Expr, of: &Tagged<'_>) -> Option<Vec<Value>> {
        if of.ty.is_some_and(|ty| !ty.is_number()) {
            let message = format!("`{}` is tagged `@unit`, but it is no number.", of.column);
            self.bad_tag(
                tag.id,
                message,
                "Leave the tag out; durations, sizes and money know their units.",
            );
            return None;
        }
        match self.constant(unit)? {
            text @ Value::String(_) => Some(vec![text]),
            _ => {
                self.bad_tag(unit.id, "A unit is a text.".to_owned(), "Write `@unit(\"EUR\")`.");
                None
            }
        }
    }

    /// Reports a column that is not there, with the nearest that is.
    pub(crate) fn unknown_column(&mut self, name: &Ident, columns: &[&str], what: &str) {
        let message = format!("{what} `{}`.", name.text);
        let diagnostic = self.problem(Code::UnknownColumn, name.id, message);
        let diagnostic = match nearest(&name.text, columns.iter().copied()) {
            Some(found) => self.did_you_mean(diagnostic, name, &found),
            None if columns.is_empty() => diagnostic.note("It has no columns at all."),
            None => diagnostic.note(format!(
                "The columns are {}.",
                crate::types::display::enumerate(columns)
            )),
        };
        self.report(diagnostic);
    }
}
