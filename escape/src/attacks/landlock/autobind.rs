use std::cell::Cell;
use std::fs;
use std::io::{self, Write};
use std::net::TcpListener;
use std::rc::Rc;

use crate::attack::{Attack, Control, Judge};
use crate::attacks::global::said;
use crate::attacks::raw::{self, sys};
use crate::canary;
use crate::outcome::Judgement;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "L7",
    name: "listen-autobind",
    what: "takes a port of the host by `listen` without `bind` and serves other programs there",
    prepare,
    attack,
    control: Control::Landlock,
    ..Attack::ROW
};

/// The attack leaves the port in a file; the runner connects as a host program would and compares the greeting.
fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let greeting = canary::fresh()?;
    stage.arg(&greeting);
    let note = stage.work.join("port");
    let served = Rc::new(Cell::new(false));
    let seen = Rc::clone(&served);
    stage.watches.push(Box::new(move |_| {
        let port = fs::read_to_string(&note).ok().and_then(|text| text.parse::<u16>().ok());
        let served = port.is_some_and(|port| said(port).is_ok_and(|answer| answer == greeting));
        seen.set(seen.get() || served);
    }));
    Ok(Box::new(move |_| Ok(Judgement::escaped_if(served.get(), "a host program was served by the box"))))
}

fn attack(args: &[String]) -> io::Result<()> {
    let socket = raw::fd(sys!(SYS_socket, libc::AF_INET, libc::SOCK_STREAM, 0))?;
    sys!(SYS_listen, std::os::fd::AsRawFd::as_raw_fd(&socket), 5)?;
    let listener = TcpListener::from(socket);
    fs::write("port", listener.local_addr()?.port().to_string())?;
    listener.set_nonblocking(true)?;
    for _ in 0..20 {
        if let Ok((mut stream, _)) = listener.accept() {
            stream.write_all(raw::text(args, 0)?.as_bytes())?;
        }
        raw::pause(20)?;
    }
    Ok(())
}
