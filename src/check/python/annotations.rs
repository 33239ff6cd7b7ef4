//! Which Python annotations go with which types of the language. An annotation that is not known here is accepted.

use crate::types::{ArtifactKind, DataKind, DataType, ParameterKind, Type, Value};

/// What an annotation says, read from its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Annotation {
    /// Its last name, without arguments: `DataFrame`.
    pub(super) name: String,
    /// What stands in its brackets, split at commas.
    pub(super) arguments: Vec<String>,
    /// Whether `None` is among its alternatives.
    pub(super) optional: bool,
}

impl Annotation {
    /// The alternatives of an annotation, without `None`.
    pub(super) fn read(text: &str) -> Vec<Self> {
        let text = text.trim().trim_matches(|quote| quote == '"' || quote == '\'');
        let mut alternatives: Vec<String> = Vec::new();
        let mut open = vec![text.to_owned()];
        while let Some(part) = open.pop() {
            let parts = split(&part, '|');
            let (name, arguments) = head(&part);
            if parts.len() > 1 {
                open.extend(parts);
            } else if name == "Union" {
                open.extend(arguments);
            } else if name == "Optional" {
                open.extend(arguments);
                open.push("None".to_owned());
            } else if name == "Annotated" {
                open.extend(arguments.into_iter().take(1));
            } else {
                alternatives.push(part);
            }
        }
        let optional = alternatives.iter().any(|part| part.trim() == "None");
        let present = alternatives.iter().filter(|part| part.trim() != "None");
        let read = present.map(|part| {
            let (name, arguments) = head(part);
            Self {
                name,
                arguments,
                optional,
            }
        });
        read.collect()
    }
}

/// Splits at a separator that stands in no bracket.
fn split(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_usize;
    for character in text.chars() {
        match character {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if character == separator && depth == 0 {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

/// The last name of an annotation, and its arguments.
fn head(text: &str) -> (String, Vec<String>) {
    let (path, arguments) = match text.split_once('[') {
        Some((path, rest)) => (path, split(rest.strip_suffix(']').unwrap_or(rest), ',')),
        None => (text, Vec::new()),
    };
    let name = path.rsplit('.').next().unwrap_or(path).trim().to_owned();
    (name, arguments)
}

const TABLES: &[&str] = &["DataFrame", "LazyFrame", "Table", "RecordBatch", "Path", "str"];
const PLACES: &[&str] = &["Path", "PurePath", "PathLike", "str"];
const LISTS: &[&str] = &["list", "List", "Sequence", "Iterable", "Collection", "MutableSequence"];
const MAPS: &[&str] = &["dict", "Dict", "Mapping", "MutableMapping", "TypedDict"];

/// The names that are understood. A name outside says nothing that could be contradicted.
const UNDERSTOOD: &[&str] = &[
    "bool",
    "int",
    "float",
    "complex",
    "str",
    "bytes",
    "bytearray",
    "list",
    "List",
    "tuple",
    "Tuple",
    "dict",
    "Dict",
    "set",
    "Set",
    "frozenset",
    "Sequence",
    "Iterable",
    "Collection",
    "Mapping",
    "MutableMapping",
    "date",
    "datetime",
    "timedelta",
    "Path",
    "DataFrame",
    "LazyFrame",
    "Table",
    "RecordBatch",
];

fn data(kind: &DataKind) -> &'static [&'static str] {
    match kind {
        DataKind::Bool => &["bool"],
        DataKind::Int | DataKind::Size => &["int", "float"],
        DataKind::Float => &["float"],
        DataKind::String => &["str", "Path"],
        DataKind::Enum(_) => &["str"],
        DataKind::Date => &["date"],
        DataKind::Datetime => &["datetime"],
        DataKind::Duration => &["timedelta"],
        DataKind::Money => &["str", "float", "dict", "Dict", "Mapping"],
        DataKind::List(_) => LISTS,
        DataKind::Map(_) | DataKind::Record(_) => MAPS,
    }
}

fn artifact(kind: &ArtifactKind) -> &'static [&'static str] {
    match kind {
        ArtifactKind::Dataset(_) => TABLES,
        ArtifactKind::Metrics(_) => &["dict", "Dict", "Mapping", "MutableMapping", "Path", "str"],
        ArtifactKind::Model(_)
        | ArtifactKind::File
        | ArtifactKind::Directory
        | ArtifactKind::Html
        | ArtifactKind::Markdown
        | ArtifactKind::Opaque
        | ArtifactKind::Custom(_)
        | ArtifactKind::Deployment(_) => PLACES,
    }
}

/// The understood names that go with a type; nothing where every annotation does.
pub(super) fn accepted(kind: &ParameterKind) -> Option<&'static [&'static str]> {
    match kind {
        ParameterKind::Type(Type::Data(ty)) => Some(data(&ty.kind)),
        ParameterKind::Type(Type::Artifact(of)) => Some(artifact(&of.kind)),
        ParameterKind::GenericDataset { .. } => Some(TABLES),
        ParameterKind::GenericModel { .. } => Some(PLACES),
        ParameterKind::Type(Type::List(_)) | ParameterKind::List(_) => Some(LISTS),
        ParameterKind::Type(Type::Unknown | Type::Unit | Type::Tuple(_))
        | ParameterKind::GenericMetrics { .. }
        | ParameterKind::Checks { .. }
        | ParameterKind::Column { .. }
        | ParameterKind::ModelName { .. }
        | ParameterKind::ServiceName { .. } => None,
    }
}

/// Whether no alternative of an annotation can hold values of a type.
pub(super) fn contradicts(annotation: &str, kind: &ParameterKind) -> bool {
    let alternatives = Annotation::read(annotation);
    let Some(accepted) = accepted(kind) else { return false };
    !alternatives.is_empty()
        && alternatives.iter().all(|own| {
            let name = own.name.as_str();
            UNDERSTOOD.contains(&name) && !accepted.contains(&name) && !is_returned_list(kind, name)
        })
}

/// Tuples are sequences: a list may come as one.
fn is_returned_list(kind: &ParameterKind, name: &str) -> bool {
    matches!(name, "tuple" | "Tuple") && accepted(kind) == Some(LISTS)
}

/// Whether an optional value meets an annotation that excludes `None`. An annotation that is not understood says nothing.
pub(super) fn excludes_none(annotation: &str, ty: &DataType) -> bool {
    let alternatives = Annotation::read(annotation);
    ty.optional
        && !alternatives.is_empty()
        && alternatives
            .iter()
            .all(|own| !own.optional && UNDERSTOOD.contains(&own.name.as_str()))
}

/// How a type is best annotated, for a sentence.
pub(super) fn proposal(kind: &ParameterKind) -> String {
    let optional = matches!(kind, ParameterKind::Type(Type::Data(DataType { optional: true, .. })));
    let name = match kind {
        ParameterKind::Type(Type::Data(ty)) => data(&ty.kind).first().copied().unwrap_or("object"),
        ParameterKind::GenericDataset { .. } => "pandas.DataFrame",
        ParameterKind::Type(Type::Artifact(of)) if matches!(of.kind, ArtifactKind::Dataset(_)) => "pandas.DataFrame",
        other => accepted(other)
            .and_then(|names| names.first().copied())
            .unwrap_or("object"),
    };
    if optional {
        format!("{name} | None")
    } else {
        name.to_owned()
    }
}

/// The value of a Python literal; nothing for anything else.
pub(super) fn literal(text: &str) -> Option<Value> {
    let text = text.trim();
    match text {
        "None" => return Some(Value::None),
        "True" => return Some(Value::Bool(true)),
        "False" => return Some(Value::Bool(false)),
        _ => {}
    }
    let digits: String = text.chars().filter(|character| *character != '_').collect();
    if let Ok(value) = digits.parse::<i64>() {
        return Some(Value::Int(value));
    }
    if digits.starts_with(|first: char| first.is_ascii_digit() || first == '-' || first == '.')
        && let Ok(value) = digits.parse::<f64>()
    {
        return Some(Value::Float(value));
    }
    for quote in ['"', '\''] {
        let inner = text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
        if let Some(inner) = inner
            && !inner.contains([quote, '\\'])
        {
            return Some(Value::String(inner.to_owned()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Annotation, contradicts, literal};
    use crate::types::{DataKind, DataType, ParameterKind, Value};

    fn data(kind: DataKind) -> ParameterKind {
        ParameterKind::data(DataType::plain(kind))
    }

    #[test]
    fn alternatives_are_read_through_unions() {
        let names = |text: &str| -> Vec<String> {
            let mut names: Vec<String> = Annotation::read(text).into_iter().map(|own| own.name).collect();
            names.sort();
            names
        };
        assert_eq!(names("Optional[pd.DataFrame]"), ["DataFrame"]);
        assert_eq!(names("typing.Union[int, 'str', None]"), ["'str'", "int"]);
        assert_eq!(names("dict[str, int] | None"), ["dict"]);
        assert_eq!(names("Annotated[int, Field(gt=0)]"), ["int"]);
    }

    #[test]
    fn only_what_is_understood_contradicts() {
        assert!(contradicts("str", &data(DataKind::Int)));
        assert!(!contradicts("float", &data(DataKind::Int)));
        assert!(contradicts("int", &data(DataKind::Float)));
        assert!(!contradicts("PositiveInt", &data(DataKind::Int)));
        assert!(!contradicts("int | str", &data(DataKind::Int)));
        assert!(!contradicts("", &data(DataKind::Int)));
    }

    #[test]
    fn literals_are_read() {
        assert_eq!(literal("1_000"), Some(Value::Int(1000)));
        assert_eq!(literal("-0.5"), Some(Value::Float(-0.5)));
        assert_eq!(literal("'a'"), Some(Value::String("a".to_owned())));
        assert_eq!(literal("None"), Some(Value::None));
        assert_eq!(literal("inf"), None);
        assert_eq!(literal("f(x)"), None);
    }
}
