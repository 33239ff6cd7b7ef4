//! Values at the borders of the language: parsed from text by their type, checked against refinements, written as text
//! and as plain JSON.
//!
//! The meaning of operators is not here (see [`crate::expression`]), nor are columns of data.

mod check;
mod json;
mod parse;
mod text;

pub use check::check;
pub(crate) use check::compare;
pub use json::from_json;
pub use parse::parse_argument;
pub(crate) use parse::{parse_date, parse_datetime};
pub use text::value_text;
