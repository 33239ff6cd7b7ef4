//! JSON Lines: one object on each line, its members the columns. Blank lines are skipped; other JSON is refused.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};

use camino::Utf8Path;
use serde_json::Value as Json;

use super::reading::{Landing, Source, cannot_read, open};
use super::words;
use crate::operations::OperationError;

/// The longest line.
const LONGEST: u64 = 64 << 20;

/// Lands a file; gives the number of its rows.
pub(super) fn land(source: &Source<'_>, output: &Utf8Path) -> Result<u64, OperationError> {
    let mut lines = BufReader::with_capacity(1 << 20, open(source.path, source.name)?);
    let mut landing = Landing::new(source, output)?;
    let names: Vec<&str> = source
        .schema
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    let mut seen = vec![false; names.len()];
    let mut extra = BTreeSet::new();
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = (&mut lines)
            .take(LONGEST)
            .read_until(b'\n', &mut line)
            .map_err(|error| cannot_read(source.name, error))?;
        if read == 0 {
            break;
        }
        let text = line
            .strip_prefix(b"\xEF\xBB\xBF")
            .filter(|_| number == 1)
            .unwrap_or(&line);
        if text.trim_ascii().is_empty() {
            continue;
        }
        let place = Some(number);
        match serde_json::from_slice(text) {
            Ok(Json::Object(members)) => {
                for (column, name) in names.iter().enumerate() {
                    match members.get(*name) {
                        Some(value) => {
                            seen[column] = true;
                            landing.json(column, place, value);
                        }
                        None => landing.null(column),
                    }
                }
                if extra.len() < 50 {
                    extra.extend(
                        members
                            .into_iter()
                            .map(|(name, _)| name)
                            .filter(|name| !names.contains(&name.as_str())),
                    );
                }
            }
            Ok(_) => skip(&mut landing, place, names.len(), "the line is not a JSON object"),
            Err(_) if std::str::from_utf8(text).is_err() => {
                skip(&mut landing, place, names.len(), "the line is not UTF-8");
            }
            Err(error) => skip(
                &mut landing,
                place,
                names.len(),
                &format!("the line is not JSON ({})", cause(&error)),
            ),
        }
        landing.end_row()?;
    }
    let rows = landing.rows;
    super::reading::note_extra(source, extra.iter().map(String::as_str));
    check_seen(source, rows, &names, &seen, &extra)?;
    landing.finish()
}

fn skip(landing: &mut Landing<'_>, line: Option<u64>, columns: usize, text: &str) {
    landing.problem(line, text);
    for column in 0..columns {
        landing.null(column);
    }
}

/// What the parser says, without its own line number, which counts from the line's start.
fn cause(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line").next().unwrap_or_default().to_owned()
}

/// A column that no line has: missing if it must be present, else noted.
fn check_seen(
    source: &Source<'_>,
    rows: u64,
    names: &[&str],
    seen: &[bool],
    extra: &BTreeSet<String>,
) -> Result<(), OperationError> {
    if rows == 0 {
        return Err(OperationError::Input {
            summary: format!("{} is empty.", source.name),
            help: "A JSON Lines file holds one object on each line.".to_owned(),
        });
    }
    let unseen = |optional: bool| -> Vec<&str> {
        let columns = source
            .schema
            .columns
            .iter()
            .zip(seen)
            .filter(|(column, seen)| !**seen && column.ty.optional == optional);
        columns.map(|(column, _)| column.name.as_str()).collect()
    };
    let missing = unseen(false);
    if !missing.is_empty() {
        let mut present: Vec<&str> = names
            .iter()
            .zip(seen)
            .filter(|(_, seen)| **seen)
            .map(|(name, _)| *name)
            .collect();
        present.extend(extra.iter().map(String::as_str));
        return Err(super::dataset::missing_columns(source.name, &missing, &present));
    }
    let absent = unseen(true);
    if !absent.is_empty() {
        (source.log)(&format!("no line of {} has {}", source.name, words::listed(absent, 50)));
    }
    Ok(())
}
