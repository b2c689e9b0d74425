//! B5: asks the user's service manager to start a program outside.

use std::io::{self, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

use crate::attack::{Attack, Judge};
use crate::judges;
use crate::stage::Stage;

pub(super) const PATH: Attack = Attack {
    id: "B5",
    name: "bus-by-path",
    what: "has the user's service manager start a program outside, over the session bus of the environment",
    prepare: |stage| {
        let path = stage.work.join("bus");
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o777))?;
        bus(stage, listener, &format!("unix:path={}", path.display()))
    },
    attack: |_| start_transient_unit(),
    ..Attack::ROW
};

pub(super) const ABSTRACT: Attack = Attack {
    name: "bus-by-abstract-name",
    what: "the same over a bus that has a name without a file",
    prepare: |stage| {
        let name = stage.word("bus");
        let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
        bus(stage, listener, &format!("unix:abstract={name}"))
    },
    ..PATH
};

fn bus(stage: &mut Stage, listener: UnixListener, address: &str) -> io::Result<Judge> {
    stage.env.push(("DBUS_SESSION_BUS_ADDRESS".to_owned(), address.to_owned()));
    // The caller may pass it on in good faith: a name is not yet a way.
    stage.belljar_flags(&["-e", "DBUS_SESSION_BUS_ADDRESS"]);
    stage.arg(address);
    judges::unix_unreached(listener)
}

fn start_transient_unit() -> io::Result<()> {
    let address = std::env::var("DBUS_SESSION_BUS_ADDRESS").map_err(io::Error::other)?;
    let mut stream = match address.split_once('=') {
        Some(("unix:path", path)) => UnixStream::connect(path)?,
        Some(("unix:abstract", name)) => UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?)?,
        _ => return Err(io::Error::other("no such bus")),
    };
    stream.write_all(b"\0AUTH EXTERNAL\r\nBEGIN\r\norg.freedesktop.systemd1.Manager.StartTransientUnit")
}
