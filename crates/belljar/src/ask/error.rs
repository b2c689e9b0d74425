//! Why nobody can be asked.

use std::io;
use std::path::PathBuf;

use super::wire::Violation;
use crate::error::shown;

/// Nobody can be asked there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The value of `--ask` is no front.
    #[error("`{0}` is no way to ask")]
    NoFront(String),
    /// There is no terminal.
    #[error("there is no terminal to ask on")]
    NoTerminal(#[source] io::Error),
    /// The kernel has no descriptor left.
    #[error("questions cannot be lined up")]
    NoDesk(#[source] io::Error),
    /// The socket cannot be reached.
    #[error("ask socket `{}` cannot be reached", shown(path))]
    Unreachable {
        /// As it was named.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// Something else than a socket of this user is there.
    #[error("ask socket `{}` is {what}", shown(path))]
    Unfit {
        /// As it was named.
        path: PathBuf,
        /// What is there.
        what: &'static str,
    },
    /// Whoever listens does not speak the protocol.
    #[error("ask socket `{}`: whoever listens sent {source}", shown(path))]
    Peer {
        /// As it was named.
        path: PathBuf,
        /// What was wrong.
        source: Violation,
    },
    /// The jar could change the file that "always" writes to, or the folder that it is in.
    #[error("policy file `{}` or its folder can be written by the program itself", shown(.0))]
    OpenFile(PathBuf),
    /// The jar could listen in the place of the user's program when the next one starts.
    #[error("ask socket `{}` or its folder can be written by the program itself", shown(.0))]
    OpenSocket(PathBuf),
}

impl AskError {
    /// What the user can do.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoFront(_) => "--ask=tty or --ask=socket:PATH",
            Self::NoDesk(_) => "raise the caller's limit of open files",
            Self::NoTerminal(_) => "start belljar in a terminal, or use --ask=socket:PATH",
            Self::Unreachable { .. } => {
                "start the program that answers first; it has to listen on the socket"
            }
            Self::Unfit { .. } => {
                "name a socket of your own in a folder of your own, on which an unconfined program listens"
            }
            Self::Peer { .. } => "the protocol is in docs/ask.md",
            Self::OpenSocket(_) => "name a socket in a folder that no --write grants",
            Self::OpenFile(_) => "name a file with --ask-save in a folder that no --write grants",
        }
    }
}
