//! The second document: what Kubernetes alone knows.

use super::task::Draft;
use super::{Lowering, settings};
use crate::plan::{KubeflowTarget, Kubernetes, Resources, Step, Volume, VolumeSource};
use crate::targets::pipeline_spec::{
    ConfigMapVolume, EmptyDirMount, ImagePullSecret, KeyToEnv, KubernetesExecutor, NodeSelector, ParameterInput,
    PodMetadata, PvcMount, RuntimeValue, SecretAsEnv, SecretVolume, Toleration,
};
use crate::targets::{Feature, TargetError, accelerators, quantity};

/// Applies what a step needs.
pub(super) fn step(
    lowering: &Lowering<'_>,
    target: &KubeflowTarget,
    step: &Step,
    draft: &mut Draft,
) -> Result<(), TargetError> {
    if let Some(timeout) = step.timeout {
        let seconds = timeout.max(0).saturating_add(999) / 1_000;
        draft.kubernetes.active_deadline_seconds = Some(seconds.max(1).to_string().into());
    }
    for variable in step.secrets.keys() {
        let reference = settings::secret(lowering, step, variable)?;
        let Some((name, key)) = reference.split_once('/') else {
            return Err(lowering.refused(
                step,
                "secrets",
                Feature::Secrets,
                format!("`{reference}` does not say which key of the Kubernetes secret is `{variable}`"),
                "Name it as `secret/key` in `secrets` of the target.",
            ));
        };
        draft.kubernetes.secret_as_env.push(SecretAsEnv {
            key_to_env: vec![KeyToEnv {
                env_var: variable.clone(),
                secret_key: key.to_owned(),
            }],
            optional: Some(false),
            secret_name: Some(name.to_owned()),
            secret_name_parameter: Some(named(name)),
        });
    }
    machine(&mut draft.kubernetes, &step.resources);
    if let Some(wanted) = &step.kubernetes {
        pod(&mut draft.kubernetes, wanted);
    }
    everywhere(target, draft);
    Ok(())
}

/// Applies what holds for every pod of a target.
pub(super) fn everywhere(target: &KubeflowTarget, draft: &mut Draft) {
    for secret in &target.image_pull_secrets {
        draft.kubernetes.image_pull_secret.push(ImagePullSecret {
            secret_name: Some(secret.clone()),
            secret_name_parameter: Some(named(secret)),
        });
    }
    if !target.labels.is_empty() {
        let metadata = draft.kubernetes.pod_metadata.get_or_insert_with(PodMetadata::default);
        for (name, value) in &target.labels {
            metadata.labels.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
}

/// Mounts the volume that keeps the registry.
pub(super) fn registry(target: &KubeflowTarget, draft: &mut Draft) {
    if let Some(claim) = &target.registry_claim {
        draft.kubernetes.pvc_mount.push(mount(claim, "/mlp/registry"));
    }
}

fn pod(executor: &mut KubernetesExecutor, wanted: &Kubernetes) {
    if !wanted.node_selector.is_empty() {
        let selector = executor.node_selector.get_or_insert_with(NodeSelector::default);
        selector.labels.extend(wanted.node_selector.clone());
    }
    for toleration in &wanted.tolerations {
        let operator = if toleration.value.is_some() { "Equal" } else { "Exists" };
        executor.tolerations.push(Toleration {
            effect: toleration.effect.clone(),
            key: Some(toleration.key.clone()),
            operator: Some(operator.to_owned()),
            value: toleration.value.clone(),
            ..Toleration::default()
        });
    }
    for (position, volume) in wanted.volumes.iter().enumerate() {
        self::volume(executor, volume, position);
    }
    if !wanted.labels.is_empty() || !wanted.annotations.is_empty() {
        let metadata = executor.pod_metadata.get_or_insert_with(PodMetadata::default);
        metadata.labels.extend(wanted.labels.clone());
        metadata.annotations.extend(wanted.annotations.clone());
    }
}

fn volume(executor: &mut KubernetesExecutor, volume: &Volume, position: usize) {
    let mount_path = volume.path.clone();
    let empty = |medium: Option<&str>, bytes: u64| EmptyDirMount {
        medium: medium.map(str::to_owned),
        mount_path: mount_path.clone(),
        size_limit: Some(quantity::bytes(bytes)),
        volume_name: format!("scratch-{position}"),
    };
    match &volume.source {
        VolumeSource::Claim(claim) => executor.pvc_mount.push(mount(claim, &mount_path)),
        VolumeSource::Secret(name) => executor.secret_as_volume.push(SecretVolume {
            mount_path,
            optional: Some(false),
            secret_name: Some(name.clone()),
            secret_name_parameter: Some(named(name)),
        }),
        VolumeSource::ConfigMap(name) => executor.config_map_as_volume.push(ConfigMapVolume {
            config_map_name: Some(name.clone()),
            config_map_name_parameter: Some(named(name)),
            mount_path,
            optional: Some(false),
        }),
        VolumeSource::Memory(bytes) => executor.empty_dir_mounts.push(empty(Some("Memory"), *bytes)),
        VolumeSource::Scratch(bytes) => executor.empty_dir_mounts.push(empty(None, *bytes)),
    }
}

/// Labels and taints by which Google's clusters know machines, and scratch space.
fn machine(executor: &mut KubernetesExecutor, resources: &Resources) {
    let mut labels = Vec::new();
    if let Some((kind, _)) = &resources.gpu
        && kind != accelerators::ANY
    {
        labels.push((accelerators::GPU_LABEL, kind.clone()));
    }
    if let Some((kind, topology)) = &resources.tpu
        && let Some(tpu) = accelerators::tpu(kind)
    {
        labels.push((accelerators::TPU_LABEL, tpu.kubernetes_label.to_owned()));
        labels.push((accelerators::TPU_TOPOLOGY_LABEL, topology.clone()));
    }
    if resources.spot {
        labels.push((accelerators::SPOT_LABEL, "true".to_owned()));
        executor.tolerations.push(Toleration {
            effect: Some("NoSchedule".to_owned()),
            key: Some(accelerators::SPOT_LABEL.to_owned()),
            operator: Some("Equal".to_owned()),
            value: Some("true".to_owned()),
            ..Toleration::default()
        });
    }
    if !labels.is_empty() {
        let selector = executor.node_selector.get_or_insert_with(NodeSelector::default);
        selector
            .labels
            .extend(labels.into_iter().map(|(label, value)| (label.to_owned(), value)));
    }
    if let Some(bytes) = resources.disk {
        executor.empty_dir_mounts.push(EmptyDirMount {
            medium: None,
            mount_path: "/tmp".to_owned(),
            size_limit: Some(quantity::bytes(bytes)),
            volume_name: "disk".to_owned(),
        });
    }
}

fn mount(claim: &str, path: &str) -> PvcMount {
    PvcMount {
        constant: Some(claim.to_owned()),
        mount_path: path.to_owned(),
        pvc_name_parameter: Some(named(claim)),
        ..PvcMount::default()
    }
}

fn named(name: &str) -> ParameterInput {
    ParameterInput {
        runtime_value: Some(RuntimeValue::Constant(name.into())),
        ..ParameterInput::default()
    }
}
