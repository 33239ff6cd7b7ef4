//! Executors: their kind, images and environment variables.

use std::collections::BTreeSet;

use super::super::Executor;
use super::Platform;
use super::context::{Context, ExecutorPlace};
use super::finding::{FindingKind, Findings};

/// Kubeflow runs containers and importers.
pub(super) fn kind(context: &Context<'_>, place: ExecutorPlace<'_>, findings: &mut Findings) {
    let name = match place.executor {
        Executor::Container(_) | Executor::Importer(_) => return,
        Executor::CustomJob(_) => "customJob",
        Executor::Resolver(_) => "resolver",
    };
    if context.platform == Platform::Kubeflow {
        findings.add(
            FindingKind::ExecutorKind,
            place.at(&[name]),
            format!(
                "The executor `{}` is a `{name}`, which Kubeflow does not run.",
                place.label
            ),
            "Use a `container` or an `importer`.",
        );
    }
}

/// A container has an image.
pub(super) fn image(_: &Context<'_>, place: ExecutorPlace<'_>, findings: &mut Findings) {
    let Some(container) = place.container() else { return };
    let image = container.image.as_str();
    let wrong = match image {
        "" => "has no image".to_owned(),
        _ if image.contains(char::is_whitespace) && !image.contains("{{$") => {
            format!("has the image `{image}`, and no image has blanks in its name")
        }
        _ => return,
    };
    findings.add(
        FindingKind::Image,
        place.at(&["container", "image"]),
        format!("The container of the executor `{}` {wrong}.", place.label),
        "Name one, best with its digest.",
    );
}

/// Environment variables have names that Kubernetes takes, each once.
pub(super) fn environment(_: &Context<'_>, place: ExecutorPlace<'_>, findings: &mut Findings) {
    let Some(container) = place.container() else { return };
    let mut seen = BTreeSet::new();
    for variable in &container.env {
        let name = variable.name.as_str();
        let (wrong, help) = if !is_variable(name) {
            (
                "is none that Kubernetes takes",
                "Use letters, digits and `_`, and begin with no digit.",
            )
        } else if !seen.insert(name) {
            ("is there twice", "Leave one of them out.")
        } else {
            continue;
        };
        findings.add(
            FindingKind::EnvironmentName,
            place.at(&["container", "env"]),
            format!(
                "The environment variable `{name}` of the executor `{}` {wrong}.",
                place.label
            ),
            help,
        );
    }
}

/// `[-._a-zA-Z][-._a-zA-Z0-9]*`
fn is_variable(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'.' | b'_');
    let bytes = name.as_bytes();
    bytes.first().is_some_and(|first| is_letter(*first))
        && bytes.iter().all(|byte| is_letter(*byte) || byte.is_ascii_digit())
}
