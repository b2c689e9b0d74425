//! Actions: what belljar does outside the jar when a program in it asks, and the policy allows it by name.
//!
//! ```text
//! belljar-request ─ frames ─► request (FIFO in the jar's memory) ─► clerk ─ granted? ─ often? ─ arguments? ─► program or file
//!        ▲                                                            │
//!        └──────────── replies (a table that the jar can only read) ◄─┘
//! ```
//!
//! A FIFO needs no system call that the filter does not have, survives programs that close descriptors, and leads to nobody but
//! this jar's supervisor. The supervisor never waits for a jar: it reads what is there, and writes answers to a table of fixed
//! size, so neither a flood nor a reader that has stopped can hold it up.

mod check;
mod clerk;
pub mod client;
pub mod frame;
mod perform;
mod table;

pub use crate::plan::actions::{BIN, CHANNEL, HELPER, REPLIES, REQUESTS};
pub(crate) use clerk::{Clerk, Office};
pub use table::ACTIONS;
