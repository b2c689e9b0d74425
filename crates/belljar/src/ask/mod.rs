//! Asking the user about what the policy does not grant: once, always, never.
//!
//! ```text
//! Prompt ─ never? ─ answered before? ─ too often? ─► front (terminal or socket) ─► Answer ─ always: a line in the policy file
//!            no answer in time, a broken front, a full memory: refused
//! ```
//!
//! Answers only widen what a policy grants, object by object; nothing here lifts a layer. What is shown to the user went
//! through [`escaped`]: text of the jar cannot steer a terminal or pose as belljar's own words.

mod asker;
mod attendant;
mod connect;
mod desk;
mod error;
mod judge;
mod never;
mod peer;
mod plain;
mod prompt;
pub(crate) mod rate;
mod real;
mod save;
mod socket;
#[cfg(test)]
mod tests;
mod text;
mod tty;
mod turn;
mod way;
pub mod wire;

pub use asker::{Answer, Asker, Considered, Settled, Why};
pub(crate) use attendant::Attendant;
pub use attendant::PATIENCE;
pub(crate) use connect::HostAsker;
pub use desk::Desk;
pub use error::AskError;
pub(crate) use judge::AskJudge;
pub use never::Never;
pub use plain::plain;
pub use prompt::{Prompt, Want};
pub(crate) use save::civil;
pub use save::{PolicyFile, SaveError};
pub use text::{LONGEST, escaped, shown};
pub use way::{Ask, Way};
