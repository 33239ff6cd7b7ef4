//! The file as a whole: version, second document, size.

use std::io;

use super::super::SCHEMA_VERSION;
use super::Platform;
use super::context::Context;
use super::finding::{FindingKind, Findings};

/// Bytes from which on a pipeline may be too large for the object in which Kubernetes keeps it.
const LARGE: usize = 1_000_000;

/// The version is the one that both platforms take.
pub(super) fn schema_version(context: &Context<'_>, findings: &mut Findings) {
    let version = &context.spec.schema_version;
    if version != SCHEMA_VERSION {
        let message = if version.is_empty() {
            "The file has no `schemaVersion`.".to_owned()
        } else {
            format!("The file's `schemaVersion` is `{version}`, and both platforms take `{SCHEMA_VERSION}` alone.")
        };
        let help = format!("Write `schemaVersion: {SCHEMA_VERSION}`.");
        findings.add(FindingKind::SchemaVersion, "schemaVersion".to_owned(), message, help);
    }
}

/// Vertex AI reads files of one document.
pub(super) fn second_document(context: &Context<'_>, findings: &mut Findings) {
    if context.platform == Platform::Vertex && context.document.platform.is_some() {
        findings.add(
            FindingKind::SecondDocument,
            "platforms".to_owned(),
            "The file has a second document with settings for Kubernetes, and Vertex AI refuses files of two documents.".to_owned(),
            "Take the second document out; what it sets, Vertex AI does not have.",
        );
    }
}

/// The size, as JSON without blanks, which is about what is kept in the cluster.
pub(super) fn size(context: &Context<'_>, findings: &mut Findings) {
    let mut counter = Counter(0);
    // A count cannot fail, and if it did there would be nothing to say.
    let counted = serde_json::to_writer(&mut counter, context.spec);
    if counted.is_ok() && counter.0 > LARGE {
        let tenths = counter.0 / 100_000;
        findings.add(
            FindingKind::TooLarge,
            "root".to_owned(),
            format!(
                "The pipeline has {}.{} MB; Kubernetes refuses objects from 1.5 to 3 MB on, as it is configured.",
                tenths / 10,
                tenths % 10
            ),
            "Cut it into pipelines that start each other, or move code and data from it into images and files.",
        );
    }
}

/// Counts bytes.
struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
