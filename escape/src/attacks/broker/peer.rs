//! N8: the broker connects a socket, and the peer takes the supervisor for whom it speaks with.

use std::cell::Cell;
use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::rc::Rc;

use super::ROW as BROKERED;
use crate::attack::{Attack, Judge};
use crate::attacks::launcher::says_yes;
use crate::attacks::proof;
use crate::attacks::raw;
use crate::attacks::reached;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "N8",
    name: "peer-takes-supervisor-for-jar",
    what: "speaks to a service in a granted folder as a process of the host, because somebody outside connects for it",
    prepare,
    attack: |args| {
        let stream = UnixStream::connect(proof::arg(args, 0)?)?;
        io::Write::write_all(&mut &stream, b"hello")?;
        raw::pause(300)
    },
    ..BROKERED
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let path = stage.work.join("service");
    let service = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o777))?;
    service.set_nonblocking(true)?;
    stage.path_arg(&path);
    let ask = stage.host.join("ask");
    says_yes(UnixListener::bind(&ask)?, |_| ());
    stage.belljar_flags(&["-n", "mirror.test:80", "--host", "mirror.test=192.0.2.1"]);
    stage.belljar_flags(&["--allow-syscall", "@socket-unix", "--ask", &format!("socket:{}", ask.display())]);
    // Looked at while the peer lives.
    let found = Rc::new(Cell::new(false));
    let judge = reached::unless(Rc::clone(&found), "a service took the box for a process of the host");
    stage.watches.push(Box::new(move |_| {
        if let Ok((peer, _)) = service.accept() {
            found.set(is_of_host(&peer).unwrap_or(false));
        }
    }));
    Ok(judge)
}

/// Whether the peer, as the kernel tells it, has the runner's own root.
fn is_of_host(peer: &UnixStream) -> io::Result<bool> {
    let pid = rustix::net::sockopt::socket_peercred(peer)?.pid.as_raw_nonzero();
    let root = |who: &str| std::fs::read_link(format!("/proc/{who}/ns/mnt"));
    Ok(root(&pid.to_string())? == root("self")?)
}
