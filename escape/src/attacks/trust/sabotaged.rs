use std::fs;
use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::raw::{self, c, sys};
use crate::attacks::{data, proof};
use crate::files;
use crate::judges;
use crate::stage::Stage;

/// A host on which some kernel calls are missing, or answer "done" and do nothing. Refusing to start is fine; starting
/// with less is what the judge would see.
macro_rules! sabotaged {
    ($id:literal, $name:literal, $what:literal, $ways:literal, $prepare:expr, $attack:expr) => {
        Attack {
            id: $id,
            name: $name,
            what: $what,
            prepare: |stage| {
                stage.sabotage($ways);
                $prepare(stage)
            },
            attack: $attack,
            boxes: &["none", "belljar"],
            ..Attack::ROW
        }
    };
}

pub(super) const NO_NAMESPACES: Attack = sabotaged!(
    "Q4",
    "host-without-namespaces",
    "reads a hidden file where user namespaces are refused, as in containers",
    "userns",
    secret,
    read
);
pub(super) const NO_LANDLOCK: Attack = sabotaged!(
    "L12",
    "host-without-landlock",
    "reads a hidden file on a kernel without Landlock",
    "landlock",
    secret,
    read
);
pub(super) const NEITHER: Attack = sabotaged!(
    "Q4",
    "host-with-neither",
    "reads a hidden file where neither namespaces nor Landlock exist",
    "userns,landlock",
    secret,
    read
);
pub(super) const FAKE_LANDLOCK: Attack = sabotaged!(
    "L13",
    "landlock-that-lies",
    "reads a hidden file on a kernel whose Landlock answers \"done\" and does nothing",
    "restrict=fake",
    secret,
    read
);
pub(super) const FAKE_LANDLOCK_ALONE: Attack = sabotaged!(
    "L13",
    "landlock-that-lies-alone",
    "reads a hidden file where namespaces are refused and Landlock only answers \"done\"",
    "userns,restrict=fake",
    secret,
    read
);
pub(super) const NO_MOUNTS: Attack = sabotaged!(
    "Q4",
    "host-without-mount-descriptors",
    "reads a hidden file on a kernel without the newer mount calls",
    "mounts",
    secret,
    read
);
pub(super) const FAKE_PIVOT: Attack = sabotaged!(
    "Q4",
    "pivot-that-lies",
    "reads a hidden file although `pivot_root` said it had worked",
    "pivot=fake",
    secret,
    read
);
pub(super) const FAKE_DETACH: Attack = sabotaged!(
    "Q4",
    "detach-that-lies",
    "reads a hidden file although `umount2` said the old root was gone",
    "detach=fake",
    secret,
    read
);
pub(super) const FAKE_READ_ONLY: Attack = sabotaged!(
    "Q4",
    "read-only-that-lies",
    "writes into a folder granted for reading although the kernel said it was read-only",
    "attributes=fake",
    |stage: &mut Stage| {
        let path = stage.data.join("file");
        fs::write(&path, "content")?;
        stage.path_arg(&path);
        stage.grant_data();
        files::untouched(&path)
    },
    |args| fs::write(raw::text(args, 0)?, "changed")
);
pub(super) const FAKE_CLOSE: Attack = sabotaged!(
    "Q4",
    "close-that-lies",
    "reads an inherited descriptor although `close_range` said it had worked",
    "close=fake",
    data::opened,
    |args| data::read(raw::number(args, 0)?)
);
pub(super) const NO_CLOSE: Attack = sabotaged!(
    "Q4",
    "host-without-close-range",
    "reads an inherited descriptor on a kernel without `close_range`",
    "close",
    data::opened,
    |args| data::read(raw::number(args, 0)?)
);
pub(super) const NO_SECCOMP: Attack = sabotaged!(
    "Q4",
    "host-without-seccomp",
    "makes an io_uring on a kernel without system call filters",
    "seccomp",
    proof::demanded,
    ring
);
pub(super) const FAKE_SECCOMP: Attack = sabotaged!(
    "L13",
    "seccomp-that-lies",
    "makes an io_uring on a kernel whose filters answer \"done\" and do nothing",
    "seccomp=fake",
    proof::demanded,
    ring
);
pub(super) const NO_SECCOMP_NET: Attack = sabotaged!(
    "Q4",
    "seccomp-that-lies-network",
    "reaches a host service where namespaces are refused and filters only answer \"done\"",
    "userns,seccomp=fake",
    |stage: &mut Stage| {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0")?;
        stage.arg(socket.local_addr()?);
        judges::udp_unreached(socket)
    },
    |args| std::net::UdpSocket::bind("127.0.0.1:0")?.send_to(b"loot", raw::text(args, 0)?).map(drop)
);
pub(super) const FAKE_CAPSET: Attack = sabotaged!(
    "Q4",
    "rights-that-stay",
    "mounts over a folder although the kernel said that all capabilities were dropped",
    "rights=fake",
    |stage: &mut Stage| {
        let work = stage.work.clone();
        stage.path_arg(&work);
        proof::demanded(stage)
    },
    |args| {
        let (none, work) = (c("none"), c(raw::text(args, 0)?));
        // In a namespace of its own where it gets one, so that a control run as root leaves the host as it was.
        drop(sys!(SYS_unshare, libc::CLONE_NEWUSER | libc::CLONE_NEWNS));
        sys!(SYS_mount, &none, &work, &c("tmpfs"), 0, 0)?;
        proof::show(args, 1)
    }
);

fn secret(stage: &mut Stage) -> io::Result<Judge> {
    let (path, judge) = stage.secret("secret")?;
    stage.path_arg(&path);
    Ok(judge)
}

fn read(args: &[String]) -> io::Result<()> {
    raw::show(raw::openat(libc::AT_FDCWD, raw::text(args, 0)?, libc::O_RDONLY)?)
}

fn ring(args: &[String]) -> io::Result<()> {
    let mut parameters = [0u8; 120];
    sys!(SYS_io_uring_setup, 4, parameters.as_mut_ptr())?;
    proof::show(args, 0)
}
