//! YAML as `kfp` writes it: with PyYAML, which knows fewer numbers than YAML 1.2 does.
//!
//! `- 1e-5` among arguments is text there, and bare. So each number is looked up in the file before it is believed.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value as Json};
use serde_saphyr::{Options, Spanned};

/// A value of which numbers are still to be looked up.
enum Bare {
    Plain(Json),
    Number(Number),
    List(Vec<Spanned<Bare>>),
    Map(Vec<(String, Spanned<Bare>)>),
}

/// The documents of a text.
///
/// # Errors
/// When it is no YAML, or more than the options allow.
pub(super) fn documents(text: &str, options: Options) -> Result<Vec<Json>, serde_saphyr::Error> {
    let documents: Vec<Spanned<Bare>> = serde_saphyr::from_multiple_with_options(text, options)?;
    Ok(documents.into_iter().map(|document| json(document, text)).collect())
}

/// Depth is bounded by the options with which it was read.
fn json(node: Spanned<Bare>, text: &str) -> Json {
    let span = node.defined.span();
    match node.value {
        Bare::Plain(value) => value,
        Bare::Number(number) => {
            let offset = |offset: Option<u64>| usize::try_from(offset?).ok();
            let bare = offset(span.byte_offset()).zip(offset(span.byte_len()));
            let bare = bare.and_then(|(start, length)| text.get(start..start.checked_add(length)?));
            match bare.filter(|bare| is_text(bare)) {
                Some(bare) => Json::String(bare.to_owned()),
                None => Json::Number(number),
            }
        }
        Bare::List(items) => items.into_iter().map(|item| json(item, text)).collect(),
        Bare::Map(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (name, json(value, text)));
            Json::Object(fields.collect::<Map<_, _>>())
        }
    }
}

/// Whether YAML 1.1 takes a bare word for text that YAML 1.2 takes for a number: `1e3`, `1.5e3`, `0o17`.
fn is_text(bare: &str) -> bool {
    match bare.split_once(['e', 'E']) {
        _ if bare.starts_with("0x") || bare.starts_with('.') => false,
        Some((number, exponent)) => !number.contains('.') || !exponent.starts_with(['+', '-']),
        None => bare.starts_with("0o"),
    }
}

impl<'de> Deserialize<'de> for Bare {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BareVisitor)
    }
}

struct BareVisitor;

impl<'de> Visitor<'de> for BareVisitor {
    type Value = Bare;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value that JSON has")
    }

    fn visit_unit<E: Error>(self) -> Result<Bare, E> {
        Ok(Bare::Plain(Json::Null))
    }

    fn visit_none<E: Error>(self) -> Result<Bare, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Bare, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Bare, E> {
        Ok(Bare::Plain(Json::Bool(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Bare, E> {
        Ok(Bare::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Bare, E> {
        Ok(Bare::Number(value.into()))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Bare, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Bare, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Bare, E> {
        let number = Number::from_f64(value);
        number
            .map(Bare::Number)
            .ok_or_else(|| E::custom(format!("{value} is no number that JSON has")))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Bare, E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Bare, E> {
        Ok(Bare::Plain(Json::String(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Bare, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Bare::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Bare, A::Error> {
        let mut map = Vec::new();
        while let Some(field) = fields.next_entry()? {
            map.push(field);
        }
        Ok(Bare::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn bare_words_are_what_they_are_for_pyyaml() {
        let text =
            "{n: n, y: [1e-5, 1E3, 1.5e3, 1.5e+3, 0o17, 08, 0x1F, -3, 2.0, 1e-5], on: \"1e3\", ? é : '1e5', a: .5}";
        let options = super::super::text::options();
        assert_eq!(
            super::documents(text, options).unwrap(),
            [json!({
                "n": "n",
                "y": ["1e-5", "1E3", "1.5e3", 1500.0, "0o17", "08", 31, -3, 2.0, "1e-5"],
                "on": "1e3",
                "é": "1e5",
                "a": 0.5
            })]
        );
    }
}
