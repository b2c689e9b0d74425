use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;

use crate::attack::{Attack, Control, Judge};
use crate::attacks::raw;
use crate::judges;
use crate::stage::Stage;

pub(super) const STREAM: Attack = Attack {
    id: "L5",
    name: "unix-path-stream",
    what: "connects to a daemon by the path of its socket in a hidden folder",
    prepare: |stage| listener(stage, &stage.host.join("daemon")),
    attack: connect,
    control: Control::Landlock,
    ..Attack::ROW
};

pub(super) const DATAGRAM: Attack = Attack {
    id: "L5",
    name: "unix-path-datagram",
    what: "sends a datagram to a daemon by the path of its socket in a hidden folder",
    prepare: |stage| {
        let path = stage.host.join("log");
        let socket = UnixDatagram::bind(&path)?;
        for_all(&path)?;
        stage.path_arg(&path);
        judges::unix_datagram_unreached(socket)
    },
    attack: |args| UnixDatagram::unbound()?.send_to(b"loot", raw::text(args, 0)?).map(drop),
    control: Control::Landlock,
    ..Attack::ROW
};

pub(super) const READ_ONLY: Attack = Attack {
    id: "L5",
    name: "unix-path-read-only",
    what: "connects to a daemon whose socket lies in a folder that is granted for reading only",
    prepare: |stage| listener(stage, &stage.data.join("daemon")),
    attack: connect,
    control: Control::Landlock,
    boxes: &["none", "firejail", "belljar"],
    ..Attack::ROW
};

fn listener(stage: &mut Stage, path: &Path) -> io::Result<Judge> {
    let listener = UnixListener::bind(path)?;
    for_all(path)?;
    stage.grant_data();
    stage.path_arg(path);
    judges::unix_unreached(listener)
}

fn for_all(path: &Path) -> io::Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777))
}

fn connect(args: &[String]) -> io::Result<()> {
    UnixStream::connect(raw::text(args, 0)?)?.write_all(b"loot")
}
