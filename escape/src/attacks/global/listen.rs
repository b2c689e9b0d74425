use std::cell::Cell;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use std::time::Duration;

use crate::attack::{Attack, Judge};
use crate::attacks::raw;
use crate::canary;
use crate::outcome::Judgement;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "C8",
    name: "tcp-listen",
    what: "takes a port of the host and serves its own data to other programs",
    prepare,
    attack,
    ..Attack::ROW
};

/// A free port is found, none that the kernel gives to others, and given back; while the box runs, the runner connects to it as a host program would.
fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let port = raw::random_port()?;
    TcpListener::bind(("127.0.0.1", port))?;
    let greeting = canary::fresh()?;
    stage.arg(port);
    stage.arg(&greeting);
    let served = Rc::new(Cell::new(false));
    let seen = Rc::clone(&served);
    stage.watches.push(Box::new(move |_| {
        seen.set(seen.get() || said(port).is_ok_and(|answer| answer == greeting));
    }));
    Ok(Box::new(move |_| Ok(Judgement::escaped_if(served.get(), "a host program was served by the box"))))
}

/// What whoever listens at the port says to a program of the host.
pub(crate) fn said(port: u16) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    // It need not be the box that listens there, and whoever it is may say nothing.
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map(|_| answer)
}

fn attack(args: &[String]) -> io::Result<()> {
    let listener = TcpListener::bind(format!("127.0.0.1:{}", raw::text(args, 0)?))?;
    listener.set_nonblocking(true)?;
    for _ in 0..20 {
        if let Ok((mut stream, _)) = listener.accept() {
            stream.write_all(raw::text(args, 1)?.as_bytes())?;
        }
        raw::pause(20)?;
    }
    Ok(())
}
