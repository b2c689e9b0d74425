//! A log that is kept for a jar.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::ROW;
use crate::attack::Attack;
use crate::attacks::raw;
use crate::judges;
use crate::outcome::Judgement;
use crate::stage::Stage;

/// A line that nobody else may be taken for the writer of.
const FORGED: &str = "2026-01-01T00:00:00Z jar[1] error: forged";
/// Where programs log, in a jar only: elsewhere the attacks write to the file.
const LOG: &str = "/dev/log";
const BYTES: usize = 3 << 20;

pub(super) const FORGERY: Attack = Attack {
    name: "log-forged",
    what: "writes a line of its own making into a log, or what steers the terminal of whoever reads it",
    prepare: |stage| {
        let log = log(stage, "1M")?;
        Ok(Box::new(move |_| {
            let text = String::from_utf8_lossy(&std::fs::read(log)?).into_owned();
            let forged = text.lines().any(|line| line == FORGED) || text.contains('\u{1b}');
            Ok(Judgement::escaped_if(forged, "a line of the log is the box's own"))
        }))
    },
    attack: |args| {
        let evil = format!("\u{1b}[2J\n{FORGED}\n");
        if append(args).and_then(|mut log| log.write_all(evil.as_bytes())).is_ok() {
            return Ok(());
        }
        for between in ["\n", "\r", "\r\n", "\0", "\u{85}", "\u{2028}", "\u{b}"] {
            let message = format!("<11>x{between}{FORGED}{between}\u{1b}]0;x\u{7}\u{9b}2J");
            packets()?.send(message.as_bytes())?;
            UnixStream::connect(LOG)?.write_all(message.as_bytes())?;
        }
        Ok(())
    },
    ..ROW
};

pub(super) const ELSEWHERE: Attack = Attack {
    name: "log-socket-elsewhere",
    what: "sends to another socket of the host with the one that it got for its log",
    prepare: |stage| {
        log(stage, "1M")?;
        let path = stage.data.join("other");
        let socket = UnixDatagram::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777))?;
        stage.grant_data();
        stage.path_arg(&path);
        judges::unix_datagram_unreached(socket)
    },
    attack: |args| {
        let to = raw::text(args, 1)?;
        let unbound = UnixDatagram::unbound()?.send_to(b"loot", to);
        let connected =
            UnixDatagram::unbound().and_then(|socket| socket.connect(to).and_then(|()| socket.send(b"loot")));
        let logging = packets().and_then(|socket| socket.send_to(b"loot", to));
        unbound.or(connected).or(logging).map(drop)
    },
    ..ROW
};

pub(super) const FLOOD: Attack = Attack {
    name: "log-flood",
    what: "fills the disk with more log than it may write",
    prepare: |stage| {
        let log = log(stage, "1M")?;
        Ok(Box::new(move |_| {
            let grown = usize::try_from(std::fs::metadata(log)?.len()).is_ok_and(|bytes| bytes >= BYTES);
            Ok(Judgement::escaped_if(grown, "the log grew beyond its bound"))
        }))
    },
    attack: |args| {
        if append(args).and_then(|mut log| log.write_all(&vec![b'x'; BYTES])).is_ok() {
            return Ok(());
        }
        let message = ["<11>".as_bytes(), &[b'\n'; 990], &[b'x'; 7000]].concat();
        let (end, socket) = (Instant::now() + Duration::from_secs(3), packets()?);
        while Instant::now() < end {
            socket.send(&message)?;
        }
        Ok(())
    },
    ..ROW
};

/// A log in the hidden folder, which is the first argument.
fn log(stage: &mut Stage, most: &str) -> io::Result<PathBuf> {
    let log = stage.host_file("log", "")?;
    stage.belljar_flags(&["--service", &format!("log={},{most}", log.display())]);
    stage.path_arg(&log);
    Ok(log)
}

fn append(args: &[String]) -> io::Result<File> {
    File::options().append(true).open(Path::new(raw::text(args, 0)?))
}

fn packets() -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(LOG)?;
    Ok(socket)
}
