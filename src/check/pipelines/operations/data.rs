//! `read`, `validate`, `mask`.

use std::sync::Arc;

use crate::check::pipelines::arguments::Given;
use crate::check::pipelines::calls::Site;
use crate::check::pipelines::elaborator::Elaborator;
use crate::check::pipelines::fitting::dataset;
use crate::diagnostics::Code;
use crate::plan::{MaskMethod, Operation};
use crate::types::{Column, DataKind, DataType, Evidence, Value};

use super::{Built, columns, is_broken};

/// `read<S>(source)`
pub(super) fn read(elaborator: &mut Elaborator<'_>, site: &Site<'_>) -> Option<Built> {
    let schema = site.generics.schema("S")?;
    let schema = elaborator.note_schema(&schema);
    Some(Built::new(Operation::Read { schema }, &["source"]))
}

/// `validate(data, Checks)`
pub(super) fn validate(elaborator: &mut Elaborator<'_>, site: &Site<'_>) -> Option<Built> {
    let schema = site.generics.schema("S")?;
    if is_broken(site, "checks") {
        return None;
    }
    let checks = match site.given("checks") {
        Some(Given::Checks(definition)) => Some(definition.checks.clone()),
        Some(Given::Computed(_) | Given::Absent | Given::Columns(_) | Given::Model(_) | Given::Service(..)) | None => {
            None
        }
    };
    let schema = elaborator.note_schema(&schema);
    Some(Built::new(Operation::Validate { schema, checks }, &["data"]))
}

/// `mask(data, columns: […], method: hash)`
pub(super) fn mask(elaborator: &mut Elaborator<'_>, site: &Site<'_>) -> Option<Built> {
    let schema = site.generics.schema("S")?;
    let method = method(&elaborator.constant(site, "method")?)?;
    let names = columns(site, "columns");
    if names.is_empty() {
        return None;
    }
    let mut result = (*schema).clone();
    for column in &mut result.columns {
        if !names.contains(&column.name) {
            continue;
        }
        let Some(ty) = masked_type(&column.ty, method) else {
            cannot_mask(elaborator, site, column, method);
            return None;
        };
        column.ty = ty;
        column.tags.retain(|tag| tag.name != "pii");
    }
    result.name = format!("{} mask {{ {} }}", schema.name, names.join(", "));
    if method != MaskMethod::Hash {
        result.name = format!("{} by {}", result.name, word(method));
    }
    let operation = Operation::Mask { columns: names, method };
    Some(Built::new(operation, &["data"]).giving(dataset(Arc::new(result), Evidence::None)))
}

fn cannot_mask(elaborator: &mut Elaborator<'_>, site: &Site<'_>, column: &Column, method: MaskMethod) {
    let message = format!(
        "`{}` cannot mask the column `{}`, which is `{}`.",
        word(method),
        column.name,
        column.ty
    );
    let problem = elaborator.problem(Code::MaskMethod, site.place_of("columns"), message);
    elaborator.report(problem.help("Use `hash`, `null` or `default`, which mask values of any type."));
}

/// The type of a column behind a mask; nothing where the method has no meaning.
fn masked_type(ty: &DataType, method: MaskMethod) -> Option<DataType> {
    let plain = |kind: DataKind| DataType::plain(kind).or_absent(ty.optional);
    match method {
        MaskMethod::Hash => Some(plain(DataKind::String)),
        MaskMethod::Null => Some(plain(ty.kind.clone()).or_absent(true)),
        MaskMethod::Default if matches!(ty.kind, DataKind::Enum(_)) => Some(plain(DataKind::String)),
        MaskMethod::Default => Some(plain(ty.kind.clone())),
        MaskMethod::LastFour | MaskMethod::FirstFour | MaskMethod::Email => {
            (ty.kind == DataKind::String).then(|| plain(DataKind::String))
        }
        MaskMethod::Year => matches!(ty.kind, DataKind::Date | DataKind::Datetime).then(|| plain(ty.kind.clone())),
    }
}

const METHODS: &[(&str, MaskMethod)] = &[
    ("hash", MaskMethod::Hash),
    ("null", MaskMethod::Null),
    ("default", MaskMethod::Default),
    ("last_four", MaskMethod::LastFour),
    ("first_four", MaskMethod::FirstFour),
    ("email", MaskMethod::Email),
    ("year", MaskMethod::Year),
];

fn method(value: &Value) -> Option<MaskMethod> {
    let Value::Enum(name) = value else { return None };
    let found = METHODS.iter().find(|(own, _)| own == name);
    found.map(|(_, method)| *method)
}

fn word(method: MaskMethod) -> &'static str {
    let found = METHODS.iter().find(|(_, own)| *own == method);
    found.map_or("hash", |(name, _)| name)
}
