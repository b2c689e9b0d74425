//! Runs code you do not trust with practically no privileges.
//!
//! ```text
//! Policy ─┐
//!         ├─ plan ─► Plan ─ prepare ─► Prepared ─ spawn ─► Running ─ supervise ─► Report
//! probe ──┘ HostFacts
//! ```
#![forbid(unsafe_code)]

pub mod error;
pub mod limits;
pub mod probe;
pub mod report;
pub mod sink;

pub use belljar_policy as policy;
pub use probe::HostFacts;
pub use report::Report;
