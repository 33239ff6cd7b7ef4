//! What a process prints, on disk: secrets masked, the beginning and the end kept when it is too much.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};

use camino::{Utf8Path, Utf8PathBuf};

/// Lines kept in memory to be shown with a failure.
const LAST_BYTES: usize = 4096;

/// A log file, made when the first byte is printed. The first `limit` bytes are written as they come; of what follows
/// the last `limit` bytes are kept in memory and written at the end, with a line between that says what is missing.
#[derive(Debug)]
pub(crate) struct Log {
    path: Utf8PathBuf,
    file: Option<File>,
    limit: u64,
    written: u64,
    tail: VecDeque<u8>,
    dropped: u64,
    mask: Mask,
    last: VecDeque<u8>,
    error: Option<io::Error>,
}

impl Log {
    /// A log to be written to `path`.
    pub(crate) fn new(path: Utf8PathBuf, limit: u64, secrets: &[String]) -> Self {
        Self {
            path,
            file: None,
            limit,
            written: 0,
            tail: VecDeque::new(),
            dropped: 0,
            mask: Mask::new(secrets),
            last: VecDeque::new(),
            error: None,
        }
    }

    /// A log that passes everything on to an open file at once.
    pub(crate) fn onto(file: File, secrets: &[String]) -> Self {
        Self {
            file: Some(file),
            ..Self::new(Utf8PathBuf::new(), u64::MAX, secrets)
        }
    }

    /// Takes what was printed.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        if self.mask.secrets.is_empty() {
            self.keep(bytes);
        } else {
            let masked = self.mask.feed(bytes);
            self.keep(&masked);
        }
    }

    /// Writes what was held back. Nothing may be written afterwards.
    pub(crate) fn finish(&mut self) {
        let rest = self.mask.rest();
        self.keep(&rest);
        let tail = std::mem::take(&mut self.tail);
        if tail.is_empty() {
            return;
        }
        if self.dropped > 0 {
            let notice = format!(
                "\n… mlp left out {} bytes here: the step printed more than a log may hold …\n",
                self.dropped
            );
            self.append(notice.as_bytes());
        }
        let (front, back) = tail.as_slices();
        self.append(front);
        self.append(back);
    }

    /// The last lines, at most `count`.
    pub(crate) fn last_lines(&self, count: usize) -> Vec<String> {
        let bytes: Vec<u8> = self.last.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .collect();
        let skipped = lines.len().saturating_sub(count);
        lines.into_iter().skip(skipped).map(str::to_owned).collect()
    }

    /// Why something could not be written, if so.
    pub(crate) fn error(&self) -> Option<&io::Error> {
        self.error.as_ref()
    }

    /// Where it is written.
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    fn keep(&mut self, bytes: &[u8]) {
        let recent = bytes.get(bytes.len().saturating_sub(LAST_BYTES)..).unwrap_or_default();
        self.last.extend(recent);
        let old = self.last.len().saturating_sub(LAST_BYTES);
        self.last.drain(..old);
        let room = usize::try_from(self.limit.saturating_sub(self.written)).unwrap_or(usize::MAX);
        let (head, rest) = bytes.split_at(room.min(bytes.len()));
        self.append(head);
        self.written += head.len() as u64;
        if rest.is_empty() {
            return;
        }
        self.tail.extend(rest);
        let excess = (self.tail.len() as u64).saturating_sub(self.limit);
        self.tail.drain(..usize::try_from(excess).unwrap_or(0));
        self.dropped += excess;
    }

    fn append(&mut self, bytes: &[u8]) {
        if bytes.is_empty() || self.error.is_some() {
            return;
        }
        let result = match &mut self.file {
            Some(file) => file.write_all(bytes),
            None => File::create(&self.path).and_then(|mut file| {
                let result = file.write_all(bytes);
                self.file = Some(file);
                result
            }),
        };
        self.error = result.err();
    }
}

/// A text without the secrets in it.
pub(crate) fn mask_text(text: &str, secrets: &[String]) -> String {
    let mut mask = Mask::new(secrets);
    let mut shown = mask.feed(text.as_bytes());
    shown.extend(mask.rest());
    String::from_utf8_lossy(&shown).into_owned()
}

/// Replaces secrets in a stream, also where one spans two chunks.
#[derive(Debug)]
struct Mask {
    secrets: Vec<Vec<u8>>,
    longest: usize,
    held: Vec<u8>,
}

impl Mask {
    /// Secrets of several lines are masked line by line too; what is shorter than four bytes hides nothing.
    fn new(secrets: &[String]) -> Self {
        let mut all: Vec<Vec<u8>> = secrets
            .iter()
            .flat_map(|secret| std::iter::once(secret.trim()).chain(secret.lines().map(str::trim)))
            .filter(|secret| secret.len() >= 4)
            .map(|secret| secret.as_bytes().to_vec())
            .collect();
        all.sort_by(|left, right| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
        all.dedup();
        let longest = all.first().map_or(0, Vec::len);
        Self {
            secrets: all,
            longest,
            held: Vec::new(),
        }
    }

    /// What may be shown so far; the beginning of what might become a secret is held back.
    fn feed(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        let safe = self.held.len().saturating_sub(self.longest.saturating_sub(1));
        self.replace(safe)
    }

    fn rest(&mut self) -> Vec<u8> {
        self.replace(self.held.len())
    }

    /// Masks what begins before `end`, and keeps the remainder.
    fn replace(&mut self, end: usize) -> Vec<u8> {
        let mut shown = Vec::with_capacity(end);
        let mut at = 0;
        while at < end {
            let here = self.held.get(at..).unwrap_or_default();
            if let Some(secret) = self.secrets.iter().find(|secret| here.starts_with(secret)) {
                shown.extend_from_slice(b"***");
                at += secret.len();
            } else {
                shown.extend(here.first());
                at += 1;
            }
        }
        self.held.drain(..at.min(self.held.len()));
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(limit: u64, secrets: &[&str]) -> (tempfile::TempDir, Log) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("log")).unwrap();
        let secrets: Vec<String> = secrets.iter().map(|&secret| secret.to_owned()).collect();
        (folder, Log::new(path, limit, &secrets))
    }

    #[test]
    fn silence_makes_no_file() {
        let (_folder, mut log) = log(10, &[]);
        log.finish();
        assert!(!log.path().exists());
    }

    #[test]
    fn too_much_keeps_the_beginning_and_the_end() {
        let (_folder, mut log) = log(10, &[]);
        for _ in 0..100 {
            log.write(b"0123456789");
        }
        log.write(b"end");
        log.finish();
        let text = std::fs::read_to_string(log.path()).unwrap();
        assert!(text.starts_with("0123456789\n…"), "{text}");
        assert!(text.contains("left out 983 bytes"), "{text}");
        assert!(text.ends_with("…\n3456789end"), "{text}");
    }

    #[test]
    fn secrets_are_masked_across_chunks() {
        let (_folder, mut log) = log(1000, &["hunter22", "a longer\nsecret"]);
        for byte in b"x hunter22 y hunter2 secret" {
            log.write(&[*byte]);
        }
        log.finish();
        assert_eq!(std::fs::read_to_string(log.path()).unwrap(), "x *** y hunter2 ***");
        assert_eq!(log.last_lines(3), vec!["x *** y hunter2 ***"]);
    }

    #[test]
    fn a_log_that_cannot_be_written_remembers_why() {
        let mut log = Log::new(Utf8PathBuf::from("/nonexistent/folder/log"), 10, &[]);
        log.write(b"x");
        log.write(b"y");
        assert!(log.error().is_some());
    }
}
