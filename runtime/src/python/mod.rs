//! Python: environments built once per package list, the shim that calls a user's function, predict functions.
//!
//! No user code runs in this process, and none of the plan's checks are repeated here.

mod environment;
mod interpreter;
mod predict;
mod request;
mod resolve;

use crate::executor::Cancel;

pub use resolve::{Resolution, resolve};

pub(crate) use environment::{Environment, Environments};
pub(crate) use predict::PythonPredictor;
pub(crate) use request::{ShimCall, ShimFailure, add_variables, step_request, write_request};

/// The shim's text; part of the cache key of every Python step.
pub(crate) const SHIM: &str = include_str!("shim.py");

/// What it takes to run Python processes.
pub(crate) struct Runner<'a> {
    /// Drives their streams.
    pub(crate) handle: &'a tokio::runtime::Handle,
    /// Ends them.
    pub(crate) cancel: &'a Cancel,
    /// Milliseconds between asking them to end and killing them.
    pub(crate) grace: u64,
    /// By what a run's processes are known, as a variable's name and value.
    pub(crate) mark: (&'a str, &'a str),
    /// Whether they get every variable of this process.
    pub(crate) inherits: bool,
}
