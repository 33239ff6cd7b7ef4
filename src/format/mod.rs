//! The one canonical way to write the language: single nodes on one line, for plans and messages.
//!
//! It reads no files and reports no errors: what does not parse is not laid out.

mod literal;
mod node;

pub use literal::{duration, name, quoted, size};
pub use node::{condition, expression, type_expr};
