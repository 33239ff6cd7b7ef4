//! From a JSON value to the types of the specification, as protobuf's JSON reads them: fields in either spelling
//! (`componentRef`, `component_ref`), `null` for what is absent, enumerations by name or number, integers as numbers or text.
//!
//! Keys that people choose (names of tasks, inputs, executors) are left as they are: they are keys of maps, not fields.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a value is of the wanted kind, or of any other"
)]

use std::fmt;

use serde::de::value::StringDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};
use serde_json::Value as Json;

use super::super::path::inside;
use crate::diagnostics::nearest;

/// Why a value has not the shape of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldError {
    /// Where, from the outermost value.
    path: String,
    /// What is wrong, in a full sentence.
    pub(super) message: String,
    /// What to do.
    pub(super) help: String,
}

impl FieldError {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            path: String::new(),
            message: message.into(),
            help: help.into(),
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    fn at(mut self, segment: &str) -> Self {
        self.path = inside(segment, &self.path);
        self
    }

    fn at_index(mut self, index: usize) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path = format!("[{index}]{dot}{}", self.path);
        self
    }

    /// A value of the wrong kind.
    fn kind(value: &Json, wanted: &str, help: &str) -> Self {
        let found = match value {
            Json::Null => "null".to_owned(),
            Json::Bool(value) => format!("`{value}`"),
            Json::Number(number) => format!("the number {number}"),
            Json::String(_) => "text".to_owned(),
            Json::Array(_) => "a list".to_owned(),
            Json::Object(_) => "a map".to_owned(),
        };
        Self::new(format!("Here is {found}, and it must be {wanted}."), help)
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.path, self.message)
    }
}

impl std::error::Error for FieldError {}

/// What to do about a name that is none of the known.
fn among(wanted: &str, known: &'static [&'static str]) -> String {
    match nearest(wanted, known.iter().copied()) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => {
            let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            format!("There is {}.", known.join(", "))
        }
    }
}

impl serde::de::Error for FieldError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(
            format!("The value is not what it should be: {message}."),
            "Mend it there.",
        )
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(
            format!("There is no field `{field}` here in schema 2.1.0."),
            among(field, expected),
        )
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(
            format!("`{variant}` is none of the values that are known here."),
            among(variant, expected),
        )
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("The field `{field}` is missing."), format!("Add `{field}`."))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(
            format!("The field `{field}` is there twice, in two spellings."),
            "Leave one of them out.",
        )
    }
}

/// Reads a value as a type.
pub(super) fn typed<T: DeserializeOwned>(value: Json) -> Result<T, FieldError> {
    T::deserialize(Node(value))
}

/// A value that is read.
struct Node(Json);

impl Node {
    /// An integer: a number without a fraction, or its digits as text.
    fn integer<T: TryFrom<i64>>(&self) -> Result<T, FieldError> {
        let number = match &self.0 {
            Json::Null => Some(0),
            // A float that is whole and exact in 53 bits.
            Json::Number(number) => number.as_i64().or_else(|| {
                let whole = number
                    .as_f64()
                    .filter(|each| each.fract() == 0.0 && each.abs() < 9e15)?;
                format!("{whole:.0}").parse().ok()
            }),
            Json::String(text) => text.parse().ok(),
            Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
        };
        let number = number.and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| {
            FieldError::kind(
                &self.0,
                "a whole number that is not negative",
                "Write a number such as 3.",
            )
        })
    }
}

macro_rules! integers {
    ($($method:ident $visit:ident $type:ty)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
            visitor.$visit(self.integer::<$type>()?)
        })*
    };
}

impl<'de> Deserializer<'de> for Node {
    type Error = FieldError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        self.0.deserialize_any(visitor).map_err(serde::de::Error::custom)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.0 {
            Json::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.0 {
            Json::Null => visitor.visit_string(String::new()),
            Json::String(text) => visitor.visit_string(text),
            other => Err(FieldError::kind(&other, "text", "Put it in quotes.")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        self.deserialize_string(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.0 {
            Json::Null => visitor.visit_bool(false),
            Json::Bool(value) => visitor.visit_bool(value),
            other => Err(FieldError::kind(
                &other,
                "`true` or `false`",
                "Write it without quotes.",
            )),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        let number = match &self.0 {
            Json::Null => Some(0.0),
            Json::Number(number) => number.as_f64(),
            Json::String(text) => text.parse().ok(),
            Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
        };
        match number {
            Some(number) => visitor.visit_f64(number),
            None => Err(FieldError::kind(&self.0, "a number", "Write a number such as 2.0.")),
        }
    }

    integers! {
        deserialize_u32 visit_u32 u32
        deserialize_u64 visit_u64 u64
        deserialize_i32 visit_i32 i32
        deserialize_i64 visit_i64 i64
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.0 {
            Json::Null => visitor.visit_seq(Items(Vec::new().into_iter().enumerate())),
            Json::Array(items) => visitor.visit_seq(Items(items.into_iter().enumerate())),
            other => Err(FieldError::kind(&other, "a list", "Write a list, even of one.")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_map(Fields::new(self.0, &[])?)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        visitor.visit_map(Fields::new(self.0, fields)?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        let value = match self.0 {
            Json::String(name) => return visitor.visit_enum(Variant { name, value: None }),
            Json::Number(number) => {
                let index = number.as_u64().and_then(|index| usize::try_from(index).ok());
                let name = index
                    .and_then(|index| variants.get(index))
                    .map(|name| (*name).to_owned());
                let name = name.unwrap_or_else(|| number.to_string());
                return visitor.visit_enum(Variant { name, value: None });
            }
            other => other,
        };
        let fields = Fields::new(value, variants)?;
        let given: Vec<(String, Json)> = fields
            .rest
            .filter(|(name, value)| !value.is_null() || name == "constant")
            .collect();
        let names: Vec<String> = given.iter().map(|(name, _)| format!("`{name}`")).collect();
        let mut given = given.into_iter();
        match (given.next(), given.next()) {
            (Some((name, value)), None) => visitor.visit_enum(Variant {
                name,
                value: Some(value),
            }),
            (Some(_), Some(_)) => Err(FieldError::new(
                format!("Here is {}, and there can only be one of them.", names.join(" and ")),
                "Leave the others out.",
            )),
            (None, _) => {
                let known: Vec<String> = variants.iter().map(|name| format!("`{name}`")).collect();
                Err(FieldError::new(
                    "Here is nothing.",
                    format!("Write {}.", known.join(" or ")),
                ))
            }
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

impl IntoDeserializer<'_, FieldError> for Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The items of a list.
struct Items(std::iter::Enumerate<std::vec::IntoIter<Json>>);

impl<'de> SeqAccess<'de> for Items {
    type Error = FieldError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, FieldError> {
        let Some((index, item)) = self.0.next() else {
            return Ok(None);
        };
        seed.deserialize(Node(item))
            .map(Some)
            .map_err(|error| error.at_index(index))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

/// The fields of a map, those that are known in their own spelling.
struct Fields {
    rest: Box<dyn Iterator<Item = (String, Json)>>,
    next: Option<(String, Json)>,
}

impl Fields {
    fn new(value: Json, known: &'static [&'static str]) -> Result<Self, FieldError> {
        let fields = match value {
            Json::Null => serde_json::Map::new(),
            Json::Object(fields) => fields,
            other => return Err(FieldError::kind(&other, "a map", "Write fields with their values.")),
        };
        Ok(Self {
            rest: Box::new(fields.into_iter().map(|(name, value)| (spelled(name, known), value))),
            next: None,
        })
    }
}

/// A name in the spelling that is known, when it is known in another.
fn spelled(name: String, known: &[&str]) -> String {
    if !name.contains('_') || known.contains(&name.as_str()) {
        return name;
    }
    let mut camel = String::new();
    for (position, part) in name.split('_').enumerate() {
        let mut letters = part.chars();
        match letters.next().filter(|_| position > 0) {
            Some(first) => camel.extend(first.to_uppercase().chain(letters)),
            None => camel.push_str(part),
        }
    }
    if known.contains(&camel.as_str()) { camel } else { name }
}

impl<'de> MapAccess<'de> for Fields {
    type Error = FieldError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, FieldError> {
        let Some((name, value)) = self.rest.next() else {
            return Ok(None);
        };
        let key: StringDeserializer<FieldError> = name.clone().into_deserializer();
        self.next = Some((name, value));
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, FieldError> {
        // Serde asks for a value after its key alone.
        let (name, value) = self.next.take().unwrap_or_default();
        seed.deserialize(Node(value)).map_err(|error| error.at(&name))
    }
}

/// One of several: a name, or a name with a value.
struct Variant {
    name: String,
    value: Option<Json>,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = FieldError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), FieldError> {
        let name: StringDeserializer<FieldError> = self.name.clone().into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant {
    type Error = FieldError;

    fn unit_variant(self) -> Result<(), FieldError> {
        match self.value {
            None => Ok(()),
            Some(value) => Err(FieldError::kind(&value, "one of a few names", "Write the name alone.")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, FieldError> {
        match self.value {
            Some(value) => seed.deserialize(Node(value)).map_err(|error| error.at(&self.name)),
            None => Err(FieldError::new(
                format!("Here is `{}`, and it must be a map.", self.name),
                "Write fields with their values.",
            )),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _length: usize, _visitor: V) -> Result<V::Value, FieldError> {
        self.unit_variant()
            .and_then(|()| Err(serde::de::Error::custom("no field is a tuple")))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, FieldError> {
        self.unit_variant()
            .and_then(|()| Err(serde::de::Error::custom("no field is a variant with fields")))
    }
}
