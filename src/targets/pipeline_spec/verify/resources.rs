//! Resources: amounts as Kubernetes writes them, requests below limits, and what Vertex AI has.

use super::super::ContainerResources;
use super::Platform;
use super::context::{Context, ExecutorPlace};
use super::finding::{FindingKind, Findings};

/// What a machine of Vertex AI has at the most: processors, and bytes of memory.
const VERTEX_PROCESSORS: f64 = 96.0;
const VERTEX_MEMORY: f64 = 624e9;
/// Memory below this is no amount that anybody means; the unit was forgotten.
const LEAST_MEMORY: f64 = 1_000_000.0;

/// Accelerators by the names that Vertex AI gives them (`AcceleratorType` of its API).
const VERTEX_ACCELERATORS: [&str; 18] = [
    "NVIDIA_A100_80GB",
    "NVIDIA_B200",
    "NVIDIA_GB200",
    "NVIDIA_H100_80GB",
    "NVIDIA_H100_MEGA_80GB",
    "NVIDIA_H200_141GB",
    "NVIDIA_L4",
    "NVIDIA_RTX_PRO_6000",
    "NVIDIA_TESLA_A100",
    "NVIDIA_TESLA_K80",
    "NVIDIA_TESLA_P100",
    "NVIDIA_TESLA_P4",
    "NVIDIA_TESLA_T4",
    "NVIDIA_TESLA_V100",
    "TPU_V2",
    "TPU_V3",
    "TPU_V4_POD",
    "TPU_V5_LITEPOD",
];

/// A kind of amount: how it is read, called and bounded.
struct Kind {
    noun: &'static str,
    limit: &'static str,
    request: &'static str,
    form: &'static str,
    read: fn(&str) -> Option<f64>,
    most: f64,
    most_noun: &'static str,
}

/// Processors.
pub(super) fn processors(context: &Context<'_>, place: ExecutorPlace<'_>, findings: &mut Findings) {
    let kind = Kind {
        noun: "processors",
        limit: "resourceCpuLimit",
        request: "resourceCpuRequest",
        form: "Write a number of processors, as in `2`, `0.5` or `500m`.",
        read: cores,
        most: VERTEX_PROCESSORS,
        most_noun: "96 processors",
    };
    let older = |resources: &ContainerResources| (resources.cpu_limit, resources.cpu_request);
    let newer = |resources: &ContainerResources| {
        (
            resources.resource_cpu_limit.clone(),
            resources.resource_cpu_request.clone(),
        )
    };
    amounts(context, place, &kind, older, newer, findings);
}

/// Memory.
pub(super) fn memory(context: &Context<'_>, place: ExecutorPlace<'_>, findings: &mut Findings) {
    let kind = Kind {
        noun: "memory",
        limit: "resourceMemoryLimit",
        request: "resourceMemoryRequest",
        form: "Write a whole number with a unit, as in `512Mi`, `4G` or `1500Mi`.",
        read: bytes,
        most: VERTEX_MEMORY,
        most_noun: "624 GB of memory",
    };
    let older = |resources: &ContainerResources| {
        let bytes = |amount: Option<f64>| amount.map(|amount| amount * 1e9);
        (bytes(resources.memory_limit), bytes(resources.memory_request))
    };
    let newer = |resources: &ContainerResources| {
        (
            resources.resource_memory_limit.clone(),
            resources.resource_memory_request.clone(),
        )
    };
    amounts(context, place, &kind, older, newer, findings);
    let Some(resources) = place.container().and_then(|container| container.resources.as_ref()) else {
        return;
    };
    let (limit, request) = newer(resources);
    for (field, text) in [(kind.limit, limit), (kind.request, request)] {
        let Some(text) = text else { continue };
        if bytes(&text).is_some_and(|bytes| bytes < LEAST_MEMORY) {
            findings.add(
                FindingKind::MemoryUnit,
                place.at(&["container", "resources", field]),
                format!(
                    "The executor `{}` has `{text}` of memory, which are bytes.",
                    place.label
                ),
                format!("Write the unit: `{text}Mi` or `{text}Gi`."),
            );
        }
    }
}

type Older = fn(&ContainerResources) -> (Option<f64>, Option<f64>);
type Newer = fn(&ContainerResources) -> (Option<String>, Option<String>);

fn amounts(
    context: &Context<'_>,
    place: ExecutorPlace<'_>,
    kind: &Kind,
    older: Older,
    newer: Newer,
    findings: &mut Findings,
) {
    let Some(resources) = place.container().and_then(|container| container.resources.as_ref()) else {
        return;
    };
    let (limit_text, request_text) = newer(resources);
    let (older_limit, older_request) = older(resources);
    let limit = amount(place, kind, kind.limit, limit_text.as_deref(), findings).or(older_limit);
    let request = amount(place, kind, kind.request, request_text.as_deref(), findings).or(older_request);
    if let (Some(limit), Some(request)) = (limit, request)
        && request > limit
    {
        findings.add(
            FindingKind::ResourceOrder,
            place.at(&["container", "resources", kind.request]),
            format!(
                "The executor `{}` requests more {} than its limit allows.",
                place.label, kind.noun
            ),
            "Raise the limit, or request less.",
        );
    }
    if context.platform == Platform::Vertex
        && let Some(limit) = limit
        && limit > kind.most
    {
        findings.add(
            FindingKind::ResourceLimit,
            place.at(&["container", "resources", kind.limit]),
            format!(
                "The executor `{}` may use more than the {} that Vertex AI has.",
                place.label, kind.most_noun
            ),
            "Lower the limit, or run the work in a service of its own.",
        );
    }
}

/// An amount; says so when it cannot be read. A placeholder is known at run time alone.
fn amount(
    place: ExecutorPlace<'_>,
    kind: &Kind,
    field: &str,
    text: Option<&str>,
    findings: &mut Findings,
) -> Option<f64> {
    let text = text.filter(|text| !text.is_empty() && !text.contains("{{$"))?;
    let amount = (kind.read)(text);
    if amount.is_none() {
        findings.add(
            FindingKind::ResourceSyntax,
            place.at(&["container", "resources", field]),
            format!(
                "The executor `{}` has `{text}` of {}, which is no amount.",
                place.label, kind.noun
            ),
            kind.form,
        );
    }
    amount
}

/// `([0-9]*[.])?[0-9]+m?`
fn cores(text: &str) -> Option<f64> {
    let (number, unit) = match text.strip_suffix('m') {
        Some(number) => (number, 0.001),
        None => (text, 1.0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or(("0", number));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let reads = is_digits(whole) && !fraction.is_empty() && is_digits(fraction);
    reads.then(|| number.parse::<f64>().ok().map(|number| number * unit))?
}

/// `[0-9]+(E|Ei|P|Pi|T|Ti|G|Gi|M|Mi|K|Ki)?`
fn bytes(text: &str) -> Option<f64> {
    let digits = text.find(|each: char| !each.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let (letter, base) = match unit.strip_suffix('i') {
        Some(letter) => (letter, 1024_f64),
        None => (unit, 1000_f64),
    };
    let power = match (letter, unit) {
        ("", "") => 0,
        ("K", _) => 1,
        ("M", _) => 2,
        ("G", _) => 3,
        ("T", _) => 4,
        ("P", _) => 5,
        ("E", _) => 6,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * base.powi(power))
}

/// Accelerators have a kind that the platform knows, and a count.
pub(super) fn accelerator(context: &Context<'_>, place: ExecutorPlace<'_>, findings: &mut Findings) {
    let resources = place.container().and_then(|container| container.resources.as_ref());
    let Some(accelerator) = resources.and_then(|resources| resources.accelerator.as_ref()) else {
        return;
    };
    let newer = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let kind = newer(&accelerator.resource_type).or_else(|| newer(&accelerator.kind));
    let count = newer(&accelerator.resource_count).or_else(|| newer(&accelerator.count));
    let at = |field: &str| place.at(&["container", "resources", "accelerator", field]);
    if let Some(count) = count.filter(|count| !count.contains("{{$") && count.parse::<u32>().is_err()) {
        let message = format!(
            "The executor `{}` has `{count}` accelerators, which is no number.",
            place.label
        );
        findings.add(
            FindingKind::Accelerator,
            at("resourceCount"),
            message,
            "Write a whole number.",
        );
    }
    let Some(kind) = kind else {
        let message = format!(
            "The executor `{}` counts accelerators and does not say of which kind.",
            place.label
        );
        let help = match context.platform {
            Platform::Kubeflow => "Name one as Kubernetes does, as in `nvidia.com/gpu`.",
            Platform::Vertex => "Name one as Vertex AI does, as in `NVIDIA_TESLA_T4`.",
        };
        findings.add(FindingKind::Accelerator, at("resourceType"), message, help);
        return;
    };
    let is_known = match context.platform {
        Platform::Kubeflow => kind.contains('/'),
        Platform::Vertex => VERTEX_ACCELERATORS.contains(&kind.as_str()),
    };
    if !is_known && !kind.contains("{{$") {
        let message = format!(
            "The executor `{}` wants the accelerator `{kind}`, which the platform does not know by that name.",
            place.label
        );
        let near = crate::diagnostics::nearest(&kind, VERTEX_ACCELERATORS);
        let help = match (context.platform, near) {
            (Platform::Kubeflow, _) => "Name it as Kubernetes does, as in `nvidia.com/gpu`.".to_owned(),
            (Platform::Vertex, Some(near)) => format!("Did you mean `{near}`?"),
            (Platform::Vertex, None) => "Name it as Vertex AI does, as in `NVIDIA_TESLA_T4`.".to_owned(),
        };
        findings.add(FindingKind::AcceleratorName, at("resourceType"), message, help);
    }
}

#[cfg(test)]
mod tests {
    use super::{bytes, cores};

    #[test]
    fn amounts_are_read_as_kubernetes_does() {
        assert_eq!(cores("2"), Some(2.0));
        assert_eq!(cores("0.5"), Some(0.5));
        assert_eq!(cores(".5"), Some(0.5));
        assert_eq!(cores("500m"), Some(0.5));
        for bad in ["", "m", "two", "1.", "-1", "1e3", "1 "] {
            assert_eq!(cores(bad), None, "{bad}");
        }
        assert_eq!(bytes("4G"), Some(4e9));
        assert_eq!(bytes("512Mi"), Some(512.0 * 1024.0 * 1024.0));
        assert_eq!(bytes("64"), Some(64.0));
        for bad in ["", "i", "G", "1.5Gi", "4GB", "4k", "4 G", "4i"] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }
}
