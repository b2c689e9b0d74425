use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use crate::attack::{Attack, Judge};
use crate::attacks::raw::{self, c, sys};
use crate::outcome::Judgement;
use crate::{files, needs};

pub(super) const TCP: Attack = Attack {
    id: "C8",
    name: "proc-net-tcp",
    what: "lists the open ports of the host from /proc/net",
    prepare: |stage| {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let judge = files::not_printed(format!("0100007F:{:04X}", listener.local_addr()?.port()));
        stage.arg("/proc/net/tcp");
        Ok(kept(listener, judge))
    },
    attack: show,
    ..Attack::ROW
};

pub(super) const UNIX: Attack = Attack {
    id: "C8",
    name: "proc-net-unix",
    what: "lists the daemons of the host from /proc/net/unix",
    prepare: |stage| {
        let name = stage.word("daemon");
        let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
        stage.arg("/proc/net/unix");
        Ok(kept(listener, files::not_printed(name)))
    },
    attack: show,
    ..Attack::ROW
};

pub(super) const OOM: Attack = Attack {
    id: "C7",
    name: "proc-oom-score",
    what: "makes a host process the first to die when memory runs out",
    prepare: |stage| {
        let pid = stage.victim(&[])?;
        let path = format!("/proc/{pid}/oom_score_adj");
        stage.arg(&path);
        unchanged(path)
    },
    attack: |args| fs::write(raw::text(args, 0)?, "1000"),
    ..Attack::ROW
};

pub(super) const SYSCTL: Attack = Attack {
    id: "C7",
    name: "sysctl-write",
    what: "changes a setting of the host's kernel in /proc/sys",
    prepare: |_| {
        let setting = Setting::read("/proc/sys/vm/swappiness")?;
        Ok(Box::new(move |_| Ok(Judgement::escaped_if(setting.changed(), "a kernel setting changed"))))
    },
    attack: |_| fs::write("/proc/sys/vm/swappiness", "41"),
    needs: &[&needs::ROOT],
    ..Attack::ROW
};

pub(super) const HOST_NAME: Attack = Attack {
    id: "C8",
    name: "host-name",
    what: "changes the host's name",
    prepare: |_| {
        let setting = Setting::read("/proc/sys/kernel/domainname")?;
        Ok(Box::new(move |_| Ok(Judgement::escaped_if(setting.changed(), "the host's name changed"))))
    },
    attack: |_| sys!(SYS_setdomainname, &c("loot"), 4).map(drop),
    needs: &[&needs::ROOT],
    ..Attack::ROW
};

pub(super) const DEVICE: Attack = Attack {
    id: "C7",
    name: "device-node",
    what: "makes a device node of its own and writes into the kernel's log through it",
    prepare: |stage| {
        let canary = crate::canary::fresh()?;
        stage.arg(&canary);
        Ok(Box::new(move |_| Ok(Judgement::escaped_if(logged(&canary)?, "the kernel's log has the canary"))))
    },
    attack: |args| {
        sys!(SYS_mknodat, libc::AT_FDCWD, &c("log"), libc::S_IFCHR | 0o666, libc::makedev(1, 11))?;
        fs::write("log", format!("{}\n", raw::text(args, 0)?))
    },
    needs: &[&needs::ROOT],
    ..Attack::ROW
};

/// A kernel setting, put back at the end.
struct Setting {
    path: &'static str,
    before: String,
}

impl Setting {
    fn read(path: &'static str) -> io::Result<Setting> {
        Ok(Setting { path, before: fs::read_to_string(path)? })
    }

    fn changed(&self) -> bool {
        fs::read_to_string(self.path).is_ok_and(|now| now != self.before)
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        drop(fs::write(self.path, &self.before));
    }
}

fn unchanged(path: String) -> io::Result<Judge> {
    let before = fs::read_to_string(&path)?;
    Ok(Box::new(move |_| {
        Ok(Judgement::escaped_if(fs::read_to_string(path)? != before, "a setting of a host process changed"))
    }))
}

fn kept<T: 'static>(held: T, judge: Judge) -> Judge {
    Box::new(move |outcome| {
        let judgement = judge(outcome);
        drop(held);
        judgement
    })
}

fn logged(canary: &str) -> io::Result<bool> {
    let log = raw::openat(libc::AT_FDCWD, "/dev/kmsg", libc::O_RDONLY | libc::O_NONBLOCK)?;
    let mut record = [0u8; 8192];
    loop {
        match rustix::io::read(&log, &mut record) {
            Ok(got) if crate::outcome::contains(record.get(..got).unwrap_or_default(), canary.as_bytes()) => {
                return Ok(true);
            }
            // Old records may be overwritten while we read.
            Ok(1..) | Err(rustix::io::Errno::PIPE) => {}
            Ok(0) | Err(_) => return Ok(false),
        }
    }
}

fn show(args: &[String]) -> io::Result<()> {
    raw::show(raw::openat(libc::AT_FDCWD, raw::text(args, 0)?, libc::O_RDONLY)?)
}
