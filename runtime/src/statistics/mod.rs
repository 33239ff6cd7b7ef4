//! Statistics that know nothing of models: random numbers, intervals, the bootstrap, paired tests.
//!
//! Every function is pure and gives the same bits on every machine.

mod bootstrap;
mod delong;
mod interval;
mod paired;
mod random;

pub use bootstrap::{REPLICATES, Replicates, bootstrap};
pub use delong::Placements;
pub use interval::{Interval, normal_quantile, order_statistics, smallest_sample, wilson};
pub use paired::{McNemar, PairedDifference, mcnemar, paired_proportions};
pub use random::SplitMix64;
