//! Tables on disk and in memory: CSV, JSON Lines and Parquet in, Parquet out, and expressions over columns.
//!
//! Everything passes through Arrow record batches, so a file may be larger than memory. Nothing here knows operations,
//! ports or verdicts; and nothing here judges a value: that a value can be represented in its column is all that is asked.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "of Arrow's forty types only those that the language has are handled; our own enums are matched in full"
)]

pub mod cell;
mod convert;
mod csv;
pub mod dataset;
pub mod drift;
pub mod duration;
pub mod expression;
pub mod instants;
mod json_lines;
pub mod keys;
pub mod layout;
pub mod numbers;
pub(crate) mod parse;
pub mod reading;
pub mod secret;
pub mod words;
