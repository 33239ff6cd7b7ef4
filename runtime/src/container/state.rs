//! What outlives a run on a platform: the registry, the audit trail, and the notes by which later runs find the data of a
//! champion. It lies in the folder that `MLP_REGISTRY` names, a volume or bucket that all runs share.
//!
//! ```text
//! registry/             as on this machine
//! deployments/          what serves
//! audit.jsonl           the trail of decisions
//! runs/RUN/NODE.json    digests of the artifacts that a node of a run took and gave
//! data/DIGEST.parquet   validated data that later data is compared with
//! ```

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::Operation;

use super::unwritable;
use crate::audit::{Entry, Trail};
use crate::events::Failure;
use crate::node::baseline;
use crate::node::operation::Decision;
use crate::operations::Baseline;
use crate::registry::{Alias, Registry, RegistryError, Selector, Version, folder_name, write_atomically};

/// The variable that names the folder.
pub(crate) const VARIABLE: &str = "MLP_REGISTRY";

/// The folder, if there is one.
pub(crate) struct State {
    root: Option<Utf8PathBuf>,
    scratch: Utf8PathBuf,
}

impl State {
    /// As the environment says.
    pub(crate) fn of_environment(scratch: &Utf8Path) -> Self {
        let root = std::env::var(VARIABLE).ok().filter(|path| !path.is_empty());
        Self {
            root: root.map(Utf8PathBuf::from),
            scratch: scratch.to_owned(),
        }
    }

    /// Refuses an operation that means nothing without a registry.
    ///
    /// # Errors
    /// When there is none and the operation is one of those.
    pub(crate) fn demand(&self, operation: &Operation) -> Result<(), Failure> {
        let (name, why) = match operation {
            Operation::Champion { .. } => ("champion", "knows no champion"),
            Operation::Register { .. } => ("register", "has nowhere to keep the model"),
            Operation::Deploy { .. } => ("deploy", "knows no registered models"),
            Operation::Read { .. }
            | Operation::Validate { .. }
            | Operation::Features(_)
            | Operation::Project(_)
            | Operation::Split { .. }
            | Operation::Mask { .. }
            | Operation::Predict { .. }
            | Operation::Evaluate { .. }
            | Operation::Gate { .. }
            | Operation::Challenge(_)
            | Operation::Approve { .. }
            | Operation::Prior { .. } => return Ok(()),
        };
        if self.root.is_some() {
            return Ok(());
        }
        Err(Failure::new(
            format!("`{name}` {why}: the variable `{VARIABLE}` names no folder that all runs share."),
            "Give the target a `registry_claim` (Kubeflow, Airflow) or a `registry` (Vertex AI) and build again.",
        ))
    }

    /// The folder of the registry; a passing one where there is no other, in which a gate may leave its evidence.
    pub(crate) fn registry(&self) -> Utf8PathBuf {
        self.root.as_ref().unwrap_or(&self.scratch).join("registry")
    }

    /// Writes a decision into the audit trail, where there is one.
    pub(crate) fn audit(&self, run: &str, node: &str, told: &Decision<'_>) -> Result<(), Failure> {
        let Some(root) = &self.root else { return Ok(()) };
        let path = root.join("audit.jsonl");
        fs::create_dir_all(root).map_err(|error| unwritable(root, &error))?;
        let entry = Entry {
            at: jiff::Timestamp::now().to_string(),
            action: told.action.to_owned(),
            run: Some(run.to_owned()).filter(|run| !run.is_empty()),
            node: Some(node.to_owned()),
            verdict: told.verdict.to_owned(),
            summary: told.summary.to_owned(),
            record: told.record.clone(),
        };
        let written = Trail::new(path).append(entry);
        written.map_err(|error| {
            Failure::new(
                format!("A decision cannot be recorded: {error}."),
                "See that the volume of the registry is mounted and may be written.",
            )
        })
    }

    /// Notes the digests of artifacts, by `node.port`, for the lineage of what the run registers.
    pub(crate) fn note(&self, run: &str, node: &str, artifacts: &BTreeMap<String, String>) -> Result<(), Failure> {
        let Some(root) = self.root.as_ref().filter(|_| !run.is_empty()) else {
            return Ok(());
        };
        let path = notes(root, run).join(format!("{}.json", folder_name(node)));
        serde_json::to_vec_pretty(artifacts)
            .map_err(std::io::Error::from)
            .and_then(|text| write_atomically(&path, &text))
            .map_err(|error| unwritable(&path, &error))
    }

    /// Everything that was noted of a run.
    pub(crate) fn noted(&self, run: &str) -> BTreeMap<String, String> {
        let Some(root) = self.root.as_ref().filter(|_| !run.is_empty()) else {
            return BTreeMap::new();
        };
        let mut all = BTreeMap::new();
        let entries = notes(root, run).read_dir_utf8().into_iter().flatten().flatten();
        for entry in entries {
            let note = fs::read(entry.path()).ok();
            let note = note.and_then(|text| serde_json::from_slice::<BTreeMap<String, String>>(&text).ok());
            all.extend(note.unwrap_or_default());
        }
        all
    }

    /// Keeps a dataset, for later data to be compared with.
    pub(crate) fn keep_data(&self, digest: &str, dataset: &Utf8Path) -> Result<(), Failure> {
        let Some(path) = self.data(digest) else { return Ok(()) };
        if path.exists() {
            return Ok(());
        }
        let copy = || {
            fs::create_dir_all(path.parent().unwrap_or(Utf8Path::new(".")))?;
            let draft = Utf8PathBuf::from(format!("{path}.draft-{}", std::process::id()));
            fs::copy(dataset, &draft)?;
            fs::rename(&draft, &path)
        };
        copy().map_err(|error| unwritable(&path, &error))
    }

    fn data(&self, digest: &str) -> Option<Utf8PathBuf> {
        let root = self.root.as_ref()?;
        Some(root.join("data").join(format!("{digest}.parquet")))
    }

    /// The dataset that the same node gave in the run of the same pipeline that made a present champion.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub(crate) fn baseline(&self, pipeline: &str, node: &str) -> Result<Baseline, Failure> {
        if self.root.is_none() {
            return Ok(Baseline::None(format!(
                "`{VARIABLE}` names no registry with a champion"
            )));
        }
        let champions = self.champions(pipeline).map_err(|error| baseline::unreadable(&error))?;
        Ok(baseline::of_champions(&champions, node, &|digest| {
            self.data(digest).filter(|path| path.is_file())
        }))
    }

    /// The champions that a pipeline made.
    fn champions(&self, pipeline: &str) -> Result<Vec<Version>, RegistryError> {
        let registry = Registry::open(&self.registry())?;
        let mut champions = Vec::new();
        for model in registry.list()? {
            if model.aliases.contains_key(&Alias::Champion) {
                champions.push(registry.show(&model.name, Selector::Alias(Alias::Champion))?.record);
            }
        }
        champions.retain(|champion| champion.lineage.pipeline == pipeline);
        Ok(champions)
    }
}

fn notes(root: &Utf8Path, run: &str) -> Utf8PathBuf {
    root.join("runs").join(folder_name(run))
}
