//! The parser that pest derives from `grammar/mlp.pest`. Its types stay inside `syntax`.

// What the derive generates is not ours to document.
#![allow(missing_docs)]

use pest_derive::Parser;

#[derive(Parser)]
#[grammar = "../grammar/mlp.pest"]
pub struct Grammar;
