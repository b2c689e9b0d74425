use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use rustix::event::EventfdFlags;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::attack::{Attack, Judge};
use crate::attacks::data::inherited::inherited;
use crate::attacks::raw::{self, c, sys};
use crate::outcome::Judgement;
use crate::stage::Stage;
use crate::{canary, files, judges, needs};

pub(super) const EVENTFD: Attack = inherited!(
    "inherited-eventfd",
    "signals an event counter between programs of the caller",
    |stage| {
        let counter = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let own = counter.try_clone()?;
        give(stage, counter)?;
        Ok(Box::new(move |_| {
            let counted = rustix::io::read(&own, &mut [0u8; 8]).is_ok();
            Ok(Judgement::escaped_if(counted, "the caller's counter was signalled"))
        }))
    },
    |fd: i32| sys!(SYS_write, fd, 1u64.to_ne_bytes().as_slice(), 8).map(drop)
);
pub(super) const PIDFD: Attack = inherited!(
    "inherited-pidfd",
    "kills a host process through a handle that the caller happened to have open",
    |stage| {
        let pid = stage.victim(&[])?;
        let handle = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
        give(stage, pidfd_open(handle, PidfdFlags::empty())?)?;
        Ok(judges::alive(pid))
    },
    |fd: i32| sys!(SYS_pidfd_send_signal, fd, libc::SIGKILL, 0, 0).map(drop)
);
pub(super) const INOTIFY: Attack = inherited!(
    "inherited-inotify",
    "learns names in a hidden folder from a watch that the caller happened to have open",
    |stage| {
        let watch = raw::fd(sys!(SYS_inotify_init1, libc::IN_CLOEXEC | libc::IN_NONBLOCK))?;
        let folder = c(&stage.host.to_string_lossy());
        sys!(SYS_inotify_add_watch, watch.as_raw_fd(), &folder, libc::IN_CREATE)?;
        let canary = canary::fresh()?;
        stage.host_file(&canary, "")?;
        give(stage, watch)?;
        Ok(files::not_printed(canary))
    },
    |fd: i32| {
        let mut block = [0u8; 4096];
        let got = sys!(SYS_read, fd, block.as_mut_ptr(), block.len())?;
        raw::print(block.get(..got).unwrap_or_default())
    }
);
pub(super) const MQUEUE: Attack = inherited!(
    "inherited-mqueue",
    "takes a message out of a queue that the caller happened to have open",
    |stage| {
        let name = c(&stage.word("queue"));
        let flags = libc::O_CREAT | libc::O_EXCL | libc::O_RDWR | libc::O_CLOEXEC | libc::O_NONBLOCK;
        let queue = raw::fd(sys!(SYS_mq_open, &name, flags, 0o600, 0))?;
        sys!(SYS_mq_unlink, &name)?;
        let canary = canary::fresh()?;
        sys!(SYS_mq_timedsend, queue.as_raw_fd(), canary.as_bytes(), canary.len(), 0, 0)?;
        give(stage, queue)?;
        Ok(files::not_printed(canary))
    },
    |fd: i32| {
        let mut message = vec![0u8; 8192];
        let got = sys!(SYS_mq_timedreceive, fd, message.as_mut_ptr(), message.len(), 0, 0)?;
        raw::print(message.get(..got).unwrap_or_default())
    }
);
pub(super) const PROC_DIR: Attack = inherited!(
    "inherited-proc-folder",
    "reads the environment of a host process below an inherited /proc/PID folder",
    |stage| {
        let canary = canary::fresh()?;
        let pid = stage.victim_with(&[], &[("TOKEN", &canary)])?;
        give(stage, File::open(format!("/proc/{pid}"))?)?;
        Ok(files::not_printed(canary))
    },
    |fd: i32| raw::show(raw::openat(fd, "environ", libc::O_RDONLY)?)
);
pub(super) const PROC_MEM: Attack = Attack {
    id: "E2",
    name: "inherited-proc-mem",
    what: "reads the memory of a host process through an inherited /proc/PID/mem",
    prepare: memory_of_victim,
    attack: |args| {
        let (from, mut block) = (raw::text(args, 1)?.parse::<u64>().map_err(io::Error::other)?, [0u8; 65536]);
        let got = sys!(SYS_pread64, raw::number(args, 0)?, block.as_mut_ptr(), block.len(), from)?;
        raw::print(block.get(..got).unwrap_or_default())
    },
    ..Attack::ROW
};
pub(super) const NETNS: Attack = Attack {
    id: "E2",
    name: "inherited-network-namespace",
    what: "joins the host's network through an inherited namespace descriptor and connects to a host service",
    prepare: |stage| {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        give(stage, File::open("/proc/self/ns/net")?)?;
        stage.arg(listener.local_addr()?);
        judges::tcp_unreached(listener)
    },
    attack: |args| {
        sys!(SYS_setns, raw::number(args, 0)?, libc::CLONE_NEWNET)?;
        TcpStream::connect(raw::text(args, 1)?)?.write_all(b"loot")
    },
    needs: &[&needs::ROOT],
    ..Attack::ROW
};
pub(super) const MOUNT: Attack = Attack {
    needs: &[&needs::ROOT],
    ..inherited!(
        "inherited-mount",
        "reads hidden files below an inherited descriptor of a detached mount",
        |stage| {
            let (_, judge) = stage.secret("secret")?;
            let host = c(&stage.host.to_string_lossy());
            let flags = libc::OPEN_TREE_CLONE | libc::O_CLOEXEC as u32;
            give(stage, raw::fd(sys!(SYS_open_tree, libc::AT_FDCWD, &host, flags))?)?;
            Ok(judge)
        },
        |fd: i32| raw::show(raw::openat(fd, "secret", libc::O_RDONLY)?)
    )
};

fn give(stage: &mut Stage, fd: impl Into<std::os::fd::OwnedFd>) -> io::Result<()> {
    let fd = stage.inherit(fd)?;
    stage.arg(fd);
    Ok(())
}

/// The victim keeps the secret on its heap; the runner looks up where that is.
fn memory_of_victim(stage: &mut Stage) -> io::Result<Judge> {
    let (path, judge) = stage.secret("secret")?;
    let pid = stage.victim(&["open", &path.to_string_lossy()])?;
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let heap = maps.lines().find(|line| line.ends_with("[heap]")).ok_or(io::ErrorKind::NotFound)?;
    let from = heap.split('-').next().unwrap_or_default();
    let from = u64::from_str_radix(from, 16).map_err(io::Error::other)?;
    give(stage, OpenOptions::new().read(true).write(true).open(format!("/proc/{pid}/mem"))?)?;
    stage.arg(from);
    Ok(judge)
}
