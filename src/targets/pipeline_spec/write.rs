//! Writes a specification as YAML that PyYAML reads back unchanged.

use serde::Serialize;

use super::{PipelineSpec, PlatformSpec};

/// Why a specification cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the YAML writer failed: {0}")]
pub struct WriteError(String);

/// The text of a file: the heading that `kfp` and the platforms' pages read, the specification, and the settings for
/// Kubernetes where there are any.
///
/// # Errors
/// When the writer fails.
pub fn write(spec: &PipelineSpec, platform: Option<&PlatformSpec>) -> Result<String, WriteError> {
    let mut text = heading(spec);
    append(&mut text, spec)?;
    if let Some(platform) = platform {
        text.push_str("---\n");
        append(&mut text, platform)?;
    }
    Ok(text)
}

/// The description must stand in the third line: `kfp` looks nowhere else for it.
fn heading(spec: &PipelineSpec) -> String {
    let info = &spec.pipeline_info;
    let mut heading = format!("# PIPELINE DEFINITION\n# Name: {}\n", info.name);
    if let Some(description) = &info.description {
        // YAML allows no control character in a comment, and a line of it ends at some of the others.
        let no_text = |character: char| character != '\n' && character != '\t' && character.is_control();
        let no_space = |character: char| matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}');
        let lines = description.replace(|character| no_text(character) || no_space(character), " ");
        heading.push_str("# Description: ");
        heading.push_str(&lines.trim().replace('\n', "\n#              "));
        heading.push('\n');
    }
    heading
}

fn append(text: &mut String, document: &impl Serialize) -> Result<(), WriteError> {
    serde_saphyr::to_fmt_writer(text, document).map_err(|error| WriteError(error.to_string()))
}
