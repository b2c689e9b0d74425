//! What runs between clone and exec. Two processes: *init*, which builds the jar and reaps, and the *program*.

mod action;
mod init;
mod narrow;
mod op;
mod pty;
mod selfprobe;
mod tree;

#[cfg(feature = "std")]
pub(crate) use action::walk;
pub(crate) use init::run;
pub use op::{Op, PathRights, Step, Walk};
pub use selfprobe::Forbidden;
