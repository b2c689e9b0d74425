//! What can go wrong with a service. The program goes on in every case.

use std::io;
use std::time::Duration;

use belljar_policy::PolicyError;
use thiserror::Error;

use super::message::Refusal;
use crate::error::StartError;
use crate::worker::{CodeError, FrameError};

/// Why there is no answer, or no service.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// Its jar could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The program that was started for it is not ready.
    #[error("the service {name} did not get ready: {why}")]
    Setup {
        /// Which.
        name: &'static str,
        /// What is missing; escaped words of that process where it said some.
        why: String,
    },
    /// What it is to be given does not fit.
    #[error("the service {name} cannot be given {what}")]
    Means {
        /// Which.
        name: &'static str,
        /// What does not fit, and what would.
        what: String,
    },
    /// The limit that was wanted grants more than the one that holds. The one that holds stays.
    #[error("a limit only narrows: {0} lies beyond the one that holds")]
    Wider(String),
    /// The limit does not grant it.
    #[error("the limit of this client does not grant it")]
    Beyond,
    /// There is no such thing.
    #[error("there is none")]
    Absent,
    /// All that the limit grants is used up.
    #[error("all that the limit of this client grants is used up")]
    Spent,
    /// As many clients are split off as there may be.
    #[error("no further client is split off: as many as there may be live")]
    TooMany,
    /// The service tried, and could not.
    #[error("the service could not: {0}")]
    Failed(io::Error),
    /// No reply in time. The client can be used again.
    #[error("the service did not reply within {within:?}")]
    TimedOut {
        /// How long it had.
        within: Duration,
    },
    /// The service has ended, or has hung up on this client.
    #[error("the service has ended or has hung up")]
    Gone,
    /// The service sent what is no reply. This client is of no use any more.
    #[error("the service broke the protocol: {0}")]
    Protocol(String),
    /// The request cannot be sent. The client can be used again.
    #[error("the request cannot be sent: {0}")]
    Unsendable(#[from] CodeError),
    /// The request is too long, or has too many descriptors. The client can be used again.
    #[error("the request cannot be sent: {0}")]
    TooLarge(FrameError),
    /// The caller's own system call failed.
    #[error("{what}: {source}")]
    System {
        /// What was being done.
        what: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
}

impl From<Refusal> for ServiceError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Wider(what) => Self::Wider(crate::worker::life::shown(what.as_bytes())),
            Refusal::Beyond => Self::Beyond,
            Refusal::Absent => Self::Absent,
            Refusal::Spent => Self::Spent,
            Refusal::TooMany => Self::TooMany,
            Refusal::Failed(errno) => Self::Failed(io::Error::from_raw_os_error(errno)),
        }
    }
}

impl ServiceError {
    /// What is to be granted is no rule of a policy.
    pub(super) fn means(name: &'static str) -> impl FnOnce(PolicyError) -> Self {
        move |error| Self::Means { name, what: error.to_string() }
    }

    pub(super) fn system(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { what, source }
    }
}
