//! One worker's life as its parent sees it: a descriptor to end it by, its last words, how it ended.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::process::{Signal, pidfd_send_signal};

use super::channel::{Break, Deadline, is_readable, raw, wait};
use super::code::decode;
use super::error::{ProtocolError, WorkerError};
use super::frame::{Frame, Kind};
use super::setup::End;

/// How much of its last words is kept, in bytes.
pub(super) const MOST_SAID: usize = 2048;
/// Packets that are taken before the clock is looked at again.
const AT_ONCE: usize = 64;
/// How long an ended worker may take to be gone.
const GONE_WITHIN: Duration = Duration::from_secs(2);
/// How long one that has closed its channel may take to end by itself.
const ENDS_WITHIN: Duration = Duration::from_millis(200);

/// The socket on which the zygote tells how the worker fares. The worker has the other end as its descriptor 2: packets that are no
/// messages of the zygote's are its words. It could counterfeit those messages, about nothing but itself; the last word, after
/// which the socket is closed, is the zygote's.
#[derive(Debug)]
pub(super) struct Life {
    status: OwnedFd,
    pidfd: Option<OwnedFd>,
    said: Vec<u8>,
    end: Option<End>,
    /// Nothing comes any more: the worker is gone.
    over: bool,
}

/// Exit status of Rust programs that panicked.
const PANICKED: i32 = belljar_sys::fork::PANICKED;

impl Life {
    pub(super) fn new(status: OwnedFd) -> Self {
        Self { status, pidfd: None, said: Vec::new(), end: None, over: false }
    }

    /// Waits until the worker exists. Nobody else has written to the socket by then: it has read nothing of anybody.
    pub(super) fn begin(&mut self, until: Deadline) -> Result<(), Break> {
        wait([(self.status.as_fd(), PollFlags::IN)], until)?;
        let mut bytes = [0; 256];
        let Some((len, descriptors)) = raw(self.status.as_fd(), &mut bytes)? else { return Err(Break::Late) };
        let packet = bytes.get(..len).unwrap_or_default();
        let frame = Frame::check(packet, descriptors, bytes.len()).map_err(Break::Frame)?;
        match (frame.kind, frame.descriptors.into_iter().next()) {
            (Kind::Started, Some(pidfd)) => self.pidfd = Some(pidfd),
            (Kind::Failed, _) => {
                let errno = decode::<i32>(&frame.body, Vec::new()).unwrap_or(0);
                return Err(Break::System(std::io::Error::from_raw_os_error(errno)));
            }
            _ => return Err(Break::Closed),
        }
        Ok(())
    }

    /// What to wait on beside the channel, while something can come.
    pub(super) fn interest(&self) -> Option<BorrowedFd<'_>> {
        (!self.over).then(|| self.status.as_fd())
    }

    /// Whether the zygote has told that it ended.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Descriptor of its process.
    pub(super) fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        self.pidfd.as_ref().map(AsFd::as_fd)
    }

    /// Takes what is there: words, and the end. Of one that says more than this at once the rest waits: it must not keep its
    /// parent beyond the deadline.
    pub(super) fn listen(&mut self) {
        let mut bytes = [0; MOST_SAID];
        for _ in 0..AT_ONCE {
            match raw(self.status.as_fd(), &mut bytes) {
                Ok(None) => return,
                Ok(Some((len, descriptors))) => self.take(bytes.get(..len).unwrap_or(&bytes), descriptors),
                Err(Break::Frame(_)) => {}
                Err(_) => {
                    self.over = true;
                    return;
                }
            }
        }
    }

    fn take(&mut self, packet: &[u8], descriptors: Vec<OwnedFd>) {
        if let Ok(frame) = Frame::check(packet, descriptors, packet.len())
            && frame.kind == Kind::Ended
            && let Ok(end) = decode::<End>(&frame.body, frame.descriptors)
        {
            self.end = Some(end);
            return;
        }
        self.said.extend_from_slice(packet);
        let excess = self.said.len().saturating_sub(MOST_SAID);
        self.said.drain(..excess);
    }

    /// Ends the worker, if it still lives.
    pub(super) fn kill(&self) {
        if let (Some(pidfd), false) = (&self.pidfd, self.over) {
            // It may have ended by itself, which is as good.
            let ended = pidfd_send_signal(pidfd, Signal::KILL);
            tracing::trace!(?ended, "a worker is ended");
        }
    }

    /// Waits until nothing of it is left.
    pub(super) fn settle(&mut self, within: Duration) {
        let until = Deadline::after(within);
        while !self.over && wait([(self.status.as_fd(), PollFlags::IN)], until).is_ok() {
            self.listen();
        }
    }

    /// Ends the worker and waits until it runs no more. Its own descriptor tells: the socket stays open where the worker has sent the
    /// other end to somebody.
    pub(super) fn end(&mut self) {
        self.kill();
        let until = Deadline::after(GONE_WITHIN);
        while let (Some(pidfd), false) = (&self.pidfd, self.over) {
            let on = [(pidfd.as_fd(), PollFlags::IN), (self.status.as_fd(), PollFlags::IN)];
            match wait(on, until) {
                Ok([false, true]) => self.listen(),
                _ => return,
            }
        }
    }

    /// Why the channel gave no message; beside the worker's memory, what tells that its zygote has ended. The worker is gone
    /// when this returns.
    pub(super) fn why(
        &mut self,
        broken: &Break,
        within: Duration,
        (memory, zygote): (u64, BorrowedFd<'_>),
    ) -> WorkerError {
        match broken {
            Break::Closed => self.closed(memory, zygote),
            Break::Late => {
                self.end();
                WorkerError::TimedOut { within }
            }
            Break::Frame(error) => {
                self.end();
                WorkerError::Protocol((*error).into())
            }
            Break::System(error) => {
                self.end();
                let source =
                    error.raw_os_error().map_or(error.kind().into(), std::io::Error::from_raw_os_error);
                WorkerError::System { what: "talking to a worker", source }
            }
        }
    }

    /// Its channel is closed: it has ended, with its zygote or not. Or it has closed the channel itself and lives on, or has left no
    /// room for the word that it ended, and is to blame for that.
    fn closed(&mut self, memory: u64, zygote: BorrowedFd<'_>) -> WorkerError {
        self.settle(ENDS_WITHIN);
        let lives = !self.over;
        self.end();
        if lives {
            self.settle(ENDS_WITHIN);
        }
        match self.end {
            Some(end) if !lives || end.status & 0x7F != SIGKILL => self.verdict(end, memory),
            None if is_readable(zygote) => WorkerError::ZygoteGone,
            _ => WorkerError::Protocol(ProtocolError::Closed),
        }
    }

    fn verdict(&self, End { status, peak }: End, memory: u64) -> WorkerError {
        let said = shown(&self.said);
        let full = peak.saturating_mul(1024) >= memory / 10 * 9;
        // The standard library's last words before it aborts for want of memory.
        let wanted = said.contains("memory allocation of ");
        match (status & 0x7F, (status >> 8) & 0xFF) {
            (0, PANICKED) => WorkerError::Panicked { said },
            (0, code) => WorkerError::Exited { code, said },
            (SIGSYS, _) => WorkerError::Violation { said },
            (SIGABRT, _) if wanted || full => WorkerError::OutOfMemory { said },
            (SIGKILL | SIGSEGV | SIGBUS, _) if full => WorkerError::OutOfMemory { said },
            (signal, _) => WorkerError::Crashed { signal, said },
        }
    }
}

const SIGABRT: i32 = 6;
const SIGBUS: i32 = 7;
const SIGKILL: i32 = 9;
const SIGSEGV: i32 = 11;
const SIGSYS: i32 = 31;

impl Drop for Life {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Words of somebody nobody trusts, in one line that steers no terminal.
pub(crate) fn shown(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let plain = |one: char| one == ' ' || one.is_ascii_graphic();
    let escaped = |one: char| if plain(one) { one.to_string() } else { one.escape_default().to_string() };
    text.trim().chars().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::channel::pair;

    #[test]
    fn who_never_stops_talking_does_not_keep_its_parent() {
        let (status, theirs) = pair().unwrap();
        let say = || rustix::net::send(&theirs, b"word ", rustix::net::SendFlags::DONTWAIT);
        let said = (0..10_000).take_while(|_| say().is_ok()).count();
        assert!(said > AT_ONCE);
        let mut life = Life::new(status);
        life.listen();
        assert!(is_readable(life.status.as_fd()), "the rest waits");
        assert_eq!(shown(&life.said), "word ".repeat(AT_ONCE).trim());
    }
}
