//! The names of log files: node, attempt and stream, so that no index is needed to find them.

use std::collections::BTreeMap;

use camino::Utf8Path;

use crate::metadata::{LogFile, LogStream};

/// A name longer than this is replaced by its beginning and its digest; file systems take 255 bytes.
const LONGEST: usize = 200;

/// `train[2].1.err`; the `/` of called pipelines becomes `~`, which no name of the language holds.
pub(super) fn file_name(node: &str, attempt: u32, stream: LogStream) -> String {
    let stream = match stream {
        LogStream::Stdout => "out",
        LogStream::Stderr => "err",
    };
    format!("{}.{attempt}.{stream}", stem(node))
}

fn stem(node: &str) -> String {
    let name = node.replace('/', "~");
    if name.len() <= LONGEST {
        return name;
    }
    let beginning: String = name.chars().take(LONGEST / 4).collect();
    format!("{beginning}~{}", blake3::hash(node.as_bytes()).to_hex())
}

/// The logs of some nodes of a run, by node, attempt and stream.
pub(super) fn list(folder: &Utf8Path, nodes: &[String]) -> std::io::Result<Vec<LogFile>> {
    let stems: BTreeMap<String, &String> = nodes.iter().map(|node| (stem(node), node)).collect();
    let mut found = Vec::new();
    let files = match folder.read_dir_utf8() {
        Ok(files) => files,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error),
    };
    for file in files {
        let path = file?.into_path();
        let Some((stem, attempt, stream)) = path.file_name().and_then(parse) else {
            continue;
        };
        if let Some(node) = stems.get(stem) {
            found.push(LogFile {
                node: (*node).clone(),
                attempt,
                stream,
                path,
            });
        }
    }
    found.sort_by(|left, right| {
        (&left.node, left.attempt, left.stream).cmp(&(&right.node, right.attempt, right.stream))
    });
    Ok(found)
}

fn parse(name: &str) -> Option<(&str, u32, LogStream)> {
    let (rest, stream) = name.rsplit_once('.')?;
    let (stem, attempt) = rest.rsplit_once('.')?;
    let stream = match stream {
        "out" => LogStream::Stdout,
        "err" => LogStream::Stderr,
        _ => return None,
    };
    Some((stem, attempt.parse().ok()?, stream))
}
