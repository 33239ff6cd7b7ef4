//! The text of a Dockerfile. Names reach it as quoted labels alone; everything that is run is fixed text.

use super::MARK;
use crate::plan::Project;

/// What a Dockerfile is written from.
pub(super) struct Dockerfile<'a> {
    /// The image that holds `mlp`, with its digest.
    pub(super) base: &'a str,
    /// `step` or `model`
    pub(super) kind: &'static str,
    /// The name of the step or model.
    pub(super) name: &'a str,
    /// The project.
    pub(super) project: &'a Project,
    /// Whether there are packages to install.
    pub(super) packages: bool,
}

/// Installs what `requirements.txt` lists and nothing else, each file checked against its hashes, into an environment that
/// the user of the image cannot change. `SOURCE_DATE_EPOCH` keeps times out of compiled files.
const PACKAGES: &str = r#"
ARG SOURCE_DATE_EPOCH=0
COPY ["requirements.txt", "/opt/mlp/requirements.txt"]
RUN python3 -m venv /opt/mlp/environment \
 && /opt/mlp/environment/bin/python -m pip install --no-input --no-cache-dir --disable-pip-version-check \
    --no-deps --require-hashes --requirement /opt/mlp/requirements.txt
ENV PATH="/opt/mlp/environment/bin:$PATH"
"#;

impl Dockerfile<'_> {
    pub(super) fn text(&self) -> String {
        let Self {
            base,
            kind,
            name,
            project,
            packages,
        } = self;
        let labels = [
            ("org.opencontainers.image.title", *name),
            ("org.opencontainers.image.version", &project.version),
            ("mlp.project", &project.name),
            (&format!("mlp.{kind}"), name),
        ]
        .map(|(label, value)| format!("{label}={}", quoted(value)))
        .join(" \\\n      ");
        let packages = if *packages { PACKAGES } else { "" };
        format!(
            "{MARK} Equal contents give an equal image, whenever it is built:\n\
             #   buildah build --timestamp 0 --tag REGISTRY/NAME:TAG FOLDER\n\
             FROM {base}\n\
             \n\
             USER 0:0\n\
             {packages}\n\
             COPY [\"project/\", \"/opt/mlp/project/\"]\n\
             ENV MLP_PROJECT=\"/opt/mlp/project\"\n\
             \n\
             LABEL {labels}\n\
             \n\
             USER 65532:65532\n\
             WORKDIR /tmp\n"
        )
    }
}

/// A text between double quotes: nothing in it ends the quotes, is expanded, or begins a line.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' | '$' => quoted.extend(['\\', character]),
            control if control.is_control() => quoted.push(' '),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn no_text_leaves_its_quotes() {
        assert_eq!(quoted("train"), "\"train\"");
        assert_eq!(quoted("a\"b\\c$HOME"), "\"a\\\"b\\\\c\\$HOME\"");
        assert_eq!(quoted("a\nRUN rm -rf /"), "\"a RUN rm -rf /\"");
    }
}
