//! Judges about things other than files: listeners, processes, the terminal.

use std::io;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::time::Duration;

use crate::attack::Judge;
use crate::outcome::Judgement;
use crate::{launch, processes};

/// How long a judge waits for a byte that may still be on its way.
const PATIENCE: Duration = Duration::from_millis(50);

/// Nobody may have connected.
pub(crate) fn tcp_unreached(listener: TcpListener) -> io::Result<Judge> {
    listener.set_nonblocking(true)?;
    Ok(Box::new(move |_| {
        Ok(Judgement::escaped_if(listener.accept().is_ok(), "a host TCP listener was reached"))
    }))
}

/// No datagram may have come.
pub(crate) fn udp_unreached(socket: UdpSocket) -> io::Result<Judge> {
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(Box::new(move |_| {
        let got = socket.recv(&mut [0u8; 64]).is_ok();
        Ok(Judgement::escaped_if(got, "a host UDP socket got a datagram"))
    }))
}

/// Nobody may have connected.
pub(crate) fn unix_unreached(listener: UnixListener) -> io::Result<Judge> {
    listener.set_nonblocking(true)?;
    Ok(Box::new(move |_| {
        Ok(Judgement::escaped_if(listener.accept().is_ok(), "a host unix socket was reached"))
    }))
}

/// No datagram may have come.
pub(crate) fn unix_datagram_unreached(socket: UnixDatagram) -> io::Result<Judge> {
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(Box::new(move |_| {
        let got = socket.recv(&mut [0u8; 64]).is_ok();
        Ok(Judgement::escaped_if(got, "a host unix socket got a datagram"))
    }))
}

/// The victim must still run, not stopped.
pub(crate) fn alive(pid: u32) -> Judge {
    Box::new(move |_| {
        // A process that was hit a moment ago may still be on its way out.
        launch::wait_a_little(PATIENCE)?;
        let lives = matches!(processes::state(pid), Some('S' | 'R' | 'D')) && !processes::is_dying(pid);
        Ok(Judgement::escaped_if(!lives, "a host process was hit"))
    })
}

/// Nothing of the box may outlive it.
pub(crate) fn nothing_survives() -> Judge {
    Box::new(|outcome| {
        let text = format!("processes outlived the box: {}", outcome.survivors.join(" "));
        Ok(Judgement::escaped_if(!outcome.survivors.is_empty(), &text))
    })
}
