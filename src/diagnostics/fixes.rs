//! Applying fixes to text. Nothing is written here, and nothing is decided about which fix is right.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use super::Applicability;
use super::resolve::{ResolvedDiagnostic, ResolvedEdit, ResolvedFix};
use crate::db::Db;

/// The texts of all files that the fixes of `diagnostics` change, after the change. With [`Applicability::Safe`] only those
/// that are certain are applied.
///
/// A fix whose edits collide with those of an earlier one is left for the next round, whole: half a fix is none. Files of
/// the standard library are never changed.
#[must_use]
pub fn apply_all(
    db: &dyn Db,
    diagnostics: &[ResolvedDiagnostic],
    applicability: Applicability,
) -> BTreeMap<Utf8PathBuf, String> {
    let fixes = diagnostics.iter().filter_map(|diagnostic| diagnostic.fix.as_ref());
    let wanted = fixes.filter(|fix| applicability == Applicability::Unsafe || fix.applicability == applicability);
    let mut chosen: BTreeMap<Utf8PathBuf, Vec<ResolvedEdit>> = BTreeMap::new();
    for fix in wanted {
        if is_applicable(fix, &chosen) {
            for edit in &fix.edits {
                let edits = chosen.entry(edit.path.clone()).or_default();
                if !edits.contains(edit) {
                    edits.push(edit.clone());
                }
            }
        }
    }
    let apply_to = |(path, edits): (Utf8PathBuf, Vec<ResolvedEdit>)| {
        let text = db.file(&path).contents(db).text()?;
        let mended = apply(text, &edits);
        Some((path, mended))
    };
    chosen.into_iter().filter_map(apply_to).collect()
}

/// [`apply_all`] with the fixes that are certain.
#[must_use]
pub fn apply_safe(db: &dyn Db, diagnostics: &[ResolvedDiagnostic]) -> BTreeMap<Utf8PathBuf, String> {
    apply_all(db, diagnostics, Applicability::Safe)
}

fn is_applicable(fix: &ResolvedFix, chosen: &BTreeMap<Utf8PathBuf, Vec<ResolvedEdit>>) -> bool {
    fix.edits.iter().all(|edit| {
        let others = chosen.get(&edit.path).map(Vec::as_slice).unwrap_or_default();
        !edit.path.starts_with("std") && others.iter().all(|other| other == edit || !collides(other, edit))
    })
}

/// Whether two edits touch the same bytes, or insert at the same place.
fn collides(left: &ResolvedEdit, right: &ResolvedEdit) -> bool {
    let (left, right) = (left.range, right.range);
    left == right || (left.start < right.end && right.start < left.end)
}

/// `text` with `edits` made. An edit that overlaps an earlier one, or that lies outside the text, is skipped.
#[must_use]
pub fn apply(text: &str, edits: &[ResolvedEdit]) -> String {
    let mut sorted: Vec<&ResolvedEdit> = edits.iter().collect();
    sorted.sort_by_key(|edit| edit.range);
    let mut result = String::with_capacity(text.len());
    let mut done = 0;
    for edit in sorted {
        let range = edit.range.as_usize();
        let (Some(between), true) = (text.get(done..range.start), text.is_char_boundary(range.end)) else {
            continue;
        };
        result.push_str(between);
        result.push_str(&edit.text);
        done = range.end;
    }
    result.push_str(text.get(done..).unwrap_or_default());
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::TextRange;

    fn edit(start: usize, end: usize, text: &str) -> ResolvedEdit {
        ResolvedEdit {
            path: Utf8PathBuf::from("a.mlp"),
            range: TextRange::new(start, end),
            text: text.to_owned(),
        }
    }

    #[test]
    fn edits_are_made_in_their_order_in_the_text() {
        assert_eq!(
            apply("abcdef", &[edit(4, 6, "Z"), edit(0, 1, "XY"), edit(2, 2, "-")]),
            "XYb-cdZ"
        );
    }

    #[test]
    fn edits_that_overlap_or_miss_the_text_are_skipped() {
        assert_eq!(apply("abc", &[edit(0, 2, "X"), edit(1, 3, "Y")]), "Xc");
        assert_eq!(apply("ä", &[edit(1, 1, "X")]), "ä");
        assert_eq!(apply("a", &[edit(7, 9, "X")]), "a");
    }
}
