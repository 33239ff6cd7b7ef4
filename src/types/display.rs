//! Types and values as the language writes them: for messages, hover and canonical names.

use std::fmt::{self, Display, Formatter};

use super::{
    ArtifactKind, ArtifactType, Bound, DataKind, DataType, EnumType, EnumVariant, Evidence, GenericKind, ParameterKind,
    RecordType, Refinement, Schema, Type, Value,
};

/// `name` as the language writes it: in back-ticks where it is no identifier.
#[must_use]
pub fn identifier(name: &str) -> String {
    let starts = name
        .chars()
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    if starts
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '_')
    {
        name.to_owned()
    } else {
        format!("`{name}`")
    }
}

/// A list of names for a sentence: "`a`", "`a` and `b`", "`a`, `b` and `c`".
#[must_use]
pub fn enumerate(names: &[impl AsRef<str>]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// A text that may hold no interpolation: a brace stands for itself.
fn quoted(out: &mut Formatter<'_>, text: &str) -> fmt::Result {
    quoted_with(out, text, false)
}

fn quoted_with(out: &mut Formatter<'_>, text: &str, escape_braces: bool) -> fmt::Result {
    write!(out, "\"")?;
    for character in text.chars() {
        match character {
            '"' => write!(out, "\\\"")?,
            '\\' => write!(out, "\\\\")?,
            '\n' => write!(out, "\\n")?,
            '\t' => write!(out, "\\t")?,
            '\r' => write!(out, "\\r")?,
            '{' | '}' if escape_braces => write!(out, "\\{character}")?,
            other => write!(out, "{other}")?,
        }
    }
    write!(out, "\"")
}

/// Writes the largest units first, each at most once: `2h30min`, `16GiB`, `1MiB512KiB`.
fn in_units(out: &mut Formatter<'_>, mut rest: u64, units: &[(&str, u64)]) -> fmt::Result {
    let zero = rest == 0;
    for (unit, worth) in units {
        let count = rest / worth;
        if count > 0 || (zero && *worth == 1) {
            write!(out, "{count}{unit}")?;
        }
        rest %= worth;
    }
    Ok(())
}

const DURATIONS: &[(&str, u64)] = &[
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("min", 60_000),
    ("s", 1_000),
    ("ms", 1),
];
const SIZES: &[(&str, u64)] = &[
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

fn money(out: &mut Formatter<'_>, amount: i64, currency: &str) -> fmt::Result {
    let (whole, part) = (amount.unsigned_abs() / 10_000, amount.unsigned_abs() % 10_000);
    let sign = if amount < 0 { "-" } else { "" };
    if part == 0 {
        return write!(out, "{sign}{whole} {currency}");
    }
    let digits = format!("{part:04}");
    write!(out, "{sign}{whole}.{} {currency}", digits.trim_end_matches('0'))
}

impl Display for Value {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => write!(out, "none"),
            Self::Bool(value) => write!(out, "{value}"),
            Self::Int(value) => write!(out, "{value}"),
            Self::Float(value) => write!(out, "{value:?}"),
            Self::String(text) | Self::Date(text) | Self::Datetime(text) => quoted_with(out, text, true),
            Self::Duration(milliseconds) => {
                if *milliseconds < 0 {
                    write!(out, "-")?;
                }
                in_units(out, milliseconds.unsigned_abs(), DURATIONS)
            }
            Self::Size(bytes) => in_units(out, *bytes, SIZES),
            Self::Money { amount, currency } => money(out, *amount, currency),
            Self::Enum(text) => write!(out, "{}", identifier(text)),
            Self::List(items) => {
                write!(out, "[")?;
                separated(out, items.iter(), |out, item| write!(out, "{item}"))?;
                write!(out, "]")
            }
            Self::Map(entries) => {
                write!(out, "{{ ")?;
                separated(out, entries.iter(), |out, (key, value)| {
                    write!(out, "{}: {value}", identifier(key))
                })?;
                write!(out, " }}")
            }
        }
    }
}

fn separated<T>(
    out: &mut Formatter<'_>,
    items: impl Iterator<Item = T>,
    mut one: impl FnMut(&mut Formatter<'_>, T) -> fmt::Result,
) -> fmt::Result {
    for (index, item) in items.enumerate() {
        if index > 0 {
            write!(out, ", ")?;
        }
        one(out, item)?;
    }
    Ok(())
}

impl Display for EnumVariant {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{}", identifier(&self.name))?;
        if self.text != self.name {
            write!(out, " = ")?;
            quoted(out, &self.text)?;
        }
        Ok(())
    }
}

impl Display for EnumType {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            return write!(out, "{name}");
        }
        write!(out, "enum {{ ")?;
        separated(out, self.variants.iter(), |out, variant| write!(out, "{variant}"))?;
        write!(out, " }}")
    }
}

impl Display for RecordType {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            return write!(out, "{name}");
        }
        write!(out, "{{ ")?;
        separated(out, self.fields.iter(), |out, field| {
            write!(out, "{}: {}", identifier(&field.name), field.ty)
        })?;
        write!(out, " }}")
    }
}

impl Display for DataKind {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => write!(out, "bool"),
            Self::Int => write!(out, "int"),
            Self::Float => write!(out, "float"),
            Self::String => write!(out, "string"),
            Self::Date => write!(out, "date"),
            Self::Datetime => write!(out, "datetime"),
            Self::Duration => write!(out, "duration"),
            Self::Size => write!(out, "size"),
            Self::Money => write!(out, "money"),
            Self::Enum(of) => write!(out, "{of}"),
            Self::List(item) => write!(out, "list<{item}>"),
            Self::Map(item) => write!(out, "map<{item}>"),
            Self::Record(record) => write!(out, "{record}"),
        }
    }
}

impl Display for Refinement {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let operator = |bound: &Bound, strict: &'static str, loose: &'static str| {
            if bound.inclusive { loose } else { strict }
        };
        match self {
            Self::Range { minimum, maximum } => match (minimum, maximum) {
                (None, None) => Ok(()),
                (Some(low), None) => write!(out, "{} {}", operator(low, ">", ">="), low.value),
                (None, Some(high)) => write!(out, "{} {}", operator(high, "<", "<="), high.value),
                (Some(low), Some(high)) if low.inclusive => {
                    write!(
                        out,
                        "in {}..{}{}",
                        low.value,
                        if high.inclusive { "=" } else { "" },
                        high.value
                    )
                }
                (Some(low), Some(high)) => {
                    write!(out, "> {} {} {}", low.value, operator(high, "<", "<="), high.value)
                }
            },
            Self::Matches(pattern) => {
                write!(out, "matches ")?;
                quoted(out, pattern)
            }
            Self::Length { minimum, maximum } => match maximum {
                Some(maximum) => write!(out, "length {minimum}..={maximum}"),
                None => write!(out, "length {minimum}.."),
            },
        }
    }
}

impl Refinement {
    /// What it asks of a value, for a sentence with "must be": `at least 1 and at most 5`.
    #[must_use]
    pub fn requirement(&self) -> String {
        let lower = |bound: &Bound| {
            let words = if bound.inclusive { "at least" } else { "more than" };
            format!("{words} {}", bound.value)
        };
        let upper = |bound: &Bound| {
            let words = if bound.inclusive { "at most" } else { "less than" };
            format!("{words} {}", bound.value)
        };
        match self {
            Self::Range { minimum, maximum } => match (minimum, maximum) {
                (Some(low), Some(high)) => format!("{} and {}", lower(low), upper(high)),
                (Some(low), None) => lower(low),
                (None, Some(high)) => upper(high),
                (None, None) => self.to_string(),
            },
            Self::Matches(pattern) => format!("a text in which {pattern:?} is found"),
            Self::Length { minimum, maximum } => match maximum {
                Some(maximum) => format!("{minimum} to {maximum} long"),
                None => format!("at least {minimum} long"),
            },
        }
    }
}

impl Display for DataType {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.kind)?;
        if self.optional {
            write!(out, "?")?;
        }
        for refinement in &self.refinements {
            write!(out, " {refinement}")?;
        }
        Ok(())
    }
}

impl Display for Schema {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.name)
    }
}

impl Evidence {
    /// The word of the language; empty for none.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Validated => "validated",
            Self::Gated => "gated",
            Self::Proven => "proven",
            Self::Registered => "registered",
        }
    }

    /// The evidence that a word of the language names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Validated, Self::Gated, Self::Proven, Self::Registered]
            .into_iter()
            .find(|evidence| evidence.word() == word)
    }

    /// The word with a space behind it, for what stands before a type.
    fn prefix(self) -> String {
        match self {
            Self::None => String::new(),
            Self::Validated | Self::Gated | Self::Proven | Self::Registered => format!("{} ", self.word()),
        }
    }
}

impl Display for ArtifactKind {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dataset(schema) => write!(out, "Dataset<{}>", schema.name),
            Self::Model(name) | Self::Custom(name) => write!(out, "{name}"),
            Self::Metrics(model) => write!(out, "Metrics<{model}>"),
            Self::File => write!(out, "File"),
            Self::Directory => write!(out, "Directory"),
            Self::Html => write!(out, "Html"),
            Self::Markdown => write!(out, "Markdown"),
            Self::Opaque => write!(out, "Artifact"),
            Self::Deployment(_) => write!(out, "Deployment"),
        }
    }
}

impl Display for ArtifactType {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", self.evidence.prefix(), self.kind)
    }
}

impl Display for Type {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => write!(out, "?"),
            Self::Unit => write!(out, "()"),
            Self::Data(ty) => write!(out, "{ty}"),
            Self::Artifact(artifact) => write!(out, "{artifact}"),
            Self::Tuple(ports) => {
                write!(out, "(")?;
                separated(out, ports.iter(), |out, (name, ty)| {
                    write!(out, "{}: {ty}", identifier(name))
                })?;
                write!(out, ")")
            }
            Self::List(item) => write!(out, "list<{item}>"),
        }
    }
}

impl Display for GenericKind {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema => write!(out, "schema"),
            Self::Model => write!(out, "model"),
        }
    }
}

impl Display for ParameterKind {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(ty) => write!(out, "{ty}"),
            Self::GenericDataset { generic, evidence } => write!(out, "{}Dataset<{generic}>", evidence.prefix()),
            Self::GenericModel { generic, evidence } => write!(out, "{}{generic}", evidence.prefix()),
            Self::GenericMetrics { generic } => write!(out, "Metrics<{generic}>"),
            Self::Checks { generic } => write!(out, "Checks<{generic}>"),
            Self::Column {
                generic,
                optional,
                list,
            } => match (list, optional) {
                (true, _) => write!(out, "list<Column<{generic}>>"),
                (false, true) => write!(out, "Column<{generic}>?"),
                (false, false) => write!(out, "Column<{generic}>"),
            },
            Self::ModelName { generic } => write!(out, "Model<{generic}>"),
            Self::ServiceName { generic } => write!(out, "Service<{generic}>"),
            Self::List(item) => write!(out, "list<{item}>"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{enumerate, identifier};
    use crate::types::{Bound, DataKind, DataType, Refinement, Value};

    #[test]
    fn values_read_as_the_language_writes_them() {
        let shown = |value: Value| value.to_string();
        assert_eq!(shown(Value::Duration(9_000_000)), "2h30min");
        assert_eq!(shown(Value::Duration(0)), "0ms");
        assert_eq!(shown(Value::Size(16 << 30)), "16GiB");
        assert_eq!(shown(Value::Float(1.0)), "1.0");
        assert_eq!(shown(Value::String("a\"{b}".to_owned())), r#""a\"\{b\}""#);
        let money = Value::Money {
            amount: 405_000,
            currency: "USD".to_owned(),
        };
        assert_eq!(shown(money), "40.5 USD");
    }

    #[test]
    fn refined_optional_types_read_as_they_are_written() {
        let bound = |value| Bound {
            value: Value::Int(value),
            inclusive: true,
        };
        let ty = DataType {
            kind: DataKind::Int,
            optional: true,
            refinements: vec![Refinement::Range {
                minimum: Some(bound(1)),
                maximum: Some(bound(10)),
            }],
        };
        assert_eq!(ty.to_string(), "int? in 1..=10");
    }

    #[test]
    fn names_are_quoted_where_they_must_be() {
        assert_eq!(identifier("age"), "age");
        assert_eq!(identifier("status of account"), "`status of account`");
        assert_eq!(enumerate(&["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
