//! The Python functions that steps and models name: does the function exist, and does it take and give what the
//! declaration says? Python is parsed here, never run, and only signatures are understood.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a form of the syntax that is not listed is one that cannot stand there, and is refused"
)]

mod annotations;
mod functions;
mod source_file;
mod sources;

pub use functions::diagnostics;
pub use source_file::{Function, Module, Parameter, ParameterForm, Written, module};
pub use sources::{Import, imports, python_sources};
