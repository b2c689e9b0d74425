//! Refusals of the filter, heard and answered as the filter itself would have answered them.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use belljar_bpf::SeccompData;
use belljar_sys::Errno;
use belljar_sys::notify::{Answer, Arrived, Listener, Notification};

use crate::event::Events;
use crate::plan::{Refusals, is_told};

/// Who knows what the filter refuses. Looks at registers only.
#[derive(Debug)]
pub(crate) struct Hearing {
    refusals: Mutex<Refusals>,
    events: Arc<Events>,
}

impl Hearing {
    pub(crate) fn new(refusals: Refusals, events: Arc<Events>) -> Self {
        Self { refusals: Mutex::new(refusals), events }
    }

    /// The error of a call that the filter refuses, which is told; none for every other call.
    pub(crate) fn hear(&self, call: &Notification) -> Option<Errno> {
        let data = data(call);
        if !is_told(data.nr) {
            return None;
        }
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let errno = refusals.errno(&data)?;
        if let Some(event) = refusals.event(&data, call.pid) {
            self.events.refusal(event, |event| refusals.remedied(event, &data));
        }
        Some(Errno(i32::from(errno)))
    }
}

/// The listener of a filter that tells what it refuses. Each turn is short, so the supervisor's one loop takes it.
#[derive(Debug)]
pub(crate) struct Refused {
    listener: Heard,
    hearing: Arc<Hearing>,
}

/// Most jars make none of these calls: what hearing the first one takes is asked of the kernel when it comes.
#[derive(Debug)]
enum Heard {
    Nothing(OwnedFd),
    Something(Listener),
    /// Nobody is left who could make a call: it is closed with the rest, not while the end is waited for.
    Silent {
        _listener: OwnedFd,
    },
    Over,
}

impl Refused {
    /// Hears nothing before [`Refused::listen`].
    pub(crate) fn new(hearing: Arc<Hearing>) -> Self {
        Self { listener: Heard::Over, hearing }
    }

    /// Takes the listener. Without one the kernel refuses the calls itself.
    pub(crate) fn listen(&mut self, fd: Option<OwnedFd>) {
        self.listener = fd.map_or(Heard::Over, Heard::Nothing);
    }

    /// Readable when a call waits for its answer.
    pub(crate) fn interest(&self) -> Option<BorrowedFd<'_>> {
        match &self.listener {
            Heard::Nothing(fd) => Some(fd.as_fd()),
            Heard::Something(listener) => Some(listener.as_fd()),
            Heard::Silent { .. } | Heard::Over => None,
        }
    }

    /// Answers one call, if any waits.
    pub(crate) fn turn(&mut self) {
        self.listener = match std::mem::replace(&mut self.listener, Heard::Over) {
            Heard::Nothing(fd) => Listener::new(fd).map_or(Heard::Over, Heard::Something),
            heard => heard,
        };
        let Heard::Something(listener) = &self.listener else { return };
        match listener.arrived() {
            Ok(Arrived::Call(call)) => {
                let errno = self.hearing.hear(&call).unwrap_or(Errno::PERM);
                let answered = listener.answer(call.id, Answer::Error(errno));
                tracing::trace!(?answered, "a refusal was told");
            }
            Ok(Arrived::Nothing) => {}
            // Closing it makes the kernel refuse whatever comes.
            Ok(Arrived::Over) | Err(_) => self.listener = Heard::Over,
        }
    }

    /// Nobody is left who could make a call.
    pub(crate) fn end(&mut self) {
        self.listener = match std::mem::replace(&mut self.listener, Heard::Over) {
            Heard::Nothing(fd) => Heard::Silent { _listener: fd },
            _ => Heard::Over,
        };
    }
}

fn data(call: &Notification) -> SeccompData {
    SeccompData { nr: call.nr.cast_unsigned(), arch: call.arch, ip: call.ip, args: call.args }
}
