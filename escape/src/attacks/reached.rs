//! Judges about listeners outside: did anything arrive, and what.

use std::cell::Cell;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::Path;
use std::rc::Rc;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};

use crate::attack::Judge;
use crate::outcome::Judgement;
use crate::stage::Stage;

/// A listener with an abstract name, which is the next argument of the attack after an `@`.
pub(crate) fn abstract_listener(stage: &mut Stage) -> io::Result<UnixListener> {
    let name = stage.word("escape");
    let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
    stage.arg(format!("@{name}"));
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// A listener in a folder that every box may only read; its path is the next argument of the attack.
pub(crate) fn path_listener(stage: &mut Stage) -> io::Result<UnixListener> {
    let path = stage.bin.join("socket");
    // The socket of the run before is still there.
    drop(std::fs::remove_file(&path));
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o777))?;
    stage.path_arg(&path);
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Connects to a listener named by an argument.
pub(crate) fn connect(name: &str) -> io::Result<UnixStream> {
    match name.strip_prefix('@') {
        Some(name) => UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?),
        None => UnixStream::connect(name),
    }
}

/// Sends the descriptor to whoever connects.
pub(crate) fn give(stage: &mut Stage, listener: UnixListener, fd: OwnedFd) {
    stage.watches.push(Box::new(move |_| {
        if let Ok((stream, _)) = listener.accept() {
            // A peer that went away gets nothing, which the judge sees.
            drop(send_fd(&stream, &fd));
        }
    }));
}

/// No descriptor may arrive at the listener.
pub(crate) fn nothing_given(stage: &mut Stage, listener: UnixListener) -> Judge {
    let arrived = Rc::new(Cell::new(false));
    let judge = unless(Rc::clone(&arrived), "a descriptor of the box arrived outside");
    let mut open: Option<UnixStream> = None;
    stage.watches.push(Box::new(move |_| {
        open = listener.accept().ok().map(|(stream, _)| stream).or(open.take());
        let got = open.as_ref().is_some_and(|stream| receive_fd(stream, RecvFlags::DONTWAIT).is_ok());
        arrived.set(arrived.get() || got);
    }));
    judge
}

/// Escaped when the flag was set.
pub(crate) fn unless(flag: Rc<Cell<bool>>, evidence: &'static str) -> Judge {
    Box::new(move |_| Ok(Judgement::escaped_if(flag.get(), evidence)))
}

/// Sends one descriptor.
pub(crate) fn send_fd(stream: &UnixStream, fd: &impl AsFd) -> io::Result<()> {
    let fds = [fd.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&fds));
    rustix::net::sendmsg(stream, &[io::IoSlice::new(b"x")], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Receives one descriptor.
pub(crate) fn receive_fd(stream: &UnixStream, flags: RecvFlags) -> io::Result<OwnedFd> {
    let mut byte = [0u8; 1];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    rustix::net::recvmsg(stream, &mut [IoSliceMut::new(&mut byte)], &mut control, flags)?;
    let fds = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(fds) => Some(fds),
        _ => None,
    });
    fds.flatten().next().ok_or_else(|| io::Error::other("no descriptor came"))
}

/// Reads the file through a folder's descriptor and prints it.
pub(crate) fn print_beneath(folder: &impl AsFd, name: &Path) -> io::Result<()> {
    let flags = rustix::fs::OFlags::RDONLY;
    let file = rustix::fs::openat(folder, name, flags, rustix::fs::Mode::empty())?;
    super::raw::show(file)
}
