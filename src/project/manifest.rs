//! `mlp.toml`: what a project says about itself. Nothing here reads a pipeline or looks for the root.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::host::Contents;
use crate::db::Db;
use crate::diagnostics::{Applicability, Code, Diagnostic, Edit, Place, nearest};
use crate::source::TextRange;

/// The name of the file in a project's root.
pub const MANIFEST: &str = "mlp.toml";

/// The one edition of the language that there is.
pub const EDITION: &str = "2026";

/// Every setting, and what reads it.
const KEYS: &[(&str, Read)] = &[
    ("name", read_name),
    ("version", read_version),
    ("edition", read_edition),
    ("target", read_target),
    ("dependencies", refuse_dependencies),
];

type Read = fn(&mut Reader, &Spanned<DeValue<'_>>);

/// What `mlp.toml` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The project's name: lower-case letters, digits, `-` and `_`.
    pub name: String,
    /// The project's version, `0.1.0` when not given.
    pub version: String,
    /// The edition of the language, [`EDITION`] when not given.
    pub edition: String,
    /// The target that `mlp build` and `mlp run` take when none is named.
    pub target: Option<String>,
}

/// A manifest with its problems.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ManifestFile {
    /// What it says; absent when there is no file or it has errors.
    pub manifest: Option<Manifest>,
    /// Where the target stands, if one is named.
    pub target: Option<TextRange>,
    /// Its problems.
    pub diagnostics: Vec<Diagnostic>,
}

/// The manifest of the project. A project of one file has none, and that is no error.
#[salsa::tracked]
pub fn manifest_file(db: &dyn Db) -> Arc<ManifestFile> {
    let file = db.file(Utf8Path::new(MANIFEST));
    Arc::new(match file.contents(db) {
        Contents::Text(text) => read(text),
        Contents::Missing => ManifestFile::default(),
        unreadable @ (Contents::NotUtf8 { .. } | Contents::Unreadable(_)) => ManifestFile {
            manifest: None,
            target: None,
            diagnostics: unreadable_file(Utf8Path::new(MANIFEST), unreadable)
                .into_iter()
                .collect(),
        },
    })
}

/// The problem of a file that exists and cannot be read as text.
pub(crate) fn unreadable_file(path: &Utf8Path, contents: &Contents) -> Option<Diagnostic> {
    let place = Place::File(path.to_owned(), TextRange::empty(0));
    match contents {
        Contents::Text(_) | Contents::Missing => None,
        Contents::NotUtf8 { offset, line } => Some(
            Diagnostic::new(
                Code::NotUtf8,
                place,
                format!("`{path}` is not UTF-8: the byte at offset {offset}, in line {line}, begins no character."),
            )
            .help("Save the file as UTF-8."),
        ),
        Contents::Unreadable(reason) => Some(
            Diagnostic::new(
                Code::UnreadableFile,
                place,
                format!("`{path}` cannot be read: {reason}."),
            )
            .help("Make the file readable for the user who runs `mlp`, or take it out of the project."),
        ),
    }
}

fn read(text: &str) -> ManifestFile {
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => {
            let range = error
                .span()
                .map_or_else(TextRange::default, |span| TextRange::new(span.start, span.end));
            let message = format!("`{MANIFEST}` is not valid TOML: {}.", error.message());
            let diagnostic = Diagnostic::new(Code::ManifestSyntax, place(range), message)
                .help("A setting is a line such as `name = \"credit-risk\"`, with the text between double quotes.");
            return ManifestFile {
                manifest: None,
                target: None,
                diagnostics: vec![diagnostic],
            };
        }
    };
    let mut reader = Reader::default();
    for (key, value) in table.get_ref() {
        let read = KEYS.iter().find(|(name, _)| *name == key.get_ref().as_ref());
        match read {
            Some((_, read)) => read(&mut reader, value),
            None => reader.unknown_key(key.get_ref(), range_of(key)),
        }
    }
    let is_misspelt = |key: &str| KEYS.iter().all(|(name, _)| *name != key) && nearest(key, ["name"]).is_some();
    let has_name = |key: &str| key == "name" || is_misspelt(key);
    if !table.get_ref().keys().any(|key| has_name(key.get_ref())) {
        let diagnostic = Diagnostic::new(
            Code::MissingManifestKey,
            place(TextRange::default()),
            format!("`{MANIFEST}` does not say the project's `name`."),
        )
        .note("The name stands in every plan, run and registry entry, so it is never guessed from a folder.")
        .help("Add a line such as `name = \"credit-risk\"`.");
        reader.diagnostics.push(diagnostic);
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    name: Option<String>,
    version: Option<String>,
    edition: Option<String>,
    target: Option<String>,
    target_range: Option<TextRange>,
    diagnostics: Vec<Diagnostic>,
}

impl Reader {
    fn finish(self) -> ManifestFile {
        let manifest = self.name.filter(|_| self.diagnostics.is_empty()).map(|name| Manifest {
            name,
            version: self.version.unwrap_or_else(|| "0.1.0".to_owned()),
            edition: self.edition.unwrap_or_else(|| EDITION.to_owned()),
            target: self.target,
        });
        ManifestFile {
            manifest,
            target: self.target_range,
            diagnostics: self.diagnostics,
        }
    }

    fn unknown_key(&mut self, key: &str, range: TextRange) {
        let message = format!("`{key}` is no setting of `{MANIFEST}`.");
        let diagnostic = Diagnostic::new(Code::UnknownManifestKey, place(range), message);
        let diagnostic = match nearest(key, KEYS.iter().map(|(name, _)| *name)) {
            Some(name) => diagnostic.help(format!("Did you mean `{name}`?")).fix(
                format!("Replace `{key}` with `{name}`"),
                Applicability::Safe,
                vec![Edit::replace(place(range), name.as_str())],
            ),
            None => {
                let known: Vec<String> = KEYS.iter().map(|(name, _)| format!("`{name}`")).collect();
                diagnostic.help(format!("The settings are {}.", known.join(", ")))
            }
        };
        self.diagnostics.push(diagnostic);
    }

    /// The text of a value that must be a string and pass `accepts`.
    fn string(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        wanted: &str,
        accepts: fn(&str) -> bool,
    ) -> Option<String> {
        let found = match value.get_ref() {
            DeValue::String(text) if accepts(text) => return Some(text.clone().into_owned()),
            DeValue::String(text) => format!("`{text}`"),
            DeValue::Integer(_) | DeValue::Float(_) => "a number".to_owned(),
            DeValue::Boolean(_) => "a truth value".to_owned(),
            DeValue::Datetime(_) => "a date".to_owned(),
            DeValue::Array(_) => "an array".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
        };
        let message = format!("`{key}` in `{MANIFEST}` must be {wanted}, and is {found}.");
        self.diagnostics
            .push(Diagnostic::new(Code::ManifestValue, place(range_of(value)), message));
        None
    }
}

fn read_name(reader: &mut Reader, value: &Spanned<DeValue<'_>>) {
    let wanted = "a string of lower-case letters, digits, `-` and `_` that begins with a letter";
    reader.name = reader.string("name", value, wanted, is_project_name);
}

fn read_version(reader: &mut Reader, value: &Spanned<DeValue<'_>>) {
    reader.version = reader.string(
        "version",
        value,
        "a string of three numbers such as `\"0.1.0\"`",
        is_version,
    );
}

fn read_edition(reader: &mut Reader, value: &Spanned<DeValue<'_>>) {
    reader.edition = reader.string("edition", value, "the string `\"2026\"`", |text| text == EDITION);
}

fn read_target(reader: &mut Reader, value: &Spanned<DeValue<'_>>) {
    let wanted = "a string: the name of a `target` or of a platform";
    reader.target = reader.string("target", value, wanted, |text| !text.trim().is_empty());
    reader.target_range = Some(range_of(value));
}

fn refuse_dependencies(reader: &mut Reader, value: &Spanned<DeValue<'_>>) {
    if matches!(value.get_ref(), DeValue::Table(table) if table.is_empty()) {
        return;
    }
    let message = format!("`dependencies` in `{MANIFEST}` are not supported yet.");
    let diagnostic = Diagnostic::new(Code::DependenciesNotSupported, place(range_of(value)), message)
        .note("Modules of other projects cannot be imported, so a dependency would be ignored silently.")
        .help("Copy the modules that you need into this project, and remove `dependencies`.");
    reader.diagnostics.push(diagnostic);
}

fn is_project_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
}

fn is_version(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let parts: Vec<&str> = core.split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| part.parse::<u32>().is_ok())
}

fn range_of<T>(value: &Spanned<T>) -> TextRange {
    let span = value.span();
    TextRange::new(span.start, span.end)
}

fn place(range: TextRange) -> Place {
    Place::File(Utf8PathBuf::from(MANIFEST), range)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<Code> {
        read(text)
            .diagnostics
            .iter()
            .map(|diagnostic| diagnostic.code)
            .collect()
    }

    #[test]
    fn a_whole_manifest() {
        let file = read(
            "name = \"credit-risk\"\nversion = \"1.2.3-rc.1\"\nedition = \"2026\"\ntarget = \"prod\"\n[dependencies]\n",
        );
        let manifest = file.manifest.expect("no problems");
        assert_eq!(manifest.name, "credit-risk");
        assert_eq!(manifest.version, "1.2.3-rc.1");
        assert_eq!(manifest.target.as_deref(), Some("prod"));
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let manifest = read("name = \"a\"").manifest.expect("no problems");
        assert_eq!(
            (manifest.version.as_str(), manifest.edition.as_str()),
            ("0.1.0", EDITION)
        );
    }

    #[test]
    fn every_mistake_has_its_code() {
        assert_eq!(codes("name = "), [Code::ManifestSyntax]);
        assert_eq!(codes(""), [Code::MissingManifestKey]);
        assert_eq!(codes("name = 3"), [Code::ManifestValue]);
        assert_eq!(codes("name = \"Credit Risk\""), [Code::ManifestValue]);
        assert_eq!(codes("name = \"a\"\nversion = \"1\""), [Code::ManifestValue]);
        assert_eq!(codes("name = \"a\"\nedition = \"1999\""), [Code::ManifestValue]);
        assert_eq!(codes("name = \"a\"\ntarget = \"\""), [Code::ManifestValue]);
        assert_eq!(codes("name = \"a\"\ncolour = \"red\""), [Code::UnknownManifestKey]);
        assert_eq!(
            codes("name = \"a\"\n[dependencies]\nb = \"1\""),
            [Code::DependenciesNotSupported]
        );
    }

    #[test]
    fn a_misspelt_key_is_mended() {
        let file = read("nmae = \"a\"\nname = \"b\"");
        let fix = file.diagnostics[0].fix.as_ref().expect("a near name");
        assert_eq!(fix.edits[0].text, "name");
        assert_eq!(fix.edits[0].place, place(TextRange::new(0, 4)));
    }
}
