//! What the parameters of a specification hold. It says `LIST` and `STRUCT` and never of what, so the types of elements
//! and fields are inferred from every constant, loop and field access that a value flows through.
//!
//! A [`Slot`] stands for a type that may not be known yet; [`Types::unify`] makes two of them one.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::targets::pipeline_spec::ParameterType;

/// A type that may not be known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot(usize);

/// All types of one import.
#[derive(Debug, Default)]
pub(super) struct Types {
    entries: Vec<Entry>,
}

/// A type as the language writes it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Written {
    Bool,
    Int,
    Float,
    String,
    List(Box<Written>),
    Map(Box<Written>),
    /// Fields, each with whether some value lacks it.
    Record(Vec<(String, Written, bool)>),
}

#[derive(Clone, Debug)]
enum Entry {
    Same(Slot),
    Unknown,
    Bool,
    Int,
    Float,
    /// A number that is written without a fraction: an `int` unless something says `float`.
    Whole,
    String,
    List(Slot),
    Struct(Fields),
}

/// What is known of a `STRUCT`.
#[derive(Clone, Debug, Default)]
struct Fields {
    /// Fields, each with whether some constant lacks it.
    fields: BTreeMap<String, (Slot, bool)>,
    /// Whether a field was asked for by its name.
    accessed: bool,
    /// Whether a constant has been seen.
    constant: bool,
}

impl Types {
    fn add(&mut self, entry: Entry) -> Slot {
        self.entries.push(entry);
        Slot(self.entries.len() - 1)
    }

    /// A type of which nothing is known.
    pub(super) fn unknown(&mut self) -> Slot {
        self.add(Entry::Unknown)
    }

    /// Text.
    pub(super) fn string(&mut self) -> Slot {
        self.add(Entry::String)
    }

    /// A list.
    pub(super) fn list(&mut self, item: Slot) -> Slot {
        self.add(Entry::List(item))
    }

    /// The type of a declared parameter.
    pub(super) fn declared(&mut self, ty: ParameterType) -> Slot {
        match ty {
            ParameterType::Double => self.add(Entry::Float),
            ParameterType::Integer => self.add(Entry::Int),
            ParameterType::String => self.add(Entry::String),
            ParameterType::Boolean => self.add(Entry::Bool),
            ParameterType::List => {
                let item = self.unknown();
                self.list(item)
            }
            ParameterType::Struct => self.add(Entry::Struct(Fields::default())),
            ParameterType::Unspecified | ParameterType::TaskFinalStatus | ParameterType::TaskConfig => self.unknown(),
        }
    }

    /// The type of a constant; nothing for lists that mix types.
    pub(super) fn constant(&mut self, value: &Json) -> Option<Slot> {
        Some(match value {
            Json::Null => self.unknown(),
            Json::Bool(_) => self.add(Entry::Bool),
            Json::Number(number) => {
                let whole = number.as_f64().is_some_and(|number| number.fract() == 0.0);
                self.add(if whole { Entry::Whole } else { Entry::Float })
            }
            Json::String(_) => self.string(),
            Json::Array(items) => {
                let item = self.unknown();
                for each in items {
                    let each = self.constant(each)?;
                    self.unify(item, each)?;
                }
                self.list(item)
            }
            Json::Object(entries) => {
                let mut fields = BTreeMap::new();
                for (name, value) in entries {
                    fields.insert(name.clone(), (self.constant(value)?, false));
                }
                self.add(Entry::Struct(Fields {
                    fields,
                    accessed: false,
                    constant: true,
                }))
            }
        })
    }

    /// The type of a field; nothing for what has no fields.
    pub(super) fn field(&mut self, of: Slot, name: &str) -> Option<Slot> {
        let field = self.unknown();
        let fields = BTreeMap::from([(name.to_owned(), (field, false))]);
        let record = self.add(Entry::Struct(Fields {
            fields,
            accessed: true,
            constant: false,
        }));
        self.unify(of, record)?;
        Some(field)
    }

    /// The type of a list's items; nothing for what is no list.
    pub(super) fn item(&mut self, of: Slot) -> Option<Slot> {
        let item = self.unknown();
        let list = self.list(item);
        self.unify(of, list)?;
        Some(item)
    }

    fn root(&self, mut slot: Slot) -> Slot {
        while let Some(Entry::Same(next)) = self.entries.get(slot.0) {
            slot = *next;
        }
        slot
    }

    fn entry(&self, slot: Slot) -> &Entry {
        self.entries.get(self.root(slot).0).unwrap_or(&Entry::Unknown)
    }

    fn set(&mut self, slot: Slot, entry: Entry) {
        if let Some(place) = self.entries.get_mut(slot.0) {
            *place = entry;
        }
    }

    /// Makes two types one; nothing where they differ.
    pub(super) fn unify(&mut self, one: Slot, other: Slot) -> Option<()> {
        let (one, other) = (self.root(one), self.root(other));
        if one == other {
            return Some(());
        }
        match (self.entry(one).clone(), self.entry(other).clone()) {
            (Entry::Unknown, _) => self.set(one, Entry::Same(other)),
            (_, Entry::Unknown)
            | (Entry::Bool, Entry::Bool)
            | (Entry::String, Entry::String)
            | (Entry::Int, Entry::Int | Entry::Whole)
            | (Entry::Float, Entry::Float | Entry::Whole)
            | (Entry::Whole, Entry::Whole) => self.set(other, Entry::Same(one)),
            (Entry::Whole, Entry::Int | Entry::Float) => self.set(one, Entry::Same(other)),
            (Entry::List(first), Entry::List(second)) => {
                self.unify(first, second)?;
                let (one, other) = (self.root(one), self.root(other));
                if one != other {
                    self.set(other, Entry::Same(one));
                }
            }
            (Entry::Struct(first), Entry::Struct(second)) => {
                let both = self.merge(first, &second)?;
                let (one, other) = (self.root(one), self.root(other));
                if one != other {
                    self.set(other, Entry::Same(one));
                }
                self.set(one, Entry::Struct(both));
            }
            (
                Entry::Same(_)
                | Entry::Bool
                | Entry::Int
                | Entry::Float
                | Entry::Whole
                | Entry::String
                | Entry::List(_)
                | Entry::Struct(_),
                _,
            ) => return None,
        }
        Some(())
    }

    fn merge(&mut self, mut one: Fields, other: &Fields) -> Option<Fields> {
        for (name, (slot, lacks)) in &other.fields {
            match one.fields.get_mut(name) {
                Some((own, own_lacks)) => {
                    *own_lacks |= lacks;
                    let own = *own;
                    self.unify(own, *slot)?;
                }
                None => {
                    one.fields.insert(name.clone(), (*slot, *lacks || one.constant));
                }
            }
        }
        if other.constant {
            for (name, (_, lacks)) in &mut one.fields {
                *lacks |= !other.fields.contains_key(name);
            }
        }
        one.accessed |= other.accessed;
        one.constant |= other.constant;
        Some(one)
    }

    /// Whether nothing said what this is, so that the answer of [`Types::written`] is a guess.
    pub(super) fn is_guess(&self, slot: Slot) -> bool {
        match self.entry(slot) {
            Entry::Unknown => true,
            Entry::List(item) => self.is_guess(*item),
            Entry::Struct(fields) => fields.fields.is_empty(),
            Entry::Same(_) | Entry::Bool | Entry::Int | Entry::Float | Entry::Whole | Entry::String => false,
        }
    }

    /// The type as far as it is known; what nothing says is text.
    pub(super) fn written(&self, slot: Slot) -> Written {
        match self.entry(slot) {
            Entry::Bool => Written::Bool,
            Entry::Int | Entry::Whole => Written::Int,
            Entry::Float => Written::Float,
            Entry::Unknown | Entry::String | Entry::Same(_) => Written::String,
            Entry::List(item) => Written::List(Box::new(self.written(*item))),
            Entry::Struct(fields) => self.written_fields(fields),
        }
    }

    fn written_fields(&self, of: &Fields) -> Written {
        let fields: Vec<(String, Written, bool)> = of
            .fields
            .iter()
            .map(|(name, (slot, lacks))| (name.clone(), self.written(*slot), *lacks))
            .collect();
        match fields.first() {
            None => Written::Map(Box::new(Written::String)),
            Some((_, first, _)) if !of.accessed && fields.iter().all(|(_, ty, _)| ty == first) => {
                Written::Map(Box::new(first.clone()))
            }
            Some(_)
                if !of.accessed
                    && fields
                        .iter()
                        .all(|(_, ty, _)| matches!(ty, Written::Int | Written::Float)) =>
            {
                Written::Map(Box::new(Written::Float))
            }
            Some(_) => Written::Record(fields),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Types, Written};
    use crate::targets::pipeline_spec::ParameterType;

    #[test]
    fn items_are_what_the_constants_and_the_consumers_say() {
        let mut types = Types::default();
        let list = types.declared(ParameterType::List);
        assert!(types.is_guess(list));
        let constant = types.constant(&json!([1.0, 2.0])).unwrap();
        types.unify(list, constant).unwrap();
        assert_eq!(types.written(list), Written::List(Box::new(Written::Int)));
        let item = types.item(list).unwrap();
        let float = types.declared(ParameterType::Double);
        types.unify(item, float).unwrap();
        assert_eq!(types.written(list), Written::List(Box::new(Written::Float)));
    }

    #[test]
    fn a_struct_is_a_record_once_a_field_is_asked_for() {
        let mut types = Types::default();
        let first = types.constant(&json!({ "a": 1, "b": 2 })).unwrap();
        assert_eq!(types.written(first), Written::Map(Box::new(Written::Int)));
        types.field(first, "a").unwrap();
        let fields = vec![
            ("a".to_owned(), Written::Int, false),
            ("b".to_owned(), Written::Int, false),
        ];
        assert_eq!(types.written(first), Written::Record(fields));
    }

    #[test]
    fn what_one_constant_lacks_may_be_absent() {
        let mut types = Types::default();
        let list = types.constant(&json!([{ "a": 1, "b": "x" }, { "a": 2 }])).unwrap();
        let fields = vec![
            ("a".to_owned(), Written::Int, false),
            ("b".to_owned(), Written::String, true),
        ];
        assert_eq!(types.written(list), Written::List(Box::new(Written::Record(fields))));
    }

    #[test]
    fn a_list_has_one_type() {
        assert!(Types::default().constant(&json!([1, "a"])).is_none());
    }
}
