//! Refusals of the filter, heard and answered as the filter itself would have answered them.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use belljar_bpf::SeccompData;
use belljar_sys::Errno;
use belljar_sys::notify::{Answer, Arrived, Listener, Notification};

use crate::event::Events;
use crate::plan::Refusals;

/// The listener of a filter that tells what it refuses. Each turn is short and looks at registers only, so the supervisor's
/// one loop takes it.
#[derive(Debug)]
pub(crate) struct Refused {
    listener: Option<Listener>,
    refusals: Refusals,
    events: Arc<Events>,
}

impl Refused {
    /// Hears nothing before [`Refused::listen`].
    pub(crate) fn new(refusals: Refusals, events: Arc<Events>) -> Self {
        Self { listener: None, refusals, events }
    }

    /// Takes the listener. Without one the kernel refuses the calls itself.
    pub(crate) fn listen(&mut self, fd: Option<OwnedFd>) {
        self.listener = fd.and_then(|fd| Listener::new(fd).ok());
    }

    /// Readable when a call waits for its answer.
    pub(crate) fn interest(&self) -> Option<BorrowedFd<'_>> {
        self.listener.as_ref().map(AsFd::as_fd)
    }

    /// Answers one call, if any waits.
    pub(crate) fn turn(&mut self) {
        let Some(listener) = &self.listener else { return };
        match listener.arrived() {
            Ok(Arrived::Call(call)) => {
                let data = data(&call);
                let errno = self.refusals.errno(&data);
                let answer = Answer::Error(errno.map_or(Errno::PERM, |errno| Errno(i32::from(errno))));
                self.note(&data, call.pid);
                let answered = self.listener.as_ref().map(|listener| listener.answer(call.id, answer));
                tracing::trace!(?answered, "a refusal was told");
            }
            Ok(Arrived::Nothing) => {}
            // Closing it makes the kernel refuse whatever comes.
            Ok(Arrived::Over) | Err(_) => self.listener = None,
        }
    }

    fn note(&self, data: &SeccompData, pid: u32) {
        let Some(event) = self.refusals.event(data, pid) else { return };
        self.events.refusal(event, |event| self.refusals.remedied(event, data));
    }
}

fn data(call: &Notification) -> SeccompData {
    SeccompData { nr: call.nr.cast_unsigned(), arch: call.arch, ip: call.ip, args: call.args }
}
