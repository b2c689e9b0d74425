use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};

use crate::attack::{Attack, Judge};
use crate::attacks::raw;
use crate::judges;
use crate::needs;
use crate::stage::Stage;

pub(super) const V4: Attack = Attack {
    id: "C8",
    name: "tcp-loopback",
    what: "connects to a service on 127.0.0.1 of the host",
    prepare: |stage| prepare(stage, "127.0.0.1"),
    attack,
    ..Attack::ROW
};

pub(super) const V6: Attack = Attack {
    id: "C8",
    name: "tcp-loopback-v6",
    what: "connects to a service on ::1 of the host",
    prepare: |stage| prepare(stage, "[::1]"),
    attack,
    needs: &[&needs::IPV6],
    ..Attack::ROW
};

pub(super) const OUTSIDE: Attack = Attack {
    id: "C8",
    name: "tcp-any-loopback",
    what: "connects to a service of the host by the address 0.0.0.0",
    prepare: |stage| prepare(stage, "0.0.0.0"),
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage, address: &str) -> io::Result<Judge> {
    let listener = TcpListener::bind(format!("{address}:0"))?;
    stage.arg(format!("{address}:{}", listener.local_addr()?.port()));
    judges::tcp_unreached(listener)
}

fn attack(args: &[String]) -> io::Result<()> {
    TcpStream::connect(raw::text(args, 0)?)?.write_all(b"loot")
}
