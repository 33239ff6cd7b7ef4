//! Fingerprints of keys, in bounded memory: is any key there twice, and how many are there?
//!
//! A key of one number is its own fingerprint (mixed, one to one); every other key has a 64-bit hash, so equal keys have
//! equal fingerprints and a repeated fingerprint is only a suspicion, which [`crate::operations`] confirms by reading
//! the rows again. A count of distinct fingerprints is therefore exact for numbers, and for other keys one too low with
//! a probability of about n²/2⁶⁵ (for 5 million keys 7 in 10 million).

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType as ArrowType, Date32Type, DurationMillisecondType, Float64Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use camino::Utf8PathBuf;

use super::cell;
use crate::operations::OperationError;

/// Fingerprints are kept apart by their first bits, so that each part is sorted on its own.
const PART_BITS: u32 = 6;
const PARTS: usize = 1 << PART_BITS;

/// A collection of fingerprints; beyond its budget it goes to temporary files.
pub struct Keys {
    parts: Vec<Vec<u64>>,
    held: usize,
    budget: usize,
    folder: Utf8PathBuf,
    spilled: BTreeMap<usize, File>,
}

impl Keys {
    /// A collection that expects so many fingerprints, keeps at most `budget` of them in memory, and writes the others
    /// to nameless files in `folder`.
    #[must_use]
    pub fn new(expected: usize, budget: usize, folder: Utf8PathBuf) -> Self {
        let part = expected.min(budget) / PARTS;
        Self {
            parts: (0..PARTS).map(|_| Vec::with_capacity(part + part / 16)).collect(),
            held: 0,
            budget,
            folder,
            spilled: BTreeMap::new(),
        }
    }

    /// Adds fingerprints.
    ///
    /// # Errors
    /// When a temporary file cannot be written.
    pub fn extend(&mut self, fingerprints: impl Iterator<Item = u64>) -> Result<(), OperationError> {
        for fingerprint in fingerprints {
            self.parts[(fingerprint >> (u64::BITS - PART_BITS)) as usize].push(fingerprint);
            self.held += 1;
        }
        if self.held > self.budget { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> Result<(), OperationError> {
        for (part, held) in self.parts.iter_mut().enumerate() {
            let write = |file: &mut File| {
                let bytes: Vec<u8> = held.iter().flat_map(|fingerprint| fingerprint.to_le_bytes()).collect();
                file.write_all(&bytes)
            };
            let file = match self.spilled.remove(&part) {
                Some(file) => Ok(file),
                None => tempfile::tempfile_in(&self.folder),
            };
            let file = file.and_then(|mut file| write(&mut file).map(|()| file));
            let file = file.map_err(|source| spill_failed(&self.folder, source))?;
            self.spilled.insert(part, file);
            held.clear();
        }
        self.held = 0;
        Ok(())
    }

    /// Moves one part out, to the end of `all`.
    fn take(&mut self, part: usize, all: &mut Vec<u64>) -> Result<(), OperationError> {
        all.append(&mut std::mem::take(&mut self.parts[part]));
        if let Some(mut file) = self.spilled.remove(&part) {
            let read = file.seek(SeekFrom::Start(0)).and_then(|_| {
                let mut reader = BufReader::with_capacity(1 << 20, file);
                let mut bytes = [0; 8];
                loop {
                    match reader.read_exact(&mut bytes) {
                        Ok(()) => all.push(u64::from_le_bytes(bytes)),
                        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
                        Err(error) => return Err(error),
                    }
                }
            });
            read.map_err(|source| spill_failed(&self.folder, source))?;
        }
        Ok(())
    }
}

fn spill_failed(folder: &Utf8PathBuf, source: std::io::Error) -> OperationError {
    OperationError::Io {
        action: format!("cannot keep keys in a temporary file in {folder}"),
        source,
    }
}

/// What several collections hold together.
#[derive(Debug, Default, PartialEq)]
pub struct Census {
    /// How many fingerprints there are, each once.
    pub distinct: u64,
    /// How many are there beyond the first of each.
    pub repeated: u64,
    /// Fingerprints that occur more than once, in order; at most the asked number.
    pub suspects: Vec<u64>,
}

/// Counts the fingerprints of several collections.
///
/// # Errors
/// When a temporary file cannot be read.
pub fn census(mut collections: Vec<Keys>, suspects: usize) -> Result<Census, OperationError> {
    let mut census = Census::default();
    let mut all = Vec::new();
    for part in 0..PARTS {
        all.clear();
        for keys in &mut collections {
            keys.take(part, &mut all)?;
        }
        all.sort_unstable();
        for run in all.chunk_by(|left, right| left == right) {
            census.distinct += 1;
            census.repeated += run.len() as u64 - 1;
            if run.len() > 1 && census.suspects.len() < suspects {
                census.suspects.extend(run.first());
            }
        }
    }
    Ok(census)
}

/// The fingerprints of the rows in which every key column is present.
#[must_use]
pub fn fingerprints(columns: &[&ArrayRef]) -> Vec<u64> {
    if let [column] = columns
        && let Some(fingerprints) = single(column)
    {
        return fingerprints;
    }
    let rows = columns.first().map_or(0, |column| column.len());
    let mut bytes = Vec::new();
    (0..rows)
        .filter(|row| columns.iter().all(|column| column.is_valid(*row)))
        .map(|row| {
            bytes.clear();
            columns
                .iter()
                .for_each(|column| push_bytes(column.as_ref(), row, &mut bytes));
            hash(&bytes)
        })
        .collect()
}

/// As [`fingerprints`], each with its row.
pub fn numbered_fingerprints(columns: &[&ArrayRef]) -> impl Iterator<Item = (usize, u64)> {
    let rows = columns.first().map_or(0, |column| column.len());
    let present = (0..rows).filter(|row| columns.iter().all(|column| column.is_valid(*row)));
    present.zip(fingerprints(columns))
}

fn single(column: &ArrayRef) -> Option<Vec<u64>> {
    let numbers = |values: &mut dyn Iterator<Item = u64>| {
        let all = values.enumerate().filter(|(row, _)| column.is_valid(*row));
        all.map(|(_, value)| mix(value)).collect()
    };
    Some(match column.data_type() {
        ArrowType::Int64 => {
            let values = column.as_primitive::<Int64Type>().values();
            if column.null_count() == 0 {
                values.iter().map(|value| mix(value.cast_unsigned())).collect()
            } else {
                numbers(&mut values.iter().map(|value| value.cast_unsigned()))
            }
        }
        ArrowType::Timestamp(..) => numbers(
            &mut column
                .as_primitive::<TimestampMicrosecondType>()
                .values()
                .iter()
                .map(|v| v.cast_unsigned()),
        ),
        ArrowType::Float64 => numbers(
            &mut column
                .as_primitive::<Float64Type>()
                .values()
                .iter()
                .map(|value| float_bits(*value)),
        ),
        ArrowType::Utf8 => column
            .as_string::<i32>()
            .iter()
            .flatten()
            .map(|text| hash(text.as_bytes()))
            .collect(),
        ArrowType::Dictionary(..) => {
            let dictionary = column.as_dictionary::<Int32Type>();
            let hashes: Vec<u64> = dictionary
                .values()
                .as_string::<i32>()
                .iter()
                .map(|text| hash(text.unwrap_or("").as_bytes()))
                .collect();
            dictionary
                .keys_iter()
                .filter_map(|key| hashes.get(key?).copied())
                .collect()
        }
        _ => return None,
    })
}

/// A float's bits; zeros of either sign are one value.
fn float_bits(value: f64) -> u64 {
    if value == 0.0 { 0 } else { value.to_bits() }
}

/// Spreads a number over 64 bits, one to one (the finaliser of SplitMix64).
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

/// Appends a cell in a form that is the same on every machine, and different for different cells: a tag, then for
/// numbers eight bytes, little-endian, for texts the length in eight bytes and UTF-8.
pub fn push_bytes(array: &dyn Array, row: usize, bytes: &mut Vec<u8>) {
    if row >= array.len() || array.is_null(row) {
        bytes.push(0);
        return;
    }
    let mut number = |tag: u8, value: u64| {
        bytes.push(tag);
        bytes.extend(value.to_le_bytes());
    };
    match array.data_type() {
        ArrowType::Boolean => number(1, u64::from(array.as_boolean().value(row))),
        ArrowType::Int64 => number(2, array.as_primitive::<Int64Type>().value(row).cast_unsigned()),
        ArrowType::Float64 => number(3, float_bits(array.as_primitive::<Float64Type>().value(row))),
        ArrowType::Date32 => number(
            4,
            i64::from(array.as_primitive::<Date32Type>().value(row)).cast_unsigned(),
        ),
        ArrowType::Timestamp(..) => {
            number(
                5,
                array
                    .as_primitive::<TimestampMicrosecondType>()
                    .value(row)
                    .cast_unsigned(),
            );
        }
        ArrowType::Duration(_) => number(
            6,
            array
                .as_primitive::<DurationMillisecondType>()
                .value(row)
                .cast_unsigned(),
        ),
        _ => {
            let text = cell::present_text(array, row).unwrap_or_default();
            number(7, text.len() as u64);
            bytes.extend(text.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};

    use super::{Keys, census, fingerprints, numbered_fingerprints};

    fn counted(budget: usize, collections: usize) -> super::Census {
        let folder = tempfile::tempdir().unwrap();
        let path = camino::Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        let mut all: Vec<Keys> = (0..collections)
            .map(|_| Keys::new(1_000, budget, path.clone()))
            .collect();
        for value in 0..10_000_u64 {
            let place = value as usize % collections;
            all[place].extend([super::mix(value)].into_iter()).unwrap();
        }
        all[0]
            .extend([super::mix(7), super::mix(7), super::mix(8)].into_iter())
            .unwrap();
        census(all, 10).unwrap()
    }

    #[test]
    fn repeated_keys_are_counted_in_memory_and_on_disk() {
        let mut suspects = vec![super::mix(7), super::mix(8)];
        suspects.sort_unstable();
        for (budget, collections) in [(1 << 20, 1), (1 << 20, 3), (500, 1), (500, 3)] {
            let census = counted(budget, collections);
            assert_eq!(
                (census.distinct, census.repeated),
                (10_000, 3),
                "{budget} {collections}"
            );
            assert_eq!(census.suspects, suspects);
        }
    }

    #[test]
    fn rows_with_an_absent_key_column_have_no_fingerprint() {
        let id: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(1)]));
        let name: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), Some("b"), Some("a")]));
        let all = fingerprints(&[&id, &name]);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0], all[1]);
        let numbered: Vec<_> = numbered_fingerprints(&[&id, &name]).collect();
        assert_eq!(numbered, [(0, all[0]), (2, all[0])]);
        assert_eq!(fingerprints(&[&id]).len(), 2);
    }

    #[test]
    fn zeros_of_either_sign_are_one_key() {
        let zeros: ArrayRef = Arc::new(Float64Array::from(vec![0.0, -0.0]));
        let all = fingerprints(&[&zeros]);
        assert_eq!(all[0], all[1]);
    }
}
