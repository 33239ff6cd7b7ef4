//! The one canonical way to write the language: whole files, and single nodes on one line for plans and messages.
//!
//! It reads no files. Text with syntax errors is not touched.

mod align;
mod layout;
mod literal;
mod node;
mod pieces;

pub use literal::{duration, name, quoted, size};
pub use node::{condition, expression, type_expr};

use crate::syntax::{Parse, SyntaxError, parse};

/// Why a text is not formatted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// It has syntax errors; mend them first.
    #[error("the text has syntax errors")]
    Syntax(Vec<SyntaxError>),
    /// The formatted text would mean something else: a defect of the formatter, which then leaves the text alone.
    #[error("the text cannot be formatted without changing what it means")]
    Meaning,
}

/// The text in canonical style. All comments stay, and empty lines, one at a time; strings are never touched.
///
/// # Errors
/// When the text has syntax errors.
pub fn format(text: &str) -> Result<String, FormatError> {
    let before = parse(text);
    let errors: Vec<SyntaxError> = before.errors().collect();
    if !errors.is_empty() {
        return Err(FormatError::Syntax(errors));
    }
    let pieces = pieces::pieces(text);
    [false, true]
        .into_iter()
        .map(|keep_commas| {
            let mut lines = layout::lay_out(&pieces, keep_commas);
            align::align(&mut lines);
            written(&lines)
        })
        .find(|formatted| means_the_same(&before, &parse(formatted)))
        .ok_or(FormatError::Meaning)
}

fn written(lines: &[layout::Line]) -> String {
    let mut text = String::new();
    for line in lines {
        if line.blank_before {
            text.push('\n');
        }
        text.push_str(&"  ".repeat(line.indent));
        text.push_str(line.text.trim_end());
        text.push('\n');
    }
    text
}

/// Trees are numbered in the order in which they are made, so equal programs have equal trees.
fn means_the_same(before: &Parse, after: &Parse) -> bool {
    before.module_docs == after.module_docs
        && before.items.len() == after.items.len()
        && before
            .items
            .iter()
            .zip(&after.items)
            .all(|((_, before), (_, after))| before.item == after.item && after.errors.is_empty())
}
