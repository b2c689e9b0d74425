//! Runs code you do not trust with practically no privileges.
//!
//! ```text
//! Policy ─┐
//!         ├─ plan ─► Plan ─ prepare ─► Prepared ─ spawn ─► Running ─ supervise ─► Report
//! probe ──┘ HostFacts
//! ```
#![forbid(unsafe_code)]

pub mod action;
pub mod ask;
pub mod broker;
mod command;
mod confine;
mod elf;
pub mod error;
pub mod event;
mod jar;
pub mod learn;
pub mod limits;
pub mod plan;
mod prepare;
pub mod probe;
pub mod report;
mod service;
pub mod sink;
mod spawn;
mod supervise;
#[cfg(feature = "tokio")]
pub mod tokio;
pub mod worker;

pub use belljar_bpf as bpf;
pub use belljar_policy as policy;
pub use belljar_sys::heap;
pub use command::{Child, Command, Output, Stdio, passed};
pub use confine::{ConfineError, confine, lock_unveil, pledge, unveil};
pub use jar::Killer;
pub use probe::HostFacts;
pub use report::Report;
