use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use crate::attack::{Attack, Judge};
use crate::attacks::data::inherited::{inherited, read, write};
use crate::attacks::raw;
use crate::outcome::Judgement;
use crate::stage::Stage;
use crate::terminal::Terminal;
use crate::{canary, files};

pub(super) const PIPE_IN: Attack = inherited!(
    "inherited-pipe",
    "reads what another program wrote into a pipe of the caller",
    |stage| {
        let (ours, theirs) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let canary = canary::fresh()?;
        rustix::io::write(&theirs, canary.as_bytes())?;
        give(stage, ours)?;
        Ok(files::not_printed(canary))
    },
    read
);
pub(super) const PIPE_OUT: Attack = inherited!(
    "inherited-pipe-end",
    "writes into a pipe that another program of the caller reads",
    |stage| {
        let (ours, theirs) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        give(stage, theirs)?;
        silent(ours)
    },
    write
);
pub(super) const UNIX: Attack = inherited!(
    "inherited-unix-socket",
    "talks over a unix socket that the caller has connected to a daemon",
    |stage| {
        let (ours, theirs) = UnixStream::pair()?;
        give(stage, theirs)?;
        silent(ours)
    },
    write
);
pub(super) const TCP: Attack = inherited!(
    "inherited-tcp-connection",
    "talks over a connection that the caller has open",
    |stage| {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        give(stage, TcpStream::connect(listener.local_addr()?)?)?;
        silent(listener.accept()?.0)
    },
    write
);
pub(super) const LISTENER: Attack = inherited!(
    "inherited-tcp-listener",
    "accepts connections of host programs on a listener of the caller and reads what they send",
    |stage| {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let canary = canary::fresh()?;
        let word = canary.clone();
        stage.watches.push(Box::new(move |_| {
            drop(TcpStream::connect(address).and_then(|mut stream| stream.write_all(word.as_bytes())));
        }));
        give(stage, listener)?;
        Ok(files::not_printed(canary))
    },
    |fd: i32| {
        // SAFETY: whoever owned the number does not exist in this process.
        let listener = TcpListener::from(unsafe { OwnedFd::from_raw_fd(fd) });
        listener.set_nonblocking(true)?;
        raw::pause(100)?;
        let mut text = Vec::new();
        listener.accept()?.0.read_to_end(&mut text)?;
        raw::print(&text)
    }
);
pub(super) const UDP: Attack = inherited!(
    "inherited-udp-socket",
    "receives datagrams meant for a socket of the caller",
    |stage| {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        let canary = canary::fresh()?;
        UdpSocket::bind("127.0.0.1:0")?.send_to(canary.as_bytes(), socket.local_addr()?)?;
        give(stage, socket)?;
        Ok(files::not_printed(canary))
    },
    read
);
pub(super) const TERMINAL: Attack = inherited!(
    "inherited-terminal-window",
    "types into a terminal window of the caller",
    |stage| {
        let terminal = Terminal::open()?;
        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
        let keyboard = rustix::fs::open(&terminal.path, flags, rustix::fs::Mode::empty())?;
        give(stage, terminal.master)?;
        silent(keyboard)
    },
    |fd: i32| raw::print_to(fd, b"loot\n")
);

fn give(stage: &mut Stage, fd: impl Into<OwnedFd>) -> io::Result<()> {
    let fd = stage.inherit(fd)?;
    stage.arg(fd);
    Ok(())
}

/// Nothing may arrive.
fn silent(fd: impl Into<OwnedFd>) -> io::Result<Judge> {
    let fd = fd.into();
    let flags = rustix::fs::fcntl_getfl(&fd)? | rustix::fs::OFlags::NONBLOCK;
    rustix::fs::fcntl_setfl(&fd, flags)?;
    Ok(Box::new(move |_| {
        let got = rustix::io::read(&fd, &mut [0u8; 64]).is_ok_and(|got| got > 0);
        Ok(Judgement::escaped_if(got, "bytes of the box arrived outside"))
    }))
}
