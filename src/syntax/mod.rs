//! Text → segments → pest → tree. Never fails, never drops text.

pub mod ast;
