//! Namespaces, and what is built in them.

use belljar_sys::Op;
use belljar_sys::child::Walk;
use belljar_sys::child::{Forbidden, Network};

use super::trial::{self, Spaces, Stopped};
use super::{Finding, Host, Status};
use crate::probe::Userns;

const UNTRIED: &str = "not tried: it needs user namespaces";
/// A folder that exists wherever anything works; the trial covers it for itself alone.
const BASE: Op<'_> = Op::NewRoot { at: c"/proc", data: c"size=64k,mode=755" };

/// Ids mapped and a power used: some systems make the namespace and take its powers away.
pub(super) fn try_user(uid: &[u8], gid: &[u8]) -> Result<(), Stopped> {
    let ops = [Op::DieWithParent, Op::IdMaps { uid, gid }, Op::Hostname(b"belljar-doctor")];
    trial::run(Spaces::USER.and(Spaces::UTS), &ops, &[])
}

pub(super) fn user(host: &Host) -> Finding {
    const ID: &str = "user-namespaces";
    const MEANS: &str = "jars are held by Landlock and the filter alone; rules that need mounts are refused";
    match host.userns {
        Ok(()) if host.facts.userns == Userns::Available => {
            Finding::ok(ID, "made, mapped, and a host name set in one")
        }
        Ok(()) => {
            Finding::ok(ID, format!("they work, although this host looks like {:?}", host.facts.userns))
        }
        Err(stopped) => {
            let (found, fix) = host.explain(stopped);
            let status = if host.facts.landlock > 0 { Status::Weaker } else { Status::Missing };
            Finding::lacking(ID, status, found, MEANS).remedy(fix)
        }
    }
}

/// A row of what is built in namespaces.
struct Built<'a> {
    id: &'a str,
    spaces: Spaces,
    steps: &'a [Op<'a>],
    must_fail: &'a [Op<'a>],
    found: &'a str,
    status: Status,
    means: &'a str,
}

fn build(host: &Host, built: &Built<'_>) -> Finding {
    if host.userns.is_err() {
        return Finding::lacking(built.id, built.status, UNTRIED, built.means);
    }
    let mut ops = vec![Op::DieWithParent, Op::IdMaps { uid: &host.uid_map, gid: &host.gid_map }];
    ops.extend_from_slice(built.steps);
    match trial::run(Spaces::USER.and(built.spaces), &ops, built.must_fail) {
        Ok(()) => Finding::ok(built.id, built.found),
        Err(stopped) => {
            let (found, fix) = host.explain(stopped);
            Finding::lacking(built.id, built.status, found, built.means).remedy(fix)
        }
    }
}

pub(super) fn mounts(host: &Host) -> Finding {
    let steps = [
        Op::MountPrivate,
        BASE,
        Op::Dir { path: c"usr", mode: 0o755 },
        Op::Bind { from: Walk::Plain(c"/usr"), to: Walk::Plain(c"usr"), attrs: 1, keep: None },
        Op::PivotRoot,
    ];
    let outside = Forbidden { open: Some(c"/proc"), network: Network::Unasked, call: false };
    build(
        host,
        &Built {
            id: "mounts",
            spaces: Spaces::MOUNT,
            steps: &steps,
            must_fail: &[Op::SelfProbe(outside)],
            found: "a root of its own was built, and what was not placed in it was not there",
            status: Status::Missing,
            means: "jars see the host's files and are held by Landlock alone",
        },
    )
}

pub(super) fn fresh_proc(host: &Host) -> Finding {
    let steps = [
        Op::MountPrivate,
        BASE,
        Op::Dir { path: c"proc", mode: 0o755 },
        Op::Mount { kind: c"proc", to: Walk::Plain(c"proc"), flags: 0b1110, data: c"" },
    ];
    build(
        host,
        &Built {
            id: "fresh-proc",
            spaces: Spaces::MOUNT.and(Spaces::PID),
            steps: &steps,
            must_fail: &[],
            found: "mounted for an own set of processes",
            status: Status::Weaker,
            means: "jars have no /proc, and programs that need one fail",
        },
    )
}

pub(super) fn network(host: &Host) -> Finding {
    let route = Forbidden { open: None, network: Network::NoRoute, call: false };
    build(
        host,
        &Built {
            id: "network",
            spaces: Spaces::NET,
            steps: &[Op::Loopback],
            must_fail: &[Op::SelfProbe(route)],
            found: "a loopback of its own came up, and no route led out",
            status: Status::Weaker,
            means: "jars without a network are held by the filter and by Landlock alone",
        },
    )
}

pub(super) fn nesting(host: &Host) -> Finding {
    build(
        host,
        &Built {
            id: "nesting",
            spaces: Spaces::MOUNT,
            steps: &[Op::LimitNamespaces { inside: false }],
            must_fail: &[],
            found: "further user namespaces can be forbidden",
            status: Status::Weaker,
            means: "user namespaces inside jars are refused by the filter alone",
        },
    )
}

pub(super) fn terminal(host: &Host) -> Finding {
    let steps = [
        Op::MountPrivate,
        BASE,
        Op::Dir { path: c"dev", mode: 0o755 },
        Op::Dir { path: c"dev/pts", mode: 0o755 },
        Op::Mount {
            kind: c"devpts",
            to: Walk::Plain(c"dev/pts"),
            flags: 0b1010,
            data: c"newinstance,ptmxmode=0666,mode=0620",
        },
        Op::OpenTerminal { size: [0; 4], settings: None },
    ];
    build(
        host,
        &Built {
            id: "terminal",
            spaces: Spaces::MOUNT,
            steps: &steps,
            must_fail: &[],
            found: "a terminal of its own was opened",
            status: Status::Weaker,
            means: "interactive programs run without a terminal",
        },
    )
}

pub(super) fn overlay(host: &Host) -> Finding {
    let dir = |path| Op::Dir { path, mode: 0o755 };
    let data = c"lowerdir=/proc/low,upperdir=/proc/up,workdir=/proc/work,userxattr";
    let steps = [
        Op::MountPrivate,
        BASE,
        dir(c"low"),
        dir(c"up"),
        dir(c"work"),
        dir(c"all"),
        Op::Mount { kind: c"overlay", to: Walk::Plain(c"all"), flags: 0, data },
    ];
    build(
        host,
        &Built {
            id: "copy-on-write",
            spaces: Spaces::MOUNT,
            steps: &steps,
            must_fail: &[],
            found: "writes can be kept aside (--throw-away)",
            status: Status::Weaker,
            means: "rules with \"cow\" are refused",
        },
    )
}
