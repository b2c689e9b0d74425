//! Inside the process that workers are forked from: warms up, seals itself off, forks on request, tells how each ended.
//!
//! It has one thread whenever it forks, holds nothing of any request (those go from the parent to the worker directly), and reads
//! from nobody but the parent.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use belljar_sys::abi::{LandlockRuleset, Rusage, SockFilter};
use belljar_sys::fork::About;
use belljar_sys::violation::{self, Threads};
use belljar_sys::{ask, call, fork, owned};
use rustix::event::PollFlags;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde::Serialize;

use super::channel::{Break, Deadline, Inbox, Outgoing, send, wait};
use super::code::{decode, encode};
use super::entry::AnyEntry;
use super::frame::{Kind, MOST_INLINE};
use super::seal::Instructions;
use super::setup::{End, SOCKET, Setup, Unready};
use crate::plan;

/// Exit status of a process that could not get ready.
const UNREADY: i32 = 125;
/// `SIGCHLD`, as a mask.
const CHILDREN: u64 = 1 << 16;

/// Becomes the process that workers are forked from, or that of a [service](crate::service), if this program was started for that; returns
/// at once otherwise. Call it first
/// of all in `main`, before anything else has started a thread, opened a file or read an argument.
///
/// ```no_run
/// use belljar::worker::{self, Entry};
///
/// static WORDS: Entry<String, usize> = Entry::new("words", |text, _| text.split_whitespace().count());
///
/// fn main() {
///     worker::serve(&[&WORDS]);
///     // here the program itself begins
/// }
/// ```
pub fn serve(table: &[&'static dyn AnyEntry]) {
    crate::service::become_service();
    if crate::command::is_passed(SOCKET) {
        call::exit(crate::passed(SOCKET).map_or(UNREADY, |control| become_zygote(control, table)));
    }
}

fn become_zygote(control: OwnedFd, table: &[&'static dyn AnyEntry]) -> i32 {
    match ready(&control, table) {
        Ok((entry, setup, about)) => attend(&Zygote { control, entry, setup, about }),
        Err(None) => UNREADY,
        Err(Some(why)) => {
            // Nobody is left to hear that this did not arrive either.
            drop(say(&control, Kind::Failed, &why, &[]));
            UNREADY
        }
    }
}

type Ready = (&'static dyn AnyEntry, Setup, Option<About>);

/// Takes the parent's wishes, warms up and seals off.
fn ready(control: &OwnedFd, table: &[&'static dyn AnyEntry]) -> Result<Ready, Option<Unready>> {
    let mut inbox = Inbox::new(MOST_INLINE);
    let frame = inbox.next(control.as_fd(), Deadline::NEVER).map_err(|_| None)?;
    if frame.kind != Kind::Setup {
        return Err(None);
    }
    let setup: Setup = decode(&frame.body, frame.descriptors).map_err(|_| None)?;
    let entry = table.iter().copied().find(|entry| entry.name() == setup.entry);
    let entry = entry.ok_or_else(|| Unready::NoEntry(setup.entry.clone()))?;
    warm(entry.warm())?;
    seal_off(&setup)?;
    let untold = violation::threads() == Threads::Untold;
    say(control, Kind::Sealed, &(entry.place(), untold), &[]).map_err(|_| None)?;
    let about = if untold { Some(about_oneself(control, &mut inbox).ok_or(None)?) } else { None };
    Ok((entry, setup, about))
}

/// What tells how many threads there are where a filter refuses to; nothing can be opened here any more.
fn about_oneself(control: &OwnedFd, inbox: &mut Inbox) -> Option<About> {
    let frame = inbox.next(control.as_fd(), Deadline::NEVER).ok()?;
    let about = frame.descriptors.into_iter().next()?;
    (frame.kind == Kind::About).then(|| about.into())
}

/// In a thread of its own: what the standard library draws at random for hash maps belongs to a thread, and each worker's is to
/// draw for itself.
fn warm(warm: Option<fn()>) -> Result<(), Unready> {
    let Some(warm) = warm else { return Ok(()) };
    let failed = || Unready::Step { step: "warming up".to_owned(), errno: 0 };
    let thread = std::thread::Builder::new().name("warm".to_owned()).spawn(warm).map_err(|_| failed())?;
    thread.join().map_err(|_| failed())
}

fn seal_off(setup: &Setup) -> Result<(), Unready> {
    const DUMPABLE: u32 = 4;
    let step = |step: &'static str| {
        move |errno: call::Errno| Unready::Step { step: step.to_owned(), errno: errno.0 }
    };
    call::prctl(DUMPABLE, 0).map_err(step("hiding memory"))?;
    call::seccomp(&lower(&setup.zygote)).map_err(step("loading the filter"))
}

fn lower(instructions: &Instructions) -> Vec<SockFilter> {
    instructions.iter().map(|&(code, jt, jf, k)| SockFilter { code, jt, jf, k }).collect()
}

fn say<T: Serialize>(
    to: &OwnedFd,
    kind: Kind,
    value: &T,
    descriptors: &[std::os::fd::BorrowedFd<'_>],
) -> Result<(), Break> {
    say_by(Deadline::NEVER, to, kind, value, descriptors)
}

fn say_by<T: Serialize>(
    until: Deadline,
    to: &OwnedFd,
    kind: Kind,
    value: &T,
    descriptors: &[std::os::fd::BorrowedFd<'_>],
) -> Result<(), Break> {
    let (body, _) = encode(value).map_err(|error| Break::System(std::io::Error::other(error)))?;
    send(to.as_fd(), &Outgoing { kind, number: 0, body: &body, descriptors }, until)
}

struct Zygote {
    control: OwnedFd,
    entry: &'static dyn AnyEntry,
    setup: Setup,
    about: Option<About>,
}

/// The worker's pid, and where its end is told.
type Living = Vec<(i32, OwnedFd)>;

/// Forks and reaps until the parent is gone.
fn attend(zygote: &Zygote) -> i32 {
    let blocked = call::block_these(CHILDREN);
    let (Ok(_), Ok(ends)) = (blocked, owned::signalfd(CHILDREN)) else { return UNREADY };
    let filter = lower(&zygote.setup.workers);
    let (mut inbox, mut living) = (Inbox::new(MOST_INLINE), Living::new());
    loop {
        let on = [(zygote.control.as_fd(), PollFlags::IN), (ends.as_fd(), PollFlags::IN)];
        let Ok([asked, ended]) = wait(on, Deadline::NEVER) else { return UNREADY };
        if ended {
            reap(&ends, &mut living);
        }
        if asked {
            match inbox.take(zygote.control.as_fd()) {
                Ok(Some(frame)) if frame.kind == Kind::Fork => {
                    fork_one(zygote, &filter, frame.descriptors, &mut living);
                }
                Ok(None) => {}
                _ => return 0,
            }
        }
    }
}

fn fork_one(zygote: &Zygote, filter: &[SockFilter], descriptors: Vec<OwnedFd>, living: &mut Living) {
    let Ok([channel, status]) = <[OwnedFd; 2]>::try_from(descriptors) else { return };
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let live = |channel| match arm(own, filter, zygote) {
        Ok(()) => zygote.entry.work(channel),
        Err(_) => fork::NOT_ARRANGED,
    };
    let forked = fork::into_worker(&channel, status.as_fd(), zygote.about.as_ref(), live);
    let told = forked.map_err(|errno| errno.0).and_then(|pid| introduce(pid, &status));
    // A worker that nobody could be told of has a parent that is gone.
    if let Err(errno) = told {
        drop(say(&status, Kind::Failed, &errno, &[]));
    }
    if let Ok(pid) = forked {
        living.push((pid, status));
    }
}

fn introduce(pid: i32, status: &OwnedFd) -> Result<(), i32> {
    let known = Pid::from_raw(pid).ok_or(0)?;
    let pidfd = pidfd_open(known, PidfdFlags::empty()).map_err(|errno| errno.raw_os_error())?;
    say(status, Kind::Started, &(), &[pidfd.as_fd()]).map_err(|_| 0)
}

/// What a worker does to itself before it reads anything.
fn arm(zygote: i32, filter: &[SockFilter], of: &Zygote) -> call::Result<()> {
    const PDEATHSIG: u32 = 1;
    const KILL: usize = 9;
    call::set_signal_mask(0)?;
    call::prctl(PDEATHSIG, KILL)?;
    if usize::try_from(zygote).ok() != Some(call::getppid()) {
        return Err(call::Errno::CHILD);
    }
    for (limit, value) in of.setup.limits.rows() {
        call::set_rlimit(limit, value, value)?;
    }
    own_domain()?;
    call::seccomp(&[&own_signals_only()[..], filter].concat())
}

/// No path, no port, no abstract socket, and no signal to anybody but itself, where the kernel has Landlock.
fn own_domain() -> call::Result<()> {
    let abi = ask::landlock_abi();
    if abi == 0 {
        return Ok(());
    }
    let (fs, net, scoped) = plan::landlock_knows(abi);
    let ruleset = call::landlock_create(&LandlockRuleset { fs, net, scoped })?;
    let done = call::landlock_restrict(ruleset);
    call::close(ruleset);
    done
}

/// What stands before the filter of a worker, whatever that allows: `tgkill`, which `abort` needs, reaches its own threads and
/// nobody else's.
fn own_signals_only() -> [SockFilter; 5] {
    const LOAD: u16 = 0x20;
    const EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    const TGKILL: u32 = 234;
    /// The lower half of the first argument: the kernel cuts it.
    const FIRST: u32 = 16;
    const EPERM: u32 = 0x0005_0001;
    let own = rustix::process::getpid().as_raw_nonzero().get().unsigned_abs();
    let insn = |code, jt, jf, k| SockFilter { code, jt, jf, k };
    [
        insn(LOAD, 0, 0, 0),
        insn(EQUAL, 0, 3, TGKILL),
        insn(LOAD, 0, 0, FIRST),
        insn(EQUAL, 1, 0, own),
        insn(RETURN, 0, 0, EPERM),
    ]
}

/// Tells of every worker that has ended.
fn reap(ends: &OwnedFd, living: &mut Living) {
    // Which signals came does not matter: whoever has ended is found below.
    let mut record = [0_u8; 128];
    while rustix::io::read(ends, &mut record).is_ok() {}
    let mut usage = Rusage::default();
    while let Ok((pid, status)) = call::wait_any(true, &mut usage) {
        let Some(at) = living.iter().position(|(living, _)| *living == pid) else {
            if pid <= 0 {
                return;
            }
            continue;
        };
        let (_, to) = living.swap_remove(at);
        let peak = u64::try_from(usage.maxrss).unwrap_or(0);
        // The parent may have lost interest. A worker that has filled its socket with words must not keep the others waiting.
        let at_once = Deadline::after(Duration::ZERO);
        drop(say_by(at_once, &to, Kind::Ended, &End { status, peak }, &[]));
    }
}
