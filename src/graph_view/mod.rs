//! A pipeline drawn: text for terminals, Mermaid, Graphviz DOT, SVG in a page of its own.
//!
//! Pure functions of a plan: nothing here reads a file, knows syntax or looks at a run.

mod dot;
mod html;
mod layout;
mod mermaid;
mod model;
mod svg;
#[cfg(test)]
mod tests;
mod text;
mod words;

pub use dot::dot;
pub use html::html;
pub use mermaid::mermaid;
pub use model::{Drawing, Edge, Kind, Region, Shape};
pub use svg::svg;
pub use text::text;
pub use words::{operand, port_type};
