//! The model card: what a version is for, how good it is, for whom, and where it comes from. Markdown, from the record alone.

use std::fmt::Write as _;

use super::Version;

/// Renders the card.
pub(super) fn render(version: &Version, _docs: Option<&str>) -> String {
    let mut card = format!("# {} version {}\n", version.name, version.version);
    let _ = writeln!(
        card,
        "\nModel `{}`, artifact `{}`, registered {}.",
        version.model, version.digest, version.created
    );
    card
}
