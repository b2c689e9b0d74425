//! Promises of the program: the ticket of its start, and the end of what does more than it promised.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use belljar_bpf::{Action, Filter, Promises, SeccompData, promise_for, syscall_name};
use belljar_policy::{Policy, Setting};
use belljar_sys::Errno;
use belljar_sys::call::Ticket;
use belljar_sys::notify::{Answer, Listener, Notification};
use rustix::process::{Pid, Signal, kill_process};

use crate::broker::Hearing;
use crate::error::StartError;
use crate::event::{self, Event, Events, Observer};
use crate::plan::Plan;
use crate::spawn::supervisor;

/// The first call that was not promised, in words.
#[derive(Clone, Debug, Default)]
pub(super) struct Broken(Arc<Mutex<Option<String>>>);

impl Broken {
    /// What to say of it.
    pub(super) fn reason(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, text: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(text);
    }
}

/// A ticket that nobody else knows.
pub(super) fn ticket() -> Result<Ticket, StartError> {
    let mut bytes = [0_u8; 8];
    let got = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    match got {
        Ok(8) => {
            let [a, b, c, d, e, f, g, h] = bytes;
            Ok(Ticket { first: u32::from_ne_bytes([a, b, c, d]), second: u32::from_ne_bytes([e, f, g, h]) })
        }
        Ok(_) => Err(supervisor("asking for random bytes", std::io::ErrorKind::UnexpectedEof.into())),
        Err(errno) => Err(supervisor("asking for random bytes", errno.into())),
    }
}

/// Takes the listener of the program's promises, where it tells of violations.
pub(super) fn start(
    listener: &mut Option<OwnedFd>,
    plan: &Plan,
    policy: &Policy,
    events: &Arc<Events>,
    hearing: Option<Arc<Hearing>>,
) -> Result<Broken, StartError> {
    let broken = Broken::default();
    let tells = plan.promises.as_ref().is_some_and(|promises| promises.tells);
    let (true, Some(promised), Some(listener)) = (tells, &policy.promises, listener.take_if(|_| tells))
    else {
        return Ok(broken);
    };
    let failed = |source| supervisor("listening for what is not promised", source);
    let listener =
        Listener::new(listener).map_err(|errno| failed(std::io::Error::from_raw_os_error(errno.0)))?;
    let words = promised.value.parse::<Promises>();
    let allowed = words.ok().and_then(|words| words.rules(Action::KillProcess).ok()?.compile().ok());
    let watch = Watch {
        listener,
        promised: promised.clone(),
        allowed,
        hearing,
        events: Arc::clone(events),
        broken: broken.clone(),
    };
    // Where this thread ends, the listener closes, and the kernel refuses the calls (ENOSYS).
    let thread = std::thread::Builder::new().name("promises".to_owned()).stack_size(STACK);
    thread.spawn(move || watch.run()).map_err(failed)?;
    Ok(broken)
}

/// A flag that lets a call through is found by planning again, which takes some.
const STACK: usize = 256 * 1024;

struct Watch {
    listener: Listener,
    promised: Setting<String>,
    /// What is promised, alone.
    allowed: Option<Filter>,
    hearing: Option<Arc<Hearing>>,
    events: Arc<Events>,
    broken: Broken,
}

impl Watch {
    fn run(&self) {
        while let Ok(Some(call)) = self.listener.receive() {
            match self.refused(&call) {
                Some(errno) => {
                    let answered = self.listener.answer(call.id, Answer::Error(errno));
                    tracing::trace!(?answered, "a refusal was told");
                }
                None => {
                    self.tell(&call);
                    self.end(&call);
                }
            }
        }
    }

    /// The error of a call that was promised and that the policy refuses all the same.
    fn refused(&self, call: &Notification) -> Option<Errno> {
        let data = SeccompData { nr: call.nr.cast_unsigned(), arch: call.arch, ip: call.ip, args: call.args };
        let promised = self.allowed.as_ref().is_some_and(|filter| filter.eval(&data) == Action::Allow);
        self.hearing.as_ref().filter(|_| promised)?.hear(call)
    }

    fn tell(&self, call: &Notification) {
        let number = u32::try_from(call.nr).unwrap_or(u32::MAX);
        let name = syscall_name(number).unwrap_or("an unknown call");
        let missing = promise_for(number, &call.args).map(|promise| promise.replace('+', " "));
        let text = match &missing {
            Some(words) => format!("{name} is not promised: it takes {words}"),
            None => format!("{name} is not promised, and no promise holds it"),
        };
        let rule = format!("promise = \"{}\"", self.promised.value);
        let event = Event::new(event::Verdict::Denied, name, "".as_ref()).by(call.pid);
        let event = event.rule(&rule, &self.promised.origin.to_string());
        self.events.event(match missing {
            Some(words) => event.flag(&format!("--promise {} {words}", self.promised.value)),
            None => event,
        });
        self.broken.note(text);
    }

    /// Its own signal ends a process that does not handle it; any other takes the one that nobody handles.
    fn end(&self, call: &Notification) {
        let handles = handles_sigsys(call.pid).unwrap_or(true);
        let pid = i32::try_from(call.pid).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid.filter(|_| self.listener.is_valid(call.id)) {
            let signal = if handles { Signal::KILL } else { Signal::SYS };
            let sent = kill_process(pid, signal);
            tracing::debug!(?sent, "a process did what it has not promised");
        }
        // It wakes up to its signal.
        let answered = self.listener.answer(call.id, Answer::Error(belljar_sys::Errno::NOSYS));
        tracing::trace!(?answered, "the call is refused in any case");
    }
}

/// Whether a thread would survive `SIGSYS`: it blocks, ignores or handles it.
fn handles_sigsys(pid: u32) -> Option<bool> {
    const BIT: u64 = 1 << 30;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let mask = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        u64::from_str_radix(line.trim(), 16).ok()
    };
    let all = mask("SigBlk:")? | mask("SigIgn:")? | mask("SigCgt:")?;
    Some(all & BIT != 0)
}
