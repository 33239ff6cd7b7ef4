//! `mlp.lock`: images pinned to digests and packages to hashes. Only reading and lookup are here; `mlp lock` writes it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The name of the file in the project's root.
pub const LOCK_FILE: &str = "mlp.lock";

/// What is pinned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

impl Lock {
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
