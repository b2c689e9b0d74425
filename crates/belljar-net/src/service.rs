//! Start and end of serving.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::engine::{Adopter, Engine};
use crate::remote::Bell;
use crate::{Observer, Remote, Rules, Settings, Sockets};

/// A running service. Dropping it, like [`Service::end`], cuts all connections and waits for its threads.
#[derive(Debug)]
pub struct Service {
    bell: Arc<Bell>,
    remote: Remote,
    adopter: Adopter,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Service {
    /// Serves the sockets on a thread of its own, which starts with the signal mask of the caller. The process has to ignore
    /// SIGPIPE, as Rust programs do.
    ///
    /// # Errors
    /// A descriptor or thread could not be made, or a socket is none.
    pub fn start(sockets: Sockets, rules: Rules, observer: Arc<dyn Observer>) -> io::Result<Self> {
        Self::start_with(sockets, rules, observer, Settings::default())
    }

    /// [`Service::start`] with other budgets, or another source of addresses.
    ///
    /// # Errors
    /// As there.
    pub fn start_with(
        sockets: Sockets,
        rules: Rules,
        observer: Arc<dyn Observer>,
        settings: Settings,
    ) -> io::Result<Self> {
        let engine = Engine::new(sockets, rules, observer, settings)?;
        let (bell, remote, adopter) = (engine.bell(), Remote(engine.post()), engine.adopter());
        let thread = std::thread::Builder::new().name("belljar-net".to_owned());
        Ok(Self { bell, remote, adopter, thread: Some(thread.spawn(move || engine.run())?) })
    }

    /// For threads that have to know what a connection would be meant for.
    #[must_use]
    pub fn remote(&self) -> Remote {
        self.remote.clone()
    }

    /// How connections come in that no listener sees.
    #[must_use]
    pub fn adopter(&self) -> Adopter {
        self.adopter.clone()
    }

    /// Cuts all connections, closes the sockets and waits for the threads. A look-up that the host's resolver is in the
    /// middle of is waited for half a second, then left alone.
    ///
    /// # Errors
    /// Serving had ended before, since the kernel refused to wait for events.
    pub fn end(mut self) -> io::Result<()> {
        self.finish()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.bell.stop();
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the serving thread panicked")))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.finish());
    }
}
