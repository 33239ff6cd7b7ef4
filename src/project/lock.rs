//! `mlp.lock`: images pinned to digests and packages to hashes. Reading, looking up and writing as text; finding out what
//! there is to pin is `mlp lock`'s.
//!
//! What is read is checked part by part, so that whatever is written from a lock (a Dockerfile, a list of requirements)
//! holds nothing but names, versions and hashes.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use super::host::{Contents, Host};

/// The name of the file in the project's root.
pub const LOCK_FILE: &str = "mlp.lock";

/// The version of the format.
const VERSION: u32 = 1;

/// The first lines of the file.
const HEADER: &str = "\
# Images pinned to digests and packages to hashes. Written by `mlp lock`; keep it under version control.
";

/// What is pinned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// The version of the format: 1.
    pub version: u32,
    /// Digests (`sha256:…`) by image as the source writes it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<String, String>,
    /// Everything that a list of packages brings, by the list as [`Lock::package_key`] writes it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub packages: BTreeMap<String, Vec<LockedPackage>>,
}

/// A package at one version, with the hashes of the files that may be installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedPackage {
    /// Its name, normalised as PEP 503 demands.
    pub name: String,
    /// Its version.
    pub version: String,
    /// `sha256:…`, sorted.
    pub hashes: Vec<String>,
}

/// Why a lock cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// It is there and cannot be read as text.
    #[error("`{LOCK_FILE}` cannot be read: {0}")]
    Unreadable(String),
    /// It is no TOML of the right shape.
    #[error("`{LOCK_FILE}` is damaged: {0}")]
    Syntax(String),
    /// A newer `mlp` wrote it.
    #[error("`{LOCK_FILE}` has version {0}, and this `mlp` knows version {VERSION} only")]
    Version(u32),
    /// A part is not what it must be.
    #[error("`{LOCK_FILE}` is damaged: `{text}` is no {wanted}")]
    Part {
        /// What stands there.
        text: String,
        /// What should.
        wanted: &'static str,
    },
    /// A package without a hash pins nothing.
    #[error("`{LOCK_FILE}` is damaged: the package `{0}` has no hash")]
    NoHash(String),
}

impl Default for Lock {
    fn default() -> Self {
        Self {
            version: VERSION,
            images: BTreeMap::new(),
            packages: BTreeMap::new(),
        }
    }
}

impl Lock {
    /// The lock of a project; one that pins nothing where there is no file.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged or of another version.
    pub fn of_project(host: &dyn Host) -> Result<Self, LockError> {
        match host.read(Utf8Path::new(LOCK_FILE)) {
            Contents::Text(text) => Self::read(&text),
            Contents::Missing => Ok(Self::default()),
            Contents::NotUtf8 { line, .. } => Err(LockError::Unreadable(format!("line {line} is not UTF-8"))),
            Contents::Unreadable(reason) => Err(LockError::Unreadable(reason)),
        }
    }

    /// The lock that a text holds.
    ///
    /// # Errors
    /// When it is damaged or of another version.
    pub fn read(text: &str) -> Result<Self, LockError> {
        let lock: Self = toml::from_str(text).map_err(|error| LockError::Syntax(error.message().to_owned()))?;
        if lock.version != VERSION {
            return Err(LockError::Version(lock.version));
        }
        for (image, digest) in &lock.images {
            wants(image, "image", is_image)?;
            wants(digest, "digest", is_digest)?;
        }
        for package in lock.packages.values().flatten() {
            wants(&package.name, "normalised name of a package", is_package_name)?;
            wants(&package.version, "version", is_version)?;
            if package.hashes.is_empty() {
                return Err(LockError::NoHash(package.name.clone()));
            }
            for hash in &package.hashes {
                wants(hash, "SHA-256 hash", is_digest)?;
            }
        }
        Ok(lock)
    }

    /// The text of the file; equal locks give equal bytes.
    #[must_use]
    pub fn to_text(&self) -> String {
        let body = toml::to_string_pretty(self).expect("a lock is maps, lists and texts with keys that are texts");
        format!("{HEADER}{body}")
    }

    /// An image with its digest where it is known.
    #[must_use]
    pub fn image(&self, image: &str) -> String {
        match self.images.get(image) {
            Some(digest) if !image.contains('@') => format!("{image}@{digest}"),
            Some(_) | None => image.to_owned(),
        }
    }

    /// The key of a list of packages: the list sorted, joined by spaces.
    #[must_use]
    pub fn package_key(packages: &[String]) -> String {
        let mut sorted: Vec<&str> = packages.iter().map(String::as_str).collect();
        sorted.sort_unstable();
        sorted.join(" ")
    }

    /// Everything that a list of packages brings, where it is locked.
    #[must_use]
    pub fn packages(&self, packages: &[String]) -> Option<&[LockedPackage]> {
        self.packages.get(&Self::package_key(packages)).map(Vec::as_slice)
    }
}

impl LockedPackage {
    /// The package as a requirement of `pip install --require-hashes`, over as many lines as it takes.
    #[must_use]
    pub fn requirement(&self) -> String {
        let hashes: String = self
            .hashes
            .iter()
            .map(|hash| format!(" \\\n    --hash={hash}"))
            .collect();
        format!("{}=={}{hashes}\n", self.name, self.version)
    }
}

fn wants(text: &str, wanted: &'static str, holds: fn(&str) -> bool) -> Result<(), LockError> {
    if holds(text) {
        return Ok(());
    }
    Err(LockError::Part {
        text: text.to_owned(),
        wanted,
    })
}

/// Whether a text can be the name of an image, with host, tag and digest or without: no more than its characters are
/// looked at, which is what keeps it one word in a Dockerfile.
#[must_use]
pub fn is_image(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '@'))
}

/// Whether a text is `sha256:` and 64 hexadecimal digits in lower case.
#[must_use]
pub fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|digits| {
        digits.len() == 64
            && digits
                .bytes()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
    })
}

/// Whether a text is a name as PEP 503 normalises it.
fn is_package_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Whether a text has the characters of a version as PEP 440 has it.
fn is_version(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '!' | '+' | '-' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(digit: char) -> String {
        format!("sha256:{}", digit.to_string().repeat(64))
    }

    fn lock() -> Lock {
        let package = |name: &str, version: &str| LockedPackage {
            name: name.to_owned(),
            version: version.to_owned(),
            hashes: vec![digest('a'), digest('b')],
        };
        Lock {
            images: BTreeMap::from([("python:3.12-slim".to_owned(), digest('1'))]),
            packages: BTreeMap::from([(
                "pandas[parquet]==3.1.1 pyarrow".to_owned(),
                vec![package("pandas", "3.1.1"), package("pyarrow", "26.0.1")],
            )]),
            ..Lock::default()
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = lock().to_text();
        assert_eq!(Lock::read(&text), Ok(lock()));
        assert_eq!(Lock::read(&text).map(|lock| lock.to_text()), Ok(text));
        assert_eq!(Lock::read(&Lock::default().to_text()), Ok(Lock::default()));
    }

    #[test]
    fn an_image_gets_its_digest_once() {
        let lock = lock();
        let pinned = format!("python:3.12-slim@{}", digest('1'));
        assert_eq!(lock.image("python:3.12-slim"), pinned);
        assert_eq!(lock.image(&pinned), pinned);
        assert_eq!(lock.image("python:3.13-slim"), "python:3.13-slim");
    }

    #[test]
    fn the_order_of_a_list_does_not_matter() {
        let list = ["pyarrow".to_owned(), "pandas[parquet]==3.1.1".to_owned()];
        assert_eq!(lock().packages(&list).map(<[_]>::len), Some(2));
        assert_eq!(lock().packages(&["pyarrow".to_owned()]), None);
    }

    #[test]
    fn a_package_is_a_requirement_with_hashes() {
        let package = LockedPackage {
            name: "six".to_owned(),
            version: "1.17.0".to_owned(),
            hashes: vec![digest('a')],
        };
        assert_eq!(
            package.requirement(),
            format!("six==1.17.0 \\\n    --hash={}\n", digest('a'))
        );
    }

    #[test]
    fn every_kind_of_damage_has_its_error() {
        let part = |text: &str| match Lock::read(text) {
            Err(LockError::Part { text, .. }) => text,
            other => panic!("{other:?}"),
        };
        let one = |name: &str, version: &str, hashes: &str| {
            format!("version = 1\n[[packages.\"a\"]]\nname = {name:?}\nversion = {version:?}\nhashes = [{hashes}]\n")
        };
        let good = format!("{:?}", digest('a'));
        assert!(Lock::read(&one("a", "1", &good)).is_ok());
        assert_eq!(part(&one("a\nRUN x", "1", &good)), "a\nRUN x");
        assert_eq!(part(&one("a", "1 --index-url x", &good)), "1 --index-url x");
        assert_eq!(part(&one("a", "1", "\"md5:1\"")), "md5:1");
        assert_eq!(Lock::read(&one("a", "1", "")), Err(LockError::NoHash("a".to_owned())));
        assert_eq!(part("version = 1\n[images]\n\"a b\" = \"x\""), "a b");
        assert_eq!(part("version = 1\n[images]\na = \"latest\""), "latest");
        assert_eq!(Lock::read("version = 2"), Err(LockError::Version(2)));
        assert!(matches!(Lock::read("version = "), Err(LockError::Syntax(_))));
        assert!(matches!(Lock::read("version = 1\nmore = 2"), Err(LockError::Syntax(_))));
    }
}
