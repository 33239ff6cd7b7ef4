//! Whether keys repeat. Equal fingerprints raise the suspicion; reading the rows again decides.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::AtomicBool;

use arrow::array::ArrayRef;

use super::measures::Collection;
use crate::data::dataset::{Dataset, Wanted};
use crate::data::keys::{Census, Keys, census, numbered_fingerprints, push_bytes};
use crate::data::{cell, words};
use crate::operations::OperationError;

/// How many suspicious fingerprints are looked into; one true repetition among them decides.
const SUSPECTS: usize = 100_000;
/// How many repeated keys are shown, and how many rows of each.
const SHOWN: usize = 5;
const ROWS_SHOWN: usize = 3;

/// How a key repeats.
#[derive(Debug, Default)]
pub(super) struct Repetitions {
    /// Rows whose key occurs in an earlier row.
    pub(super) rows: u64,
    /// A few of the keys: `17 in rows 3, 9`.
    pub(super) examples: Vec<String>,
}

#[derive(Default)]
struct Repeated {
    text: String,
    count: u64,
    rows: Vec<u64>,
}

/// Counts the keys that threads have collected.
pub(super) fn counted(collections: Vec<Collection>) -> Result<Census, OperationError> {
    let keys = collections.into_iter().filter_map(|collection| match collection {
        Collection::Keys(keys) => Some(keys),
        Collection::Nothing | Collection::Numbers(_) => None,
    });
    census(keys.collect::<Vec<Keys>>(), SUSPECTS)
}

/// The keys that occur more than once; none when only fingerprints did.
pub(super) fn repetitions(
    dataset: &Dataset,
    columns: &[Wanted],
    census: &Census,
    hidden: bool,
    cancelled: &AtomicBool,
) -> Result<Repetitions, OperationError> {
    if census.repeated == 0 {
        return Ok(Repetitions::default());
    }
    let suspects: HashSet<u64> = census.suspects.iter().copied().collect();
    let mut keys: BTreeMap<Vec<u8>, Repeated> = BTreeMap::new();
    let mut bytes = Vec::new();
    for batch in dataset.read(columns, None, cancelled)? {
        let batch = batch?;
        let arrays: Vec<&ArrayRef> = batch.records.columns().iter().collect();
        for (row, fingerprint) in numbered_fingerprints(&arrays) {
            if !suspects.contains(&fingerprint) {
                continue;
            }
            bytes.clear();
            arrays
                .iter()
                .for_each(|array| push_bytes(array.as_ref(), row, &mut bytes));
            if !keys.contains_key(&bytes) {
                keys.insert(bytes.clone(), Repeated::default());
            }
            let Some(key) = keys.get_mut(&bytes) else { continue };
            if key.count == 0 {
                let cells = arrays.iter().map(|array| cell::text(array.as_ref(), row));
                key.text = cells.collect::<Vec<_>>().join(", ");
            }
            key.count += 1;
            if key.rows.len() < ROWS_SHOWN {
                key.rows.push(batch.first_row + row as u64 + 1);
            }
        }
    }
    let mut repeated: Vec<Repeated> = keys.into_values().filter(|key| key.count > 1).collect();
    if repeated.is_empty() {
        return Ok(Repetitions::default());
    }
    repeated.sort_by_key(|key| key.rows.first().copied());
    let examples = repeated.iter().take(SHOWN).map(|key| key.example(hidden)).collect();
    Ok(Repetitions {
        rows: census.repeated,
        examples,
    })
}

impl Repeated {
    fn example(&self, hidden: bool) -> String {
        let rows: Vec<String> = self.rows.iter().map(|row| words::thousands(*row)).collect();
        let more = self.count - self.rows.len() as u64;
        let more = if more > 0 {
            format!(" and {} more", words::thousands(more))
        } else {
            String::new()
        };
        let text = if hidden {
            "(personal data, not shown)".to_owned()
        } else {
            words::quoted(&self.text)
        };
        format!("{text} in rows {}{more}", rows.join(", "))
    }
}
