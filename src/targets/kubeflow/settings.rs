//! A step's settings as the platform knows them: caching, retries, resources, environment, secrets, time.

use super::platform::Host;
use super::task::Draft;
use super::{Lowering, kubernetes, values};
use crate::plan::{CachePolicy, CheckKind, Node, NodeKind, Operation, Resources, Retries, Step};
use crate::targets::pipeline_spec::{
    Accelerator, CachingOptions, ContainerResources, EnvironmentVariable, RetryPolicy,
};
use crate::targets::{Feature, TargetError, accelerators, quantity};
use crate::types::Value;

/// The variable that tells where the model registry is.
const REGISTRY_VARIABLE: &str = "MLP_REGISTRY";

/// Applies a step's settings. `launched` says that one of our own programs runs the step, and can do what the platform
/// cannot.
pub(super) fn step(
    lowering: &mut Lowering<'_>,
    step: &Step,
    draft: &mut Draft,
    launched: bool,
) -> Result<(), TargetError> {
    draft.task.caching_options = Some(caching(&step.cache));
    draft.task.retry_policy = retries(&step.retries);
    draft.container.resources = resources(lowering, step);
    for (name, value) in &step.env {
        if values::looks_like_placeholder(value) || values::looks_like_placeholder(name) {
            if launched {
                // The program that runs the step sets it.
                continue;
            }
            return Err(lowering.refused(
                step,
                "env",
                Feature::ContainerHole,
                format!("the platform would take `{{{{` in the variable `{name}` for a placeholder"),
                "Leave `image` out, or pass the text as a parameter of the step.",
            ));
        }
        draft.container.env.push(EnvironmentVariable {
            name: name.clone(),
            value: value.clone(),
        });
    }
    match lowering.host {
        Host::Kubeflow(settings) => kubernetes::step(lowering, settings, step, draft),
        Host::Vertex(_) => vertex(lowering, step, draft, launched),
    }
}

/// What an operation needs beside its inputs.
pub(super) fn operation(lowering: &mut Lowering<'_>, node: &Node, draft: &mut Draft) {
    let tie = operation_of(node).map_or(Tie::None, tie);
    draft.task.caching_options = Some(CachingOptions {
        cache_key: None,
        enable_cache: tie == Tie::None,
    });
    if matches!(tie, Tie::Records | Tie::Registry) {
        if let Some(value) = lowering.host.registry() {
            draft.container.env.push(EnvironmentVariable {
                name: REGISTRY_VARIABLE.to_owned(),
                value,
            });
        } else if tie == Tie::Registry {
            lowering.warn_once(
                "`champion`, `register` and `deploy` need a registry that all runs share, and the target names none: set \
                 `registry_claim` to the claim of a volume (Kubeflow), or `registry` to a bucket (Vertex AI).",
            );
        }
        if let Host::Kubeflow(settings) = lowering.host {
            kubernetes::registry(settings, draft);
        }
    }
    if let Host::Kubeflow(settings) = lowering.host {
        kubernetes::everywhere(settings, draft);
    }
}

fn operation_of(node: &Node) -> Option<&Operation> {
    match &node.kind {
        NodeKind::Operation(operation) => Some(operation),
        NodeKind::Step(_) | NodeKind::Branch(_) | NodeKind::Loop(_) | NodeKind::Finally(_) | NodeKind::Pipeline(_) => {
            None
        }
    }
}

/// What ties an operation to one run, so that an earlier output must not stand for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tie {
    /// Nothing: equal inputs give equal outputs.
    None,
    /// What lies outside, or the time.
    World,
    /// It writes into the records of decisions, or reads from them.
    Records,
    /// It means nothing without the registry.
    Registry,
}

fn tie(operation: &Operation) -> Tie {
    match operation {
        Operation::Read { .. } => Tie::World,
        Operation::Champion { .. } | Operation::Register { .. } | Operation::Deploy { .. } => Tie::Registry,
        Operation::Gate { .. } | Operation::Challenge(_) | Operation::Approve { .. } => Tie::Records,
        Operation::Validate { checks, .. } => {
            let checks = checks.iter().flat_map(|checks| &checks.checks);
            let ties: Vec<Tie> = checks.map(|check| tie_of_check(&check.measure)).collect();
            let strongest = [Tie::Records, Tie::World].into_iter().find(|tie| ties.contains(tie));
            strongest.unwrap_or(Tie::None)
        }
        Operation::Features(_)
        | Operation::Project(_)
        | Operation::Split { .. }
        | Operation::Mask { .. }
        | Operation::Predict { .. }
        | Operation::Evaluate { .. }
        | Operation::Prior { .. } => Tie::None,
    }
}

/// Drift is measured against the champion's data, freshness against the time.
fn tie_of_check(check: &CheckKind) -> Tie {
    match check {
        CheckKind::Drift { .. } => Tie::Records,
        CheckKind::Freshness(_) => Tie::World,
        CheckKind::Rows
        | CheckKind::Unique(_)
        | CheckKind::NullRate(_)
        | CheckKind::Distinct(_)
        | CheckKind::Mean(_)
        | CheckKind::StandardDeviation(_)
        | CheckKind::Minimum(_)
        | CheckKind::Maximum(_)
        | CheckKind::Sum(_)
        | CheckKind::Quantile(..)
        | CheckKind::Share(_) => Tie::None,
    }
}

/// Whether a node is told the run that it belongs to, for the records.
pub(super) fn is_of_one_run(node: &Node) -> bool {
    operation_of(node).is_some_and(|operation| matches!(tie(operation), Tie::Records | Tie::Registry))
}

fn caching(policy: &CachePolicy) -> CachingOptions {
    match policy {
        CachePolicy::Auto => CachingOptions {
            cache_key: None,
            enable_cache: true,
        },
        CachePolicy::Never => CachingOptions::default(),
        CachePolicy::Key(key) => CachingOptions {
            cache_key: Some(key.clone()),
            enable_cache: true,
        },
    }
}

fn retries(retries: &Retries) -> Option<RetryPolicy> {
    (retries.count > 0).then(|| RetryPolicy {
        backoff_duration: Some(seconds(retries.backoff.first)),
        backoff_factor: Some(retries.backoff.factor),
        backoff_max_duration: Some(seconds(retries.backoff.longest)),
        max_retry_count: retries.count,
    })
}

/// Milliseconds as protobuf writes durations: `30s`, `0.250s`.
fn seconds(milliseconds: i64) -> String {
    let milliseconds = milliseconds.max(0);
    let (whole, part) = (milliseconds / 1_000, milliseconds % 1_000);
    if part == 0 {
        format!("{whole}s")
    } else {
        format!("{whole}.{part:03}s")
    }
}

fn resources(lowering: &Lowering<'_>, step: &Step) -> Option<ContainerResources> {
    let Resources {
        cpu_millis,
        memory,
        disk: _,
        gpu,
        tpu,
        spot: _,
    } = &step.resources;
    let accelerator = match (gpu, tpu) {
        (Some((kind, count)), _) => Some(accelerator(lowering.host.gpu(kind), u64::from(*count))),
        (None, Some((kind, topology))) => {
            let chips = accelerators::tpu(kind)
                .and_then(|tpu| tpu.slice(topology))
                .map(|slice| slice.chips);
            Some(accelerator(lowering.host.tpu(kind), chips.unwrap_or(1)))
        }
        (None, None) => None,
    };
    let resources = ContainerResources {
        accelerator,
        #[expect(clippy::cast_precision_loss, reason = "counts of cores are small")]
        cpu_limit: cpu_millis.map(|millis| millis as f64 / 1_000.0),
        #[expect(clippy::cast_precision_loss, reason = "the older spelling is a rounded one")]
        memory_limit: memory.map(|bytes| bytes as f64 / 1e9),
        resource_cpu_limit: cpu_millis.map(quantity::cores),
        resource_memory_limit: memory.map(quantity::bytes),
        ..ContainerResources::default()
    };
    (resources != ContainerResources::default()).then_some(resources)
}

fn accelerator(kind: &str, count: u64) -> Accelerator {
    Accelerator {
        count: Some(count.to_string()),
        resource_count: Some(count.to_string()),
        resource_type: Some(kind.to_owned()),
        kind: Some(kind.to_owned()),
    }
}

/// Vertex AI has no settings for Kubernetes: our own programs do what they can. The rest was refused before.
fn vertex(lowering: &Lowering<'_>, step: &Step, draft: &mut Draft, launched: bool) -> Result<(), TargetError> {
    if !launched {
        return Ok(());
    }
    if let Some(timeout) = step.timeout {
        let text = Value::Duration(timeout).to_string();
        draft.container.args.extend(["--timeout".to_owned(), text]);
    }
    for variable in step.secrets.keys() {
        let reference = secret(lowering, step, variable)?;
        draft
            .container
            .args
            .extend(["--secret".to_owned(), format!("{variable}={reference}")]);
    }
    Ok(())
}

/// The platform's own reference of a secret.
pub(super) fn secret<'r>(lowering: &Lowering<'r>, step: &Step, variable: &str) -> Result<&'r str, TargetError> {
    let found = lowering.request.target.secrets.get(variable);
    found.map(String::as_str).ok_or_else(|| {
        lowering.refused(
            step,
            "secrets",
            Feature::Secrets,
            format!("the target does not say where it keeps the secret `{variable}`"),
            "Name it in `secrets` of the target.",
        )
    })
}
