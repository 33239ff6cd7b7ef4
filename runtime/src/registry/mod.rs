//! The local registry of models: versions, aliases, lineage, model cards, in a folder that all runs share.
//!
//! ```text
//! registry/
//!   .lock                         held while anything is written
//!   .evidence/DIGEST/gate.json    what was shown about an artifact before it had a version
//!   credit-risk/
//!     moves.jsonl                 every move of an alias, append-only; where aliases point follows from it
//!     versions/3/version.json     the record, with the lineage
//!     versions/3/card.md          the model card
//!     versions/3/model/           the model itself, a copy
//! ```
//! It decides nothing about quality: gates and challenges do, and leave their evidence here.

mod card;
mod error;
mod files;
mod record;

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

pub(crate) use card::{cell, fairness as fairness_table, quality as quality_tables};
pub use error::RegistryError;
use files::{Lock, append_line, content_digest, read_lines, text_of_folder};
pub(crate) use files::{copy_folder, folder_name, write_atomically};
pub use record::{
    Alias, Cause, Change, ModelSummary, Move, NewVersion, Registered, Selector, Version, VersionDetails, VersionSummary,
};

/// The stages that leave evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// `gate`
    Gate,
    /// `challenge`
    Challenge,
}

/// A registry in a folder.
#[derive(Clone, Debug)]
pub struct Registry {
    root: Utf8PathBuf,
}

impl Registry {
    /// The registry in a folder, which is made when it is not there.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(root: &Utf8Path) -> Result<Self, RegistryError> {
        fs::create_dir_all(root).map_err(RegistryError::io(format!("making {root}")))?;
        Ok(Self { root: root.to_owned() })
    }

    /// Its folder.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Every model with its versions, by name.
    ///
    /// # Errors
    /// When a file cannot be read or is damaged.
    pub fn list(&self) -> Result<Vec<ModelSummary>, RegistryError> {
        self.names()?.into_iter().map(|name| self.model(&name)).collect()
    }

    /// One model with its versions.
    ///
    /// # Errors
    /// When there is no such model, or a file cannot be read or is damaged.
    pub fn model(&self, name: &str) -> Result<ModelSummary, RegistryError> {
        let aliases = self.aliases(name)?;
        let mut versions = Vec::new();
        for number in self.known_numbers(name)? {
            let record = self.record(name, number)?;
            versions.push(VersionSummary {
                version: number,
                digest: record.digest,
                created: record.created,
                run: record.lineage.run,
                pipeline: record.lineage.pipeline,
                aliases: pointing_at(&aliases, number),
            });
        }
        Ok(ModelSummary {
            name: name.to_owned(),
            versions,
            aliases,
        })
    }

    /// Everything about one version.
    ///
    /// # Errors
    /// When there is no such model or version, or a file cannot be read or is damaged.
    pub fn show(&self, name: &str, which: Selector) -> Result<VersionDetails, RegistryError> {
        let number = self.resolve(name, which)?;
        let record = self.record(name, number)?;
        let aliases = pointing_at(&self.aliases(name)?, number);
        let path = self.version_folder(name, number).join("card.md");
        let card = fs::read_to_string(&path).map_err(RegistryError::io(format!("reading {path}")))?;
        let mut moves = self.moves(name)?;
        moves.retain(|each| {
            let mut changes = each.changes.values();
            changes.any(|change| change.from == Some(number) || change.to == Some(number))
        });
        Ok(VersionDetails {
            record,
            aliases,
            folder: self.version_folder(name, number).join("model"),
            card,
            moves,
        })
    }

    /// Every move of the model's aliases, oldest first.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged.
    pub fn moves(&self, name: &str) -> Result<Vec<Move>, RegistryError> {
        let path = self.model_folder(name).join("moves.jsonl");
        let lines = read_lines(&path)?;
        let parse = |(index, line): (usize, &String)| {
            serde_json::from_str(line).map_err(|error| RegistryError::Damaged {
                path: path.clone(),
                problem: format!("line {}: {error}", index + 1),
                remedy: format!(
                    "Restore it from a backup, or remove it, which forgets every alias, and promote the version that serves: \
                     `mlp registry promote {name} VERSION`."
                ),
            })
        };
        lines.iter().enumerate().map(parse).collect()
    }

    /// Where the aliases of a model point.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged.
    pub fn aliases(&self, name: &str) -> Result<BTreeMap<Alias, u64>, RegistryError> {
        let mut aliases = BTreeMap::new();
        for each in self.moves(name)? {
            for (alias, change) in each.changes {
                match change.to {
                    Some(number) => aliases.insert(alias, number),
                    None => aliases.remove(&alias),
                };
            }
        }
        Ok(aliases)
    }

    /// A version and the folder of its model, whose files are compared with those that were registered.
    ///
    /// # Errors
    /// When there is no such model or version, a file cannot be read, or the model's files have changed since.
    pub fn intact(&self, name: &str, which: Selector) -> Result<(Version, Utf8PathBuf), RegistryError> {
        let number = self.resolve(name, which)?;
        let record = self.record(name, number)?;
        let folder = self.version_folder(name, number).join("model");
        let content = content_digest(&folder).map_err(RegistryError::io(format!("reading {folder}")))?;
        if content != record.content {
            return Err(RegistryError::Damaged {
                path: folder,
                problem: format!("its files are not those registered as version {number} of `{name}`"),
                remedy: self.version_remedy(name, number),
            });
        }
        Ok((record, folder))
    }

    /// Adds a version and points `challenger` at it. The same artifact with the same proof gives the version that is
    /// already there.
    ///
    /// # Errors
    /// When the model cannot be copied or a record cannot be written; then nothing has changed.
    pub fn register(&self, new: &NewVersion<'_>) -> Result<Registered, RegistryError> {
        let _lock = Lock::acquire(&self.root)?;
        let gate = self.evidence(new.digest, Stage::Gate)?;
        let challenge = self.evidence(new.digest, Stage::Challenge)?;
        let key = proof_key(new.digest, gate.as_ref(), challenge.as_ref());
        let numbers = self.numbers(new.name)?;
        let mut registered = None;
        for number in numbers.iter().rev() {
            let record = self.record(new.name, *number)?;
            if record.key == key {
                registered = Some(Registered {
                    version: record,
                    existing: true,
                });
                break;
            }
        }
        let registered = match registered {
            Some(registered) => registered,
            None => Registered {
                version: self.add(new, numbers.last().map_or(1, |last| last + 1), key, gate, challenge)?,
                existing: false,
            },
        };
        let number = registered.version.version;
        // A version that already serves is no challenger.
        if self.aliases(new.name)?.get(&Alias::Champion) != Some(&number) {
            let cause = Cause {
                at: new.at,
                reason: "registered".to_owned(),
                run: Some(new.lineage.run.clone()),
            };
            self.point(new.name, &[(Alias::Challenger, Some(number))], &cause)?;
        }
        Ok(registered)
    }

    /// Makes a version the champion; the champion before it becomes `previous`. Nothing changes when it already is.
    ///
    /// # Errors
    /// When there is no such model or version, or the move cannot be written.
    pub fn promote(&self, name: &str, version: u64, cause: &Cause) -> Result<Option<Move>, RegistryError> {
        let _lock = Lock::acquire(&self.root)?;
        let version = self.resolve(name, Selector::Version(version))?;
        let aliases = self.aliases(name)?;
        let champion = aliases.get(&Alias::Champion).copied();
        let mut changes = Vec::new();
        if champion != Some(version) {
            changes.push((Alias::Champion, Some(version)));
            if champion.is_some() {
                changes.push((Alias::Previous, champion));
            }
        }
        if aliases.get(&Alias::Challenger) == Some(&version) {
            changes.push((Alias::Challenger, None));
        }
        self.point(name, &changes, cause)
    }

    /// Makes the previous champion the champion again; the present one becomes `previous`.
    ///
    /// # Errors
    /// When there is no such model or no previous champion, or the move cannot be written.
    pub fn rollback(&self, name: &str, cause: &Cause) -> Result<Move, RegistryError> {
        let _lock = Lock::acquire(&self.root)?;
        self.known_numbers(name)?;
        let aliases = self.aliases(name)?;
        let nothing = || RegistryError::NothingToRollBackTo { name: name.to_owned() };
        let previous = aliases.get(&Alias::Previous).copied().ok_or_else(nothing)?;
        let previous = self.resolve(name, Selector::Version(previous))?;
        let changes = [
            (Alias::Champion, Some(previous)),
            (Alias::Previous, aliases.get(&Alias::Champion).copied()),
        ];
        self.point(name, &changes, cause)?.ok_or_else(nothing)
    }

    /// Keeps what a stage found about an artifact until it is registered.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_evidence(&self, digest: &str, stage: Stage, record: &serde_json::Value) -> Result<(), RegistryError> {
        let path = self.evidence_file(digest, stage);
        write_atomically(&path, format!("{record:#}\n").as_bytes())
            .map_err(RegistryError::io(format!("writing {path}")))
    }

    /// Remembers that a model was proven against another.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_victory(&self, candidate: &str, champion: &str) -> Result<(), RegistryError> {
        let path = self.victory_file(candidate, champion);
        write_atomically(&path, b"").map_err(RegistryError::io(format!("writing {path}")))
    }

    /// Whether a model was proven against another, or is the same.
    #[must_use]
    pub fn has_beaten(&self, candidate: &str, champion: &str) -> bool {
        candidate == champion || self.victory_file(candidate, champion).exists()
    }

    fn victory_file(&self, candidate: &str, champion: &str) -> Utf8PathBuf {
        let folder = self.root.join(".evidence").join(folder_name(candidate));
        folder.join("beaten").join(folder_name(champion))
    }

    /// What a stage last found about an artifact.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    pub fn evidence(&self, digest: &str, stage: Stage) -> Result<Option<serde_json::Value>, RegistryError> {
        read_json(
            &self.evidence_file(digest, stage),
            "Remove it; the next gate and challenge write it anew.",
        )
    }

    fn evidence_file(&self, digest: &str, stage: Stage) -> Utf8PathBuf {
        let file = match stage {
            Stage::Gate => "gate.json",
            Stage::Challenge => "challenge.json",
        };
        self.root.join(".evidence").join(folder_name(digest)).join(file)
    }

    fn add(
        &self,
        new: &NewVersion<'_>,
        number: u64,
        key: String,
        gate: Option<serde_json::Value>,
        challenge: Option<serde_json::Value>,
    ) -> Result<Version, RegistryError> {
        let versions = self.model_folder(new.name).join("versions");
        let failed = |source| RegistryError::Io {
            action: format!("registering `{}` in {versions}", new.name),
            source,
        };
        fs::create_dir_all(&versions).map_err(failed)?;
        let staging = tempfile::Builder::new()
            .prefix(".new-")
            .tempdir_in(&versions)
            .map_err(failed)?;
        let folder =
            Utf8Path::from_path(staging.path()).ok_or_else(|| failed(std::io::ErrorKind::InvalidFilename.into()))?;
        copy_folder(new.folder, &folder.join("model")).map_err(failed)?;
        let version = Version {
            name: new.name.to_owned(),
            model: new.model.to_owned(),
            version: number,
            digest: new.digest.to_owned(),
            content: content_digest(&folder.join("model")).map_err(failed)?,
            key,
            created: new.at,
            lineage: new.lineage.clone(),
            gate,
            challenge,
        };
        let record = serde_json::to_string_pretty(&version).map_err(|error| failed(error.into()))?;
        write_atomically(&folder.join("version.json"), record.as_bytes()).map_err(failed)?;
        write_atomically(&folder.join("card.md"), card::render(&version, new.docs).as_bytes()).map_err(failed)?;
        fs::rename(folder, self.version_folder(new.name, number)).map_err(failed)?;
        Ok(version)
    }

    /// Moves aliases; the caller holds the lock. `None` when they already point there.
    fn point(
        &self,
        name: &str,
        targets: &[(Alias, Option<u64>)],
        cause: &Cause,
    ) -> Result<Option<Move>, RegistryError> {
        let aliases = self.aliases(name)?;
        let mut changes = BTreeMap::new();
        for (alias, to) in targets {
            let from = aliases.get(alias).copied();
            if from != *to {
                changes.insert(*alias, Change { from, to: *to });
            }
        }
        if changes.is_empty() {
            return Ok(None);
        }
        let each = Move {
            at: cause.at,
            reason: cause.reason.clone(),
            run: cause.run.clone(),
            changes,
        };
        let path = self.model_folder(name).join("moves.jsonl");
        let line = serde_json::to_string(&each).map_err(|error| RegistryError::Io {
            action: format!("writing {path}"),
            source: error.into(),
        })?;
        append_line(&path, &line)?;
        Ok(Some(each))
    }

    fn resolve(&self, name: &str, which: Selector) -> Result<u64, RegistryError> {
        let numbers = self.known_numbers(name)?;
        let number = match which {
            Selector::Version(number) => Some(number),
            Selector::Alias(alias) => self.aliases(name)?.get(&alias).copied(),
        };
        number
            .filter(|number| numbers.contains(number))
            .ok_or_else(|| RegistryError::NoVersion {
                name: name.to_owned(),
                selector: which,
            })
    }

    fn record(&self, name: &str, number: u64) -> Result<Version, RegistryError> {
        let path = self.version_folder(name, number).join("version.json");
        let remedy = self.version_remedy(name, number);
        read_json(&path, &remedy)?.ok_or_else(|| RegistryError::Damaged {
            path,
            problem: "it is missing".to_owned(),
            remedy,
        })
    }

    fn version_remedy(&self, name: &str, number: u64) -> String {
        format!(
            "Restore it from a backup, or remove {} and promote another version: `mlp registry promote {name} VERSION`. \
             Without another version, remove {}, and the next run registers the first.",
            self.version_folder(name, number),
            self.model_folder(name)
        )
    }

    /// The names of all models, sorted.
    fn names(&self) -> Result<Vec<String>, RegistryError> {
        let failed = || RegistryError::io(format!("reading {}", self.root));
        let mut names = Vec::new();
        for entry in self.root.read_dir_utf8().map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let hidden = entry.file_name().starts_with('.');
            if !hidden && entry.path().is_dir() {
                names.extend(text_of_folder(entry.file_name()));
            }
        }
        names.sort();
        Ok(names)
    }

    /// The numbers of a model's versions, sorted; an error for an unknown model.
    fn known_numbers(&self, name: &str) -> Result<Vec<u64>, RegistryError> {
        let numbers = self.numbers(name)?;
        if numbers.is_empty() {
            return Err(RegistryError::NoModel {
                name: name.to_owned(),
                known_names: self.names()?,
            });
        }
        Ok(numbers)
    }

    fn numbers(&self, name: &str) -> Result<Vec<u64>, RegistryError> {
        let path = self.model_folder(name).join("versions");
        let entries = match path.read_dir_utf8() {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(RegistryError::io(format!("reading {path}"))(error)),
        };
        let mut numbers = Vec::new();
        for entry in entries {
            let entry = entry.map_err(RegistryError::io(format!("reading {path}")))?;
            numbers.extend(entry.file_name().parse::<u64>().ok());
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn model_folder(&self, name: &str) -> Utf8PathBuf {
        self.root.join(folder_name(name))
    }

    fn version_folder(&self, name: &str, number: u64) -> Utf8PathBuf {
        self.model_folder(name).join("versions").join(number.to_string())
    }
}

fn pointing_at(aliases: &BTreeMap<Alias, u64>, number: u64) -> Vec<Alias> {
    aliases
        .iter()
        .filter(|(_, to)| **to == number)
        .map(|(alias, _)| *alias)
        .collect()
}

/// The artifact and what was demanded of it on which data; not the run, the clock, the commit, or who was champion then — so
/// a re-run that computes nothing new registers nothing new.
fn proof_key(digest: &str, gate: Option<&serde_json::Value>, challenge: Option<&serde_json::Value>) -> String {
    let demand = |condition: &serde_json::Value| serde_json::json!([condition["text"], condition["values"]]);
    let demands = |record: Option<&serde_json::Value>| {
        record.map(|record| {
            let conditions = record["conditions"].as_array().into_iter().flatten();
            serde_json::json!({ "conditions": conditions.map(demand).collect::<Vec<_>>(), "data": record["data"] })
        })
    };
    let proof = serde_json::json!({ "digest": digest, "gate": demands(gate), "challenge": demands(challenge) });
    blake3::hash(proof.to_string().as_bytes()).to_hex().to_string()
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Utf8Path, remedy: &str) -> Result<Option<T>, RegistryError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(RegistryError::io(format!("reading {path}"))(error)),
    };
    let parsed = serde_json::from_slice(&bytes).map_err(|error| RegistryError::Damaged {
        path: path.to_owned(),
        problem: error.to_string(),
        remedy: remedy.to_owned(),
    })?;
    Ok(Some(parsed))
}
