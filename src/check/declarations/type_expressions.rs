//! From a type as written to what it means. Schema algebra is done in `schemas`.

use std::sync::Arc;

use super::context::{Context, describe};
use crate::db::ItemKey;
use crate::diagnostics::{Code, nearest};
use crate::names;
use crate::syntax::ast::{Field, Ident, ItemKind, TypeExpr, TypeKind, Variant};
use crate::types::{
    ArtifactKind, ArtifactType, DataKind, DataType, EnumType, EnumVariant, Evidence, GenericKind, ParameterKind,
    RecordField, RecordType, Schema, Type,
};

/// What a type expression means.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Meaning {
    /// An error that was reported, or follows from one.
    Unknown,
    /// The columns of a dataset.
    Schema(Arc<Schema>),
    /// A generic `S: schema`.
    GenericSchema(String),
    /// Everything that a parameter can be.
    Kind(ParameterKind),
}

impl Meaning {
    fn data(ty: DataType) -> Self {
        Self::Kind(ParameterKind::data(ty))
    }

    fn artifact(kind: ArtifactKind) -> Self {
        Self::Kind(ParameterKind::Type(Type::Artifact(ArtifactType {
            kind,
            evidence: Evidence::None,
        })))
    }

    /// For a sentence: "a model".
    fn describe(&self) -> String {
        match self {
            Self::Unknown => "unknown".to_owned(),
            Self::Schema(schema) => format!("the schema `{}`", schema.name),
            Self::GenericSchema(name) => format!("the generic schema `{name}`"),
            Self::Kind(ParameterKind::Type(Type::Data(ty))) => format!("a value of the type `{ty}`"),
            Self::Kind(ParameterKind::Type(Type::Artifact(artifact))) => match &artifact.kind {
                ArtifactKind::Model(name) => format!("the model `{name}`"),
                ArtifactKind::Dataset(_)
                | ArtifactKind::Metrics(_)
                | ArtifactKind::File
                | ArtifactKind::Directory
                | ArtifactKind::Html
                | ArtifactKind::Markdown
                | ArtifactKind::Opaque
                | ArtifactKind::Custom(_)
                | ArtifactKind::Deployment(_) => format!("the artifact type `{artifact}`"),
            },
            Self::Kind(kind) => format!("`{kind}`"),
        }
    }
}

/// The names of types that no file declares.
pub(crate) const BUILT_IN: &[&str] = &[
    "bool",
    "int",
    "float",
    "string",
    "date",
    "datetime",
    "duration",
    "size",
    "money",
    "list",
    "map",
    "Dataset",
    "Metrics",
    "File",
    "Directory",
    "Html",
    "Markdown",
    "Artifact",
    "Deployment",
];

/// The types that only signatures of the standard library may mention.
const LIBRARY_ONLY: &[&str] = &["Checks", "Column", "Model", "Service"];

fn scalar(name: &str) -> Option<DataKind> {
    Some(match name {
        "bool" => DataKind::Bool,
        "int" => DataKind::Int,
        "float" => DataKind::Float,
        "string" => DataKind::String,
        "date" => DataKind::Date,
        "datetime" => DataKind::Datetime,
        "duration" => DataKind::Duration,
        "size" => DataKind::Size,
        "money" => DataKind::Money,
        _ => return None,
    })
}

fn plain_artifact(name: &str) -> Option<ArtifactKind> {
    Some(match name {
        "File" => ArtifactKind::File,
        "Directory" => ArtifactKind::Directory,
        "Html" => ArtifactKind::Html,
        "Markdown" => ArtifactKind::Markdown,
        "Artifact" => ArtifactKind::Opaque,
        "Deployment" => ArtifactKind::Deployment(String::new()),
        _ => return None,
    })
}

impl Context<'_> {
    /// A type of values.
    pub(crate) fn data_type(&mut self, expr: &TypeExpr) -> Option<DataType> {
        match self.meaning(expr) {
            Meaning::Kind(ParameterKind::Type(Type::Data(ty))) => Some(ty),
            other => self.not_needed(expr, &other, "a type of values, such as `int` or `string`"),
        }
    }

    /// A schema.
    pub(crate) fn schema(&mut self, expr: &TypeExpr) -> Option<Arc<Schema>> {
        match self.meaning(expr) {
            Meaning::Schema(schema) => Some(schema),
            other => self.not_needed(expr, &other, "a schema"),
        }
    }

    /// What a parameter accepts or a port gives; [`Type::Unknown`] where that was reported.
    pub(crate) fn parameter_kind(&mut self, expr: &TypeExpr) -> ParameterKind {
        match self.meaning(expr) {
            Meaning::Kind(kind) => kind,
            other @ (Meaning::Unknown | Meaning::Schema(_) | Meaning::GenericSchema(_)) => {
                if let Meaning::Schema(schema) = &other {
                    let message = format!(
                        "{} is not a type of something that is passed.",
                        capital(&other.describe())
                    );
                    let diagnostic = self.problem(Code::WrongKindOfName, expr.id, message);
                    self.report(diagnostic.help(format!("Write `Dataset<{}>`.", schema.name)));
                } else {
                    let _: Option<()> = self.not_needed(expr, &other, "a type, such as `Dataset<S>`,");
                }
                ParameterKind::Type(Type::Unknown)
            }
        }
    }

    fn not_needed<T>(&mut self, expr: &TypeExpr, meaning: &Meaning, needed: &str) -> Option<T> {
        if *meaning == Meaning::Unknown {
            return None;
        }
        let is = meaning.describe();
        match &expr.kind {
            TypeKind::Named { name, .. } if self.resolve(&name.text).is_some() => {
                let is = self.item_word(name).unwrap_or(&is).to_owned();
                self.wrong_kind(name, &is, needed);
            }
            _ => {
                let message = format!("This is {is}, but {needed} is needed here.");
                let diagnostic = self.problem(Code::WrongKindOfName, expr.id, message);
                self.report(diagnostic);
            }
        }
        None
    }

    fn item_word(&self, name: &Ident) -> Option<&'static str> {
        let item = names::item(self.db, &self.resolve(&name.text)?)?;
        Some(describe(&item.kind))
    }

    /// What a type expression means; problems are reported.
    pub(crate) fn meaning(&mut self, expr: &TypeExpr) -> Meaning {
        match &expr.kind {
            TypeKind::Named { name, arguments } => self.named(expr, name, arguments),
            TypeKind::Optional(inner) => self.optional(inner),
            TypeKind::Refined { base, refinement } => match self.data_type(base) {
                Some(base) => Meaning::data(self.refine(base, refinement, expr.id)),
                None => Meaning::Unknown,
            },
            TypeKind::Enum(variants) => Meaning::data(DataType::plain(DataKind::Enum(self.enum_type(None, variants)))),
            TypeKind::Record(fields) => {
                Meaning::data(DataType::plain(DataKind::Record(self.record_type(None, fields))))
            }
            TypeKind::Evidence { word, of } => self.with_evidence(word, of),
            TypeKind::Without { .. }
            | TypeKind::Pick { .. }
            | TypeKind::With { .. }
            | TypeKind::Rename { .. }
            | TypeKind::Join { .. } => self
                .algebra(expr)
                .map_or(Meaning::Unknown, |schema| Meaning::Schema(Arc::new(schema))),
            TypeKind::Error => Meaning::Unknown,
        }
    }

    fn named(&mut self, expr: &TypeExpr, name: &Ident, arguments: &[TypeExpr]) -> Meaning {
        let text = name.text.as_str();
        if let Some((generic, kind)) = self.generics.iter().find(|(generic, _)| generic == text).cloned() {
            return match kind {
                GenericKind::Schema => Meaning::GenericSchema(generic),
                GenericKind::Model => Meaning::Kind(ParameterKind::GenericModel {
                    generic,
                    evidence: Evidence::None,
                }),
            };
        }
        match text {
            "list" | "map" | "Dataset" | "Metrics" => self.one_argument(expr, text, arguments),
            _ if LIBRARY_ONLY.contains(&text) && self.resolve(text).is_none() => {
                self.library_only(expr, text, arguments)
            }
            _ => {
                let known = scalar(text).is_some() || plain_artifact(text).is_some() || self.resolve(text).is_some();
                if known && !arguments.is_empty() {
                    self.arguments(expr, text, 0, arguments.len());
                }
                if let Some(kind) = scalar(text) {
                    return Meaning::data(DataType::plain(kind));
                }
                match plain_artifact(text) {
                    Some(kind) => Meaning::artifact(kind),
                    None => self.declared(name),
                }
            }
        }
    }

    fn arguments(&mut self, expr: &TypeExpr, name: &str, wanted: usize, given: usize) {
        let message = match wanted {
            0 => format!("`{name}` takes nothing between angle brackets."),
            _ => format!("`{name}` takes one type between angle brackets, but {given} are given."),
        };
        let diagnostic = self.problem(Code::TypeArguments, expr.id, message);
        let example = match name {
            "Dataset" => "`Dataset<Applicant>` says which columns it has.",
            "Metrics" => "`Metrics<CreditModel>` says which model they are about.",
            "list" | "map" => "`list<int>` says what it holds.",
            _ => return self.report(diagnostic),
        };
        self.report(diagnostic.help(example));
    }

    fn one_argument(&mut self, expr: &TypeExpr, name: &str, arguments: &[TypeExpr]) -> Meaning {
        let [argument] = arguments else {
            self.arguments(expr, name, 1, arguments.len());
            return Meaning::Unknown;
        };
        match name {
            "Dataset" => match self.meaning(argument) {
                Meaning::Schema(schema) => Meaning::artifact(ArtifactKind::Dataset(schema)),
                Meaning::GenericSchema(generic) => Meaning::Kind(ParameterKind::GenericDataset {
                    generic,
                    evidence: Evidence::None,
                }),
                other => self
                    .not_needed(argument, &other, "a schema")
                    .unwrap_or(Meaning::Unknown),
            },
            "Metrics" => self.metrics(argument),
            "map" => match self.data_type(argument) {
                Some(item) => Meaning::data(DataType::plain(DataKind::Map(Box::new(item)))),
                None => Meaning::Unknown,
            },
            _ => self.list(argument),
        }
    }

    fn metrics(&mut self, argument: &TypeExpr) -> Meaning {
        match self.meaning(argument) {
            Meaning::Kind(ParameterKind::GenericModel { generic, .. }) => {
                Meaning::Kind(ParameterKind::GenericMetrics { generic })
            }
            Meaning::Kind(ParameterKind::Type(Type::Artifact(ArtifactType {
                kind: ArtifactKind::Model(name),
                ..
            }))) => Meaning::artifact(ArtifactKind::Metrics(name)),
            other => self.not_needed(argument, &other, "a model").unwrap_or(Meaning::Unknown),
        }
    }

    fn list(&mut self, argument: &TypeExpr) -> Meaning {
        match self.meaning(argument) {
            Meaning::Kind(ParameterKind::Type(Type::Data(item))) => {
                Meaning::data(DataType::plain(DataKind::List(Box::new(item))))
            }
            Meaning::Kind(ParameterKind::Column { generic, optional, .. }) => Meaning::Kind(ParameterKind::Column {
                generic,
                optional,
                list: true,
            }),
            Meaning::Kind(ParameterKind::Type(Type::Artifact(of))) => {
                Meaning::Kind(ParameterKind::Type(Type::List(Box::new(Type::Artifact(of)))))
            }
            Meaning::Kind(kind) => Meaning::Kind(ParameterKind::List(Box::new(kind))),
            other @ (Meaning::Unknown | Meaning::Schema(_) | Meaning::GenericSchema(_)) => {
                self.not_needed(argument, &other, "a type").unwrap_or(Meaning::Unknown)
            }
        }
    }

    fn library_only(&mut self, expr: &TypeExpr, name: &str, arguments: &[TypeExpr]) -> Meaning {
        if !self.in_standard_library() {
            let construct = format!("a parameter of the type `{name}`, which only the standard library has,");
            self.unsupported(
                expr.id,
                &construct,
                "Pass a `string`, or use an operation of the standard library.",
            );
            return Meaning::Unknown;
        }
        let [argument] = arguments else {
            self.arguments(expr, name, 1, arguments.len());
            return Meaning::Unknown;
        };
        let generic = match self.meaning(argument) {
            Meaning::GenericSchema(generic) | Meaning::Kind(ParameterKind::GenericModel { generic, .. }) => generic,
            other => {
                return self
                    .not_needed(argument, &other, "a generic")
                    .unwrap_or(Meaning::Unknown);
            }
        };
        Meaning::Kind(match name {
            "Checks" => ParameterKind::Checks { generic },
            "Column" => ParameterKind::Column {
                generic,
                optional: false,
                list: false,
            },
            "Model" => ParameterKind::ModelName { generic },
            _ => ParameterKind::ServiceName { generic },
        })
    }

    fn declared(&mut self, name: &Ident) -> Meaning {
        let Some(key) = self.resolve(&name.text) else {
            self.unknown_name(name, "type", BUILT_IN);
            return Meaning::Unknown;
        };
        let Some(item) = names::item(self.db, &key) else {
            return Meaning::Unknown;
        };
        match &item.kind {
            ItemKind::Schema(_) | ItemKind::Features(_) => self.declared_schema(&key),
            ItemKind::Record(_) | ItemKind::Enum(_) => match super::data_type(self.db, &key) {
                Some(ty) => Meaning::data((*ty).clone()),
                None => Meaning::Unknown,
            },
            ItemKind::Model(_) => Meaning::artifact(ArtifactKind::Model(name.text.to_string())),
            ItemKind::Artifact(_) => Meaning::artifact(ArtifactKind::Custom(name.text.to_string())),
            ItemKind::Broken(_) => Meaning::Unknown,
            other @ (ItemKind::Use(_)
            | ItemKind::Checks(_)
            | ItemKind::Step(_)
            | ItemKind::Service(_)
            | ItemKind::Pipeline(_)
            | ItemKind::Monitor(_)
            | ItemKind::Trigger(_)
            | ItemKind::Target(_)
            | ItemKind::Policy(_)
            | ItemKind::Test(_)) => {
                self.wrong_kind(name, describe(other), "a type");
                Meaning::Unknown
            }
        }
    }

    fn declared_schema(&mut self, key: &ItemKey) -> Meaning {
        super::schema(self.db, key).map_or(Meaning::Unknown, Meaning::Schema)
    }

    fn optional(&mut self, inner: &TypeExpr) -> Meaning {
        match self.meaning(inner) {
            Meaning::Kind(ParameterKind::Type(Type::Data(ty))) => Meaning::data(ty.or_absent(true)),
            Meaning::Kind(ParameterKind::Column { generic, list, .. }) => Meaning::Kind(ParameterKind::Column {
                generic,
                optional: true,
                list,
            }),
            Meaning::Kind(checks @ ParameterKind::Checks { .. }) => Meaning::Kind(checks),
            other => {
                let needed = "a type of values (only they can be absent)";
                self.not_needed(inner, &other, needed).unwrap_or(Meaning::Unknown)
            }
        }
    }

    fn with_evidence(&mut self, word: &Ident, of: &TypeExpr) -> Meaning {
        let meaning = self.meaning(of);
        if word.text == "approved" {
            self.unsupported(
                word.id,
                "`approved`",
                "Leave the word out; nobody can give an approval yet.",
            );
            return meaning;
        }
        let Some(evidence) = Evidence::from_word(&word.text) else {
            let message = format!("`{}` is no evidence.", word.text);
            let mut diagnostic = self.problem(Code::EvidenceDoesNotFit, word.id, message);
            if let Some(found) = nearest(&word.text, ["validated", "gated", "proven", "registered"]) {
                diagnostic = self.did_you_mean(diagnostic, word, &found);
            }
            self.report(diagnostic);
            return meaning;
        };
        let fits = |dataset: bool| dataset == (evidence == Evidence::Validated);
        match meaning {
            Meaning::Kind(ParameterKind::GenericDataset { generic, .. }) if fits(true) => {
                Meaning::Kind(ParameterKind::GenericDataset { generic, evidence })
            }
            Meaning::Kind(ParameterKind::GenericModel { generic, .. }) if fits(false) => {
                Meaning::Kind(ParameterKind::GenericModel { generic, evidence })
            }
            Meaning::Kind(ParameterKind::Type(Type::Artifact(ArtifactType { kind, .. })))
                if matches!(kind, ArtifactKind::Dataset(_)) && fits(true)
                    || matches!(kind, ArtifactKind::Model(_)) && fits(false) =>
            {
                Meaning::Kind(ParameterKind::Type(Type::Artifact(ArtifactType { kind, evidence })))
            }
            Meaning::Unknown => Meaning::Unknown,
            other => {
                let message = format!("`{}` cannot be shown about {}.", word.text, other.describe());
                let diagnostic = self.problem(Code::EvidenceDoesNotFit, word.id, message);
                if let Meaning::Schema(schema) = &other {
                    self.report(diagnostic.help(format!("Write `{} Dataset<{}>`.", word.text, schema.name)));
                    return Meaning::Unknown;
                }
                self.report(diagnostic.help(
                    "A `Dataset` can be `validated`; a model can be `gated`, `proven` or `registered`; nothing else carries evidence.",
                ));
                other
            }
        }
    }

    /// The values of an enum.
    pub(crate) fn enum_type(&mut self, name: Option<String>, variants: &[Variant]) -> EnumType {
        let mut known: Vec<EnumVariant> = Vec::new();
        for variant in variants {
            let text = variant
                .text
                .as_ref()
                .map_or(variant.name.text.to_string(), |text| text.value.clone());
            let own = EnumVariant {
                name: variant.name.text.to_string(),
                text,
            };
            let twice = if known.iter().any(|other| other.name == own.name) {
                Some(format!("The value `{}` is declared twice.", own.name))
            } else {
                let same = known.iter().find(|other| other.text == own.text);
                same.map(|same| {
                    format!(
                        "`{}` and `{}` have the same text in the data: \"{}\".",
                        same.name, own.name, own.text
                    )
                })
            };
            match twice {
                Some(message) => {
                    let place = variant.text.as_ref().map_or(variant.name.id, |text| text.id);
                    let diagnostic = self.problem(Code::DuplicateMember, place, message);
                    self.report(diagnostic);
                }
                None => known.push(own),
            }
        }
        EnumType { name, variants: known }
    }

    /// The fields of a record.
    pub(crate) fn record_type(&mut self, name: Option<String>, fields: &[Field]) -> RecordType {
        let mut known: Vec<RecordField> = Vec::new();
        for field in fields {
            let ty = self.data_type(&field.ty);
            if let Some(tag) = field.tags.first() {
                let message = format!(
                    "`@{}` says something about a column, but `{}` is a field of a record.",
                    tag.name.text, field.name.text
                );
                let diagnostic = self.problem(Code::BadTag, tag.id, message);
                self.report(diagnostic.help("Leave the tag out, or declare a `schema`."));
            }
            if known.iter().any(|other| other.name == field.name.text.as_str()) {
                let message = format!("The field `{}` is declared twice.", field.name.text);
                let diagnostic = self.problem(Code::DuplicateMember, field.name.id, message);
                self.report(diagnostic);
            } else if let Some(ty) = ty {
                known.push(RecordField {
                    name: field.name.text.to_string(),
                    ty,
                });
            }
        }
        RecordType { name, fields: known }
    }
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
