//! Settings of steps: the container's environment and resources, the task's retries and caching, and what the document
//! for Kubernetes says, each as the language writes it. What it has no word for is a remark, never dropped.

use serde_json::Value as Json;

use super::names::is_nameable;
use crate::format;
use crate::targets::accelerators;
use crate::targets::pipeline_spec::{
    Accelerator, Container, ContainerResources, EnvironmentVariable, KubernetesExecutor, ParameterInput, RetryPolicy,
    RuntimeValue, Task,
};

/// The settings of one step, under construction.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// Names and values, as the language writes them.
    pub(super) written: Vec<(&'static str, String)>,
    /// What the language has no word for, in full sentences.
    pub(super) remarks: Vec<String>,
    /// What cannot be imported, in full sentences.
    pub(super) refusals: Vec<String>,
    /// Secrets: the variable, and `secret/key`.
    pub(super) secrets: Vec<(String, String)>,
}

impl Settings {
    /// Reads everything that a task says about its container.
    pub(super) fn read(container: &Container, task: &Task, kubernetes: Option<&KubernetesExecutor>) -> Self {
        let mut settings = Self::default();
        settings.image(&container.image);
        settings.environment(&container.env);
        if let Some(kubernetes) = kubernetes {
            settings.secrets(kubernetes);
        }
        let node = kubernetes
            .and_then(|own| own.node_selector.as_ref())
            .and_then(|selector| selector.labels.get(accelerators::GPU_LABEL))
            .cloned();
        if let Some(resources) = &container.resources {
            settings.resources(resources, node.as_deref());
        }
        if let Some(seconds) = kubernetes.and_then(|own| own.active_deadline_seconds.as_ref()) {
            settings.timeout(seconds);
        }
        if let Some(retries) = &task.retry_policy {
            settings.retries(retries);
        }
        settings.caching(task);
        if container.lifecycle.is_some() {
            settings.remark("The container has a `lifecycle`, which the language cannot say.");
        }
        if let Some(kubernetes) = kubernetes {
            settings.kubernetes(kubernetes);
        }
        settings
    }

    fn write(&mut self, name: &'static str, value: String) {
        self.written.push((name, value));
    }

    fn remark(&mut self, text: impl Into<String>) {
        self.remarks.push(text.into());
    }

    fn image(&mut self, image: &str) {
        if image.contains("{{") {
            self.refusals.push(format!(
                "its image `{image}` is a value of the run; write the image itself"
            ));
        } else if !image.is_empty() {
            self.write("image", format::quoted(image));
        }
    }

    fn environment(&mut self, variables: &[EnvironmentVariable]) {
        let mut entries: Vec<(String, String)> = Vec::new();
        for variable in variables {
            if !is_nameable(&variable.name) {
                self.refusals.push(format!(
                    "its environment variable `{}` has no usable name",
                    variable.name.escape_debug()
                ));
                continue;
            }
            if variable.value.contains("{{$") {
                self.refusals.push(format!(
                    "its environment variable `{}` has a value of the run; pass it as an argument",
                    variable.name
                ));
                continue;
            }
            if let Some(at) = entries.iter().position(|(name, _)| *name == variable.name) {
                entries.remove(at);
            }
            entries.push((variable.name.clone(), format::quoted(&variable.value)));
        }
        if !entries.is_empty() {
            self.write("env", record(&entries));
        }
    }

    fn resources(&mut self, resources: &ContainerResources, node: Option<&str>) {
        let mut entries: Vec<(String, String)> = Vec::new();
        let limit = self.cores(resources.resource_cpu_limit.as_deref(), resources.cpu_limit);
        let request = self.cores(resources.resource_cpu_request.as_deref(), resources.cpu_request);
        if let Some(millis) = limit.or(request) {
            entries.push(("cpu".to_owned(), thousandths(millis)));
        }
        let memory = self.bytes(resources.resource_memory_limit.as_deref(), resources.memory_limit);
        let memory_request = self.bytes(resources.resource_memory_request.as_deref(), resources.memory_request);
        if let Some(bytes) = memory.or(memory_request) {
            entries.push(("memory".to_owned(), format::size(bytes)));
        }
        for (what, limit, request) in [
            ("cores", limit.map(thousandths), request.map(thousandths)),
            ("memory", memory.map(format::size), memory_request.map(format::size)),
        ] {
            if let Some(request) = request
                && limit.as_ref() != Some(&request)
            {
                let taken = limit.as_ref().map_or("taken for the limit", |_| "left out");
                self.remark(format!(
                    "It requests {request} of {what} apart from the limit; the language says one amount, so the request is {taken}."
                ));
            }
        }
        if let Some(accelerator) = &resources.accelerator {
            entries.extend(self.accelerator(accelerator, node));
        }
        if !entries.is_empty() {
            self.write("resources", record(&entries));
        }
    }

    /// Thousandths of a core.
    fn cores(&mut self, text: Option<&str>, number: Option<f64>) -> Option<u64> {
        let cores = match text {
            Some(text) if text.contains("{{") => {
                self.refusals
                    .push("its number of cores is a value of the run; write the number itself".to_owned());
                return None;
            }
            Some(text) => match text.strip_suffix('m') {
                Some(millis) => millis.parse::<f64>().ok().map(|millis| millis / 1_000.0),
                None => text.parse::<f64>().ok(),
            },
            None => number.filter(|cores| *cores > 0.0),
        };
        if cores.is_none() && text.is_some() {
            self.refusals.push(format!(
                "its number of cores `{}` cannot be read",
                text.unwrap_or_default()
            ));
        }
        let millis = (cores? * 1_000.0).round();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between the bounds that are looked at first"
        )]
        (millis > 0.0 && millis < 1e15).then_some(millis as u64)
    }

    fn bytes(&mut self, text: Option<&str>, number: Option<f64>) -> Option<u64> {
        let Some(text) = text else {
            let bytes = (number? * 1e9).round();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between the bounds that are looked at first"
            )]
            return (bytes > 0.0 && bytes < 1e19).then_some(bytes as u64);
        };
        if text.contains("{{") {
            self.refusals
                .push("its memory is a value of the run; write the amount itself".to_owned());
            return None;
        }
        let read = quantity(text);
        if read.is_none() {
            self.refusals.push(format!("its memory `{text}` cannot be read"));
        }
        read
    }

    fn accelerator(&mut self, accelerator: &Accelerator, node: Option<&str>) -> Option<(String, String)> {
        let kind = accelerator.resource_type.as_ref().or(accelerator.kind.as_ref())?;
        let count = accelerator.resource_count.as_ref().or(accelerator.count.as_ref());
        let count = count.map_or("1", String::as_str);
        if kind.contains("{{") || count.contains("{{") {
            self.refusals
                .push("its accelerator is a value of the run; write kind and count themselves".to_owned());
            return None;
        }
        let named = |name: &str| {
            accelerators::GPUS
                .iter()
                .find(|gpu| gpu.vertex_name == name || gpu.kubernetes_label == name)
        };
        let kind = match (named(kind), node.and_then(named)) {
            (Some(gpu), _) => Some(gpu.kubernetes_label),
            (None, _) if kind != accelerators::GPU_RESOURCE => {
                self.refusals
                    .push(format!("its accelerator `{kind}` is none that the language knows"));
                return None;
            }
            (None, node) => node.map(|gpu| gpu.kubernetes_label),
        };
        match (count.parse::<u32>(), kind) {
            (Ok(0), _) => None,
            (Ok(count), Some(kind)) => {
                let kind = format::quoted(kind);
                Some(("gpu".to_owned(), format!("{{ kind: {kind}, count: {count} }}")))
            }
            (Ok(count), None) => Some(("gpu".to_owned(), count.to_string())),
            (Err(_), _) => {
                self.refusals
                    .push(format!("its number of accelerators `{count}` cannot be read"));
                None
            }
        }
    }

    fn timeout(&mut self, seconds: &Json) {
        let read = match seconds {
            Json::String(text) => text.parse::<i64>().ok(),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => seconds.as_i64(),
        };
        match read
            .and_then(|seconds| seconds.checked_mul(1_000))
            .filter(|millis| *millis > 0)
        {
            Some(millis) => self.write("timeout", format::duration(millis)),
            None => self
                .refusals
                .push(format!("its `activeDeadlineSeconds` `{seconds}` cannot be read")),
        }
    }

    fn retries(&mut self, policy: &RetryPolicy) {
        if policy.max_retry_count == 0 {
            return;
        }
        let first = policy.backoff_duration.as_deref().map_or(Some(0), milliseconds);
        let longest = policy
            .backoff_max_duration
            .as_deref()
            .map_or(Some(3_600_000), milliseconds);
        let (Some(first), Some(longest)) = (first, longest) else {
            self.refusals
                .push("the wait before its retries cannot be read".to_owned());
            return;
        };
        let factor = policy.backoff_factor.filter(|factor| *factor > 0.0).unwrap_or(2.0);
        self.write(
            "retries",
            format!(
                "{{ count: {}, backoff: {{ first: {}, factor: {factor:?}, longest: {} }} }}",
                policy.max_retry_count,
                format::duration(first),
                format::duration(longest),
            ),
        );
    }

    fn caching(&mut self, task: &Task) {
        let options = task.caching_options.clone().unwrap_or_default();
        if !options.enable_cache {
            self.write("cache", "never".to_owned());
        } else if let Some(key) = options.cache_key.filter(|key| !key.is_empty()) {
            self.write("cache", format!("{{ key: {} }}", format::quoted(&key)));
        }
    }

    // ── Kubernetes ──

    fn secrets(&mut self, kubernetes: &KubernetesExecutor) {
        let mut entries = Vec::new();
        for secret in &kubernetes.secret_as_env {
            let name = constant(secret.secret_name_parameter.as_ref(), secret.secret_name.as_deref());
            let Some(name) = name else {
                self.refusals
                    .push("the name of a secret is a value of the run; write the name itself".to_owned());
                continue;
            };
            if secret.optional == Some(true) {
                self.remark(format!(
                    "The secret `{name}` may be absent, which the language cannot say."
                ));
            }
            for key in &secret.key_to_env {
                if !is_nameable(&key.env_var) {
                    self.refusals.push(format!(
                        "the variable `{}` has no usable name",
                        key.env_var.escape_debug()
                    ));
                    continue;
                }
                entries.push((key.env_var.clone(), format!("env {}", format::quoted(&key.env_var))));
                self.secrets
                    .push((key.env_var.clone(), format!("{name}/{}", key.secret_key)));
            }
        }
        if !entries.is_empty() {
            self.write("secrets", record(&entries));
        }
    }

    fn kubernetes(&mut self, own: &KubernetesExecutor) {
        let mut entries: Vec<(String, String)> = Vec::new();
        if let Some(selector) = &own.node_selector {
            if selector.node_selector_json.is_some() {
                self.remark("Its node selector is a value of the run, which the language cannot say.");
            }
            let mut own = selector.labels.clone();
            let gpu = self
                .written
                .iter()
                .any(|(name, value)| *name == "resources" && value.contains("gpu: { kind"));
            if gpu {
                // The kind of GPU says it.
                own.remove(accelerators::GPU_LABEL);
            }
            entries.extend(labels("node_selector", &own));
        }
        entries.extend(self.tolerations(own));
        entries.extend(self.volumes(own));
        if let Some(metadata) = &own.pod_metadata {
            entries.extend(labels("labels", &metadata.labels));
            entries.extend(labels("annotations", &metadata.annotations));
        }
        if !entries.is_empty() {
            self.write("kubernetes", record(&entries));
        }
        let left = [
            ("configMapAsEnv", own.config_map_as_env.is_empty()),
            ("enabledSharedMemory", own.enabled_shared_memory.is_none()),
            ("fieldPathAsEnv", own.field_path_as_env.is_empty()),
            ("genericEphemeralVolume", own.generic_ephemeral_volume.is_empty()),
            ("imagePullPolicy", own.image_pull_policy.is_none()),
            ("imagePullSecret", own.image_pull_secret.is_empty()),
            ("nodeAffinity", own.node_affinity.is_empty()),
            ("podAffinity", own.pod_affinity.is_empty()),
            ("securityContext", own.security_context.is_none()),
        ];
        for (name, absent) in left {
            if !absent {
                self.remark(format!(
                    "The setting `{name}` of Kubernetes has no counterpart in the language and is left out."
                ));
            }
        }
    }

    fn tolerations(&mut self, own: &KubernetesExecutor) -> Option<(String, String)> {
        let mut written = Vec::new();
        for toleration in &own.tolerations {
            let Some(key) = toleration.key.as_ref().filter(|_| toleration.toleration_json.is_none()) else {
                self.remark("A toleration without a key has no counterpart in the language and is left out.");
                continue;
            };
            if toleration.toleration_seconds.is_some() {
                self.remark(format!(
                    "How long the taint `{key}` is borne (`tolerationSeconds`) has no counterpart in the language."
                ));
            }
            let mut entries = vec![("key".to_owned(), format::quoted(key))];
            entries.extend(
                toleration
                    .value
                    .as_ref()
                    .map(|it| ("value".to_owned(), format::quoted(it))),
            );
            entries.extend(
                toleration
                    .effect
                    .as_ref()
                    .map(|it| ("effect".to_owned(), format::name(it))),
            );
            written.push(record(&entries));
        }
        (!written.is_empty()).then(|| ("tolerations".to_owned(), format!("[{}]", written.join(", "))))
    }

    fn volumes(&mut self, own: &KubernetesExecutor) -> Option<(String, String)> {
        let mut written = Vec::new();
        let volume =
            |path: &str, kind: &str, value: &str| format!("{{ path: {}, {kind}: {value} }}", format::quoted(path));
        for mount in &own.pvc_mount {
            let older = mount.constant.as_deref();
            match constant(mount.pvc_name_parameter.as_ref(), older) {
                Some(_) if mount.sub_path.as_ref().is_some_and(|path| !path.is_empty()) => self.refusals.push(format!(
                    "it mounts a folder of a volume at `{}` (`subPath`), which the language cannot say",
                    mount.mount_path
                )),
                Some(name) => written.push(volume(&mount.mount_path, "claim", &format::quoted(&name))),
                None => self.refusals.push(format!(
                    "the volume at `{}` is made during the run; the language mounts claims that are there already",
                    mount.mount_path
                )),
            }
        }
        let secrets = own.secret_as_volume.iter().map(|it| {
            let name = constant(it.secret_name_parameter.as_ref(), it.secret_name.as_deref());
            ("secret", &it.mount_path, name, it.optional)
        });
        let maps = own.config_map_as_volume.iter().map(|it| {
            let name = constant(it.config_map_name_parameter.as_ref(), it.config_map_name.as_deref());
            ("config_map", &it.mount_path, name, it.optional)
        });
        for (kind, path, name, optional) in secrets.chain(maps) {
            let Some(name) = name else {
                self.refusals.push(format!(
                    "what is mounted at `{path}` is a value of the run; write the name itself"
                ));
                continue;
            };
            if optional == Some(true) {
                self.remark(format!(
                    "What is mounted at `{path}` may be absent, which the language cannot say."
                ));
            }
            written.push(volume(path, kind, &format::quoted(&name)));
        }
        for mount in &own.empty_dir_mounts {
            let kind = if mount.medium.as_deref() == Some("Memory") {
                "memory"
            } else {
                "scratch"
            };
            match mount.size_limit.as_deref().map(quantity) {
                Some(Some(bytes)) => written.push(volume(&mount.mount_path, kind, &format::size(bytes))),
                Some(None) | None => self.remark(format!(
                    "The scratch folder at `{}` has no size that can be read; the language demands one, so it is left out.",
                    mount.mount_path
                )),
            }
        }
        (!written.is_empty()).then(|| ("volumes".to_owned(), format!("[{}]", written.join(", "))))
    }
}

/// `{ a: 1, b: 2 }`
fn record(entries: &[(String, String)]) -> String {
    let entries: Vec<String> = entries
        .iter()
        .map(|(name, value)| format!("{}: {value}", format::name(name)))
        .collect();
    format!("{{ {} }}", entries.join(", "))
}

fn labels(name: &str, labels: &std::collections::BTreeMap<String, String>) -> Option<(String, String)> {
    let entries: Vec<(String, String)> = labels
        .iter()
        .filter(|(key, _)| is_nameable(key))
        .map(|(key, value)| (key.clone(), format::quoted(value)))
        .collect();
    (!entries.is_empty()).then(|| (name.to_owned(), record(&entries)))
}

/// The constant text of a parameter, or the older form of it.
fn constant(input: Option<&ParameterInput>, older: Option<&str>) -> Option<String> {
    match input {
        Some(input) => match &input.runtime_value {
            Some(RuntimeValue::Constant(Json::String(text))) => Some(text.clone()),
            Some(_) | None => None,
        },
        None => older.map(str::to_owned),
    }
}

/// Thousandths as a number: `0.5`, `2`.
fn thousandths(millis: u64) -> String {
    if millis.is_multiple_of(1_000) {
        return (millis / 1_000).to_string();
    }
    let text = format!("{}.{:03}", millis / 1_000, millis % 1_000);
    text.trim_end_matches('0').to_owned()
}

/// Bytes of a Kubernetes quantity: `4Gi`, `500M`, `1024`.
fn quantity(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok()?;
    let (base, power): (u64, u32) = match text.get(digits.len()..)? {
        "" => (1, 0),
        "K" | "k" => (1_000, 1),
        "M" => (1_000, 2),
        "G" => (1_000, 3),
        "T" => (1_000, 4),
        "P" => (1_000, 5),
        "E" => (1_000, 6),
        "Ki" => (1_024, 1),
        "Mi" => (1_024, 2),
        "Gi" => (1_024, 3),
        "Ti" => (1_024, 4),
        "Pi" => (1_024, 5),
        "Ei" => (1_024, 6),
        _ => return None,
    };
    number.checked_mul(base.checked_pow(power)?).filter(|bytes| *bytes > 0)
}

/// Milliseconds of a duration of protobuf: `30s`, `1.5s`.
fn milliseconds(text: &str) -> Option<i64> {
    let seconds: f64 = text.strip_suffix('s')?.parse().ok()?;
    let millis = (seconds * 1_000.0).round();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "between the bounds that are looked at first"
    )]
    (0.0..1e15).contains(&millis).then_some(millis as i64)
}

#[cfg(test)]
mod tests {
    use super::{milliseconds, quantity, thousandths};

    #[test]
    fn quantities_are_bytes() {
        assert_eq!(quantity("4Gi"), Some(4 << 30));
        assert_eq!(quantity("500M"), Some(500_000_000));
        assert_eq!(quantity("7"), Some(7));
        for wrong in ["", "1.5Gi", "Gi", "4X", "99999999999E", "0"] {
            assert_eq!(quantity(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_and_cores_are_read() {
        assert_eq!(milliseconds("30s"), Some(30_000));
        assert_eq!(milliseconds("1.5s"), Some(1_500));
        assert_eq!(milliseconds("-1s"), None);
        assert_eq!(milliseconds("1m"), None);
        assert_eq!(thousandths(500), "0.5");
        assert_eq!(thousandths(2_000), "2");
        assert_eq!(thousandths(1), "0.001");
    }
}
