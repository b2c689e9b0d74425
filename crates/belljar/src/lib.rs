//! Runs code you do not trust with practically no privileges: no root, no setuid program, no daemon.
//!
//! A [`Command`] is built, started and waited for as in `std::process`; a [`Policy`](policy::Policy) says what its jar may do, and
//! a [`Report`] what happened.
//!
//! ```no_run
//! use std::time::Duration;
//! use belljar::{Command, policy::Policy};
//!
//! let policy = Policy::preset("@strict")?.read("/srv/pictures")?.write("/srv/thumbnails")?;
//! let mut command = Command::new("thumbnailer");
//! command.arg("/srv/pictures/1.jpg").policy(policy).timeout(Duration::from_secs(30));
//! let output = command.output()?;
//! if !output.report.success() {
//!     eprintln!("{} {}", output.report.reason, output.report.hint);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | to | take |
//! |---|---|
//! | run a program | [`Command`], [`Child`], [`Stdio`], [`Terminal`]; `belljar::tokio` with the feature `tokio` |
//! | say what it may do | [`policy`], whose presets, files and setters all make a [`Policy`](policy::Policy) |
//! | see what holds a policy here, starting nothing | [`Command::plan`], [`probe`], [`doctor`] |
//! | hear what was tried | [`Report::denials`], [`Command::observe`], [`event`] |
//! | ask somebody meanwhile | [`ask`], [`action`] |
//! | find out what a program needs | [`learn`] |
//! | split a program into confined parts | [`worker`]; begin with the guide [confine your parser in 20 lines](worker::guide) |
//! | look things up for confined parts | [`service`] |
//! | confine the process that runs already | [`confine()`], [`pledge`], [`unveil`] |
//!
//! # One direction
//!
//! ```text
//! Policy ─┐
//!         ├─ plan ─► Plan ─ prepare ─► Prepared ─ spawn ─► Running ─ supervise ─► Report
//! probe ──┘ HostFacts
//! ```
//!
//! What cannot be held on this host is a typed [error](error::StartError) before anything runs, with the rule, who wrote it, and
//! a hint. Nothing is ever enforced less than it was asked for, unless the policy accepts that by name.
//!
//! # In a program with threads, signals and children of its own
//!
//! Starting takes no lock that another thread may hold: between clone and exec the child makes system calls that were prepared
//! before, and nothing else. Every descriptor closes on exec. No handler, mask, limit, variable or folder of the process is
//! changed; the end of a jar sends no `SIGCHLD`, and waiting for any child finds none. Of the process as a whole the
//! library keeps what [`confine()`], [`pledge`] and [`unveil`] did to it, and which jars have ended that the kernel still takes apart.
#![forbid(unsafe_code)]

pub mod action;
pub mod ask;
pub mod broker;
mod command;
mod confine;
pub mod doctor;
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
pub mod service;
pub mod sink;
mod spawn;
mod stat;
mod supervise;
mod threads;
#[cfg(feature = "tokio")]
pub mod tokio;
mod walk;
pub mod worker;

#[doc(inline)]
pub use belljar_bpf as bpf;
#[doc(inline)]
pub use belljar_policy as policy;
pub use belljar_sys::heap;
pub use command::{Child, Command, Output, Stdio, passed};
pub use confine::{ConfineError, confine, lock_unveil, pledge, unveil};
#[cfg(feature = "test-hooks")]
pub use elf::hostile as programs;
pub use jar::{Killer, socket_of};
pub use probe::HostFacts;
pub use report::Report;
pub use supervise::Terminal;

/// What documents show compiles. `docs/workers.md` shows a whole program, which a test compares with the example.
#[cfg(all(doctest, feature = "tokio"))]
mod documents {
    #[doc = include_str!("../../../README.md")]
    mod readme {}
    #[doc = include_str!("../../../docs/library.md")]
    mod library {}
    #[doc = include_str!("../../../docs/promises.md")]
    mod promises {}
    #[doc = include_str!("../../../docs/templates.md")]
    mod templates {}
}
