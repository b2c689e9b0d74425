use std::cell::Cell;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;

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

/// A free port is found and given back; while the box runs, the runner connects to it as a host program would.
fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let greeting = canary::fresh()?;
    stage.arg(port);
    stage.arg(&greeting);
    let served = Rc::new(Cell::new(false));
    let seen = Rc::clone(&served);
    stage.watches.push(Box::new(move |_| {
        let mut answer = String::new();
        let got =
            TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| stream.read_to_string(&mut answer));
        seen.set(seen.get() || (got.is_ok() && answer == greeting));
    }));
    Ok(Box::new(move |_| Ok(Judgement::escaped_if(served.get(), "a host program was served by the box"))))
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
