//! CSV by RFC 4180: records of a byte stream, with the line on which each begins. It knows no types and no columns.
//!
//! A byte-order mark is skipped; lines end in LF or CRLF. A field tells whether it was quoted, for only an unquoted
//! empty field is a NULL. A quote inside an unquoted field stands for itself.

use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;

use memchr::{memchr, memchr_iter, memchr2};

const CHUNK: usize = 1 << 20;
/// The longest record: beyond it, a quote was surely never closed.
const LONGEST: usize = 64 << 20;

/// Why there is no next record.
#[derive(Debug)]
pub(super) enum CsvError {
    /// The system's error.
    Io(std::io::Error),
    /// A quoted field of the record that begins on this line is not closed before the end of the file, or for 64 MiB.
    OpenQuote { line: u64 },
    /// Text follows the closing quote of a field of the record that begins on this line.
    AfterQuote { line: u64 },
}

/// Splits a byte stream into records.
pub(super) struct Records<R> {
    source: R,
    buffer: Vec<u8>,
    /// What of the buffer is filled and not yet handed out.
    rest: Range<usize>,
    ended: bool,
    line: u64,
    extents: Vec<Extent>,
    /// Whether an empty line is a record: only in files of one column.
    pub(super) keep_blank: bool,
}

/// Where a field stands in the buffer.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Extent {
    start: usize,
    end: usize,
    quoted: bool,
    /// Holds doubled quotes.
    doubled: bool,
}

/// A record: fields as bytes of the file.
pub(super) struct Record<'a> {
    bytes: &'a [u8],
    extents: &'a [Extent],
    /// The line on which it begins, from 1.
    pub(super) line: u64,
}

impl<R: Read> Records<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            buffer: vec![0; CHUNK],
            rest: 0..0,
            ended: false,
            line: 1,
            extents: Vec::new(),
            keep_blank: false,
        }
    }

    /// The first bytes of the file, to tell what it is; a UTF-8 byte-order mark is skipped.
    pub(super) fn peek(&mut self) -> Result<&[u8], CsvError> {
        while self.rest.len() < 4 && !self.ended {
            self.refill()?;
        }
        if self.line == 1 && self.buffer[self.rest.clone()].starts_with(b"\xEF\xBB\xBF") {
            self.rest.start += 3;
        }
        Ok(&self.buffer[self.rest.clone()])
    }

    /// The next record, none at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Record<'_>>, CsvError> {
        let line = loop {
            if self.rest.is_empty() && self.ended {
                return Ok(None);
            }
            let bytes = &self.buffer[..self.rest.end];
            let end = match split(bytes, self.rest.start, self.ended, &mut self.extents) {
                Split::Record(end) => end,
                Split::More if self.ended => return Err(CsvError::OpenQuote { line: self.line }),
                Split::More => {
                    self.refill()?;
                    continue;
                }
                Split::AfterQuote => return Err(CsvError::AfterQuote { line: self.line }),
            };
            let line = self.line;
            self.line += memchr_iter(b'\n', &bytes[self.rest.start..end]).count() as u64;
            self.rest.start = end;
            let blank = matches!(self.extents.as_slice(), [only] if only.start == only.end && !only.quoted);
            if !blank || self.keep_blank {
                break line;
            }
        };
        Ok(Some(Record {
            bytes: &self.buffer,
            extents: &self.extents,
            line,
        }))
    }

    /// Moves what is left to the front of the buffer and reads on behind it.
    fn refill(&mut self) -> Result<(), CsvError> {
        self.buffer.copy_within(self.rest.clone(), 0);
        self.rest = 0..self.rest.len();
        if self.rest.end == self.buffer.len() {
            if self.buffer.len() >= LONGEST {
                return Err(CsvError::OpenQuote { line: self.line });
            }
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        match self.source.read(&mut self.buffer[self.rest.end..]) {
            Ok(0) => self.ended = true,
            Ok(read) => self.rest.end += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(CsvError::Io(error)),
        }
        Ok(())
    }
}

impl<'a> Record<'a> {
    /// How many fields it has.
    pub(super) fn len(&self) -> usize {
        self.extents.len()
    }

    /// A field's text, doubled quotes made single, and whether it stood in quotes.
    pub(super) fn field(&self, index: usize) -> Option<(Result<Cow<'a, str>, std::str::Utf8Error>, bool)> {
        let extent = self.extents.get(index)?;
        let text = std::str::from_utf8(self.bytes.get(extent.start..extent.end)?).map(|text| {
            if extent.doubled {
                Cow::Owned(text.replace("\"\"", "\""))
            } else {
                Cow::Borrowed(text)
            }
        });
        Some((text, extent.quoted))
    }
}

enum Split {
    /// The record ends here, its line end included.
    Record(usize),
    /// The bytes end before the record does.
    More,
    /// Text follows a closing quote.
    AfterQuote,
}

/// Cuts the record that begins at `start` into fields.
fn split(bytes: &[u8], start: usize, ended: bool, extents: &mut Vec<Extent>) -> Split {
    extents.clear();
    let mut at = start;
    loop {
        let field = if bytes.get(at) == Some(&b'"') {
            quoted(bytes, at + 1, ended)
        } else {
            let end = memchr2(b',', b'\n', &bytes[at..]).map(|length| at + length);
            end.or(ended.then_some(bytes.len())).map(|end| Extent {
                start: at,
                end,
                quoted: false,
                doubled: false,
            })
        };
        let Some(mut field) = field else {
            return Split::More;
        };
        let after = field.end + usize::from(field.quoted);
        let end = match &bytes[after..] {
            [b',', ..] => {
                extents.push(field);
                at = after + 1;
                continue;
            }
            [] => after,
            [b'\n', ..] => after + 1,
            [b'\r', b'\n', ..] => after + 2,
            [b'\r'] if ended => after + 1,
            _ => return Split::AfterQuote,
        };
        if !field.quoted && field.end > field.start && bytes[field.end - 1] == b'\r' {
            field.end -= 1;
        }
        extents.push(field);
        return Split::Record(end);
    }
}

/// The field whose opening quote stands just before `start`. Nothing while the byte behind its closing quote, and the
/// one behind that, are not known.
fn quoted(bytes: &[u8], start: usize, ended: bool) -> Option<Extent> {
    let mut doubled = false;
    let mut at = start;
    loop {
        let quote = at + memchr(b'"', bytes.get(at..)?)?;
        match bytes.get(quote + 1) {
            Some(b'"') => {
                doubled = true;
                at = quote + 2;
            }
            None if !ended => return None,
            Some(b'\r') if !ended && bytes.len() == quote + 2 => return None,
            _ => {
                return Some(Extent {
                    start,
                    end: quote,
                    quoted: true,
                    doubled,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CsvError, Records};

    /// Gives one byte at a time, so that every refill happens.
    struct Drip<'a>(&'a [u8]);

    impl std::io::Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else {
                return Ok(0);
            };
            buffer[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn records(text: &str) -> Vec<(u64, Vec<(String, bool)>)> {
        let read = |mut records: Records<Box<dyn std::io::Read>>| {
            let mut all = Vec::new();
            records.peek().unwrap();
            while let Some(record) = records.next().unwrap() {
                let fields = (0..record.len()).map(|index| {
                    let (text, quoted) = record.field(index).unwrap();
                    (text.unwrap().into_owned(), quoted)
                });
                all.push((record.line, fields.collect()));
            }
            all
        };
        let owned = text.as_bytes().to_vec();
        let whole = read(Records::new(Box::new(std::io::Cursor::new(owned.clone()))));
        let leaked: &'static [u8] = Vec::leak(owned);
        assert_eq!(whole, read(Records::new(Box::new(Drip(leaked)))), "{text:?}");
        whole
    }

    fn texts(text: &str) -> Vec<Vec<String>> {
        let plain = |(_, fields): (u64, Vec<(String, bool)>)| fields.into_iter().map(|(text, _)| text).collect();
        records(text).into_iter().map(plain).collect()
    }

    #[test]
    fn plain_records() {
        assert_eq!(texts("a,b\n1,2\n"), [["a", "b"], ["1", "2"]]);
        assert_eq!(texts("a,b\r\n1,2"), [["a", "b"], ["1", "2"]]);
        assert_eq!(texts("\u{feff}a,b\n1,\n"), [["a", "b"], ["1", ""]]);
        assert_eq!(texts("a,b\n\n\r\n1,2\n\n"), [["a", "b"], ["1", "2"]]);
        assert_eq!(texts("a,b\n,"), [["a", "b"], ["", ""]]);
    }

    #[test]
    fn quotes_hold_commas_newlines_and_quotes() {
        assert_eq!(
            texts("\"a,b\",\"c\nd\"\r\n\"say \"\"hi\"\"\",\"\"\r\n"),
            [["a,b", "c\nd"], ["say \"hi\"", ""]]
        );
        assert_eq!(texts("a\"b,c\n"), [["a\"b", "c"]]);
    }

    #[test]
    fn a_record_knows_its_line_and_a_field_its_quotes() {
        let all = records("a,b\n\"x\ny\",\n1,\"\"");
        assert_eq!(all.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 2, 4]);
        assert_eq!(all[1].1[1], (String::new(), false));
        assert_eq!(all[2].1[1], (String::new(), true));
    }

    #[test]
    fn a_quote_must_close_before_a_comma() {
        let mut open = Records::new("a\n\"b\n".as_bytes());
        open.next().unwrap();
        assert!(matches!(open.next(), Err(CsvError::OpenQuote { line: 2 })));
        let mut after = Records::new("a\n\"b\"c\n".as_bytes());
        after.next().unwrap();
        assert!(matches!(after.next(), Err(CsvError::AfterQuote { line: 2 })));
    }

    #[test]
    fn a_record_may_be_longer_than_the_buffer() {
        let long = "x".repeat(3 << 20);
        let file = format!("\"{long}\",1\n2,3\n");
        let mut records = Records::new(file.as_bytes());
        let first = records.next().unwrap().unwrap();
        assert_eq!(first.field(0).unwrap().0.unwrap(), long);
        assert_eq!(records.next().unwrap().unwrap().len(), 2);
    }
}
