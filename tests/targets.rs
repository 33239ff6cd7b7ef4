//! The published table of what each target can express is up to date.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads the repository's own files"
)]

mod harness;

use mlp::targets::capability;

const HEAD: &str = "# What each target can express\n\n\
    This table is written from the one that drives errors and lowering (`src/targets/capability/`); `MLP_BLESS=1 cargo test \
    --test targets` writes it anew. What is refused is an error with a way out, never left out.\n\n";

#[test]
fn the_table_of_features_is_up_to_date() {
    harness::assert_fresh("docs/targets.md", &format!("{HEAD}{}", capability::table()));
}
