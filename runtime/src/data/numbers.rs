//! Numbers kept for an exact quantile, in bounded memory: beyond a budget they go to a temporary file, and the rank is
//! found by counting leading digits in four passes.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};

use camino::Utf8PathBuf;

use crate::operations::OperationError;

const DIGIT_BITS: u32 = 16;
const DIGITS: usize = 1 << DIGIT_BITS;

/// A collection of numbers.
pub struct Numbers {
    held: Vec<u64>,
    budget: usize,
    folder: Utf8PathBuf,
    spilled: Option<File>,
    count: u64,
}

impl Numbers {
    /// A collection that keeps at most `budget` numbers in memory and the others in a nameless file in `folder`.
    #[must_use]
    pub fn new(budget: usize, folder: Utf8PathBuf) -> Self {
        Self {
            held: Vec::new(),
            budget,
            folder,
            spilled: None,
            count: 0,
        }
    }

    /// Adds numbers.
    ///
    /// # Errors
    /// When the temporary file cannot be written.
    pub fn extend(&mut self, numbers: impl Iterator<Item = f64>) -> Result<(), OperationError> {
        let before = self.held.len();
        self.held.extend(numbers.map(ordered));
        self.count += (self.held.len() - before) as u64;
        if self.held.len() <= self.budget {
            return Ok(());
        }
        let bytes: Vec<u8> = self.held.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.held.clear();
        let file = match self.spilled.take() {
            Some(file) => Ok(file),
            None => tempfile::tempfile_in(&self.folder),
        };
        let file = file.and_then(|mut file| file.write_all(&bytes).map(|()| file));
        self.spilled = Some(file.map_err(|source| self.failed(source))?);
        Ok(())
    }

    fn visit(&mut self, mut see: impl FnMut(u64)) -> Result<(), OperationError> {
        self.held.iter().copied().for_each(&mut see);
        let Some(file) = self.spilled.as_mut() else {
            return Ok(());
        };
        let read = file.seek(SeekFrom::Start(0)).and_then(|_| {
            let mut reader = BufReader::with_capacity(1 << 20, file);
            let mut bytes = [0; 8];
            loop {
                match reader.read_exact(&mut bytes) {
                    Ok(()) => see(u64::from_le_bytes(bytes)),
                    Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
        });
        read.map_err(|source| self.failed(source))
    }

    fn failed(&self, source: std::io::Error) -> OperationError {
        OperationError::Io {
            action: format!("cannot keep numbers in a temporary file in {}", self.folder),
            source,
        }
    }
}

/// The quantile of several collections together by nearest rank: the smallest number with at least a share `quantile`
/// of all numbers not above it. Nothing when there are none.
///
/// # Errors
/// When a temporary file cannot be read.
pub fn nearest_rank(collections: &mut [Numbers], quantile: f64) -> Result<Option<f64>, OperationError> {
    let count: u64 = collections.iter().map(|numbers| numbers.count).sum();
    if count == 0 {
        return Ok(None);
    }
    let mut rank = ((quantile * count as f64).ceil() as u64).clamp(1, count) - 1;
    let mut prefix: u64 = 0;
    for pass in (0..u64::BITS / DIGIT_BITS).rev() {
        let shift = pass * DIGIT_BITS;
        let mut counts = vec![0_u64; DIGITS];
        for numbers in &mut *collections {
            numbers.visit(|number| {
                if (number ^ prefix).checked_shr(shift + DIGIT_BITS).unwrap_or(0) == 0 {
                    counts[(number >> shift) as usize % DIGITS] += 1;
                }
            })?;
        }
        for (digit, count) in counts.into_iter().enumerate() {
            if rank < count {
                prefix |= (digit as u64) << shift;
                break;
            }
            rank -= count;
        }
    }
    Ok(Some(unordered(prefix)))
}

/// A float's bits such that their order is that of the floats.
fn ordered(number: f64) -> u64 {
    let bits = number.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn unordered(bits: u64) -> f64 {
    f64::from_bits(if bits >> 63 == 1 { bits & !(1 << 63) } else { !bits })
}

#[cfg(test)]
mod tests {
    use super::{Numbers, nearest_rank};

    #[test]
    fn ranks_are_exact_in_memory_and_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let path = camino::Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        for budget in [10, 100_000] {
            let mut all = [Numbers::new(budget, path.clone()), Numbers::new(budget, path.clone())];
            for value in 0..1_000 {
                let number = f64::from((value * 7_919) % 1_000) - 500.0;
                all[usize::from(value % 3 == 0)].extend([number].into_iter()).unwrap();
            }
            for (quantile, expected) in [(0.0, -500.0), (0.001, -500.0), (0.5, -1.0), (0.95, 449.0), (1.0, 499.0)] {
                assert_eq!(nearest_rank(&mut all, quantile).unwrap(), Some(expected), "{quantile}");
            }
        }
        assert_eq!(nearest_rank(&mut [Numbers::new(1, path)], 0.5).unwrap(), None);
    }
}
