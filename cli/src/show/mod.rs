//! Runs, steps and verdicts as lines for people. Nothing here asks the runtime anything.

mod node;
mod progress;
mod summary;
mod verdict;

pub use node::{details, line, widths};
pub use progress::Progress;
pub use summary::{failure, failures, footer, verdicts};
