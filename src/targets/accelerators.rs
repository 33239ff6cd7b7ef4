//! Accelerators: which kinds there are, what each platform calls them, in which counts and shapes they come.
//!
//! Facts only; no prices, no quotas, and nothing of which zone has what. Sources: the label values, machine types and TPU
//! shapes of Google Kubernetes Engine as `xpk` 1.16.0 lists them (`xpk/core/system_characteristics.py`) with the
//! single-host shapes and older GPUs of Google's pages "GPU machine types" and "Plan TPUs in GKE"; the names of Vertex AI
//! from the enum `AcceleratorType` of its API v1 (revision 20261106).

use crate::diagnostics::nearest;

/// The node label by which Google Kubernetes Engine places a pod beside a GPU.
pub const GPU_LABEL: &str = "cloud.google.com/gke-accelerator";

/// The resource that a pod asks for to get GPUs.
pub const GPU_RESOURCE: &str = "nvidia.com/gpu";

/// The node label that says the kind of TPU.
pub const TPU_LABEL: &str = "cloud.google.com/gke-tpu-accelerator";

/// The node label that says the topology of a TPU slice.
pub const TPU_TOPOLOGY_LABEL: &str = "cloud.google.com/gke-tpu-topology";

/// The resource that a pod asks for to get TPU chips.
pub const TPU_RESOURCE: &str = "google.com/tpu";

/// The node label, and the key of the taint, of machines that may be taken away.
pub const SPOT_LABEL: &str = "cloud.google.com/gke-spot";

/// The kind of a GPU when any will do.
pub const ANY: &str = "any";

/// A kind of GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// Its name in the language, which is the value of [`GPU_LABEL`].
    pub kubernetes_label: &'static str,
    /// Its name on Vertex AI.
    pub vertex_name: &'static str,
    /// Memory of one, in gigabytes.
    pub memory_gb: u32,
    /// How many one machine can have, with the machine's type. A type that ends in `-` stands for a family whose size is
    /// chosen apart.
    pub machines: &'static [(u32, &'static str)],
}

impl Gpu {
    /// How many one machine can have.
    pub fn counts(&self) -> impl Iterator<Item = u32> {
        self.machines.iter().map(|(count, _)| *count)
    }

    /// Whether a machine can have `count` of them.
    #[must_use]
    pub fn has_count(&self, count: u32) -> bool {
        self.counts().any(|known| known == count)
    }

    /// The type of the machine that has `count` of them.
    #[must_use]
    pub fn machine(&self, count: u32) -> Option<&'static str> {
        self.machines
            .iter()
            .find(|(known, _)| *known == count)
            .map(|(_, machine)| *machine)
    }
}

macro_rules! gpus {
    ($($label:literal, $vertex:literal, $memory:literal GB: $($count:literal $machine:literal)*;)*) => {
        /// Every kind of GPU.
        pub const GPUS: &[Gpu] = &[$(Gpu {
            kubernetes_label: $label,
            vertex_name: $vertex,
            memory_gb: $memory,
            machines: &[$(($count, $machine)),*],
        }),*];
    };
}

gpus! {
    "nvidia-l4", "NVIDIA_L4", 24 GB: 1 "g2-standard-12" 2 "g2-standard-24" 4 "g2-standard-48" 8 "g2-standard-96";
    "nvidia-rtx-pro-6000", "NVIDIA_RTX_PRO_6000", 96 GB:
        1 "g4-standard-48" 2 "g4-standard-96" 4 "g4-standard-192" 8 "g4-standard-384";
    "nvidia-tesla-t4", "NVIDIA_TESLA_T4", 16 GB: 1 "n1-" 2 "n1-" 4 "n1-";
    "nvidia-tesla-p4", "NVIDIA_TESLA_P4", 8 GB: 1 "n1-" 2 "n1-" 4 "n1-";
    "nvidia-tesla-p100", "NVIDIA_TESLA_P100", 16 GB: 1 "n1-" 2 "n1-" 4 "n1-";
    "nvidia-tesla-v100", "NVIDIA_TESLA_V100", 16 GB: 1 "n1-" 2 "n1-" 4 "n1-" 8 "n1-";
    "nvidia-tesla-a100", "NVIDIA_TESLA_A100", 40 GB:
        1 "a2-highgpu-1g" 2 "a2-highgpu-2g" 4 "a2-highgpu-4g" 8 "a2-highgpu-8g" 16 "a2-megagpu-16g";
    "nvidia-a100-80gb", "NVIDIA_A100_80GB", 80 GB:
        1 "a2-ultragpu-1g" 2 "a2-ultragpu-2g" 4 "a2-ultragpu-4g" 8 "a2-ultragpu-8g";
    "nvidia-h100-80gb", "NVIDIA_H100_80GB", 80 GB:
        1 "a3-highgpu-1g" 2 "a3-highgpu-2g" 4 "a3-highgpu-4g" 8 "a3-highgpu-8g";
    "nvidia-h100-mega-80gb", "NVIDIA_H100_MEGA_80GB", 80 GB: 8 "a3-megagpu-8g";
    "nvidia-h200-141gb", "NVIDIA_H200_141GB", 141 GB: 8 "a3-ultragpu-8g";
    "nvidia-b200", "NVIDIA_B200", 180 GB: 8 "a4-highgpu-8g";
    "nvidia-gb200", "NVIDIA_GB200", 186 GB: 4 "a4x-highgpu-4g";
}

/// The GPU of that kind; nothing for [`ANY`] and for what does not exist.
#[must_use]
pub fn gpu(kind: &str) -> Option<Gpu> {
    GPUS.iter().copied().find(|gpu| gpu.kubernetes_label == kind)
}

/// The kind that was probably meant: `l4`, `NVIDIA_L4`, `nvidia-l5`.
#[must_use]
pub fn nearest_gpu(kind: &str) -> Option<&'static str> {
    let plain = kind.to_ascii_lowercase().replace(['_', ' '], "-");
    let labels = || GPUS.iter().map(|gpu| gpu.kubernetes_label);
    let exact = GPUS.iter().find(|gpu| gpu.vertex_name.eq_ignore_ascii_case(kind));
    let part = labels().find(|label| label.split('-').any(|word| word == plain) || *label == format!("nvidia-{plain}"));
    let found = exact.map(|gpu| gpu.kubernetes_label).or(part);
    found.or_else(|| {
        let found = nearest(&plain, labels())?;
        labels().find(|label| *label == found)
    })
}

/// A kind of TPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tpu {
    /// Its name in the language.
    pub kind: &'static str,
    /// The value of [`TPU_LABEL`].
    pub kubernetes_label: &'static str,
    /// Its name on Vertex AI, where it has one.
    pub vertex_name: Option<&'static str>,
    /// Shapes that fit in one machine, with the machine's type.
    pub single_host: &'static [(&'static str, &'static str)],
    /// The shapes of several machines, of four chips each.
    pub multi_host: Shapes,
}

/// The shapes of slices of several machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shapes {
    /// These.
    Listed(&'static [&'static str]),
    /// `2x2x2`, `2x2x4`, `2x4x4`, and boxes whose edges are multiples of four.
    Torus {
        /// The longest edge.
        edge: u64,
        /// Chips at the most.
        chips: u64,
        /// Whether no edge may be shorter than the one before.
        ascending: bool,
    },
}

/// A slice of TPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TpuSlice {
    /// Chips in the whole slice.
    pub chips: u64,
    /// Machines in the slice: a step's pod can have one.
    pub hosts: u64,
    /// The type of machine, for a slice of one.
    pub machine: Option<&'static str>,
}

const SMALL_TORUS: [&str; 3] = ["2x2x2", "2x2x4", "2x4x4"];

/// Chips of one machine of a slice of several.
const CHIPS_PER_HOST: u64 = 4;

/// Every kind of TPU.
pub const TPUS: &[Tpu] = &[
    Tpu {
        kind: "v4",
        kubernetes_label: "tpu-v4-podslice",
        vertex_name: Some("TPU_V4_POD"),
        single_host: &[("2x2x1", "ct4p-hightpu-4t")],
        multi_host: Shapes::Torus {
            edge: 256,
            chips: 4096,
            ascending: false,
        },
    },
    Tpu {
        kind: "v5e",
        kubernetes_label: "tpu-v5-lite-podslice",
        vertex_name: Some("TPU_V5_LITEPOD"),
        single_host: &[
            ("1x1", "ct5lp-hightpu-1t"),
            ("2x2", "ct5lp-hightpu-4t"),
            ("2x4", "ct5lp-hightpu-8t"),
        ],
        multi_host: Shapes::Listed(&["4x4", "4x8", "8x8", "8x16", "16x16"]),
    },
    Tpu {
        kind: "v5p",
        kubernetes_label: "tpu-v5p-slice",
        vertex_name: None,
        single_host: &[("2x2x1", "ct5p-hightpu-4t")],
        multi_host: Shapes::Torus {
            edge: 256,
            chips: 8960,
            ascending: true,
        },
    },
    Tpu {
        kind: "v6e",
        kubernetes_label: "tpu-v6e-slice",
        vertex_name: None,
        single_host: &[
            ("1x1", "ct6e-standard-1t"),
            ("2x2", "ct6e-standard-4t"),
            ("2x4", "ct6e-standard-8t"),
        ],
        multi_host: Shapes::Listed(&["4x4", "4x8", "8x8", "8x16", "16x16"]),
    },
    Tpu {
        kind: "tpu7",
        kubernetes_label: "tpu7",
        vertex_name: None,
        single_host: &[("1x1x1", "tpu7-standard-1t"), ("2x2x1", "tpu7-standard-4t")],
        multi_host: Shapes::Listed(&["2x2x2", "2x2x4", "2x4x4", "4x4x4", "4x4x8", "4x4x12", "4x4x16", "4x8x8"]),
    },
    Tpu {
        kind: "tpu7x",
        kubernetes_label: "tpu7x",
        vertex_name: None,
        single_host: &[("1x1x1", "tpu7x-standard-1t"), ("2x2x1", "tpu7x-standard-4t")],
        multi_host: Shapes::Torus {
            edge: 256,
            chips: 9216,
            ascending: true,
        },
    },
];

/// The TPU of that kind.
#[must_use]
pub fn tpu(kind: &str) -> Option<Tpu> {
    TPUS.iter().copied().find(|tpu| tpu.kind == kind)
}

/// The kind that was probably meant: `v5`, `tpu-v5e`, `V6E`.
#[must_use]
pub fn nearest_tpu(kind: &str) -> Option<&'static str> {
    let plain = kind.to_ascii_lowercase();
    let by_label = TPUS.iter().find(|tpu| tpu.kubernetes_label == plain);
    let by_end = TPUS.iter().find(|tpu| plain.ends_with(tpu.kind));
    by_label.or(by_end).map(|tpu| tpu.kind).or_else(|| {
        let found = nearest(&plain, TPUS.iter().map(|tpu| tpu.kind))?;
        tpu(&found).map(|tpu| tpu.kind)
    })
}

impl Tpu {
    /// The slice of that topology (`2x4`); nothing for one that does not exist.
    #[must_use]
    pub fn slice(&self, topology: &str) -> Option<TpuSlice> {
        let edges = edges(topology)?;
        let chips = edges.iter().try_fold(1_u64, |chips, edge| chips.checked_mul(*edge))?;
        if let Some((_, machine)) = self.single_host.iter().find(|(shape, _)| *shape == topology) {
            return Some(TpuSlice {
                chips,
                hosts: 1,
                machine: Some(machine),
            });
        }
        self.multi_host.has(topology, &edges, chips).then_some(TpuSlice {
            chips,
            hosts: chips.checked_div(CHIPS_PER_HOST)?,
            machine: None,
        })
    }

    /// The topologies that a step can have, since they fit in one machine.
    pub fn single_host_topologies(&self) -> impl Iterator<Item = &'static str> {
        self.single_host.iter().map(|(shape, _)| *shape)
    }
}

impl Shapes {
    fn has(self, topology: &str, edges: &[u64], chips: u64) -> bool {
        match self {
            Self::Listed(shapes) => shapes.contains(&topology),
            Self::Torus {
                edge: longest,
                chips: most,
                ascending,
            } => {
                let is_box = edges.len() == 3
                    && chips <= most
                    && edges.iter().all(|edge| edge % 4 == 0 && *edge <= longest)
                    && (!ascending || edges.is_sorted());
                is_box || SMALL_TORUS.contains(&topology)
            }
        }
    }
}

/// The edges of a topology, each above zero; nothing where the text has another shape (`02x4`, `2x`, `4`).
fn edges(topology: &str) -> Option<Vec<u64>> {
    let edge = |text: &str| {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        plain.then(|| text.parse().ok()).flatten()
    };
    let edges: Option<Vec<u64>> = topology.split('x').map(edge).collect();
    edges.filter(|edges| (2..=3).contains(&edges.len()))
}

#[cfg(test)]
mod tests {
    use super::{GPUS, TPUS, gpu, nearest_gpu, nearest_tpu, tpu};

    #[test]
    fn a_gpu_has_names_and_counts() {
        let l4 = gpu("nvidia-l4").unwrap();
        assert_eq!(l4.vertex_name, "NVIDIA_L4");
        assert_eq!(l4.counts().collect::<Vec<_>>(), [1, 2, 4, 8]);
        assert_eq!(l4.machine(4), Some("g2-standard-48"));
        assert!(!l4.has_count(3));
        assert_eq!(gpu("nvidia-l5"), None);
        assert_eq!(gpu("any"), None);
    }

    #[test]
    fn names_are_those_of_the_platforms() {
        for gpu in GPUS {
            assert!(gpu.kubernetes_label.starts_with("nvidia-"), "{gpu:?}");
            assert!(gpu.vertex_name.starts_with("NVIDIA_"), "{gpu:?}");
            assert!(gpu.counts().is_sorted() && gpu.counts().next().is_some(), "{gpu:?}");
        }
    }

    #[test]
    fn a_gpu_by_another_name_is_found() {
        assert_eq!(nearest_gpu("l4"), Some("nvidia-l4"));
        assert_eq!(nearest_gpu("NVIDIA_L4"), Some("nvidia-l4"));
        assert_eq!(nearest_gpu("T4"), Some("nvidia-tesla-t4"));
        assert_eq!(nearest_gpu("nvidia-h10-80gb"), Some("nvidia-h100-80gb"));
        assert_eq!(nearest_gpu("banana"), None);
    }

    #[test]
    fn a_tpu_has_the_shapes_of_its_kind() {
        let v5e = tpu("v5e").unwrap();
        assert_eq!(v5e.slice("2x4").map(|slice| (slice.chips, slice.hosts)), Some((8, 1)));
        assert_eq!(v5e.slice("4x4").map(|slice| (slice.chips, slice.hosts)), Some((16, 4)));
        for wrong in [
            "4x2",
            "3x3",
            "2x2x1",
            "",
            "x",
            "2x",
            "02x4",
            "16",
            "99999999999999999999x2",
        ] {
            assert_eq!(v5e.slice(wrong), None, "{wrong}");
        }
        let v5p = tpu("v5p").unwrap();
        assert_eq!(v5p.slice("4x4x12").map(|slice| slice.hosts), Some(48));
        assert_eq!(v5p.slice("12x4x4"), None, "edges ascend");
        assert!(tpu("v4").unwrap().slice("12x4x4").is_some(), "and need not for v4");
        assert_eq!(v5p.slice("4x4x260"), None);
        assert_eq!(v5p.slice("4x4x6"), None);
    }

    #[test]
    fn every_single_host_shape_is_a_slice_of_one_machine() {
        for tpu in TPUS {
            for shape in tpu.single_host_topologies() {
                assert_eq!(
                    tpu.slice(shape).map(|slice| slice.hosts),
                    Some(1),
                    "{} {shape}",
                    tpu.kind
                );
            }
        }
    }

    #[test]
    fn a_tpu_by_another_name_is_found() {
        assert_eq!(nearest_tpu("V5E"), Some("v5e"));
        assert_eq!(nearest_tpu("tpu-v5-lite-podslice"), Some("v5e"));
        assert_eq!(nearest_tpu("tpu-v6e"), Some("v6e"));
        assert_eq!(nearest_tpu("banana"), None);
    }
}
