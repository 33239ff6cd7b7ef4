//! The standard library, embedded: `stdlib/std/*.mlp`, resolved like any module under `std/`.

use camino::Utf8Path;

use crate::project::Contents;

/// Every module: path and text.
pub const MODULES: &[(&str, &str)] = &[
    ("std/data.mlp", include_str!("../stdlib/std/data.mlp")),
    ("std/model.mlp", include_str!("../stdlib/std/model.mlp")),
    ("std/prelude.mlp", include_str!("../stdlib/std/prelude.mlp")),
    ("std/run.mlp", include_str!("../stdlib/std/run.mlp")),
];

/// The contents of a module of the standard library; nothing for a path outside `std/`.
pub fn read(path: &Utf8Path) -> Option<Contents> {
    if !path.starts_with("std") {
        return None;
    }
    let module = MODULES.iter().find(|(name, _)| *name == path.as_str());
    Some(module.map_or(Contents::Missing, |(_, text)| Contents::Text((*text).to_owned())))
}
