//! From bytes to values: UTF-8, then JSON or YAML, one document or several.

#![allow(
    clippy::wildcard_enum_match_arm,
    clippy::match_wildcard_for_single_variants,
    reason = "the errors are those of a library, which may add more"
)]

use serde_json::Value as Json;
use serde_saphyr::Options;

use super::{Place, ReadError};

/// Bytes of the largest file that is read. A pipeline that Kubernetes takes has at most a hundredth of it.
const LARGEST: usize = 256 * 1024 * 1024;
/// Levels of maps and lists within each other; a specification has about ten.
const DEEPEST: usize = 40;
/// Values that aliases may stand for, all together.
const ALIASED: usize = 100_000;

/// The text of a file.
pub(super) fn decode(bytes: &[u8]) -> Result<&str, ReadError> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(ReadError::whole(
            "The file is UTF-16, and YAML and JSON of pipelines are UTF-8.",
            "Save it as UTF-8.",
        ));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count();
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count();
        ReadError {
            place: Some(position(line, column)),
            message: "The file is no text: there is a byte that UTF-8 does not have.".to_owned(),
            help: "Name the YAML or JSON of a pipeline; a packed one is to be unpacked first.".to_owned(),
        }
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The values of a text, without empty documents.
pub(super) fn documents(text: &str) -> Result<Vec<Json>, ReadError> {
    if text.len() > LARGEST {
        return Err(ReadError::whole(
            format!(
                "The file has {} MB, and no platform takes a pipeline of that size.",
                text.len() / 1_000_000
            ),
            "Name the YAML or JSON of a pipeline.",
        ));
    }
    if let Some((offset, character)) = text.char_indices().find(|(_, each)| is_binary(*each)) {
        let before = text.get(..offset).unwrap_or_default();
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
        return Err(ReadError {
            place: Some(position(line, column)),
            message: format!(
                "The file is no text: there is the character {:#04x}.",
                u32::from(character)
            ),
            help: "Name the YAML or JSON of a pipeline.".to_owned(),
        });
    }
    let json = json(text);
    if let Some(Ok(documents)) = json {
        return Ok(documents);
    }
    match (yaml(text), json) {
        (Ok(documents), _) => Ok(documents),
        // What begins as JSON was meant as JSON.
        (Err(_), Some(Err(error))) => Err(error),
        (Err(error), _) => Err(error),
    }
}

/// Characters that neither JSON nor YAML allows bare.
fn is_binary(character: char) -> bool {
    matches!(character, '\0'..='\u{8}' | '\u{e}'..='\u{1f}')
}

/// Reads JSON documents, behind comments and between lines of `---`; `None` when one of them is not JSON.
fn json(text: &str) -> Option<Result<Vec<Json>, ReadError>> {
    let mut documents = Vec::new();
    let mut rest = text;
    loop {
        let next = rest.trim_start();
        let line = next.lines().next().unwrap_or_default();
        if next.is_empty() {
            return (!documents.is_empty()).then_some(Ok(documents));
        }
        if line.starts_with('#') || line.trim_end() == "---" || line.trim_end() == "..." {
            rest = next.get(line.len()..).unwrap_or_default();
            continue;
        }
        if !next.starts_with('{') {
            return None;
        }
        let mut stream = serde_json::Deserializer::from_str(next).into_iter::<Json>();
        match stream.next()? {
            Ok(document) => documents.push(document),
            Err(error) => {
                let before = text.len() - next.len();
                let lines = text.get(..before).unwrap_or_default().matches('\n').count();
                return Some(Err(ReadError {
                    place: Some(position(
                        lines + error.line().saturating_sub(1),
                        error.column().saturating_sub(1),
                    )),
                    message: json_problem(&error),
                    help: json_help(&error).to_owned(),
                }));
            }
        }
        rest = next.get(stream.byte_offset()..).unwrap_or_default();
    }
}

fn json_problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // The place is said beside it.
    let reason = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(reason, _)| reason);
    match error.classify() {
        serde_json::error::Category::Eof => "The JSON ends in the middle.".to_owned(),
        _ if reason.contains("recursion limit") => "The JSON is nested deeper than any pipeline is.".to_owned(),
        serde_json::error::Category::Io | serde_json::error::Category::Syntax | serde_json::error::Category::Data => {
            format!("The JSON is broken: {reason}.")
        }
    }
}

fn json_help(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Eof => "The file was cut off; write or download it again.",
        serde_json::error::Category::Io | serde_json::error::Category::Syntax | serde_json::error::Category::Data => {
            "Mend it there, or write it anew with the program that made it."
        }
    }
}

fn yaml(text: &str) -> Result<Vec<Json>, ReadError> {
    super::yaml::documents(text, options()).map_err(|error| {
        let error = error.without_snippet();
        let place = error.location().map(|location| Place::Position {
            line: location.line(),
            column: location.column(),
        });
        let (message, help) = yaml_problem(error);
        ReadError { place, message, help }
    })
}

/// Budgets for files of up to [`LARGEST`] bytes. Those of aliases are small: they are what makes small files large.
pub(super) fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 100_000_000,
            max_nodes: 50_000_000,
            max_total_scalar_bytes: LARGEST,
            max_depth: DEEPEST,
            flow_nesting_limit: DEEPEST,
            max_documents: 16,
            max_recorded_anchor_events: ALIASED,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: ALIASED,
        },
        with_snippet: false,
        // As PyYAML: `n` and `08` are text. What it reads as something else, `kfp` puts in quotes.
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
    }
}

fn yaml_problem(error: &serde_saphyr::Error) -> (String, String) {
    use serde_saphyr::Error;
    use serde_saphyr::budget::BudgetBreach;
    let deep = "The YAML is nested deeper than any pipeline is.".to_owned();
    let mend = "Mend it there, or write it anew with the program that made it.".to_owned();
    let aliases = (
        "The YAML repeats itself through aliases (`*name`) more often than any pipeline does.".to_owned(),
        "Write out what the aliases stand for.".to_owned(),
    );
    match error {
        Error::Budget { breach, .. } => match breach {
            BudgetBreach::Depth { .. } => (deep, mend),
            BudgetBreach::Aliases { .. }
            | BudgetBreach::Anchors { .. }
            | BudgetBreach::AliasAnchorRatio { .. }
            | BudgetBreach::RecordedAnchorEvents { .. }
            | BudgetBreach::RecordedAnchorBytes { .. } => aliases,
            _ => ("The YAML has more in it than any pipeline has.".to_owned(), mend),
        },
        Error::AliasError { error, .. } => yaml_problem(error),
        Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => aliases,
        Error::DuplicateMappingKey { key, .. } => (
            match key {
                Some(key) => format!("The key `{key}` is there twice in one map."),
                None => "A key is there twice in one map.".to_owned(),
            },
            "Leave one of them out.".to_owned(),
        ),
        error => {
            let text = error.to_string();
            // The place is said beside it.
            let reason = text
                .rsplit_once(" at line ")
                .map_or(text.as_str(), |(reason, _)| reason);
            match reason.contains("recursion limit") {
                true => (deep, mend),
                false => (format!("The YAML is broken: {reason}."), mend),
            }
        }
    }
}

/// Line and column as people count them.
fn position(line: usize, column: usize) -> Place {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX).saturating_add(1);
    Place::Position {
        line: count(line),
        column: count(column),
    }
}
