//! What the registry writes down: versions, aliases and their moves. Plain data, no files.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::RegistryError;
use crate::operations::Lineage;

/// A name that points at one version of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alias {
    /// The version that serves.
    Champion,
    /// The newest registered version, until it is deployed.
    Challenger,
    /// The champion before the present one: where a rollback goes.
    Previous,
}

impl Alias {
    /// Its text, as the command line takes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Champion => "champion",
            Self::Challenger => "challenger",
            Self::Previous => "previous",
        }
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Which version is meant: `3`, `v3`, `champion`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selector {
    /// By number.
    Version(u64),
    /// By alias.
    Alias(Alias),
}

impl fmt::Display for Selector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(number) => write!(formatter, "version {number}"),
            Self::Alias(alias) => write!(formatter, "`{alias}`"),
        }
    }
}

impl FromStr for Selector {
    type Err = RegistryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        for alias in [Alias::Champion, Alias::Challenger, Alias::Previous] {
            if text == alias.name() {
                return Ok(Self::Alias(alias));
            }
        }
        let digits = text.strip_prefix('v').unwrap_or(text);
        match digits.parse() {
            Ok(number) => Ok(Self::Version(number)),
            Err(_) => Err(RegistryError::Selector { text: text.to_owned() }),
        }
    }
}

/// A registered version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// The model's name in the registry.
    pub name: String,
    /// The model type's name in the program.
    pub model: String,
    /// Its number, from 1.
    pub version: u64,
    /// The artifact's digest, as the executor computed it.
    pub digest: String,
    /// BLAKE3 over the registry's own copy, by which damage is noticed.
    pub content: String,
    /// What makes it this version: equal proof of an equal artifact is registered once.
    pub key: String,
    /// When it was registered.
    pub created: Timestamp,
    /// Where it comes from.
    pub lineage: Lineage,
    /// What the gate found, with the metrics it read; absent when evidence was attested by a step of the project.
    pub gate: Option<serde_json::Value>,
    /// What the challenge found; absent likewise.
    pub challenge: Option<serde_json::Value>,
}

/// A version and what points at it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VersionDetails {
    /// What was registered.
    #[serde(flatten)]
    pub record: Version,
    /// The aliases that point at it.
    pub aliases: Vec<Alias>,
    /// The folder of the model itself.
    pub folder: Utf8PathBuf,
    /// The model card, Markdown.
    pub card: String,
    /// Every move of an alias to or from this version, oldest first.
    pub moves: Vec<Move>,
}

/// A line of the overview.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VersionSummary {
    /// Its number.
    pub version: u64,
    /// The artifact's digest.
    pub digest: String,
    /// When it was registered.
    pub created: Timestamp,
    /// The run that registered it.
    pub run: String,
    /// The pipeline of that run.
    pub pipeline: String,
    /// The aliases that point at it.
    pub aliases: Vec<Alias>,
}

/// A model in the overview.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelSummary {
    /// Its name in the registry.
    pub name: String,
    /// Its versions, oldest first.
    pub versions: Vec<VersionSummary>,
    /// Where the aliases point.
    pub aliases: BTreeMap<Alias, u64>,
}

/// One change of aliases. All its changes happen together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Move {
    /// When.
    pub at: Timestamp,
    /// Why: `registered`, `deployed to CreditApi`, `promoted by hand`, `rolled back`.
    pub reason: String,
    /// The run that did it, absent when done by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// What each alias pointed at before and after.
    pub changes: BTreeMap<Alias, Change>,
}

/// Where an alias pointed before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Before; absent when it pointed nowhere.
    pub from: Option<u64>,
    /// After; absent when it points nowhere.
    pub to: Option<u64>,
}

/// Who moves aliases, when and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// The run, absent when done by hand.
    pub run: Option<String>,
}

impl Cause {
    /// A person at the command line.
    #[must_use]
    pub fn by_hand(at: Timestamp, reason: &str) -> Self {
        Self {
            at,
            reason: reason.to_owned(),
            run: None,
        }
    }
}

/// What [`super::Registry::register`] is given.
#[derive(Clone, Debug, PartialEq)]
pub struct NewVersion<'a> {
    /// The model's name in the registry.
    pub name: &'a str,
    /// The model type's name in the program.
    pub model: &'a str,
    /// Its doc comment: the card's intended use.
    pub docs: Option<&'a str>,
    /// The folder of the model; it is copied.
    pub folder: &'a camino::Utf8Path,
    /// The artifact's digest.
    pub digest: &'a str,
    /// Where it comes from.
    pub lineage: &'a Lineage,
    /// When.
    pub at: Timestamp,
}

/// What [`super::Registry::register`] gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Registered {
    /// The version.
    pub version: Version,
    /// Whether it was there before: the same artifact with the same proof.
    pub existing: bool,
}
