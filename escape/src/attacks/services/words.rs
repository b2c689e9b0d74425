//! What is looked up once, at the start.

use std::io;
use std::net::UdpSocket;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::ROW;
use crate::attack::{Attack, Judge};
use crate::attacks::raw;
use crate::stage::Stage;
use crate::{canary, files, judges};

pub(super) const BESIDE: Attack = Attack {
    name: "fileargs-beside",
    what: "reads the file beside the one that its command line names, by five ways",
    prepare: |stage| {
        let (named, _, judge) = bait(stage)?;
        std::fs::write(&named, "named\n")?;
        stage.path_arg(&named);
        Ok(judge)
    },
    attack: |args| {
        let named = Path::new(raw::text(args, 0)?);
        let folder = named.parent().unwrap_or(Path::new("/"));
        let open = std::fs::File::open(named)?;
        let ways = [
            folder.join("secret"),
            folder.join("./x/../secret"),
            named.join("../secret"),
            Path::new("/proc/self/fd").join(open.as_raw_fd().to_string()).join("../secret"),
            Path::new("/proc/self/root").join(folder.strip_prefix("/").unwrap_or(folder)).join("secret"),
        ];
        ways.iter().try_for_each(|way| print(way))?;
        std::env::set_current_dir(folder).and_then(|()| print(Path::new("secret")))
    },
    ..ROW
};

pub(super) const SWAPPED: Attack = Attack {
    name: "fileargs-swapped",
    what: "reads another file by a name of its command line that was turned to it after the start",
    prepare: swapped,
    attack: |args| {
        std::fs::write("ready", "")?;
        let end = Instant::now() + Duration::from_millis(500);
        while Instant::now() < end {
            print(Path::new(raw::text(args, 0)?))?;
            raw::pause(20)?;
        }
        Ok(())
    },
    ..ROW
};

pub(super) const QUESTION: Attack = Attack {
    name: "dns-question",
    what: "asks a name server for a name that holds a secret, below one that it may know",
    prepare: |stage| {
        let server = UdpSocket::bind("127.0.0.1:0")?;
        stage.belljar_flags(&["--service", "dns=localhost"]);
        stage.arg(server.local_addr()?);
        judges::udp_unreached(server)
    },
    attack: |args| {
        let question = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x06secret\x09localhost\0\0\x01\0\x01";
        UdpSocket::bind("127.0.0.1:0")?.send_to(question, raw::text(args, 0)?).map(drop)
    },
    ..ROW
};

pub(super) const ACCOUNT: Attack = Attack {
    name: "users-others",
    what: "reads of an account that is not among those that it may know",
    prepare: |stage| {
        stage.belljar_flags(&["--service", "users=nobody"]);
        let text = std::fs::read_to_string("/etc/passwd")?;
        let other = text.lines().find(|line| !line.starts_with("nobody:"));
        Ok(files::not_printed(other.ok_or(io::ErrorKind::NotFound)?.to_owned()))
    },
    attack: |_| {
        ["/etc/passwd", "/etc/passwd-", "/proc/self/root/etc/passwd"]
            .iter()
            .try_for_each(|path| print(Path::new(path)))
    },
    ..ROW
};

/// Two names in a folder that belljar's box does not have, the second that of a secret.
fn bait(stage: &mut Stage) -> io::Result<(PathBuf, PathBuf, Judge)> {
    stage.belljar_flags(&["--service", "fileargs"]);
    let (canary, secret) = (canary::fresh()?, stage.data.join("secret"));
    std::fs::write(&secret, &canary)?;
    Ok((stage.data.join("named"), secret, files::not_printed(canary)))
}

fn swapped(stage: &mut Stage) -> io::Result<Judge> {
    let (named, secret, judge) = bait(stage)?;
    let (plain, ready, next) = (stage.data.join("plain"), stage.work.join("ready"), stage.data.join("next"));
    std::fs::write(&plain, "plain\n")?;
    symlink(&plain, &named)?;
    symlink(&secret, &next)?;
    stage.path_arg(&named);
    stage.watches.push(Box::new(move |_| {
        if std::fs::symlink_metadata(&ready).is_ok() {
            // Done once; later there is nothing to move.
            drop(std::fs::rename(&next, &named));
        }
    }));
    Ok(judge)
}

/// What cannot be read is tried by the next way.
fn print(path: &Path) -> io::Result<()> {
    std::fs::read(path).map_or(Ok(()), |text| raw::print(&text))
}
