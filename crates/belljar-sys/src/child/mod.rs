//! What runs between clone and exec. Two processes: *init*, which builds the jar and reaps, and the *program*.

mod init;
mod op;
mod pty;
mod selfprobe;
mod tree;

pub(crate) use init::run;
#[cfg(feature = "std")]
pub(crate) use op::walk;
pub use op::{Op, PathRights, Step};
pub use selfprobe::Forbidden;
