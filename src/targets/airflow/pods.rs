//! Pods: what Kubernetes needs to know of a step.

use std::collections::BTreeMap;

use super::python;
use super::runner::{Runs, STARTUP};
use super::write::Call;
use crate::plan::{Resources, Step, Toleration, Volume, VolumeSource};
use crate::targets::{Feature, Refusal, RefusalPlace, TargetError, accelerators, quantity};

/// Where the registry's volume is mounted.
const REGISTRY: &str = "/mlp-registry";

/// What every pod shares.
pub(super) fn constants(runs: &Runs<'_>) -> String {
    let settings = runs.settings;
    let connection = settings.connection.as_deref().unwrap_or("kubernetes_default");
    let mut pod = vec![format!("kubernetes_conn_id={}", python::text(connection))];
    if let Some(namespace) = &settings.namespace {
        pod.push(format!("namespace={}", python::text(namespace)));
    }
    if let Some(account) = &settings.service_account {
        pod.push(format!("service_account_name={}", python::text(account)));
    }
    pod.push(format!(
        "automount_service_account_token={}",
        python::boolean(settings.service_account.is_some())
    ));
    if !settings.image_pull_secrets.is_empty() {
        let secrets = settings.image_pull_secrets.iter();
        let secrets = secrets.map(|name| format!("k8s.V1LocalObjectReference(name={})", python::text(name)));
        pod.push(format!("image_pull_secrets={}", python::list(secrets)));
    }
    pod.push("image_pull_policy=\"IfNotPresent\"".to_owned());
    pod.push(format!("labels={}", texts(&settings.labels)));
    pod.push("env_vars={\"HOME\": \"/tmp\"}".to_owned());
    pod.push(
        "security_context=k8s.V1PodSecurityContext(\n        fs_group=USER, run_as_group=USER, run_as_non_root=True, \
         run_as_user=USER, seccomp_profile=SECURE\n    )"
            .to_owned(),
    );
    pod.push(format!("startup_timeout_seconds={}", STARTUP / 1_000));
    pod.push("startup_check_interval_seconds=2".to_owned());
    pod.push("termination_grace_period=30".to_owned());
    // One that could not be placed would stay, and run later.
    pod.push("on_finish_action=\"delete_pod\"".to_owned());
    pod.push("log_events_on_failure=True".to_owned());
    pod.push("log_pod_spec_on_failure=False".to_owned());
    let lines: String = pod.iter().map(|line| format!("    {line},\n")).collect();
    let mut text = format!(
        "RUNTIME = {}  # the image that holds mlp\n{}POD = dict(\n{lines})\n",
        python::text(&runs.image()),
        include_str!("helpers/pod.py"),
    );
    if let Some(claim) = &settings.registry_claim {
        text.push_str(&format!(
            "REGISTRY = dict(\n    env_vars={{\"HOME\": \"/tmp\", \"MLP_REGISTRY\": \"{REGISTRY}\"}},\n    volumes=[\n        \
             k8s.V1Volume(\n            name=\"registry\",\n            persistent_volume_claim=\
             k8s.V1PersistentVolumeClaimVolumeSource(claim_name={}),\n        )\n    ],\n    \
             volume_mounts=[k8s.V1VolumeMount(name=\"registry\", mount_path=\"{REGISTRY}\")],\n)\n",
            python::text(claim)
        ));
    }
    text
}

/// The settings of a step's pod.
pub(super) fn step(runs: &Runs<'_>, step: &Step, call: &mut Call) -> Result<(), TargetError> {
    if let Some(image) = &step.image {
        call.set("image", python::text(&runs.request.lock.image(image)));
    }
    resources(&step.resources, call);
    if !step.secrets.is_empty() {
        let secrets: Result<Vec<(String, String)>, TargetError> = step
            .secrets
            .keys()
            .map(|variable| Ok((python::text(variable), python::text(secret(runs, step, variable)?))))
            .collect();
        call.set("secrets", python::dict(secrets?));
    }
    if let Some(bytes) = step.resources.disk {
        call.set("disk", python::text(&quantity::bytes(bytes)));
    }
    machine(step, call);
    pod(runs, step, call);
    if let Some(timeout) = step.timeout {
        let seconds = Runs::pod_deadline(timeout).saturating_add(999) / 1_000;
        call.set("active_deadline_seconds", seconds.to_string());
    }
    Ok(())
}

fn resources(resources: &Resources, call: &mut Call) {
    let mut amounts: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, amount: String| amounts.push((python::text(name), python::text(&amount)));
    if let Some(millis) = resources.cpu_millis {
        add("cpu", quantity::cores(millis));
    }
    if let Some(memory) = resources.memory {
        add("memory", quantity::bytes(memory));
    }
    if let Some((_, count)) = &resources.gpu {
        add(accelerators::GPU_RESOURCE, count.to_string());
    }
    if let Some((kind, topology)) = &resources.tpu {
        let slice = accelerators::tpu(kind).and_then(|tpu| tpu.slice(topology));
        add(
            accelerators::TPU_RESOURCE,
            slice.map_or(1, |slice| slice.chips).to_string(),
        );
    }
    if !amounts.is_empty() {
        let amounts = python::dict(amounts);
        call.set(
            "container_resources",
            format!("k8s.V1ResourceRequirements(requests={amounts}, limits={amounts})"),
        );
    }
}

/// Machines by the labels and taints of Google's clusters, and what a step asks for itself.
fn machine(step: &Step, call: &mut Call) {
    let mut labels: BTreeMap<String, String> = BTreeMap::new();
    let mut tolerations: Vec<String> = Vec::new();
    if let Some((kind, _)) = &step.resources.gpu {
        if kind != accelerators::ANY {
            labels.insert(accelerators::GPU_LABEL.to_owned(), kind.clone());
        }
        tolerations.push(borne(accelerators::GPU_RESOURCE));
    }
    if let Some((kind, topology)) = &step.resources.tpu
        && let Some(tpu) = accelerators::tpu(kind)
    {
        labels.insert(accelerators::TPU_LABEL.to_owned(), tpu.kubernetes_label.to_owned());
        labels.insert(accelerators::TPU_TOPOLOGY_LABEL.to_owned(), topology.clone());
        tolerations.push(borne(accelerators::TPU_RESOURCE));
    }
    if step.resources.spot {
        labels.insert(accelerators::SPOT_LABEL.to_owned(), "true".to_owned());
        tolerations.push(toleration(&Toleration {
            key: accelerators::SPOT_LABEL.to_owned(),
            value: Some("true".to_owned()),
            effect: Some("NoSchedule".to_owned()),
        }));
    }
    if let Some(own) = &step.kubernetes {
        labels.extend(own.node_selector.clone());
        tolerations.extend(own.tolerations.iter().map(toleration));
    }
    if !labels.is_empty() {
        call.set("node_selector", texts(&labels));
    }
    if !tolerations.is_empty() {
        call.set("tolerations", python::list(tolerations));
    }
}

/// Machines with accelerators keep others away by a taint of the resource's name.
fn borne(resource: &str) -> String {
    toleration(&Toleration {
        key: resource.to_owned(),
        value: None,
        effect: Some("NoSchedule".to_owned()),
    })
}

fn toleration(of: &Toleration) -> String {
    let operator = if of.value.is_some() { "Equal" } else { "Exists" };
    let mut parts = vec![
        format!("key={}", python::text(&of.key)),
        format!("operator=\"{operator}\""),
    ];
    if let Some(value) = &of.value {
        parts.push(format!("value={}", python::text(value)));
    }
    if let Some(effect) = &of.effect {
        parts.push(format!("effect={}", python::text(effect)));
    }
    format!("k8s.V1Toleration({})", parts.join(", "))
}

/// Volumes, labels and annotations.
fn pod(runs: &Runs<'_>, step: &Step, call: &mut Call) {
    let Some(own) = &step.kubernetes else {
        return;
    };
    if !own.labels.is_empty() {
        let mut labels = runs.settings.labels.clone();
        labels.extend(own.labels.clone());
        call.set("labels", texts(&labels));
    }
    if !own.annotations.is_empty() {
        call.set("annotations", texts(&own.annotations));
    }
    if !own.volumes.is_empty() {
        let named = || own.volumes.iter().enumerate();
        call.set(
            "volumes",
            python::list(named().map(|(position, volume)| self::volume(position, volume))),
        );
        let mounts = named().map(|(position, volume)| {
            let path = python::text(&volume.path);
            format!("k8s.V1VolumeMount(name=\"volume-{position}\", mount_path={path})")
        });
        call.set("volume_mounts", python::list(mounts));
    }
}

fn volume(position: usize, volume: &Volume) -> String {
    let source = match &volume.source {
        VolumeSource::Claim(name) => format!(
            "persistent_volume_claim=k8s.V1PersistentVolumeClaimVolumeSource(claim_name={})",
            python::text(name)
        ),
        VolumeSource::Secret(name) => {
            format!("secret=k8s.V1SecretVolumeSource(secret_name={})", python::text(name))
        }
        VolumeSource::ConfigMap(name) => format!("config_map=k8s.V1ConfigMapVolumeSource(name={})", python::text(name)),
        VolumeSource::Memory(bytes) => format!(
            "empty_dir=k8s.V1EmptyDirVolumeSource(medium=\"Memory\", size_limit={})",
            python::text(&quantity::bytes(*bytes))
        ),
        VolumeSource::Scratch(bytes) => format!(
            "empty_dir=k8s.V1EmptyDirVolumeSource(size_limit={})",
            python::text(&quantity::bytes(*bytes))
        ),
    };
    format!("k8s.V1Volume(name=\"volume-{position}\", {source})")
}

fn texts(texts: &BTreeMap<String, String>) -> String {
    python::dict(
        texts
            .iter()
            .map(|(key, value)| (python::text(key), python::text(value))),
    )
}

/// Where the target keeps a secret: `secret/key`.
fn secret<'r>(runs: &'r Runs<'_>, step: &Step, variable: &str) -> Result<&'r str, TargetError> {
    let target = runs.request.target;
    let found = target.secrets.get(variable).map(String::as_str);
    found
        .filter(|reference| reference.contains('/'))
        .ok_or_else(|| TargetError::Refused {
            target: target.title(),
            refusal: Box::new(Refusal {
                place: RefusalPlace::Step {
                    step: step.name.clone(),
                    setting: "secrets",
                },
                feature: Feature::Secrets,
                why: format!(
                    "the target does not say in which Kubernetes secret, and under which key, it keeps `{variable}`"
                ),
                way_out: format!(
                    "Name it in `secrets` of the target: `secrets: {{ {variable}: \"secret-name/key\" }}`."
                ),
            }),
        })
}
