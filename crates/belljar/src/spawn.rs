//! From a prepared jar to a running one.

use std::ffi::{CStr, OsStr};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Instant;

use belljar_sys::child::MOST_DESCRIPTORS;
use belljar_sys::owned::{self, Child};
use belljar_sys::spawn::{Blocked, Sequence};
use belljar_sys::wire::{Command, Event, SIZE};
use belljar_sys::{Fd, Op};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use rustix::process::{Signal, pidfd_send_signal};

use crate::broker::Refused;
use crate::elf;
use crate::error::{StartError, shown};
use crate::plan::{Plan, Step};
use crate::prepare::{Prepared, write_maps};

/// A started jar and the supervisor's end of its status socket.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) child: Child,
    pub(crate) status: OwnedFd,
    /// Master side of the jar's own terminal.
    pub(crate) terminal: Option<OwnedFd>,
    /// Listener of the filter that hands calls over.
    pub(crate) listener: Option<OwnedFd>,
    /// Sockets of the jar's network that the supervisor serves.
    pub(crate) sockets: Vec<OwnedFd>,
    /// FIFO of requests and table of replies, where the jar may ask for actions.
    pub(crate) channel: Vec<OwnedFd>,
    /// Memory with the changes of overlays.
    pub(crate) folder: Option<OwnedFd>,
    pub(crate) at: Instant,
}

/// A status socket: the supervisor's end, the child's end. The child's has the lower number: there is less to close below.
pub(crate) fn status_pair() -> Result<(OwnedFd, OwnedFd), StartError> {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .map(|(lower, higher)| (higher, lower))
        .map_err(|errno| supervisor("making the status socket", errno.into()))
}

pub(crate) fn supervisor(what: &'static str, source: io::Error) -> StartError {
    StartError::Supervisor { what, source }
}

/// Blocks the calling thread's signals, as the clone needs it.
pub(crate) fn block_signals() -> Result<Blocked, StartError> {
    Blocked::all().map_err(|errno| signals("blocking signals", errno))
}

fn signals(what: &'static str, errno: belljar_sys::Errno) -> StartError {
    supervisor(what, io::Error::from_raw_os_error(errno.0))
}

/// What the child does. With `announce`, it tells when the program's exec has succeeded.
pub(crate) fn sequence<'a>(plan: &Plan, prepared: &'a Prepared<'_>, announce: bool) -> Sequence<'a> {
    Sequence {
        init: &prepared.init,
        program: &prepared.program,
        namespaces: plan.split_namespaces().map_or(plan.namespaces, |(first, _)| first),
        own_pids: plan.namespaces & crate::plan::CLONE_NEWPID != 0,
        announce,
        errands: prepared.errands.unwrap_or(-1),
        close_after_start: true,
    }
}

/// Starts the child, which `clones` makes with its end of the status socket. What `mounts` makes, while the child makes its
/// namespaces, is sent to a child of root.
pub(crate) fn spawn<'m>(
    plan: &Plan,
    prepared: &Prepared<'_>,
    (status, child_end): (OwnedFd, OwnedFd),
    blocked: Blocked,
    clones: impl FnOnce(&Blocked, OwnedFd) -> Result<Result<Child, belljar_sys::Errno>, StartError>,
    mounts: impl FnOnce(&Blocked) -> Result<&'m [OwnedFd], StartError>,
) -> Result<Started, StartError> {
    let at = Instant::now();
    let child = clones(&blocked, child_end)?.map_err(|errno| StartError::Step {
        step: "clone",
        object: String::new(),
        source: io::Error::from_raw_os_error(errno.0),
    })?;
    let (terminal, listener, sockets, channel, folder) = (None, None, Vec::new(), Vec::new(), None);
    let mut started = Started { child, status, terminal, sockets, channel, listener, folder, at };
    let mapped = map_ids(plan, &started.child, &started.status, || mounts(&blocked));
    let heard = blocked.release().map_err(|errno| signals("unblocking signals", errno));
    let ready = mapped.and(heard).and_then(|()| begin(plan, prepared, &mut started));
    started.or_end(ready)?;
    Ok(started)
}

fn begin(plan: &Plan, prepared: &Prepared<'_>, started: &mut Started) -> Result<(), StartError> {
    if prepared.init.iter().any(|op| matches!(op, Op::Channel { .. })) {
        started.channel = await_event(prepared, started, Event::Channel, "waiting for the channel")?;
    }
    if prepared.sends_aside() {
        started.folder = await_event(prepared, started, Event::Folder, "waiting for the overlays")?.pop();
    }
    if plan.init.contains(&Step::OpenTerminal) {
        started.terminal = await_event(prepared, started, Event::Terminal, "waiting for the terminal")?.pop();
    }
    if plan.init.iter().any(|step| matches!(step, Step::Serve { .. })) {
        started.sockets = await_event(prepared, started, Event::Sockets, "waiting for sockets")?;
    }
    if plan.broker.is_some() || plan.promises.as_ref().is_some_and(|promises| promises.tells) {
        started.listener = await_event(prepared, started, Event::Listener, "waiting for the listener")?.pop();
    }
    Ok(())
}

/// A caller's own code that panics while the jar starts (an observer, a judge) leaves nothing of it either.
impl Drop for Started {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.abandon();
        }
    }
}

impl Started {
    fn abandon(&self) {
        let killed = pidfd_send_signal(&self.child.pidfd, Signal::KILL);
        let waited = owned::reap(&self.child.pidfd);
        tracing::debug!(?killed, ?waited, "a start that failed is over");
    }

    /// Passes `done` on. When it failed, nothing of the jar is left: neither a process nor a zombie.
    pub(crate) fn or_end<T>(&self, done: Result<T, StartError>) -> Result<T, StartError> {
        if done.is_err() {
            self.abandon();
        }
        done
    }
}

/// Only root's child waits for its maps and mounts: it cannot make them itself.
fn map_ids<'m>(
    plan: &Plan,
    child: &Child,
    status: &OwnedFd,
    mounts: impl FnOnce() -> Result<&'m [OwnedFd], StartError>,
) -> Result<(), StartError> {
    let ids = plan.init.iter().find_map(|step| match step {
        Step::BecomeUser { uid, gid } if plan.namespaces != 0 => Some((*uid, *gid)),
        _ => None,
    });
    let Some((uid, gid)) = ids else { return Ok(()) };
    write_maps(child.pid, uid, gid).map_err(|source| supervisor("writing the id maps", source))?;
    match go(status, mounts()?) {
        // It has failed and said why.
        Err(rustix::io::Errno::PIPE) => Ok(()),
        done => done.map_err(|errno| supervisor("starting the child", errno.into())),
    }
}

/// Tells init to go on, with these mounts.
fn go(status: &OwnedFd, mounts: &[OwnedFd]) -> rustix::io::Result<()> {
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let mounts: Vec<BorrowedFd<'_>> = mounts.iter().map(AsFd::as_fd).collect();
    if !mounts.is_empty() && !control.push(SendAncillaryMessage::ScmRights(&mounts)) {
        return Err(rustix::io::Errno::TOOBIG);
    }
    let bytes = Command::Go.encode();
    sendmsg(status, &[io::IoSlice::new(&bytes)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Tells init something.
pub(crate) fn command(status: &OwnedFd, command: Command) -> io::Result<()> {
    rustix::net::send(status, &command.encode(), SendFlags::NOSIGNAL)?;
    Ok(())
}

/// The next message of init, which comes before the program's exec: this one with its descriptors, or a failure.
fn await_event(
    prepared: &Prepared<'_>,
    started: &Started,
    awaited: Event,
    what: &'static str,
) -> Result<Vec<OwnedFd>, StartError> {
    match receive(&started.status).map_err(|source| supervisor(what, source))? {
        (Some(event), fds) if event == awaited => Ok(fds),
        (Some(Event::Failed(failure)), _) => Err(failed(prepared, failure)),
        _ => Err(supervisor(what, io::ErrorKind::UnexpectedEof.into())),
    }
}

/// Waits until the program's exec has succeeded, where init announces it. What is refused before, by the jar's own probes,
/// is answered. The alarm is the broker's.
pub(crate) fn await_exec(
    announced: bool,
    prepared: &Prepared<'_>,
    started: &Started,
    refused: Option<&mut Refused>,
    alarm: Option<BorrowedFd<'_>>,
) -> Result<(), StartError> {
    match refused {
        _ if !announced => Ok(()),
        Some(refused) => attend_exec(prepared, started, refused),
        None => {
            alarm.map_or(Ok(()), |alarm| await_word(started, alarm))?;
            await_event(prepared, started, Event::Started, "waiting for the program").map(drop)
        }
    }
}

/// Waits for init's word. A broker that has failed may leave a call of the program unanswered: no word would come.
fn await_word(started: &Started, alarm: BorrowedFd<'_>) -> Result<(), StartError> {
    let failed = |source| supervisor("waiting for the program", source);
    let mut set =
        [PollFd::new(&started.status, PollFlags::IN), PollFd::from_borrowed_fd(alarm, PollFlags::IN)];
    while let Err(errno) = poll(&mut set, None) {
        if errno != rustix::io::Errno::INTR {
            return Err(failed(errno.into()));
        }
    }
    match set[1].revents().is_empty() {
        true => Ok(()),
        false => Err(failed(io::Error::other("the broker has failed"))),
    }
}

fn attend_exec(prepared: &Prepared<'_>, started: &Started, refused: &mut Refused) -> Result<(), StartError> {
    let wait = |source| supervisor("waiting for the program", source);
    loop {
        if !is_told(started, refused).map_err(wait)? {
            refused.turn();
            continue;
        }
        match receive(&started.status).map_err(wait)? {
            (Some(Event::Listener), mut fds) => refused.listen(fds.pop()),
            (Some(Event::Started), _) => return Ok(()),
            (Some(Event::Failed(failure)), _) => return Err(failed(prepared, failure)),
            _ => return Err(wait(io::ErrorKind::UnexpectedEof.into())),
        }
    }
}

/// Waits for a message of init or a refused call; true for the former.
fn is_told(started: &Started, refused: &Refused) -> io::Result<bool> {
    let Some(listener) = refused.interest() else { return Ok(true) };
    let mut set =
        [PollFd::new(&started.status, PollFlags::IN), PollFd::from_borrowed_fd(listener, PollFlags::IN)];
    match poll(&mut set, None) {
        Ok(_) => Ok(!set[0].revents().is_empty()),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

/// One message of init, with the descriptors that came along; none at the end of the socket.
pub(crate) fn receive(status: &OwnedFd) -> io::Result<(Option<Event>, Vec<OwnedFd>)> {
    let mut bytes = [0_u8; SIZE];
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [io::IoSliceMut::new(&mut bytes)];
    let got = loop {
        match recvmsg(status.as_fd(), &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC) {
            // A reset tells that init left words of ours unread; its own last word is still there.
            Err(rustix::io::Errno::INTR | rustix::io::Errno::CONNRESET) => {}
            other => break other?,
        }
    };
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(fds) = message {
            descriptors.extend(fds);
        }
    }
    Ok((bytes.get(..got.bytes).and_then(Event::decode), descriptors))
}

/// A failure record as an error, with the object of the op that failed.
pub(crate) fn failed(prepared: &Prepared<'_>, failure: belljar_sys::wire::Failure) -> StartError {
    let ops = if failure.phase == 0 { &prepared.init } else { &prepared.program };
    let op = usize::try_from(failure.at).ok().and_then(|at| ops.get(at));
    let source = io::Error::from_raw_os_error(failure.errno.0);
    match op {
        Some(Op::Exec { candidates, .. }) => exec_failed(candidates, prepared.shown_file(), source),
        Some(Op::SelfProbe(_) | Op::CloseInherited { .. } | Op::Promise { .. })
            if failure.errno == belljar_sys::Errno::NOT_CONFINED =>
        {
            StartError::NotConfined
        }
        Some(op) => StartError::Step { step: op.step().0, object: object(op), source },
        None => StartError::Step { step: "program", object: String::new(), source },
    }
}

/// `ENOENT` for a file that is there is about what the file needs: its interpreter.
fn exec_failed(candidates: &[&CStr], file: Option<&Path>, source: io::Error) -> StartError {
    if let Some(file) = file.filter(|_| source.kind() == io::ErrorKind::NotFound) {
        let interpreter = elf::interpreter(file).map_or("its interpreter".to_owned(), |path| shown(&path));
        return StartError::NoInterpreter { program: shown(file), interpreter };
    }
    let last = candidates.last().map_or(String::new(), |path| foreign(path));
    let program = match (source.kind(), candidates.len()) {
        (io::ErrorKind::NotFound, 2..) => last.rsplit('/').next().unwrap_or_default().to_owned(),
        _ => last,
    };
    match source.kind() {
        io::ErrorKind::NotFound => StartError::NotFound { program },
        _ => StartError::NotRunnable { program, source },
    }
}

/// What an op is about, for people.
fn object(op: &Op<'_>) -> String {
    let path = match op {
        Op::Dir { path, .. }
        | Op::File { path, .. }
        | Op::Symlink { path, .. }
        | Op::SetAttr { path, .. }
        | Op::Chdir(path)
        | Op::Cover(path)
        | Op::Narrow { path, .. }
        | Op::MaskAlike { path, .. }
        | Op::Unlink(path) => path,
        Op::BindNode { from, .. } => from,
        Op::Overlay { to: walk, .. }
        | Op::Bind { from: walk, .. }
        | Op::BindSent { to: walk, .. }
        | Op::Mount { to: walk, .. }
        | Op::Mask(walk) => walk.path(),
        Op::LandlockPath(rights) => rights.path,
        _ => return String::new(),
    };
    foreign(path)
}

fn foreign(path: &CStr) -> String {
    shown(Path::new(OsStr::from_bytes(path.to_bytes())))
}

/// Number of a descriptor that outlives the child.
pub(crate) fn raw(fd: &impl AsRawFd) -> Fd {
    fd.as_raw_fd()
}
