//! Datasets: Parquet files of named columns, read and written batch by batch. It judges no values.
//!
//! What is written depends on nothing but the rows: no time, no host, fixed row groups; equal rows give equal bytes.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType as ArrowType, Field, Fields, Schema as ArrowSchema, SchemaRef, TimeUnit};
use camino::{Utf8Path, Utf8PathBuf};
use mlp::types::Schema;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::{convert, layout, words};
use crate::operations::OperationError;

/// Rows of a batch.
pub const BATCH_ROWS: usize = 32_768;
/// Rows of a row group: small enough that several are checked in parallel.
const GROUP_ROWS: usize = 262_144;
/// Bytes of a row group, for wide rows.
const GROUP_BYTES: usize = 64 << 20;

/// A Parquet file that was opened.
#[derive(Debug)]
pub struct Dataset {
    path: Utf8PathBuf,
    /// How messages call it.
    name: String,
    metadata: ArrowReaderMetadata,
}

/// A column that is asked of a dataset.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// The type in which it is given.
    pub ty: ArrowType,
}

/// Rows of a dataset.
#[derive(Clone, Debug)]
pub struct Batch {
    /// How many rows of the file come before.
    pub first_row: u64,
    /// The rows.
    pub records: RecordBatch,
}

/// Reads batches in order; ends after an error.
pub struct Batches<'a> {
    reader: ParquetRecordBatchReader,
    name: &'a str,
    schema: SchemaRef,
    /// For each wanted column its place among those read.
    places: Vec<usize>,
    next_row: u64,
    cancelled: &'a AtomicBool,
}

impl Dataset {
    /// Opens a Parquet file.
    ///
    /// # Errors
    /// When the file is not there or is no Parquet file.
    pub fn open(path: &Utf8Path) -> Result<Self, OperationError> {
        Self::open_named(path, path.as_str())
    }

    /// Opens a Parquet file that messages call by another name than its path.
    ///
    /// # Errors
    /// When the file is not there or is no Parquet file.
    pub fn open_named(path: &Utf8Path, name: &str) -> Result<Self, OperationError> {
        let file = open(path)?;
        let metadata =
            ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(|error| unreadable(name, error))?;
        Ok(Self {
            path: path.to_owned(),
            name: name.to_owned(),
            metadata,
        })
    }

    /// How many rows it has.
    #[must_use]
    pub fn rows(&self) -> u64 {
        u64::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The fields as the file has them.
    #[must_use]
    pub fn fields(&self) -> &Fields {
        self.metadata.schema().fields()
    }

    /// The rows of each row group, counted from the file's first.
    #[must_use]
    pub fn row_groups(&self) -> Vec<Range<u64>> {
        let mut start = 0;
        let groups = self.metadata.metadata().row_groups().iter();
        groups
            .map(|group| {
                let end = start + u64::try_from(group.num_rows()).unwrap_or(0);
                std::mem::replace(&mut start, end)..end
            })
            .collect()
    }

    /// How many values of a plain column are absent, if the file itself tells.
    #[must_use]
    pub fn absent(&self, name: &str) -> Option<u64> {
        let leaf = self.leaf(name)?;
        if self.metadata.parquet_schema().column(leaf).max_def_level() == 0 {
            return Some(0);
        }
        let groups = self.metadata.metadata().row_groups().iter();
        groups
            .map(|group| group.column(leaf).statistics()?.null_count_opt())
            .sum()
    }

    /// The place of a plain column among those of the file's flat layout.
    fn leaf(&self, name: &str) -> Option<usize> {
        let (index, field) = self.fields().find(name)?;
        if field.data_type().is_nested() {
            return None;
        }
        let schema = self.metadata.parquet_schema();
        (0..schema.num_columns()).find(|leaf| schema.get_column_root_idx(*leaf) == index)
    }

    /// Whether a column of text keeps its distinct values once in every row group, so that reading it so is cheap.
    #[must_use]
    pub fn has_dictionary(&self, name: &str) -> bool {
        self.leaf(name).is_some_and(|leaf| {
            self.metadata.metadata().row_groups().iter().all(|group| {
                let column = group.column(leaf);
                let dictionary = column.page_encoding_stats_mask().is_some_and(|mask| {
                    mask.is_only(parquet::basic::Encoding::RLE_DICTIONARY)
                        || mask.is_only(parquet::basic::Encoding::PLAIN_DICTIONARY)
                });
                dictionary && column.dictionary_page_offset().is_some()
            })
        })
    }

    /// The columns of a schema, as asked of this file.
    ///
    /// # Errors
    /// When a column is missing or its type in the file cannot become the schema's.
    pub fn wanted(&self, schema: &Schema) -> Result<Vec<Wanted>, OperationError> {
        let wanted = schema
            .columns
            .iter()
            .map(|column| {
                Ok(Wanted {
                    name: column.name.clone(),
                    ty: layout::arrow_type(&column.ty, &column.name)?,
                })
            })
            .collect::<Result<Vec<_>, OperationError>>()?;
        self.check(&wanted)?;
        Ok(wanted)
    }

    /// The type of [`layout`] that a column of the file has or can become; its own where there is none.
    #[must_use]
    pub fn natural_type(&self, name: &str) -> ArrowType {
        let Some((_, field)) = self.fields().find(name) else {
            return ArrowType::Null;
        };
        let known = [
            ArrowType::Boolean,
            ArrowType::Int64,
            ArrowType::Float64,
            ArrowType::Utf8,
            ArrowType::Date32,
            layout::datetime(),
            ArrowType::Duration(TimeUnit::Millisecond),
        ];
        let own = field.data_type();
        if *own == ArrowType::Null {
            return ArrowType::Null;
        }
        known
            .into_iter()
            .find(|ty| convert::is_convertible(own, ty))
            .unwrap_or_else(|| own.clone())
    }

    /// Reads columns, of all rows or of the given row groups.
    ///
    /// # Errors
    /// When a column is missing or its type in the file cannot become the wanted one.
    pub fn read<'a>(
        &'a self,
        wanted: &[Wanted],
        groups: Option<Range<usize>>,
        cancelled: &'a AtomicBool,
    ) -> Result<Batches<'a>, OperationError> {
        self.check(wanted)?;
        let broken = |error| unreadable(&self.name, error);
        let options = ArrowReaderOptions::new().with_schema(self.reading_schema(wanted));
        let metadata = ArrowReaderMetadata::try_new(Arc::clone(self.metadata.metadata()), options).map_err(broken)?;
        let mut roots: Vec<usize> = wanted
            .iter()
            .filter_map(|one| Some(self.fields().find(&one.name)?.0))
            .collect();
        let mut builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(open(&self.path)?, metadata).with_batch_size(BATCH_ROWS);
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots.iter().copied());
        let mut next_row = 0;
        if let Some(groups) = groups {
            next_row = self.row_groups().get(groups.start).map_or(0, |rows| rows.start);
            builder = builder.with_row_groups(groups.collect());
        }
        let reader = builder.with_projection(mask).build().map_err(broken)?;
        let order = roots.clone();
        roots.sort_unstable();
        roots.dedup();
        let places = order
            .iter()
            .filter_map(|root| roots.iter().position(|read| read == root))
            .collect();
        let fields: Fields = wanted
            .iter()
            .map(|one| Field::new(&one.name, one.ty.clone(), true))
            .collect();
        Ok(Batches {
            reader,
            name: &self.name,
            schema: Arc::new(ArrowSchema::new(fields)),
            places,
            next_row,
            cancelled,
        })
    }

    /// The file's own schema, with dictionaries where they are wanted and plain text where they are not.
    fn reading_schema(&self, wanted: &[Wanted]) -> SchemaRef {
        let dictionary = layout::dictionary();
        let fields: Fields = self
            .fields()
            .iter()
            .map(|field| {
                let asked = wanted.iter().find(|one| one.name == *field.name());
                let ty = match asked {
                    Some(one) if one.ty == dictionary || one.ty == ArrowType::Utf8 => match field.data_type() {
                        ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View | ArrowType::Dictionary(..) => {
                            one.ty.clone()
                        }
                        other => other.clone(),
                    },
                    _ => field.data_type().clone(),
                };
                field.as_ref().clone().with_data_type(ty)
            })
            .collect();
        Arc::new(ArrowSchema::new(fields).with_metadata(self.metadata.schema().metadata().clone()))
    }

    fn check(&self, wanted: &[Wanted]) -> Result<(), OperationError> {
        let names = || self.fields().iter().map(|field| field.name().as_str());
        let missing: Vec<&str> = wanted
            .iter()
            .map(|one| one.name.as_str())
            .filter(|name| self.fields().find(name).is_none())
            .collect();
        if !missing.is_empty() {
            return Err(missing_columns(&self.name, &missing, &names().collect::<Vec<_>>()));
        }
        for one in wanted {
            if let Some((_, field)) = self.fields().find(&one.name)
                && !convert::is_convertible(field.data_type(), &one.ty)
            {
                return Err(OperationError::Input {
                    summary: format!(
                        "The column `{}` of {} holds {}, but its schema says `{}`.",
                        one.name,
                        self.name,
                        layout::arrow_text(field.data_type()),
                        layout::arrow_text(&one.ty),
                    ),
                    help: "Convert the column where the file is written, or change the type in the schema; a value is \
                           only converted on reading where nothing can be lost."
                        .to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// That columns of a schema are not in a file; offers the nearest names that are.
pub(super) fn missing_columns(name: &str, missing: &[&str], present: &[&str]) -> OperationError {
    let noun = if missing.len() == 1 { "column" } else { "columns" };
    let mut help = if present.is_empty() {
        "It has no columns at all.".to_owned()
    } else {
        format!("It has {}.", words::listed(present.iter().copied(), 30))
    };
    for name in missing {
        if let Some(near) = words::nearest(name, present.iter().copied()) {
            help.push_str(&format!(
                " Is `{near}` what the schema calls `{name}`? Rename one of them."
            ));
        }
    }
    OperationError::Input {
        summary: format!("{name} has no {noun} {}.", words::listed(missing.iter().copied(), 30)),
        help,
    }
}

impl Batches<'_> {
    /// The schema of the batches: the wanted columns in the wanted order.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn batch(&mut self, read: &RecordBatch) -> Result<Batch, OperationError> {
        let first_row = self.next_row;
        let rows = read.num_rows();
        self.next_row += rows as u64;
        let columns = self
            .places
            .iter()
            .zip(self.schema.fields())
            .map(|(place, field)| {
                convert::convert(read.column(*place), field.data_type()).map_err(|row| OperationError::Input {
                    summary: format!(
                        "{}, row {}: the value of the column `{}` does not fit the type `{}`.",
                        self.name,
                        words::thousands(first_row + row as u64 + 1),
                        field.name(),
                        layout::arrow_text(field.data_type()),
                    ),
                    help: "A 64-bit integer beyond 2^53 is no exact float, and one beyond 2^63 is no int.".to_owned(),
                })
            })
            .collect::<Result<Vec<ArrayRef>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let records = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|error| unreadable(self.name, error.into()))?;
        Ok(Batch { first_row, records })
    }
}

impl Iterator for Batches<'_> {
    type Item = Result<Batch, OperationError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Some(Err(OperationError::Cancelled));
        }
        match self.reader.next()? {
            Ok(read) => Some(self.batch(&read)),
            Err(error) => Some(Err(unreadable(self.name, error.into()))),
        }
    }
}

/// Writes a dataset.
pub struct DatasetWriter {
    writer: ArrowWriter<File>,
    path: Utf8PathBuf,
    rows: u64,
}

impl DatasetWriter {
    /// Creates the file.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn create(path: &Utf8Path, schema: SchemaRef) -> Result<Self, OperationError> {
        let file = File::create(path).map_err(|source| OperationError::Io {
            action: format!("cannot create {path}"),
            source,
        })?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by("mlp".to_owned())
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .set_max_row_group_bytes(Some(GROUP_BYTES))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .build();
        let writer = ArrowWriter::try_new(file, schema, Some(properties)).map_err(|error| unwritable(path, error))?;
        Ok(Self {
            writer,
            path: path.to_owned(),
            rows: 0,
        })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// When the system refuses: a full disk.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), OperationError> {
        self.rows += batch.num_rows() as u64;
        self.writer.write(batch).map_err(|error| unwritable(&self.path, error))
    }

    /// Ends the file and gives the number of its rows.
    ///
    /// # Errors
    /// When the system refuses: a full disk.
    pub fn finish(self) -> Result<u64, OperationError> {
        let path = self.path;
        self.writer.close().map_err(|error| unwritable(&path, error))?;
        Ok(self.rows)
    }
}

fn open(path: &Utf8Path) -> Result<File, OperationError> {
    File::open(path).map_err(|source| OperationError::Io {
        action: format!("cannot open {path}"),
        source,
    })
}

fn unreadable(name: &str, error: ParquetError) -> OperationError {
    match io_error(error) {
        Ok(source) => OperationError::Io {
            action: format!("cannot read {name}"),
            source,
        },
        Err(message) => OperationError::Input {
            summary: format!("{name} is not a readable Parquet file: {message}."),
            help: "Write the file again; it may have been cut short while it was copied.".to_owned(),
        },
    }
}

fn unwritable(path: &Utf8Path, error: ParquetError) -> OperationError {
    OperationError::Io {
        action: format!("cannot write {path}"),
        source: io_error(error).unwrap_or_else(std::io::Error::other),
    }
}

/// The system's error inside, or else what the library says, without its prefix and full stop.
fn io_error(error: ParquetError) -> Result<std::io::Error, String> {
    match error {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(source) => Ok(*source),
            Err(other) => Err(other.to_string()),
        },
        other => {
            let text = other.to_string();
            let plain = text.split_once(": ").map_or(text.as_str(), |(_, rest)| rest);
            Err(plain.trim_end_matches('.').to_owned())
        }
    }
}
