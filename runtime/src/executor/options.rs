//! What a run may be told beyond its parameters: how many nodes at once, on what machine, how it is cancelled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::{Plan, Resources};
use mlp::project::Lock;
use mlp::targets::accelerators::ANY;
use tokio::sync::watch;

use crate::error::RunError;

/// The default of [`Options::log_limit`]: 8 MiB.
pub const LOG_LIMIT: u64 = 8 * 1024 * 1024;

/// How a run is to go.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many nodes run at once at the most; by default as many as the machine has cores.
    pub jobs: usize,
    /// Whether outputs of earlier runs may be reused. When false everything runs, and its outputs are stored anew.
    pub cache: bool,
    /// Cancels the run from another thread.
    pub cancel: Cancel,
    /// What the steps may share.
    pub machine: Machine,
    /// Of each output stream of a step, so many bytes are kept from its beginning and as many from its end.
    pub log_limit: u64,
    /// Where Python environments are kept; by default in the user's cache folder, or where `MLP_CACHE_DIR` says.
    pub environments: Option<Utf8PathBuf>,
    /// What the project pins: packages are installed at these versions, from files with these hashes.
    pub lock: Lock,
    /// The nodes whose `approve` a person has said yes to.
    pub approved: BTreeSet<String>,
    /// How long a step may take to end after it was asked to, before it is killed; milliseconds.
    pub grace: u64,
}

impl Default for Options {
    fn default() -> Self {
        let machine = Machine::detect();
        Self {
            jobs: usize::try_from(machine.cpu_millis / 1_000).unwrap_or(1).max(1),
            cache: true,
            cancel: Cancel::default(),
            machine,
            log_limit: LOG_LIMIT,
            environments: None,
            lock: Lock::default(),
            approved: BTreeSet::new(),
            grace: 5_000,
        }
    }
}

/// How urgently a run is to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum CancelLevel {
    /// It goes on.
    #[default]
    None,
    /// Nothing new starts; what runs may finish.
    Drain,
    /// What runs is ended.
    Kill,
}

/// A handle that cancels a run; clones cancel the same run.
#[derive(Clone, Debug)]
pub struct Cancel {
    level: Arc<watch::Sender<CancelLevel>>,
}

impl Default for Cancel {
    fn default() -> Self {
        Self {
            level: Arc::new(watch::Sender::new(CancelLevel::None)),
        }
    }
}

impl Cancel {
    /// To be called at each Ctrl-C: the first call drains, the second kills.
    pub fn advance(&self) -> CancelLevel {
        let mut reached = CancelLevel::None;
        self.level.send_modify(|level| {
            *level = match *level {
                CancelLevel::None => CancelLevel::Drain,
                CancelLevel::Drain | CancelLevel::Kill => CancelLevel::Kill,
            };
            reached = *level;
        });
        reached
    }

    /// Ends what runs at once.
    pub fn kill(&self) {
        self.level.send_replace(CancelLevel::Kill);
    }

    /// How urgent it is.
    #[must_use]
    pub fn level(&self) -> CancelLevel {
        *self.level.borrow()
    }

    /// Waits until what runs is to be ended.
    pub async fn killed(&self) {
        // The sender lives as long as `self`, so that this cannot fail.
        let _ = self.subscribe().wait_for(|level| *level == CancelLevel::Kill).await;
    }

    /// To wait for a change.
    pub(crate) fn subscribe(&self) -> watch::Receiver<CancelLevel> {
        self.level.subscribe()
    }
}

/// What the steps of a run may share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Thousandths of a core.
    pub cpu_millis: u64,
    /// Bytes of memory.
    pub memory: u64,
    /// Accelerators by kind. The detected ones are called `nvidia` and serve every kind that begins so, and
    /// `any`.
    pub gpus: BTreeMap<String, u32>,
}

impl Machine {
    /// The machine this process runs on: its cores (within the limits set on the process), its memory, its NVIDIA
    /// devices.
    #[must_use]
    pub fn detect() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let system = rustix::system::sysinfo();
        let devices = (0..64)
            .take_while(|index| Utf8Path::new(&format!("/dev/nvidia{index}")).exists())
            .count();
        let mut gpus = BTreeMap::new();
        if devices > 0 {
            gpus.insert("nvidia".to_owned(), u32::try_from(devices).unwrap_or(u32::MAX));
        }
        Self {
            cpu_millis: 1_000 * cores as u64,
            memory: u64::from(system.mem_unit).saturating_mul(system.totalram),
            gpus,
        }
    }

    /// Checks that each of the named steps could run here alone.
    pub(crate) fn check<'a>(&self, plan: &Plan, steps: impl Iterator<Item = &'a str>) -> Result<(), RunError> {
        for name in steps {
            let Some(step) = plan.steps.get(name) else { continue };
            let needs = &step.resources;
            let cpu = needs.cpu_millis.unwrap_or(0);
            let memory = needs.memory.unwrap_or(0);
            let shortage = if cpu > self.cpu_millis {
                Some((cores(cpu), cores(self.cpu_millis)))
            } else if memory > self.memory {
                Some((mebibytes(memory), mebibytes(self.memory)))
            } else if let Some((kind, topology)) = &needs.tpu {
                // TPUs are never looked for: a step that wants one must not run without, as if it had it.
                Some((
                    format!("a {topology} slice of TPUs of the kind {kind}"),
                    "none".to_owned(),
                ))
            } else {
                needs.gpu.as_ref().and_then(|(kind, count)| {
                    let available = self.gpus_for(kind);
                    (*count > available).then(|| (format!("{count} × {kind}"), format!("{available} of that kind")))
                })
            };
            if let Some((asked, available)) = shortage {
                let step = name.to_owned();
                return Err(RunError::NotEnough { step, asked, available });
            }
        }
        Ok(())
    }

    fn gpus_for(&self, kind: &str) -> u32 {
        self.gpus.get(self.gpu_pool(kind)).copied().unwrap_or(0)
    }

    fn gpu_pool<'a>(&self, kind: &'a str) -> &'a str {
        if !self.gpus.contains_key(kind) && (kind.starts_with("nvidia") || kind == ANY) {
            "nvidia"
        } else {
            kind
        }
    }
}

/// What is left of the machine while nodes run.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    left: Machine,
}

impl Room {
    /// The whole machine.
    pub(crate) fn new(machine: &Machine) -> Self {
        Self { left: machine.clone() }
    }

    /// Takes what a node needs, if it is there.
    pub(crate) fn take(&mut self, needs: &Resources) -> bool {
        let (cpu, memory) = demand(needs);
        let gpu_fits = needs
            .gpu
            .as_ref()
            .is_none_or(|(kind, count)| self.left.gpus_for(kind) >= *count);
        if cpu > self.left.cpu_millis || memory > self.left.memory || !gpu_fits {
            return false;
        }
        self.left.cpu_millis -= cpu;
        self.left.memory -= memory;
        self.change_gpus(needs, u32::saturating_sub);
        true
    }

    /// Gives back what a node took.
    pub(crate) fn give_back(&mut self, needs: &Resources) {
        let (cpu, memory) = demand(needs);
        self.left.cpu_millis += cpu;
        self.left.memory += memory;
        self.change_gpus(needs, u32::saturating_add);
    }

    fn change_gpus(&mut self, needs: &Resources, change: fn(u32, u32) -> u32) {
        if let Some((kind, count)) = &needs.gpu {
            let pool = self.left.gpu_pool(kind).to_owned();
            if let Some(devices) = self.left.gpus.get_mut(&pool) {
                *devices = change(*devices, *count);
            }
        }
    }
}

/// Thousandths of a core and bytes; without a declaration a node takes no more than its place among the jobs, so that
/// `--jobs 8` means eight also on a machine with two cores.
fn demand(needs: &Resources) -> (u64, u64) {
    (needs.cpu_millis.unwrap_or(0), needs.memory.unwrap_or(0))
}

fn cores(millis: u64) -> String {
    if millis.is_multiple_of(1_000) {
        format!("{} cpu", millis / 1_000)
    } else {
        format!("{millis}m cpu")
    }
}

fn mebibytes(bytes: u64) -> String {
    const GIBIBYTE: u64 = 1 << 30;
    if bytes.is_multiple_of(GIBIBYTE) {
        format!("{}GiB of memory", bytes / GIBIBYTE)
    } else {
        format!("{}MiB of memory", bytes >> 20)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use mlp::plan::{Plan, Resources};
    use serde_json::json;

    use super::{Machine, Room};

    fn machine() -> Machine {
        Machine {
            cpu_millis: 2_000,
            memory: 1 << 30,
            gpus: BTreeMap::from([("nvidia".to_owned(), 2)]),
        }
    }

    fn refused(resources: serde_json::Value) -> Option<String> {
        let plan: Plan = serde_json::from_value(json!({
            "version": 1, "project": { "name": "p", "version": "0.1.0" },
            "pipelines": {}, "models": {}, "services": {}, "schemas": {},
            "steps": { "train": {
                "name": "train", "inputs": [], "outputs": [], "run": { "command": [] }, "resources": resources,
            } },
        }))
        .unwrap();
        machine()
            .check(&plan, ["train"].into_iter())
            .err()
            .map(|error| error.to_string())
    }

    #[test]
    fn what_the_machine_has_is_given() {
        assert_eq!(
            refused(json!({ "cpu_millis": 2_000, "gpu": ["nvidia-l4", 2], "spot": true })),
            None
        );
        assert_eq!(refused(json!({ "gpu": ["any", 2] })), None);
    }

    #[test]
    fn what_the_machine_has_not_is_refused() {
        let gpu = refused(json!({ "gpu": ["any", 3] })).unwrap();
        assert!(
            gpu.contains("asks for 3 × any, but this machine has 2 of that kind"),
            "{gpu}"
        );
        let tpu = refused(json!({ "tpu": ["v5e", "2x4"] })).unwrap();
        assert!(
            tpu.contains("asks for a 2x4 slice of TPUs of the kind v5e, but this machine has none"),
            "{tpu}"
        );
    }

    #[test]
    fn a_gpu_of_any_kind_is_taken_once() {
        let mut room = Room::new(&machine());
        let needs = Resources {
            gpu: Some(("any".to_owned(), 2)),
            ..Resources::default()
        };
        assert!(room.take(&needs));
        assert!(!room.take(&needs));
        room.give_back(&needs);
        assert!(room.take(&needs));
    }
}
