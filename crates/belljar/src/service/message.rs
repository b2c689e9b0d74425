//! What a service and its clients say to each other, in the encoding of workers' messages.

use serde::{Deserialize, Serialize};

use crate::worker::Descriptor;

/// Longest request in bytes.
pub(super) const MOST_REQUEST: usize = 16 << 10;
/// Longest reply in bytes.
pub(super) const MOST_REPLY: usize = 1 << 20;

/// A client's message. Nothing in it is trusted.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request<A, L> {
    /// The thing itself.
    Ask(A),
    /// Less from now on.
    Limit(L),
    /// A client more, with the same limit.
    Split,
}

/// What comes back.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply<T> {
    /// The thing itself.
    Told(T),
    /// The limit holds.
    Limited,
    /// The other client's channel.
    Split(Descriptor),
    /// No.
    Refused(Refusal),
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// The limit that was wanted has this, which the one that holds does not.
    Wider(String),
    /// It lies beyond the limit.
    Beyond,
    /// There is no such thing.
    Absent,
    /// All that the limit grants is used up.
    Spent,
    /// As many clients as there may be.
    TooMany,
    /// The kernel's error number, or that of the other side.
    Failed(i32),
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::Absent,
            _ => Self::Failed(error.raw_os_error().unwrap_or(EIO)),
        }
    }
}

impl From<rustix::io::Errno> for Refusal {
    fn from(errno: rustix::io::Errno) -> Self {
        std::io::Error::from(errno).into()
    }
}

/// `EIO`: what has no number of its own.
pub(super) const EIO: i32 = 5;
