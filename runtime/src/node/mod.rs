//! What running one node takes, wherever it runs: what its operands stand for, whether its inputs fit, the argument vector
//! of a command, whether its outputs are as declared, how its end is told.
//!
//! The local executor and the containers of other platforms share it. It knows neither the store nor a platform:
//! [`Places`] says where artifacts lie.

pub(crate) mod arguments;
pub(crate) mod baseline;
pub(crate) mod ending;
pub(crate) mod inputs;
pub(crate) mod operands;
pub(crate) mod operation;
pub(crate) mod outputs;

use camino::Utf8PathBuf;
use mlp::plan::Port;

use crate::events::Failure;
use crate::store::Artifact;

/// Where artifacts lie.
pub(crate) trait Places {
    /// The content of an artifact.
    fn path(&self, artifact: &Artifact) -> Utf8PathBuf;

    /// The address by which others know an artifact.
    fn address(&self, artifact: &Artifact) -> String;

    /// Where an output is to be written.
    fn output(&self, port: &Port) -> Utf8PathBuf;

    /// The address by which others will know an output.
    fn output_address(&self, port: &Port) -> String;
}

/// The failure of a node when the plan contradicts itself.
pub(crate) fn broken_plan(message: &str) -> Failure {
    Failure::new(
        format!("The plan is broken: {message}."),
        "Report this: plans made by the compiler never are.",
    )
}
