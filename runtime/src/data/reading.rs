//! Landing a source file as a dataset: CSV, JSON Lines or Parquet in, Parquet with the schema's columns out.
//!
//! A value that cannot be represented in its column's type fails the whole; the error counts all of them and shows the
//! first few. Constraints are not looked at: that is `validate`.

use std::fs::File;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use camino::Utf8Path;
use mlp::types::Schema;

use super::dataset::{BATCH_ROWS, Dataset, DatasetWriter};
use super::parse::Builder;
use super::{csv, json_lines, layout, words};
use crate::operations::OperationError;

/// How many problems an error shows.
const SHOWN: usize = 5;

/// The forms of source files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, RFC 4180, with a header.
    Csv,
    /// One JSON object on each line.
    JsonLines,
    /// Parquet.
    Parquet,
}

/// What to land.
pub struct Source<'a> {
    /// The file.
    pub path: &'a Utf8Path,
    /// How messages call it: the path as the user wrote it.
    pub name: &'a str,
    /// Its form.
    pub format: Format,
    /// Its columns.
    pub schema: &'a Schema,
    /// Looked at between batches.
    pub cancelled: &'a AtomicBool,
    /// For notes.
    pub log: &'a (dyn Fn(&str) + Sync),
}

impl Format {
    /// The form that a file's extension names.
    #[must_use]
    pub fn of_extension(path: &Utf8Path) -> Option<Self> {
        match path.extension()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }

    /// The form that a file's first bytes show, for files without a telling name.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of_content(path: &Utf8Path) -> Result<Self, OperationError> {
        let mut first = [0; 64];
        let length = open(path, path.as_str())?
            .read(&mut first)
            .map_err(|source| cannot_read(path.as_str(), source))?;
        let first = &first[..length];
        Ok(if first.starts_with(b"PAR1") {
            Self::Parquet
        } else if first.trim_ascii_start().starts_with(b"{") {
            Self::JsonLines
        } else {
            Self::Csv
        })
    }
}

/// Lands a file; gives the number of its rows.
///
/// # Errors
/// When the file cannot be read as its schema says, or the output cannot be written.
pub fn land(source: &Source<'_>, output: &Utf8Path) -> Result<u64, OperationError> {
    match source.format {
        Format::Csv => land_csv(source, output),
        Format::JsonLines => json_lines::land(source, output),
        Format::Parquet => land_parquet(source, output),
    }
}

fn land_parquet(source: &Source<'_>, output: &Utf8Path) -> Result<u64, OperationError> {
    open(source.path, source.name)?;
    let dataset = Dataset::open_named(source.path, source.name)?;
    let wanted = dataset.wanted(source.schema)?;
    note_extra(source, dataset.fields().iter().map(|field| field.name().as_str()));
    let batches = dataset.read(&wanted, None, source.cancelled)?;
    let mut writer = DatasetWriter::create(output, batches.schema())?;
    for batch in batches {
        writer.write(&batch?.records)?;
    }
    writer.finish()
}

/// Says which columns of a file are left out.
pub(super) fn note_extra<'a>(source: &Source<'_>, present: impl Iterator<Item = &'a str>) {
    let extra: Vec<&str> = present.filter(|name| source.schema.column(name).is_none()).collect();
    if !extra.is_empty() {
        let noun = if extra.len() == 1 { "column" } else { "columns" };
        (source.log)(&format!(
            "left out {noun} {} of {}: not in the schema `{}`",
            words::listed(extra.iter().copied(), 50),
            source.name,
            source.schema.name,
        ));
    }
}

fn land_csv(source: &Source<'_>, output: &Utf8Path) -> Result<u64, OperationError> {
    let mut records = csv::Records::new(open(source.path, source.name)?);
    refuse_other_forms(source, records.peek().map_err(|error| csv_error(source, 0, error))?)?;
    let header = read_header(source, &mut records)?;
    let places = places_of(source, &header)?;
    records.keep_blank = header.len() == 1;
    let mut landing = Landing::new(source, output)?;
    if let Some(column) = landing.columns.iter().find(|column| column.builder.is_nested()) {
        return Err(OperationError::Input {
            summary: format!(
                "The column `{}` is a list, map or record, which a CSV file cannot hold.",
                column.name
            ),
            help: format!("Write {} as JSON Lines (.jsonl) or Parquet.", source.name),
        });
    }
    while let Some(record) = records.next().map_err(|error| csv_error(source, landing.rows, error))? {
        let line = Some(record.line);
        if record.len() != header.len() {
            landing.problem(
                line,
                &format!(
                    "the row has {}, the header has {}",
                    words::counted(record.len() as u64, "field"),
                    header.len()
                ),
            );
            landing.end_row()?;
            continue;
        }
        for (column, place) in places.iter().enumerate() {
            let Some((text, quoted)) = record.field(*place) else {
                continue;
            };
            match text {
                Ok(text) if text.is_empty() && !quoted => landing.null(column),
                Ok(text) => landing.text(column, line, &text),
                Err(_) => landing.misfit(column, line, "bytes that are not UTF-8", "text"),
            }
        }
        landing.end_row()?;
    }
    landing.finish()
}

fn refuse_other_forms(source: &Source<'_>, first: &[u8]) -> Result<(), OperationError> {
    let (what, help) = match first {
        [] => ("is empty", "A CSV file has a first line with the names of its columns."),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => ("is UTF-16, not UTF-8", "Save it as UTF-8."),
        [0x1F, 0x8B, ..] => ("is compressed with gzip", "Unpack it first."),
        [b'P', b'K', 3, 4] | [b'P', b'K', 3, 4, ..] => ("is a ZIP archive or a spreadsheet", "Save it as CSV, UTF-8."),
        [b'P', b'A', b'R', b'1', ..] => ("is a Parquet file", "Give it the extension .parquet."),
        _ => return Ok(()),
    };
    Err(OperationError::Input {
        summary: format!("{} {what}.", source.name),
        help: help.to_owned(),
    })
}

fn read_header(source: &Source<'_>, records: &mut csv::Records<File>) -> Result<Vec<String>, OperationError> {
    let record = records.next().map_err(|error| csv_error(source, 0, error))?;
    let Some(record) = record else {
        return Err(OperationError::Input {
            summary: format!("{} holds no line.", source.name),
            help: "A CSV file has a first line with the names of its columns.".to_owned(),
        });
    };
    (0..record.len())
        .map(|index| match record.field(index) {
            Some((Ok(text), _)) => Ok(text.into_owned()),
            Some((Err(_), _)) | None => Err(OperationError::Input {
                summary: format!("{}: the header (line 1) is not UTF-8.", source.name),
                help: "Save the file as UTF-8.".to_owned(),
            }),
        })
        .collect()
}

/// For each column of the schema its place in the header.
fn places_of(source: &Source<'_>, header: &[String]) -> Result<Vec<usize>, OperationError> {
    let names: Vec<&str> = header.iter().map(String::as_str).collect();
    let columns = &source.schema.columns;
    let missing: Vec<&str> = columns
        .iter()
        .map(|column| column.name.as_str())
        .filter(|name| !names.contains(name))
        .collect();
    if !missing.is_empty() && missing.len() == columns.len() {
        return Err(OperationError::Input {
            summary: format!(
                "The first line of {} names no column of `{}`.",
                source.name, source.schema.name
            ),
            help: format!(
                "It holds {}. A CSV file begins with a line of column names; this one has none, or is another file.",
                words::listed(names.iter().copied(), 10)
            ),
        });
    }
    if !missing.is_empty() {
        return Err(super::dataset::missing_columns(source.name, &missing, &names));
    }
    note_extra(source, names.iter().copied());
    columns
        .iter()
        .map(|column| {
            let mut places = names.iter().enumerate().filter(|(_, name)| **name == column.name);
            match (places.next(), places.next()) {
                (Some((place, _)), None) => Ok(place),
                _ => Err(OperationError::Input {
                    summary: format!(
                        "The header of {} names the column `{}` twice.",
                        source.name, column.name
                    ),
                    help: "Rename one of them in the file; it cannot be told which is meant.".to_owned(),
                }),
            }
        })
        .collect()
}

fn csv_error(source: &Source<'_>, row: u64, error: csv::CsvError) -> OperationError {
    let place = |line: u64| {
        format!(
            "{}, row {} (line {})",
            source.name,
            words::thousands(row + 1),
            words::thousands(line)
        )
    };
    match error {
        csv::CsvError::Io(error) => cannot_read(source.name, error),
        csv::CsvError::OpenQuote { line } => OperationError::Input {
            summary: format!("{}: a quoted field is never closed.", place(line)),
            help: "Close it with a quote; a quote inside a quoted field is written twice.".to_owned(),
        },
        csv::CsvError::AfterQuote { line } => OperationError::Input {
            summary: format!("{}: text follows the closing quote of a field.", place(line)),
            help: "Put the whole field in quotes and write a quote inside it twice: \"say \"\"hi\"\"\".".to_owned(),
        },
    }
}

/// Opens a source.
pub(super) fn open(path: &Utf8Path, name: &str) -> Result<File, OperationError> {
    let not_there = |source: std::io::Error| {
        if source.kind() == std::io::ErrorKind::NotFound {
            return OperationError::Input {
                summary: format!("There is no file {name}."),
                help: format!("A relative path is looked up from the project's folder; this one is {path}."),
            };
        }
        cannot_read(name, source)
    };
    let file = File::open(path).map_err(not_there)?;
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(OperationError::Input {
            summary: format!("{name} is a folder."),
            help: "Name a .csv, .parquet, .jsonl or .ndjson file.".to_owned(),
        });
    }
    Ok(file)
}

/// That reading failed.
pub(super) fn cannot_read(name: &str, source: std::io::Error) -> OperationError {
    OperationError::Io {
        action: format!("cannot read {name}"),
        source,
    }
}

struct Building {
    name: String,
    builder: Builder,
}

/// Collects rows into batches and problems into one error.
pub(super) struct Landing<'a> {
    source: &'a Source<'a>,
    columns: Vec<Building>,
    schema: SchemaRef,
    writer: DatasetWriter,
    /// Complete rows.
    pub(super) rows: u64,
    waiting: usize,
    problems: u64,
    shown: Vec<(String, String)>,
}

impl<'a> Landing<'a> {
    pub(super) fn new(source: &'a Source<'a>, output: &Utf8Path) -> Result<Self, OperationError> {
        let schema = layout::arrow_schema(source.schema)?;
        let columns = schema
            .fields()
            .iter()
            .map(|field| Building {
                name: field.name().clone(),
                builder: Builder::new(field.data_type()),
            })
            .collect();
        Ok(Self {
            source,
            columns,
            writer: DatasetWriter::create(output, SchemaRef::clone(&schema))?,
            schema,
            rows: 0,
            waiting: 0,
            problems: 0,
            shown: Vec::new(),
        })
    }

    pub(super) fn null(&mut self, column: usize) {
        if let Some(column) = self.columns.get_mut(column) {
            column.builder.append_null();
        }
    }

    pub(super) fn text(&mut self, column: usize, line: Option<u64>, text: &str) {
        if let Some(building) = self.columns.get_mut(column)
            && let Err(expected) = building.builder.append_text(text)
        {
            self.misfit(column, line, &words::quoted(text), expected);
        }
    }

    pub(super) fn json(&mut self, column: usize, line: Option<u64>, value: &serde_json::Value) {
        if let Some(building) = self.columns.get_mut(column)
            && let Err(expected) = building.builder.append_json(value)
        {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            self.misfit(column, line, &words::quoted(&text), expected);
        }
    }

    /// Notes a value that does not fit its column.
    pub(super) fn misfit(&mut self, column: usize, line: Option<u64>, held: &str, expected: &str) {
        let Some(building) = self.columns.get_mut(column) else {
            return;
        };
        building.builder.append_null();
        let text = format!("the column `{}` holds {held}, which is not {expected}", building.name);
        self.problem(line, &text);
    }

    /// Notes what is wrong with the row at hand.
    pub(super) fn problem(&mut self, line: Option<u64>, text: &str) {
        self.problems += 1;
        if self.shown.len() < SHOWN {
            let row = words::thousands(self.rows + 1);
            let place = line.map_or(format!("row {row}"), |line| {
                format!("row {row} (line {})", words::thousands(line))
            });
            self.shown.push((place, text.to_owned()));
        }
    }

    /// Ends a row. After a problem nothing more is written; the rest of the file is only counted.
    pub(super) fn end_row(&mut self) -> Result<(), OperationError> {
        self.rows += 1;
        self.waiting += 1;
        if self.waiting == BATCH_ROWS {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), OperationError> {
        if self.source.cancelled.load(Ordering::Relaxed) {
            return Err(OperationError::Cancelled);
        }
        let first_row = self.rows - self.waiting as u64;
        let rows = std::mem::take(&mut self.waiting);
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.columns.len());
        let mut misfits = Vec::new();
        for column in &mut self.columns {
            match column.builder.finish() {
                Ok(array) => arrays.push(array),
                Err((index, text)) => misfits.push((first_row + index as u64 + 1, column.name.clone(), text)),
            }
        }
        for (row, name, text) in misfits {
            self.problems += 1;
            let place = format!("row {}", words::thousands(row));
            let text = format!(
                "the column `{name}` holds {}, which does not fit its type",
                words::quoted(&text)
            );
            self.shown.push((place, text));
        }
        if self.problems > 0 {
            return Ok(());
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch =
            RecordBatch::try_new_with_options(SchemaRef::clone(&self.schema), arrays, &options).map_err(|error| {
                OperationError::Input {
                    summary: format!("{}: {error}.", self.source.name),
                    help: "The rows do not fit the schema's nested columns.".to_owned(),
                }
            })?;
        self.writer.write(&batch)
    }

    /// Ends the file.
    pub(super) fn finish(mut self) -> Result<u64, OperationError> {
        self.flush()?;
        let Some(((place, text), rest)) = self.shown.split_first() else {
            return self.writer.finish();
        };
        let mut help = if self.problems == 1 {
            "It is the only one in the file. Mend it, or change the column's type in the schema.".to_owned()
        } else {
            format!("{} like it in all; also", words::counted(self.problems, "problem"))
        };
        for (index, (place, text)) in rest.iter().enumerate() {
            help.push_str(&format!("{} {place}: {text}", if index == 0 { "" } else { ";" }));
        }
        if self.problems > 1 {
            help.push_str(". Mend the file, or change the types in the schema.");
        }
        Err(OperationError::Input {
            summary: format!("{}, {place}: {text}.", self.source.name),
            help,
        })
    }
}
