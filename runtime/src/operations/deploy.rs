//! The operation `deploy`: rolls a registered version out to a service and then makes it the champion.
//!
//! Here a rollout is the deployment record that local serving reads; a platform that is not local gets a stand-in, and the
//! report says so. The alias moves last: whatever fails before leaves the old champion where it was.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use mlp::plan::Service;
use mlp::types::Value;
use serde::{Deserialize, Serialize};

use super::register::{RegisteredModel, write_json};
use super::{Context, OperationError, Report, Verdict, scoring};
use crate::registry::{Alias, Cause, Registry, Selector, Version, write_atomically};

/// What runs behind a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// The service.
    pub service: String,
    /// Its platform.
    pub platform: String,
    /// Whether the record only stands in for a rollout on another platform.
    pub stand_in: bool,
    /// The model type's name in the program.
    pub model: String,
    /// The version that serves.
    pub version: RegisteredModel,
    /// The folder of the model.
    pub folder: Utf8PathBuf,
    /// The service's settings.
    pub settings: Option<Value>,
    /// When it was rolled out.
    pub at: Timestamp,
    /// The run that did it; `by hand` when the alias was moved without one.
    pub run: String,
    /// What served before.
    pub previous: Option<RegisteredModel>,
}

/// `model` → `output`.
pub(super) fn run(service: &str, context: &Context) -> Result<Report, OperationError> {
    let declared = context
        .plan
        .services
        .get(service)
        .ok_or_else(|| OperationError::Input {
            summary: format!("The plan has no service `{service}`."),
            help: "The plan does not fit this version of mlp; build it again.".to_owned(),
        })?;
    let reference = registered_model(scoring::artifact(context, "model")?.path)?;
    let registry = Registry::open(context.registry)?;
    let (version, folder) = registry.intact(&reference.name, Selector::Version(reference.version))?;
    if version.digest != reference.digest {
        return Err(OperationError::Input {
            summary: format!(
                "Version {} of `{}` in this registry is another model than the one that was registered.",
                reference.version, reference.name
            ),
            help: "The registry was replaced since; run the pipeline again, so that the model is registered here."
                .to_owned(),
        });
    }
    check_proof(&registry, &version)?;
    let path = records(context.registry).join(format!("{service}.json"));
    let before = read_record(&path)?;
    let deployment = deployment(declared, &reference, folder, before.as_ref(), context);
    let io = |source| OperationError::Io {
        action: format!("writing {path}"),
        source,
    };
    let text = serde_json::to_string_pretty(&deployment).map_err(|error| io(error.into()))?;
    write_json(context, &deployment)?;
    write_atomically(&path, text.as_bytes()).map_err(io)?;
    let cause = Cause {
        at: context.now,
        reason: format!("deployed to {service}"),
        run: Some(context.lineage.run.clone()),
    };
    let moved = match registry.promote(&reference.name, reference.version, &cause) {
        Ok(moved) => moved,
        Err(error) => {
            restore(&path, before.as_ref()).map_err(io)?;
            return Err(error.into());
        }
    };
    Ok(Report {
        summary: summary(&deployment, moved.is_some()),
        record: serde_json::json!({ "deployment": deployment, "aliases": moved }),
        values: BTreeMap::new(),
    })
}

/// The folder of the deployment records, beside the registry.
fn records(registry: &Utf8Path) -> Utf8PathBuf {
    registry.parent().unwrap_or(registry).join("deployments")
}

/// Lets the services of a model serve its champion, after its alias was moved by hand; gives their names. Services that
/// serve it already are left as they are, so that what was interrupted is finished by doing it again.
///
/// # Errors
/// When a record or the registry cannot be read or written.
pub fn follow_champion(registry: &Registry, name: &str, at: Timestamp) -> Result<Vec<String>, OperationError> {
    let (champion, folder) = registry.intact(name, Selector::Alias(Alias::Champion))?;
    let mut followed = Vec::new();
    for path in record_files(&records(registry.root()))? {
        let Some(record) = read_record(&path)? else { continue };
        if record.version.name != name || record.version.version == champion.version {
            continue;
        }
        let deployment = Deployment {
            version: RegisteredModel {
                version: champion.version,
                digest: champion.digest.clone(),
                ..record.version.clone()
            },
            folder: folder.clone(),
            at,
            run: BY_HAND.to_owned(),
            previous: Some(record.version),
            ..record
        };
        let written = serde_json::to_string_pretty(&deployment)
            .map_err(std::io::Error::from)
            .and_then(|text| write_atomically(&path, text.as_bytes()));
        written.map_err(|source| OperationError::Io {
            action: format!("writing {path}"),
            source,
        })?;
        followed.push(deployment.service);
    }
    Ok(followed)
}

/// Stands for a run where there was none.
const BY_HAND: &str = "by hand";

/// The records of a folder in the order of their names; none when there is no folder.
fn record_files(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>, OperationError> {
    let failed = |source| OperationError::Io {
        action: format!("reading {folder}"),
        source,
    };
    let entries = match folder.read_dir_utf8() {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.into_path();
        if path.extension() == Some("json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Refuses a model that was proven against another champion than the one it would replace: two runs at once may each prove
/// a model against the same champion, and the second must then meet the first. Attested evidence names no champion.
fn check_proof(registry: &Registry, version: &Version) -> Result<(), OperationError> {
    if version.challenge.is_none() || !registry.aliases(&version.name)?.contains_key(&Alias::Champion) {
        return Ok(());
    }
    let champion = registry.show(&version.name, Selector::Alias(Alias::Champion))?.record;
    if registry.has_beaten(&version.digest, &champion.digest) {
        return Ok(());
    }
    Err(OperationError::Refused {
        verdict: Verdict::Fail,
        summary: format!(
            "version {} of `{}` was not proven against the present champion, version {}",
            version.version, version.name, champion.version
        ),
        details: vec![
            format!("Version {} became the champion after the challenge.", champion.version),
            "Run the pipeline again: the model then meets this champion.".to_owned(),
        ],
        record: serde_json::json!({
            "verdict": Verdict::Fail,
            "version": version.version,
            "champion": { "version": champion.version, "digest": champion.digest },
        }),
    })
}

fn deployment(
    service: &Service,
    reference: &RegisteredModel,
    folder: Utf8PathBuf,
    before: Option<&Deployment>,
    context: &Context,
) -> Deployment {
    // Rolling out what already serves keeps what served before it.
    let previous = before.and_then(|before| {
        if before.version == *reference {
            before.previous.clone()
        } else {
            Some(before.version.clone())
        }
    });
    Deployment {
        service: service.name.clone(),
        platform: service.platform.clone(),
        stand_in: service.platform != "local",
        model: service.model.clone(),
        version: reference.clone(),
        folder,
        settings: service.settings.clone(),
        at: context.now,
        run: context.lineage.run.clone(),
        previous,
    }
}

fn summary(deployment: &Deployment, moved: bool) -> String {
    let RegisteredModel { name, version, .. } = &deployment.version;
    let service = &deployment.service;
    let champion = if moved {
        "now the champion"
    } else {
        "still the champion"
    };
    if deployment.stand_in {
        let platform = &deployment.platform;
        format!("version {version} of `{name}` to {service}, {champion}; a local stand-in for `{platform}`")
    } else {
        format!("version {version} of `{name}` to {service}, {champion}")
    }
}

/// What `register` wrote.
///
/// # Errors
/// When it cannot be read.
pub fn registered_model(path: &Utf8Path) -> Result<RegisteredModel, OperationError> {
    let text = fs::read(path).map_err(|source| OperationError::Io {
        action: format!("reading {path}"),
        source,
    })?;
    serde_json::from_slice(&text).map_err(|error| OperationError::Input {
        summary: format!("The registered model in {path} cannot be read: {error}."),
        help: "It comes from `register`; run the pipeline again.".to_owned(),
    })
}

fn read_record(path: &Utf8Path) -> Result<Option<Deployment>, OperationError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(OperationError::Io {
                action: format!("reading {path}"),
                source,
            });
        }
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| OperationError::Input {
            summary: format!("The deployment record {path} is damaged: {error}."),
            help: "Remove it; the next deployment writes it anew.".to_owned(),
        })
}

fn restore(path: &Utf8Path, before: Option<&Deployment>) -> Result<(), std::io::Error> {
    match before {
        Some(before) => write_atomically(path, serde_json::to_string_pretty(before)?.as_bytes()),
        None => fs::remove_file(path),
    }
}
