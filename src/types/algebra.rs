//! Schema algebra: columns left out, picked, added, renamed, joined. Names are checked by the caller.

use super::display::identifier;
use super::{Column, Schema};

impl Schema {
    /// `S without { … }`: all but the columns of these names.
    #[must_use]
    pub fn without(&self, columns: &[String], selectors: &str) -> Self {
        Self {
            name: format!("{} without {{ {selectors} }}", self.name),
            columns: self.filtered(|column| !columns.contains(&column.name)),
            incomplete: self.incomplete,
        }
    }

    /// `S pick { … }`: the columns of these names, in the schema's order.
    #[must_use]
    pub fn pick(&self, columns: &[String], selectors: &str) -> Self {
        Self {
            name: format!("{} pick {{ {selectors} }}", self.name),
            columns: self.filtered(|column| columns.contains(&column.name)),
            incomplete: self.incomplete,
        }
    }

    /// `S with { … }`: more columns behind its own.
    #[must_use]
    pub fn with(&self, columns: Vec<Column>) -> Self {
        let added: Vec<String> = columns
            .iter()
            .map(|column| format!("{}: {}", identifier(&column.name), column.ty))
            .collect();
        Self {
            name: format!("{} with {{ {} }}", self.name, added.join(", ")),
            columns: self.columns.iter().cloned().chain(columns).collect(),
            incomplete: self.incomplete,
        }
    }

    /// `S rename { old: new }`
    #[must_use]
    pub fn rename(&self, pairs: &[(String, String)]) -> Self {
        let shown: Vec<String> = pairs
            .iter()
            .map(|(old, new)| format!("{}: {}", identifier(old), identifier(new)))
            .collect();
        let renamed = self.columns.iter().map(|column| {
            let new = pairs.iter().find(|(old, _)| *old == column.name);
            Column {
                name: new.map_or_else(|| column.name.clone(), |(_, new)| new.clone()),
                ..column.clone()
            }
        });
        Self {
            name: format!("{} rename {{ {} }}", self.name, shown.join(", ")),
            columns: renamed.collect(),
            incomplete: self.incomplete,
        }
    }

    /// `A join B on id`: the columns of both, the shared ones once.
    #[must_use]
    pub fn join(&self, other: &Self, on: &[String]) -> Self {
        let on_shown: Vec<String> = on.iter().map(|column| identifier(column)).collect();
        let more = other.filtered(|column| !on.contains(&column.name));
        Self {
            name: format!("{} join {} on {}", self.name, other.name, on_shown.join(", ")),
            columns: self.columns.iter().cloned().chain(more).collect(),
            incomplete: self.incomplete || other.incomplete,
        }
    }

    fn filtered(&self, stays: impl Fn(&Column) -> bool) -> Vec<Column> {
        self.columns.iter().filter(|column| stays(column)).cloned().collect()
    }
}
