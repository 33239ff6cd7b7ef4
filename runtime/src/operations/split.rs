//! The operation `split`: cuts a dataset into parts. Every row goes to exactly one part and keeps its place in the order.
//!
//! `data` → one port for each part. A pure function of the data and the seed, on every machine: no random number
//! generator is involved, only BLAKE3.
//!
//! | method | a row's part |
//! |---|---|
//! | random | rows are ranked by bytes 8i..8i+8 (little-endian) of the BLAKE3 stream keyed by the seed, i being the row's place; ties by place |
//! | stratified | as random, within each value of the column; absent values are a stratum of their own |
//! | time | rows are ranked by time; equal times stay together, in the earlier part |
//! | key | the first 8 bytes of the keyed BLAKE3 of the row's key, as a fraction of 2⁶⁴; absent keys are equal |
//!
//! Ranked methods cut at `round(n · c)`, c being the sum of the fractions so far: sizes are exact to a row, in each
//! stratum. The first pass needs 8 bytes a row for ranks and 1 for the part; the second one writes.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "Arrow has forty types, the language a few"
)]

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType as ArrowType, Date32Type, TimestampMicrosecondType};
use mlp::plan::{SplitMethod, SplitPart};
use serde_json::json;

use super::{Context, OperationError, Report, open_dataset};
use crate::data::dataset::{Dataset, DatasetWriter, Wanted};
use crate::data::keys::push_bytes;
use crate::data::words;

/// The most strata: a column with more values is no class.
const STRATA: usize = 10_000;
/// The domain of keys that are derived from seeds.
const DOMAIN: &str = "mlp 2026 split";

pub(super) fn run(method: &SplitMethod, parts: &[SplitPart], context: &Context) -> Result<Report, OperationError> {
    let dataset = open_dataset(context, "data")?;
    let cuts = cuts(parts)?;
    let assignment = match method {
        SplitMethod::Random { seed } => {
            let rows = row_count(&dataset)?;
            ranked(&hashes(*seed, rows), &vec![0; rows], &cuts)
        }
        SplitMethod::Stratified { column, seed } => {
            let strata = strata(&dataset, column, context)?;
            ranked(&hashes(*seed, strata.len()), &strata, &cuts)
        }
        SplitMethod::Time { column } => by_time(&times(&dataset, column, context)?, &cuts),
        SplitMethod::Key { columns, seed } => by_key(&dataset, columns, *seed, &cuts, context)?,
    };
    let sizes = write(&dataset, parts, &assignment, context)?;
    check_sizes(parts, &sizes, method)?;
    let told: Vec<String> = parts
        .iter()
        .zip(&sizes)
        .map(|(part, size)| format!("{} {}", part.name, words::thousands(*size)))
        .collect();
    let named: BTreeMap<&str, u64> = parts
        .iter()
        .map(|part| part.name.as_str())
        .zip(sizes.iter().copied())
        .collect();
    Ok(Report {
        summary: told.join(", "),
        record: json!({ "rows": assignment.len(), "parts": named }),
        ..Report::default()
    })
}

/// The sums of the fractions, one for each part but the last.
fn cuts(parts: &[SplitPart]) -> Result<Vec<f64>, OperationError> {
    let mut sum = 0.0;
    let mut cuts: Vec<f64> = Vec::with_capacity(parts.len());
    for part in parts {
        sum += part.fraction;
        cuts.push(sum);
    }
    let fine = parts.iter().all(|part| part.fraction > 0.0) && (sum - 1.0).abs() < 1e-6 && parts.len() <= 256;
    if !fine {
        return Err(OperationError::Input {
            summary: format!("The parts of a split add up to {sum}, not to 1, or one of them is not above 0."),
            help: "Give each part a fraction above 0 and below 1; leave one out to have it take the rest.".to_owned(),
        });
    }
    cuts.pop();
    Ok(cuts)
}

fn row_count(dataset: &Dataset) -> Result<usize, OperationError> {
    usize::try_from(dataset.rows()).map_err(|_| OperationError::Input {
        summary: "The dataset has more rows than this machine can count.".to_owned(),
        help: "Split it on a 64-bit machine.".to_owned(),
    })
}

fn hasher(seed: i64) -> blake3::Hasher {
    blake3::Hasher::new_keyed(&blake3::derive_key(DOMAIN, &seed.to_le_bytes()))
}

/// For each row eight bytes of the stream that the seed starts.
fn hashes(seed: i64, rows: usize) -> Vec<u64> {
    let mut stream = hasher(seed).finalize_xof();
    let mut block = vec![0; 8 * 4_096];
    let mut hashes = Vec::with_capacity(rows);
    while hashes.len() < rows {
        stream.fill(&mut block);
        let (words, _) = block.as_chunks::<8>();
        hashes.extend(
            words
                .iter()
                .take(rows - hashes.len())
                .map(|bytes| u64::from_le_bytes(*bytes)),
        );
    }
    hashes
}

/// The part of each row: within each stratum, rows in order of their hash are cut at the exact places.
fn ranked(hashes: &[u64], strata: &[u16], cuts: &[f64]) -> Vec<u8> {
    let count = strata.iter().max().map_or(0, |last| usize::from(*last) + 1);
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); count];
    // Rows beyond 2³² would need 32 GB for their hashes alone.
    for (row, stratum) in (0..).zip(strata) {
        members[usize::from(*stratum)].push(row);
    }
    let mut assignment = vec![0; hashes.len()];
    for mut rows in members {
        let rank = |row: &u32| (hashes[*row as usize], *row);
        let ends: Vec<usize> = cuts.iter().map(|cut| place(rows.len(), *cut)).collect();
        let mut rest = rows.as_mut_slice();
        let mut start = 0;
        for (part, end) in (0_u8..).zip(&ends) {
            let length = end - start;
            if length < rest.len() {
                rest.select_nth_unstable_by_key(length, rank);
            }
            let (own, later) = rest.split_at_mut(length);
            own.iter().for_each(|row| assignment[*row as usize] = part);
            rest = later;
            start = *end;
        }
        let last = u8::try_from(cuts.len()).unwrap_or(u8::MAX);
        rest.iter().for_each(|row| assignment[*row as usize] = last);
    }
    assignment
}

/// Where `count` rows are cut for a share of them.
fn place(count: usize, cut: f64) -> usize {
    ((count as f64 * cut).round() as usize).min(count)
}

/// The stratum of each row: values are numbered in the order in which they first occur.
fn strata(dataset: &Dataset, column: &str, context: &Context) -> Result<Vec<u16>, OperationError> {
    let mut numbers: BTreeMap<Vec<u8>, u16> = BTreeMap::new();
    let mut strata = Vec::with_capacity(row_count(dataset)?);
    let mut bytes = Vec::new();
    for batch in dataset.read(&[natural(dataset, column)], None, context.cancelled)? {
        let records = batch?.records;
        let array = records.column(0);
        for row in 0..array.len() {
            bytes.clear();
            push_bytes(array.as_ref(), row, &mut bytes);
            let number = match numbers.get(&bytes) {
                Some(number) => *number,
                None => {
                    let number = u16::try_from(numbers.len()).unwrap_or(u16::MAX);
                    numbers.insert(bytes.clone(), number);
                    number
                }
            };
            strata.push(number);
        }
        if numbers.len() > STRATA {
            return Err(OperationError::Input {
                summary: format!(
                    "The column `{column}` has more than {} different values, so its rows cannot be split within each of them.",
                    words::thousands(STRATA as u64)
                ),
                help: "Stratify by a column with few values, such as the label, or by a `bucket` of this one."
                    .to_owned(),
            });
        }
    }
    Ok(strata)
}

fn natural(dataset: &Dataset, column: &str) -> Wanted {
    Wanted {
        name: column.to_owned(),
        ty: dataset.natural_type(column),
    }
}

/// The time of each row.
fn times(dataset: &Dataset, column: &str, context: &Context) -> Result<Vec<i64>, OperationError> {
    let mut times = Vec::with_capacity(row_count(dataset)?);
    for batch in dataset.read(&[natural(dataset, column)], None, context.cancelled)? {
        let batch = batch?;
        let array = batch.records.column(0);
        if let Some(row) = (0..array.len()).find(|row| array.is_null(*row)) {
            return Err(OperationError::Input {
                summary: format!(
                    "Row {} has no `{column}`, so it is neither earlier nor later than the others.",
                    words::thousands(batch.first_row + row as u64 + 1)
                ),
                help: "Leave such rows out before the split, or split by another column.".to_owned(),
            });
        }
        match array.data_type() {
            ArrowType::Date32 => times.extend(
                array
                    .as_primitive::<Date32Type>()
                    .values()
                    .iter()
                    .map(|day| i64::from(*day)),
            ),
            ArrowType::Timestamp(..) => times.extend(array.as_primitive::<TimestampMicrosecondType>().values()),
            other => {
                return Err(OperationError::Input {
                    summary: format!(
                        "The column `{column}` holds {}, not dates or datetimes.",
                        crate::data::layout::arrow_text(other)
                    ),
                    help: "A split by time needs a `date` or `datetime` column.".to_owned(),
                });
            }
        }
    }
    Ok(times)
}

/// The part of each row: cut at the time of the row that is last in each part.
fn by_time(times: &[i64], cuts: &[f64]) -> Vec<u8> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let ends: Vec<Option<i64>> = cuts
        .iter()
        .map(|cut| {
            place(sorted.len(), *cut)
                .checked_sub(1)
                .and_then(|last| sorted.get(last))
                .copied()
        })
        .collect();
    let part = |time: &i64| ends.iter().filter(|end| end.is_none_or(|end| *time > end)).count();
    times
        .iter()
        .map(|time| u8::try_from(part(time)).unwrap_or(u8::MAX))
        .collect()
}

fn by_key(
    dataset: &Dataset,
    columns: &[String],
    seed: i64,
    cuts: &[f64],
    context: &Context,
) -> Result<Vec<u8>, OperationError> {
    let wanted: Vec<Wanted> = columns.iter().map(|column| natural(dataset, column)).collect();
    let seeded = hasher(seed);
    let mut assignment = Vec::with_capacity(row_count(dataset)?);
    let mut bytes = Vec::new();
    for batch in dataset.read(&wanted, None, context.cancelled)? {
        let records = batch?.records;
        for row in 0..records.num_rows() {
            bytes.clear();
            records
                .columns()
                .iter()
                .for_each(|column| push_bytes(column.as_ref(), row, &mut bytes));
            let hash = seeded.clone().update(&bytes).finalize();
            let (words, _) = hash.as_bytes().as_chunks::<8>();
            let word = words.first().map_or(0, |bytes| u64::from_le_bytes(*bytes));
            let fraction = word as f64 / 2.0_f64.powi(64);
            let part = cuts.iter().filter(|cut| fraction >= **cut).count();
            assignment.push(u8::try_from(part).unwrap_or(u8::MAX));
        }
    }
    Ok(assignment)
}

/// Writes each part; gives their sizes.
fn write(
    dataset: &Dataset,
    parts: &[SplitPart],
    assignment: &[u8],
    context: &Context,
) -> Result<Vec<u64>, OperationError> {
    let wanted: Vec<Wanted> = dataset
        .fields()
        .iter()
        .map(|field| natural(dataset, field.name()))
        .collect();
    let batches = dataset.read(&wanted, None, context.cancelled)?;
    let mut writers = parts
        .iter()
        .map(|part| DatasetWriter::create(&context.outputs.join(&part.name), batches.schema()))
        .collect::<Result<Vec<_>, _>>()?;
    let mut start = 0;
    for batch in batches {
        let records = batch?.records;
        let own = assignment.get(start..start + records.num_rows()).unwrap_or_default();
        start += records.num_rows();
        for (part, writer) in (0_u8..).zip(&mut writers) {
            let mask = BooleanBuffer::collect_bool(records.num_rows(), |row| own.get(row) == Some(&part));
            let rows = filter_record_batch(&records, &BooleanArray::new(mask, None)).map_err(super::misbuilt)?;
            writer.write(&rows)?;
        }
    }
    writers.into_iter().map(DatasetWriter::finish).collect()
}

fn check_sizes(parts: &[SplitPart], sizes: &[u64], method: &SplitMethod) -> Result<(), OperationError> {
    let Some((part, _)) = parts.iter().zip(sizes).find(|(_, size)| **size == 0) else {
        return Ok(());
    };
    let rows = sizes.iter().sum();
    let why = match method {
        SplitMethod::Random { .. } | SplitMethod::Stratified { .. } => "There are too few rows for its fraction.",
        SplitMethod::Time { .. } => "There are too few rows, or too many of them have the same time.",
        SplitMethod::Key { .. } => "There are too few different keys.",
    };
    Err(OperationError::Input {
        summary: format!(
            "The part `{}` of the split is empty: the data has {}.",
            part.name,
            words::counted(rows, "row")
        ),
        help: format!("{why} Give it a larger fraction, or more data."),
    })
}
