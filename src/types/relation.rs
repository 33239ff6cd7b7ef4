//! Which type goes where another is asked for. There is no coercion here: a literal `int` becomes a `float` in [`admit`] only.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use super::display::enumerate;
use super::{DataKind, DataType, EnumType, RecordType, Schema, Value};

/// Why a type does not fit another.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// What is there.
    pub actual: Box<DataType>,
    /// What is needed.
    pub wanted: Box<DataType>,
    /// The first rule that is broken.
    pub reason: Reason,
}

/// The rules of [`fits`].
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// The kinds of value differ.
    Kind,
    /// The value may be absent where it must be present.
    Absent,
    /// The range is wider than what is needed.
    Range,
    /// The enum has values that the wanted one lacks.
    Values(Vec<String>),
    /// Nothing says that the text matches this pattern.
    Pattern(String),
    /// The length is less bounded than what is needed.
    Length,
    /// A field of the wanted record is missing.
    MissingField(String),
    /// A field of the record does not fit.
    Field(String, Box<Mismatch>),
    /// The items of the list or map do not fit.
    Item(Box<Mismatch>),
}

impl Display for Mismatch {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let Self { actual, wanted, reason } = self;
        match reason {
            Reason::Kind => write!(out, "is `{actual}`, but `{wanted}` is needed"),
            Reason::Absent => write!(out, "may be absent (`{actual}`), but `{wanted}` is needed"),
            Reason::Range => write!(out, "is `{actual}`, which is wider than `{wanted}`"),
            Reason::Values(values) => {
                let may = if values.len() == 1 { "the value" } else { "the values" };
                write!(
                    out,
                    "may have {may} {}, which `{wanted}` does not have",
                    enumerate(values)
                )
            }
            Reason::Pattern(pattern) => write!(out, "is `{actual}`, which need not match `{pattern}`"),
            Reason::Length => write!(
                out,
                "is `{actual}`, whose length is less bounded than that of `{wanted}`"
            ),
            Reason::MissingField(field) => write!(out, "is `{actual}`, which has no field `{field}`"),
            Reason::Field(field, inner) => write!(out, "has a field `{field}` that {inner}"),
            Reason::Item(inner) => write!(out, "has items of which each {inner}"),
        }
    }
}

/// Whether every value of `actual` is a value of `wanted`.
///
/// # Errors
/// The first rule that is broken.
pub fn fits(actual: &DataType, wanted: &DataType) -> Result<(), Mismatch> {
    let refuse = |reason| {
        Err(Mismatch {
            actual: Box::new(actual.clone()),
            wanted: Box::new(wanted.clone()),
            reason,
        })
    };
    if let Err(reason) = kind_fits(&actual.kind, &wanted.kind) {
        return refuse(reason);
    }
    if actual.optional && !wanted.optional {
        return refuse(Reason::Absent);
    }
    if !actual.range().within(&wanted.range()) {
        return refuse(Reason::Range);
    }
    if let Some(pattern) = wanted
        .patterns()
        .find(|pattern| !actual.patterns().any(|own| own == *pattern))
    {
        return refuse(Reason::Pattern(pattern.to_owned()));
    }
    let ((low, high), (wanted_low, wanted_high)) = (actual.length(), wanted.length());
    let bounded = wanted_high.is_none_or(|wanted| high.is_some_and(|high| high <= wanted));
    if low < wanted_low || !bounded {
        return refuse(Reason::Length);
    }
    Ok(())
}

fn kind_fits(actual: &DataKind, wanted: &DataKind) -> Result<(), Reason> {
    match (actual, wanted) {
        (DataKind::Enum(actual), DataKind::Enum(wanted)) => enum_fits(actual, wanted),
        (DataKind::List(actual), DataKind::List(wanted)) | (DataKind::Map(actual), DataKind::Map(wanted)) => {
            fits(actual, wanted).map_err(|inner| Reason::Item(Box::new(inner)))
        }
        (DataKind::Record(actual), DataKind::Record(wanted)) => record_fits(actual, wanted),
        (actual, wanted) if actual == wanted => Ok(()),
        (_, _) => Err(Reason::Kind),
    }
}

fn enum_fits(actual: &EnumType, wanted: &EnumType) -> Result<(), Reason> {
    let lacks = |text: &str| wanted.variants.iter().all(|variant| variant.text != text);
    let unknown = actual.variants.iter().filter(|variant| lacks(&variant.text));
    let unknown: Vec<String> = unknown.map(|variant| variant.name.clone()).collect();
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(Reason::Values(unknown))
    }
}

fn record_fits(actual: &RecordType, wanted: &RecordType) -> Result<(), Reason> {
    for field in &wanted.fields {
        let Some(own) = actual.fields.iter().find(|own| own.name == field.name) else {
            return Err(Reason::MissingField(field.name.clone()));
        };
        fits(&own.ty, &field.ty).map_err(|inner| Reason::Field(field.name.clone(), Box::new(inner)))?;
    }
    Ok(())
}

/// A column for whose sake a schema does not fit another.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnMismatch {
    /// The wanted column.
    pub column: String,
    /// What is wrong with it.
    pub problem: ColumnProblem,
}

/// What is wrong with a column.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnProblem {
    /// It is not there.
    Missing {
        /// The column of the actual schema whose name is nearest.
        nearest: Option<String>,
    },
    /// It has another type.
    Type(Mismatch),
}

impl Display for ColumnMismatch {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let column = &self.column;
        match &self.problem {
            ColumnProblem::Missing { nearest: None } => write!(out, "`{column}` is missing"),
            ColumnProblem::Missing { nearest: Some(nearest) } => {
                write!(out, "`{column}` is missing; the nearest column is `{nearest}`")
            }
            ColumnProblem::Type(mismatch) => write!(out, "`{column}` {mismatch}"),
        }
    }
}

/// The columns for whose sake a dataset of `actual` cannot go where one of `wanted` is asked for; none when it can.
/// More columns than asked for do no harm.
#[must_use]
pub fn schema_fits(actual: &Schema, wanted: &Schema) -> Vec<ColumnMismatch> {
    let problem = |column: &super::Column| match actual.column(&column.name) {
        Some(own) => fits(&own.ty, &column.ty).err().map(ColumnProblem::Type),
        None if actual.incomplete => None,
        None => Some(ColumnProblem::Missing {
            nearest: nearest_column(actual, &column.name),
        }),
    };
    let mismatches = wanted.columns.iter().filter_map(|column| {
        problem(column).map(|problem| ColumnMismatch {
            column: column.name.clone(),
            problem,
        })
    });
    mismatches.collect()
}

/// The column of `schema` whose name is nearest to `name`.
#[must_use]
pub fn nearest_column(schema: &Schema, name: &str) -> Option<String> {
    let names = schema.columns.iter().map(|column| column.name.as_str());
    crate::diagnostics::nearest(name, names).map(|name| name.to_string())
}

/// The constant as a value of `wanted`: an `int` where a `float` is wanted becomes one, a text where a date, datetime or
/// enum is wanted is read as one.
///
/// # Errors
/// A phrase that goes behind the constant: "is not in `int in 1..=10`".
pub fn admit(value: Value, wanted: &DataType) -> Result<Value, String> {
    if value == Value::None {
        return if wanted.optional {
            Ok(value)
        } else {
            Err(format!("is absent, but `{wanted}` is needed"))
        };
    }
    let value = shape(value, wanted)?;
    if !wanted.range().holds(&value) {
        return Err(format!("is not in `{wanted}`"));
    }
    let (low, high) = wanted.length();
    let length = match &value {
        Value::String(text) => Some(text.chars().count()),
        Value::List(items) => Some(items.len()),
        Value::None
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Date(_)
        | Value::Datetime(_)
        | Value::Duration(_)
        | Value::Size(_)
        | Value::Money { .. }
        | Value::Enum(_)
        | Value::Map(_) => None,
    };
    if let Some(length) = length.and_then(|length| u64::try_from(length).ok())
        && (length < low || high.is_some_and(|high| length > high))
    {
        return Err(format!("has the length {length}, but `{wanted}` is needed"));
    }
    if let Value::String(text) = &value
        && let Some(pattern) = wanted.patterns().find(|pattern| !matches(pattern, text))
    {
        return Err(format!("does not match `{pattern}`"));
    }
    Ok(value)
}

/// A pattern that is no regular expression was reported where it is declared, and matches everything.
fn matches(pattern: &str, text: &str) -> bool {
    regex::Regex::new(pattern).map_or(true, |pattern| pattern.is_match(text))
}

/// Gives a constant the kind that is wanted, where that is certain.
fn shape(value: Value, wanted: &DataType) -> Result<Value, String> {
    match (&wanted.kind, value) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a literal integer is written where a float is meant"
        )]
        (DataKind::Float, Value::Int(value)) => Ok(Value::Float(value as f64)),
        (DataKind::Date, Value::String(text)) => read_date(&text),
        (DataKind::Datetime, Value::String(text)) => read_datetime(&text),
        (DataKind::Enum(of), Value::String(text) | Value::Enum(text)) => read_variant(of, &text),
        (DataKind::List(item), Value::List(values)) => {
            let items: Result<_, _> = values.into_iter().map(|value| admit_item(value, item)).collect();
            Ok(Value::List(items?))
        }
        (DataKind::Map(item), Value::Map(entries)) => {
            let items = entries.into_iter();
            let items: Result<_, _> = items.map(|(key, value)| Ok((key, admit_item(value, item)?))).collect();
            items.map(Value::Map)
        }
        (DataKind::Record(record), Value::Map(entries)) => read_record(record, entries),
        (kind, value) if is_of(kind, &value) => Ok(value),
        (_, value) => Err(format!("is {}, but `{wanted}` is needed", kind_of(&value))),
    }
}

fn admit_item(value: Value, item: &DataType) -> Result<Value, String> {
    let shown = value.to_string();
    admit(value, item).map_err(|problem| format!("holds `{shown}`, which {problem}"))
}

fn read_date(text: &str) -> Result<Value, String> {
    let date: Result<jiff::civil::Date, _> = text.parse();
    date.map(|date| Value::Date(date.to_string()))
        .map_err(|_| "is no date; a date is written \"YYYY-MM-DD\"".to_owned())
}

fn read_datetime(text: &str) -> Result<Value, String> {
    let time: Result<jiff::Timestamp, _> = text.parse();
    time.map(|time| Value::Datetime(time.to_string()))
        .map_err(|_| "is no point in time; one is written \"2026-01-31T12:00:00Z\"".to_owned())
}

fn read_variant(of: &EnumType, text: &str) -> Result<Value, String> {
    let found = of
        .variants
        .iter()
        .find(|variant| variant.text == text || variant.name == text);
    match found {
        Some(variant) => Ok(Value::Enum(variant.text.clone())),
        None => Err(format!("is no value of `{of}`")),
    }
}

fn read_record(record: &RecordType, mut entries: BTreeMap<String, Value>) -> Result<Value, String> {
    let mut fields = BTreeMap::new();
    for field in &record.fields {
        let value = entries.remove(&field.name).unwrap_or(Value::None);
        let value =
            admit(value, &field.ty).map_err(|problem| format!("has a field `{}` that {problem}", field.name))?;
        fields.insert(field.name.clone(), value);
    }
    match entries.keys().next() {
        Some(extra) => Err(format!("has a field `{extra}`, which `{record}` does not have")),
        None => Ok(Value::Map(fields)),
    }
}

fn is_of(kind: &DataKind, value: &Value) -> bool {
    match kind {
        DataKind::Bool => matches!(value, Value::Bool(_)),
        DataKind::Int => matches!(value, Value::Int(_)),
        DataKind::Float => matches!(value, Value::Float(_)),
        DataKind::String => matches!(value, Value::String(_)),
        DataKind::Date => matches!(value, Value::Date(_)),
        DataKind::Datetime => matches!(value, Value::Datetime(_)),
        DataKind::Duration => matches!(value, Value::Duration(_)),
        DataKind::Size => matches!(value, Value::Size(_)),
        DataKind::Money => matches!(value, Value::Money { .. }),
        DataKind::Enum(_) | DataKind::List(_) | DataKind::Map(_) | DataKind::Record(_) => false,
    }
}

/// What a constant is, for a sentence.
#[must_use]
pub fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::None => "`none`",
        Value::Bool(_) => "a `bool`",
        Value::Int(_) => "an `int`",
        Value::Float(_) => "a `float`",
        Value::String(_) => "a `string`",
        Value::Date(_) => "a `date`",
        Value::Datetime(_) => "a `datetime`",
        Value::Duration(_) => "a `duration`",
        Value::Size(_) => "a `size`",
        Value::Money { .. } => "`money`",
        Value::Enum(_) => "a value of an enum",
        Value::List(_) => "a list",
        Value::Map(_) => "a record",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

    use super::{ColumnProblem, admit, fits, schema_fits};
    use crate::types::{
        Bound, Column, DataKind, DataType, EnumType, EnumVariant, RecordField, RecordType, Refinement, Schema, Value,
    };

    fn refinement() -> impl Strategy<Value = Option<Refinement>> {
        let bound = || {
            proptest::option::of((-3..3_i64, any::<bool>()).prop_map(|(value, inclusive)| Bound {
                value: Value::Int(value),
                inclusive,
            }))
        };
        proptest::option::of((bound(), bound()).prop_map(|(minimum, maximum)| Refinement::Range { minimum, maximum }))
    }

    fn integer() -> impl Strategy<Value = DataType> {
        (refinement(), any::<bool>()).prop_map(|(refinement, optional)| DataType {
            kind: DataKind::Int,
            optional,
            refinements: refinement.into_iter().collect(),
        })
    }

    fn variants() -> impl Strategy<Value = DataType> {
        proptest::sample::subsequence(vec!["a", "b", "c"], 1..=3).prop_map(|names| {
            let variants = names.iter().map(|name| EnumVariant {
                name: (*name).to_owned(),
                text: (*name).to_owned(),
            });
            DataType::plain(DataKind::Enum(EnumType {
                name: None,
                variants: variants.collect(),
            }))
        })
    }

    fn data_type() -> impl Strategy<Value = DataType> {
        let leaf = prop_oneof![
            integer(),
            variants(),
            Just(DataType::plain(DataKind::Bool)),
            Just(DataType::plain(DataKind::Float)),
        ];
        leaf.prop_recursive(2, 8, 3, |inner| {
            let field = |name: &str, ty: DataType| RecordField {
                name: name.to_owned(),
                ty,
            };
            prop_oneof![
                inner
                    .clone()
                    .prop_map(|item| DataType::plain(DataKind::List(Box::new(item)))),
                (inner.clone(), proptest::option::of(inner)).prop_map(move |(first, second)| {
                    let second = second.map(|ty| field("y", ty));
                    let fields = std::iter::once(field("x", first)).chain(second).collect();
                    DataType::plain(DataKind::Record(RecordType { name: None, fields }))
                }),
            ]
        })
    }

    fn schema() -> impl Strategy<Value = Schema> {
        proptest::collection::btree_map("[abc]", data_type(), 0..3).prop_map(|columns| Schema {
            name: "S".to_owned(),
            columns: columns
                .into_iter()
                .map(|(name, ty)| Column {
                    name,
                    ty,
                    tags: Vec::new(),
                    docs: None,
                })
                .collect(),
            incomplete: false,
        })
    }

    proptest! {
        #[test]
        fn every_type_fits_itself(ty in data_type()) {
            prop_assert_eq!(fits(&ty, &ty), Ok(()));
        }

        #[test]
        fn fitting_is_transitive(a in integer(), b in integer(), c in integer()) {
            if fits(&a, &b).is_ok() && fits(&b, &c).is_ok() {
                prop_assert_eq!(fits(&a, &c), Ok(()));
            }
        }

        #[test]
        fn what_fits_admits_every_value(a in integer(), b in integer(), value in -4..4_i64) {
            if fits(&a, &b).is_ok() && admit(Value::Int(value), &a).is_ok() {
                prop_assert!(admit(Value::Int(value), &b).is_ok());
            }
        }

        #[test]
        fn every_schema_fits_itself_and_what_has_fewer_columns(schema in schema(), left_out in "[abc]") {
            prop_assert_eq!(schema_fits(&schema, &schema), Vec::new());
            let narrower = schema.without(std::slice::from_ref(&left_out), &left_out);
            prop_assert_eq!(schema_fits(&schema, &narrower), Vec::new());
            let missing = schema_fits(&narrower, &schema);
            prop_assert_eq!(missing.len(), usize::from(schema.column(&left_out).is_some()));
            let all_missing = missing.iter().all(|own| matches!(own.problem, ColumnProblem::Missing { .. }));
            prop_assert!(all_missing);
        }

        #[test]
        fn schemas_fit_transitively(a in schema(), b in schema(), c in schema()) {
            if schema_fits(&a, &b).is_empty() && schema_fits(&b, &c).is_empty() {
                prop_assert_eq!(schema_fits(&a, &c), Vec::new());
            }
        }
    }

    #[test]
    fn a_mismatch_says_what_is_wrong_with_each_column() {
        let column = |name: &str, ty: DataType| Column {
            name: name.to_owned(),
            ty,
            tags: Vec::new(),
            docs: None,
        };
        let schema = |columns: Vec<Column>| Schema {
            name: "S".to_owned(),
            columns,
            incomplete: false,
        };
        let plain = DataType::plain;
        let actual = schema(vec![
            column("amuont", plain(DataKind::Float)),
            column("age", plain(DataKind::Int).or_absent(true)),
            column("name", plain(DataKind::Int)),
        ]);
        let wanted = schema(vec![
            column("amount", plain(DataKind::Float)),
            column("age", plain(DataKind::Int)),
            column("name", plain(DataKind::String)),
        ]);
        let shown: Vec<String> = schema_fits(&actual, &wanted).iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "`amount` is missing; the nearest column is `amuont`",
                "`age` may be absent (`int?`), but `int` is needed",
                "`name` is `int`, but `string` is needed",
            ]
        );
    }
}
