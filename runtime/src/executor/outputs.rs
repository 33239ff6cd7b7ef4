//! The outputs of a step: where it writes them, and how they come into the store.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use mlp::plan::{Port, PortType};

use super::session::Session;
use crate::events::Failure;
use crate::node::outputs::{ValueFormat, as_model, check, read_value};
use crate::store::{Datum, extension};

/// Where a step writes an output.
pub(super) fn path(scratch: &Utf8Path, port: &Port) -> Utf8PathBuf {
    let mut path = scratch.join(&port.name);
    let extension = extension(&port.ty);
    if !extension.is_empty() {
        path.set_extension(extension);
    }
    path
}

/// Takes the outputs of a step into the store.
pub(super) fn collect(
    session: &Session<'_>,
    step: &str,
    ports: &[Port],
    scratch: &Utf8Path,
    format: ValueFormat,
) -> Result<BTreeMap<String, Datum>, Failure> {
    // All are checked before any is stored: one bad output makes the step fail as a whole.
    check(session.plan, step, ports, &|port| path(scratch, port))?;
    ports
        .iter()
        .map(|port| {
            let path = path(scratch, port);
            let datum = if let PortType::Value(ty) = &port.ty {
                Datum::Value(read_value(step, port, ty, &path, format)?)
            } else {
                if matches!(port.ty, PortType::Model { .. }) {
                    as_model(&path).map_err(|error| unstorable(step, port, &error))?;
                }
                let stored = session.store.take(&path, extension(&port.ty));
                Datum::Artifact(stored.map_err(|error| unstorable(step, port, &error))?)
            };
            Ok((port.name.clone(), datum))
        })
        .collect()
}

fn unstorable(step: &str, port: &Port, error: &std::io::Error) -> Failure {
    Failure::new(
        format!(
            "The output `{}` of `{step}` cannot be taken into the store: {error}.",
            port.name
        ),
        "Make room on the disk of the project, and see that `.mlp` may be written; nothing was left half-written.",
    )
}
