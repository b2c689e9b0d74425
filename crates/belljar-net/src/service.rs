//! Start and end of serving.

use std::io;
use std::sync::Arc;

use crate::{Observer, Rules, Sockets};

/// A running service. Dropping it, like [`Service::end`], cuts all connections and waits for its threads.
#[derive(Debug)]
pub struct Service {}

impl Service {
    /// Serves the sockets on a thread of its own, which starts with the signal mask of the caller.
    ///
    /// # Errors
    /// A descriptor or thread could not be made, or a socket is none.
    pub fn start(_: Sockets, _: Rules, _: Arc<dyn Observer>) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Cuts all connections, closes the sockets and waits for the threads.
    pub fn end(self) {}
}
