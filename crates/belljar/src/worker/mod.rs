//! Privilege separation: parts of a program that nobody has to trust, as confined processes that answer typed requests. The
//! [guide] explains each line.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use belljar::policy::Policy;
//! use belljar::worker::{self, Entry, Worker};
//!
//! static WORDS: Entry<String, usize> = Entry::new("words", |text, _| text.split_whitespace().count());
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     worker::serve(&[&WORDS]); // first of all: in a worker it never returns
//!     let mut worker = Worker::spawn(&Policy::none(), &WORDS)?;
//!     println!("{}", worker.call(&"three short words".to_owned(), Duration::from_secs(1))?);
//!     Ok(())
//! }
//! ```
//!
//! ```text
//! program ── Command ──► zygote: this program again, in a jar; warm, sealed off, one thread
//!    │                      │ fork
//!    ├─ channel ───────► worker: own filter and limits, three descriptors and this channel
//!    └─ channel ───────► worker
//! ```
//!
//! What a worker sends is never trusted: see [`WorkerError`]. What it may ask its parent for stands in a table: [`Monitor`].
//! [`Pool`] has many of them for many threads. Large data goes as [`Buffer`] and is not copied, descriptors as [`Descriptor`].

mod buffer;
mod carry;
pub(crate) mod channel;
pub(crate) mod code;
mod entry;
mod error;
pub(crate) mod frame;
pub mod guide;
mod host;
pub(crate) mod life;
mod permit;
mod pool;
pub(crate) mod seal;
mod serve;
mod setup;
mod template;
mod zygote;

/// How messages look on a channel, for those who test readers of them with hostile bytes.
pub mod wire {
    pub use super::code::{DEEPEST, decode, encode};
    pub use super::frame::{Body, Frame, HEAD, Head, Kind, MOST_BODY, MOST_DESCRIPTORS, MOST_INLINE};
}

pub use buffer::{Buffer, BufferMut, LARGEST_BUFFER};
pub use carry::{Bytes, Descriptor};
pub use code::CodeError;
pub use entry::{AnyEntry, Entry, Parent};
pub use error::{ProtocolError, SetupError, WorkerError};
pub use frame::FrameError;
pub use host::Worker;
pub use permit::{Allow, Monitor, Needs, Nothing, Permit, Session, Silent, Unasked};
pub use pool::{Lease, Pool, PoolBuilder, PoolStats};
pub use seal::{Limits, Seal};
pub use serve::serve;
pub use zygote::{Builder, Zygote};
