//! What happened, in SQLite: runs, nodes, outputs, the cache's index. It holds no content: that is the store's.

mod views;

pub use views::{LogFile, LogStream, NodeRecord, RunRecord, RunSummary};
