//! Which rows a dataset can hold, and whether two datasets can share one.

use std::collections::BTreeMap;

use crate::plan::NodePath;

/// A part of what was read: the origin, and the parts of splits on the way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Partition {
    /// What was read; equal for two reads of one source.
    pub(crate) origin: String,
    /// Splits with the part that was taken, outermost first.
    pub(crate) path: Vec<(NodePath, String)>,
}

/// Rows: each partition with the node that read it.
pub(super) type Rows = BTreeMap<Partition, NodePath>;

/// How two sets of rows meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Overlap {
    /// The same rows.
    Same,
    /// The judged rows hold those that were seen.
    Contains,
    /// The judged rows are a part of those that were seen.
    Within,
    /// Parts of two different splits.
    TwoSplits,
    /// Two reads of one source.
    TwoReads,
}

/// How the rows of `seen` and `judged` meet; nothing when they cannot share a row.
pub(crate) fn overlap(seen: &Partition, judged: &Partition) -> Option<Overlap> {
    if seen.origin != judged.origin {
        return None;
    }
    let mut pairs = seen.path.iter().zip(&judged.path);
    if let Some(((split, _), (other, _))) = pairs.find(|(one, other)| one != other) {
        // Two parts of one split share nothing; parts of two splits may.
        return (split != other).then_some(Overlap::TwoSplits);
    }
    Some(match seen.path.len().cmp(&judged.path.len()) {
        std::cmp::Ordering::Equal => Overlap::Same,
        std::cmp::Ordering::Greater => Overlap::Contains,
        std::cmp::Ordering::Less => Overlap::Within,
    })
}

#[cfg(test)]
mod tests {
    use super::{Overlap, Partition, overlap};

    fn part(path: &[(&str, &str)]) -> Partition {
        Partition {
            origin: "data".to_owned(),
            path: path
                .iter()
                .map(|(split, part)| ((*split).to_owned(), (*part).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn parts_of_one_split_share_nothing() {
        assert_eq!(overlap(&part(&[("a", "train")]), &part(&[("a", "test")])), None);
        let inner = part(&[("a", "train"), ("b", "test")]);
        assert_eq!(overlap(&inner, &part(&[("a", "test")])), None);
    }

    #[test]
    fn parts_of_two_splits_may_share_rows() {
        let shared = overlap(&part(&[("a", "train")]), &part(&[("b", "test")]));
        assert_eq!(shared, Some(Overlap::TwoSplits));
    }

    #[test]
    fn a_part_lies_within_the_whole() {
        assert_eq!(overlap(&part(&[]), &part(&[("a", "test")])), Some(Overlap::Within));
        assert_eq!(overlap(&part(&[("a", "test")]), &part(&[])), Some(Overlap::Contains));
        assert_eq!(overlap(&part(&[]), &part(&[])), Some(Overlap::Same));
    }
}
